//! The HTTP interface for wallets without the nanonet.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use nano_core::UnixMillis;
use nanonet::notify::{
    Ask, Cursor, MAX_FOUND, Outcome, Refusal, RelayAddress, Reply, Sealed, base_difficulty,
};
use serde::{Deserialize, Serialize};

use super::OPENAPI;
use super::form::{DeletionForm, SealedForm, StampForm, tag};
use crate::http::{ApiError, Site, stopping};

/// Notifications in one answer, if not said otherwise.
const USUAL: usize = 200;
/// Most notifications in one answer.
const MOST: usize = 1_000;

/// Why a notification was not taken, with what a program needs to do better.
#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    error: &'static str,
    message: String,
    /// What the work must reach, 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<String>,
    /// Bytes that would be accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<u32>,
    /// Seconds after which it is worth trying.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// Receipts of stores that have it all the same.
    receipts: Vec<StampForm>,
}

impl Refused {
    fn new(refusal: Refusal, receipts: Vec<StampForm>) -> Self {
        let needed = match refusal {
            Refusal::TooLittleWork { needed } | Refusal::Busy { needed } => {
                Some(needed.to_string())
            }
            _ => None,
        };
        let room = match refusal {
            Refusal::Full { room } => Some(room),
            _ => None,
        };
        let retry_after = match refusal {
            Refusal::TooOften { retry_s } => Some(retry_s),
            Refusal::Storage | Refusal::Busy { .. } => Some(10),
            _ => None,
        };
        Self {
            error: refusal.code(),
            message: refusal.to_string(),
            needed,
            room,
            retry_after,
            receipts,
        }
    }
}

const fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::TooLittleWork { .. } => StatusCode::PAYMENT_REQUIRED,
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::TagFull { .. } | Refusal::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Refusal::Storage | Refusal::Busy { .. } | Refusal::NoRelay => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Refusal::Replayed => StatusCode::CONFLICT,
        Refusal::NotTheOwner => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn refused(refusal: Refusal, receipts: Vec<StampForm>) -> Response {
    (status_of(&refusal), Json(Refused::new(refusal, receipts))).into_response()
}

fn bad(field: &'static str) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "bad-field",
        format!(
            "the field {field} cannot be read; see /v1/notifications/openapi.json for its form"
        ),
    )
}

fn bad_body(error: &JsonRejection) -> ApiError {
    ApiError::new(error.status(), "bad-request", error.body_text())
}

fn bad_query(error: &QueryRejection) -> ApiError {
    ApiError::new(error.status(), "bad-request", error.body_text())
}

/// Receipts of a put.
#[derive(Debug, Serialize)]
struct Placed {
    hash: String,
    receipts: Vec<StampForm>,
}

/// Keeps a notification on those bridges that it belongs on, and answers when enough have it on their disks.
pub(crate) async fn put(
    State(site): State<Site>,
    body: Result<Json<SealedForm>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(form) = body.map_err(|error| bad_body(&error))?;
    let sealed = form.read().map_err(bad)?;
    // What is wrong in itself goes no further.
    if let Err(refusal) = sealed
        .check_form()
        .and_then(|()| sealed.check_time(crate::clock::now()))
    {
        return Ok(refused(refusal, Vec::new()));
    }
    let hash = sealed.hash.to_string();
    let outcome = site.notifications.put(&site.node, sealed).await;
    match outcome.ok_or_else(stopping)? {
        Outcome::Placed(stamps) => {
            let receipts = stamps.iter().map(Into::into).collect();
            Ok(Json(Placed { hash, receipts }).into_response())
        }
        Outcome::NotPlaced { stamps, refusal } => {
            let receipts = stamps.iter().map(Into::into).collect();
            match refusal {
                Some(refusal) => Ok(refused(refusal, receipts)),
                None => Err(nobody()),
            }
        }
        _ => Err(stopping()),
    }
}

fn nobody() -> ApiError {
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "no-relays",
        "too few bridges that keep notifications can be reached; try again in a minute",
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    /// 64 hex digits.
    recipient_pubkey: String,
    /// Unix milliseconds; 0 = everything.
    #[serde(default)]
    since: u64,
    /// `timestamp:nr_…` of the last one of the answer before.
    after: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Found {
    notifications: Vec<SealedForm>,
    /// How many bridges answered to the end; more is surer.
    relays: usize,
    /// What to give as `after` for more.
    next: Option<String>,
}

fn cursor(text: &str) -> Option<Cursor> {
    let (timestamp, hash) = text.split_once(':')?;
    Some(Cursor {
        timestamp: UnixMillis(timestamp.parse().ok()?),
        hash: hash.parse::<RelayAddress>().ok()?,
    })
}

/// What lies under a tag since a time, merged from those who keep it.
pub(crate) async fn get(
    State(site): State<Site>,
    query: Result<Query<Since>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| bad_query(&error))?;
    let tag = tag(&query.recipient_pubkey).ok_or_else(|| bad("recipient_pubkey"))?;
    let after = match &query.after {
        None => None,
        Some(text) => Some(cursor(text).ok_or_else(|| bad("after"))?),
    };
    let limit = query.limit.unwrap_or(USUAL);
    if limit == 0 || limit > MOST {
        return Err(bad("limit"));
    }
    let since = UnixMillis(query.since);
    let since = after.map_or(since, |after| since.max(after.timestamp));
    let outcome = site.notifications.get(&site.node, tag, since).await;
    let Some(Outcome::Found { items, answered }) = outcome else {
        return Err(stopping());
    };
    if answered == 0 {
        return Err(nobody());
    }
    let at = |sealed: &Sealed| Cursor {
        timestamp: sealed.timestamp,
        hash: sealed.hash,
    };
    let whole = items.len() < MAX_FOUND;
    let mut rest = items
        .iter()
        .filter(|sealed| after.is_none_or(|after| at(sealed) > after))
        .peekable();
    let taken: Vec<&Sealed> = rest.by_ref().take(limit).collect();
    let more = rest.peek().is_some() || !whole;
    let next = taken.last().filter(|_| more).map(|last| {
        let timestamp = last.timestamp.number();
        format!("{timestamp}:{}", last.hash)
    });
    let notifications = taken.into_iter().map(Into::into).collect();
    Ok(Json(Found {
        notifications,
        relays: answered,
        next,
    })
    .into_response())
}

/// Has a notification forgotten.
pub(crate) async fn delete(
    State(site): State<Site>,
    body: Result<Json<DeletionForm>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(form) = body.map_err(|error| bad_body(&error))?;
    let deletion = form.read().map_err(bad)?;
    if !deletion.holds(site.identity.network) {
        return Ok(refused(Refusal::NotTheOwner, Vec::new()));
    }
    let outcome = site.notifications.delete(&site.node, deletion).await;
    match outcome.ok_or_else(stopping)? {
        Outcome::Deleted(0) => Err(nobody()),
        Outcome::Deleted(relays) => {
            Ok(Json(serde_json::json!({ "relays": relays })).into_response())
        }
        _ => Err(stopping()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfTag {
    recipient_pubkey: String,
}

/// What the work for a tag must reach at this bridge now.
pub(crate) async fn difficulty(
    State(site): State<Site>,
    query: Result<Query<OfTag>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| bad_query(&error))?;
    let tag = tag(&query.recipient_pubkey).ok_or_else(|| bad("recipient_pubkey"))?;
    let reply = site.notifications.ask(&site.node, Ask::Price(tag)).await;
    match reply.ok_or_else(stopping)? {
        Reply::Price { needed, room } => {
            let base = base_difficulty(site.identity.network);
            Ok(Json(serde_json::json!({
                "difficulty": needed,
                "base": base,
                "multiplier": needed.multiplier(base),
                "room": room,
            }))
            .into_response())
        }
        Reply::Refused(refusal) => Ok(refused(refusal, Vec::new())),
        _ => Err(stopping()),
    }
}

#[derive(Debug, Serialize)]
struct Provider {
    key: String,
    addresses: Vec<String>,
}

/// Who holds what lies under a tag.
pub(crate) async fn providers(
    State(site): State<Site>,
    query: Result<Query<OfTag>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|error| bad_query(&error))?;
    let tag = tag(&query.recipient_pubkey).ok_or_else(|| bad("recipient_pubkey"))?;
    let reply = site
        .notifications
        .ask(&site.node, Ask::Providers(tag))
        .await;
    let Reply::Providers(keys) = reply.ok_or_else(stopping)? else {
        return Err(stopping());
    };
    let directory = site.notifications.ask(&site.node, Ask::Directory(0)).await;
    let listed = match directory {
        Some(Reply::Directory(Some(directory))) => directory.bridges,
        _ => Vec::new(),
    };
    let providers: Vec<Provider> = keys
        .into_iter()
        .map(|key| {
            let record = listed.iter().find(|record| record.node_key == key);
            let addresses = record
                .into_iter()
                .flat_map(|record| record.addresses.iter());
            Provider {
                key: key.to_string(),
                addresses: addresses
                    .map(|address| address.as_str().to_owned())
                    .collect(),
            }
        })
        .collect();
    Ok(Json(serde_json::json!({ "providers": providers })).into_response())
}

/// How much this bridge's store holds, and which directory is in force.
pub(crate) async fn status(State(site): State<Site>) -> Result<Response, ApiError> {
    let directory = site.notifications.ask(&site.node, Ask::Directory(0)).await;
    let (version, bridges) = match directory.ok_or_else(stopping)? {
        Reply::Directory(Some(directory)) => (directory.version, directory.bridges.len()),
        _ => (0, 0),
    };
    let figures = site.node.notify_figures().await.ok_or_else(stopping)?;
    let figures = figures.unwrap_or_default();
    Ok(Json(serde_json::json!({
        "held": figures.held,
        "bytes": figures.bytes,
        "deletions": figures.deletions,
        "accepted": figures.accepted,
        "refused": figures.refused,
        "repaired": figures.repaired,
        "pushed": figures.pushed,
        "directory": { "version": version, "bridges": bridges },
    }))
    .into_response())
}

/// The description of all this.
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}
