//! The ledger gives the verdicts that a real full node gave, on the recorded blocks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::recording;
use common::recording::first_send;
use dev_node::Ledger;
use nano_core::{BlockHash, Network, Raw};

/// A ledger with every recorded block that was accepted.
fn replayed() -> Ledger {
    let mut ledger = Ledger::genesis(0);
    ledger.process(first_send(), 0).unwrap();
    for (_, block) in recording::blocks() {
        // Refusals are the matter of another test.
        let _ = ledger.process(block, 0);
    }
    ledger
}

#[test]
fn every_recorded_block_gets_the_verdict_of_the_full_node() {
    let mut ledger = Ledger::genesis(0);
    let first = ledger.process(first_send(), 0).unwrap();
    assert_eq!(
        first.to_string(),
        "2DF1082BCDAC20C3AB35E8B36321F7866F392B7E016F7351D8989763CFD688A5"
    );
    let rows = recording::blocks();
    assert_eq!(rows.len(), 18);
    for (row, block) in rows {
        let recorded = &row["node_process_result"];
        let ours = match ledger.process(block, 0) {
            Ok(hash) => serde_json::json!({ "hash": hash }),
            Err(reason) => serde_json::json!({ "error": reason.rpc_text() }),
        };
        assert_eq!(&ours, recorded, "{}", row["name"]);
    }
}

#[test]
fn every_accepted_block_has_the_recorded_account_amount_balance_and_height() {
    let mut ledger = replayed();
    for (row, _) in recording::blocks() {
        let info = &row["node_block_info"];
        if info.is_null() {
            continue;
        }
        let hash: BlockHash = row["hash"].as_str().unwrap().parse().unwrap();
        ledger.confirm(&hash);
        assert!(ledger.is_confirmed(&hash));
        let entry = ledger.entry(&hash).unwrap();
        assert_eq!(
            info["block_account"],
            entry.account.to_string(),
            "{}",
            row["name"]
        );
        assert_eq!(info["amount"], entry.amount.to_string(), "{}", row["name"]);
        assert_eq!(
            info["balance"],
            entry.balance.to_string(),
            "{}",
            row["name"]
        );
        assert_eq!(info["height"], entry.height.to_string(), "{}", row["name"]);
        if let Some(subtype) = info["subtype"].as_str() {
            assert_eq!(subtype, entry.subtype(), "{}", row["name"]);
        }
    }
}

#[test]
fn rolling_back_the_first_send_takes_all_that_was_built_on_it() {
    let mut ledger = replayed();
    let removed = ledger.roll_back(&first_send().hash()).unwrap();
    // All but one of the 16 blocks: an epoch block that opened an account stands on nothing.
    assert_eq!(removed.len(), 15);
    assert_eq!(ledger.block_count(), 2);
    let genesis = Network::Dev.genesis_account();
    assert_eq!(ledger.balance(&genesis), Raw::MAX);
    assert_eq!(ledger.weights().len(), 1);
    assert_eq!(ledger.weight(&genesis), Raw::MAX);
}

#[test]
fn a_rolled_back_chain_can_be_put_in_again() {
    let mut ledger = replayed();
    let mut removed = ledger.roll_back(&first_send().hash()).unwrap();
    removed.reverse();
    for (hash, entry) in removed {
        assert_eq!(ledger.process(entry.block, 0), Ok(hash));
    }
    assert_eq!(ledger.block_count(), replayed().block_count());
    assert_eq!(ledger.weights(), replayed().weights());
}

#[test]
fn a_confirmed_block_is_never_rolled_back() {
    let mut ledger = replayed();
    let first = first_send().hash();
    ledger.confirm(&first);
    assert!(ledger.roll_back(&first).is_err());
    assert!(ledger.contains(&first));
}

#[test]
fn confirming_a_block_confirms_all_it_stands_on_and_nothing_else() {
    let mut ledger = replayed();
    let rows = recording::blocks();
    let hash = |name: &str| -> BlockHash {
        let (row, _) = rows.iter().find(|(row, _)| row["name"] == name).unwrap();
        row["hash"].as_str().unwrap().parse().unwrap()
    };
    let confirmed = ledger.confirm(&hash("dev: state open A1 (receive legacy send)"));
    // Genesis sends 2DF1 and BA23, the legacy chain open, change, send, and the open itself.
    assert_eq!(confirmed.len(), 6);
    assert!(!ledger.is_confirmed(&hash("dev: state send genesis->A0 second")));
    assert!(!ledger.is_confirmed(&hash("dev: legacy receive A0")));
    for block in &confirmed {
        let entry = ledger.entry(block).unwrap();
        assert!(ledger.dependencies_confirmed(entry));
    }
}
