//! Pauses between attempts: doubling, capped, with jitter.

use nanonet::Rng;

/// The pause in milliseconds after `failures` failures in a row (1 = the first): `first` doubled
/// for each further one, at most `cap`, of that between half and all, at random, so that many
/// bridges that lost the same node do not return in the same instant.
pub(crate) fn pause((first, cap): (u64, u64), failures: u32, rng: &mut Rng) -> u64 {
    let doublings = failures.saturating_sub(1).min(32);
    let step = first.saturating_mul(1 << doublings).min(cap);
    let half = step / 2;
    let share = u32::try_from(step - half).unwrap_or(u32::MAX - 1);
    half + u64::from(rng.below(share + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_the_cap_and_keep_between_half_and_all() {
        let mut rng = Rng::from_seed([1; 32]);
        for (failures, step) in [(1, 100), (2, 200), (3, 400), (4, 800), (5, 800), (99, 800)] {
            let all: Vec<_> = (0..64)
                .map(|_| pause((100, 800), failures, &mut rng))
                .collect();
            assert!(all.iter().all(|p| (step / 2..=step).contains(p)), "{all:?}");
            assert!(all.iter().any(|p| *p != all[0]), "no jitter");
        }
    }
}
