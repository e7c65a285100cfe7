//! How fast messages of the peer protocol are read, on one core: framing, deadlines and parsing as
//! an open channel does them, out of memory. Neither sockets nor signatures are in it.

use std::time::{Duration, Instant};

use bridge_server::decoders::messages_in;
use nano_core::message::{ConfirmAck, Keepalive, Message, Publish};
use nano_core::{BlockHash, Link, Network, PrivateKey, Raw, StateBlock, Vote, VoteTimestamp};

use crate::Outcome;

/// Rounds of eight messages that are read at once.
const ROUNDS: usize = 4_096;
/// How long it is measured.
const TIME: Duration = Duration::from_secs(2);
/// Hashes per vote: a live network's votes carry a few each.
const HASHES: u8 = 4;

/// Messages read per second: of each eight, five votes, two blocks, one keepalive.
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
        stream.extend(message.encode(Network::Dev)?);
    }
    let stream = stream.repeat(ROUNDS);
    let begin = Instant::now();
    let mut read = 0;
    while begin.elapsed() < TIME {
        read += messages_in(&stream).ok_or("a message was refused")?;
    }
    Ok(f64::from(read) / begin.elapsed().as_secs_f64())
}
