//! Each rule of the ledger that the recorded chain does not touch, and what always holds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::{nano, work};
use dev_node::{DevKeys, Ledger, ProcessError};
use nano_core::{
    Account, Block, BlockHash, ChangeBlock, Epoch, Link, Network, OpenBlock, PrivateKey, Raw,
    ReceiveBlock, SendBlock, Signature, StateBlock, WorkNonce,
};
use proptest::prelude::*;

fn key(index: u32) -> PrivateKey {
    DevKeys::sample(500 + index)
}

fn signed(key: &PrivateKey, block: impl Into<Block>) -> Block {
    let mut block = block.into();
    block.set_signature(key.sign(block.hash().as_bytes()));
    block.set_work(work(&block.root()));
    block
}

fn state(key: &PrivateKey, previous: BlockHash, balance: Raw, link: Link) -> Block {
    let account = key.account();
    signed(
        key,
        StateBlock::unsigned(account, previous, account, balance, link),
    )
}

fn head(ledger: &Ledger, account: &Account) -> BlockHash {
    ledger
        .account(account)
        .map_or(BlockHash::ZERO, |info| info.head)
}

/// A send of the genesis account by a state block.
fn pay(ledger: &mut Ledger, to: Account, amount: Raw) -> BlockHash {
    let genesis = DevKeys::genesis();
    let account = genesis.account();
    let balance = ledger.balance(&account).checked_sub(amount).unwrap();
    let block = state(&genesis, head(ledger, &account), balance, to.into());
    ledger.process(block, 0).unwrap()
}

fn upgrade(ledger: &mut Ledger, account: Account, epoch: Epoch) -> Result<BlockHash, ProcessError> {
    let current = ledger.head(&account);
    let representative = current.map_or(Account::ZERO, |entry| entry.representative);
    let block = StateBlock::unsigned(
        account,
        head(ledger, &account),
        representative,
        ledger.balance(&account),
        epoch.link(),
    );
    ledger.process(signed(&DevKeys::genesis(), block), 0)
}

fn legacy_open(key: &PrivateKey, source: BlockHash) -> Block {
    let account = key.account();
    signed(
        key,
        OpenBlock {
            source,
            representative: account,
            account,
            signature: Signature::ZERO,
            work: WorkNonce::default(),
        },
    )
}

fn legacy_send(key: &PrivateKey, previous: BlockHash, to: Account, balance: Raw) -> Block {
    signed(
        key,
        SendBlock {
            previous,
            destination: to,
            balance,
            signature: Signature::ZERO,
            work: WorkNonce::default(),
        },
    )
}

fn legacy_receive(key: &PrivateKey, previous: BlockHash, source: BlockHash) -> Block {
    signed(
        key,
        ReceiveBlock {
            previous,
            source,
            signature: Signature::ZERO,
            work: WorkNonce::default(),
        },
    )
}

fn legacy_change(key: &PrivateKey, previous: BlockHash) -> Block {
    signed(
        key,
        ChangeBlock {
            previous,
            representative: key.account(),
            signature: Signature::ZERO,
            work: WorkNonce::default(),
        },
    )
}

/// The RPC text of the refusal.
fn refusal(ledger: &mut Ledger, block: Block) -> &'static str {
    let before = (ledger.block_count(), ledger.weights().clone());
    let reason = ledger.process(block, 0).unwrap_err();
    assert_eq!((ledger.block_count(), ledger.weights().clone()), before);
    reason.rpc_text()
}

#[test]
fn a_legacy_send_cannot_raise_the_balance() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let open = ledger.process(legacy_open(&key(1), send), 0).unwrap();
    let block = legacy_send(&key(1), open, key(2).account(), nano(6));
    assert_eq!(refusal(&mut ledger, block), "Negative spend");
}

#[test]
fn a_legacy_block_cannot_follow_a_state_block() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let more = pay(&mut ledger, key(1).account(), nano(5));
    let open = ledger
        .process(state(&key(1), BlockHash::ZERO, nano(5), send.into()), 0)
        .unwrap();
    for block in [
        legacy_send(&key(1), open, key(2).account(), nano(1)),
        legacy_receive(&key(1), open, more),
        legacy_change(&key(1), open),
    ] {
        assert_eq!(
            refusal(&mut ledger, block),
            "This block cannot follow the previous block"
        );
    }
}

#[test]
fn a_state_block_can_follow_a_legacy_block() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let open = ledger.process(legacy_open(&key(1), send), 0).unwrap();
    let change = ledger.process(legacy_change(&key(1), open), 0).unwrap();
    ledger
        .process(state(&key(1), change, nano(4), key(2).account().into()), 0)
        .unwrap();
    assert_eq!(ledger.balance(&key(1).account()), nano(4));
}

#[test]
fn a_send_is_received_once_by_its_destination_at_its_amount() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let by_another = state(&key(2), BlockHash::ZERO, nano(5), send.into());
    assert_eq!(refusal(&mut ledger, by_another), "Unreceivable");
    for wrong in [nano(4), nano(6)] {
        let block = state(&key(1), BlockHash::ZERO, wrong, send.into());
        assert_eq!(
            refusal(&mut ledger, block),
            "Balance and amount delta do not match"
        );
    }
    let open = ledger
        .process(state(&key(1), BlockHash::ZERO, nano(5), send.into()), 0)
        .unwrap();
    let again = state(&key(1), open, nano(10), send.into());
    assert_eq!(refusal(&mut ledger, again), "Unreceivable");
}

#[test]
fn a_change_cannot_touch_the_balance() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let open = ledger
        .process(state(&key(1), BlockHash::ZERO, nano(5), send.into()), 0)
        .unwrap();
    let block = state(&key(1), open, nano(6), Link::ZERO);
    assert_eq!(
        refusal(&mut ledger, block),
        "Balance and amount delta do not match"
    );
}

#[test]
fn an_account_is_opened_once_and_only_by_receiving() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let more = pay(&mut ledger, key(1).account(), nano(7));
    let nothing = state(&key(1), BlockHash::ZERO, Raw::ZERO, Link::ZERO);
    assert_eq!(refusal(&mut ledger, nothing), "Gap source block");
    ledger
        .process(state(&key(1), BlockHash::ZERO, nano(5), send.into()), 0)
        .unwrap();
    let second = state(&key(1), BlockHash::ZERO, nano(7), more.into());
    assert_eq!(refusal(&mut ledger, second), "Fork");
    assert_eq!(refusal(&mut ledger, legacy_open(&key(1), more)), "Fork");
}

#[test]
fn a_legacy_block_cannot_receive_from_an_upgraded_account() {
    let mut ledger = Ledger::genesis(0);
    upgrade(&mut ledger, Network::Dev.genesis_account(), Epoch::One).unwrap();
    let send = pay(&mut ledger, key(1).account(), nano(5));
    assert_eq!(
        refusal(&mut ledger, legacy_open(&key(1), send)),
        "Unreceivable"
    );
    let block = state(&key(1), BlockHash::ZERO, nano(5), send.into());
    ledger.process(block, 0).unwrap();
    assert_eq!(
        ledger.head(&key(1).account()).unwrap().epoch,
        Some(Epoch::One)
    );
}

#[test]
fn epochs_come_in_order() {
    let mut ledger = Ledger::genesis(0);
    let genesis = Network::Dev.genesis_account();
    let early = upgrade(&mut ledger, genesis, Epoch::Two).unwrap_err();
    assert_eq!(
        early.rpc_text(),
        "This block cannot follow the previous block"
    );
    upgrade(&mut ledger, genesis, Epoch::One).unwrap();
    let again = upgrade(&mut ledger, genesis, Epoch::One).unwrap_err();
    assert_eq!(
        again.rpc_text(),
        "This block cannot follow the previous block"
    );
    upgrade(&mut ledger, genesis, Epoch::Two).unwrap();
}

#[test]
fn an_epoch_block_needs_the_epoch_signer_and_the_same_representative() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let open = ledger
        .process(state(&key(1), BlockHash::ZERO, nano(5), send.into()), 0)
        .unwrap();
    let own = state(&key(1), open, nano(5), Epoch::One.link());
    assert_eq!(refusal(&mut ledger, own), "Bad signature");
    let other = StateBlock::unsigned(
        key(1).account(),
        open,
        key(2).account(),
        nano(5),
        Epoch::One.link(),
    );
    let block = signed(&DevKeys::genesis(), other);
    assert_eq!(refusal(&mut ledger, block), "Error processing block");
}

#[test]
fn a_send_to_the_number_of_an_epoch_link_is_a_send() {
    let mut ledger = Ledger::genesis(0);
    let send = pay(&mut ledger, key(1).account(), nano(5));
    let open = ledger
        .process(state(&key(1), BlockHash::ZERO, nano(5), send.into()), 0)
        .unwrap();
    let block = state(&key(1), open, nano(4), Epoch::One.link());
    let hash = ledger.process(block, 0).unwrap();
    assert_eq!(ledger.entry(&hash).unwrap().subtype(), "send");
}

#[test]
fn an_epoch_block_opens_only_accounts_with_something_to_receive() {
    let mut ledger = Ledger::genesis(0);
    let nobody = key(9).account();
    let reason = upgrade(&mut ledger, nobody, Epoch::One).unwrap_err();
    assert_eq!(reason.rpc_text(), "Gap pending for open epoch block");
    pay(&mut ledger, nobody, nano(1));
    upgrade(&mut ledger, nobody, Epoch::Two).unwrap();
    assert_eq!(ledger.balance(&nobody), Raw::ZERO);
}

#[test]
fn nobody_opens_the_burn_account() {
    let mut ledger = Ledger::genesis(0);
    pay(&mut ledger, Account::ZERO, nano(1));
    let reason = upgrade(&mut ledger, Account::ZERO, Epoch::One).unwrap_err();
    assert_eq!(reason.rpc_text(), "Block attempts to open the burn account");
}

/// One step of a random history: who does what, and how much of it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Send { from: u32, to: u32, part: u8 },
    Receive { who: u32 },
    Change { who: u32, to: u32 },
    Confirm { who: u32 },
    RollBack { who: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..4_u32;
    prop_oneof![
        3 => (who.clone(), who.clone(), any::<u8>()).prop_map(|(from, to, part)| Step::Send { from, to, part }),
        3 => who.clone().prop_map(|who| Step::Receive { who }),
        1 => (who.clone(), who.clone()).prop_map(|(who, to)| Step::Change { who, to }),
        1 => who.clone().prop_map(|who| Step::Confirm { who }),
        1 => who.prop_map(|who| Step::RollBack { who }),
    ]
}

/// Account 0 is the genesis account.
fn actor(index: u32) -> PrivateKey {
    if index == 0 {
        DevKeys::genesis()
    } else {
        key(index)
    }
}

fn take(ledger: &mut Ledger, step: Step) {
    match step {
        Step::Send { from, to, part } => {
            let key = actor(from);
            let balance = ledger.balance(&key.account()).number();
            let left = balance - balance / 256 * u128::from(part);
            let previous = head(ledger, &key.account());
            if !previous.is_zero() && left != balance {
                let block = state(&key, previous, Raw::new(left), actor(to).account().into());
                ledger.process(block, 0).unwrap();
            }
        }
        Step::Receive { who } => {
            let key = actor(who);
            let waiting = ledger
                .receivable_of(&key.account())
                .next()
                .map(|(send, info)| (send, info.amount));
            if let Some((send, amount)) = waiting {
                let balance = ledger.balance(&key.account()).checked_add(amount).unwrap();
                let previous = head(ledger, &key.account());
                ledger
                    .process(state(&key, previous, balance, send.into()), 0)
                    .unwrap();
            }
        }
        Step::Change { who, to } => {
            let key = actor(who);
            let previous = head(ledger, &key.account());
            if !previous.is_zero() {
                let balance = ledger.balance(&key.account());
                let to = actor(to).account();
                let block = StateBlock::unsigned(key.account(), previous, to, balance, Link::ZERO);
                ledger.process(signed(&key, block), 0).unwrap();
            }
        }
        Step::Confirm { who } => {
            let hash = head(ledger, &actor(who).account());
            ledger.confirm(&hash);
        }
        Step::RollBack { who } => {
            let oldest = ledger.first_unconfirmed(&actor(who).account());
            if let Some(hash) = oldest {
                ledger.roll_back(&hash).unwrap();
                assert!(!ledger.contains(&hash));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn money_is_never_made_or_lost_and_weights_are_the_sums_of_balances(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let mut ledger = Ledger::genesis(0);
        for step in steps {
            take(&mut ledger, step);
            let mut money = 0_u128;
            let mut weights = std::collections::BTreeMap::new();
            for index in 0..4 {
                let account = actor(index).account();
                if let Some(head) = ledger.head(&account) {
                    money += head.balance.number();
                    *weights.entry(head.representative).or_insert(0) += head.balance.number();
                }
                money += ledger.receivable_of(&account).map(|(_, info)| info.amount.number()).sum::<u128>();
            }
            prop_assert_eq!(money, u128::MAX);
            weights.retain(|_, weight| *weight != 0);
            let ours: std::collections::BTreeMap<_, _> =
                ledger.weights().iter().map(|(who, raw)| (*who, raw.number())).collect();
            prop_assert_eq!(ours, weights);
        }
    }
}
