use nano_core::{Account, AddressError, PublicKey};
use proptest::prelude::*;

const GENESIS: &str = "nano_3t6k35gi95xu6tergt6p69ck76ogmitsa8mnijtpxm9fkcm736xtoncuohr3";

fn refusal(text: &str) -> AddressError {
    text.parse::<Account>().unwrap_err()
}

#[test]
fn old_and_hyphenated_prefixes_name_the_same_account() {
    let account: Account = GENESIS.parse().unwrap();
    let body = GENESIS.strip_prefix("nano_").unwrap();
    for prefix in ["nano-", "xrb_", "xrb-"] {
        assert_eq!(format!("{prefix}{body}").parse(), Ok(account));
    }
    assert_eq!(account.to_string(), GENESIS);
}

#[test]
fn a_node_id_is_not_an_account() {
    let account: Account = GENESIS.parse().unwrap();
    let node_id = account.public_key().to_node_id_text();
    assert_eq!(refusal(&node_id), AddressError::NodeId);
    assert_eq!(
        PublicKey::from_node_id_text(&node_id),
        Ok(account.public_key())
    );
    assert_eq!(
        PublicKey::from_node_id_text(GENESIS),
        Err(AddressError::NotNodeId)
    );
    assert_eq!(PublicKey::from_node_id_text(""), Err(AddressError::Empty));
}

#[test]
fn every_kind_of_mistake_has_its_own_reason() {
    let body = GENESIS.strip_prefix("nano_").unwrap();
    assert_eq!(refusal(""), AddressError::Empty);
    assert_eq!(refusal(body), AddressError::MissingPrefix);
    assert_eq!(
        refusal(&format!("nono_{body}")),
        AddressError::UnknownPrefix
    );
    assert_eq!(refusal(&GENESIS.to_uppercase()), AddressError::UpperCase);
    assert_eq!(
        refusal(&format!("nano_{}", body.to_uppercase())),
        AddressError::UpperCase
    );
    assert_eq!(refusal("nano_"), AddressError::TooShort { found: 0 });
    assert_eq!(
        refusal(&format!("{GENESIS}1")),
        AddressError::TooLong { found: 61 }
    );
    assert_eq!(
        refusal(&GENESIS.replace("u6ter", "u6t0r")),
        AddressError::Character {
            character: '0',
            position: 19
        }
    );
    assert_eq!(
        refusal(&GENESIS.replace("nano_3", "nano_4")),
        AddressError::FirstCharacter('4')
    );
    assert_eq!(
        refusal(&GENESIS.replace("nano_3", "nano_1")),
        AddressError::Checksum
    );
}

#[test]
fn letters_outside_ascii_are_counted_as_characters_and_refused() {
    let text = GENESIS.replace("u6ter", "u6tér");
    assert_eq!(
        refusal(&text),
        AddressError::Character {
            character: 'é',
            position: 19
        }
    );
}

proptest! {
    #[test]
    fn an_address_reads_back_as_its_account(bytes: [u8; 32]) {
        let account = Account::from_bytes(bytes);
        prop_assert_eq!(account.to_string().parse(), Ok(account));
        prop_assert_eq!(Account::from_hex(&account.public_key().to_string()), Ok(account));
        let node_id = account.public_key().to_node_id_text();
        prop_assert_eq!(PublicKey::from_node_id_text(&node_id), Ok(account.public_key()));
    }

    #[test]
    fn a_changed_character_never_passes(bytes: [u8; 32], place in 5_usize..65, other in 0_usize..32) {
        let mut text = Account::from_bytes(bytes).to_string().into_bytes();
        let replacement = b"13456789abcdefghijkmnopqrstuwxyz"[other];
        prop_assume!(text[place] != replacement);
        text[place] = replacement;
        let text = String::from_utf8(text).unwrap();
        let refused = matches!(
            text.parse::<Account>(),
            Err(AddressError::Checksum | AddressError::FirstCharacter(_))
        );
        prop_assert!(refused);
    }

    #[test]
    fn no_text_panics_the_reader(text: String) {
        prop_assert!(text.parse::<Account>().is_err());
        let prefixed = format!("nano_{text}");
        prop_assert!(prefixed.parse::<Account>().is_err());
    }
}
