//! Legacy frontiers: chains back to the open block, amounts from source sends.

use nano_core::proof::{BalanceProof, Frontier, History, MAX_LEGACY_CHAIN, ProofError, SourceSend};
use nano_core::{
    Account, Block, BlockHash, ChangeBlock, Link, Network, OpenBlock, PrivateKey, Raw,
    ReceiveBlock, SendBlock, Signature, StateBlock, WorkNonce, dev_genesis_private_key,
};

use crate::world::*;

const SIGNATURE: Signature = Signature::ZERO;
const WORK: WorkNonce = WorkNonce::new(0);

/// A state send of `amount` raw out of a balance of a million, with the block before it.
fn source(sender: u8, destination: Account, amount: u128) -> SourceSend {
    let before = StateBlock::unsigned(
        key(sender).account(),
        hash(sender),
        key(1).account(),
        Raw::new(1_000_000),
        Link::ZERO,
    );
    let send = StateBlock {
        previous: before.hash(),
        balance: Raw::new(1_000_000 - amount),
        link: destination.into(),
        ..before
    };
    SourceSend {
        send: send.into(),
        before: vec![before.into()],
    }
}

fn open(source: BlockHash) -> Block {
    let block = OpenBlock {
        source,
        representative: key(1).account(),
        account: account(),
        signature: SIGNATURE,
        work: WORK,
    };
    signed(block, &owner())
}

fn receive(previous: &Block, source: BlockHash) -> Block {
    let block = ReceiveBlock {
        previous: previous.hash(),
        source,
        signature: SIGNATURE,
        work: WORK,
    };
    signed(block, &owner())
}

fn change(previous: &Block, representative: Account) -> Block {
    let block = ChangeBlock {
        previous: previous.hash(),
        representative,
        signature: SIGNATURE,
        work: WORK,
    };
    signed(block, &owner())
}

fn send(previous: &Block, destination: Account, balance: u128, key: &PrivateKey) -> Block {
    let block = SendBlock {
        previous: previous.hash(),
        destination,
        balance: Raw::new(balance),
        signature: SIGNATURE,
        work: WORK,
    };
    signed(block, key)
}

/// A proof with votes on the frontier and on these other hashes.
fn proof(blocks: &[Block], sources: Vec<SourceSend>, also: &[BlockHash]) -> BalanceProof {
    let frontier = blocks.last().unwrap().hash();
    let hashes: Vec<_> = core::iter::once(frontier)
        .chain(also.iter().copied())
        .collect();
    let history = History {
        blocks: blocks.to_vec(),
        sources,
    };
    // Made of parts, because assembling would refuse to leave a needed hash out.
    let mut proof = state_proof();
    proof.frontier = Frontier::Legacy(history);
    proof.certificate = nano_core::proof::Certificate::from_votes(&votes(&hashes)).unwrap();
    proof
}

#[test]
fn an_open_block_is_worth_what_its_source_sent() {
    let source = source(40, account(), 700);
    let open = open(source.send.hash());
    let proven = verify(&proof(&[open], vec![source], &[])).unwrap();
    assert_eq!(proven.balance, Raw::new(700));
    assert_eq!(proven.account, account());
    assert_eq!(proven.representative, key(1).account());
    assert_eq!(proven.previous, BlockHash::ZERO);
}

#[test]
fn receives_add_what_their_sources_sent() {
    let first = source(40, account(), 700);
    let second = source(41, account(), 50);
    let open = open(first.send.hash());
    let changed = change(&open, key(2).account());
    let received = receive(&changed, second.send.hash());
    let counted = second.send.hash();
    let proof = proof(&[open, changed, received], vec![first, second], &[counted]);
    let proven = verify(&proof).unwrap();
    assert_eq!(proven.balance, Raw::new(750));
    assert_eq!(proven.representative, key(2).account());

    let again = BalanceProof::from_bytes(&proof.to_bytes().unwrap()).unwrap();
    assert_eq!(again, proof);
    assert_eq!(
        BalanceProof::from_json(&proof.to_json().unwrap()),
        Ok(proof)
    );
}

#[test]
fn a_send_states_its_balance_and_needs_no_sources() {
    let open = open(hash(9));
    let sent = send(&open, key(30).account(), 5, &owner());
    assert_eq!(
        verify(&proof(&[open, sent], vec![], &[])).unwrap().balance,
        Raw::new(5)
    );
}

#[test]
fn the_genesis_block_is_worth_all_there_is() {
    let genesis = Network::Dev.genesis_block();
    let history = History::from(genesis);
    let proof = proof_of(Frontier::Legacy(history), &votes(&[genesis.hash()]));
    let owner = Network::Dev.genesis_account();
    let proven = proof.verify(&owner, Network::Dev, &table()).unwrap();
    assert_eq!(proven.balance, Raw::MAX);
}

#[test]
fn a_source_may_itself_stand_on_an_opened_account() {
    let sender = key(42);
    let funding = source(40, sender.account(), 900);
    let opened = signed(
        OpenBlock {
            source: funding.send.hash(),
            representative: Account::ZERO,
            account: sender.account(),
            signature: SIGNATURE,
            work: WORK,
        },
        &sender,
    );
    let sent = send(&opened, account(), 200, &sender);
    let second = SourceSend {
        send: sent,
        before: vec![opened],
    };
    let open = open(sent.hash());
    let good = proof(&[open], vec![funding.clone(), second.clone()], &[]);
    assert_eq!(verify(&good).unwrap().balance, Raw::new(700));
    let unordered = proof(&[open], vec![second, funding], &[]);
    assert_eq!(refusal(&unordered), "legacy-source-missing");
}

#[test]
fn a_legacy_block_signed_again_by_a_thief_is_refused_under_both_names() {
    let thief = key(66);
    let open = open(hash(9));
    let sent = send(&open, key(30).account(), 5, &thief);
    let stolen = proof(&[open, sent], vec![], &[]);
    assert_eq!(refusal(&stolen), "bad-block-signature");
    let found = stolen.verify(&thief.account(), Network::Dev, &table());
    assert_eq!(found.unwrap_err().reason(), "wrong-account");
}

#[test]
fn a_chain_that_does_not_reach_open_is_refused() {
    let open = open(hash(9));
    let sent = send(&open, key(30).account(), 5, &owner());
    assert_eq!(refusal(&proof(&[sent], vec![], &[])), "legacy-chain-broken");
}

#[test]
fn a_chain_with_a_gap_is_refused() {
    let open = open(hash(9));
    let middle = send(&open, key(30).account(), 5, &owner());
    let last = send(&middle, key(30).account(), 4, &owner());
    assert_eq!(
        refusal(&proof(&[open, last], vec![], &[])),
        "legacy-chain-broken"
    );
}

#[test]
fn a_state_block_in_a_legacy_chain_is_refused() {
    let open = open(hash(9));
    let state = Block::from(StateBlock {
        previous: open.hash(),
        ..state_block()
    });
    let sent = send(&state, key(30).account(), 5, &owner());
    assert_eq!(
        refusal(&proof(&[open, state, sent], vec![], &[])),
        "legacy-chain-broken"
    );
}

#[test]
fn a_chain_longer_than_the_limit_is_refused_as_such() {
    let mut blocks = vec![open(hash(9))];
    while blocks.len() <= MAX_LEGACY_CHAIN {
        let next = send(blocks.last().unwrap(), key(30).account(), 5, &owner());
        blocks.push(next);
    }
    let long = proof(&blocks, vec![], &[]);
    assert_eq!(refusal(&long), "legacy-chain-too-long");
    assert_eq!(
        long.to_bytes().unwrap_err().reason(),
        "legacy-chain-too-long"
    );
    blocks.pop();
    verify(&proof(&blocks, vec![], &[])).unwrap();
}

#[test]
fn a_missing_source_is_named() {
    let source = source(40, account(), 700);
    let open = open(source.send.hash());
    assert_eq!(
        verify(&proof(&[open], vec![], &[])),
        Err(ProofError::LegacySourceMissing(source.send.hash()))
    );
}

#[test]
fn a_source_for_someone_else_is_refused() {
    let source = source(40, key(30).account(), 700);
    let open = open(source.send.hash());
    assert_eq!(
        refusal(&proof(&[open], vec![source], &[])),
        "legacy-source-mismatch"
    );
}

#[test]
fn a_source_without_the_block_before_it_is_refused() {
    let mut source = source(40, account(), 700);
    let open = open(source.send.hash());
    source.before = vec![state_block().into()];
    assert_eq!(
        refusal(&proof(&[open], vec![source], &[])),
        "legacy-chain-broken"
    );
}

#[test]
fn a_source_that_sends_nothing_is_refused() {
    let mut source = source(40, account(), 0);
    let open = open(source.send.hash());
    assert_eq!(
        refusal(&proof(&[open], vec![source.clone()], &[])),
        "not-a-send"
    );

    let before = source.before[0];
    source.send = send(&before, account(), 1_000_001, &key(40));
    let open = self::open(source.send.hash());
    assert_eq!(refusal(&proof(&[open], vec![source], &[])), "legacy-amount");
}

#[test]
fn a_receive_counts_only_a_send_the_votes_confirm() {
    // The owner signs a change whose "representative" is the hash of a send he made up.
    let first = source(40, account(), 700);
    let made_up = source(41, account(), 999_999);
    let open = open(first.send.hash());
    let disguised = receive(&open, made_up.send.hash());
    let proof = proof(&[open, disguised], vec![first, made_up], &[]);
    assert_eq!(refusal(&proof), "hash-not-in-list");
}

#[test]
fn a_send_received_twice_is_refused() {
    let first = source(40, account(), 700);
    let second = source(41, account(), 50);
    let open = open(first.send.hash());
    let once = receive(&open, second.send.hash());
    let twice = receive(&once, second.send.hash());
    let counted = second.send.hash();
    let both = proof(
        &[open, once, twice],
        vec![first.clone(), second.clone()],
        &[counted],
    );
    assert_eq!(refusal(&both), "legacy-source-mismatch");

    let disguised = change(&open, Account::from_bytes(*counted.as_bytes()));
    let sent = send(&disguised, key(30).account(), 5, &owner());
    let later = receive(&sent, counted);
    let both = proof(
        &[open, disguised, sent, later],
        vec![first, second],
        &[counted],
    );
    assert_eq!(refusal(&both), "legacy-source-mismatch");
}

#[test]
fn a_receive_passed_off_as_a_change_is_refused() {
    // A liar hides 50 raw: same hash, same signature, other type.
    let first = source(40, account(), 700);
    let second = source(41, account(), 50);
    let open = open(first.send.hash());
    let received = receive(&open, second.send.hash());
    let as_change = change(&open, Account::from_bytes(*second.send.hash().as_bytes()));
    assert_eq!(received.hash(), as_change.hash());
    assert_eq!(received.signature(), as_change.signature());
    let proof = proof(&[open, as_change], vec![first], &[]);
    assert_eq!(refusal(&proof), "legacy-ambiguous");
}

#[test]
fn a_change_to_a_key_that_shows_itself_counts_as_one() {
    let first = source(40, account(), 700);
    let open = open(first.send.hash());
    for (representative, known) in [
        (Account::ZERO, true),
        (account(), true),
        (Network::Dev.genesis_account(), true),
        (key(10).account(), true),
        (key(30).account(), false),
    ] {
        let changed = change(&open, representative);
        let found = verify(&proof(&[open, changed], vec![first.clone()], &[]));
        assert_eq!(found.is_ok(), known, "{representative}");
        if let Err(error) = found {
            assert_eq!(error.reason(), "legacy-ambiguous");
        }
    }
}

#[test]
fn a_disguised_receive_cannot_make_a_send_larger() {
    // The sender "receives" a real send to himself by a change, then sends everything: the amount
    // would count money that is still waiting for him.
    let sender = key(42);
    let funding = source(40, sender.account(), 900);
    let waiting = source(41, sender.account(), 900);
    let opened = signed(
        OpenBlock {
            source: funding.send.hash(),
            representative: Account::ZERO,
            account: sender.account(),
            signature: SIGNATURE,
            work: WORK,
        },
        &sender,
    );
    let received = Block::from(ReceiveBlock {
        previous: opened.hash(),
        source: waiting.send.hash(),
        signature: SIGNATURE,
        work: WORK,
    });
    let sent = send(&received, account(), 0, &sender);
    let inflated = SourceSend {
        send: sent,
        before: vec![opened, received],
    };
    let open = open(sent.hash());
    let waiting_hash = waiting.send.hash();
    let proof = proof(&[open], vec![funding, waiting, inflated], &[waiting_hash]);
    assert_eq!(refusal(&proof), "legacy-ambiguous");
}

#[test]
fn amounts_beyond_all_nano_are_refused() {
    let genesis = Network::Dev.genesis_block();
    let everything = SourceSend {
        send: send(&genesis, account(), 0, &dev_genesis_private_key()),
        before: vec![genesis],
    };
    let second = source(41, account(), 50);
    let open = open(everything.send.hash());
    let received = receive(&open, second.send.hash());
    let counted = second.send.hash();
    let proof = proof(&[open, received], vec![everything, second], &[counted]);
    assert_eq!(refusal(&proof), "legacy-amount");
}

#[test]
fn an_empty_history_proves_nothing() {
    let mut proof = state_proof();
    proof.frontier = Frontier::Legacy(History::default());
    assert_eq!(refusal(&proof), "legacy-chain-broken");
    assert_eq!(proof.hash(), BlockHash::ZERO);
}
