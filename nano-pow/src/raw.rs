//! The export of `work.wasm`. Everything travels in numbers, so there is no memory to manage.

use crate::{Engine, Kernel};

/// The kernel of this wasm: the browser was asked before it was loaded.
#[cfg(all(target_arch = "wasm32", feature = "simd128"))]
const ENGINE: Engine = Engine::SIMD128;
/// The kernel of this wasm.
#[cfg(not(all(target_arch = "wasm32", feature = "simd128")))]
const ENGINE: Engine = Engine::SCALAR;

/// Searches the `count` nonces from `start` on (wrapping) for one whose difficulty over the root,
/// given as its four little-endian words, is at least `threshold`. Returns the first such nonce;
/// without one, the nonce after the range, which is never a member of it.
#[allow(
    unsafe_code,
    reason = "a fixed export name is what the loading worker looks up; no other item here has it"
)]
#[unsafe(no_mangle)]
pub(crate) extern "C" fn search(
    root_0: u64,
    root_1: u64,
    root_2: u64,
    root_3: u64,
    threshold: u64,
    start: u64,
    count: u32,
) -> u64 {
    Kernel::from_words([root_0, root_1, root_2, root_3])
        .first_with(ENGINE, threshold, start, count)
        .unwrap_or(start.wrapping_add(u64::from(count)))
}
