//! What a notification says, for the recipient alone.
//!
//! A [`Payment`] is written as a JSON object with the fields of NanoNym's own event: `version` 2,
//! `protocol` `"nanonym"`, `R`, `tx_hash`, `amount_raw`, `nonce`, and `memo` if there is one. Spaces after it
//! fill it up to one of [`PADDED`] lengths, so that neither the amount's digits nor whether there is a
//! short memo show. Unknown fields are passed over, as NanoNym's wallets do.

use nano_core::{BlockHash, PublicKey, Raw};
use serde::{Deserialize, Serialize};

use super::keys::{RecipientKey, RecipientSecret};
use crate::{Rng, SealError, seal};

/// Lengths a payload is filled up to before it is sealed.
pub const PADDED: [usize; 2] = [512, 1024];
/// Longest memo, in bytes of JSON text (quotes and what they make longer included).
pub const MAX_MEMO_BYTES: usize = 600;
/// What a sealed payload is for.
const CONTEXT: &str = "notification";
const VERSION: u8 = 2;
const PROTOCOL: &str = "nanonym";

/// A payment that the recipient cannot see without being told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The sender's ephemeral key, from which the recipient reckons the one-time account.
    pub ephemeral: PublicKey,
    /// Hash of the send block.
    pub transaction: BlockHash,
    /// How much.
    pub amount: Raw,
    /// Random: the same payment told twice never looks the same.
    pub nonce: [u8; 32],
    /// A word to the recipient.
    pub memo: Option<String>,
}

/// Why a payment could not be sealed, or a sealed one not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The memo does not fit.
    #[error(
        "the memo is too long: {length} bytes of JSON text, at most {MAX_MEMO_BYTES}; shorten it"
    )]
    MemoTooLong {
        /// Its length.
        length: usize,
    },
    /// The recipient's key is no key.
    #[error(transparent)]
    Key(#[from] super::RecipientKeyError),
    /// Sealed for somebody else, or altered.
    #[error(
        "the notification cannot be decrypted with this key: it was sealed for another one, or damaged"
    )]
    Undecryptable,
    /// Readable, and no payment.
    #[error("the notification was decrypted, and is no payment of protocol nanonym, version 2")]
    NoPayment,
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
struct Event<'a> {
    version: u8,
    protocol: &'a str,
    #[serde(rename = "R")]
    ephemeral: PublicKey,
    tx_hash: BlockHash,
    amount_raw: Raw,
    nonce: BlockHash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memo: Option<String>,
}

impl Payment {
    /// Seals it for `recipient`: padded JSON, X25519, ChaCha20-Poly1305 ([`crate::seal`]).
    ///
    /// # Errors
    /// [`PayloadError::MemoTooLong`] or [`PayloadError::Key`].
    pub fn seal(&self, recipient: &RecipientKey, rng: &mut Rng) -> Result<Vec<u8>, PayloadError> {
        let text = self.padded()?;
        let key = recipient.sealing_key()?;
        seal(&key, CONTEXT, &text, rng).map_err(|error| match error {
            SealError::WeakKey => PayloadError::Key(super::RecipientKeyError::Weak),
            _ => PayloadError::Undecryptable,
        })
    }

    fn padded(&self) -> Result<Vec<u8>, PayloadError> {
        let memo = self.memo.as_ref().map(serde_json::to_string);
        let length = memo.map_or(0, |memo| memo.map_or(usize::MAX, |memo| memo.len()));
        let too_long = PayloadError::MemoTooLong { length };
        if length > MAX_MEMO_BYTES {
            return Err(too_long);
        }
        let event = Event {
            version: VERSION,
            protocol: PROTOCOL,
            ephemeral: self.ephemeral,
            tx_hash: self.transaction,
            amount_raw: self.amount,
            nonce: BlockHash::from_bytes(self.nonce),
            memo: self.memo.clone(),
        };
        let mut text = serde_json::to_vec(&event).map_err(|_| too_long)?;
        let fits = PADDED.into_iter().find(|length| text.len() <= *length);
        text.resize(fits.ok_or(too_long)?, b' ');
        Ok(text)
    }

    /// Opens what [`Payment::seal`] sealed.
    ///
    /// # Errors
    /// [`PayloadError::Undecryptable`] or [`PayloadError::NoPayment`].
    pub fn open(recipient: &RecipientSecret, payload: &[u8]) -> Result<Self, PayloadError> {
        let key = recipient.key().sealing_key()?;
        let text = crate::seal::open(&recipient.sealing_secret(), &key, CONTEXT, payload)
            .map_err(|_| PayloadError::Undecryptable)?;
        Self::from_json(&text)
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`PayloadError::NoPayment`].
    pub fn from_json(text: &[u8]) -> Result<Self, PayloadError> {
        let event: Event<'_> = serde_json::from_slice(text).map_err(|_| PayloadError::NoPayment)?;
        if event.version != VERSION || event.protocol != PROTOCOL {
            return Err(PayloadError::NoPayment);
        }
        Ok(Self {
            ephemeral: event.ephemeral,
            transaction: event.tx_hash,
            amount: event.amount_raw,
            nonce: *event.nonce.as_bytes(),
            memo: event.memo,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Rng, SEAL_OVERHEAD};

    fn payment(amount: u128, memo: Option<String>) -> Payment {
        Payment {
            ephemeral: PublicKey::from_bytes([0x12; 32]),
            transaction: BlockHash::from_bytes([0x34; 32]),
            amount: Raw::new(amount),
            nonce: [0x56; 32],
            memo,
        }
    }

    #[test]
    fn the_json_form_is_nanonyms_event() {
        let text = payment(7, Some("hi \"you\"".into())).padded().unwrap();
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(read["version"], 2);
        assert_eq!(read["protocol"], "nanonym");
        assert_eq!(read["amount_raw"], "7");
        assert_eq!(read["R"].as_str().unwrap().to_lowercase(), "12".repeat(32));
        assert_eq!(read["tx_hash"], "34".repeat(32));
        assert_eq!(read["memo"], "hi \"you\"");
        let other = br#"{"memo":"m","extra":1,"amount_raw":"7","tx_hash":"3434343434343434343434343434343434343434343434343434343434343434","R":"1212121212121212121212121212121212121212121212121212121212121212","nonce":"5656565656565656565656565656565656565656565656565656565656565656","protocol":"nanonym","version":2}"#;
        assert_eq!(
            Payment::from_json(other),
            Ok(payment(7, Some("m".to_owned())))
        );
    }

    #[test]
    fn other_protocols_and_versions_are_no_payment() {
        let good = payment(7, None).padded().unwrap();
        let good = String::from_utf8(good).unwrap();
        for (from, to) in [("\"version\":2", "\"version\":1"), ("nanonym", "nostr")] {
            let other = good.replace(from, to);
            assert_eq!(
                Payment::from_json(other.as_bytes()),
                Err(PayloadError::NoPayment)
            );
        }
    }

    #[test]
    fn the_amount_does_not_show_in_the_length() {
        let secret = RecipientSecret::from_seed(&[1; 32]);
        let mut rng = Rng::from_seed([2; 32]);
        let lengths = [1, u128::MAX].map(|amount| {
            let sealed = payment(amount, None).seal(&secret.key(), &mut rng);
            sealed.unwrap().len()
        });
        assert_eq!(lengths, [PADDED[0] + SEAL_OVERHEAD; 2]);
        let long = payment(1, Some("m".repeat(MAX_MEMO_BYTES - 2)));
        let sealed = long.seal(&secret.key(), &mut rng).unwrap();
        assert_eq!(sealed.len(), PADDED[1] + SEAL_OVERHEAD);
        let longer = payment(1, Some("\n".repeat(MAX_MEMO_BYTES / 2)));
        assert!(matches!(
            longer.seal(&secret.key(), &mut rng),
            Err(PayloadError::MemoTooLong { .. })
        ));
    }

    proptest! {
        #[test]
        fn only_the_recipient_reads_it(
            amount: u128, memo in prop::option::of(".{0,100}"), seed: [u8; 32], place: usize, change in 1_u8..,
        ) {
            let secret = RecipientSecret::from_seed(&seed);
            let payment = payment(amount, memo);
            let mut rng = Rng::from_seed(seed);
            let mut sealed = payment.seal(&secret.key(), &mut rng).unwrap();
            prop_assert_eq!(Payment::open(&secret, &sealed), Ok(payment));
            let other = RecipientSecret::from_seed(&[9; 32]);
            prop_assert_eq!(Payment::open(&other, &sealed), Err(PayloadError::Undecryptable));
            let place = place % sealed.len();
            sealed[place] ^= change;
            prop_assert_eq!(Payment::open(&secret, &sealed), Err(PayloadError::Undecryptable));
        }

        #[test]
        fn any_bytes_are_a_payment_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Payment::from_json(&bytes);
            let secret = RecipientSecret::from_seed(&[1; 32]);
            prop_assert!(Payment::open(&secret, &bytes).is_err());
        }
    }
}
