//! The serde forms: text where people read, bare bytes elsewhere.

use nano_core::{
    Account, Block, BlockHash, Difficulty, Link, Network, PublicKey, Raw, Root, Signature,
    UnixMillis, WorkNonce,
};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::samples::any_block;

/// Checks both forms: the JSON is the string `text`, the binary form is `bytes` and nothing else.
fn both_forms<T>(value: &T, text: &str, bytes: &[u8]) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let json = serde_json::to_string(value).unwrap();
    prop_assert_eq!(&json, &format!("\"{text}\""));
    prop_assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value);
    let binary = postcard::to_allocvec(value).unwrap();
    prop_assert_eq!(&binary[..], bytes);
    prop_assert_eq!(&postcard::from_bytes::<T>(&binary).unwrap(), value);
    prop_assert!(postcard::from_bytes::<T>(&binary[..binary.len() - 1]).is_err());
    Ok(())
}

proptest! {
    #[test]
    fn fixed_size_values_are_text_in_json_and_bare_bytes_elsewhere(bytes: [u8; 32], half: [u8; 32]) {
        let hex = hex::encode_upper(bytes);
        both_forms(&PublicKey::from_bytes(bytes), &hex, &bytes)?;
        both_forms(&BlockHash::from_bytes(bytes), &hex, &bytes)?;
        both_forms(&Link::from_bytes(bytes), &hex, &bytes)?;
        both_forms(&Root::from_bytes(bytes), &hex, &bytes)?;
        let account = Account::from_bytes(bytes);
        both_forms(&account, &account.to_string(), &bytes)?;
        let mut long = [0; 64];
        long[..32].copy_from_slice(&bytes);
        long[32..].copy_from_slice(&half);
        both_forms(&Signature::from_bytes(long), &hex::encode_upper(long), &long)?;
    }

    #[test]
    fn numbers_are_text_in_json_and_big_endian_elsewhere(amount: u128, number: u64) {
        both_forms(&Raw::new(amount), &amount.to_string(), &amount.to_be_bytes())?;
        let hex = format!("{number:016x}");
        both_forms(&WorkNonce::new(number), &hex, &number.to_be_bytes())?;
        both_forms(&Difficulty::new(number), &hex, &number.to_be_bytes())?;
    }

    #[test]
    fn a_block_is_its_typed_bytes_with_their_length_in_binary(block in any_block()) {
        let binary = postcard::to_allocvec(&block).unwrap();
        prop_assert!(binary.ends_with(&block.serialized_typed()));
        prop_assert_eq!(postcard::from_bytes::<Block>(&binary).unwrap(), block);
    }

    #[test]
    fn no_bytes_panic_the_binary_reader(bytes: Vec<u8>) {
        if let Ok(block) = postcard::from_bytes::<Block>(&bytes) {
            prop_assert!(bytes.len() > block.block_type().size());
        }
    }
}

#[test]
fn a_network_is_its_name() {
    for network in Network::ALL {
        let json = serde_json::to_string(&network).unwrap();
        assert_eq!(json, format!("\"{network}\""));
        assert_eq!(serde_json::from_str::<Network>(&json).unwrap(), network);
    }
}

#[test]
fn a_time_is_a_number_and_steps_stay_in_range() {
    let time = UnixMillis::new(1_700_000_000_000);
    assert_eq!(serde_json::to_string(&time).unwrap(), "1700000000000");
    assert_eq!(time.plus(5).since(time), 5);
    assert_eq!(time.since(time.plus(5)), 0);
    assert_eq!(UnixMillis::new(u64::MAX).plus(1).number(), u64::MAX);
}
