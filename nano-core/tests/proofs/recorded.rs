//! Proofs about the accounts of a recorded dev ledger, whose balances and amounts a full node told.
//! Only the votes are made here.

use std::collections::BTreeMap;

use nano_core::proof::{
    BalanceProof, Frontier, History, ProvenFrontier, ReceivableProof, SourceSend,
};
use nano_core::{Account, Block, Network, Raw};
use serde_json::Value;

use crate::world::*;

/// The recorded rows by name.
struct Ledger(BTreeMap<String, Value>);

impl Ledger {
    fn open() -> Self {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/vectors/data/blocks/blocks.json"
        );
        let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let named = |row: Value| (row["name"].as_str().unwrap().to_owned(), row);
        Self(rows.into_iter().map(named).collect())
    }

    fn block(&self, name: &str) -> Block {
        Block::from_json(&self.0[name]["block"]).unwrap()
    }

    /// What the node said about the block.
    fn told<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, name: &str, field: &str) -> T {
        let text = self.0[name]["node_block_info"][field].as_str().unwrap();
        text.parse().unwrap()
    }

    fn prove(&self, name: &str, frontier: Frontier) -> ProvenFrontier {
        let mut hashes = vec![frontier.block().unwrap().hash()];
        hashes.extend(
            self.0
                .values()
                .map(|row| Block::from_json(&row["block"]).unwrap().hash()),
        );
        let made =
            BalanceProof::from_votes(Network::Dev, frontier, &votes(&hashes), &table()).unwrap();
        let account: Account = self.told(name, "block_account");
        let proven = made.proof.verify(&account, Network::Dev, &table()).unwrap();
        assert_eq!(proven.balance, self.told::<Raw>(name, "balance"), "{name}");
        assert_eq!(proven.hash, self.block(name).hash());
        proven
    }

    fn state(&self, name: &str, previous: Option<&str>) -> Frontier {
        let Block::State(block) = self.block(name) else {
            panic!("{name} is not a state block");
        };
        Frontier::state(block, previous.map(|name| self.block(name)))
    }
}

#[test]
fn the_recorded_legacy_account_has_what_the_node_says() {
    let ledger = Ledger::open();
    let history = History {
        blocks: vec![
            ledger.block("dev: legacy open A0"),
            ledger.block("dev: legacy change A0 rep->genesis"),
            ledger.block("dev: legacy send A0->A1 1 XNO"),
            ledger.block("dev: legacy receive A0"),
        ],
        sources: vec![SourceSend {
            send: ledger.block("dev: state send genesis->A0 second"),
            before: vec![ledger.block("dev: state send genesis->A0")],
        }],
    };
    let proven = ledger.prove("dev: legacy receive A0", Frontier::Legacy(history));
    assert_eq!(proven.representative, Network::Dev.genesis_account());
}

#[test]
fn the_recorded_state_and_epoch_blocks_have_what_the_node_says() {
    let ledger = Ledger::open();
    let open = "dev: state open A2";
    let first = "dev: epoch 1 on A2 (signed by genesis)";
    let second = "dev: epoch 2 on A2 (signed by genesis)";
    let send = "dev: send A2->A3 epoch 2";
    let opened_by_epoch = "dev: epoch 2 open of A3 (unopened, has receivable)";
    for (name, previous, epoch) in [
        (open, None, false),
        (first, Some(open), true),
        (second, Some(first), true),
        (send, Some(second), false),
        (opened_by_epoch, None, true),
        (
            "dev: receive A3 with receive-level work",
            Some(opened_by_epoch),
            false,
        ),
    ] {
        let frontier = ledger.state(name, previous);
        assert_eq!(matches!(frontier, Frontier::Epoch { .. }), epoch, "{name}");
        ledger.prove(name, frontier);
    }
}

#[test]
fn the_recorded_sends_are_worth_what_the_node_says() {
    let ledger = Ledger::open();
    for (name, history) in [
        (
            "dev: state send genesis->A0 second",
            History::from(ledger.block("dev: state send genesis->A0")),
        ),
        (
            "dev: state send A1->A2",
            ledger.block("dev: state change A1").into(),
        ),
        (
            "dev: send A2->A3 epoch 2",
            ledger
                .block("dev: epoch 2 on A2 (signed by genesis)")
                .into(),
        ),
    ] {
        let send = ledger.block(name);
        let votes = votes(&[send.hash()]);
        let proof = ReceivableProof::from_votes(Network::Dev, send, history, &votes, &table())
            .unwrap()
            .proof;
        let destination = proof.destination().unwrap();
        let proven = proof.verify(&destination, Network::Dev, &table()).unwrap();
        assert_eq!(proven.amount, ledger.told::<Raw>(name, "amount"), "{name}");
        assert_eq!(proven.source, ledger.told::<Account>(name, "block_account"));
    }
}
