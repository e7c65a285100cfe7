//! Which full nodes a block is published to.
//!
//! Votes come from principal representatives (0.1 % of the weight or more), so every channel that
//! leads to one is used. Besides them a few others, [`FAN_OUT`] or the square root of their number
//! if that is more, so that the block also spreads from nodes that do not vote; to all of them would
//! only be the same bytes again.

use nano_core::{Block, WeightTable};

use crate::full_node::FullNodes;

/// Channels without a principal representative that are used at least.
pub const FAN_OUT: usize = 4;
/// A representative with this part of the weight is a principal one.
const PRINCIPAL_PART: u128 = 1_000;

/// Publishes a block; gives back to how many full nodes.
pub(super) fn publish(full_nodes: &FullNodes, weights: &WeightTable, block: Block) -> u16 {
    let least = weights.total().number() / PRINCIPAL_PART;
    let (principal, mut others): (Vec<_>, Vec<_>) =
        full_nodes.channels().into_iter().partition(|channel| {
            let representatives = channel.representatives();
            let mut weight = representatives.iter().map(|who| weights.weight_of(who));
            weight.any(|weight| weight.number() >= least.max(1))
        });
    others.truncate(fan_out(others.len()));
    let all = principal.iter().chain(&others);
    let sent = all.filter(|channel| channel.publish(block).is_ok()).count();
    u16::try_from(sent).unwrap_or(u16::MAX)
}

/// How many of `count` channels without a principal representative are used.
const fn fan_out(count: usize) -> usize {
    let root = count.isqrt();
    if root > FAN_OUT { root } else { FAN_OUT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fan_out_grows_slower_than_the_channels() {
        assert_eq!(fan_out(0), FAN_OUT);
        assert_eq!(fan_out(16), 4);
        assert_eq!(fan_out(100), 10);
    }
}
