//! Asking other bridges over HTTP whom they know.
//!
//! What they answer goes to the overlay's node, which verifies each introduction; one that holds
//! comes back as [`nanonet::Event::BridgeFound`]. Limits: [`MAX_ASKED`] bridges a round, [`TIME_OUT`]
//! and [`MAX_BYTES`] each, [`nanonet::MAX_TOLD`] introductions of each.

use std::time::Duration;

use futures_util::future::join_all;
use nanonet::{Input, PeerRecord};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{BridgeList, Directory, WebAddress};
use crate::backoff::Backoff;
use crate::client::client;
use crate::shell::NodeHandle;

/// Pause between two rounds in which somebody answered.
pub(super) const EVERY: Duration = Duration::from_secs(10 * 60);
/// First pause after a round without an answer; it doubles up to [`EVERY`].
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// Bridges asked in one round; listed ones first.
const MAX_ASKED: usize = 32;
/// Longest wait for one answer.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Longest answer in bytes: the most introductions as hex and what is around them.
const MAX_BYTES: usize = 256 * 1024;

/// One introduction as the HTTP interface gives it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    /// The bytes of the [`PeerRecord`], hex; all that a reader goes by.
    pub record: String,
}

/// What `/v1/bridges` and `/v1/peers` answer, as far as a reader goes by it.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(alias = "bridges", alias = "peers")]
    nodes: Vec<Told>,
}

/// Asks the bridges of the list and of the directory, except `own` addresses, again and again. Ends
/// only by being dropped.
pub async fn ask_all(
    list: watch::Receiver<BridgeList>,
    directory: Directory,
    own: Vec<WebAddress>,
    node: NodeHandle,
) {
    let mut backoff = Backoff::new(FIRST_PAUSE, EVERY);
    let mut list = list;
    loop {
        let mut asked: Vec<WebAddress> = list.borrow_and_update().iter().cloned().collect();
        for known in directory.addresses() {
            if !asked.contains(&known) {
                asked.push(known);
            }
        }
        asked.retain(|address| !own.contains(address));
        asked.truncate(MAX_ASKED);
        let answers = join_all(asked.iter().map(ask)).await;
        let mut answered = false;
        for records in answers.into_iter().flatten() {
            answered = true;
            if !node.input(Input::Introduced(records)).await {
                return;
            }
        }
        let pause = if answered {
            backoff.reset();
            EVERY
        } else {
            backoff.pause()
        };
        tokio::select! {
            () = sleep(pause) => {}
            // The list came out of the DNS only now. Without a sender it stays as it is.
            Ok(()) = list.changed() => {}
        }
    }
}

/// Whom a bridge knows; `None` if it does not say.
async fn ask(bridge: &WebAddress) -> Option<Vec<PeerRecord>> {
    let client = client(TIME_OUT).ok()?;
    let url = format!("{bridge}/v1/bridges");
    let mut response = client.get(url).send().await.ok()?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_BYTES {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    read(&body)
}

/// The introductions in an answer of `/v1/bridges` or `/v1/peers`, to be verified; those that cannot
/// be read are left out. `None` if it is no such answer.
#[must_use]
pub fn read(body: &[u8]) -> Option<Vec<PeerRecord>> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    let told = answer.nodes.iter().take(nanonet::MAX_TOLD);
    let records = told.filter_map(|told| PeerRecord::from_bytes(&hex::decode(&told.record).ok()?));
    Some(records.collect())
}
