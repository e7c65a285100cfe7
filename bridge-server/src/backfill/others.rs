//! Which other bridges walk, too.
//!
//! Most bridges need not: a range left to one that does not walk would stay empty. So only those
//! count that say so themselves. Each bridge that this one dials is asked at its `/v1/info`, again
//! every [`ASK`], and what it said holds for [`HOLDS`]. Rules:
//! - one that says nothing, or that it walks at no pace, does not count, and neither does one that
//!   dials us without being dialled: then both walk the same ranges, which loses nothing;
//! - of any bridges that count each other, in whatever direction, the one with the largest claim to
//!   a range walks it, because nobody outdoes it;
//! - the key that is named is only used beside an open link of that key.
//!
//! Limits: [`TIME_OUT`] and [`MAX_BYTES`] per bridge; as many bridges as the configuration allows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use nanonet::NodeKey;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::client::client;

/// Pause between two questions to one bridge.
const ASK: Duration = Duration::from_secs(30);
/// The same while one of them has not answered: it may be starting.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// How long an answer holds: three questions.
const HOLDS: Duration = Duration::from_secs(90);
/// Longest wait for one answer.
const TIME_OUT: Duration = Duration::from_secs(10);
/// Longest answer in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Bridges that said they walk, and when; cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Others(Arc<Mutex<BTreeMap<NodeKey, Instant>>>);

/// What of `/v1/info` matters here.
#[derive(Debug, Deserialize)]
struct Info {
    key: String,
    backfill: Backfill,
}

#[derive(Debug, Deserialize)]
struct Backfill {
    pace: u32,
}

impl Others {
    /// Whether this bridge has lately said that it walks.
    #[must_use]
    pub fn contains(&self, bridge: &NodeKey, now: Instant) -> bool {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.get(bridge).is_some_and(|at| holds(*at, now))
    }

    fn note(&self, bridge: NodeKey, pace: u32, now: Instant) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, at| holds(*at, now));
        match pace {
            0 => said.remove(&bridge),
            _ => said.insert(bridge, now),
        };
    }
}

fn holds(said: Instant, now: Instant) -> bool {
    now.saturating_duration_since(said) < HOLDS
}

/// Asks these bridges (`host:port`) whether they walk. Ends only by being dropped.
pub async fn ask_all(bridges: Vec<String>, others: Others) {
    loop {
        let answers = join_all(bridges.iter().map(|bridge| ask(bridge))).await;
        let all_answered = answers.iter().all(Option::is_some);
        let (said, now) = (answers.into_iter().flatten(), Instant::now());
        said.for_each(|(bridge, pace)| others.note(bridge, pace, now));
        sleep(if all_answered { ASK } else { ASK_AGAIN }).await;
    }
}

/// A bridge's key and pace.
async fn ask(bridge: &str) -> Option<(NodeKey, u32)> {
    let client = client(TIME_OUT).ok()?;
    let url = format!("http://{bridge}/v1/info");
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

/// What a bridge's `/v1/info` says: its key and its pace.
pub(super) fn read(body: &[u8]) -> Option<(NodeKey, u32)> {
    let info: Info = serde_json::from_slice(body).ok()?;
    Some((info.key.parse().ok()?, info.backfill.pace))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanonet::{Identity, Rng};

    #[test]
    fn who_says_that_it_walks_counts_until_it_says_no_or_nothing() {
        let (others, now) = (Others::default(), Instant::now());
        let key = Identity::generate(&mut Rng::from_seed([5; 32])).node_key();
        assert!(!others.contains(&key, now));
        others.note(key, 16, now);
        assert!(others.contains(&key, now));
        others.note(key, 0, now);
        assert!(!others.contains(&key, now));
        others.note(key, 16, now);
        assert!(others.contains(&key, now + HOLDS - Duration::from_millis(1)));
        assert!(!others.contains(&key, now + HOLDS));
    }
}
