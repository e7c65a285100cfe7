//! The weight table in force, where it comes from, and how it is kept fresh.
//!
//! The table decides which proofs hold, so its source is narrow: the live network has the table
//! compiled in and nothing that one bridge hears can change it. Only on the dev network may one
//! full node's word (`--rpc`, or the development node inside) set weights.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nano_core::{Account, Network, Raw, WeightTable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::clock;
use crate::config::RpcUrl;

/// Pause between two refreshes from RPC.
const REFRESH: Duration = Duration::from_secs(10);
/// Longest wait for the first table.
const FIRST: Duration = Duration::from_secs(15);
/// An unchanged table is dated anew after this long, milliseconds.
const REDATE_MS: u64 = 60_000;
/// Longest answer of the RPC in bytes: 4,096 representatives are far below.
const MAX_REPLY_BYTES: usize = 2 * 1024 * 1024;
/// Largest weight file in bytes.
const MAX_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// Why there is no weight table.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file could not be read.
    #[error("cannot read the weight table {path}: {source}; check --weights")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no weight table.
    #[error("{path} is not a weight table: {reason}; it should look like a bridge's /v1/weights")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The table is of another network.
    #[error(
        "the weight table is for {found}, this bridge is for {wanted}; give the right --weights or --network"
    )]
    WrongNetwork {
        /// The table's.
        found: Network,
        /// The bridge's.
        wanted: Network,
    },
    /// The RPC gave none.
    #[error(
        "no weights from the full node's RPC at {url}: {reason}; check --rpc and that the node runs"
    )]
    Rpc {
        /// Where.
        url: String,
        /// What went wrong last.
        reason: String,
    },
}

/// The table in force; cloning shares it.
#[derive(Clone, Debug)]
pub struct Weights {
    table: watch::Sender<Arc<WeightTable>>,
    source: &'static str,
}

impl Weights {
    /// A table from `source`, a word shown at `/v1/info`.
    #[must_use]
    pub fn new(table: WeightTable, source: &'static str) -> Self {
        Self {
            table: watch::Sender::new(Arc::new(table)),
            source,
        }
    }

    /// The table in force.
    #[must_use]
    pub fn current(&self) -> Arc<WeightTable> {
        Arc::clone(&self.table.borrow())
    }

    /// Where it comes from: `live-snapshot`, `file`, `rpc` or `embedded`.
    #[must_use]
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Tells of each new table.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<Arc<WeightTable>> {
        self.table.subscribe()
    }

    /// Takes a new table unless it says the same and the old date is recent.
    fn offer(&self, fresh: WeightTable) {
        self.table.send_if_modified(|held| {
            let same = held.weights == fresh.weights
                && held.online_weight == fresh.online_weight
                && held.minimum == fresh.minimum;
            if same && fresh.as_of.since(held.as_of) < REDATE_MS {
                return false;
            }
            *held = Arc::new(fresh);
            true
        });
    }
}

/// Reads a table from a JSON file.
///
/// # Errors
/// When it cannot be read, is malformed, or is another network's.
pub fn from_file(path: PathBuf, network: Network) -> Result<WeightTable, WeightsError> {
    let read = |source| WeightsError::Read {
        path: path.clone(),
        source,
    };
    let malformed = |reason| WeightsError::Malformed {
        path: path.clone(),
        reason,
    };
    let size = std::fs::metadata(&path).map_err(read)?.len();
    if size > MAX_FILE_BYTES {
        return Err(malformed(format!(
            "it has {size} bytes, at most {MAX_FILE_BYTES} are read"
        )));
    }
    let text = std::fs::read_to_string(&path).map_err(read)?;
    let table: WeightTable =
        serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    if table.network != network {
        return Err(WeightsError::WrongNetwork {
            found: table.network,
            wanted: network,
        });
    }
    Ok(table)
}

/// Asks a full node's RPC until it gives a table, at most 15 seconds.
///
/// # Errors
/// The last failure.
pub async fn first_from_rpc(url: &RpcUrl) -> Result<WeightTable, WeightsError> {
    let deadline = Instant::now() + FIRST;
    let mut reason = "no answer in time".to_owned();
    loop {
        match timeout_at(deadline, ask(url)).await {
            Ok(Ok(table)) => return Ok(table),
            Ok(Err(error)) => reason = error,
            Err(_) => {
                return Err(WeightsError::Rpc {
                    url: url.0.clone(),
                    reason,
                });
            }
        }
        if timeout_at(deadline, sleep(Duration::from_millis(200)))
            .await
            .is_err()
        {
            return Err(WeightsError::Rpc {
                url: url.0.clone(),
                reason,
            });
        }
    }
}

/// Keeps `weights` fresh from a dev network's RPC. Ends only by being dropped.
pub async fn refresh_forever(weights: Weights, url: RpcUrl) {
    loop {
        sleep(REFRESH).await;
        match ask(&url).await {
            Ok(table) => weights.offer(table),
            Err(reason) => tracing::warn!(url = url.0, reason, "weights were not refreshed"),
        }
    }
}

#[derive(Deserialize)]
struct Representatives {
    representatives: BTreeMap<Account, Raw>,
}

#[derive(Deserialize)]
struct Quorum {
    online_stake_total: Raw,
    #[serde(default)]
    trended_stake_total: Raw,
    online_weight_minimum: Raw,
}

/// One table out of the RPC's two answers. Errors are texts for the log.
async fn ask(url: &RpcUrl) -> Result<WeightTable, String> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| error.to_string())?;
    let listed: Representatives = call(
        &client,
        url,
        &serde_json::json!({
            "action": "representatives", "count": WeightTable::MAX_ENTRIES, "sorting": true,
        }),
    )
    .await?;
    let quorum: Quorum = call(
        &client,
        url,
        &serde_json::json!({ "action": "confirmation_quorum" }),
    )
    .await?;
    let weights: BTreeMap<_, _> = listed
        .representatives
        .into_iter()
        .filter(|(_, weight)| *weight > Raw::ZERO)
        .collect();
    Ok(WeightTable {
        network: Network::Dev,
        as_of: clock::now(),
        online_weight: quorum.online_stake_total.max(quorum.trended_stake_total),
        minimum: quorum.online_weight_minimum,
        weights,
    })
}

async fn call<T: DeserializeOwned>(
    client: &reqwest::Client,
    url: &RpcUrl,
    request: &serde_json::Value,
) -> Result<T, String> {
    let mut response = client
        .post(&url.0)
        .json(request)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
        if body.len() + chunk.len() > MAX_REPLY_BYTES {
            return Err(format!("the answer is longer than {MAX_REPLY_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    let value: serde_json::Value =
        serde_json::from_slice(&body).map_err(|error| format!("not JSON: {error}"))?;
    if let Some(error) = value.get("error") {
        return Err(format!("the node says {error}"));
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::UnixMillis;

    fn table(weight: u128, at: u64) -> WeightTable {
        WeightTable {
            network: Network::Dev,
            as_of: UnixMillis(at),
            online_weight: Raw::ZERO,
            minimum: Raw::new(1),
            weights: BTreeMap::from([(Account::from_bytes([1; 32]), Raw::new(weight))]),
        }
    }

    #[test]
    fn an_unchanged_table_is_not_announced_again_until_its_date_is_old() {
        let weights = Weights::new(table(5, 1_000), "file");
        let changes = weights.changes();
        weights.offer(table(5, 2_000));
        assert!(!changes.has_changed().unwrap());
        weights.offer(table(5, 1_000 + REDATE_MS));
        assert!(changes.has_changed().unwrap());
        weights.offer(table(6, 1_001 + REDATE_MS));
        assert_eq!(
            weights.current().weights.values().next(),
            Some(&Raw::new(6))
        );
    }

    #[test]
    fn a_table_of_another_network_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.json");
        std::fs::write(&path, serde_json::to_string(&table(5, 1)).unwrap()).unwrap();
        assert!(from_file(path.clone(), Network::Dev).is_ok());
        let message = from_file(path.clone(), Network::Live)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("live") && message.contains("dev"),
            "{message}"
        );
        std::fs::write(&path, "{").unwrap();
        assert!(matches!(
            from_file(path, Network::Dev),
            Err(WeightsError::Malformed { .. })
        ));
    }
}
