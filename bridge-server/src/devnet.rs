//! The `devnet` command: a development full node by itself, or a network of several.

use std::net::{Ipv4Addr, SocketAddr};

use dev_node::{DevNode, DevNodeConfig, DevNodeError};

use crate::cli::DevnetOptions;

/// Starts the nodes, at least one; they listen on loopback only.
///
/// # Errors
/// When a ledger or a port cannot be opened.
pub async fn start(options: &DevnetOptions) -> Result<Vec<DevNode>, DevNodeError> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let config = DevNodeConfig {
        data: options.data.clone(),
        peering: at(options.peering_port),
        rpc: at(options.rpc_port),
        websocket: at(options.websocket_port),
        dialect: options.dialect,
        accounts: options.accounts,
        ..DevNodeConfig::default()
    };
    match options.nodes {
        Some(nodes) => dev_node::start_network(&config, usize::from(nodes)).await,
        None => Ok(vec![DevNode::start(config).await?]),
    }
}

/// The ready line for programs: addresses as `host:port`, of the first node; those of all nodes
/// under `nodes` where there are several.
#[must_use]
pub fn ready(nodes: &[DevNode]) -> serde_json::Value {
    let mut rows = nodes.iter().map(addresses);
    let Some(mut ready) = rows.next() else {
        return serde_json::json!({ "ready": false });
    };
    if nodes.len() > 1 {
        ready["nodes"] = nodes.iter().map(addresses).collect();
    }
    ready
}

fn addresses(node: &DevNode) -> serde_json::Value {
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
pub fn greeting(nodes: &[DevNode]) -> String {
    let mut text =
        "A development Nano network is running. Its money is worth nothing.\n".to_owned();
    for node in nodes {
        text.push_str(&format!(
            "peers      {}\nRPC        http://{}\nWebSocket  ws://{}\n",
            node.peering_addr(),
            node.rpc_addr(),
            node.websocket_addr(),
        ));
    }
    if let Some(node) = nodes.first() {
        text.push_str(&format!("faucet     {}\n", node.faucet_account()));
    }
    text.push_str("Ctrl-C stops it.");
    text
}
