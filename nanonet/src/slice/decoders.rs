//! Stored entries made of anything, for [`crate::decoders`].
//!
//! An entry's checksum would keep a fuzzer out, so what is given is taken as an entry and also as
//! the content of one.

use super::stored::{CHECKSUM_BYTES, StoredAccount, StoredReceivable, seal};

/// Where the content of an entry begins.
pub(crate) const ENTRY_START: usize = 1 + CHECKSUM_BYTES;

/// The entry with this content.
pub(crate) fn entry(content: &[u8]) -> Vec<u8> {
    seal(content)
}

/// The entry of an account.
pub fn stored_account(bytes: &[u8]) -> bool {
    [bytes.to_vec(), entry(bytes)].iter().any(|entry| {
        let stored = StoredAccount::from_bytes(entry);
        assert!(
            stored
                .as_ref()
                .is_none_or(|stored| stored.to_bytes() == *entry)
        );
        stored.is_some()
    })
}

/// The entry of a receivable.
pub fn stored_receivable(bytes: &[u8]) -> bool {
    [bytes.to_vec(), entry(bytes)].iter().any(|entry| {
        let stored = StoredReceivable::from_bytes(entry);
        assert!(
            stored
                .as_ref()
                .is_none_or(|stored| stored.to_bytes() == *entry)
        );
        stored.is_some()
    })
}
