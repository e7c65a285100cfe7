//! A full node's RPC for the page: what is asked and answered is [`nano_core::rpc`]'s, the page does the I/O.
//!
//! Every function takes and gives JSON text. A refusal is an answer: an object with `error`.

use nano_core::rpc::{self, About, Head, Plan, Refusal, Request, States};
use nano_core::{Network, WorkNonce};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::fault::Fault;

fn network(name: &str) -> Result<Network, Fault> {
    name.parse().map_err(Fault::coded("bad-network"))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(Fault::coded("bad-json"))
}

fn answer(result: Result<Value, Refusal>) -> String {
    result
        .unwrap_or_else(|refusal| refusal.answer())
        .to_string()
}

fn with(request: &str, answered: impl FnOnce(&Request) -> Result<Value, Refusal>) -> String {
    answer(Request::parse(request.as_bytes()).and_then(|request| answered(&request)))
}

/// What it takes to answer a request: `kind`, and what that kind needs. `js/rpc.ts` has the other side of it.
#[wasm_bindgen]
pub fn plan(network_name: &str, request: &str) -> Result<String, Fault> {
    let network = network(network_name)?;
    let planned = Request::parse(request.as_bytes())
        .and_then(|request| Ok((request.wants_fresh(), rpc::plan(network, &request)?)));
    let (fresh, plan) = match planned {
        Ok(planned) => planned,
        Err(refusal) => {
            return Ok(json!({ "kind": "answer", "answer": refusal.answer() }).to_string());
        }
    };
    let plan = match plan {
        Plan::Answer(answer) => json!({ "kind": "answer", "answer": answer }),
        Plan::Accounts {
            accounts,
            more,
            instead,
        } => json!({
            "kind": "accounts", "accounts": accounts, "more": more, "instead": instead,
            "fresh": fresh,
        }),
        Plan::FullNode(question) => json!({ "kind": "full-node", "question": question }),
        Plan::Process { block, .. } => json!({ "kind": "process", "block": block.to_json() }),
        Plan::Work(wanted) => json!({
            "kind": "work", "root": wanted.root, "difficulty": wanted.difficulty,
        }),
        Plan::CancelWork(root) => json!({ "kind": "cancel-work", "root": root }),
        Plan::Quorum | Plan::Online => {
            let question: Value = read(request)?;
            json!({ "kind": "full-node", "question": question })
        }
        Plan::Version => json!({ "kind": "version" }),
    };
    Ok(plan.to_string())
}

/// The answer about accounts; `states` by address, `more` from a full node.
#[wasm_bindgen]
pub fn accounts(request: &str, states: &str, more: Option<String>) -> Result<String, Fault> {
    let states: States = read(states)?;
    let more: Option<Value> = more.as_deref().map(read).transpose()?;
    Ok(with(request, |request| {
        rpc::accounts(request, &states, more.as_ref())
    }))
}

/// The answer that a full node's is made into.
#[wasm_bindgen(js_name = fromFullNode)]
pub fn from_full_node(request: &str, said: &str) -> Result<String, Fault> {
    let said: Value = read(said)?;
    Ok(with(request, |request| rpc::from_full_node(request, &said)))
}

/// The answer to a block: its hash, or why it is refused. `head` is the account's newest block, if it has one.
#[wasm_bindgen]
pub fn process(network_name: &str, request: &str, head: Option<String>) -> Result<String, Fault> {
    let network = network(network_name)?;
    let head: Option<Head> = head.as_deref().map(read).transpose()?;
    Ok(with(request, |request| {
        let Plan::Process { block, .. } = rpc::plan(network, request)? else {
            return Err(Refusal("Block is invalid".to_owned()));
        };
        rpc::check(network, request, &block, head)?;
        Ok(rpc::processed(&block))
    }))
}

/// The answer to `work_generate` with this nonce, 16 hex digits.
#[wasm_bindgen(js_name = workFound)]
pub fn work_found(network_name: &str, request: &str, nonce: &str) -> Result<String, Fault> {
    let network = network(network_name)?;
    let nonce: WorkNonce = nonce.parse().map_err(Fault::coded("bad-work"))?;
    Ok(with(request, |request| {
        match rpc::plan(network, request)? {
            Plan::Work(wanted) => Ok(rpc::work_found(network, wanted, nonce)),
            _ => Err(Refusal("Unknown command".to_owned())),
        }
    }))
}

/// The answer to `work_cancel`.
#[wasm_bindgen]
#[must_use]
pub fn cancelled() -> String {
    rpc::cancelled().to_string()
}

/// The answer to `version`.
#[wasm_bindgen]
pub fn version(network_name: &str, store: &str) -> Result<String, Fault> {
    let about = About {
        vendor: concat!("Nanonet ", env!("CARGO_PKG_VERSION")).to_owned(),
        store: store.to_owned(),
    };
    Ok(rpc::version(network(network_name)?, &about).to_string())
}
