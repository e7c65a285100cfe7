//! How much of a list fits one message.

use super::{MAX_PEER_BYTES, MAX_PEERS, MAX_RECORDS, Packed};
use crate::routing::contact::{Named, Placed};

/// As many of `records`, in order, as fit `bytes` and the limit of a message; at least one if
/// there is any.
pub(crate) fn fitting(records: impl IntoIterator<Item = Packed>, bytes: usize) -> Vec<Packed> {
    let mut taken = Vec::new();
    let mut used = 0;
    for record in records {
        used += record.as_bytes().len() + 4;
        if taken.len() >= MAX_RECORDS || (used > bytes && !taken.is_empty()) {
            break;
        }
        taken.push(record);
    }
    taken
}

/// As many of `peers`, in order, as fit a message.
pub(crate) fn fitting_peers(peers: &[Placed]) -> Vec<Named> {
    let mut taken = Vec::new();
    let mut used = 0;
    for placed in peers {
        let peer = &placed.who.record;
        let addresses: usize = peer.addresses.iter().map(|a| a.as_str().len() + 2).sum();
        // Keys, nonce, signature and small fields of a record are 180 bytes at most.
        let seen = peer.seen.iter().flatten().count() * 120;
        used += 180 + addresses + seen;
        if taken.len() >= MAX_PEERS || used > MAX_PEER_BYTES {
            break;
        }
        let (record, at) = (peer.clone(), placed.at);
        taken.push(Named { record, at });
    }
    taken
}
