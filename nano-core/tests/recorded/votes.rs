//! Votes recorded from a full node, votes of other implementations, and damaged ones.

use crate::support::{bytes, text, vectors};
use nano_core::VoteTimestamp;
use nano_core::message::{Message, MessageType};

#[test]
fn every_recorded_vote_is_read_and_judged_like_nodes_do() {
    let rows = vectors("votes");
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 30);
    for row in rows {
        let name = text(row, "name");
        let (header, message) = Message::decode(&bytes(row, "message")).expect(name);
        assert_eq!(header.message_type, MessageType::ConfirmAck);
        assert_eq!(
            format!("{:04x}", header.extensions),
            text(row, "extensions")
        );
        let Message::ConfirmAck(ack) = message else {
            panic!("{name}: not a confirm_ack");
        };
        assert_eq!(ack.rebroadcast, row["rebroadcast"], "{name}");
        let vote = &ack.vote;
        let hashes: Vec<_> = vote.hashes.iter().map(ToString::to_string).collect();
        assert_eq!(serde_json::json!(hashes), row["hashes"], "{name}");
        assert_eq!(vote.hashes.len(), row["count"], "{name}");
        assert_eq!(
            vote.representative.public_key().to_string(),
            text(row, "account")
        );
        assert_eq!(vote.signature.to_string(), text(row, "signature"), "{name}");
        let time = vote.timestamp;
        assert_eq!(
            time.packed().to_string(),
            text(row, "timestamp_packed"),
            "{name}"
        );
        assert_eq!(time, VoteTimestamp::from_packed(time.packed()));
        assert_eq!(time.is_final(), row["final"], "{name}");
        assert_eq!(time.duration(), row["duration_ms"], "{name}");
        if !time.is_final() {
            assert_eq!(
                time.millis().to_string(),
                text(row, "timestamp_ms"),
                "{name}"
            );
        }
        assert_eq!(
            hex::encode_upper(vote.signed_hash()),
            text(row, "vote_hash")
        );
        assert_eq!(vote.verify().is_ok(), row["signature_valid"], "{name}");
    }
}

#[test]
fn a_vote_is_written_as_it_was_read_but_for_the_bits_that_mean_nothing() {
    for row in vectors("votes").as_array().unwrap() {
        let original = bytes(row, "message");
        let (header, message) = Message::decode(&original).unwrap();
        let written = message.encode(header.network).unwrap();
        assert_eq!(written[8..], original[8..], "{}", text(row, "name"));
        let (again, _) = Message::decode(&written).unwrap();
        assert_eq!(again.extensions, header.extensions | 0x0100);
    }
}
