use nano_core::{BlockHash, HexError, PrivateKey, PublicKey, Signature, SignatureError};
use proptest::prelude::*;

/// The group order L, little-endian.
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The encodings of the curve's eight points of small order, and those of them with a needless
/// sign bit or a coordinate that is not reduced.
const SMALL_ORDER: [&str; 14] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC05",
    "26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC85",
    "C7176A703D4DD84FBA3C0B760D10670F2A2053FA2C39CCC64EC7FD7792AC037A",
    "C7176A703D4DD84FBA3C0B760D10670F2A2053FA2C39CCC64EC7FD7792AC03FA",
    "ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F",
    "ECFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
    "EDFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F",
    "EDFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
    "EEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF7F",
    "EEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
];

fn plus_group_order(signature: &Signature) -> Signature {
    let mut bytes = *signature.as_bytes();
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(GROUP_ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    Signature::from_bytes(bytes)
}

#[test]
fn an_unreduced_s_passes_the_networks_rules_but_not_ours() {
    let key = PrivateKey::from_bytes([7; 32]);
    let signature = plus_group_order(&key.sign(b"message"));
    assert_eq!(key.public_key().verify(b"message", &signature), Ok(()));
    assert_eq!(
        key.public_key().verify_canonical(b"message", &signature),
        Err(SignatureError::ScalarNotCanonical)
    );
}

#[test]
fn an_s_with_a_top_bit_set_is_refused_by_both_rules() {
    let key = PrivateKey::from_bytes([7; 32]);
    for bit in [0x20, 0x40, 0x80] {
        let mut bytes = *key.sign(b"message").as_bytes();
        bytes[63] |= bit;
        let signature = Signature::from_bytes(bytes);
        assert_eq!(
            key.public_key().verify(b"message", &signature),
            Err(SignatureError::ScalarOutOfRange)
        );
        assert_eq!(
            key.public_key().verify_canonical(b"message", &signature),
            Err(SignatureError::ScalarNotCanonical)
        );
    }
}

#[test]
fn a_key_that_fits_any_message_passes_the_networks_rules_but_not_ours() {
    // With the identity as key and as R, and S zero, the equation holds whatever the message.
    let identity: PublicKey = SMALL_ORDER[2].parse().unwrap();
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(identity.as_bytes());
    let signature = Signature::from_bytes(bytes);
    assert_eq!(identity.verify(b"anything", &signature), Ok(()));
    assert_eq!(
        identity.verify_canonical(b"anything", &signature),
        Err(SignatureError::SmallOrderKey(identity))
    );
}

#[test]
fn an_r_of_small_order_is_refused_by_our_rules() {
    let key = PrivateKey::from_bytes([7; 32]).public_key();
    for text in SMALL_ORDER {
        let r: PublicKey = text.parse().unwrap();
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(r.as_bytes());
        assert_eq!(
            key.verify_canonical(b"message", &Signature::from_bytes(bytes)),
            Err(SignatureError::SmallOrderR),
            "{text}"
        );
    }
}

#[test]
fn every_encoding_of_a_small_order_point_is_recognised() {
    for text in SMALL_ORDER {
        let key: PublicKey = text.parse().unwrap();
        assert!(key.is_small_order(), "{text}");
    }
    assert!(
        !PrivateKey::from_bytes([1; 32])
            .public_key()
            .is_small_order()
    );
}

#[test]
fn bytes_that_are_no_point_verify_nothing() {
    let mut bytes = [0; 32];
    bytes[0] = 2;
    let key = PublicKey::from_bytes(bytes);
    assert_eq!(
        key.verify(b"message", &Signature::ZERO),
        Err(SignatureError::KeyNotOnCurve(key))
    );
    assert!(!key.is_small_order());
}

#[test]
fn a_private_keys_debug_form_hides_it() {
    let key = PrivateKey::from_bytes([0xAB; 32]);
    let shown = format!("{key:?}").to_lowercase();
    assert!(!shown.contains("abab"), "{shown}");
    assert!(shown.contains(&key.account().to_string()), "{shown}");
}

#[test]
fn a_cloned_key_signs_the_same() {
    let key = PrivateKey::from_bytes([9; 32]);
    assert_eq!(key.clone().sign(b"m"), key.sign(b"m"));
    assert_eq!(key.clone().secret_bytes(), key.secret_bytes());
}

#[test]
fn bad_hex_is_refused_with_its_place() {
    assert_eq!(
        "12".parse::<BlockHash>(),
        Err(HexError::Length {
            expected: 64,
            found: 2
        })
    );
    assert_eq!(
        PrivateKey::from_hex("zz").unwrap_err(),
        HexError::Digit {
            character: 'z',
            position: 0
        }
    );
    let long = "0".repeat(65);
    assert_eq!(
        long.parse::<BlockHash>(),
        Err(HexError::Length {
            expected: 64,
            found: 65
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn own_signatures_pass_both_rules_and_only_for_their_message(
        secret: [u8; 32], message: Vec<u8>, other: Vec<u8>,
    ) {
        let key = PrivateKey::from_bytes(secret);
        let signature = key.sign(&message);
        let public = key.public_key();
        prop_assert_eq!(public.verify(&message, &signature), Ok(()));
        prop_assert_eq!(public.verify_canonical(&message, &signature), Ok(()));
        if other != message {
            prop_assert_eq!(public.verify(&other, &signature), Err(SignatureError::Mismatch(public)));
        }
    }

    #[test]
    fn a_flipped_bit_breaks_a_signature(secret: [u8; 32], bit in 0_usize..512) {
        let key = PrivateKey::from_bytes(secret);
        let mut bytes = *key.sign(b"message").as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(key.public_key().verify(b"message", &Signature::from_bytes(bytes)).is_err());
    }

    #[test]
    fn hex_of_either_case_reads_back(bytes: [u8; 32], half: [u8; 32]) {
        let hash = BlockHash::from_bytes(bytes);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        prop_assert_eq!(hash.to_string().to_lowercase().parse(), Ok(hash));
        let mut long = [0; 64];
        long[..32].copy_from_slice(&bytes);
        long[32..].copy_from_slice(&half);
        let signature = Signature::from_bytes(long);
        prop_assert_eq!(signature.to_string(), hex::encode_upper(long));
        prop_assert_eq!(signature.to_string().parse(), Ok(signature));
    }
}
