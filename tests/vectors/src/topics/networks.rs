//! Constants of the networks.

use std::collections::BTreeMap;

use nano_core::message::{MIN_PROTOCOL_VERSION, PROTOCOL_VERSION};
use nano_core::{
    Account, Block, BlockHash, Difficulty, Epoch, Link, Network, PrivateKey, PublicKey, Raw,
    dev_genesis_private_key,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    protocol_version: u8,
    protocol_version_min: u8,
    genesis_amount: Raw,
    epoch_links: EpochLinks,
    networks: BTreeMap<Network, Constants>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EpochLinks {
    v1: Link,
    v2: Link,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Constants {
    id: String,
    peering_port: u16,
    rpc_port: u16,
    /// Nothing here speaks the full node's local sockets.
    #[serde(rename = "ipc_port")]
    _ipc_port: IgnoredAny,
    websocket_port: u16,
    genesis_account: Account,
    genesis_public_key: PublicKey,
    genesis_hash: BlockHash,
    genesis_block: Block,
    epoch_1_signer: PublicKey,
    epoch_2_signer: PublicKey,
    work_thresholds: Thresholds,
    preconfigured_peer: Option<String>,
    genesis_private_key: Option<String>,
}

/// Thresholds as the data names them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    epoch_1: Difficulty,
    epoch_2: Difficulty,
    epoch_2_receive: Difficulty,
}

impl Thresholds {
    pub(super) fn check(&self, checks: &mut Checks, network: Network) {
        let thresholds = network.work_thresholds();
        checks.equal("epoch 1", thresholds.epoch_1, self.epoch_1);
        checks.equal("epoch 2 send", thresholds.epoch_2_send, self.epoch_2);
        let receive = thresholds.epoch_2_receive;
        checks.equal("epoch 2 receive", receive, self.epoch_2_receive);
    }
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    checks.equal("protocol version", PROTOCOL_VERSION, data.protocol_version);
    let least = data.protocol_version_min;
    checks.equal("least version", MIN_PROTOCOL_VERSION, least);
    checks.equal("genesis amount", Raw::MAX, data.genesis_amount);
    checks.equal("epoch 1 link", Epoch::One.link(), data.epoch_links.v1);
    checks.equal("epoch 2 link", Epoch::Two.link(), data.epoch_links.v2);
    let networks: Vec<_> = data.networks.into_iter().collect();
    checks.equal("networks", networks.len(), Network::ALL.len());
    checks.rows("networks", &networks, |checks, (network, row)| {
        let network = *network;
        checks.equal("id", hex::encode(network.id()), row.id.clone());
        checks.equal("peering port", network.peering_port(), row.peering_port);
        checks.equal("RPC port", network.rpc_port(), row.rpc_port);
        let websocket = network.websocket_port();
        checks.equal("WebSocket port", websocket, row.websocket_port);
        let account = network.genesis_account();
        checks.equal("genesis account", account, row.genesis_account);
        let key = account.public_key();
        checks.equal("genesis key", key, row.genesis_public_key);
        checks.equal("genesis hash", network.genesis_hash(), row.genesis_hash);
        checks.equal("genesis block", network.genesis_block(), row.genesis_block);
        let block = row.genesis_block;
        checks.equal("hash of genesis block", block.hash(), row.genesis_hash);
        checks.equal("genesis signature", block.verify(&key), Ok(()));
        let signers = Epoch::ALL.map(|epoch| network.epoch_signer(epoch));
        let recorded = [row.epoch_1_signer, row.epoch_2_signer];
        checks.equal("epoch signers", signers, recorded);
        row.work_thresholds.check(checks, network);
        let peer = network.preconfigured_peer();
        checks.equal("peer", peer, row.preconfigured_peer.as_deref());
        let private_key = row.genesis_private_key.as_deref();
        checks.equal(
            "public private key",
            private_key.is_some(),
            network == Network::Dev,
        );
        let private_key = private_key.and_then(|text| checks.ok("key", PrivateKey::from_hex(text)));
        if let Some(key) = private_key {
            let ours = dev_genesis_private_key();
            checks.equal("dev key", ours.secret_bytes(), key.secret_bytes());
        }
    });
    Ok(())
}
