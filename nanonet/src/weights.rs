//! When a node takes a newer weight table.
//!
//! The table decides which proofs hold, so whoever sets it sets every balance. A table is *held*
//! (shipped, or taken earlier by these rules); anchors *offer* newer ones, each signed
//! ([`SignedWeights`]). [`refresh`] is a pure function of both.
//!
//! Rules:
//! - at least [`MIN_ANCHORS`] anchors are configured, and more than half of them give tables that
//!   are alike: each at most [`ALIKE_PERCENT`] of the total from the median, which is taken per
//!   representative over all offers (one that a table lacks counts as zero there);
//! - what is taken is the median of those alike ones: weights, online weight and date. `minimum`
//!   is an operator's setting and stays as it is held;
//! - it is newer than the held one and not from the future, and it moves at most
//!   [`DRIFT_PERCENT_PER_DAY`] of the total per day since the held one's date: weights (½ Σ|Δw|)
//!   and online weight, each by itself;
//! - otherwise the held one stays, and the reason is told ([`RefreshError`]);
//! - one bridge alone is enough on the dev network only ([`from_one_bridge`]), where nothing has
//!   worth;
//! - a table older than [`STALE_MS`] is flagged: high values are no longer to be called proven.
//!
//! Limits: [`MAX_OFFERS`] offers are looked at, and one per key; a table has its own limit.

use nano_core::{Network, Raw, Signature, UnixMillis, WeightTable, WeightTableError};
use serde::{Deserialize, Serialize};

use crate::{CLOCK_SKEW_MS, Identity, NodeKey, Purpose};

/// Fewest anchors whose word together can change a table.
pub const MIN_ANCHORS: usize = 3;
/// Most offers looked at; later ones are not.
pub const MAX_OFFERS: usize = 32;
/// How far a table may be from the median, in percent of the median's total, to count as alike.
pub const ALIKE_PERCENT: u8 = 1;
/// How much of the total may move per day, in percent.
pub const DRIFT_PERCENT_PER_DAY: u8 = 2;
/// Age beyond which a table is flagged: 90 days in milliseconds.
pub const STALE_MS: u64 = 90 * DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A weight table with the word of the bridge that made it. As JSON what a bridge serves at
/// `/v1/weights/signed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedWeights {
    /// The table, with its network and date.
    pub table: WeightTable,
    /// The bridge's node key; as text, `key_…`.
    #[serde(with = "key_text")]
    pub bridge: NodeKey,
    /// By that key, over the table's binary form.
    pub signature: Signature,
}

/// A node key as people see it, where the rest is readable, too.
mod key_text {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::NodeKey;

    pub(super) fn serialize<S: Serializer>(key: &NodeKey, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(key)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NodeKey, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl SignedWeights {
    /// Signs a table.
    ///
    /// # Errors
    /// When the table is beyond its limits.
    pub fn sign(identity: &Identity, table: WeightTable) -> Result<Self, WeightTableError> {
        let signature = identity.sign(Purpose::Weights, &table.to_bytes()?);
        Ok(Self {
            table,
            bridge: identity.node_key(),
            signature,
        })
    }

    /// Whether the bridge it names has signed it.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.table.to_bytes().is_ok_and(|bytes| {
            self.bridge
                .verify(Purpose::Weights, &bytes, &self.signature)
                .is_ok()
        })
    }
}

/// Why the held table stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// Not enough anchors to have a majority of.
    #[error(
        "{configured} anchors are configured and weights need at least {MIN_ANCHORS}; add anchors of distinct operators"
    )]
    TooFewAnchors {
        /// How many there are.
        configured: usize,
    },
    /// Too few of the anchors gave tables that are alike.
    #[error(
        "{alike} of {anchors} anchors gave weights that are alike, more than half must; the table held stays"
    )]
    NoMajority {
        /// Anchors whose tables are alike.
        alike: usize,
        /// Anchors configured.
        anchors: usize,
    },
    /// The anchors' table is not newer than the held one.
    #[error("the anchors' weights are not newer than those held")]
    NotNewer,
    /// It differs too much for the time that has passed.
    #[error(
        "the anchors' weights moved {moved} raw since those held and {allowed} raw may have in that time; the table held stays, ask the anchors' operators"
    )]
    TooFast {
        /// Weight that moved, in raw.
        moved: Raw,
        /// Weight that may have, in raw.
        allowed: Raw,
    },
    /// One bridge alone offered weights where they are worth something.
    #[error("one bridge alone may set weights on the dev network only, not on {0}")]
    OneBridge(Network),
    /// The table is another network's.
    #[error("the weights are those of {found}, this node is of {wanted}")]
    OtherNetwork {
        /// The table's.
        found: Network,
        /// The node's.
        wanted: Network,
    },
}

impl RefreshError {
    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooFewAnchors { .. } => "too-few-anchors",
            Self::NoMajority { .. } => "no-majority",
            Self::NotNewer => "not-newer",
            Self::TooFast { .. } => "too-fast",
            Self::OneBridge(_) => "one-bridge",
            Self::OtherNetwork { .. } => "other-network",
        }
    }
}

/// The table that follows from `held` and what the anchors offer at `now`.
///
/// # Errors
/// Why `held` stays.
pub fn refresh(
    held: &WeightTable,
    anchors: &[NodeKey],
    offers: &[SignedWeights],
    now: UnixMillis,
) -> Result<WeightTable, RefreshError> {
    // All lists here are short: looking through them costs a page less to load than sorting them.
    let mut keys: Vec<NodeKey> = Vec::new();
    for anchor in anchors {
        if !keys.contains(anchor) {
            keys.push(*anchor);
        }
    }
    let anchors = keys.len();
    if anchors < MIN_ANCHORS {
        return Err(RefreshError::TooFewAnchors {
            configured: anchors,
        });
    }
    let mut tables = Vec::new();
    for offer in offers.iter().take(MAX_OFFERS) {
        let usable = offer.table.network == held.network
            && offer.table.as_of <= now.plus(CLOCK_SKEW_MS)
            && offer.holds();
        // Taken out, an anchor counts once.
        let place = keys.iter().position(|key| *key == offer.bridge);
        if usable && let Some(place) = place {
            keys.swap_remove(place);
            tables.push(&offer.table);
        }
    }
    let middle = held.median(&tables);
    let near = portion(middle.total(), ALIKE_PERCENT, DAY_MS);
    tables.retain(|table| table.moved(&middle) <= near);
    let alike = tables.len();
    if alike * 2 <= anchors {
        return Err(RefreshError::NoMajority { alike, anchors });
    }
    let fresh = held.median(&tables);
    if fresh.to_bytes().is_err() {
        return Err(RefreshError::NoMajority { alike, anchors });
    }
    if fresh.as_of <= held.as_of {
        return Err(RefreshError::NotNewer);
    }
    let time = fresh.as_of.since(held.as_of);
    let online = |table: &WeightTable| table.online_weight.max(held.minimum);
    for (moved, of) in [
        (held.moved(&fresh), held.total()),
        (distance(online(held), online(&fresh)), online(held)),
    ] {
        let allowed = portion(of, DRIFT_PERCENT_PER_DAY, time);
        if moved > allowed {
            return Err(RefreshError::TooFast { moved, allowed });
        }
    }
    Ok(fresh)
}

/// The table one bridge gives, where its word is enough: on the dev network.
///
/// # Errors
/// [`RefreshError::OneBridge`] on every other network, [`RefreshError::OtherNetwork`].
pub fn from_one_bridge(network: Network, table: WeightTable) -> Result<WeightTable, RefreshError> {
    if network != Network::Dev {
        return Err(RefreshError::OneBridge(network));
    }
    if table.network != network {
        return Err(RefreshError::OtherNetwork {
            found: table.network,
            wanted: network,
        });
    }
    Ok(table)
}

/// Whether the table is so old that high values must not be called proven by it.
#[must_use]
pub fn is_stale(table: &WeightTable, now: UnixMillis) -> bool {
    now.since(table.as_of) > STALE_MS
}

const fn distance(one: Raw, other: Raw) -> Raw {
    Raw::new(one.number().abs_diff(other.number()))
}

/// `percent` of `whole` for each day of `time` milliseconds, never more than there can be.
fn portion(whole: Raw, percent: u8, time: u64) -> Raw {
    let per_ms = whole.number() / (100 * u128::from(DAY_MS));
    Raw::new(per_ms.saturating_mul(u128::from(percent) * u128::from(time)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nano_core::Account;

    use super::*;
    use crate::Rng;

    const DAY: u64 = DAY_MS;
    const HELD_AT: UnixMillis = UnixMillis(1_000 * DAY);
    const NANO: u128 = 1_000_000;

    fn anchor(number: u8) -> Identity {
        Identity::generate(&mut Rng::from_seed([number; 32]))
    }

    fn keys(count: u8) -> Vec<NodeKey> {
        (1..=count)
            .map(|number| anchor(number).node_key())
            .collect()
    }

    fn representative(number: u8) -> Account {
        Account::from_bytes([number; 32])
    }

    /// Ten representatives of ten million nano each; the first one has `shift` more, the second
    /// one as much less.
    fn table(at: UnixMillis, shift: i128) -> WeightTable {
        let nano = |amount: u128| Raw::new(amount * Raw::NANO.number());
        let mut weights: BTreeMap<Account, Raw> = (1..=10)
            .map(|number| (representative(number), nano(10 * NANO)))
            .collect();
        weights.insert(
            representative(1),
            nano((10 * NANO).checked_add_signed(shift).unwrap()),
        );
        weights.insert(
            representative(2),
            nano((10 * NANO).checked_add_signed(-shift).unwrap()),
        );
        WeightTable {
            network: Network::Live,
            as_of: at,
            online_weight: nano(90 * NANO),
            minimum: nano(60 * NANO),
            weights,
        }
    }

    fn offer(number: u8, table: WeightTable) -> SignedWeights {
        SignedWeights::sign(&anchor(number), table).unwrap()
    }

    fn held() -> WeightTable {
        table(HELD_AT, 0)
    }

    /// What comes of the same offer of these anchors after `days`, three being configured.
    fn offered(by: &[u8], days: u64, shift: i128) -> Result<WeightTable, RefreshError> {
        let at = HELD_AT.plus(days * DAY);
        let offers: Vec<_> = by.iter().map(|n| offer(*n, table(at, shift))).collect();
        refresh(&held(), &keys(3), &offers, at)
    }

    #[test]
    fn what_a_majority_of_three_anchors_gives_alike_is_taken() {
        assert_eq!(
            offered(&[1, 2, 3], 1, 1_000),
            Ok(table(HELD_AT.plus(DAY), 1_000))
        );
        assert_eq!(
            offered(&[1, 3], 1, 1_000),
            Ok(table(HELD_AT.plus(DAY), 1_000))
        );
        let alone = RefreshError::NoMajority {
            alike: 1,
            anchors: 3,
        };
        assert_eq!(offered(&[2], 1, 1_000), Err(alone));
    }

    #[test]
    fn two_anchors_are_too_few_however_much_they_agree() {
        let at = HELD_AT.plus(DAY);
        let offers = [offer(1, table(at, 1)), offer(2, table(at, 1))];
        let few = Err(RefreshError::TooFewAnchors { configured: 2 });
        assert_eq!(refresh(&held(), &keys(2), &offers, at), few);
        let twice = [keys(2), keys(2)].concat();
        assert_eq!(refresh(&held(), &twice, &offers, at), few);
    }

    #[test]
    fn an_anchor_counts_once_and_others_not_at_all() {
        for by in [&[1, 1, 1][..], &[1, 4, 5], &[4, 5, 6]] {
            assert!(matches!(
                offered(by, 1, 0),
                Err(RefreshError::NoMajority { .. })
            ));
        }
    }

    #[test]
    fn a_table_changed_after_signing_does_not_count() {
        let at = HELD_AT.plus(DAY);
        let mut forged = offer(2, table(at, 0));
        forged.table.weights.insert(representative(1), Raw::new(1));
        assert!(!forged.holds());
        let offers = [offer(1, table(at, 0)), forged];
        assert!(matches!(
            refresh(&held(), &keys(3), &offers, at),
            Err(RefreshError::NoMajority { alike: 1, .. })
        ));
    }

    #[test]
    fn a_lying_minority_moves_nothing() {
        let at = HELD_AT.plus(DAY);
        let offers = [
            offer(1, table(at, 0)),
            offer(2, table(at, 9_000_000)),
            offer(3, table(at, 0)),
        ];
        assert_eq!(refresh(&held(), &keys(3), &offers, at), Ok(table(at, 0)));
    }

    #[test]
    fn anchors_that_differ_by_more_than_one_percent_are_not_alike() {
        let at = HELD_AT.plus(DAY);
        let give = |shifts: [i128; 3]| {
            let offers = [1, 2, 3].map(|n: u8| offer(n, table(at, shifts[usize::from(n) - 1])));
            refresh(&held(), &keys(3), &offers, at)
        };
        // One million of a hundred is one percent.
        assert_eq!(give([-900_000, 0, 900_000]), Ok(table(at, 0)));
        assert!(matches!(
            give([-1_100_000, 0, 1_100_000]),
            Err(RefreshError::NoMajority { alike: 1, .. })
        ));
    }

    #[test]
    fn two_percent_of_the_total_may_move_a_day_since_the_held_table() {
        assert!(offered(&[1, 2, 3], 1, 1_900_000).is_ok());
        assert!(matches!(
            offered(&[1, 2, 3], 1, 2_100_000),
            Err(RefreshError::TooFast { .. })
        ));
        assert!(offered(&[1, 2, 3], 3, 5_900_000).is_ok());
        assert!(offered(&[1, 2, 3], 3, 6_100_000).is_err());
    }

    #[test]
    fn the_online_weight_moves_no_faster_than_the_weights() {
        let at = HELD_AT.plus(DAY);
        let give = |percent: u128| {
            let mut fresh = table(at, 0);
            fresh.online_weight = Raw::new(fresh.online_weight.number() / 100 * percent);
            let offers = [1, 2, 3].map(|n| offer(n, fresh.clone()));
            refresh(&held(), &keys(3), &offers, at).map(|table| table.online_weight)
        };
        assert!(give(99).is_ok());
        assert!(matches!(give(96), Err(RefreshError::TooFast { .. })));
        assert!(matches!(give(0), Err(RefreshError::TooFast { .. })));
    }

    #[test]
    fn the_minimum_is_never_the_anchors_to_set() {
        let at = HELD_AT.plus(DAY);
        let mut low = table(at, 0);
        low.minimum = Raw::new(1);
        let offers = [1, 2, 3].map(|n| offer(n, low.clone()));
        let fresh = refresh(&held(), &keys(3), &offers, at).unwrap();
        assert_eq!(fresh.minimum, held().minimum);
    }

    #[test]
    fn an_older_table_or_one_from_the_future_is_not_taken() {
        assert_eq!(offered(&[1, 2, 3], 0, 0), Err(RefreshError::NotNewer));
        let at = HELD_AT.plus(3 * DAY);
        let offers = [1, 2, 3].map(|n| offer(n, table(at, 0)));
        assert!(matches!(
            refresh(&held(), &keys(3), &offers, HELD_AT.plus(DAY)),
            Err(RefreshError::NoMajority { alike: 0, .. })
        ));
    }

    #[test]
    fn one_bridge_alone_sets_weights_on_dev_only() {
        for network in [Network::Live, Network::Beta, Network::Test] {
            let mut table = held();
            table.network = network;
            assert_eq!(
                from_one_bridge(network, table),
                Err(RefreshError::OneBridge(network))
            );
        }
        let mut dev = held();
        dev.network = Network::Dev;
        assert!(from_one_bridge(Network::Dev, dev).is_ok());
        assert!(from_one_bridge(Network::Dev, held()).is_err());
    }

    #[test]
    fn a_table_is_flagged_after_ninety_days() {
        assert!(!is_stale(&held(), HELD_AT.plus(90 * DAY)));
        assert!(is_stale(&held(), HELD_AT.plus(90 * DAY + 1)));
    }
}
