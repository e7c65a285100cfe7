//! Answers that follow from the request, the network and the weight table alone.

use serde_json::{Map, Value, json};

use super::label::Label;
use super::request::parse_account;
use super::{Refusal, Request, process, work};
use crate::message::PROTOCOL_VERSION;
use crate::{Account, Network, PublicKey, Raw, WeightTable, quorum_delta};

/// Version of the RPC that is spoken.
const RPC_VERSION: &str = "1";
/// Version of the ledger that the field names are of.
const STORE_VERSION: &str = "24";

/// Answers what needs nobody else; `None` for other actions.
pub(super) fn answer(
    network: Network,
    request: &Request,
) -> Result<Option<Map<String, Value>>, Refusal> {
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    let fields = match request.action() {
        "account_get" => one("account", json!(Account::from(public_key(request)?))),
        "account_key" => one("key", json!(request.account()?.public_key())),
        "validate_account_number" => {
            let valid = parse_account(request.text("account")?).is_ok();
            one("valid", json!(if valid { "1" } else { "0" }))
        }
        "block_hash" => one("hash", json!(process::read(request)?.hash())),
        "work_validate" => work::validate(network, request)?,
        "active_difficulty" => active_difficulty(network, request),
        action => match unit(action) {
            Some(unit) => unit.convert(request)?,
            None => return Ok(None),
        },
    };
    Ok(Some(fields))
}

fn public_key(request: &Request) -> Result<PublicKey, Refusal> {
    let key = request.text("key")?.parse();
    key.map_err(|_| Refusal::new("Bad public key"))
}

/// A conversion between raw and a larger unit.
struct Unit {
    /// Raw in one.
    ratio: u128,
    to_raw: bool,
    deprecated: bool,
}

/// The conversion with this name. Those of older nodes go on.
fn unit(action: &str) -> Option<Unit> {
    const NANO: u128 = Raw::NANO.number();
    const RAI: u128 = NANO / 1_000_000;
    let (ratio, to_raw, deprecated) = match action {
        "nano_to_raw" => (NANO, true, false),
        "raw_to_nano" => (NANO, false, false),
        "mrai_to_raw" | "mnano_to_raw" => (NANO, true, true),
        "mrai_from_raw" | "mnano_from_raw" => (NANO, false, true),
        "krai_to_raw" => (RAI * 1_000, true, true),
        "krai_from_raw" => (RAI * 1_000, false, true),
        "rai_to_raw" => (RAI, true, true),
        "rai_from_raw" => (RAI, false, true),
        _ => return None,
    };
    Some(Unit {
        ratio,
        to_raw,
        deprecated,
    })
}

impl Unit {
    fn convert(&self, request: &Request) -> Result<Map<String, Value>, Refusal> {
        let amount = match request.get("amount") {
            Some(Value::String(text)) => text.parse::<Raw>().ok(),
            Some(value) => value.as_u64().map(|number| Raw::new(number.into())),
            None => return Err(Refusal::unreadable()),
        };
        let amount = amount.ok_or_else(|| Refusal::new("Invalid amount number"))?;
        let number = if self.to_raw {
            let product = amount.number().checked_mul(self.ratio);
            product.ok_or_else(|| Refusal::new("Amount too big"))?
        } else {
            amount.number() / self.ratio
        };
        let mut fields = Map::from_iter([("amount".to_owned(), json!(Raw::new(number)))]);
        if self.deprecated {
            fields.insert("deprecated".to_owned(), json!("1"));
        }
        Ok(fields)
    }
}

fn active_difficulty(network: Network, request: &Request) -> Map<String, Value> {
    let thresholds = network.work_thresholds();
    let (send, receive) = (thresholds.epoch_2_send, thresholds.epoch_2_receive);
    let mut fields = Map::from_iter([
        ("deprecated".to_owned(), json!("1")),
        ("network_minimum".to_owned(), json!(send)),
        ("network_receive_minimum".to_owned(), json!(receive)),
        ("network_current".to_owned(), json!(send)),
        ("network_receive_current".to_owned(), json!(receive)),
        ("multiplier".to_owned(), json!("1")),
    ]);
    if request.flag("include_trend") {
        fields.insert("difficulty_trend".to_owned(), json!(["1"]));
    }
    fields
}

/// Who answers in a full node's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Program and version.
    pub vendor: String,
    /// What keeps its data.
    pub store: String,
}

/// The answer to `version`.
#[must_use]
pub fn version(network: Network, about: &About) -> Value {
    let fields = [
        ("rpc_version", json!(RPC_VERSION)),
        ("store_version", json!(STORE_VERSION)),
        ("protocol_version", json!(PROTOCOL_VERSION.to_string())),
        ("node_vendor", json!(about.vendor)),
        ("store_vendor", json!(about.store)),
        ("network", json!(network.name())),
        ("network_identifier", json!(network.genesis_hash())),
        ("build_info", json!(about.vendor)),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    Label::verified(None).on(Map::from_iter(fields))
}

/// What decides votes, as the weight table in force and the channels to full nodes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Weight that votes, in raw.
    pub online: Raw,
    /// Least weight a quorum is reckoned from, in raw.
    pub minimum: Raw,
    /// Weight of the representatives that are reached directly, in raw.
    pub reached: Raw,
}

/// The answer to `confirmation_quorum`.
#[must_use]
pub fn confirmation_quorum(request: &Request, quorum: &Quorum) -> Value {
    let mut fields = Map::from_iter([
        (
            "quorum_delta".to_owned(),
            json!(quorum_delta(quorum.online, quorum.minimum)),
        ),
        ("online_weight_quorum_percent".to_owned(), json!("67")),
        ("online_weight_minimum".to_owned(), json!(quorum.minimum)),
        ("online_stake_total".to_owned(), json!(quorum.online)),
        ("trended_stake_total".to_owned(), json!(quorum.online)),
        ("peers_stake_total".to_owned(), json!(quorum.reached)),
    ]);
    if request.flag("peer_details") {
        fields.insert("peers".to_owned(), json!(""));
    }
    Label::verified(None).on(fields)
}

/// The answer to `representatives_online`, of those in the weight table in force.
///
/// # Errors
/// The text for an account that is none.
pub fn representatives_online(request: &Request, table: &WeightTable) -> Result<Value, Refusal> {
    let wanted = match request.get("accounts") {
        Some(_) => Some(
            request
                .texts("accounts")?
                .into_iter()
                .map(parse_account)
                .collect::<Result<Vec<Account>, Refusal>>()?,
        ),
        None => None,
    };
    let listed = table
        .weights
        .iter()
        .filter(|(who, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(who)));
    let representatives: Value = if request.flag("weight") {
        let rows = listed.map(|(who, weight)| (who.to_string(), json!({ "weight": weight })));
        Value::Object(rows.collect())
    } else {
        listed.map(|(who, _)| json!(who)).collect()
    };
    let fields = Map::from_iter([("representatives".to_owned(), representatives)]);
    // The table says who has weight; who votes just now is not proven.
    Ok(Label::unverified().on(fields))
}
