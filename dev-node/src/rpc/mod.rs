//! The full node's RPC: HTTP POST, one JSON object in, one out, whatever the path.
//!
//! Names and formats are the full node's, for the actions this project needs, in the node's
//! dialect. Differences: members of objects come in alphabetical order; arrays in requests are
//! limited. There are no wallet actions.

mod account;
mod block;
mod history;
mod network;
mod process;
mod receivable;
mod request;
mod tools;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Dialect;
use crate::node::Shared;

pub(crate) use network::{split, telemetry_fields};
use request::{Refusal, Request};

/// Largest request body in bytes.
const MAX_BODY: usize = 1 << 20;

/// Serves until the node stops.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let stopped = shared.stopped();
    let service = Router::new()
        .fallback(answer)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared);
    let result = axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await;
    if let Err(reason) = result {
        tracing::warn!(%reason, "the RPC ended");
    }
}

async fn answer(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let dialect = shared.dialect();
    let value = match Request::parse(&body, dialect) {
        Ok(request) => dispatch(&shared, &request).await,
        Err(refusal) => Err(refusal),
    };
    let mut value = match value {
        Ok(value) => value,
        Err(refusal) if refusal.is_unreadable && dialect == Dialect::Rs => {
            return (StatusCode::UNPROCESSABLE_ENTITY, refusal.text).into_response();
        }
        Err(refusal) => json!({ "error": refusal.text }),
    };
    dialect.write_work(&mut value);
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

async fn dispatch(shared: &Arc<Shared>, request: &Request) -> Result<Value, Refusal> {
    match request.text("action")? {
        "account_info" => account::info(shared, request),
        "account_balance" => account::balance(shared, request),
        "accounts_balances" => account::balances(shared, request),
        "accounts_frontiers" => account::frontiers(shared, request),
        "account_representative" => account::representative(shared, request),
        "accounts_representatives" => account::representatives(shared, request),
        "account_weight" => account::weight(shared, request),
        "delegators_count" => account::delegators_count(shared, request),
        "account_history" => history::history(shared, request),
        "receivable" | "pending" => receivable::one(shared, request),
        "accounts_receivable" | "accounts_pending" => receivable::many(shared, request),
        "receivable_exists" | "pending_exists" => receivable::exists(shared, request),
        "block_info" => block::info(shared, request),
        "blocks_info" => block::infos(shared, request),
        "block_confirm" => block::confirm(shared, request),
        "block_count" => Ok(block::count(shared)),
        "process" => process::process(shared, request),
        "confirmation_quorum" => Ok(network::confirmation_quorum(shared, request)),
        "confirmation_info" => network::confirmation_info(shared, request),
        "representatives" => network::representatives(shared, request),
        "representatives_online" => network::representatives_online(shared, request),
        "available_supply" => Ok(network::available_supply(shared)),
        "telemetry" => network::telemetry(shared, request),
        "peers" => Ok(network::peers(shared, request)),
        "version" => Ok(tools::version()),
        "active_difficulty" => Ok(tools::active_difficulty(request)),
        "work_generate" => tools::work_generate(shared, request).await,
        "work_validate" => tools::work_validate(request),
        "deterministic_key" => tools::deterministic_key(request),
        "key_expand" => tools::key_expand(request),
        "block_hash" => tools::block_hash(request),
        "validate_account_number" => tools::validate_account_number(request),
        "account_key" => tools::account_key(request),
        "account_get" => tools::account_get(request),
        _ => Err(Refusal::unreadable("Unknown command")),
    }
}
