//! Sixteen development nodes, one voting representative and one loopback address each, with one
//! ledger.

use std::net::{Ipv4Addr, SocketAddr};

use dev_node::{DevKeys, DevNode, DevNodeConfig};
use nano_core::{PrivateKey, Raw};

use crate::Outcome;

/// Channels of the bridge that vote.
pub(crate) const NODES: u32 = 16;
/// What each representative beyond the standard twelve gets, in nano.
const WEIGHT_NANO: u128 = 500_000;

/// Key of representative `index` of the network.
fn representative(index: u32) -> PrivateKey {
    if index < DevKeys::REPRESENTATIVES {
        DevKeys::representative(index)
    } else {
        PrivateKey::from_bytes([0xB0 | u8::try_from(index).unwrap_or(u8::MAX); 32])
    }
}

/// Starts the network with `accounts` holders in its ledger.
pub(crate) async fn start(accounts: u32) -> Outcome<Vec<DevNode>> {
    let mut nodes: Vec<DevNode> = Vec::new();
    for index in 0..NODES {
        let own = Ipv4Addr::new(127, 0, 0, 2 + u8::try_from(index)?);
        let config = DevNodeConfig {
            peering: SocketAddr::new(own.into(), 0),
            representatives: vec![representative(index)],
            peers: nodes.iter().map(DevNode::peering_addr).collect(),
            accounts,
            ..DevNodeConfig::default()
        };
        nodes.push(DevNode::start(config).await?);
    }
    let first = nodes.first().ok_or("no node started")?;
    let amount = Raw::new(WEIGHT_NANO * Raw::NANO.number());
    for index in DevKeys::REPRESENTATIVES..NODES {
        let key = representative(index);
        let send = first
            .wallet(DevKeys::genesis())
            .send(key.account(), amount)
            .await?;
        first.wallet(key).receive(send, None).await?;
    }
    Ok(nodes)
}
