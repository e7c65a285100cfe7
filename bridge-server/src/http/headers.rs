//! Headers of every answer, and the count of requests.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;

use crate::metrics::{self, Metrics};

/// What the page may load and where it may connect: its own files and wasm, and any bridge, by
/// WebSocket or where that fails by HTTP (a person may add one by address). No inline script, no
/// inline style, nothing foreign. Text becomes code nowhere: only the page's own policy, which lets
/// its workers through, makes Trusted Types.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; img-src 'self' data: blob:; font-src 'self'; \
    connect-src 'self' ws: wss: http: https:; worker-src 'self'; manifest-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types default";

/// The same for every answer. The first three make the page cross-origin isolated, which shared
/// memory between workers and precise timers need.
const FIXED: [(&str, &str); 4] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(self), microphone=(), geolocation=(), payment=()",
    ),
];

/// How long a browser may keep a file whose name changes with its content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Adds the headers.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let immutable = is_hashed(request.uri().path());
    let mut response = next.run(request).await;
    let found = response.status().is_success() || response.status().as_u16() == 304;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let cache = if immutable && found {
        IMMUTABLE
    } else {
        "no-cache"
    };
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(cache));
    response
}

/// Lets pages of every origin read the answer; it holds nothing that belongs to anybody.
pub(super) async fn anyone(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Counts the request under its path group; unknown paths share one, so that strangers cannot
/// make the metrics grow.
pub(super) async fn count(State(all): State<Metrics>, request: Request, next: Next) -> Response {
    let group = match request.uri().path() {
        "/healthz" => "healthz",
        "/metrics" => "metrics",
        "/v1/info" => "info",
        "/v1/weights" => "weights",
        "/v1/bridges" => "bridges",
        "/v1/peers" => "peers",
        "/v1/faucet" => "faucet",
        "/v1/link" => "link",
        "/rpc" => "rpc",
        _ => "page",
    };
    metrics::count(&all.http_requests, group);
    next.run(request).await
}

/// Whether the file's name carries a hash of its content: `name-HASH.ext` or `name.HASH.ext`, the
/// hash eight or more letters and digits with at least one digit.
fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    if extension.eq_ignore_ascii_case("html") {
        return false;
    }
    let Some((_, hash)) = stem.rsplit_once(['-', '.']) else {
        return false;
    };
    hash.len() >= 8
        && hash
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && hash.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_change_with_their_content_are_kept_forever() {
        for path in ["/assets/index-B7d9a1c2.js", "/nanonet.0a1b2c3d4e.wasm"] {
            assert!(is_hashed(path), "{path}");
        }
        for path in [
            "/",
            "/index.html",
            "/index-B7d9a1c2.html",
            "/main.js",
            "/web-application.css",
        ] {
            assert!(!is_hashed(path), "{path}");
        }
    }
}
