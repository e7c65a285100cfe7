//! Which of the newest numbers were seen.
//!
//! Numbers travel as their low 32 bits; they mean the number nearest to the next one expected.

use super::SPAN;

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::link) enum Seen {
    /// Never seen.
    New,
    /// Seen before.
    Before,
    /// Too far back to know.
    Old,
}

/// The memory of the last [`SPAN`] numbers up to the highest seen.
#[derive(Debug, Default)]
pub(in crate::link) struct Window {
    /// One more than the highest number seen.
    next: u64,
    /// Bit `i` tells whether `next - 1 - i` was seen.
    bits: u128,
}

impl Window {
    /// The number with these low bits that is nearest to the next one; `None` below 0.
    pub(in crate::link) fn extend(&self, bits: u32) -> Option<u64> {
        extend(bits, self.next)
    }

    pub(in crate::link) fn seen(&self, number: u64) -> Seen {
        if number >= self.next {
            return Seen::New;
        }
        let back = self.next - 1 - number;
        if back >= SPAN {
            Seen::Old
        } else if self.bits >> back & 1 == 1 {
            Seen::Before
        } else {
            Seen::New
        }
    }

    /// Notes that a number was seen.
    pub(in crate::link) fn note(&mut self, number: u64) {
        if number >= self.next {
            let step = u32::try_from(number - self.next + 1).unwrap_or(u32::MAX);
            self.bits = self.bits.checked_shl(step).unwrap_or(0);
            self.next = number.saturating_add(1);
        }
        let back = self.next - 1 - number;
        if back < SPAN {
            self.bits |= 1 << back;
        }
    }

    /// Whether a number lies so far back that nothing more is known of it.
    pub(in crate::link) fn is_past(&self, number: u64) -> bool {
        self.seen(number) == Seen::Old
    }
}

/// What of a number travels.
pub(in crate::link) fn low(number: u64) -> u32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The number with these low bits that is nearest to `near`; `None` below 0.
pub(in crate::link) fn extend(bits: u32, near: u64) -> Option<u64> {
    let offset = bits.wrapping_sub(low(near));
    near.checked_add_signed(i64::from(offset.cast_signed()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn low_bits_mean_the_nearest_number() {
        assert_eq!(extend(5, 3), Some(5));
        assert_eq!(extend(u32::MAX, 3), None);
        let wrapped = 1 << 32;
        assert_eq!(extend(2, wrapped - 1), Some(wrapped + 2));
        assert_eq!(extend(u32::MAX, wrapped + 2), Some(wrapped - 1));
    }

    proptest! {
        #[test]
        fn a_number_is_new_exactly_once(
            steps in prop::collection::vec(-200_i64..200, 1..300),
        ) {
            let (mut window, mut model) = (Window::default(), BTreeSet::new());
            let mut at = 1_000_i64;
            for step in steps {
                at = (at + step).max(0);
                let number = at.cast_unsigned();
                let highest = model.last().copied().unwrap_or(0);
                let expected = if model.contains(&number) && number + SPAN > highest {
                    Seen::Before
                } else if !model.is_empty() && number + SPAN <= highest {
                    Seen::Old
                } else {
                    Seen::New
                };
                prop_assert_eq!(window.seen(number), expected);
                window.note(number);
                model.insert(number);
            }
        }
    }
}
