//! Answers about accounts, made of their proven states.

use serde_json::{Map, Value, json};

use super::label::Label;
use super::receivable::Shown;
use super::{Head, Proven, Refusal, Request, States};
use crate::{Account, Raw, UnixMillis};

/// Fields of a full node's `account_info` that no proof covers.
const UNPROVEN: [&str; 6] = [
    "open_block",
    "representative_block",
    "modified_timestamp",
    "block_count",
    "account_version",
    "weight",
];

/// Answers a request about accounts. `states` has an entry for every account that the plan named; `more` is a full
/// node's answer to the plan's further question, if there is one.
///
/// # Errors
/// The text of a full node's refusal.
pub fn accounts(
    request: &Request,
    states: &States,
    more: Option<&Value>,
) -> Result<Value, Refusal> {
    let as_of = states.values().filter_map(|state| state.as_of).min();
    let fields = match request.action() {
        "account_info" => return info(request, states, more),
        "account_balance" => balance(one(request, states)?),
        "account_representative" => {
            let head = one(request, states)?.head.ok_or_else(not_found)?;
            json!({ "representative": head.representative })
        }
        "accounts_balances" => each(request, states, "balances", |state| Ok(balance(state)))?,
        "accounts_frontiers" => each(request, states, "frontiers", |state| {
            Ok(json!(state.head.ok_or_else(not_found)?.frontier))
        })?,
        "accounts_representatives" => each(request, states, "representatives", |state| {
            Ok(json!(state.head.ok_or_else(not_found)?.representative))
        })?,
        "receivable" | "pending" => {
            let list = Shown::read(request)?.list(&one(request, states)?.receivable);
            json!({ "blocks": list })
        }
        _ => receivable_of_each(request, states)?,
    };
    let Value::Object(mut fields) = fields else {
        return Err(Refusal::unreadable());
    };
    if matches!(request.action(), "pending" | "accounts_pending") {
        fields.insert("deprecated".to_owned(), json!("1"));
    }
    let unopened = states.iter().filter(|(_, state)| state.head.is_none());
    let unopened: Vec<Account> = unopened.map(|(account, _)| *account).collect();
    let label = Label {
        verified: unopened.len() < states.len() || is_about_sends(request),
        unopened,
        ..Label::verified(as_of)
    };
    Ok(label.on(fields))
}

/// Whether the answer is made of sends, which are proven whatever is known of their receiver.
fn is_about_sends(request: &Request) -> bool {
    request.action().ends_with("receivable") || request.action().ends_with("pending")
}

fn not_found() -> Refusal {
    Refusal::new(Refusal::ACCOUNT_NOT_FOUND)
}

fn one<'a>(request: &Request, states: &'a States) -> Result<&'a Proven, Refusal> {
    states.get(&request.account()?).ok_or_else(not_found)
}

fn balance(state: &Proven) -> Value {
    let receivable = state.receivable_sum();
    json!({
        "balance": state.head.map_or(Raw::ZERO, |head| head.balance),
        "pending": receivable,
        "receivable": receivable,
    })
}

/// Answers for each account of the request, with an entry under `errors` where that fails.
fn each(
    request: &Request,
    states: &States,
    name: &str,
    answer: impl Fn(&Proven) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let mut answers = Map::new();
    let mut errors = Map::new();
    for text in request.texts("accounts")? {
        let state = super::request::parse_account(text)
            .and_then(|account| states.get(&account).ok_or_else(not_found));
        match state.and_then(&answer) {
            Ok(value) => answers.insert(text.to_owned(), value),
            Err(Refusal(reason)) => errors.insert(text.to_owned(), Value::String(reason)),
        };
    }
    let mut fields = Map::new();
    for (name, entries) in [(name, answers), ("errors", errors)] {
        if !entries.is_empty() {
            fields.insert(name.to_owned(), Value::Object(entries));
        }
    }
    if fields.is_empty() {
        return Err(Refusal::new("Empty response"));
    }
    Ok(Value::Object(fields))
}

fn receivable_of_each(request: &Request, states: &States) -> Result<Value, Refusal> {
    let shown = Shown::read(request)?;
    let mut blocks = Map::new();
    for text in request.texts("accounts")? {
        let account: Account = super::request::parse_account(text)?;
        let state = states.get(&account).ok_or_else(not_found)?;
        let list = shown.list(&state.receivable);
        if list != json!("") {
            blocks.insert(account.to_string(), list);
        }
    }
    let blocks = if blocks.is_empty() {
        json!("")
    } else {
        Value::Object(blocks)
    };
    Ok(json!({ "blocks": blocks }))
}

/// What of `account_info` is known, under its names.
struct Info {
    fields: Map<String, Value>,
    unverified: Vec<String>,
}

impl Info {
    fn proven(&mut self, name: &str, value: impl serde::Serialize) {
        self.fields.insert(name.to_owned(), json!(value));
    }

    /// Takes a field of a full node's answer under another name, if it is a text.
    fn told(&mut self, name: &str, from: Option<&Value>, field: &str) {
        if let Some(value @ Value::String(_)) = from.and_then(|from| from.get(field)) {
            self.fields.insert(name.to_owned(), value.clone());
            self.unverified.push(name.to_owned());
        }
    }
}

/// `account_info`: the proven state, and what a full node adds. Blocks that wait for confirmation on top of the
/// proven one are a full node's word, and only where it agrees on that one.
fn info(request: &Request, states: &States, more: Option<&Value>) -> Result<Value, Refusal> {
    let state = one(request, states)?;
    let more = more.filter(|more| more.get("error").is_none());
    let told = |field: &str| {
        more.and_then(|more| more.get(field))
            .and_then(Value::as_str)
    };
    let Some(head) = state.head else {
        return unconfirmed(request, more);
    };
    let mut info = Info {
        fields: Map::new(),
        unverified: Vec::new(),
    };
    let frontier = head.frontier.to_string();
    let agrees = told("confirmed_frontier") == Some(frontier.as_str());
    let is_ahead = agrees && told("frontier") != Some(frontier.as_str());
    let from = more.filter(|_| agrees);
    if is_ahead {
        info.told("frontier", from, "frontier");
        info.told("balance", from, "balance");
    } else {
        info.proven("frontier", head.frontier);
        info.proven("balance", head.balance);
    }
    for name in UNPROVEN {
        if name != "weight" || request.flag("weight") {
            info.told(name, from, name);
        }
    }
    confirmed(&mut info, request, head, from);
    if request.flag("representative") {
        if is_ahead {
            info.told("representative", from, "representative");
        } else {
            info.proven("representative", head.representative);
        }
    }
    if request.flag_or("receivable", request.flag("pending")) {
        let sum = state.receivable_sum();
        let names: &[&str] = if request.flag("include_confirmed") {
            &[
                "pending",
                "receivable",
                "confirmed_pending",
                "confirmed_receivable",
            ]
        } else {
            &["pending", "receivable"]
        };
        for name in names {
            info.proven(name, sum);
        }
    }
    Ok(labelled(info, state.as_of))
}

fn labelled(info: Info, as_of: Option<UnixMillis>) -> Value {
    let label = Label {
        unverified: info.unverified,
        ..Label::verified(as_of)
    };
    label.on(info.fields)
}

/// The confirmed state under the names that the request wants.
fn confirmed(info: &mut Info, request: &Request, head: Head, from: Option<&Value>) {
    if request.flag("include_confirmed") {
        info.told("confirmed_height", from, "confirmed_height");
        info.proven("confirmed_frontier", head.frontier);
        info.proven("confirmed_balance", head.balance);
        if request.flag("representative") {
            info.proven("confirmed_representative", head.representative);
        }
    } else {
        info.told("confirmation_height", from, "confirmed_height");
        info.proven("confirmation_height_frontier", head.frontier);
    }
}

/// An account without a confirmed block: found only where a full node holds an unconfirmed one.
fn unconfirmed(request: &Request, more: Option<&Value>) -> Result<Value, Refusal> {
    let from = Some(more.ok_or_else(not_found)?);
    let mut info = Info {
        fields: Map::new(),
        unverified: Vec::new(),
    };
    for name in ["frontier", "balance"].into_iter().chain(UNPROVEN) {
        if name != "weight" || request.flag("weight") {
            info.told(name, from, name);
        }
    }
    let mut names = vec![];
    if request.flag("include_confirmed") {
        names.extend([
            "confirmed_height",
            "confirmed_frontier",
            "confirmed_balance",
        ]);
    }
    if request.flag("representative") {
        names.push("representative");
    }
    for name in names {
        info.told(name, from, name);
    }
    let label = Label::unverified();
    Ok(label.on(info.fields))
}
