//! Looking up blocks that only votes were heard of.
//!
//! States of one: *waiting* for its time, *running*, gone (found, or not had after [`TRIES`]
//! tries). The pause after a failed try is [`PAUSE`], then twice as long each time. Limits:
//! [`WAITING`] blocks wait and [`AT_ONCE`] run. One that finds no place is refused; like one that
//! was not had it is put again when a further representative votes for it.

use std::collections::BTreeMap;
use std::time::Duration;

use nano_core::{Block, BlockHash};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::ask::Asker;

/// Look-ups at once.
const AT_ONCE: usize = 32;
/// Blocks that wait for their look-up.
const WAITING: usize = 1_024;
/// Tries for one block.
const TRIES: u32 = 5;
/// After the first failed try; longer than an "unknown" is remembered.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
struct Wait {
    at: Instant,
    tries: u32,
}

/// How a look-up ended.
#[derive(Debug)]
pub(super) enum Fetched {
    /// The block.
    Block(Box<Block>),
    /// Nobody gave it so far; it waits for the next try.
    Later,
    /// Given up.
    Lost(BlockHash),
}

/// The queue.
#[derive(Debug)]
pub(super) struct Fetches {
    waiting: BTreeMap<BlockHash, Wait>,
    running: JoinSet<(BlockHash, u32, Option<Block>)>,
    asker: Asker,
}

impl Fetches {
    /// An empty queue.
    pub(super) fn new(asker: Asker) -> Self {
        Self {
            waiting: BTreeMap::new(),
            running: JoinSet::new(),
            asker,
        }
    }

    /// Puts a block that is to be looked up after `pause`; false when there is no place.
    pub(super) fn put(&mut self, hash: BlockHash, pause: Duration) -> bool {
        self.wait(hash, pause, 0)
    }

    fn wait(&mut self, hash: BlockHash, pause: Duration, tries: u32) -> bool {
        let has_place = self.waiting.len() < WAITING;
        if has_place {
            let at = Instant::now() + pause;
            self.waiting.insert(hash, Wait { at, tries });
        }
        has_place
    }

    /// Starts what is due, unless `is_news` says that it is no longer worth it.
    pub(super) fn start(&mut self, is_news: impl Fn(&BlockHash) -> bool) {
        let now = Instant::now();
        let due = self.waiting.iter().filter(|(_, wait)| wait.at <= now);
        let mut due: Vec<_> = due
            .map(|(hash, wait)| (wait.at, *hash, wait.tries))
            .collect();
        due.sort_unstable();
        for (_, hash, tries) in due {
            if self.running.len() >= AT_ONCE {
                return;
            }
            self.waiting.remove(&hash);
            if !is_news(&hash) {
                continue;
            }
            let asker = self.asker.clone();
            self.running
                .spawn(async move { (hash, tries + 1, asker.block(hash).await.ok()) });
        }
    }

    /// Waits for a look-up to be over; `None` when there is none.
    pub(super) async fn ended(&mut self) -> Option<Fetched> {
        // A task that failed ended with the runtime.
        let (hash, tries, block) = self.running.join_next().await?.ok()?;
        if let Some(block) = block {
            return Some(Fetched::Block(Box::new(block)));
        }
        let pause = PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1));
        let waits = tries < TRIES && self.wait(hash, pause, tries);
        Some(if waits {
            Fetched::Later
        } else {
            Fetched::Lost(hash)
        })
    }
}
