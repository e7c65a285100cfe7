//! Secrets, addresses, amounts.

use nano_core::{Account, Bip39Phrase, NanoSeed, PrivateKey, Raw};
use serde::Serialize;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::fault::Fault;

/// An account with its secret.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Derived {
    private_key: String,
    public_key: String,
    address: String,
}

/// An account as text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parsed {
    public_key: String,
    address: String,
}

/// JSON text of a value of ours.
pub(super) fn json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::coded("internal"))
}

pub(super) fn account(text: &str) -> Result<Account, Fault> {
    text.parse().map_err(Fault::coded("bad-address"))
}

pub(super) fn raw(text: &str) -> Result<Raw, Fault> {
    text.parse().map_err(Fault::coded("bad-amount"))
}

fn seed(text: &str) -> Result<NanoSeed, Fault> {
    NanoSeed::from_hex(text).map_err(Fault::coded("bad-seed"))
}

fn derived(key: &PrivateKey) -> Result<String, Fault> {
    json(&Derived {
        private_key: hex::encode_upper(key.secret_bytes()),
        public_key: key.public_key().to_string(),
        address: key.account().to_string(),
    })
}

/// A new random seed, 64 hex digits.
#[wasm_bindgen(js_name = generateSeed)]
pub fn generate_seed() -> Result<String, Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Fault::coded("no-entropy"))?;
    Ok(hex::encode_upper(bytes))
}

/// The account with this index of a Nano seed, as JSON.
#[wasm_bindgen(js_name = deriveAccount)]
pub fn derive_account(seed_hex: &str, index: u32) -> Result<String, Fault> {
    derived(&seed(seed_hex)?.private_key(index))
}

/// A Nano seed as 24 words.
#[wasm_bindgen(js_name = seedToWords)]
pub fn seed_to_words(seed_hex: &str) -> Result<String, Fault> {
    Ok(seed(seed_hex)?.to_words().to_string())
}

/// The Nano seed that 24 words encode.
#[wasm_bindgen(js_name = wordsToSeed)]
pub fn words_to_seed(words: &str) -> Result<String, Fault> {
    let seed = NanoSeed::from_words(words).map_err(Fault::coded("bad-words"))?;
    Ok(hex::encode_upper(seed.secret_bytes()))
}

/// The account with this index of a BIP39 phrase, as JSON.
#[wasm_bindgen(js_name = bip39Account)]
pub fn bip39_account(words: &str, passphrase: &str, index: u32) -> Result<String, Fault> {
    let phrase = Bip39Phrase::parse(words, passphrase).map_err(Fault::coded("bad-words"))?;
    derived(
        &phrase
            .private_key(index)
            .map_err(Fault::coded("bad-index"))?,
    )
}

/// Public key and canonical form of an address, as JSON.
#[wasm_bindgen(js_name = parseAddress)]
pub fn parse_address(text: &str) -> Result<String, Fault> {
    let account = account(text)?;
    json(&Parsed {
        public_key: account.public_key().to_string(),
        address: account.to_string(),
    })
}

/// Raw, decimal, from an amount in nano.
#[wasm_bindgen(js_name = nanoToRaw)]
pub fn nano_to_raw(nano: &str) -> Result<String, Fault> {
    Raw::from_nano_text(nano)
        .map(|raw| raw.to_string())
        .map_err(Fault::coded("bad-amount"))
}

/// An amount in nano from raw, decimal.
#[wasm_bindgen(js_name = rawToNano)]
pub fn raw_to_nano(text: &str) -> Result<String, Fault> {
    Ok(raw(text)?.to_nano_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A seed of the public test vectors.
    const SEED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    #[test]
    fn a_derived_account_names_key_and_address() {
        assert_eq!(
            derive_account(SEED, 0).unwrap(),
            r#"{"privateKey":"9F0E444C69F77A49BD0BE89DB92C38FE713E0963165CCA12FAF5712D7657120F","publicKey":"C008B814A7D269A1FA3C6528B19201A24D797912DB9996FF02A1FF356E45552B","address":"nano_3i1aq1cchnmbn9x5rsbap8b15akfh7wj7pwskuzi7ahz8oq6cobd99d4r3b7"}"#
        );
    }

    #[test]
    fn words_and_seed_are_two_forms_of_one_secret() {
        let words = seed_to_words(SEED).unwrap();
        assert_eq!(words.split(' ').count(), 24);
        assert_eq!(words_to_seed(&words).unwrap(), SEED);
    }

    #[test]
    fn a_new_seed_is_a_seed_and_never_the_same() {
        let one = generate_seed().unwrap();
        assert!(derive_account(&one, 0).is_ok());
        assert_ne!(one, generate_seed().unwrap());
    }

    #[test]
    fn bad_input_says_what_kind_it_was() {
        assert_eq!(derive_account("12", 0).unwrap_err().code, "bad-seed");
        assert_eq!(parse_address("nano_1").unwrap_err().code, "bad-address");
        assert_eq!(nano_to_raw("1.2.3").unwrap_err().code, "bad-amount");
        assert_eq!(raw_to_nano("-1").unwrap_err().code, "bad-amount");
        assert_eq!(words_to_seed("abandon").unwrap_err().code, "bad-words");
        assert_eq!(
            bip39_account("abandon", "", 0).unwrap_err().code,
            "bad-words"
        );
    }

    #[test]
    fn amounts_change_units_exactly() {
        let raw = nano_to_raw("1.000000000000000000000000000001").unwrap();
        assert_eq!(raw, "1000000000000000000000000000001");
        assert_eq!(
            raw_to_nano(&raw).unwrap(),
            "1.000000000000000000000000000001"
        );
    }
}
