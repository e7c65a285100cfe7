//! How well nodes relay: moving estimates of reliability and latency.
//!
//! *Reliability* of a node goes up by a quarter of what is missing to 1,000 when something sent over it was
//! confirmed, and down by a third when it was not. Memory: [`MAX_RANKED`] nodes; beyond, one that was
//! seen longest ago goes.

use nano_core::UnixMillis;

use crate::NodeId;
use crate::sorted::SortedMap;

/// Most nodes remembered.
const MAX_RANKED: usize = 256;
/// What a node is taken for of which nothing is known, of 1,000.
pub(crate) const UNKNOWN: u16 = 600;
/// Below this a node is not used while there are others.
pub(crate) const POOR: u16 = 450;

/// What is known of a node as a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rank {
    /// Of 1,000.
    pub(crate) reliability: u16,
    /// Of a way of which it is one hop, per hop, in milliseconds; 0: not measured.
    pub(crate) latency_ms: u32,
    /// When it was last seen to relay, or not to.
    pub(crate) at: UnixMillis,
    /// Whether it ever did.
    pub(crate) proven: bool,
}

impl Rank {
    const NONE: Self = Self {
        reliability: UNKNOWN,
        latency_ms: 0,
        at: UnixMillis(0),
        proven: false,
    };
}

/// What is known of relays.
#[derive(Debug, Default)]
pub(crate) struct Ranks(SortedMap<NodeId, Rank>);

impl Ranks {
    /// What is known of one.
    pub(crate) fn of(&self, id: &NodeId) -> Rank {
        self.0.get(id).copied().unwrap_or(Rank::NONE)
    }

    /// How many are known to relay.
    pub(crate) fn proven(&self) -> usize {
        let good = |rank: &&Rank| rank.proven && rank.reliability > POOR;
        self.0.values().filter(good).count()
    }

    /// What was sent over these nodes was confirmed after `millis`, of which each took its share.
    pub(crate) fn good(&mut self, now: UnixMillis, ids: &[NodeId], millis: u64) {
        let share = millis / (ids.len() as u64 + 1);
        let share = u32::try_from(share).unwrap_or(u32::MAX).max(1);
        for id in ids {
            let rank = self.entry(now, id);
            rank.reliability += (1_000 - rank.reliability) / 4;
            rank.proven = true;
            rank.latency_ms = match rank.latency_ms {
                0 => share,
                before => before - before / 4 + share / 4,
            };
        }
    }

    /// What was sent over these nodes was not confirmed.
    pub(crate) fn bad(&mut self, now: UnixMillis, ids: &[NodeId]) {
        for id in ids {
            let rank = self.entry(now, id);
            rank.reliability -= rank.reliability / 3;
        }
    }

    fn entry(&mut self, now: UnixMillis, id: &NodeId) -> &mut Rank {
        if self.0.len() >= MAX_RANKED && self.0.get(id).is_none() {
            let oldest = self.0.iter().min_by_key(|(_, rank)| rank.at);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.0.remove(&oldest);
            }
        }
        let rank = self.0.get_or_insert_with(*id, || Rank::NONE);
        rank.at = now;
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> NodeId {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        NodeId::from_bytes(bytes)
    }

    #[test]
    fn a_node_that_drops_falls_below_one_nobody_knows_and_recovers() {
        let mut ranks = Ranks::default();
        let now = UnixMillis(1);
        ranks.bad(now, &[id(1)]);
        assert!(ranks.of(&id(1)).reliability < POOR);
        assert_eq!(ranks.of(&id(2)).reliability, UNKNOWN);
        for _ in 0..3 {
            ranks.good(now, &[id(1)], 200);
        }
        let rank = ranks.of(&id(1));
        assert!(rank.reliability > UNKNOWN && rank.proven);
        assert_eq!(rank.latency_ms, 100);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_goes() {
        let mut ranks = Ranks::default();
        for number in 0..300 {
            ranks.good(UnixMillis(u64::from(number)), &[id(number)], 1);
        }
        assert_eq!(ranks.proven(), MAX_RANKED);
        assert!(!ranks.of(&id(0)).proven && ranks.of(&id(299)).proven);
    }
}
