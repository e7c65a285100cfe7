//! Finding work with the kernel that browsers and bridges use.

use std::sync::atomic::{AtomicBool, Ordering};

use nano_core::{Difficulty, Root, WorkNonce};
use nano_pow::Kernel;

/// Nonces tried between two looks at the stop mark: some milliseconds.
const BATCH: u32 = 1 << 16;

/// The first nonce from 0 on that reaches `needed` over `root`: the same one at every call.
/// `None` when `stop` was raised first. Blocks the thread.
pub(crate) fn find(root: &Root, needed: Difficulty, stop: &AtomicBool) -> Option<WorkNonce> {
    let kernel = Kernel::new(root.as_bytes());
    let mut start = 0;
    while !stop.load(Ordering::Relaxed) {
        if let Some(nonce) = kernel.first(needed.number(), start, BATCH) {
            return Some(WorkNonce::new(nonce));
        }
        start += u64::from(BATCH);
    }
    None
}
