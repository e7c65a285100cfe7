use super::*;
use crate::Sighting;
use crate::testing::{TEST_TIME, TestChain, TestKeys, account_key, bridge};
use nano_core::proof::Certificate;
use nano_core::{Network, Raw, Vote, VoteTimestamp};
use proptest::prelude::*;

fn account_record(lineage: usize, sightings: u8) -> AccountRecord {
    let chain = TestChain::of_length(1, Raw::NANO, lineage + 1);
    let mut record = TestKeys::new().record(&chain, lineage, lineage);
    for place in 0..sightings {
        record.sightings.push(Sighting::sign(
            &bridge(place),
            Network::Dev,
            chain.account(),
            Some(record.hash()),
            TEST_TIME,
            Raw::NANO,
            Raw::NANO,
        ));
    }
    record
}

fn receivable_record() -> ReceivableRecord {
    let mut chain = TestChain::open(1, Raw::NANO);
    chain.send(&account_key(2).account(), Raw::new(7));
    TestKeys::new().receivable(&chain, 1)
}

#[test]
fn records_survive_their_binary_form() {
    let record = account_record(3, 2);
    assert_eq!(
        AccountRecord::from_bytes(&record.to_bytes()),
        Ok(record.clone())
    );
    let record = Record::Account(Box::new(record));
    assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    let record = receivable_record();
    assert_eq!(
        ReceivableRecord::from_bytes(&record.to_bytes()),
        Ok(record.clone())
    );
    let record = Record::Receivable(Box::new(record));
    assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
}

#[test]
fn records_travel_inside_messages_in_the_same_form() {
    let record = Record::Account(Box::new(account_record(1, 1)));
    let message = postcard::to_allocvec(&(7_u8, vec![record.clone()])).unwrap();
    let form = record.to_bytes();
    assert!(message.windows(form.len()).any(|window| window == form));
    let (_, read): (u8, Vec<Record>) = postcard::from_bytes(&message).unwrap();
    assert_eq!(read, [record]);
}

#[test]
fn one_kind_is_not_read_as_the_other() {
    let kind = |kind| Err(RecordError::Kind { kind });
    let receivable = receivable_record().to_bytes();
    assert_eq!(
        AccountRecord::from_bytes(&receivable),
        kind(KIND_RECEIVABLE)
    );
    let account = account_record(0, 0).to_bytes();
    assert_eq!(
        ReceivableRecord::from_bytes(&account),
        Err(RecordError::Kind { kind: KIND_ACCOUNT })
    );
}

#[test]
fn another_version_is_told_apart_from_damage() {
    let mut bytes = account_record(0, 0).to_bytes();
    bytes[0] = 2;
    let error = AccountRecord::from_bytes(&bytes).unwrap_err();
    assert_eq!(error, RecordError::Version { version: 2 });
    assert_eq!(error.reason(), "unknown-version");
}

#[test]
fn limits_hold_while_decoding() {
    let bytes = account_record(MAX_LINEAGE + 1, 0).to_bytes();
    let error = AccountRecord::from_bytes(&bytes).unwrap_err();
    assert_eq!(error.reason(), "too-large");
    let sightings = u8::try_from(MAX_SIGHTINGS).unwrap() + 1;
    let bytes = account_record(0, sightings).to_bytes();
    assert_eq!(
        AccountRecord::from_bytes(&bytes),
        Err(RecordError::TooMany {
            field: "sightings",
            count: MAX_SIGHTINGS + 1
        })
    );
    let bytes = vec![1; MAX_RECORD_BYTES + 1];
    assert_eq!(
        Record::from_bytes(&bytes),
        Err(RecordError::TooLong {
            length: bytes.len()
        })
    );
}

#[test]
fn the_amount_of_a_receivable_is_the_difference_of_balances() {
    assert_eq!(receivable_record().amount(), Raw::new(7));
}

#[test]
fn a_record_that_grew_too_long_gives_up_its_oldest_lineage() {
    let mut record = account_record(60, 0);
    let keys = TestKeys::new();
    // Seven votes with lists of their own: a certificate of 57 KB.
    let votes: Vec<Vote> = (0_u8..7)
        .map(|place| {
            let mut hashes = vec![BlockHash::from_bytes([place; 32]); Vote::MAX_HASHES - 1];
            hashes.push(record.hash());
            let key = &keys.representatives()[usize::from(place)];
            Vote::sign(key, VoteTimestamp::FINAL, hashes)
        })
        .collect();
    record.proof.certificate = Certificate::from_votes(&votes).unwrap();
    let newest = record.lineage[59];
    assert!(record.to_bytes().len() > MAX_RECORD_BYTES);
    record.shorten();
    assert!(record.to_bytes().len() <= MAX_RECORD_BYTES);
    assert!(record.lineage.len() > 10, "no more than needed");
    assert_eq!(record.lineage.last(), Some(&newest));
}

proptest! {
    #[test]
    fn any_bytes_are_read_back_exactly_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        if let Ok(record) = Record::from_bytes(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }

    #[test]
    fn an_altered_record_is_read_back_exactly_or_refused(
        place: prop::sample::Index, bits in 1_u8..,
    ) {
        let mut bytes = account_record(2, 1).to_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        if let Ok(record) = AccountRecord::from_bytes(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_cut_record_is_refused(place: prop::sample::Index) {
        let mut bytes = account_record(2, 1).to_bytes();
        bytes.truncate(place.index(bytes.len()));
        prop_assert!(AccountRecord::from_bytes(&bytes).is_err());
    }
}
