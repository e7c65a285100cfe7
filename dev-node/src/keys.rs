//! The public keys to the development ledger.
//!
//! Every account of the standard distribution comes from one Nano seed that is printed here:
//! 32 bytes of ASCII, `nanonet development public seed!`. Whoever reads this can spend it all;
//! that is the purpose. Indexes: representatives from 0, the faucet 1000, samples from 2000,
//! holders from 1,000,000.

use nano_core::{Account, NanoSeed, PrivateKey};

const SEED: [u8; 32] = *b"nanonet development public seed!";
const FAUCET_INDEX: u32 = 1000;
const FIRST_SAMPLE_INDEX: u32 = 2000;
const FIRST_HOLDER_INDEX: u32 = 1_000_000;

/// The deterministic accounts of the standard distribution: public test material, worthless by
/// design.
#[derive(Clone, Copy, Debug)]
pub struct DevKeys;

impl DevKeys {
    /// How many representatives there are.
    pub const REPRESENTATIVES: u32 = 12;
    /// How many sample accounts there are; the indexes below are all below this.
    pub const SAMPLES: u32 = 6;

    /// Sample with a chain of state blocks of every kind (open, change, receive, send).
    pub const SAMPLE_STATE: u32 = 0;
    /// Sample of legacy blocks only: open, change, send, receive; its frontier is the receive.
    pub const SAMPLE_LEGACY: u32 = 1;
    /// Sample of one block: a legacy open that receives a legacy send.
    pub const SAMPLE_LEGACY_OPEN: u32 = 2;
    /// Sample that began with legacy blocks and went on with state blocks.
    pub const SAMPLE_MIXED: u32 = 3;
    /// Sample that was never opened and has three receivables.
    pub const SAMPLE_UNOPENED: u32 = 4;
    /// Sample opened by a state block, with one more receivable waiting.
    pub const SAMPLE_WAITING: u32 = 5;

    /// Private key of representative `index`, heaviest first. Indexes from
    /// [`Self::REPRESENTATIVES`] on give keys that have no weight at the start.
    #[must_use]
    pub fn representative(index: u32) -> PrivateKey {
        key(index)
    }

    /// The private keys of all representatives, heaviest first.
    #[must_use]
    pub fn representatives() -> Vec<PrivateKey> {
        (0..Self::REPRESENTATIVES).map(key).collect()
    }

    /// Private key of the account that gives money away.
    #[must_use]
    pub fn faucet() -> PrivateKey {
        key(FAUCET_INDEX)
    }

    /// The account that gives money away.
    #[must_use]
    pub fn faucet_account() -> Account {
        Self::faucet().account()
    }

    /// Private key of sample account `index`; indexes from [`Self::SAMPLES`] on give accounts
    /// that nothing ever happened to.
    #[must_use]
    pub fn sample(index: u32) -> PrivateKey {
        key(FIRST_SAMPLE_INDEX.saturating_add(index))
    }

    /// Private key of holder `index`: the many accounts that a ledger can be filled with, see
    /// [`crate::DevNodeConfig::accounts`].
    #[must_use]
    pub fn holder(index: u32) -> PrivateKey {
        key(FIRST_HOLDER_INDEX.saturating_add(index))
    }

    /// Private key of the dev network's genesis account, as published with Nano's own node.
    #[must_use]
    pub fn genesis() -> PrivateKey {
        nano_core::dev_genesis_private_key()
    }
}

fn key(index: u32) -> PrivateKey {
    NanoSeed::from_bytes(SEED).private_key(index)
}
