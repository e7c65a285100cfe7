//! How fast messages of the peer protocol are parsed, on one core.

use std::hint::black_box;
use std::time::{Duration, Instant};

use nano_core::message::{ConfirmAck, Keepalive, Message, Publish};
use nano_core::{BlockHash, Link, Network, PrivateKey, Raw, StateBlock, Vote, VoteTimestamp};

use crate::Outcome;

/// How long it is measured.
const TIME: Duration = Duration::from_secs(2);
/// Hashes per vote: a live network's votes carry a few each.
const HASHES: u8 = 4;

/// Messages parsed per second: of each eight, five votes, two blocks, one keepalive.
pub(crate) fn messages_per_s() -> Outcome<f64> {
    let key = PrivateKey::from_bytes([1; 32]);
    let hashes = (0..HASHES)
        .map(|byte| BlockHash::from_bytes([byte; 32]))
        .collect();
    let vote = Message::from(ConfirmAck {
        vote: Vote::sign(&key, VoteTimestamp::FINAL, hashes),
        rebroadcast: false,
    });
    let block = StateBlock::unsigned(
        key.account(),
        BlockHash::from_bytes([2; 32]),
        key.account(),
        Raw::NANO,
        Link::from_bytes([3; 32]),
    )
    .sign(&key);
    let publish = Message::from(Publish {
        block: block.into(),
        originator: false,
    });
    let keepalive = Message::from(Keepalive::EMPTY);
    let mut stream = Vec::new();
    for message in [
        &vote, &vote, &publish, &vote, &keepalive, &vote, &publish, &vote,
    ] {
        stream.push(message.encode(Network::Dev)?);
    }
    let begin = Instant::now();
    let mut parsed = 0_u32;
    while begin.elapsed() < TIME {
        for bytes in &stream {
            black_box(Message::decode(black_box(bytes))?);
            parsed += 1;
        }
    }
    Ok(f64::from(parsed) / begin.elapsed().as_secs_f64())
}
