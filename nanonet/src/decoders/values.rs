//! Decoders of single values.

use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::identity;
use nano_core::Network;

use crate::gossip::News;
use crate::onion::{Cell, Peeled, Relays};
use crate::registry::KeyRecord;
use crate::wire::Message;
use crate::{Class, Identity, PeerRecord, Record, Sighting};

/// Whether `bytes` are one value; a value has to come back from what it is written as.
fn survives<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> bool {
    let again = postcard::to_allocvec(value)
        .ok()
        .and_then(|bytes| postcard::from_bytes(&bytes).ok());
    again.as_ref() == Some(value)
}

/// A peer record as it stands in handshakes and messages.
pub fn peer_record(bytes: &[u8]) -> bool {
    let Ok((record, [])) = postcard::take_from_bytes::<PeerRecord>(bytes) else {
        return false;
    };
    assert!(survives(&record), "{record:?}");
    let _ = record.verify();
    true
}

/// A record of either kind.
pub fn record(bytes: &[u8]) -> bool {
    let Ok(record) = Record::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(record.to_bytes(), bytes);
    assert!(survives(&record), "{record:?}");
    if let Record::Receivable(receivable) = &record {
        let _ = receivable.amount();
    }
    let _ = (record.account(), record.hash());
    true
}

/// A bridge's sighting.
pub fn sighting(bytes: &[u8]) -> bool {
    let Ok(sighting) = Sighting::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(sighting.to_bytes(), bytes);
    let _ = sighting.verify();
    true
}

/// A message in the class it belongs to. The records inside are opened too.
pub fn overlay_message(bytes: &[u8]) -> bool {
    let mut accepted = false;
    for class in Class::ALL {
        let Ok(message) = Message::decode(class, bytes) else {
            continue;
        };
        assert!(!accepted, "two classes take the same message");
        accepted = true;
        assert!(message.cost() > 0);
        let written = message.encode();
        let again = written.and_then(|bytes| Message::decode(class, &bytes));
        assert_eq!(again.as_ref(), Ok(&message));
        for packed in message.records() {
            record(packed.as_bytes());
        }
    }
    accepted
}

/// A piece of news.
pub fn news(bytes: &[u8]) -> bool {
    let Some(news) = News::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(news.to_bytes(), bytes);
    assert_eq!(
        News::from_bytes(bytes).map(|again| again.id()),
        Some(news.id())
    );
    true
}

/// The record of a key.
pub fn key_record(bytes: &[u8]) -> bool {
    let Some(record) = KeyRecord::from_bytes(bytes) else {
        return false;
    };
    assert!(survives(&record), "{record:?}");
    let _ = (record.check(super::START, Network::Dev), record.node_id());
    true
}

/// A cell that came to a hop, and what came for ourselves in it.
pub fn cell(bytes: &[u8]) -> bool {
    static OURS: OnceLock<Identity> = OnceLock::new();
    let ours = OURS.get_or_init(|| identity(1));
    let Some(cell) = Cell::from_bytes(bytes) else {
        return false;
    };
    match Relays::new(1).peel(ours, super::START, cell) {
        Ok(Peeled::Here(payload)) => letter(&payload.bytes),
        Ok(Peeled::Onward { .. }) => true,
        Err(_) => false,
    }
}

/// What two ends of a circuit say to each other.
pub fn letter(bytes: &[u8]) -> bool {
    crate::onion::reads_letter(bytes)
}

/// A payload sealed for us.
pub fn sealed(bytes: &[u8]) -> bool {
    static OURS: OnceLock<Identity> = OnceLock::new();
    let ours = OURS.get_or_init(|| identity(1));
    ours.open("signal", bytes).is_ok()
}
