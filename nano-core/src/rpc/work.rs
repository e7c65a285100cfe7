//! Work: what is wanted, and the answers about it.

use serde_json::{Map, Value, json};

use super::label::Label;
use super::{Refusal, Request};
use crate::{Difficulty, Network, Root, WorkNonce};

/// Hardest work that is searched for, as a multiple of the network's default.
pub const MAX_MULTIPLIER: f64 = 64.0;

/// Work that is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkWanted {
    /// Over what.
    pub root: Root,
    /// How hard.
    pub difficulty: Difficulty,
}

/// What multipliers are relative to.
const fn base(network: Network) -> Difficulty {
    network.work_thresholds().epoch_2_send
}

pub(super) fn root(request: &Request) -> Result<Root, Refusal> {
    let text = request.text("hash")?;
    text.parse().map_err(|_| Refusal::new("Invalid block hash"))
}

/// The difficulty a request names, itself or as a multiplier; `None` when it names none.
fn difficulty(network: Network, request: &Request) -> Result<Option<Difficulty>, Refusal> {
    let multiplier = match request.get("multiplier") {
        Some(Value::String(text)) => Some(text.parse::<f64>().ok()),
        Some(value) => Some(value.as_f64()),
        None => None,
    };
    if let Some(multiplier) = multiplier {
        let multiplied = multiplier.and_then(|multiplier| base(network).multiplied(multiplier));
        let bad = || Refusal::new("Bad multiplier");
        return multiplied.map(Some).ok_or_else(bad);
    }
    let Some(text) = request.optional_text("difficulty") else {
        return Ok(None);
    };
    // Any number of hex digits: full nodes read a number.
    u64::from_str_radix(text, 16)
        .map(|number| Some(Difficulty::new(number)))
        .map_err(|_| Refusal::new("Bad difficulty"))
}

pub(super) fn wanted(network: Network, request: &Request) -> Result<WorkWanted, Refusal> {
    let root = root(request)?;
    let difficulty = difficulty(network, request)?.unwrap_or_else(|| base(network));
    if difficulty.multiplier(base(network)) > MAX_MULTIPLIER {
        return Err(Refusal::new(
            "Difficulty above config limit or below publish threshold",
        ));
    }
    Ok(WorkWanted { root, difficulty })
}

/// The answer to `work_generate`.
#[must_use]
pub fn work_found(network: Network, wanted: WorkWanted, nonce: WorkNonce) -> Value {
    let reached = nonce.difficulty(&wanted.root);
    let fields = Map::from_iter([
        ("work".to_owned(), json!(nonce)),
        ("difficulty".to_owned(), json!(reached)),
        ("multiplier".to_owned(), multiplier(network, reached)),
        ("hash".to_owned(), json!(wanted.root)),
    ]);
    Label::verified(None).on(fields)
}

/// The answer to `work_cancel`.
#[must_use]
pub fn cancelled() -> Value {
    Label::verified(None).on(Map::from_iter([("success".to_owned(), json!(""))]))
}

fn multiplier(network: Network, reached: Difficulty) -> Value {
    json!(reached.multiplier(base(network)).to_string())
}

pub(super) fn validate(network: Network, request: &Request) -> Result<Map<String, Value>, Refusal> {
    let root = root(request)?;
    let work = u64::from_str_radix(request.text("work")?, 16);
    let work = WorkNonce::new(work.map_err(|_| Refusal::new("Bad work"))?);
    let thresholds = network.work_thresholds();
    let reached = work.difficulty(&root);
    let bit = |valid: bool| json!(if valid { "1" } else { "0" });
    let mut fields = Map::from_iter([
        (
            "valid_all".to_owned(),
            bit(reached >= thresholds.epoch_2_send),
        ),
        (
            "valid_receive".to_owned(),
            bit(reached >= thresholds.epoch_2_receive),
        ),
        ("difficulty".to_owned(), json!(reached)),
        ("multiplier".to_owned(), multiplier(network, reached)),
    ]);
    if let Some(needed) = difficulty(network, request)? {
        fields.insert("valid".to_owned(), bit(reached >= needed));
    }
    Ok(fields)
}
