//! What is to happen, in order of time and, at one time, in the order it was put in.
//!
//! A ring of lists, one per millisecond, holds the next half minute; what lies further away waits
//! in an ordered map. So putting in and taking out cost the same however much is waiting.

use std::collections::{BTreeMap, VecDeque};

use nano_core::UnixMillis;

/// Milliseconds in the ring.
const RING: u64 = 1 << 15;

/// Things with their times.
pub(super) struct Queue<T> {
    ring: Vec<VecDeque<T>>,
    /// Everything before this time was taken out; the ring holds `start..start + RING`.
    start: u64,
    in_ring: usize,
    far: BTreeMap<u64, VecDeque<T>>,
}

impl<T> Queue<T> {
    /// Nothing is waiting; nothing will be put in before `start`.
    pub(super) fn new(start: UnixMillis) -> Self {
        Self {
            ring: (0..RING).map(|_| VecDeque::new()).collect(),
            start: start.0,
            in_ring: 0,
            far: BTreeMap::new(),
        }
    }

    /// Puts something in; what lies in the past happens next.
    pub(super) fn push(&mut self, at: UnixMillis, item: T) {
        let at = at.0.max(self.start);
        if at < self.start + RING {
            self.slot(at).push_back(item);
            self.in_ring += 1;
        } else {
            self.far.entry(at).or_default().push_back(item);
        }
    }

    /// Takes out what happens next, if it happens until `until`.
    pub(super) fn pop(&mut self, until: UnixMillis) -> Option<(UnixMillis, T)> {
        while self.start <= until.0 {
            let at = self.start;
            if let Some(item) = self.slot(at).pop_front() {
                self.in_ring -= 1;
                return Some((UnixMillis::new(at), item));
            }
            self.advance(until.0);
        }
        None
    }

    fn slot(&mut self, at: u64) -> &mut VecDeque<T> {
        let place = usize::try_from(at % RING).unwrap_or(0);
        &mut self.ring[place]
    }

    fn advance(&mut self, until: u64) {
        let place = usize::try_from(self.start % RING).unwrap_or(0);
        // A list that once was long gives its memory back.
        if self.ring[place].capacity() > 64 {
            self.ring[place] = VecDeque::new();
        }
        self.start += 1;
        if self.in_ring == 0 {
            let next = self.far.first_key_value().map_or(u64::MAX, |(at, _)| *at);
            self.start = next.clamp(self.start, until + 1);
        }
        while let Some(entry) = self.far.first_entry() {
            if *entry.key() >= self.start + RING {
                break;
            }
            let (at, items) = entry.remove_entry();
            self.in_ring += items.len();
            // The time has only now come into the ring, so nothing was put there before.
            *self.slot(at) = items;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_order_of_time_and_then_as_they_were_put_in() {
        let mut queue = Queue::new(UnixMillis::new(1_000));
        let times = [
            5_000, 1_000, 90_000, 5_000, 1_000_000, 999, 34_000, 40_000, 90_000,
        ];
        for (number, at) in times.into_iter().enumerate() {
            queue.push(UnixMillis::new(at), (at.max(1_000), number));
        }
        let mut expected: Vec<_> = times
            .into_iter()
            .enumerate()
            .map(|(number, at)| (at.max(1_000), number))
            .collect();
        expected.sort_unstable();
        assert_eq!(queue.pop(UnixMillis::new(999)), None);
        for (at, number) in expected {
            assert_eq!(
                queue.pop(UnixMillis::new(2_000_000)),
                Some((UnixMillis::new(at), (at, number)))
            );
        }
        assert_eq!(queue.pop(UnixMillis::new(2_000_000)), None);
        queue.push(UnixMillis::new(0), (7, 7));
        assert!(queue.pop(UnixMillis::new(3_000_000)).is_some());
    }
}
