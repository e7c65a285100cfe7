//! What a bridge costs the full nodes it asks, and how fast it makes proofs: a bridge and 16
//! development nodes with one voting representative each, over real sockets in one process.
//! Prints one JSON object of figures.

mod network;
mod parsing;
mod proving;

use std::error::Error;

use bridge_server::cli::RunOptions;
use bridge_server::config::Config;
use bridge_server::run::Bridge;
use serde_json::json;

/// Accounts that are asked for once, never seen before.
const COLD: u32 = 1_000;
/// Accounts asked for one at a time, nobody else asking.
const SINGLE: u32 = 21;
/// Accounts that send in the live stream, each to one that is opened with it.
const LIVE: u32 = 200;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let messages_per_s = parsing::messages_per_s()?;
    let figures = tokio::runtime::Runtime::new()?.block_on(measure())?;
    let mut all = json!({ "messages-per-s": messages_per_s });
    if let (Some(all), Some(more)) = (all.as_object_mut(), figures.as_object()) {
        all.extend(more.clone());
    }
    println!("{all}");
    Ok(())
}

async fn measure() -> Outcome<serde_json::Value> {
    let nodes = network::start(COLD + SINGLE).await?;
    let first = nodes.first().ok_or("no node started")?;
    let options = RunOptions {
        listen: Some("127.0.0.1:0".parse()?),
        peer: nodes
            .iter()
            .map(|node| node.peering_addr().to_string())
            .collect(),
        rpc: Some(format!("http://{}", first.rpc_addr())),
        ..RunOptions::default()
    };
    let bridge = Bridge::start(Config::resolve(options)?).await?;
    let mut changes = bridge.full_nodes().changes();
    while bridge.full_nodes().channels().len() < nodes.len()
        || bridge.full_nodes().reachable_weight() < bridge.weights().current().total()
    {
        changes.changed().await?;
    }
    let single = proving::single(&bridge, COLD..COLD + SINGLE).await?;
    let cold = proving::cold(&bridge, COLD).await?;
    let live = proving::live(&bridge, first, 0..LIVE).await?;
    bridge.stop().await;
    for node in nodes {
        node.stop().await;
    }
    Ok(json!({
        "proofs-per-s": cold.per_second,
        "requests-per-cold-proof": cold.messages_each,
        "requests-per-live-proof": live,
        "single-cold-ms": single.milliseconds,
        "single-cold-messages": single.messages,
        "proof-bytes": cold.bytes_median,
        "proof-bytes-p95": cold.bytes_p95,
    }))
}
