//! A full node's RPC by POST, at `/rpc` and, as full nodes have it, at `/`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Site;

pub(super) async fn answer(State(site): State<Site>, body: Bytes) -> Response {
    match site.facade.answer(&body).await {
        Ok(answer) => Json(answer).into_response(),
        Err(busy) => {
            let error = Json(json!({ "error": busy.to_string() }));
            (StatusCode::SERVICE_UNAVAILABLE, error).into_response()
        }
    }
}

/// What a browser asks before it lets a page of another origin post JSON. Any header may come along: clients send
/// keys for services of their own, which are not looked at here.
pub(super) async fn preflight(asked: HeaderMap) -> Response {
    let wanted = asked.get("access-control-request-headers").cloned();
    let mut headers = HeaderMap::new();
    let fixed = |text| axum::http::HeaderValue::from_static(text);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, fixed("POST"));
    headers.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        wanted.unwrap_or_else(|| fixed("content-type")),
    );
    headers.insert(ACCESS_CONTROL_MAX_AGE, fixed("86400"));
    (StatusCode::NO_CONTENT, headers).into_response()
}
