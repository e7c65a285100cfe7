//! The `devnet` command: a development full node by itself.

use std::net::{Ipv4Addr, SocketAddr};

use dev_node::{DevNode, DevNodeConfig, DevNodeError};

use crate::cli::DevnetOptions;

/// Starts the node; it listens on loopback only.
///
/// # Errors
/// When its ledger or a port cannot be opened.
pub async fn start(options: &DevnetOptions) -> Result<DevNode, DevNodeError> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    DevNode::start(DevNodeConfig {
        data: options.data.clone(),
        peering: at(options.peering_port),
        rpc: at(options.rpc_port),
        websocket: at(options.websocket_port),
        ..DevNodeConfig::default()
    })
    .await
}

/// The ready line for programs: addresses as `host:port`.
#[must_use]
pub fn ready(node: &DevNode) -> serde_json::Value {
    serde_json::json!({
        "ready": true,
        "peering": node.peering_addr().to_string(),
        "rpc": node.rpc_addr().to_string(),
        "websocket": node.websocket_addr().to_string(),
        "faucet": node.faucet_account().to_string(),
    })
}

/// The same for a person.
#[must_use]
pub fn greeting(node: &DevNode) -> String {
    format!(
        "A development Nano network is running. Its money is worth nothing.\n\
         peers      {}\nRPC        http://{}\nWebSocket  ws://{}\nfaucet     {}\n\
         Ctrl-C stops it.",
        node.peering_addr(),
        node.rpc_addr(),
        node.websocket_addr(),
        node.faucet_account(),
    )
}
