//! Runs the recorded test vectors against `nano-core`: the same code natively, as tests, and as
//! wasm in a browser, where [`run`] is exported as `runVectors`.
//!
//! The data of a topic is passed in as text, so that the browser fetches what the tests include.
//! Rules: a field that nothing reads, a section without rows, or an unknown topic is a failure,
//! because a vector that is silently skipped proves nothing.

mod report;
mod topics;

pub use report::Report;

use report::Checks;

/// The topics, each a folder of `data`.
pub const TOPICS: [&str; 12] = [
    "networks",
    "addresses",
    "keys",
    "blocks",
    "work",
    "signatures",
    "votes",
    "handshake",
    "messages",
    "bootstrap-weights-live",
    "rpc-samples",
    "websocket-samples",
];

/// Checks every row of a topic's data file and reports how many checks were made and which failed.
#[must_use]
pub fn run(topic: &str, json: &str) -> Report {
    let mut checks = Checks::default();
    let run = match topic {
        "networks" => topics::networks::run,
        "addresses" => topics::addresses::run,
        "keys" => topics::keys::run,
        "blocks" => topics::blocks::run,
        "work" => topics::work::run,
        "signatures" => topics::signatures::run,
        "votes" => topics::votes::run,
        "handshake" => topics::handshake::run,
        "messages" => topics::messages::run,
        "bootstrap-weights-live" => topics::weights::run,
        "rpc-samples" => topics::rpc_samples::run,
        "websocket-samples" => topics::websocket_samples::run,
        _ => topics::unknown,
    };
    if let Err(error) = run(json, &mut checks) {
        checks.fail(format!("the data cannot be read: {error}"));
    }
    checks.into_report(topic)
}

/// [`run`] for a browser: the report as JSON text `{topic, checks, failures: []}`.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(js_name = runVectors)]
#[must_use]
pub fn run_vectors(topic: &str, json: &str) -> String {
    run(topic, json).to_json()
}
