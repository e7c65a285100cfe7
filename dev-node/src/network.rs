//! A network of several development nodes in one process, each on a loopback address of its own
//! (127.0.0.2, 127.0.0.3, …), with the voting weight split among them.
//!
//! Each representative is hosted by one node only. From [`SAFE_NODES`] nodes on none of them hosts
//! 30 % of the weight, so the others decide without any one of them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nano_core::PrivateKey;

use crate::distribution::REPRESENTATIVE_MILLIONS;
use crate::{DevKeys, DevNode, DevNodeConfig, DevNodeError};

/// From so many nodes on the network survives the loss of any one.
pub const SAFE_NODES: usize = 4;
/// Most nodes: one for each representative.
pub const MAX_NODES: usize = DevKeys::REPRESENTATIVES as usize;
/// Last number of the first node's address.
const FIRST_ADDRESS: u8 = 2;

/// Which representatives each of `nodes` nodes hosts, by index; heaviest first, each to the node
/// that has the least so far. `nodes` is taken as at least 1 and at most [`MAX_NODES`].
#[must_use]
pub fn split_representatives(nodes: usize) -> Vec<Vec<u32>> {
    let mut parts = vec![(0_u128, Vec::new()); nodes.clamp(1, MAX_NODES)];
    for (index, millions) in (0..).zip(REPRESENTATIVE_MILLIONS) {
        if let Some((weight, part)) = parts.iter_mut().min_by_key(|(weight, _)| *weight) {
            *weight += millions;
            part.push(index);
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}

/// The configuration of node `place` out of `nodes`: as `base`, with its address, its folder
/// (`node-<place>` in that of `base`) and its representatives. Ports stay: all nodes may have the
/// same, on different addresses.
#[must_use]
pub fn node_config(base: &DevNodeConfig, place: u8, nodes: usize) -> DevNodeConfig {
    let own = Ipv4Addr::new(127, 0, 0, FIRST_ADDRESS.saturating_add(place));
    let at = |address: SocketAddr| SocketAddr::new(IpAddr::V4(own), address.port());
    let parts = split_representatives(nodes);
    let hosted = parts.get(usize::from(place)).into_iter().flatten();
    DevNodeConfig {
        data: base
            .data
            .as_ref()
            .map(|folder| folder.join(format!("node-{place}"))),
        peering: at(base.peering),
        rpc: at(base.rpc),
        websocket: at(base.websocket),
        representatives: hosted
            .map(|index| DevKeys::representative(*index))
            .collect::<Vec<PrivateKey>>(),
        ..base.clone()
    }
}

/// Starts `nodes` nodes (at least 1, at most [`MAX_NODES`]); each connects to those before it, and
/// they tell each other of the rest.
///
/// # Errors
/// [`DevNodeError`] of the first node that does not start; those before it are ended.
pub async fn start_network(
    base: &DevNodeConfig,
    nodes: usize,
) -> Result<Vec<DevNode>, DevNodeError> {
    let count = nodes.clamp(1, MAX_NODES);
    let mut started: Vec<DevNode> = Vec::with_capacity(count);
    for place in (0..u8::MAX).take(count) {
        let mut config = node_config(base, place, count);
        config
            .peers
            .extend(started.iter().map(DevNode::peering_addr));
        started.push(DevNode::start(config).await?);
    }
    Ok(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_representative_votes_at_one_node_and_none_has_thirty_percent() {
        let total: u128 = REPRESENTATIVE_MILLIONS.iter().sum();
        for nodes in SAFE_NODES..=MAX_NODES {
            let parts = split_representatives(nodes);
            assert_eq!(parts.len(), nodes);
            let mut all: Vec<u32> = parts.concat();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..DevKeys::REPRESENTATIVES));
            for part in parts {
                let weight: u128 = part
                    .iter()
                    .map(|index| REPRESENTATIVE_MILLIONS[*index as usize])
                    .sum();
                assert!(weight * 100 < total * 30, "{weight} of {total}");
            }
        }
    }

    #[test]
    fn nodes_differ_in_address_folder_and_representatives() {
        let base = DevNodeConfig {
            data: Some("folder".into()),
            ..DevNodeConfig::default()
        };
        let (one, other) = (node_config(&base, 0, 5), node_config(&base, 4, 5));
        assert_eq!(one.peering.ip(), Ipv4Addr::new(127, 0, 0, 2));
        assert_eq!(other.rpc.ip(), Ipv4Addr::new(127, 0, 0, 6));
        assert_eq!(other.data, Some("folder/node-4".into()));
        assert_ne!(
            one.representatives[0].account(),
            other.representatives[0].account()
        );
    }
}
