//! The facade against what a running full node answered, field by field.
//!
//! The recordings are of RsNano; what the C++ node spells otherwise is rewritten here, difference by difference, as
//! their README lists them.

use serde_json::{Map, Value, json};

use super::*;
use crate::{Block, Network, PrivateKey, WeightTable};

struct Sample {
    request: Value,
    response: Value,
    readable: bool,
}

fn samples() -> Vec<Sample> {
    let text = include_str!("../../../tests/vectors/data/rpc-samples/rpc-samples.json");
    let samples: Vec<Value> = serde_json::from_str(text).unwrap();
    let read = |sample: Value| Sample {
        request: sample["request"].clone(),
        response: sample["response"].clone(),
        readable: sample["http_status"] == 200,
    };
    samples.into_iter().map(read).collect()
}

fn of(action: &str) -> Vec<Sample> {
    let all = samples().into_iter();
    let found: Vec<_> = all
        .filter(|sample| sample.request["action"] == action)
        .collect();
    assert!(!found.is_empty(), "no sample of {action}");
    found
}

fn request(value: &Value) -> Request {
    Request::parse(value.to_string().as_bytes()).unwrap()
}

const OPENED: &str = "nano_1sjkhzzeuhup4u9fbd9f77k9puwfbaadymfjnjgbtmiuchqqnmodbwrsnhn9";
const WAITING: &str = "nano_1ekejdcnm759p7g96rqkg3szb78zbxbg993syuyt8ogkpwgw89x1e4kk16k1";
const UNOPENED: &str = "nano_3jpacfrqimyjfahsgn1binwud3r7pk1bn5przxxqn1ahxpuint8957sxm3fy";
const GENESIS: &str = "nano_3e3j5tkog48pnny9dmfzj1r16pg8t1e76dz5tmac6iq689wyjfpiij4txtdo";
const SEND: &str = "2DF1082BCDAC20C3AB35E8B36321F7866F392B7E016F7351D8989763CFD688A5";

/// What was true of the recorded accounts, as proofs would say it.
fn states(accounts: &[Account]) -> States {
    let state = |account: &Account| {
        let text = account.to_string();
        let opened = (text == OPENED).then(|| Head {
            frontier: "1AE3EC37E903121DD0E1F8C3F836C1EE66CAF10996DA2E007BB762A22C3B8930"
                .parse()
                .unwrap(),
            balance: Raw::new(11 * Raw::NANO.number()),
            representative: GENESIS.parse().unwrap(),
        });
        let waiting = (text == WAITING).then(|| Waiting {
            hash: SEND.parse().unwrap(),
            source: GENESIS.parse().unwrap(),
            amount: Raw::NANO,
        });
        Proven {
            head: opened,
            receivable: waiting.into_iter().collect(),
            as_of: Some(UnixMillis(5)),
        }
    };
    accounts
        .iter()
        .map(|account| (*account, state(account)))
        .collect()
}

/// The recorded full node: the answer to the same question.
fn full_node(question: &Value) -> Option<Value> {
    let found = samples().into_iter().find(|sample| {
        let (asked, mut recorded) = (question, sample.request.clone());
        if let Some(fields) = recorded.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        *asked == recorded && sample.readable
    });
    found.map(|sample| sample.response)
}

/// The facade's answer with the recorded full node behind it.
fn answer(asked: &Value) -> Value {
    let request = request(asked);
    let answer = || -> Result<Value, Refusal> {
        match plan(Network::Dev, &request)? {
            Plan::Answer(answer) => Ok(answer),
            Plan::Accounts { accounts, more, .. } => {
                let more = more.and_then(|question| full_node(&question));
                super::accounts(&request, &states(&accounts), more.as_ref())
            }
            Plan::FullNode(question) => {
                let said = full_node(&question);
                from_full_node(
                    &request,
                    &said.unwrap_or_else(|| panic!("not recorded: {question}")),
                )
            }
            other => panic!("{other:?} is tested elsewhere"),
        }
    };
    answer().unwrap_or_else(|refusal| refusal.answer())
}

/// A recorded answer in the C++ node's spelling.
fn as_cpp(sample: &Sample) -> Value {
    let action = sample.request["action"].as_str().unwrap();
    let mut said = sample.response.clone();
    full_node::spell_work(&mut said);
    let Value::Object(fields) = &mut said else {
        return said;
    };
    match action {
        "account_info" if sample.request.get("include_confirmed").is_some() => {
            fields.remove("confirmation_height");
        }
        "account_info" => {
            fields.remove("confirmed_height");
        }
        "work_validate" | "work_generate" => {
            if fields.get("valid") == Some(&Value::Null) {
                fields.remove("valid");
            }
            let decimal: u64 = fields["difficulty"].as_str().unwrap().parse().unwrap();
            fields.insert("difficulty".into(), json!(format!("{decimal:016x}")));
        }
        "receivable" if fields["blocks"] == json!([]) => {
            fields.insert("blocks".into(), json!(""));
        }
        _ => {}
    }
    said
}

fn unlabelled(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        fields.remove(LABEL);
    }
    answer
}

#[test]
fn recorded_answers_are_given_field_by_field() {
    for action in [
        "account_info",
        "account_balance",
        "accounts_balances",
        "accounts_frontiers",
        "accounts_receivable",
        "receivable",
        "block_info",
        "blocks_info",
        "block_count",
        "account_weight",
        "delegators_count",
        "available_supply",
        "representatives",
        "telemetry",
        "peers",
        "work_validate",
        "validate_account_number",
        "block_hash",
    ] {
        for sample in of(action).iter().filter(|sample| sample.readable) {
            let given = answer(&sample.request);
            let mut wanted = as_cpp(sample);
            if wanted.get("error").is_none() {
                assert!(given.get(LABEL).is_some(), "{action} without a label");
            }
            if action == "account_info" && wanted.get("confirmation_height").is_some() {
                // Recorded of another moment of the same chain than its confirmed form.
                wanted["confirmation_height"] = json!("4");
            }
            assert_eq!(unlabelled(given), wanted, "{}", sample.request);
        }
    }
}

#[test]
fn history_is_passed_on_and_said_to_be_unverified() {
    for sample in of("account_history")
        .iter()
        .filter(|sample| sample.readable)
    {
        let given = answer(&sample.request);
        assert_eq!(given[LABEL], json!({ "verified": false }));
        assert_eq!(unlabelled(given), as_cpp(sample));
    }
}

#[test]
fn what_cannot_be_read_gets_the_text_of_the_other_node_program() {
    let error = |value: Value| answer(&value)["error"].clone();
    assert_eq!(
        error(json!({ "action": "no_such_action" })),
        "Unknown command"
    );
    let bad = json!({ "action": "account_info", "account": "nano_1bad" });
    assert_eq!(error(bad), "Bad account number");
    assert_eq!(
        error(json!({ "action": "account_info" })),
        "Unable to parse JSON"
    );
    let count = json!({ "action": "receivable", "account": OPENED, "count": "many" });
    assert_eq!(error(count), "Invalid count");
    assert!(Request::parse(b"[]").is_err());
    assert!(Request::parse(b"{}").is_err());
}

#[test]
fn a_count_of_minus_one_is_all_and_is_passed_on_as_a_number_both_programs_read() {
    let request = request(&json!({ "action": "account_history", "account": OPENED, "count": -1 }));
    let Ok(Plan::FullNode(question)) = plan(Network::Dev, &request) else {
        panic!("a full node has the history");
    };
    assert_eq!(question["count"], json!(u32::MAX.to_string()));
    let all = json!({ "action": "receivable", "account": WAITING, "count": "-1" });
    assert_eq!(answer(&all)["blocks"], json!([SEND]));
}

#[test]
fn what_only_a_full_node_says_is_named_as_unverified() {
    let asked = json!({
        "action": "account_info", "account": OPENED, "representative": true, "weight": "true",
        "include_confirmed": "true",
    });
    let label = answer(&asked)[LABEL].clone();
    assert_eq!(label["verified"], true);
    assert_eq!(label["as_of"], "5");
    let unverified = label["unverified"].as_array().unwrap();
    for name in [
        "open_block",
        "block_count",
        "modified_timestamp",
        "confirmed_height",
        "weight",
    ] {
        assert!(unverified.contains(&json!(name)), "{name}");
    }
    for name in [
        "frontier",
        "balance",
        "representative",
        "confirmed_frontier",
    ] {
        assert!(!unverified.contains(&json!(name)), "{name}");
    }
}

#[test]
fn that_an_account_has_no_block_is_said_to_be_unproven() {
    let given = answer(&json!({ "action": "account_balance", "account": UNOPENED }));
    assert_eq!(given["balance"], "0");
    assert_eq!(given[LABEL]["verified"], false);
    assert_eq!(given[LABEL]["unopened"], json!([UNOPENED]));
    let given = answer(&json!({ "action": "accounts_balances", "accounts": [OPENED, UNOPENED] }));
    assert_eq!(given[LABEL]["verified"], true);
    assert_eq!(given[LABEL]["unopened"], json!([UNOPENED]));
    let given = answer(&json!({ "action": "receivable", "account": WAITING }));
    assert_eq!(given[LABEL]["verified"], true);
}

#[test]
fn a_full_node_that_claims_another_confirmed_block_adds_nothing() {
    let asked = request(&json!({ "action": "account_info", "account": OPENED, "weight": "true" }));
    let account = OPENED.parse().unwrap();
    let lie = json!({
        "frontier": SEND, "confirmed_frontier": SEND, "balance": "1", "block_count": "9", "weight": "7",
    });
    let given = super::accounts(&asked, &states(&[account]), Some(&lie)).unwrap();
    assert_eq!(given["balance"], "11000000000000000000000000000000");
    assert_eq!(given.get("block_count"), None);
    assert_eq!(given.get("weight"), None);
}

#[test]
fn without_a_full_node_an_account_has_what_is_proven() {
    let asked = request(&json!({ "action": "account_info", "account": OPENED }));
    let given = super::accounts(&asked, &states(&[OPENED.parse().unwrap()]), None).unwrap();
    let wanted = json!({
        "frontier": "1AE3EC37E903121DD0E1F8C3F836C1EE66CAF10996DA2E007BB762A22C3B8930",
        "balance": "11000000000000000000000000000000",
        "confirmation_height_frontier":
            "1AE3EC37E903121DD0E1F8C3F836C1EE66CAF10996DA2E007BB762A22C3B8930",
    });
    assert_eq!(unlabelled(given), wanted);
}

#[test]
fn a_block_that_does_not_hash_to_what_was_asked_for_is_refused() {
    let sample = of("block_info").remove(0);
    let mut said = sample.response.clone();
    said["contents"]["balance"] = json!("1");
    let refusal = from_full_node(&request(&sample.request), &said).unwrap_err();
    assert!(refusal.0.contains("another block"), "{refusal}");
    let mut said = sample.response;
    said["balance"] = json!("1");
    assert!(from_full_node(&request(&sample.request), &said).is_err());
}

#[test]
fn old_names_answer_and_say_that_they_are_old() {
    let given = answer(&json!({ "action": "pending", "account": WAITING }));
    assert_eq!(given["blocks"], json!([SEND]));
    assert_eq!(given["deprecated"], "1");
    let given = answer(&json!({ "action": "accounts_pending", "accounts": [WAITING, UNOPENED] }));
    assert_eq!(given["blocks"], json!({ WAITING: [SEND] }));
    let none = answer(&json!({ "action": "accounts_receivable", "accounts": [UNOPENED] }));
    assert_eq!(none["blocks"], "");
}

#[test]
fn accounts_that_cannot_be_answered_are_errors_beside_the_answers() {
    let asked =
        json!({ "action": "accounts_frontiers", "accounts": [OPENED, UNOPENED, "nano_1bad"] });
    let given = answer(&asked);
    assert_eq!(given["frontiers"].as_object().unwrap().len(), 1);
    assert_eq!(given["errors"][UNOPENED], "Account not found");
    assert_eq!(given["errors"]["nano_1bad"], "Bad account number");
}

#[test]
fn units_are_converted_as_full_nodes_convert_them() {
    let amount = |action: &str, amount: &str| {
        let given = answer(&json!({ "action": action, "amount": amount }));
        given.get("amount").or(given.get("error")).cloned().unwrap()
    };
    assert_eq!(
        amount("nano_to_raw", "2"),
        "2000000000000000000000000000000"
    );
    assert_eq!(
        amount("raw_to_nano", "2999999999999999999999999999999"),
        "2"
    );
    assert_eq!(amount("krai_from_raw", "1000000000000000000000000000"), "1");
    assert_eq!(amount("nano_to_raw", "340282367"), "Amount too big");
    assert_eq!(amount("nano_to_raw", "1.5"), "Invalid amount number");
}

#[test]
fn addresses_and_keys_are_converted() {
    let key = answer(&json!({ "action": "account_key", "account": OPENED }))["key"].clone();
    let back = answer(&json!({ "action": "account_get", "key": key }));
    assert_eq!(back["account"], OPENED);
}

#[test]
fn secrets_and_control_are_refused() {
    for action in ["deterministic_key", "key_expand", "key_create"] {
        let given = answer(&json!({ "action": action, "seed": "00", "key": "00" }));
        assert!(given["error"].as_str().unwrap().contains("secret"));
    }
    for action in [
        "send",
        "wallet_create",
        "accounts_create",
        "account_representative_set",
        "stop",
    ] {
        let given = answer(&json!({ "action": action }));
        assert_eq!(given["error"], "RPC control is disabled", "{action}");
    }
}

/// A block of the recordings, and its account's state before it.
fn recorded_send() -> (Value, Head) {
    let sample = of("process").remove(0);
    let block = Block::from_json(&sample.request["block"]).unwrap();
    let Block::State(state) = &block else {
        panic!("a state block");
    };
    let before = Head {
        frontier: state.previous,
        balance: state.balance.checked_add(Raw::NANO).unwrap(),
        representative: state.representative,
    };
    (sample.request, before)
}

#[test]
fn blocks_are_refused_with_the_recorded_texts() {
    let (_, before) = recorded_send();
    let mut head = before;
    for sample in of("process") {
        let asked = request(&sample.request);
        let Ok(Plan::Process { block, .. }) = plan(Network::Dev, &asked) else {
            panic!("a block to process");
        };
        let given = match check(Network::Dev, &asked, &block, Some(head)) {
            Ok(()) => unlabelled(processed(&block)),
            Err(refusal) => refusal.answer(),
        };
        assert_eq!(given, sample.response, "{}", sample.request);
        if given.get("hash").is_some() {
            head = Head {
                frontier: block.hash(),
                balance: block.balance().unwrap(),
                ..head
            };
        }
    }
}

#[test]
fn found_work_is_told_in_hex_with_its_multiplier() {
    let asked =
        json!({ "action": "work_generate", "hash": SEND, "difficulty": "ffc0000000000000" });
    let Ok(Plan::Work(wanted)) = plan(Network::Dev, &request(&asked)) else {
        panic!("work is wanted");
    };
    let nonce = (0..)
        .map(crate::WorkNonce::new)
        .find(|nonce| nonce.difficulty(&wanted.root) >= wanted.difficulty);
    let given = work_found(Network::Dev, wanted, nonce.unwrap());
    assert_eq!(given["hash"], SEND);
    assert_eq!(given["difficulty"].as_str().unwrap().len(), 16);
    let check = json!({
        "action": "work_validate", "hash": SEND, "work": given["work"], "difficulty": "ffc0000000000000",
    });
    assert_eq!(answer(&check)["valid"], "1");
    let hard = json!({ "action": "work_generate", "hash": SEND, "multiplier": "100" });
    let refusal = plan(Network::Dev, &request(&hard)).unwrap_err();
    assert!(refusal.0.starts_with("Difficulty above config limit"));
}

#[test]
fn quorum_representatives_and_version_have_a_full_nodes_fields() {
    let names = |value: &Value| -> Vec<String> {
        let fields: &Map<String, Value> = value.as_object().unwrap();
        fields.keys().cloned().collect()
    };
    let quorum = Quorum {
        online: Raw::new(100),
        minimum: Raw::new(10),
        reached: Raw::new(90),
    };
    let sample = of("confirmation_quorum").remove(0);
    let given = confirmation_quorum(&request(&sample.request), &quorum);
    assert_eq!(names(&unlabelled(given.clone())), names(&sample.response));
    assert_eq!(given["quorum_delta"], "67");
    let account = PrivateKey::from_bytes([1; 32]).account();
    let table = WeightTable {
        network: Network::Dev,
        as_of: UnixMillis(1),
        online_weight: Raw::NANO,
        minimum: Raw::NANO,
        weights: [(account, Raw::NANO)].into(),
    };
    for sample in of("representatives_online") {
        let given = representatives_online(&request(&sample.request), &table).unwrap();
        let kind = |value: &Value| value["representatives"].is_array();
        assert_eq!(kind(&given), kind(&sample.response));
    }
    let sample = of("version").remove(0);
    let about = About {
        vendor: "v".into(),
        store: "s".into(),
    };
    let given = unlabelled(version(Network::Dev, &about));
    assert_eq!(names(&given), names(&sample.response));
    assert_eq!(
        given["network_identifier"],
        sample.response["network_identifier"]
    );
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_posted_and_nothing_that_a_full_node_says_panics(
        action in "(account_info|receivable|accounts_balances|block_info|blocks_info|process|work_generate|work_validate|nano_to_raw|[a-z_]{0,12})",
        value in "(nano_[13][a-z0-9]{0,60}|[0-9A-Fa-f]{0,64}|-?[0-9]{0,40}|.{0,20})",
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..64),
    ) {
        let _ = Request::parse(&bytes);
        let asked = json!({
            "action": action, "account": value, "accounts": [value], "hash": value, "hashes": [value],
            "count": value, "threshold": value, "amount": value, "work": value, "difficulty": value,
            "multiplier": value, "block": { "type": "state", "account": value, "balance": value },
        });
        let asked = request(&asked);
        if let Ok(Plan::Accounts { accounts, .. }) = plan(Network::Live, &asked) {
            let _ = super::accounts(&asked, &states(&accounts), Some(&json!({ "frontier": value })));
            let _ = super::accounts(&asked, &States::new(), None);
        }
        let _ = from_full_node(&asked, &json!({ "contents": value, "blocks": { value: 1 } }));
    }
}
