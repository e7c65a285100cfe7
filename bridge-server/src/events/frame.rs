//! Frames of a full node's WebSocket, read.
//!
//! Differences between nodes: the signature of a vote is 128 hex digits from RsNano and a decimal
//! number of the same 512 bits from the C++ node; upper and lower case of work texts differ.

use nano_core::{Account, Block, BlockHash, Signature, Vote, VoteTimestamp};
use serde_json::Value;

/// Most hashes of a vote (that of the peer protocol).
const MAX_HASHES: usize = 255;

/// What a frame says.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A subscription stands.
    Subscribed,
    /// A block was confirmed as far as this node is concerned.
    Confirmed(Box<Block>),
    /// A vote; its signature is not checked.
    Vote(Box<Vote>),
    /// Anything else that a node may send.
    Other,
}

/// What is wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not JSON.
    #[error("the frame is not JSON")]
    NotJson,
    /// A field is missing or cannot be read.
    #[error("the field {0} of the frame is missing or cannot be read")]
    Field(&'static str),
    /// The block is not the one the frame speaks of.
    #[error("the frame carries another block than it names")]
    OtherBlock,
}

/// Reads one text frame.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str) -> Result<Frame, FrameError> {
    let value: Value = serde_json::from_str(text).map_err(|_| FrameError::NotJson)?;
    if value.get("ack").and_then(Value::as_str) == Some("subscribe") {
        return Ok(Frame::Subscribed);
    }
    let message = value.get("message").unwrap_or(&Value::Null);
    match value.get("topic").and_then(Value::as_str) {
        Some("confirmation") => confirmation(message),
        Some("vote") => vote(message),
        _ => Ok(Frame::Other),
    }
}

fn confirmation(message: &Value) -> Result<Frame, FrameError> {
    let named: BlockHash = field(message, "hash")?;
    let block = message.get("block").ok_or(FrameError::Field("block"))?;
    let block = Block::from_json(block).map_err(|_| FrameError::Field("block"))?;
    if block.hash() == named {
        Ok(Frame::Confirmed(Box::new(block)))
    } else {
        Err(FrameError::OtherBlock)
    }
}

fn vote(message: &Value) -> Result<Frame, FrameError> {
    let millis: u64 = field(message, "timestamp")?;
    let duration: u64 = field(message, "duration")?;
    let blocks = message.get("blocks").and_then(Value::as_array);
    let blocks = blocks.ok_or(FrameError::Field("blocks"))?;
    if blocks.is_empty() || blocks.len() > MAX_HASHES {
        return Err(FrameError::Field("blocks"));
    }
    let hash = |value: &Value| value.as_str()?.parse().ok();
    let hashes: Option<Vec<BlockHash>> = blocks.iter().map(hash).collect();
    let signature = message.get("signature").and_then(Value::as_str);
    Ok(Frame::Vote(Box::new(Vote {
        representative: field::<Account>(message, "account")?,
        signature: signature
            .and_then(read_signature)
            .ok_or(FrameError::Field("signature"))?,
        // A final one has all bits set, whatever its duration says.
        timestamp: VoteTimestamp::from_packed(millis | duration & 0xf),
        hashes: hashes.ok_or(FrameError::Field("blocks"))?,
    })))
}

/// 128 hex digits, or a decimal number.
fn read_signature(text: &str) -> Option<Signature> {
    if text.len() == 128 {
        return text.parse().ok();
    }
    let mut bytes = [0_u8; 64];
    if text.is_empty() || text.len() > 155 {
        return None;
    }
    for digit in text.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 10;
            let [low, rest @ ..] = carry.to_le_bytes();
            *byte = low;
            carry = u32::from_le_bytes([rest[0], rest[1], rest[2], 0]);
        }
        if carry != 0 {
            return None;
        }
    }
    Some(Signature::from_bytes(bytes))
}

fn field<T: std::str::FromStr>(message: &Value, name: &'static str) -> Result<T, FrameError> {
    let text = message.get(name).and_then(Value::as_str);
    text.and_then(|text| text.parse().ok())
        .ok_or(FrameError::Field(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The frames recorded from a running node.
    fn recorded() -> Vec<Value> {
        let text =
            include_str!("../../../tests/vectors/data/websocket-samples/websocket-samples.json");
        let samples: Value = serde_json::from_str(text).unwrap();
        samples["received"].as_array().unwrap().clone()
    }

    fn of_topic(topic: &str) -> Vec<Value> {
        let mut frames = recorded();
        frames.retain(|frame| frame["topic"] == topic);
        assert!(!frames.is_empty(), "no sample of {topic}");
        frames
    }

    #[test]
    fn every_recorded_frame_is_read() {
        let frames = recorded();
        let read: Vec<Frame> = frames
            .iter()
            .map(|frame| read(&frame.to_string()).unwrap())
            .collect();
        let count = |wanted: fn(&Frame) -> bool| read.iter().filter(|f| wanted(f)).count();
        assert_eq!(
            count(|f| matches!(f, Frame::Confirmed(_))),
            of_topic("confirmation").len()
        );
        assert_eq!(
            count(|f| matches!(f, Frame::Vote(_))),
            of_topic("vote").len()
        );
        assert_eq!(count(|f| *f == Frame::Subscribed), 8);
    }

    #[test]
    fn recorded_votes_verify_and_so_do_they_in_the_words_of_the_other_node() {
        for mut frame in of_topic("vote") {
            let Ok(Frame::Vote(vote)) = read(&frame.to_string()) else {
                panic!("{frame} is no vote");
            };
            vote.verify().unwrap();
            let hex = frame["message"]["signature"].as_str().unwrap().to_owned();
            frame["message"]["signature"] = Value::from(decimal(&hex));
            assert_eq!(read(&frame.to_string()), Ok(Frame::Vote(vote)));
        }
    }

    /// Hex digits as the decimal number of the same value.
    fn decimal(hex: &str) -> String {
        let mut digits = vec![0_u32];
        for nibble in hex.chars().map(|c| c.to_digit(16).unwrap()) {
            let mut carry = nibble;
            for digit in &mut digits {
                carry += *digit * 16;
                *digit = carry % 10;
                carry /= 10;
            }
            while carry > 0 {
                digits.push(carry % 10);
                carry /= 10;
            }
        }
        let digits = digits.iter().rev();
        digits.map(|d| char::from_digit(*d, 10).unwrap()).collect()
    }

    #[test]
    fn a_number_beyond_512_bits_is_no_signature() {
        let most = decimal(&"F".repeat(128));
        assert_eq!(
            read_signature(&most),
            Some(Signature::from_bytes([255; 64]))
        );
        let one_more = format!("{}6", &most[..most.len() - 1]);
        assert!(most.ends_with('5'), "{most}");
        assert_eq!(read_signature(&one_more), None);
        for wrong in ["", "12x", &"9".repeat(156)] {
            assert_eq!(read_signature(wrong), None);
        }
    }

    #[test]
    fn a_frame_that_names_another_block_is_refused() {
        let mut frame = of_topic("confirmation").remove(0);
        frame["message"]["hash"] = json!("00".repeat(32));
        assert_eq!(read(&frame.to_string()), Err(FrameError::OtherBlock));
        frame["message"].as_object_mut().unwrap().remove("block");
        assert_eq!(read(&frame.to_string()), Err(FrameError::Field("block")));
        assert_eq!(read("{"), Err(FrameError::NotJson));
        assert_eq!(read("[1]"), Ok(Frame::Other));
    }
}
