//! Word phrases, which wallets use in two incompatible ways.
//!
//! Some write a Nano seed's 32 bytes as 24 words ([`NanoSeed::to_words`]); hardware wallets stretch
//! a BIP39 phrase and a passphrase into a BIP44 tree ([`Bip39Phrase`]). The same 24 words give
//! different accounts, and nothing in the words tells which was meant: an import has to ask, or
//! look at both. Words are English; spaces and letter case do not matter.

use bip39::{Language, Mnemonic};
use zeroize::Zeroizing;

use crate::bip44::{self, Bip44Error};
use crate::{NanoSeed, PrivateKey};

/// Why words are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MnemonicError {
    /// The number of words is not one that a phrase can have.
    #[error("the phrase has {found} words; {expected}")]
    WordCount {
        /// Words given.
        found: usize,
        /// What is possible.
        expected: &'static str,
    },
    /// A word is not in the English list. The word itself is left out: it may be secret.
    #[error("word {} of the phrase is not in the word list; check its spelling", .position + 1)]
    UnknownWord {
        /// Which word, counted from 0.
        position: usize,
    },
    /// All words exist, but not together: one is wrong or two changed places.
    #[error("the phrase's checksum does not match; a word is wrong or out of order")]
    Checksum,
}

impl NanoSeed {
    /// The seed as 24 English words.
    #[must_use]
    pub fn to_words(&self) -> Zeroizing<String> {
        // 32 bytes are always a valid entropy, so the empty text is never returned.
        let words = Mnemonic::from_entropy_in(Language::English, self.secret_bytes());
        Zeroizing::new(words.map(|words| words.to_string()).unwrap_or_default())
    }

    /// Reads the seed that 24 words spell.
    ///
    /// # Errors
    /// Any [`MnemonicError`]; fewer than 24 words are too few for a seed.
    pub fn from_words(words: &str) -> Result<Self, MnemonicError> {
        let mnemonic = parse(words)?;
        let (entropy, length) = mnemonic.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let mut seed = Zeroizing::new([0; 32]);
        if length != seed.len() {
            return Err(MnemonicError::WordCount {
                found: mnemonic.word_count(),
                expected: "a Nano seed has 24",
            });
        }
        seed.copy_from_slice(&entropy[..length]);
        Ok(Self::from_bytes(*seed))
    }
}

/// A BIP39 phrase with its passphrase, as hardware wallets use them: a tree of private keys.
#[derive(Clone)]
pub struct Bip39Phrase {
    seed: Zeroizing<[u8; 64]>,
}

impl Bip39Phrase {
    /// Checks the words and stretches them (2,048 rounds of PBKDF2: some milliseconds).
    /// `passphrase` may be empty.
    ///
    /// # Errors
    /// Any [`MnemonicError`].
    pub fn parse(words: &str, passphrase: &str) -> Result<Self, MnemonicError> {
        let seed = Zeroizing::new(parse(words)?.to_seed(passphrase));
        Ok(Self { seed })
    }

    /// The 64-byte BIP39 seed, secret.
    #[must_use]
    pub fn secret_seed(&self) -> &[u8; 64] {
        &self.seed
    }

    /// The private key at `m/44'/165'/index'`.
    ///
    /// # Errors
    /// [`Bip44Error::IndexTooLarge`] from 2^31 on.
    pub fn private_key(&self, index: u32) -> Result<PrivateKey, Bip44Error> {
        bip44::private_key(&self.seed, index)
    }
}

impl core::fmt::Debug for Bip39Phrase {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Bip39Phrase(secret)")
    }
}

fn parse(words: &str) -> Result<Mnemonic, MnemonicError> {
    let words = Zeroizing::new(words.to_lowercase());
    Mnemonic::parse_in(Language::English, words.as_str()).map_err(|error| match error {
        bip39::Error::BadWordCount(found) => MnemonicError::WordCount {
            found,
            expected: "it can have 12, 15, 18, 21 or 24",
        },
        bip39::Error::UnknownWord(position) => MnemonicError::UnknownWord { position },
        _ => MnemonicError::Checksum,
    })
}
