//! What other bridges say of whom they know, for [`crate::decoders`].

use nanonet::PeerRecord;

use super::{BridgeList, Directory, read};

/// An answer of `/v1/bridges` or `/v1/peers`. Accepted if it has an introduction that can be read.
#[must_use]
pub fn introductions(bytes: &[u8]) -> bool {
    let Some(records) = read(bytes) else {
        return false;
    };
    assert!(records.len() <= nanonet::MAX_TOLD);
    for record in &records {
        // Whether it holds is for the node to say; it must not panic.
        let _ = record.verify();
        assert_eq!(
            PeerRecord::from_bytes(&record.to_bytes()).as_ref(),
            Some(record)
        );
    }
    !records.is_empty()
}

/// A stored directory. Accepted if it has an introduction.
#[must_use]
pub fn directory(bytes: &[u8]) -> bool {
    let records = Directory::read(bytes);
    let directory = Directory::default();
    records
        .iter()
        .for_each(|record| directory.note(record.clone()));
    assert!(directory.all().len() <= records.len());
    !records.is_empty()
}

/// A file with a list of bridges. Accepted if it is one.
#[must_use]
pub fn bridge_list(bytes: &[u8]) -> bool {
    let text = core::str::from_utf8(bytes).unwrap_or_default();
    BridgeList::from_json(text, nano_core::Network::Live).is_ok()
}
