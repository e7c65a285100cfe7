//! Epoch frontiers: what the epoch signer's key, public on the dev network, can and cannot do.

use nano_core::proof::{BalanceProof, Frontier, History};
use nano_core::{
    Account, Block, BlockHash, Epoch, Link, Raw, ReceiveBlock, SendBlock, StateBlock,
    dev_genesis_private_key,
};

use crate::world::*;

/// A block signed by the epoch signer, on top of [`state_block`].
fn epoch_block(change: impl FnOnce(&mut StateBlock)) -> StateBlock {
    let before = state_block();
    let mut block = StateBlock {
        previous: before.hash(),
        link: Epoch::Two.link(),
        ..before
    };
    change(&mut block);
    block.sign(&dev_genesis_private_key())
}

fn proof(block: StateBlock, history: impl Into<History>) -> BalanceProof {
    let frontier = Frontier::Epoch {
        block,
        history: history.into(),
    };
    proof_of(frontier, &votes(&[block.hash()]))
}

#[test]
fn an_epoch_block_proves_the_balance_it_leaves_alone() {
    let block = epoch_block(|_| ());
    let frontier = Frontier::state(block, Some(state_block().into()));
    assert!(matches!(frontier, Frontier::Epoch { .. }));
    let proven = verify(&proof_of(frontier, &votes(&[block.hash()]))).unwrap();
    assert_eq!(proven.balance, Raw::new(1000));
    assert_eq!(proven.representative, key(1).account());
}

#[test]
fn the_epoch_signer_cannot_pass_as_the_account() {
    let block = epoch_block(|_| ());
    let proof = proof_of(block, &votes(&[block.hash()]));
    assert_eq!(refusal(&proof), "bad-block-signature");
}

#[test]
fn the_account_cannot_pass_as_the_epoch_signer() {
    let block = epoch_block(|_| ()).sign(&owner());
    assert_eq!(
        refusal(&proof(block, Block::from(state_block()))),
        "bad-block-signature"
    );
}

#[test]
fn the_epoch_signer_can_change_nothing() {
    let previous = || Block::from(state_block());
    for block in [
        epoch_block(|block| block.balance = Raw::new(2000)),
        epoch_block(|block| block.balance = Raw::new(999)),
        epoch_block(|block| block.representative = key(2).account()),
        epoch_block(|block| block.link = Link::ZERO),
        epoch_block(|block| block.link = Link::from_bytes([9; 32])),
        epoch_block(|block| block.previous = hash(3)),
    ] {
        assert_eq!(refusal(&proof(block, previous())), "not-an-epoch-block");
    }
}

#[test]
fn an_epoch_block_without_the_block_before_it_is_refused() {
    let block = epoch_block(|_| ());
    assert_eq!(
        refusal(&proof(block, History::default())),
        "not-an-epoch-block"
    );
}

#[test]
fn another_accounts_block_cannot_stand_before_it() {
    let other = StateBlock {
        account: key(21).account(),
        ..state_block()
    };
    let block = epoch_block(|block| block.previous = other.hash());
    assert_eq!(
        refusal(&proof(block, Block::from(other))),
        "not-an-epoch-block"
    );
}

#[test]
fn an_account_opened_by_an_epoch_block_has_nothing() {
    let opened = |balance, representative| {
        StateBlock::unsigned(
            account(),
            BlockHash::ZERO,
            representative,
            Raw::new(balance),
            Epoch::Two.link(),
        )
        .sign(&dev_genesis_private_key())
    };
    let good = opened(0, Account::ZERO);
    let frontier = Frontier::state(good, None);
    let proven = verify(&proof_of(frontier, &votes(&[good.hash()]))).unwrap();
    assert_eq!(proven.balance, Raw::ZERO);
    assert_eq!(proven.previous, BlockHash::ZERO);
    for bad in [opened(5, Account::ZERO), opened(0, key(1).account())] {
        assert_eq!(
            refusal(&proof(bad, History::default())),
            "not-an-epoch-block"
        );
    }
}

#[test]
fn an_epoch_block_on_a_legacy_send_holds_to_the_balance_that_states() {
    let send = Block::from(SendBlock {
        previous: hash(1),
        destination: key(30).account(),
        balance: Raw::new(1000),
        signature: nano_core::Signature::ZERO,
        work: nano_core::WorkNonce::new(0),
    });
    let block = epoch_block(|block| block.previous = send.hash());
    assert_eq!(verify(&proof(block, send)).unwrap().balance, Raw::new(1000));

    let more = epoch_block(|block| {
        block.previous = send.hash();
        block.balance = Raw::new(1001);
    });
    assert_eq!(refusal(&proof(more, send)), "not-an-epoch-block");
}

#[test]
fn a_legacy_block_of_no_known_balance_does_not_hold_an_epoch_block() {
    let receive = Block::from(ReceiveBlock {
        previous: hash(1),
        source: hash(2),
        signature: nano_core::Signature::ZERO,
        work: nano_core::WorkNonce::new(0),
    });
    let block = epoch_block(|block| block.previous = receive.hash());
    let frontier = Frontier::Epoch {
        block,
        history: receive.into(),
    };
    let proof = proof_of(frontier, &votes(&[block.hash(), hash(2)]));
    assert_eq!(refusal(&proof), "legacy-chain-broken");
}
