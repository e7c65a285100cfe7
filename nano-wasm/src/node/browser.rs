//! What every browser gives: time and randomness.

use nano_core::UnixMillis;

use crate::fault::Fault;

/// Wall-clock time.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a date of our age is a positive whole number far below 2^53"
)]
pub(super) fn now() -> UnixMillis {
    UnixMillis::new(js_sys::Date::now() as u64)
}

/// Secret random bytes.
pub(super) fn entropy<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Fault::coded("no-entropy"))?;
    Ok(bytes)
}

/// A random number for spreading things in time. Not secret.
pub(super) fn dice() -> u32 {
    let mut bytes = [0; 4];
    // Without randomness nothing is spread, which is all that is lost.
    let _ = getrandom::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}
