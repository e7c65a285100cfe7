//! What another bridge and the own database say, for [`crate::decoders`].

use nanonet::{Identity, NodeKey, Rng};

use super::{Outcome, Progress, Share, Step, Walk, others};
use crate::ask::Listing;
use crate::clock;

/// Steps of a walk that goes on from a stored progress.
const STEPS: usize = 16;

/// Another bridge's `/v1/info`. Accepted if it names a key and a pace.
#[must_use]
pub fn bridge_info(bytes: &[u8]) -> bool {
    let Some((key, _)) = others::read(bytes) else {
        return false;
    };
    assert_eq!(key.to_string().parse::<NodeKey>().ok(), Some(key));
    true
}

/// A stored progress of a backfill. Accepted if it can be read; a walk goes on from whatever it is.
#[must_use]
pub fn backfill_progress(bytes: &[u8]) -> bool {
    let progress = Progress::from_bytes(bytes);
    assert_eq!(
        Progress::read(&progress.to_bytes()).as_ref(),
        Some(&progress)
    );
    let own = Identity::generate(&mut Rng::from_seed([1; 32])).node_key();
    let mut now = clock::now();
    let mut walk = Walk::new(Share::of(&own, &[]), 1_000, progress, now);
    for _ in 0..STEPS {
        match walk.next(now) {
            Step::List(start) => {
                let is_last = true;
                let rows = Vec::new();
                walk.listed(start, &Listing { rows, is_last }, now);
            }
            Step::Prove(batch) => {
                let outcomes = batch.into_iter().map(|one| (one, Outcome::Kept));
                walk.tried(&outcomes.collect::<Vec<_>>(), now);
            }
            Step::Wait(until) => {
                assert!(until > now, "it would wait for the past");
                now = until;
            }
        }
        assert!(walk.coverage_ppm() <= 1_000_000 && walk.passed_ppm() <= 1_000_000);
    }
    Progress::read(bytes).is_some()
}
