//! Actions about accounts.

use nano_core::{Account, BlockHash, Raw};
use serde_json::{Map, Value, json};

use super::request::{Refusal, Request, parse_account};
use crate::Dialect;
use crate::ledger::{Ledger, ReceivableInfo};
use crate::node::Shared;

const NOT_FOUND: &str = "Account not found";

pub(super) fn info(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let account = request.account("account")?;
    let engine = shared.engine();
    let ledger = engine.ledger();
    let not_found = || Refusal::new(NOT_FOUND);
    let info = ledger.account(&account).ok_or_else(not_found)?;
    let head = ledger.head(&account).ok_or_else(not_found)?;
    let confirmed = ledger.confirmed_head(&account);
    let with_confirmed = request.flag("include_confirmed");
    let mut fields = Map::new();
    let mut put = |name: &str, value: String| {
        fields.insert(name.to_owned(), Value::String(value));
    };
    put("frontier", info.head.to_string());
    put("open_block", info.open_block.to_string());
    put(
        "representative_block",
        head.representative_block.to_string(),
    );
    put("balance", head.balance.to_string());
    put("modified_timestamp", info.modified.to_string());
    put("block_count", info.block_count.to_string());
    put("account_version", head.epoch_number().to_string());
    let height = info.confirmation_height.to_string();
    if !with_confirmed || request.dialect() == Dialect::Rs {
        put("confirmation_height", height.clone());
    }
    if with_confirmed || request.dialect() == Dialect::Rs {
        put("confirmed_height", height);
    }
    let frontier = info.confirmation_frontier.to_string();
    if with_confirmed {
        put("confirmed_frontier", frontier);
        let balance = confirmed.map_or(Raw::ZERO, |entry| entry.balance);
        put("confirmed_balance", balance.to_string());
    } else {
        put("confirmation_height_frontier", frontier);
    }
    if request.flag("representative") {
        put("representative", head.representative.to_string());
        if with_confirmed {
            let who = confirmed.map_or(Account::ZERO, |entry| entry.representative);
            put("confirmed_representative", who.to_string());
        }
    }
    if request.flag("weight") {
        put("weight", ledger.weight(&account).to_string());
    }
    if request.flag("receivable") || request.flag("pending") {
        let all = receivable_sum(ledger, &account, false).to_string();
        put("pending", all.clone());
        put("receivable", all);
        if with_confirmed {
            let all = receivable_sum(ledger, &account, true).to_string();
            put("confirmed_pending", all.clone());
            put("confirmed_receivable", all);
        }
    }
    Ok(Value::Object(fields))
}

pub(super) fn balance(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let account = request.account("account")?;
    let confirmed = request.flag_or("include_only_confirmed", true);
    Ok(balance_of(shared.engine().ledger(), &account, confirmed))
}

pub(super) fn balances(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let confirmed = request.flag_or("include_only_confirmed", true);
    let engine = shared.engine();
    each_account(request, "balances", |account| {
        Ok(balance_of(engine.ledger(), &account, confirmed))
    })
}

pub(super) fn frontiers(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let engine = shared.engine();
    each_account(request, "frontiers", |account| {
        let info = engine.ledger().account(&account);
        info.map(|info| json!(info.head))
            .ok_or_else(|| Refusal::new(NOT_FOUND))
    })
}

pub(super) fn representative(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let account = request.account("account")?;
    let engine = shared.engine();
    let head = engine.ledger().head(&account);
    let head = head.ok_or_else(|| Refusal::new(NOT_FOUND))?;
    Ok(json!({ "representative": head.representative }))
}

pub(super) fn representatives(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let engine = shared.engine();
    each_account(request, "representatives", |account| {
        let head = engine.ledger().head(&account);
        head.map(|head| json!(head.representative))
            .ok_or_else(|| Refusal::new(NOT_FOUND))
    })
}

pub(super) fn weight(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let account = request.account("account")?;
    Ok(json!({ "weight": shared.engine().ledger().weight(&account) }))
}

pub(super) fn delegators_count(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let account = request.account("account")?;
    let count = shared.engine().ledger().delegators(&account);
    Ok(json!({ "count": count.to_string() }))
}

/// Answers for each account of the request, with an entry under `errors` where that fails.
fn each_account(
    request: &Request,
    name: &str,
    answer: impl Fn(Account) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let mut answers = Map::new();
    let mut errors = Map::new();
    for text in request.texts("accounts")? {
        match parse_account(text).and_then(&answer) {
            Ok(value) => answers.insert(text.to_owned(), value),
            // Where accounts are read with the request, one that is none spoils it all.
            Err(refusal) if refusal.is_unreadable && request.dialect() == Dialect::Rs => {
                return Err(refusal);
            }
            Err(refusal) => errors.insert(text.to_owned(), Value::String(refusal.text)),
        };
    }
    let mut fields = Map::new();
    if !answers.is_empty() || request.dialect() == Dialect::Rs {
        fields.insert(name.to_owned(), Value::Object(answers));
    }
    if !errors.is_empty() {
        fields.insert("errors".to_owned(), Value::Object(errors));
    }
    Ok(Value::Object(fields))
}

fn balance_of(ledger: &Ledger, account: &Account, only_confirmed: bool) -> Value {
    let head = if only_confirmed {
        ledger.confirmed_head(account)
    } else {
        ledger.head(account)
    };
    let receivable = receivable_sum(ledger, account, only_confirmed);
    json!({
        "balance": head.map_or(Raw::ZERO, |entry| entry.balance),
        "pending": receivable,
        "receivable": receivable,
    })
}

/// Sum of what an account can receive; never above the supply.
fn receivable_sum(ledger: &Ledger, account: &Account, only_confirmed: bool) -> Raw {
    let counts =
        |(hash, _): &(BlockHash, &ReceivableInfo)| !only_confirmed || ledger.is_confirmed(hash);
    ledger
        .receivable_of(account)
        .filter(counts)
        .fold(Raw::ZERO, |sum, (_, info)| {
            sum.checked_add(info.amount).unwrap_or(Raw::MAX)
        })
}
