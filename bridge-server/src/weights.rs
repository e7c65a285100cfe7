//! The weight table in force, where it comes from, and how it is kept fresh.
//!
//! The table decides which proofs hold, so its source is narrow:
//! - live has the table compiled in; other networks a file, or on the dev network one full node's
//!   word (`--rpc`, or the development node inside), where nothing has worth;
//! - everywhere it is renewed by [`anchors`]: a majority of three or more bridges that the operator
//!   chose, by the rules of [`nanonet::weights`]. Otherwise the old one stays, and the log and
//!   `/metrics` say why;
//! - what the anchors renewed is stored, and after a restart the newest of that and of what is
//!   compiled in or given ([`newest`]) is held: the bound on how fast weights may move counts from
//!   it. A file that is newer than what is stored wins;
//! - what this bridge's own full node says is [`Own`]: its signed offer to others, never the table
//!   in force except on dev;
//! - `--online-weight-minimum` is the operator's alone.

pub mod anchors;
pub mod command;

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use nano_core::{Network, Raw, UnixMillis, WeightTable};
use nanonet::weights::from_one_bridge;
use nanonet::{Identity, SignedWeights};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::backoff::Backoff;
use crate::rpc::{Rpc, RpcError};

/// Source of a table: compiled in for the live network.
pub const LIVE_SNAPSHOT: &str = "live-snapshot";
/// Source of a table: none, where nothing is to be proven.
pub const NOWHERE: &str = "none";
/// Source of a table: a file that the operator gave.
pub const FILE: &str = "file";
/// Source of a table: a full node's RPC, on the dev network.
pub const RPC: &str = "rpc";
/// Source of a table: the development node inside.
pub const EMBEDDED: &str = "embedded";
/// Source of a table: what the anchors gave in an earlier run.
pub const STORED: &str = "stored";
/// Pause between two readings of the RPC on the dev network.
const REFRESH_DEV: Duration = Duration::from_secs(10);
/// The same elsewhere: weights move slowly.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// First pause after a reading that failed; they grow to the usual one.
const RETRY: Duration = Duration::from_secs(1);
/// Longest wait for the first table.
const FIRST: Duration = Duration::from_secs(15);
/// An unchanged table is dated anew after this long, milliseconds.
const REDATE_MS: u64 = 60_000;
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
    #[error("no weights: {0}")]
    Rpc(#[from] RpcError),
    /// The file could not be written.
    #[error("cannot write the weight table to {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The table in force; cloning shares it.
#[derive(Clone, Debug)]
pub struct Weights {
    table: watch::Sender<Arc<WeightTable>>,
    source: &'static str,
}

impl Weights {
    /// A table from `source`, a word shown at `/v1/info`; see the constants.
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

    /// Where the first one came from.
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

/// The newer of `table` and what an earlier run stored, and where it is from. What cannot be read
/// or is another network's is left, with a warning.
#[must_use]
pub fn newest(
    table: WeightTable,
    source: &'static str,
    stored: Option<&[u8]>,
) -> (WeightTable, &'static str) {
    let Some(stored) = stored else {
        return (table, source);
    };
    match WeightTable::from_bytes(stored) {
        Ok(stored) if stored.network != table.network => {
            tracing::warn!(
                "the stored weights are those of {}, this bridge is for {}: they are not used; give each network its own --data",
                stored.network,
                table.network
            );
            (table, source)
        }
        Ok(stored) if stored.as_of > table.as_of => (stored, STORED),
        Ok(_) => (table, source),
        Err(error) => {
            tracing::warn!(
                %error,
                "the stored weights are damaged: those from {source} are used until the anchors renew them"
            );
            (table, source)
        }
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
pub async fn first_from_rpc(
    rpc: &Rpc,
    network: Network,
    minimum: Option<Raw>,
) -> Result<WeightTable, WeightsError> {
    let deadline = Instant::now() + FIRST;
    loop {
        let error = match rpc.weight_table(network, minimum).await {
            Ok(table) => return Ok(table),
            Err(error) => error,
        };
        let again = timeout_at(deadline, sleep(Duration::from_millis(200))).await;
        if again.is_err() || !matches!(error, RpcError::Unreachable { .. }) {
            return Err(error.into());
        }
    }
}

/// What this bridge's own full node says, signed; cloning shares it. Empty without `--rpc`.
#[derive(Clone, Debug, Default)]
pub struct Own(Arc<RwLock<Option<Arc<SignedWeights>>>>);

impl Own {
    /// The newest statement.
    #[must_use]
    pub fn current(&self) -> Option<Arc<SignedWeights>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn put(&self, signed: SignedWeights) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(signed));
    }
}

/// What [`follow`] needs.
pub struct Following {
    /// Nano network.
    pub network: Network,
    /// The full node.
    pub rpc: Rpc,
    /// The operator's minimum.
    pub minimum: Option<Raw>,
    /// The table in force; set by the RPC on the dev network only.
    pub weights: Weights,
    /// The bridge's own statement.
    pub own: Own,
    /// Signs it.
    pub identity: Arc<Identity>,
}

/// Reads a full node's weights again and again. Ends only by being dropped.
pub async fn follow(parts: Following) {
    let pause = match parts.network {
        Network::Dev => REFRESH_DEV,
        Network::Live | Network::Beta | Network::Test => REFRESH,
    };
    let mut retries = Backoff::new(RETRY, pause);
    loop {
        let wait = match parts.rpc.weight_table(parts.network, parts.minimum).await {
            Ok(table) => {
                match SignedWeights::sign(&parts.identity, table.clone()) {
                    Ok(signed) => parts.own.put(signed),
                    Err(error) => tracing::warn!(%error, "the full node's weights are unusable"),
                }
                // A file, or the anchors, are what the operator wants instead.
                if [RPC, EMBEDDED].contains(&parts.weights.source())
                    && let Ok(table) = from_one_bridge(parts.network, table)
                {
                    parts.weights.offer(table);
                }
                retries.reset();
                pause
            }
            Err(error) => {
                tracing::warn!(%error, "weights were not read");
                retries.pause()
            }
        };
        sleep(wait).await;
    }
}

/// A table under which nothing is ever proven.
#[must_use]
pub fn none(network: Network) -> WeightTable {
    WeightTable {
        network,
        as_of: UnixMillis(0),
        online_weight: Raw::ZERO,
        minimum: Raw::new(u128::MAX),
        weights: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{Account, UnixMillis};
    use std::collections::BTreeMap;

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
        let weights = Weights::new(table(5, 1_000), FILE);
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
    fn the_newest_table_is_held_and_a_damaged_or_foreign_one_is_not() {
        let newest = |stored: &[u8]| {
            let (table, source) = newest(table(5, 1_000), FILE, Some(stored));
            (table.as_of.0, source)
        };
        let bytes = |at| table(6, at).to_bytes().unwrap();
        assert_eq!(newest(&bytes(1_001)), (1_001, STORED));
        assert_eq!(newest(&bytes(999)), (1_000, FILE));
        assert_eq!(newest(&bytes(1_001)[1..]), (1_000, FILE));
        assert_eq!(newest(&[]), (1_000, FILE));
        let foreign = WeightTable {
            network: Network::Beta,
            ..table(6, 1_001)
        };
        assert_eq!(newest(&foreign.to_bytes().unwrap()), (1_000, FILE));
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
