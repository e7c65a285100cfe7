//! The recorded chain of a full node, put into a node of ours.

use dev_node::{DevKeys, DevNode, DevNodeConfig, Dialect, Distribution};
use nano_core::{Block, BlockHash, Network, Raw, StateBlock};

use super::{DEADLINE, recorded, work};

/// The recording begins after one send that is not among its blocks; its hash shows that it is it.
pub(crate) fn first_send() -> Block {
    let destination: nano_core::Account =
        "nano_1ekejdcnm759p7g96rqkg3szb78zbxbg993syuyt8ogkpwgw89x1e4kk16k1"
            .parse()
            .unwrap();
    let genesis = Network::Dev.genesis_account();
    let block = StateBlock::unsigned(
        genesis,
        Network::Dev.genesis_hash(),
        genesis,
        Raw::MAX.checked_sub(Raw::NANO).unwrap(),
        destination.into(),
    );
    let nonce = work(&block.root());
    Block::State(block.sign(&DevKeys::genesis()).with_work(nonce))
}

/// The recorded blocks with their rows, in order.
pub(crate) fn blocks() -> Vec<(serde_json::Value, Block)> {
    let serde_json::Value::Array(rows) = recorded("blocks/blocks.json") else {
        panic!("blocks.json is no array");
    };
    rows.into_iter()
        .filter(|row| row["name"].as_str().unwrap().starts_with("dev: "))
        .map(|row| {
            let block = Block::from_json(&row["block"]).unwrap();
            (row, block)
        })
        .collect()
}

/// A node that talks like the recorded one, whose only representative is the genesis account, with
/// all recorded blocks confirmed.
pub(crate) async fn node() -> DevNode {
    node_talking(Dialect::Rs).await
}

/// The same in another dialect.
pub(crate) async fn node_talking(dialect: Dialect) -> DevNode {
    let node = DevNode::start(DevNodeConfig {
        representatives: vec![DevKeys::genesis()],
        distribution: Distribution::GenesisOnly,
        dialect,
        ..DevNodeConfig::default()
    })
    .await
    .unwrap();
    let mut accepted: Vec<BlockHash> = vec![node.process(first_send()).unwrap()];
    for (row, block) in blocks() {
        let result = node.process(block);
        let is_accepted = row["node_process_result"]["hash"].is_string();
        assert_eq!(result.is_ok(), is_accepted, "{}", row["name"]);
        accepted.extend(result);
    }
    for hash in accepted {
        assert!(node.wait_confirmed(hash, DEADLINE).await);
    }
    node
}
