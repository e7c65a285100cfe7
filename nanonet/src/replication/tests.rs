//! Who may put records here, who is named what, and how the slice is cut.

use nano_core::{Network, Raw, UnixMillis};

use proptest::prelude::*;

use super::circle::Around;
use super::put::in_batches;
use super::sync::OURS;
use crate::routing::forward::Upstream;
use crate::wire::{BATCH_BYTES, MAX_RECORDS, Target, Voucher};
use crate::{LinkId, NodeId, NodeKey, Purpose, Record, Role};

use super::*;
use crate::link::{Link, LinkConfig};
use crate::routing::contact::Contact;
use crate::routing::table::Peer;
use crate::testing::{TEST_TIME, TestChain, TestKeys, bridge};
use crate::wire::Packed;
use crate::{Addresses, Config, Identity, LinkOrigin, Rng, Transport};

const STRANGER: Upstream = Upstream::Link(LinkId(9));

fn node(anchors: Vec<NodeKey>) -> Node {
    let config = Config::browser(Network::Dev, TestKeys::new().weights().clone(), anchors);
    let identity = Identity::generate(&mut Rng::from_seed([1; 32]));
    Node::new(config, identity, [2; 32], TEST_TIME)
}

/// Puts a link to a bridge in place of the stranger.
fn link_bridge(node: &mut Node, bridge: &Identity) {
    let Upstream::Link(link) = STRANGER else {
        return;
    };
    let (network, at) = (Network::Dev, TEST_TIME);
    let record = bridge.peer_record(Role::Bridge, network, Addresses::default(), at);
    let config = LinkConfig {
        record: node.record.clone(),
        expected: None,
    };
    let made = Link::initiator(&node.identity, config, &mut node.rng, at);
    let peer = Peer::new(made, LinkOrigin::Dialled, Transport::WebSocket, at);
    node.table.open(link, peer);
    node.table.up(link, Contact::new(record), false, at);
}

fn record(place: u64) -> Record {
    let chain = TestChain::open(place, Raw::NANO);
    Record::Account(Box::new(TestKeys::new().record(&chain, 0, 0)))
}

fn voucher(node: &Node, of: &Identity, at: UnixMillis, records: &[Record]) -> Option<Voucher> {
    let named = records
        .iter()
        .map(|record| (record.account(), record.hash(), false));
    let data = node.vouched_bytes(at, named);
    Some(Voucher {
        bridge: of.node_key(),
        at,
        signature: of.sign(Purpose::Put, &data),
    })
}

/// Puts a record; whether it was kept.
fn put(node: &mut Node, record: &Record, voucher: Option<Voucher>) -> bool {
    let target = Target::Exactly(node.id());
    let packed = vec![Packed::new(record)];
    node.serve_put(STRANGER, 1, target, packed, voucher);
    node.slice.get(&record.account()).is_some()
}

#[test]
fn a_record_that_nobody_asked_for_or_vouches_for_is_not_kept() {
    let mut node = node(Vec::new());
    assert!(!put(&mut node, &record(1), None));
    assert_eq!(node.counters.refused.get(&"unsolicited-put"), Some(&1));
}

#[test]
fn a_record_of_an_account_that_was_asked_for_is_kept() {
    let mut node = node(Vec::new());
    let record = record(1);
    node.lately.ask(record.account(), TEST_TIME);
    assert!(put(&mut node, &record, None));
}

#[test]
fn an_anchors_word_is_enough_and_a_strangers_is_not() {
    let (anchor, stranger) = (bridge(1), bridge(2));
    let mut node = node(vec![anchor.node_key()]);
    let record = record(1);
    let records = std::slice::from_ref(&record);
    let false_word = voucher(&node, &stranger, TEST_TIME, records);
    assert!(!put(&mut node, &record, false_word));
    let word = voucher(&node, &anchor, TEST_TIME, records);
    assert!(put(&mut node, &record, word));
}

#[test]
fn a_word_is_worth_nothing_for_other_records_or_after_an_hour() {
    let anchor = bridge(1);
    let mut node = node(vec![anchor.node_key()]);
    let (vouched, other) = (record(1), record(2));
    let word = voucher(&node, &anchor, TEST_TIME, &[vouched]);
    assert!(!put(&mut node, &other, word));
    let word = voucher(&node, &anchor, TEST_TIME, std::slice::from_ref(&other));
    node.now = TEST_TIME.plus(VOUCHER_MS + 1);
    assert!(!put(&mut node, &other, word));
}

#[test]
fn where_there_are_anchors_a_link_to_a_bridge_is_no_word() {
    let other = bridge(2);
    let mut strict = node(vec![bridge(1).node_key()]);
    link_bridge(&mut strict, &other);
    assert!(!put(&mut strict, &record(1), None));
    let mut open = node(Vec::new());
    link_bridge(&mut open, &other);
    assert!(put(&mut open, &record(1), None));
}

#[test]
fn a_false_put_is_not_held_against_whoever_passed_it_on() {
    let mut node = node(Vec::new());
    link_bridge(&mut node, &bridge(2));
    let target = Target::Exactly(node.id());
    for id in 0..10 {
        let packed = vec![Packed::from_bytes(vec![7; 100])];
        node.serve_put(STRANGER, id, target, packed, None);
    }
    assert_eq!(node.table.count(), 1);
    assert_eq!(node.counters.refused.get(&"unknown-version"), Some(&10));
}

#[test]
fn records_are_cut_into_messages_and_none_is_lost() {
    let records: Vec<Record> = (0..100).map(record).collect();
    let batches = in_batches(&records);
    assert!(batches.len() > 1);
    assert_eq!(batches.concat(), records);
    for batch in batches {
        let bytes: usize = batch.iter().map(|record| record.to_bytes().len()).sum();
        assert!(bytes <= BATCH_BYTES && batch.len() <= MAX_RECORDS);
    }
}

proptest! {
    #[test]
    fn every_key_lies_in_one_level(ids: [[u8; 32]; 9], key: u64) {
        let mut node = node(Vec::new());
        let us = node.id.point();
        let mut circle: Vec<NodeId> = ids.map(NodeId::from_bytes).to_vec();
        circle.sort_by_key(|id| us.distance(&id.point()));
        let deepest = us.distance(&circle[0].point()).shared_bits().min(63);
        node.replication.circle = circle;
        let levels = (0..=deepest).chain([OURS]).filter(|level| {
            let keys = node.keys_of(*level);
            (keys.first..=keys.last).contains(&key)
        });
        prop_assert_eq!(levels.count(), 1);
    }

    #[test]
    fn the_nearest_hold_and_are_named_first(ids: Vec<u64>, key: u64, holders in 1_u8..17) {
        let around = Around::new(ids.clone(), holders);
        let mut order = ids;
        order.sort_unstable_by_key(|id| id ^ key);
        order.dedup();
        for (place, id) in order.iter().enumerate() {
            prop_assert_eq!(around.nearer(key, *id), place);
            prop_assert_eq!(around.holds(key, *id), place < usize::from(holders));
            prop_assert_eq!(around.is_first(key, *id, 2), place < 2);
        }
    }
}
