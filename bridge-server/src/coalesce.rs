//! Equal questions asked at the same time are asked once.
//!
//! The first asker's question runs in a task of its own, so it goes on when that asker leaves;
//! later askers of the same key wait for the same answer. At most `limit` questions run at once;
//! beyond it a new one is refused, waiting for a running one is not.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

type Running<K, V> = Arc<Mutex<BTreeMap<K, watch::Receiver<Option<V>>>>>;

/// Questions by key `K` with answers `V`; cloning shares them.
#[derive(Debug)]
pub struct Coalesce<K, V> {
    running: Running<K, V>,
    limit: usize,
}

impl<K, V> Clone for Coalesce<K, V> {
    fn clone(&self) -> Self {
        Self {
            running: Arc::clone(&self.running),
            limit: self.limit,
        }
    }
}

impl<K, V> Coalesce<K, V>
where
    K: Ord + Clone + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// At most `limit` different questions at once.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            running: Arc::default(),
            limit,
        }
    }

    /// The answer to `key`: `question` is run unless an equal one runs already. `None` when too
    /// many run, or when the question's task was ended with the runtime.
    pub async fn ask<F>(&self, key: K, question: F) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut answer = self.join(key, question)?;
        answer.wait_for(Option::is_some).await.ok()?.clone()
    }

    fn join<F>(&self, key: K, question: F) -> Option<watch::Receiver<Option<V>>>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = running.get(&key) {
            return Some(answer.clone());
        }
        if running.len() >= self.limit {
            return None;
        }
        let (sender, receiver) = watch::channel(None);
        running.insert(key.clone(), receiver.clone());
        let leave = Leave {
            running: Arc::clone(&self.running),
            key,
        };
        tokio::spawn(async move {
            let value = question.await;
            // Removed before it is told, so that whoever heard it and asks again asks anew.
            drop(leave);
            sender.send_replace(Some(value));
        });
        Some(receiver)
    }
}

/// Removes the question however its task ends.
struct Leave<K: Ord, V> {
    running: Running<K, V>,
    key: K,
}

impl<K: Ord, V> Drop for Leave<K, V> {
    fn drop(&mut self) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    #[tokio::test]
    async fn equal_questions_are_asked_once_and_answered_alike() {
        let all = Coalesce::new(8);
        let asked = Arc::new(AtomicU32::new(0));
        let gate = Arc::new(Notify::new());
        let question = || {
            let (asked, gate) = (Arc::clone(&asked), Arc::clone(&gate));
            async move {
                gate.notified().await;
                asked.fetch_add(1, Ordering::SeqCst)
            }
        };
        let open = async {
            tokio::task::yield_now().await;
            gate.notify_one();
        };
        let (first, second, ()) =
            tokio::join!(all.ask(1, question()), all.ask(1, question()), open);
        assert_eq!((first, second), (Some(0), Some(0)));
        gate.notify_one();
        assert_eq!(all.ask(1, question()).await, Some(1));
    }

    #[tokio::test]
    async fn a_question_beyond_the_limit_is_refused_and_an_equal_one_still_joins() {
        let all = Coalesce::new(1);
        let gate = Arc::new(Notify::new());
        let wait = Arc::clone(&gate);
        let first = all.join(1, async move { wait.notified().await }).unwrap();
        assert!(all.ask(2, async {}).await.is_none());
        gate.notify_one();
        assert_eq!(all.ask(1, async {}).await, Some(()));
        assert!(first.has_changed().is_err() || first.borrow().is_some());
    }

    #[tokio::test]
    async fn a_question_survives_the_asker_who_left() {
        let all = Coalesce::new(1);
        let gate = Arc::new(Notify::new());
        let wait = Arc::clone(&gate);
        let mut left = Box::pin(all.ask(1, async move {
            wait.notified().await;
            7
        }));
        tokio::select! {
            biased;
            _ = &mut left => panic!("answered before the gate was opened"),
            () = std::future::ready(()) => {}
        }
        drop(left);
        gate.notify_one();
        assert_eq!(all.ask(1, async { 8 }).await, Some(7));
    }
}
