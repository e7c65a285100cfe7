use nano_core::{
    Account, AddressError, AmountError, Block, BlockHash, BlockJsonError, HexError, Link, Raw,
    StateBlock,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::samples::any_block;

fn sample() -> StateBlock {
    StateBlock::unsigned(
        Account::from_bytes([1; 32]),
        BlockHash::from_bytes([2; 32]),
        Account::from_bytes([3; 32]),
        Raw::new(40),
        Link::from_bytes([5; 32]),
    )
}

fn changed(field: &str, value: Value) -> Result<Block, BlockJsonError> {
    let mut json = Block::from(sample()).to_json();
    json[field] = value;
    Block::from_json(&json)
}

fn without(fields: &[&str]) -> Value {
    let mut json = Block::from(sample()).to_json();
    for field in fields {
        json.as_object_mut().unwrap().remove(*field);
    }
    json
}

#[test]
fn a_link_may_be_written_as_hex_or_as_account_or_both() {
    let block = Ok(Block::from(sample()));
    let address = Account::from(sample().link).to_string();
    assert_eq!(Block::from_json(&without(&["link"])), block);
    assert_eq!(Block::from_json(&without(&["link_as_account"])), block);
    assert_eq!(changed("link", json!(address)), block);
    assert_eq!(
        changed("link", json!(Link::ZERO.to_string())),
        Err(BlockJsonError::LinkMismatch)
    );
}

#[test]
fn a_block_still_to_be_signed_needs_neither_signature_nor_work() {
    for missing in [&["signature"][..], &["work"], &["signature", "work"]] {
        assert_eq!(Block::from_json(&without(missing)), Ok(sample().into()));
    }
    assert_eq!(changed("signature", json!("")), Ok(sample().into()));
    assert_eq!(changed("work", Value::Null), Ok(sample().into()));
}

#[test]
fn a_missing_field_is_named_together_with_a_mistyped_one() {
    let mut json = without(&["balance"]);
    assert_eq!(
        Block::from_json(&json).unwrap_err().to_string(),
        "the block has no field \"balance\""
    );
    json["ballance"] = json!("40");
    assert_eq!(
        Block::from_json(&json).unwrap_err().to_string(),
        "the block has no field \"balance\"; it has a field \"ballance\", which blocks do not have"
    );
    assert_eq!(
        Block::from_json(&without(&["link", "link_as_account"])),
        Err(BlockJsonError::MissingField {
            field: "link",
            unknown: None
        })
    );
}

#[test]
fn fields_that_nodes_add_are_ignored() {
    assert_eq!(changed("subtype", json!("send")), Ok(sample().into()));
    assert_eq!(changed("local_timestamp", json!(5)), Ok(sample().into()));
}

#[test]
fn a_bad_field_is_named_with_the_reason() {
    assert_eq!(
        changed("type", json!("bond")),
        Err(BlockJsonError::UnknownType("bond".to_owned()))
    );
    assert_eq!(
        changed("balance", json!(40)),
        Err(BlockJsonError::NotAString("balance"))
    );
    assert_eq!(
        changed("balance", json!("4O")),
        Err(BlockJsonError::Amount {
            field: "balance",
            reason: AmountError::Digit {
                character: 'O',
                position: 1
            }
        })
    );
    assert_eq!(
        changed("account", json!("nano_1")),
        Err(BlockJsonError::Address {
            field: "account",
            reason: AddressError::TooShort { found: 1 }
        })
    );
    assert_eq!(
        changed("work", json!("12")),
        Err(BlockJsonError::Hex {
            field: "work",
            reason: HexError::Length {
                expected: 16,
                found: 2
            }
        })
    );
    assert_eq!(
        Block::from_json(&json!([])),
        Err(BlockJsonError::NotAnObject)
    );
    assert!(matches!(
        Block::from_json_text("{"),
        Err(BlockJsonError::Syntax(_))
    ));
}

#[test]
fn a_legacy_send_has_its_balance_in_hex() {
    let json = json!({
        "type": "send",
        "previous": BlockHash::ZERO,
        "destination": Account::ZERO,
        "balance": "10",
    });
    let block = Block::from_json(&json).unwrap();
    assert_eq!(block.balance(), Some(Raw::new(16)));
    assert_eq!(
        block.to_json()["balance"],
        json!("00000000000000000000000000000010")
    );
}

#[test]
fn text_has_the_fields_in_the_order_nodes_print_them() {
    let text = serde_json::to_string(&Block::from(sample())).unwrap();
    let place = |field: &str| text.find(&format!("\"{field}\":")).unwrap();
    let order = [
        "type",
        "account",
        "previous",
        "representative",
        "balance",
        "link",
        "link_as_account",
        "signature",
        "work",
    ];
    assert!(order.map(place).is_sorted(), "{text}");
}

proptest! {
    #[test]
    fn a_blocks_json_reads_back(block in any_block()) {
        prop_assert_eq!(Block::from_json(&block.to_json()), Ok(block));
        let text = serde_json::to_string(&block).unwrap();
        prop_assert_eq!(Block::from_json_text(&text), Ok(block));
        prop_assert_eq!(serde_json::from_str::<Block>(&text).unwrap(), block);
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), block.to_json());
    }

    #[test]
    fn no_text_panics_the_reader(text: String) {
        prop_assert!(Block::from_json_text(&text).is_err());
    }
}
