//! Accounts from the time before state blocks: their proofs carry the chain back to the opening.

use nano_core::proof::{Frontier, History};
use nano_core::{
    Account, Block, BlockHash, Link, OpenBlock, PrivateKey, ReceiveBlock, SendBlock, Signature,
    StateBlock, WorkNonce,
};

use super::*;
use crate::slice::ChainOrder;
use crate::testing::account_key;

/// The send that the account's receive block names.
const RECEIVED: BlockHash = BlockHash::from_bytes([7; 32]);

/// Open, send, receive, send, send, all legacy, of stand-in account 1.
fn legacy_chain(key: &PrivateKey) -> Vec<Block> {
    let (signature, work) = (Signature::ZERO, WorkNonce::new(0));
    let open = Block::Open(OpenBlock {
        source: BlockHash::from_bytes([6; 32]),
        representative: key.account(),
        account: key.account(),
        signature,
        work,
    });
    let mut blocks = vec![open];
    for balance in [90, 0, 80, 70] {
        let previous = blocks.last().map_or(BlockHash::ZERO, Block::hash);
        blocks.push(if balance == 0 {
            Block::Receive(ReceiveBlock {
                previous,
                source: RECEIVED,
                signature,
                work,
            })
        } else {
            Block::Send(SendBlock {
                previous,
                destination: account_key(2).account(),
                balance: nano(balance),
                signature,
                work,
            })
        });
    }
    for block in &mut blocks {
        block.set_signature(key.sign(block.hash().as_bytes()));
    }
    blocks
}

/// The record of legacy block `height`, a send.
fn record(keys: &TestKeys, blocks: &[Block], height: usize) -> AccountRecord {
    let history = History {
        blocks: blocks[..=height].to_vec(),
        sources: Vec::new(),
    };
    AccountRecord::new(keys.prove(Frontier::Legacy(history)))
}

/// The record of a state block that sends all after the last legacy block.
fn state_record(keys: &TestKeys, key: &PrivateKey, blocks: &[Block]) -> AccountRecord {
    let previous = blocks.last().map_or(BlockHash::ZERO, Block::hash);
    let link = Link::from(account_key(2).account());
    let block = StateBlock::unsigned(key.account(), previous, key.account(), nano(0), link);
    AccountRecord::new(keys.prove(block.sign(key)))
}

fn offered(
    slice: &mut Slice,
    keys: &TestKeys,
    account: &Account,
    record: AccountRecord,
) -> Outcome {
    slice.offer_account(NOW, account, record, keys.weights())
}

#[test]
fn a_legacy_proof_alone_shows_which_frontiers_it_supersedes() {
    let (keys, key) = (TestKeys::new(), account_key(1));
    let blocks = legacy_chain(&key);
    let mut slice = slice();
    offered(&mut slice, &keys, &key.account(), record(&keys, &blocks, 1));
    let outcome = offered(&mut slice, &keys, &key.account(), record(&keys, &blocks, 4));
    let superseded = blocks[1].hash();
    assert_eq!(outcome, Outcome::Replaced { superseded });
    let older = offered(&mut slice, &keys, &key.account(), record(&keys, &blocks, 3));
    assert_eq!(older.reason(), Some("superseded"));
}

#[test]
fn an_older_legacy_proof_settles_the_order_of_what_is_held() {
    let (keys, key) = (TestKeys::new(), account_key(1));
    let blocks = legacy_chain(&key);
    let mut slice = slice();
    offered(&mut slice, &keys, &key.account(), record(&keys, &blocks, 1));
    let outcome = offered(
        &mut slice,
        &keys,
        &key.account(),
        state_record(&keys, &key, &blocks),
    );
    assert!(
        matches!(outcome, Outcome::OrderUnknown { kept: true, .. }),
        "{outcome:?}"
    );
    let outcome = offered(&mut slice, &keys, &key.account(), record(&keys, &blocks, 4));
    assert!(matches!(outcome, Outcome::Superseded { .. }), "{outcome:?}");
    let held = slice.get(&key.account()).unwrap();
    assert_eq!(held.order(), ChainOrder::Known);
    assert_eq!(held.frontier().unwrap().proven().balance, nano(0));
}

#[test]
fn receives_inside_a_legacy_proof_leave_tombstones() {
    let (keys, key) = (TestKeys::new(), account_key(1));
    let blocks = legacy_chain(&key);
    let mut slice = slice();
    let outcome = offered(&mut slice, &keys, &key.account(), record(&keys, &blocks, 4));
    assert_eq!(outcome, Outcome::Stored);
    assert!(slice.get(&key.account()).unwrap().has_received(&RECEIVED));
}
