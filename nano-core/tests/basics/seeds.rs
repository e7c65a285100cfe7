use nano_core::{Bip39Phrase, Bip44Error, HexError, MnemonicError, NanoSeed};
use proptest::prelude::*;

const TWELVE: &str = "abandon abandon abandon abandon abandon abandon \
                      abandon abandon abandon abandon abandon about";

#[test]
fn twelve_words_are_a_bip39_phrase_but_no_nano_seed() {
    assert!(Bip39Phrase::parse(TWELVE, "").is_ok());
    assert!(matches!(
        NanoSeed::from_words(TWELVE),
        Err(MnemonicError::WordCount { found: 12, .. })
    ));
}

#[test]
fn wrong_words_are_refused_with_their_place() {
    assert_eq!(
        NanoSeed::from_words(&TWELVE.replace("about", "abuot")).unwrap_err(),
        MnemonicError::UnknownWord { position: 11 }
    );
    assert_eq!(
        NanoSeed::from_words(&TWELVE.replace("about", "zoo")).unwrap_err(),
        MnemonicError::Checksum
    );
    assert!(matches!(
        NanoSeed::from_words("abandon"),
        Err(MnemonicError::WordCount { found: 1, .. })
    ));
    assert!(matches!(
        NanoSeed::from_words(&"abandon ".repeat(10_000)),
        Err(MnemonicError::WordCount { found: 10_000, .. })
    ));
}

#[test]
fn an_unknown_word_is_not_repeated_in_the_message() {
    let error = NanoSeed::from_words(&TWELVE.replace("about", "secretword")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "word 12 of the phrase is not in the word list; check its spelling"
    );
}

#[test]
fn letter_case_and_spaces_do_not_matter() {
    let spaced = format!("  {}\n", TWELVE.to_uppercase().replace(' ', "   "));
    let key = |words: &str| {
        let phrase = Bip39Phrase::parse(words, "").unwrap();
        phrase.private_key(0).unwrap().public_key()
    };
    assert_eq!(key(&spaced), key(TWELVE));
}

#[test]
fn a_passphrase_changes_every_account() {
    let plain = Bip39Phrase::parse(TWELVE, "").unwrap();
    let hidden = Bip39Phrase::parse(TWELVE, "x").unwrap();
    assert_ne!(
        plain.private_key(0).unwrap().public_key(),
        hidden.private_key(0).unwrap().public_key()
    );
}

#[test]
fn bip44_indexes_end_below_two_to_the_31() {
    let phrase = Bip39Phrase::parse(TWELVE, "").unwrap();
    assert!(phrase.private_key((1 << 31) - 1).is_ok());
    assert_eq!(
        phrase.private_key(1 << 31).unwrap_err(),
        Bip44Error::IndexTooLarge(1 << 31)
    );
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let seed = NanoSeed::from_bytes([0xCD; 32]);
    assert_eq!(format!("{seed:?}"), "NanoSeed(secret)");
    let phrase = Bip39Phrase::parse(TWELVE, "").unwrap();
    assert_eq!(format!("{phrase:?}"), "Bip39Phrase(secret)");
}

#[test]
fn a_seed_of_the_wrong_length_is_refused() {
    assert_eq!(
        NanoSeed::from_hex("00").unwrap_err(),
        HexError::Length {
            expected: 64,
            found: 2
        }
    );
}

proptest! {
    #[test]
    fn a_seeds_words_read_back(bytes: [u8; 32]) {
        let words = NanoSeed::from_bytes(bytes).to_words();
        prop_assert_eq!(words.split(' ').count(), 24);
        let read = NanoSeed::from_words(&words).unwrap();
        prop_assert_eq!(read.secret_bytes(), &bytes);
    }

    #[test]
    fn different_indexes_give_different_keys(bytes: [u8; 32], one: u32, other: u32) {
        prop_assume!(one != other);
        let seed = NanoSeed::from_bytes(bytes);
        let (one, other) = (seed.private_key(one), seed.private_key(other));
        prop_assert_ne!(one.secret_bytes(), other.secret_bytes());
    }
}
