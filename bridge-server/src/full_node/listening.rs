//! Who listens to the votes of one channel.
//!
//! Votes carry no id, so everybody who has asked hears all of them and takes what is his. Each has
//! a queue of [`HEARD`] votes; one that is behind loses votes and knows it ([`Votes::has_lost`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nano_core::Vote;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// Votes that may wait for one listener: several answers of every representative of a big node.
const HEARD: usize = 512;

/// Somebody who listens.
#[derive(Debug)]
struct Listener {
    votes: mpsc::Sender<Arc<Vote>>,
    lost: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    listeners: BTreeMap<u64, Listener>,
}

/// Everybody who listens to one channel; cloning shares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening(Arc<Mutex<Inner>>);

impl Listening {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens from now on.
    pub(super) fn listen(&self) -> Votes {
        let (sender, votes) = mpsc::channel(HEARD);
        let lost = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            votes: sender,
            lost: Arc::clone(&lost),
        };
        let mut inner = self.lock();
        inner.last += 1;
        let number = inner.last;
        inner.listeners.insert(number, listener);
        drop(inner);
        Votes {
            number,
            listening: self.clone(),
            votes,
            lost,
        }
    }

    /// The channel has ended: nobody hears anything more.
    pub(super) fn end(&self) {
        self.lock().listeners.clear();
    }

    /// Hands a vote to everybody; how many are behind and lose it.
    pub(super) fn tell(&self, vote: &Arc<Vote>) -> usize {
        let behind = |listener: &&Listener| listener.votes.try_send(Arc::clone(vote)).is_err();
        let inner = self.lock();
        let lost = inner.listeners.values().filter(behind);
        lost.map(|listener| listener.lost.store(true, Ordering::Relaxed))
            .count()
    }
}

/// Votes of one channel, from the moment of asking on.
#[derive(Debug)]
pub struct Votes {
    number: u64,
    listening: Listening,
    votes: mpsc::Receiver<Arc<Vote>>,
    lost: Arc<AtomicBool>,
}

impl Votes {
    /// The next vote; `None` at the deadline or when the channel has ended.
    pub async fn next(&mut self, deadline: Instant) -> Option<Arc<Vote>> {
        timeout_at(deadline, self.votes.recv()).await.ok().flatten()
    }

    /// Whether a vote did not fit the queue: what was not heard is then no silence.
    #[must_use]
    pub fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for Votes {
    fn drop(&mut self) {
        self.listening.lock().listeners.remove(&self.number);
    }
}
