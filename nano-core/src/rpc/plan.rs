//! What it takes to answer a request.

use serde_json::{Map, Value, json};

use super::label::Label;
use super::work::WorkWanted;
use super::{Refusal, Request, local, process, work};
use crate::{Account, Block, Network, Root};

/// What it takes to answer a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// Nothing: this is the answer.
    Answer(Value),
    /// The proven states of accounts; then [`super::accounts`].
    Accounts {
        /// Whose.
        accounts: Vec<Account>,
        /// A question whose answer adds what no proof covers. Without a full node the answer has less.
        more: Option<Value>,
        /// The question to ask instead where a state cannot be proven; then [`super::from_full_node`].
        instead: Value,
    },
    /// A full node alone knows: this question, then [`super::from_full_node`].
    FullNode(Value),
    /// A block is to be published; [`super::check`] first, [`super::processed`] at the end.
    Process {
        /// The block.
        block: Box<Block>,
        /// The same request for a full node.
        question: Value,
    },
    /// Work is to be found; then [`super::work_found`].
    Work(WorkWanted),
    /// The search for work over this root is to end.
    CancelWork(Root),
    /// What decides votes; [`super::confirmation_quorum`].
    Quorum,
    /// Who votes; [`super::representatives_online`].
    Online,
    /// What answers; [`super::version`].
    Version,
}

/// Actions that only a full node's ledger answers and that change nothing there.
const LEDGER: &[&str] = &[
    "account_block_count",
    "account_history",
    "account_weight",
    "available_supply",
    "block_account",
    "block_confirm",
    "block_count",
    "block_count_type",
    "block_info",
    "blocks",
    "blocks_info",
    "chain",
    "confirmation_active",
    "confirmation_history",
    "confirmation_info",
    "delegators",
    "delegators_count",
    "frontier_count",
    "frontiers",
    "ledger",
    "peers",
    "pending_exists",
    "receivable_exists",
    "representatives",
    "successors",
    "telemetry",
    "unopened",
    "uptime",
];

/// Actions that would hand a seed or a private key to somebody else.
const SECRET: &[&str] = &[
    "deterministic_key",
    "key_create",
    "key_expand",
    "block_create",
    "sign",
];

/// Says what it takes to answer `request`.
///
/// # Errors
/// The text that a full node gives for the request's mistake.
pub fn plan(network: Network, request: &Request) -> Result<Plan, Refusal> {
    if let Some(answer) = local::answer(network, request)? {
        let fields = Label::verified(None).on(answer);
        return Ok(Plan::Answer(fields));
    }
    match request.action() {
        "account_info" => Ok(Plan::Accounts {
            accounts: vec![request.account()?],
            more: Some(json!({
                "action": "account_info", "account": request.account()?, "representative": "true",
                "weight": "true", "receivable": "true", "include_confirmed": "true",
            })),
            instead: passed_on(request),
        }),
        "account_balance" | "account_representative" => {
            of_accounts(request, |request| Ok(vec![request.account()?]))
        }
        "receivable" | "pending" => of_accounts(request, |request| {
            request.count()?;
            request.threshold()?;
            Ok(vec![request.account()?])
        }),
        "accounts_receivable" | "accounts_pending" => of_accounts(request, |request| {
            request.count()?;
            request.threshold()?;
            let texts = request.texts("accounts")?;
            texts
                .into_iter()
                .map(super::request::parse_account)
                .collect()
        }),
        "accounts_balances" | "accounts_frontiers" | "accounts_representatives" => {
            of_accounts(request, |request| {
                let texts = request.texts("accounts")?;
                // One that cannot be read has an entry under `errors`.
                Ok(texts.iter().filter_map(|text| text.parse().ok()).collect())
            })
        }
        "process" => Ok(Plan::Process {
            block: Box::new(process::read(request)?),
            question: process::question(request)?,
        }),
        "work_generate" => work::wanted(network, request).map(Plan::Work),
        "work_cancel" => work::root(request).map(Plan::CancelWork),
        "confirmation_quorum" => Ok(Plan::Quorum),
        "representatives_online" => Ok(Plan::Online),
        "version" => Ok(Plan::Version),
        "block_info" => {
            request.hash()?;
            Ok(Plan::FullNode(passed_on(request)))
        }
        "blocks_info" => {
            for text in request.texts("hashes")? {
                let hash = text.parse::<crate::BlockHash>();
                hash.map_err(|_| Refusal::new("Invalid block hash"))?;
            }
            Ok(Plan::FullNode(passed_on(request)))
        }
        "account_history" if request.get("account").is_some() => {
            request.account()?;
            Ok(Plan::FullNode(passed_on(request)))
        }
        action if LEDGER.contains(&action) => Ok(Plan::FullNode(passed_on(request))),
        action if SECRET.contains(&action) => Err(Refusal(format!(
            "{action} would send a secret to a server; do it where the secret is, with the package's core"
        ))),
        action if is_control(action) => Err(Refusal::new("RPC control is disabled")),
        _ => Err(Refusal::new("Unknown command")),
    }
}

/// A request about accounts that proofs answer; about unconfirmed blocks a full node alone knows.
fn of_accounts(
    request: &Request,
    read: impl Fn(&Request) -> Result<Vec<Account>, Refusal>,
) -> Result<Plan, Refusal> {
    let accounts = read(request)?;
    let unconfirmed = !request.flag_or("include_only_confirmed", true);
    if unconfirmed || request.flag("min_version") {
        return Ok(Plan::FullNode(passed_on(request)));
    }
    Ok(Plan::Accounts {
        accounts,
        more: None,
        instead: passed_on(request),
    })
}

fn passed_on(request: &Request) -> Value {
    let mut fields: Map<String, Value> = request.spelled_for_full_nodes();
    if request.get("count").is_some_and(is_negative) {
        // One of the two node programs does not read a negative count; this many is all.
        fields.insert("count".to_owned(), json!(u32::MAX.to_string()));
    }
    Value::Object(fields)
}

fn is_negative(count: &Value) -> bool {
    match count {
        Value::String(text) => text.starts_with('-'),
        number => number.as_i64().is_some_and(i64::is_negative),
    }
}

/// Whether a full node answers this action only to whoever controls it.
fn is_control(action: &str) -> bool {
    const NAMES: [&str; 15] = [
        "bootstrap",
        "bootstrap_any",
        "bootstrap_lazy",
        "keepalive",
        "receive",
        "receive_minimum",
        "receive_minimum_set",
        "republish",
        "search_pending",
        "search_pending_all",
        "search_receivable",
        "search_receivable_all",
        "send",
        "stop",
        "unchecked_clear",
    ];
    const STARTS: [&str; 3] = ["password_", "wallet_", "work_peer"];
    const OF_ACCOUNTS: [&str; 5] = ["_create", "_list", "_move", "_remove", "_set"];
    NAMES.contains(&action)
        || STARTS.iter().any(|start| action.starts_with(start))
        || (action.starts_with("account") && OF_ACCOUNTS.iter().any(|end| action.ends_with(end)))
}
