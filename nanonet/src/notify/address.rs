//! Names of sealed notifications.

use std::fmt;
use std::str::FromStr;

use nano_core::{Account, Root};
use serde::{Deserialize, Serialize};

use super::sealed::Sealed;
use crate::id::hash;

/// What the text form starts with.
const PREFIX: &str = "nr_";
/// The same of an account's address, whose letters and checksum are used.
const ACCOUNT_PREFIX: &str = "nano_";

/// The name of a sealed notification: the hash of everything in it but work and stamp.
///
/// Text form: `nr_`, then 52 characters of hash and 8 of checksum in the letters of Nano's own
/// addresses (base32 without look-alikes). Binary form: the 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RelayAddress(#[serde(with = "crate::fixed")] [u8; 32]);

impl RelayAddress {
    /// The address with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The address that belongs to what a notification says: BLAKE2b-256(`nanonet notification v1` ‖ the
    /// fields of [`Sealed`] from the version to the payload, as in its binary form without the hash).
    #[must_use]
    pub fn of(sealed: &Sealed) -> Self {
        Self(hash(&[
            b"nanonet notification v1",
            &[sealed.version],
            &sealed.timestamp.number().to_be_bytes(),
            &sealed.ttl_s.to_be_bytes(),
            sealed.tag.as_bytes(),
            &sealed.nonce,
            &sealed.payload,
        ]))
    }

    /// What work for it is computed over.
    #[must_use]
    pub const fn root(&self) -> Root {
        Root::from_bytes(self.0)
    }
}

impl fmt::Display for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(PREFIX, &self.0, f)
    }
}

impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RelayAddress {
    type Err = RelayAddressError;

    fn from_str(text: &str) -> Result<Self, RelayAddressError> {
        read_text(PREFIX, text).map(Self).ok_or(RelayAddressError)
    }
}

/// A text is not a relay address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a relay address is nr_ and 60 characters with a checksum; copy it again")]
pub struct RelayAddressError;

/// Writes 32 bytes as the letters and the checksum of an account's address behind `prefix`.
pub(super) fn write_text(
    prefix: &str,
    bytes: &[u8; 32],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let text = Account::from_bytes(*bytes).to_string();
    let letters = text.strip_prefix(ACCOUNT_PREFIX).unwrap_or_default();
    write!(f, "{prefix}{letters}")
}

/// Reads [`write_text`].
pub(super) fn read_text(prefix: &str, text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_prefix(prefix)?;
    let account: Account = format!("{ACCOUNT_PREFIX}{letters}").parse().ok()?;
    Some(*account.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_address_survives_its_text_and_a_mistyped_one_is_refused(
            bytes: [u8; 32], place in 3_usize..63, other in "[a-z1-9]",
        ) {
            let address = RelayAddress::from_bytes(bytes);
            let text = address.to_string();
            prop_assert_eq!(text.len(), 63);
            prop_assert_eq!(text.parse(), Ok(address));
            prop_assume!(text[place..=place] != other);
            let mut typed = text.clone();
            typed.replace_range(place..=place, &other);
            prop_assert!(typed.parse::<RelayAddress>().is_err());
        }

        #[test]
        fn any_text_is_an_address_or_refused(text in "(nr_)?[ -~]{0,70}") {
            if let Ok(address) = text.parse::<RelayAddress>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
