//! The wall clock and the system's randomness: the only place of the crate that reads either for
//! the overlay, which gets both passed in.

use std::time::{SystemTime, UNIX_EPOCH};

use nano_core::UnixMillis;

/// Now, in milliseconds since 1970. A clock set before 1970 reads as 0.
#[must_use]
pub fn now() -> UnixMillis {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// Fresh random bytes from the operating system.
///
/// # Errors
/// When the system has none to give, which no caller can repair.
pub fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| RandomError(error.to_string()))?;
    Ok(bytes)
}

/// The operating system gave no randomness.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the operating system gives no random numbers ({0}); nothing safe can be done without")]
pub struct RandomError(String);
