//! What the node trusts from the start: voting weights, and bridges whose statements count.
//!
//! On the live network the first weights are shipped and anchors are given by the person. Weights
//! are renewed only by what a majority of three or more anchors say ([`nanonet::weights`]), asked
//! for at the bridges' addresses; otherwise the old ones stay and the person is told why. The dev
//! network has no weights to ship: there alone one bridge may say them, and each bridge reached is
//! an anchor. Both are kept, so that a node that starts without a bridge can check what its slice
//! holds; anchors given by the person come first, whatever was kept.

use nano_core::{Network, UnixMillis, WeightTable};
use nanonet::weights::{MIN_ANCHORS, refresh};
use nanonet::{NodeKey, RefreshError, SignedWeights};
use serde::{Deserialize, Serialize};

use super::bridge_url::BridgeUrl;
use super::fetch::fetch;
use super::storage::Database;
use crate::fault::Fault;

/// Key of the kept trust in the database.
const KEY: &str = "trust";
/// Least milliseconds between two times that the anchors are asked for weights: six hours.
const RENEW_MS: u64 = 6 * 60 * 60 * 1000;

/// Most anchors of the dev network, where each new start of a bridge without its data is one.
const MOST_ANCHORS: usize = 16;

/// Weights and anchors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Trust {
    pub(super) anchors: Vec<NodeKey>,
    pub(super) weights: WeightTable,
    /// When the anchors were last asked.
    #[serde(skip)]
    asked_at: UnixMillis,
}

/// Where weights are from, as the status says it.
pub(super) const SHIPPED: &str = "shipped";
pub(super) const BRIDGE: &str = "bridge";
pub(super) const STORAGE: &str = "storage";
pub(super) const ANCHORS: &str = "anchors";

/// The parts of a bridge's `/v1/info` that matter here.
#[derive(Deserialize)]
struct Info {
    network: String,
    key: String,
}

impl Trust {
    const fn new(anchors: Vec<NodeKey>, weights: WeightTable) -> Self {
        Self {
            anchors,
            weights,
            asked_at: UnixMillis(0),
        }
    }

    /// Whether it is time to ask the anchors, if there are enough to decide anything; it is noted
    /// that they are asked now.
    pub(super) fn wants_offers(&mut self, now: UnixMillis) -> bool {
        let due = self.asked_at == UnixMillis(0) || now.since(self.asked_at) >= RENEW_MS;
        let wanted = due && self.anchors.len() >= MIN_ANCHORS;
        if wanted {
            self.asked_at = now;
        }
        wanted
    }

    /// Takes the weights that the anchors agree on; false when they have nothing newer.
    pub(super) fn renew(
        &mut self,
        offers: &[SignedWeights],
        now: UnixMillis,
    ) -> Result<bool, RefreshError> {
        match refresh(&self.weights, &self.anchors, offers, now) {
            Ok(weights) => {
                self.weights = weights;
                Ok(true)
            }
            Err(RefreshError::NotNewer) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What to start with, and where it is from.
    pub(super) async fn find(
        network: Network,
        anchors: Vec<NodeKey>,
        database: Option<&Database>,
        bridges: &[BridgeUrl],
    ) -> Result<(Self, &'static str), Fault> {
        match network {
            Network::Live => {
                let shipped = WeightTable::live_snapshot();
                // What is kept is there because anchors agreed on it.
                let kept = Self::kept(database).await.map(|kept| kept.weights);
                let kept =
                    kept.filter(|kept| kept.network == network && kept.as_of > shipped.as_of);
                let source = if kept.is_some() { STORAGE } else { SHIPPED };
                Ok((Self::new(anchors, kept.unwrap_or(shipped)), source))
            }
            Network::Dev => {
                if let Some(mut kept) = Self::kept(database).await {
                    kept.prefer(anchors);
                    return Ok((kept, STORAGE));
                }
                let mut problem = Fault {
                    code: "no-weights",
                    message: "the dev network's weights come from a bridge, and none was given; start with the address of one in `bridges`"
                        .into(),
                };
                for bridge in bridges {
                    match Self::ask(network, bridge).await {
                        Ok(mut trust) => {
                            trust.prefer(anchors);
                            trust.keep(database).await;
                            return Ok((trust, BRIDGE));
                        }
                        Err(fault) => problem = fault,
                    }
                }
                Err(problem)
            }
            Network::Beta | Network::Test => Err(Fault {
                code: "no-weights",
                message: format!(
                    "no voting weights are shipped for the {network} network; use live or dev"
                ),
            }),
        }
    }

    /// What a bridge says, on the dev network only.
    pub(super) async fn ask(network: Network, bridge: &BridgeUrl) -> Result<Self, Fault> {
        let origin = &bridge.origin;
        let fault = |reason: String| Fault {
            code: "no-weights",
            message: format!(
                "the dev network's weights come from a bridge, and {origin} gave none ({reason}); check that it runs"
            ),
        };
        if network != Network::Dev {
            return Err(fault(format!(
                "a bridge is not trusted with those of {network}"
            )));
        }
        let info = fetch(&format!("{origin}/v1/info")).await.map_err(fault)?;
        let info: Info = serde_json::from_str(&info).map_err(|error| fault(error.to_string()))?;
        if info.network != network.to_string() {
            return Err(Fault {
                code: "wrong-network",
                message: format!(
                    "{origin} is a bridge of the {} network, this node is of {network}; start it for that network or use another bridge",
                    info.network
                ),
            });
        }
        let key = info
            .key
            .parse()
            .map_err(|error| fault(format!("{error}")))?;
        let weights = fetch(&format!("{origin}/v1/weights"))
            .await
            .map_err(fault)?;
        let weights: WeightTable =
            serde_json::from_str(&weights).map_err(|error| fault(error.to_string()))?;
        if weights.network != network {
            return Err(fault(format!(
                "its weights are those of {}",
                weights.network
            )));
        }
        Ok(Self::new(vec![key], weights))
    }

    /// Puts `first` in front of the anchors and forgets those beyond [`MOST_ANCHORS`].
    pub(super) fn prefer(&mut self, mut first: Vec<NodeKey>) {
        for anchor in &self.anchors {
            if !first.contains(anchor) {
                first.push(*anchor);
            }
        }
        first.truncate(MOST_ANCHORS);
        self.anchors = first;
    }

    /// Keeps it for a start without a bridge. Not being able to costs only that.
    pub(super) async fn keep(&self, database: Option<&Database>) {
        if let (Some(database), Ok(json)) = (database, serde_json::to_vec(self)) {
            let _ = database.set_meta(KEY, &json).await;
        }
    }

    async fn kept(database: Option<&Database>) -> Option<Self> {
        let json = database?.meta(KEY).await.ok()??;
        serde_json::from_slice(&json).ok()
    }
}

/// What those of `bridges` that have weights of their own say of them; who counts is for
/// [`Trust::renew`].
pub(super) async fn offers(bridges: &[BridgeUrl]) -> Vec<SignedWeights> {
    let mut offers = Vec::new();
    for bridge in bridges {
        let text = fetch(&format!("{}/v1/weights/signed", bridge.origin)).await;
        offers.extend(text.ok().and_then(|text| serde_json::from_str(&text).ok()));
    }
    offers
}
