//! What arrives as JSON: answers of a full node's RPC, frames of its WebSocket, the word of an
//! anchor, requests to the faucet.

use nano_core::message::{ConfirmAck, Message};
use nano_core::{Block, BlockHash, Network, Raw, WeightTable};
use nanonet::SignedWeights;

use crate::clock;
use crate::events::frame::{self, Frame};
use crate::rpc::reply;

pub use crate::http::faucet_request;

/// The block asked for by [`rpc_reply`], known from the recorded answers.
const ASKED: [u8; 32] = [
    0xba, 0x23, 0xe4, 0xa6, 0x1e, 0xb3, 0xf2, 0x6f, 0x58, 0xb1, 0x65, 0xd9, 0xa6, 0x17, 0x5e, 0xdd,
    0x63, 0xc2, 0xbd, 0x19, 0x72, 0xa0, 0x69, 0x92, 0x8a, 0x51, 0xba, 0xfe, 0x4b, 0xfe, 0x75, 0xb4,
];

/// The body of an answer of a full node's RPC. First byte: which question it answers.
pub fn rpc_reply(bytes: &[u8]) -> bool {
    let Some((question, body)) = bytes.split_first() else {
        return false;
    };
    let Ok(value) = reply::json(body) else {
        return false;
    };
    match question % 7 {
        0 => reply::genesis(&value).is_ok(),
        1 => reply::quorum(&value).is_ok_and(|quorum| {
            let online = quorum.online_weight();
            assert!(online >= quorum.online && online >= quorum.trended);
            true
        }),
        2 => reply::representatives(&value).is_ok_and(|weights| {
            assert!(weights.values().all(|weight| !weight.is_zero()));
            // As `Rpc::weight_table` makes one; sums beyond all amounts must not break it.
            let table = WeightTable {
                network: Network::Dev,
                as_of: clock::now(),
                online_weight: Raw::MAX,
                minimum: Raw::ZERO,
                weights,
            };
            assert!(table.threshold().number() > table.total().number() / 2);
            if let Ok(written) = table.to_bytes() {
                assert_eq!(WeightTable::from_bytes(&written), Ok(table));
            }
            true
        }),
        3 => reply::receivable(&value).is_ok_and(|sends| {
            assert!(sends.len() <= reply::MAX_SENDS);
            true
        }),
        4 => reply::accounts_receivable(&value).is_ok_and(|all| {
            assert!(all.values().all(|sends| sends.len() <= reply::MAX_SENDS));
            true
        }),
        5 => reply::frontiers(&value).is_ok(),
        _ => {
            let asked = BlockHash::from_bytes(ASKED);
            reply::block(&value, asked).is_ok_and(|block| {
                assert_eq!(block.hash(), asked);
                true
            })
        }
    }
}

/// A text frame of a full node's WebSocket. Accepted if it says something to the bridge; that has
/// to be something the peer protocol could have said.
pub fn ws_frame(bytes: &[u8]) -> bool {
    let Ok(text) = core::str::from_utf8(bytes) else {
        return false;
    };
    match frame::read(text) {
        Ok(Frame::Vote(vote)) => {
            // What it is worth is found out where votes are counted; it must not panic.
            let _ = vote.verify();
            let ack = Message::from(ConfirmAck {
                vote: *vote,
                rebroadcast: false,
            });
            let again = ack.encode(Network::Dev).map(|sent| Message::decode(&sent));
            assert!(matches!(again, Ok(Ok((_, again))) if again == ack));
            true
        }
        Ok(Frame::Confirmed(block)) => {
            let again = Block::parse_typed(&block.serialized_typed());
            assert_eq!(again.as_ref(), Ok(block.as_ref()));
            true
        }
        Ok(Frame::Subscribed) => true,
        Ok(Frame::Other) | Err(_) => false,
    }
}

/// What another bridge says of the weights. Accepted if its signature holds.
pub fn signed_weights(bytes: &[u8]) -> bool {
    let Ok(signed) = serde_json::from_slice::<SignedWeights>(bytes) else {
        return false;
    };
    let written = serde_json::to_vec(&signed).unwrap_or_default();
    let again = serde_json::from_slice::<SignedWeights>(&written);
    assert!(again.is_ok_and(|again| again == signed));
    let middle = signed.table.median(&[&signed.table]);
    assert_eq!(signed.table.moved(&middle), Raw::ZERO);
    signed.holds()
}
