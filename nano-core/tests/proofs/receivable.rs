//! Receivable proofs: sent, how much, by whom, to whom.

use nano_core::proof::{Certificate, History, ProofError, ProvenReceivable, ReceivableProof};
use nano_core::{
    Account, Block, BlockHash, Link, Network, OpenBlock, Raw, ReceiveBlock, SendBlock, Signature,
    StateBlock, WorkNonce,
};

use crate::world::*;

const SIGNATURE: Signature = Signature::ZERO;
const WORK: WorkNonce = WorkNonce::new(0);

fn destination() -> Account {
    key(30).account()
}

/// Sends 400 of [`state_block`]'s 1,000 raw.
fn state_send() -> StateBlock {
    let before = state_block();
    StateBlock {
        previous: before.hash(),
        balance: Raw::new(600),
        link: destination().into(),
        ..before
    }
    .sign(&owner())
}

fn prove(send: impl Into<Block>, history: impl Into<History>) -> ReceivableProof {
    let send = send.into();
    let votes = votes(&[hash(3), send.hash()]);
    ReceivableProof::from_votes(Network::Dev, send, history, &votes, &table())
        .unwrap()
        .proof
}

fn good() -> ReceivableProof {
    prove(state_send(), Block::from(state_block()))
}

fn verify(proof: &ReceivableProof) -> Result<ProvenReceivable, ProofError> {
    proof.verify(&destination(), Network::Dev, &table())
}

fn refusal(proof: &ReceivableProof) -> &'static str {
    verify(proof).unwrap_err().reason()
}

#[test]
fn a_state_send_proves_its_amount_by_the_block_before() {
    let proven = verify(&good()).unwrap();
    assert_eq!(proven.hash, state_send().hash());
    assert_eq!(proven.source, account());
    assert_eq!(proven.destination, destination());
    assert_eq!(proven.amount, Raw::new(400));
    assert!(proven.weight >= proven.threshold);
    assert!(!proven.votes.is_empty());
}

#[test]
fn a_send_to_someone_else_is_refused() {
    let found = good().verify(&key(31).account(), Network::Dev, &table());
    assert_eq!(found.unwrap_err().reason(), "wrong-destination");
}

#[test]
fn another_network_is_refused() {
    let found = good().verify(&destination(), Network::Live, &table());
    assert_eq!(found.unwrap_err().reason(), "wrong-network");
}

#[test]
fn a_block_that_sends_nothing_is_refused() {
    let same_balance = StateBlock {
        balance: Raw::new(1000),
        ..state_send()
    };
    let more = StateBlock {
        balance: Raw::new(1001),
        ..state_send()
    };
    for block in [same_balance, more] {
        let proof = prove(block.sign(&owner()), Block::from(state_block()));
        assert_eq!(refusal(&proof), "not-a-send");
    }
    let receive = ReceiveBlock {
        previous: state_block().hash(),
        source: hash(4),
        signature: SIGNATURE,
        work: WORK,
    };
    assert_eq!(
        refusal(&prove(receive, Block::from(state_block()))),
        "not-a-send"
    );
}

#[test]
fn a_first_block_cannot_send() {
    let first = StateBlock {
        previous: BlockHash::ZERO,
        ..state_send()
    };
    assert_eq!(
        refusal(&prove(first.sign(&owner()), History::default())),
        "not-a-send"
    );
}

#[test]
fn a_block_before_that_is_not_the_one_before_is_refused() {
    let richer = StateBlock {
        balance: Raw::new(9000),
        ..state_block()
    };
    assert_eq!(
        refusal(&prove(state_send(), Block::from(richer))),
        "legacy-chain-broken"
    );
    assert_eq!(
        refusal(&prove(state_send(), History::default())),
        "legacy-chain-broken"
    );
}

#[test]
fn a_send_signed_by_someone_else_is_refused() {
    let forged = state_send().sign(&key(31));
    assert_eq!(
        refusal(&prove(forged, Block::from(state_block()))),
        "bad-block-signature"
    );
}

#[test]
fn an_altered_amount_is_refused() {
    let mut proof = good();
    let altered = StateBlock {
        balance: Raw::ZERO,
        ..state_send()
    };
    proof.send = altered.sign(&owner()).into();
    assert_eq!(refusal(&proof), "hash-not-in-list");
}

#[test]
fn votes_are_held_to_the_same_rules_as_in_balance_proofs() {
    let mut repeated = good();
    let again = repeated.certificate.votes[0];
    repeated.certificate.votes.push(again);
    assert_eq!(refusal(&repeated), "repeated-representative");

    let mut damaged = good();
    damaged.certificate.votes[0].signature = Signature::ZERO;
    assert_eq!(refusal(&damaged), "bad-vote-signature");

    let mut light = good();
    light.certificate = Certificate::from_votes(&votes_of([10, 9], &[light.hash()])).unwrap();
    assert_eq!(refusal(&light), "too-little-weight");
}

#[test]
fn a_legacy_send_names_its_sender_by_the_chain_to_open() {
    let open = signed(
        OpenBlock {
            source: hash(9),
            representative: Account::ZERO,
            account: account(),
            signature: SIGNATURE,
            work: WORK,
        },
        &owner(),
    );
    let legacy = |previous: &Block, balance| {
        let block = SendBlock {
            previous: previous.hash(),
            destination: destination(),
            balance: Raw::new(balance),
            signature: SIGNATURE,
            work: WORK,
        };
        signed(block, &owner())
    };
    let first = legacy(&open, 500);
    let second = legacy(&first, 200);
    let history = History {
        blocks: vec![open, first],
        sources: vec![],
    };
    let proven = verify(&prove(second, history)).unwrap();
    assert_eq!(proven.amount, Raw::new(300));
    assert_eq!(proven.source, account());

    assert_eq!(refusal(&prove(second, first)), "legacy-chain-broken");
    assert_eq!(refusal(&prove(first, open)), "legacy-source-missing");

    let received = signed(
        ReceiveBlock {
            previous: first.hash(),
            source: hash(8),
            signature: SIGNATURE,
            work: WORK,
        },
        &owner(),
    );
    let after = legacy(&received, 200);
    let history = History {
        blocks: vec![open, first, received],
        sources: vec![],
    };
    assert_eq!(refusal(&prove(after, history)), "legacy-ambiguous");
}

#[test]
fn both_forms_give_the_proof_back() {
    let proof = good();
    let bytes = proof.to_bytes().unwrap();
    assert_eq!(ReceivableProof::from_bytes(&bytes), Ok(proof.clone()));
    let json = proof.to_json().unwrap();
    assert_eq!(ReceivableProof::from_json(&json), Ok(proof.clone()));
    let other = json.replace(&proof.hash().to_string(), &hash(1).to_string());
    assert_eq!(
        ReceivableProof::from_json(&other).unwrap_err().reason(),
        "wrong-hash"
    );
    assert_eq!(proof.send.root(), state_block().hash().into());
    assert_ne!(state_send().link, Link::ZERO);
}
