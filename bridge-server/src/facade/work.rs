//! Work for clients: one search at a time, on one thread; a few may wait.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nano_core::rpc::{Refusal, WorkWanted};
use nano_core::{Root, WorkNonce};
use nano_pow::Kernel;
use tokio::sync::Semaphore;

use crate::clock;

/// Searches that run or wait.
const PLACES: usize = 8;
/// Nonces tried between two looks at whether the search is still wanted.
const BATCH: u32 = 1 << 20;

/// Where work is asked for; cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    turn: Arc<Semaphore>,
    open: Arc<Mutex<BTreeMap<Root, Vec<Arc<AtomicBool>>>>>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            open: Arc::default(),
        }
    }
}

impl Desk {
    fn open(&self) -> MutexGuard<'_, BTreeMap<Root, Vec<Arc<AtomicBool>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Searches. The search ends, too, when nobody waits for it any more.
    pub(super) async fn search(&self, wanted: WorkWanted) -> Result<WorkNonce, Refusal> {
        let ended = self.enter(wanted.root)?;
        let cancelled = || Refusal("Cancelled".to_owned());
        let _turn = self.turn.acquire().await.map_err(|_| cancelled())?;
        let start = clock::random().map_err(|error| Refusal(error.to_string()))?;
        let (kernel, threshold) = (
            Kernel::new(wanted.root.as_bytes()),
            wanted.difficulty.number(),
        );
        let stop = Arc::clone(&ended.mark);
        let found = tokio::task::spawn_blocking(move || {
            let mut from = u64::from_le_bytes(start);
            while !stop.load(Ordering::Relaxed) {
                if let Some(nonce) = kernel.first(threshold, from, BATCH) {
                    return Some(WorkNonce::new(nonce));
                }
                from = from.wrapping_add(u64::from(BATCH));
            }
            None
        });
        found.await.ok().flatten().ok_or_else(cancelled)
    }

    /// Ends every search over this root.
    pub(super) fn cancel(&self, root: Root) {
        for mark in self.open().get(&root).into_iter().flatten() {
            mark.store(true, Ordering::Relaxed);
        }
    }

    fn enter(&self, root: Root) -> Result<Entered, Refusal> {
        let mut open = self.open();
        if open.values().map(Vec::len).sum::<usize>() >= PLACES {
            return Err(Refusal(
                "Work generation is busy; compute it yourself, or ask again".to_owned(),
            ));
        }
        let mark = Arc::<AtomicBool>::default();
        open.entry(root).or_default().push(Arc::clone(&mark));
        drop(open);
        Ok(Entered {
            desk: self.clone(),
            root,
            mark,
        })
    }
}

/// A search's place; leaving it ends the search.
struct Entered {
    desk: Desk,
    root: Root,
    mark: Arc<AtomicBool>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.mark.store(true, Ordering::Relaxed);
        let mut open = self.desk.open();
        if let Some(marks) = open.get_mut(&self.root) {
            marks.retain(|mark| !Arc::ptr_eq(mark, &self.mark));
            if marks.is_empty() {
                open.remove(&self.root);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nano_core::Difficulty;

    use super::*;

    fn wanted(byte: u8, difficulty: u64) -> WorkWanted {
        WorkWanted {
            root: Root::from_bytes([byte; 32]),
            difficulty: Difficulty::new(difficulty),
        }
    }

    #[tokio::test]
    async fn work_that_is_found_reaches_what_was_wanted() {
        let wanted = wanted(1, 0xfff0_0000_0000_0000);
        let nonce = Desk::default().search(wanted).await.unwrap();
        assert!(nonce.difficulty(&wanted.root) >= wanted.difficulty);
    }

    #[tokio::test]
    async fn a_cancelled_search_ends_and_leaves_its_place_to_others() {
        let desk = Desk::default();
        let never: Vec<_> = (0..PLACES)
            .map(|number| {
                let desk = desk.clone();
                let byte = u8::try_from(number).unwrap();
                tokio::spawn(async move { desk.search(wanted(byte, u64::MAX)).await })
            })
            .collect();
        while desk.open().len() < PLACES {
            tokio::task::yield_now().await;
        }
        let full = desk.search(wanted(99, 0)).await;
        assert!(full.unwrap_err().0.contains("busy"));
        for (number, search) in never.into_iter().enumerate() {
            desk.cancel(Root::from_bytes([u8::try_from(number).unwrap(); 32]));
            let refusal = search.await.unwrap().unwrap_err();
            assert_eq!(refusal.0, "Cancelled");
        }
        assert!(desk.search(wanted(99, 0)).await.is_ok());
    }
}
