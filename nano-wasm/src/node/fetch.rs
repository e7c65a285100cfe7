//! What bridges answer over HTTP: text for whoever asks, and introductions for when their WebSocket
//! fails.

use nanonet::PeerRecord;
use serde::Deserialize;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response, WorkerGlobalScope};

/// Longest wait for a bridge's answer, milliseconds.
const ANSWER_MS: u32 = 5_000;
/// Largest answer, in UTF-16 units: 4096 representatives are a third of it.
const LARGEST_ANSWER: u32 = 1 << 20;

/// What `/v1/bridges` and `/v1/peers` answer, as far as it counts.
#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "bridges", alias = "peers")]
    nodes: Vec<Told>,
}

#[derive(Deserialize)]
struct Told {
    record: String,
}

/// The bridges and the peers that a bridge names, to be verified; none if it does not answer.
pub(super) async fn introductions(origin: &str) -> [Vec<PeerRecord>; 2] {
    [named(origin, "bridges").await, named(origin, "peers").await]
}

async fn named(origin: &str, what: &str) -> Vec<PeerRecord> {
    let text = fetch(&format!("{origin}/v1/{what}")).await;
    let answer = text
        .ok()
        .and_then(|text| serde_json::from_str::<Answer>(&text).ok());
    let nodes = answer.map_or_else(Vec::new, |answer| answer.nodes);
    let records = nodes.iter().take(nanonet::MAX_TOLD);
    records
        .filter_map(|told| PeerRecord::from_bytes(&hex::decode(&told.record).ok()?))
        .collect()
}

/// The text at an address, or why there is none.
pub(super) async fn fetch(url: &str) -> Result<String, String> {
    let text = |error: wasm_bindgen::JsValue| {
        error
            .dyn_ref::<js_sys::Error>()
            .map_or_else(|| "no answer".into(), |error| String::from(error.message()))
    };
    let worker: WorkerGlobalScope = js_sys::global().unchecked_into();
    let options = RequestInit::new();
    options.set_signal(Some(&AbortSignal::timeout_with_u32(ANSWER_MS)));
    let response = JsFuture::from(worker.fetch_with_str_and_init(url, &options));
    let response: Response = response.await.map_err(text)?.unchecked_into();
    if !response.ok() {
        return Err(format!("HTTP status {}", response.status()));
    }
    let body = JsFuture::from(response.text().map_err(text)?);
    let body: js_sys::JsString = body.await.map_err(text)?.unchecked_into();
    if body.length() > LARGEST_ANSWER {
        return Err("its answer is too long".into());
    }
    Ok(body.into())
}
