//! Which full nodes a block is published to.
//!
//! Every channel that leads to a principal representative is used: only their votes count (more
//! than 0.1 % of the online weight, or of its minimum if that is larger). Besides them a few
//! others, [`FAN_OUT`] or the square root of their number if that is more, so that the block also
//! spreads from nodes that do not vote; to all of them would only be the same bytes again. The
//! least busy are taken, drawn among those that are equally busy, so that a block published again
//! takes other ways.

use std::cmp::Reverse;

use nano_core::{Block, Raw, WeightTable};
use nanonet::Rng;

use crate::full_node::FullNodes;

/// Channels without a principal representative that are used at least.
pub const FAN_OUT: usize = 4;
/// A representative with more than this part of the online weight is a principal one.
const PRINCIPAL_PART: u128 = 1_000;

/// Publishes a block; gives back to how many full nodes.
pub(super) fn publish(
    full_nodes: &FullNodes,
    weights: &WeightTable,
    block: Block,
    rng: &mut Rng,
) -> u16 {
    let (principal, others): (Vec<_>, Vec<_>) =
        full_nodes.channels().into_iter().partition(|channel| {
            let representatives = channel.representatives();
            let mut weight = representatives.iter().map(|who| weights.weight_of(who));
            weight.any(|weight| is_principal(weight, weights))
        });
    let others = others
        .into_iter()
        .map(|channel| (channel.free_slots(), channel));
    let drawn = draw(others.collect(), rng);
    let all = principal.iter().chain(&drawn);
    let sent = all.filter(|channel| channel.publish(block).is_ok()).count();
    u16::try_from(sent).unwrap_or(u16::MAX)
}

fn is_principal(weight: Raw, weights: &WeightTable) -> bool {
    let online = weights.online_weight.max(weights.minimum);
    weight.number() > online.number() / PRINCIPAL_PART
}

/// As many as the fan-out is, of channels with their free slots.
fn draw<T>(channels: Vec<(usize, T)>, rng: &mut Rng) -> Vec<T> {
    let count = fan_out(channels.len());
    let mut drawn: Vec<_> = channels
        .into_iter()
        .map(|(free, channel)| (Reverse(free), rng.next_u64(), channel))
        .collect();
    drawn.sort_by_key(|(free, lot, _)| (*free, *lot));
    let drawn = drawn.into_iter().take(count);
    drawn.map(|(_, _, channel)| channel).collect()
}

/// How many of `count` channels without a principal representative are used.
const fn fan_out(count: usize) -> usize {
    let root = count.isqrt();
    if root > FAN_OUT { root } else { FAN_OUT }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use nano_core::{Network, UnixMillis};

    #[test]
    fn the_fan_out_grows_slower_than_the_channels() {
        assert_eq!(fan_out(0), FAN_OUT);
        assert_eq!(fan_out(16), 4);
        assert_eq!(fan_out(100), 10);
    }

    #[test]
    fn a_principal_representative_has_more_than_a_thousandth_of_the_online_weight_or_its_minimum() {
        let table = |online, minimum| WeightTable {
            network: Network::Dev,
            as_of: UnixMillis(0),
            online_weight: Raw::new(online),
            minimum: Raw::new(minimum),
            weights: BTreeMap::new(),
        };
        for weights in [table(90_000, 60_000), table(60_000, 90_000)] {
            assert!(!is_principal(Raw::new(90), &weights));
            assert!(is_principal(Raw::new(91), &weights));
        }
        // On a table of nothing, who weighs nothing is none.
        assert!(!is_principal(Raw::ZERO, &table(0, 0)));
    }

    #[test]
    fn every_equally_busy_channel_is_drawn_some_time_and_a_busier_one_only_when_needed() {
        let mut rng = Rng::from_seed([1; 32]);
        let busy = [(3, 100), (2, 101)];
        let idle = (0..10).map(|channel| (16, channel));
        let channels: Vec<_> = busy.into_iter().chain(idle).collect();
        let mut all = BTreeSet::new();
        for _ in 0..100 {
            let drawn = draw(channels.clone(), &mut rng);
            assert_eq!(drawn.len(), FAN_OUT);
            all.extend(drawn);
        }
        assert_eq!(all, (0..10).collect());
        assert_eq!(draw(busy.to_vec(), &mut rng), [100, 101]);
    }
}
