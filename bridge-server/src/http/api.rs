//! The JSON API, health and metrics.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use dev_node::DevKeys;
use nano_core::Account;
use serde::{Deserialize, Serialize};

use super::Site;
use crate::backfill::Coverage;
use crate::clock;
use crate::faucet::FaucetError;
use crate::live::tally::view::Overview;

/// An error of the API, as JSON with a code for programs and a message for people.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "error": self.code, "message": self.message });
        (self.status, Json(body)).into_response()
    }
}

/// Alive as long as it answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

pub(super) async fn metrics(State(site): State<Site>) -> Result<Response, ApiError> {
    let table = site.weights.current();
    let age = clock::now().0.saturating_sub(table.as_of.0) / 1000;
    site.metrics
        .weights_age_seconds
        .set(i64::try_from(age).unwrap_or(i64::MAX));
    let text = site.metrics.text().ok_or_else(|| {
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "metrics-unwritable",
            "the metrics could not be written; look at the log",
        )
    })?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

#[derive(Serialize)]
struct Info {
    network: String,
    key: String,
    id: String,
    /// `member`, or why the bridge is named to nobody: `searching` for join work, or it `lapsed`.
    standing: &'static str,
    version: &'static str,
    weights: WeightsInfo,
    full_node_channels: i64,
    reach: ReachInfo,
    links: i64,
    records: i64,
    backfill: Coverage,
    faucet: bool,
    /// Accounts worth asking for, on a development network only.
    samples: Vec<SampleAccount>,
}

#[derive(Serialize)]
struct SampleAccount {
    name: &'static str,
    account: Account,
}

/// Accounts of the development distribution that show different things.
fn samples() -> Vec<SampleAccount> {
    let sample = |name, account| SampleAccount { name, account };
    vec![
        sample("the faucet", DevKeys::faucet_account()),
        sample(
            "the largest representative",
            DevKeys::representative(0).account(),
        ),
        sample(
            "an account with payments waiting",
            DevKeys::sample(DevKeys::SAMPLE_WAITING).account(),
        ),
        sample(
            "an account of old blocks",
            DevKeys::sample(DevKeys::SAMPLE_LEGACY).account(),
        ),
        sample(
            "one never opened",
            DevKeys::sample(DevKeys::SAMPLE_UNOPENED).account(),
        ),
    ]
}

/// Voting weight reachable at full nodes; amounts in raw as decimal text.
#[derive(Serialize)]
struct ReachInfo {
    reachable: String,
    online: String,
    needed: String,
    /// Reachable of online, in percent with one decimal place.
    percent: f64,
}

#[derive(Serialize)]
struct WeightsInfo {
    as_of: u64,
    age_seconds: u64,
    source: &'static str,
    representatives: usize,
    threshold: String,
    online_weight: String,
    minimum: String,
    /// Past 90 days: high values must not be called proven by it.
    stale: bool,
}

/// That the bridge is on its way down.
pub(crate) fn stopping() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "stopping",
        "the bridge is being stopped; ask again when it runs",
    )
}

pub(super) async fn info(State(site): State<Site>) -> Result<impl IntoResponse, ApiError> {
    let status = site.node.status().await.ok_or_else(stopping)?;
    let table = site.weights.current();
    let reach = site.full_nodes.reach();
    let tenths = u32::try_from(reach.ppm_of_online() / 1_000).unwrap_or(u32::MAX);
    Ok(Json(Info {
        network: site.identity.network.to_string(),
        key: site.identity.key.to_string(),
        id: status.id.to_string(),
        standing: status.standing.name(),
        version: env!("CARGO_PKG_VERSION"),
        weights: WeightsInfo {
            as_of: table.as_of.0,
            age_seconds: clock::now().0.saturating_sub(table.as_of.0) / 1000,
            source: site.weights.source(),
            representatives: table.weights.len(),
            threshold: table.threshold().to_string(),
            online_weight: table.online_weight.to_string(),
            minimum: table.minimum.to_string(),
            stale: nanonet::weights::is_stale(&table, clock::now()),
        },
        full_node_channels: site.metrics.full_node_channels.get(),
        reach: ReachInfo {
            reachable: reach.reachable.to_string(),
            online: reach.online.to_string(),
            needed: reach.threshold.to_string(),
            percent: f64::from(tenths) / 10.0,
        },
        links: site.metrics.links.get(),
        records: site.metrics.records.get(),
        backfill: site.backfill.get(),
        faucet: site.faucet.is_some(),
        samples: site.faucet.as_ref().map_or_else(Vec::new, |_| samples()),
    }))
}

/// The weight table in force. Trust it from an anchor bridge or on the dev network only.
pub(super) async fn weights(State(site): State<Site>) -> impl IntoResponse {
    Json(site.weights.current().as_ref().clone())
}

/// What this bridge's own full node says, signed: one anchor's offer.
pub(super) async fn own_weights(State(site): State<Site>) -> Result<Response, ApiError> {
    let signed = site.own_weights.current().ok_or_else(|| {
        ApiError::new(
            StatusCode::NOT_FOUND,
            "no-own-weights",
            "this bridge reads no full node's weights; its operator can give --rpc",
        )
    })?;
    Ok(Json(signed.as_ref().clone()).into_response())
}

/// How the elections that this bridge sees stand, [`crate::live::SHOWN`] of them at most.
pub(super) async fn elections(State(site): State<Site>) -> Result<Json<Overview>, ApiError> {
    let overview = site.elections.overview().await;
    overview.map(Json).ok_or_else(stopping)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaucetRequest {
    account: String,
}

/// The body of a faucet request, for [`crate::decoders`]. Accepted if it names an account.
#[cfg(feature = "decoders")]
pub fn faucet_request(bytes: &[u8]) -> bool {
    let request = Json::<FaucetRequest>::from_bytes(bytes);
    request.is_ok_and(|Json(request)| request.account.parse::<Account>().is_ok())
}

/// What the faucet did.
#[derive(Debug, Serialize)]
pub(super) struct FaucetReply {
    /// Hash of the send, 64 hex digits.
    hash: String,
    /// Amount sent, in raw.
    amount: String,
}

pub(super) async fn faucet(
    State(site): State<Site>,
    body: Result<Json<FaucetRequest>, JsonRejection>,
) -> Result<Json<FaucetReply>, ApiError> {
    let Some(faucet) = site.faucet else {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no-faucet",
            "this bridge has no development network inside; start it with --embedded-devnet",
        ));
    };
    let Json(request) = body.map_err(|error| {
        ApiError::new(
            error.status(),
            "bad-request",
            format!("{}; send {{\"account\": \"nano_…\"}}", error.body_text()),
        )
    })?;
    let account: Account = request.account.parse().map_err(|error| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad-account", format!("{error}"))
    })?;
    let sent = faucet.give(account).await.map_err(|error| {
        let (status, code) = match error {
            FaucetError::TooOften { .. } => (StatusCode::TOO_MANY_REQUESTS, "too-often"),
            FaucetError::Refused(_) => (StatusCode::SERVICE_UNAVAILABLE, "faucet-failed"),
        };
        ApiError::new(status, code, error.to_string())
    })?;
    Ok(Json(FaucetReply {
        hash: sent.hash.to_string(),
        amount: sent.amount.to_string(),
    }))
}

pub(super) async fn unknown(uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(
        StatusCode::NOT_FOUND,
        "unknown-path",
        format!(
            "there is no {path}; known are /v1/info, /v1/weights, /v1/weights/signed, /v1/elections, /v1/bridges, /v1/peers, /v1/notifications, /v1/faucet and /v1/link"
        ),
    )
}

pub(super) async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    let path: String = uri.path().chars().take(200).collect();
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong-method",
        format!("{path} does not take {method}"),
    )
}
