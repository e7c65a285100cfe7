//! Votes that one channel tells more than once.
//!
//! Full nodes pass on each other's votes, so one vote comes over many channels, but over the same
//! channel again it is of no use. The newest [`TOLD`] votes are remembered by their signatures for
//! [`TOLD_MS`]; older ones count as new again.

use nano_core::{UnixMillis, Vote};

use crate::recent::Recent;

/// Votes remembered of one channel.
const TOLD: usize = 1_024;
/// For how long, milliseconds.
const TOLD_MS: u64 = 60_000;

/// What one channel has told.
#[derive(Debug)]
pub(super) struct Repeats(Recent<[u8; 64], ()>);

impl Repeats {
    /// Nothing so far.
    pub(super) const fn new() -> Self {
        Self(Recent::new(TOLD, TOLD_MS))
    }

    /// Notes a vote; whether it is told again.
    pub(super) fn is_repeated(&mut self, vote: &Vote, now: UnixMillis) -> bool {
        let signature = vote.signature.as_bytes();
        let repeated = self.0.get(signature, now).is_some();
        if !repeated {
            self.0.put(*signature, (), now);
        }
        repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{BlockHash, PrivateKey, VoteTimestamp};

    #[test]
    fn a_vote_is_repeated_within_a_minute_and_another_list_is_another_vote() {
        let key = PrivateKey::from_bytes([1; 32]);
        let vote = |number| {
            let hashes = vec![BlockHash::from_bytes([number; 32])];
            Vote::sign(&key, VoteTimestamp::FINAL, hashes)
        };
        let mut repeats = Repeats::new();
        assert!(!repeats.is_repeated(&vote(1), UnixMillis(0)));
        assert!(!repeats.is_repeated(&vote(2), UnixMillis(0)));
        assert!(repeats.is_repeated(&vote(1), UnixMillis(TOLD_MS - 1)));
        assert!(!repeats.is_repeated(&vote(1), UnixMillis(TOLD_MS)));
    }
}
