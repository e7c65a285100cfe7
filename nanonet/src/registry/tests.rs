//! What the registry promises of its records.

use nano_core::{Network, Signature, UnixMillis};
use proptest::prelude::*;

use super::record::seal_metadata;
use super::*;
use crate::{Addresses, Identity, NodeKey, Rng, Role};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn identity(seed: u8) -> Identity {
    Identity::generate(&mut Rng::from_seed([seed; 32]))
}

fn record(of: &Identity, sequence: u64) -> KeyRecord {
    let door = identity(100);
    of.sign_record(KeyRecord {
        key: of.node_key(),
        sequence,
        network: Network::Dev,
        role: Role::Browser,
        nonce: of.nonce(),
        noise_key: of.noise_key(),
        seen_at: NOW,
        expires_at: NOW.plus(MAX_LIFE_MS),
        endpoints: Addresses::default(),
        doors: vec![Door {
            id: door.node_id(),
            noise_key: door.noise_key(),
        }],
        services: vec![Service {
            kind: "work".into(),
            attributes: vec![Attribute {
                name: "price".into(),
                value: "0".into(),
            }],
        }],
        metadata: Metadata::default(),
        signature: Signature::from_bytes([0; 64]),
    })
}

#[test]
fn an_older_or_equal_record_never_takes_the_place_of_a_newer_one() {
    let us = identity(1);
    let mut registry = Registry::new(10);
    let mut offer =
        |sequence, after| registry.offer(NOW.plus(after), Network::Dev, record(&us, sequence));
    assert_eq!(offer(5, 0), Offered::Kept);
    assert_eq!(offer(5, UPDATE_MS), Offered::Held);
    assert_eq!(offer(4, UPDATE_MS), Offered::Held);
    assert_eq!(offer(6, UPDATE_MS - 1), Offered::TooSoon);
    assert_eq!(offer(6, UPDATE_MS), Offered::Kept);
    assert_eq!(registry.get(&us.node_key(), NOW).unwrap().sequence, 6);
}

#[test]
fn what_is_not_signed_by_its_key_expired_foreign_or_too_long_is_refused() {
    let (us, other) = (identity(1), identity(2));
    let refused = |change: fn(&mut KeyRecord), sign: bool| {
        let mut changed = record(&us, 1);
        change(&mut changed);
        if sign {
            changed = us.sign_record(changed);
        }
        match Registry::new(10).offer(NOW, Network::Dev, changed) {
            Offered::Refused(error) => Some(error),
            _ => None,
        }
    };
    let signature = Some(KeyRecordError::Signature);
    assert_eq!(refused(|record| record.sequence += 1, false), signature);
    assert_eq!(refused(|record| record.doors.clear(), false), signature);
    assert_eq!(
        refused(|record| record.metadata.open.push('x'), false),
        signature
    );
    let mut stolen = record(&us, 1);
    stolen.key = other.node_key();
    assert_eq!(
        stolen.check(NOW, Network::Dev),
        Err(KeyRecordError::Signature)
    );
    let expired = refused(|record| record.expires_at = NOW, true);
    assert_eq!(expired, Some(KeyRecordError::Expired));
    let foreign = refused(|record| record.network = Network::Live, true);
    assert_eq!(foreign, Some(KeyRecordError::OtherNetwork));
    let long = refused(|record| record.metadata.open = "x".repeat(2_048), true);
    assert_eq!(long, Some(KeyRecordError::Limits));
    let lasting = refused(|record| record.expires_at.0 += 1, true);
    assert_eq!(lasting, Some(KeyRecordError::Limits));
    assert_eq!(refused(|_| (), false), None);
}

#[test]
fn a_full_registry_keeps_what_lasts_longest() {
    let mut registry = Registry::new(2);
    let mut offer = |seed: u8, life: u64| {
        let us = identity(seed);
        let mut made = record(&us, 1);
        made.expires_at = NOW.plus(life);
        registry.offer(NOW, Network::Dev, us.sign_record(made))
    };
    assert_eq!(offer(1, 1_000), Offered::Kept);
    assert_eq!(offer(2, 3_000), Offered::Kept);
    assert_eq!(offer(3, 500), Offered::NoRoom);
    assert_eq!(offer(4, 2_000), Offered::Kept);
    let keys: Vec<NodeKey> = registry.iter(NOW).map(|record| record.key).collect();
    assert!(!keys.contains(&identity(1).node_key()) && keys.len() == 2);
    registry.expire(NOW.plus(2_500));
    assert_eq!(registry.len(), 1);
}

#[test]
fn metadata_is_read_by_the_chosen_readers_only() {
    let (us, reader, other) = (identity(1), identity(2), identity(3));
    let mut rng = Rng::from_seed([9; 32]);
    let mut with = record(&us, 1);
    with.metadata.sealed = seal_metadata("my name", &[reader.noise_key()], &mut rng).unwrap();
    let with = us.sign_record(with);
    assert_eq!(with.check(NOW, Network::Dev), Ok(()));
    assert_eq!(with.read_sealed(&reader).as_deref(), Some("my name"));
    assert_eq!(with.read_sealed(&other), None);
}

#[test]
fn services_are_found_by_kind_and_attributes() {
    let record = record(&identity(1), 1);
    let takes = |kind: &str, value: Option<&str>| {
        let attributes = value.map(|value| Attribute {
            name: "price".into(),
            value: value.into(),
        });
        let filter = ServiceFilter {
            kind: kind.into(),
            attributes: attributes.into_iter().collect(),
        };
        filter.takes(&record)
    };
    assert!(takes("work", None) && takes("work", Some("0")));
    assert!(!takes("work", Some("1")) && !takes("bridge", None));
}

proptest! {
    #[test]
    fn an_altered_record_is_refused(place: usize, change in 1_u8..) {
        let mut bytes = record(&identity(1), 7).to_bytes();
        let place = place % bytes.len();
        bytes[place] ^= change;
        if let Some(record) = KeyRecord::from_bytes(&bytes) {
            prop_assert!(record.check(NOW, Network::Dev).is_err());
        }
    }

    #[test]
    fn a_record_survives_the_wire(sequence: u64, open in "\\PC{0,40}") {
        let us = identity(1);
        let mut made = record(&us, sequence);
        made.metadata.open = open;
        let made = us.sign_record(made);
        let read = KeyRecord::from_bytes(&made.to_bytes());
        prop_assert_eq!(read.as_ref(), Some(&made));
        prop_assert_eq!(made.check(NOW, Network::Dev), Ok(()));
    }
}
