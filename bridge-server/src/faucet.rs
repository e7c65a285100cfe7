//! The faucet of the embedded development network, with limits.
//!
//! One account is served once a second, all together ten a second with a burst of fifty. Money of
//! a development network is worth nothing; the limits keep its ledger and its work small.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use dev_node::Wallet;
use nano_core::{Account, BlockHash, Raw, UnixMillis};

use crate::clock;

/// Pause between two gifts to one account, milliseconds.
const PER_ACCOUNT_MS: u64 = 1_000;
/// Milliseconds until one more gift is allowed to anybody.
const REFILL_MS: u64 = 100;
/// Gifts that may come at once.
const BURST: u64 = 50;
/// Accounts remembered; with the refill above no more can be within their pause.
const REMEMBERED: usize = 256;

/// What was given.
#[derive(Clone, Copy, Debug)]
pub struct Gift {
    /// Hash of the send block.
    pub hash: BlockHash,
    /// Amount in raw.
    pub amount: Raw,
}

/// Why nothing was given.
#[derive(Debug, thiserror::Error)]
pub enum FaucetError {
    /// Limits.
    #[error("the faucet was asked too often; try again in {wait_ms} ms")]
    TooOften {
        /// Milliseconds to wait.
        wait_ms: u64,
    },
    /// The development node could not send.
    #[error("the development node did not send: {0}; look at its log")]
    Refused(String),
}

/// Hands out money of the development network; cloning shares the limits.
#[derive(Clone, Debug)]
pub struct Faucet {
    wallet: Wallet,
    limits: Arc<Mutex<Limits>>,
}

impl Faucet {
    /// A faucet that gives out of this account.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        Self {
            wallet,
            limits: Arc::default(),
        }
    }

    /// Sends the faucet's amount to `account`.
    ///
    /// # Errors
    /// When asked too often or the node cannot.
    pub async fn give(&self, account: Account) -> Result<Gift, FaucetError> {
        self.limits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(account, clock::now())
            .map_err(|wait_ms| FaucetError::TooOften { wait_ms })?;
        let amount = Raw::new(Raw::NANO.number().saturating_mul(100));
        let hash = self
            .wallet
            .send(account, amount)
            .await
            .map_err(|error| FaucetError::Refused(error.to_string()))?;
        Ok(Gift { hash, amount })
    }
}

#[derive(Debug, Default)]
struct Limits {
    /// When the bucket of all accounts together will be empty of debts, milliseconds.
    paid_until: u64,
    recent: BTreeMap<Account, UnixMillis>,
}

impl Limits {
    /// Takes one gift, or says how many milliseconds to wait.
    fn take(&mut self, account: Account, now: UnixMillis) -> Result<(), u64> {
        self.recent.retain(|_, at| now.since(*at) < PER_ACCOUNT_MS);
        if let Some(at) = self.recent.get(&account) {
            return Err(PER_ACCOUNT_MS.saturating_sub(now.since(*at)));
        }
        let paid = self.paid_until.max(now.0) + REFILL_MS;
        let ahead = paid - now.0;
        if ahead > BURST * REFILL_MS || self.recent.len() >= REMEMBERED {
            return Err(ahead.saturating_sub(BURST * REFILL_MS).max(REFILL_MS));
        }
        self.paid_until = paid;
        self.recent.insert(account, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_waits_and_all_together_wait_after_a_burst() {
        let mut limits = Limits::default();
        let one = Account::from_bytes([1; 32]);
        assert_eq!(limits.take(one, UnixMillis(1_000)), Ok(()));
        assert_eq!(limits.take(one, UnixMillis(1_400)), Err(600));
        assert_eq!(limits.take(one, UnixMillis(2_000)), Ok(()));
        let others = (2..=u8::MAX).map(|n| Account::from_bytes([n; 32]));
        let given = others
            .filter(|a| limits.take(*a, UnixMillis(2_000)).is_ok())
            .count();
        assert_eq!(given, 49);
        assert_eq!(
            limits.take(Account::from_bytes([0; 32]), UnixMillis(2_100)),
            Ok(())
        );
    }
}
