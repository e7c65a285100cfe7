//! What the slice promises, by topic.

mod budget;
mod cache;
mod legacy;
mod order;
mod receivables;
mod sightings;
mod storage;
mod weights;

use nano_core::{Network, Raw, UnixMillis};

use super::{Outcome, Slice, SliceConfig};
use crate::AccountRecord;
use crate::testing::{TEST_TIME, TestChain, TestKeys};

const NOW: UnixMillis = TEST_TIME;

fn config() -> SliceConfig {
    SliceConfig::new(Network::Dev, Vec::new(), 1 << 20)
}

fn slice() -> Slice {
    Slice::new(config())
}

fn nano(number: u128) -> Raw {
    Raw::new(number * Raw::NANO.number())
}

/// Offers a record of `chain` under the test table.
fn offer(slice: &mut Slice, keys: &TestKeys, chain: &TestChain, record: AccountRecord) -> Outcome {
    slice.offer_account(NOW, &chain.account(), record, keys.weights())
}

/// Height of the frontier shown first.
fn height(slice: &Slice, chain: &TestChain) -> usize {
    let hash = slice
        .get(&chain.account())
        .unwrap()
        .frontier()
        .unwrap()
        .proven()
        .hash;
    chain
        .blocks()
        .iter()
        .position(|block| block.hash() == hash)
        .unwrap()
}
