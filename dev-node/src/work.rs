//! Finding work, one nonce after another: enough for the dev network's thresholds (about a
//! thousand tries), too slow for any other.

use std::sync::atomic::{AtomicBool, Ordering};

use nano_core::{Difficulty, Root, WorkNonce};

/// Nonces tried between two looks at the stop mark.
const BATCH: u64 = 1 << 12;

/// The first nonce from 0 on that reaches `needed` over `root`: the same one at every call.
/// `None` when `stop` was raised first. Blocks the thread.
pub(crate) fn find(root: &Root, needed: Difficulty, stop: &AtomicBool) -> Option<WorkNonce> {
    let mut start = 0;
    while !stop.load(Ordering::Relaxed) {
        let end = start + BATCH;
        let found = (start..end)
            .map(WorkNonce::new)
            .find(|nonce| nonce.difficulty(root) >= needed);
        if found.is_some() {
            return found;
        }
        start = end;
    }
    None
}
