//! Tests of the answers, against those recorded from a running node and the forms the C++ node
//! gives.

use super::*;
use serde_json::json;

/// The answers recorded for `action`, without those that refuse.
fn recorded(action: &str) -> Vec<(Value, Value)> {
    let text = include_str!("../../../tests/vectors/data/rpc-samples/rpc-samples.json");
    let samples: Vec<Value> = serde_json::from_str(text).unwrap();
    let found: Vec<_> = samples
        .into_iter()
        .filter(|sample| sample["request"]["action"] == action)
        .filter(|sample| sample["http_status"] == 200)
        .filter(|sample| sample["response"].get("error").is_none())
        .map(|sample| (sample["request"].clone(), sample["response"].clone()))
        .collect();
    assert!(!found.is_empty(), "no sample of {action}");
    found
}

fn hash(text: &str) -> BlockHash {
    text.parse().unwrap()
}

const SEND: &str = "2DF1082BCDAC20C3AB35E8B36321F7866F392B7E016F7351D8989763CFD688A5";

#[test]
fn recorded_receivables_are_read_in_every_form() {
    let mut full = 0;
    for (_, response) in recorded("receivable") {
        let sends = receivable(&response).unwrap();
        full += sends.len();
        assert!(sends.iter().all(|send| *send == hash(SEND)));
    }
    assert_eq!(full, 3);
    for (_, response) in recorded("accounts_receivable") {
        let all = accounts_receivable(&response).unwrap();
        assert_eq!(all.values().collect::<Vec<_>>(), [&vec![hash(SEND)]]);
    }
}

#[test]
fn nothing_receivable_is_read_as_each_node_says_it() {
    for nothing in [json!(""), json!([]), json!({})] {
        let response = json!({ "blocks": nothing });
        assert_eq!(receivable(&response), Ok(Vec::new()));
        assert_eq!(accounts_receivable(&response), Ok(BTreeMap::new()));
    }
    for wrong in [json!(1), json!("x"), json!([1]), json!({ SEND: 1 })] {
        assert!(receivable(&json!({ "blocks": wrong })).is_err());
    }
}

#[test]
fn the_largest_send_goes_first_whatever_its_hash() {
    let other = "00F1082BCDAC20C3AB35E8B36321F7866F392B7E016F7351D8989763CFD688A5";
    let response = json!({ "blocks": { other: "5", SEND: { "amount": "7", "source": "x" } } });
    assert_eq!(receivable(&response), Ok(vec![hash(SEND), hash(other)]));
}

#[test]
fn recorded_weights_and_quorum_are_read() {
    for (_, response) in recorded("representatives") {
        let read = representatives(&response).unwrap();
        assert_eq!(read.len(), 1);
        assert!(!read.values().any(|weight| weight.is_zero()));
    }
    for (_, response) in recorded("confirmation_quorum") {
        let read = quorum(&response).unwrap();
        assert_eq!(read.minimum, nano_core::ONLINE_WEIGHT_MINIMUM);
        assert!(read.trended > read.online);
        assert_eq!(read.online_weight(), read.trended);
    }
}

#[test]
fn representatives_without_weight_are_left_out_and_too_many_are_refused() {
    let account = Account::from_bytes([1; 32]).to_string();
    let response = json!({ "representatives": { account: "0" } });
    assert_eq!(representatives(&response), Ok(BTreeMap::new()));
    let many: Map<String, Value> = (0..=WeightTable::MAX_ENTRIES)
        .map(|number| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            (Account::from_bytes(bytes).to_string(), json!("1"))
        })
        .collect();
    assert_eq!(
        representatives(&json!({ "representatives": many })),
        Err(ReplyError::TooMany("representatives"))
    );
}

#[test]
fn recorded_blocks_are_read_as_objects_and_as_text_and_another_block_is_refused() {
    for (request, response) in recorded("block_info") {
        let asked = hash(request["hash"].as_str().unwrap());
        let read = block(&response, asked).unwrap();
        assert_eq!(read.hash(), asked);
        let mut as_text = response.clone();
        as_text["contents"] = Value::from(response["contents"].to_string());
        assert_eq!(block(&as_text, asked), Ok(read));
        assert_eq!(block(&response, hash(SEND)), Err(ReplyError::OtherBlock));
    }
}

#[test]
fn recorded_frontiers_and_versions_are_read() {
    for (_, response) in recorded("accounts_frontiers") {
        assert_eq!(frontiers(&response).unwrap().len(), 1);
    }
    for (_, response) in recorded("version") {
        assert_eq!(
            genesis(&response),
            Ok(nano_core::Network::Dev.genesis_hash())
        );
    }
}

#[test]
fn frontiers_that_are_left_out_are_none_only_where_errors_say_why() {
    let account = Account::from_bytes([1; 32]).to_string();
    let response = json!({ "errors": { account: "Account not found" } });
    assert_eq!(frontiers(&response), Ok(BTreeMap::new()));
    assert_eq!(frontiers(&json!({})), Err(ReplyError::Field("frontiers")));
}
