//! confirm_req and confirm_ack: asking representatives for votes, and the votes.
//!
//! confirm_req: 1 to 255 pairs of block hash and root; a zero hash asks for whatever the node has
//! at that root, so answers have to be matched by hash. confirm_ack: representative 32, signature
//! 64, packed time 8 (little-endian), 1 to 255 hashes. The block type bits of both headers mean
//! nothing and are ignored when read; they are written as *not a block*, on which some nodes insist.

use super::MessageError;
use super::header::{Header, MessageType, count_extensions, mark};
use crate::cursor::Cursor;
use crate::{Account, BlockHash, Root, Signature, Vote, VoteTimestamp};

/// A block asked about in a confirm_req: by hash, by root, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestedBlock {
    /// The block; zero asks for the node's own block at `root`.
    pub hash: BlockHash,
    /// The block's root: previous, or the account for a first block.
    pub root: Root,
}

/// A question for votes on 1 to 255 blocks. Only nodes that vote answer, and only with final
/// votes; there is no answer that says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmReq {
    /// What is asked about.
    pub blocks: Vec<RequestedBlock>,
}

impl ConfirmReq {
    pub(super) fn parse(header: &Header, payload: &[u8]) -> Result<Self, MessageError> {
        check_count(MessageType::ConfirmReq, usize::from(header.count()))?;
        let (pairs, _) = payload.as_chunks::<64>();
        let blocks: Vec<_> = pairs.iter().map(pair_from_bytes).collect();
        let request = Self { blocks };
        request.check_pairs()?;
        Ok(request)
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) -> Result<u16, MessageError> {
        let count = check_count(MessageType::ConfirmReq, self.blocks.len())?;
        self.check_pairs()?;
        for block in &self.blocks {
            payload.extend(block.hash.as_bytes());
            payload.extend(block.root.as_bytes());
        }
        Ok(count_extensions(count))
    }

    fn check_pairs(&self) -> Result<(), MessageError> {
        let empty = |block: &RequestedBlock| block.hash.is_zero() && block.root.is_zero();
        match self.blocks.iter().position(empty) {
            Some(index) => Err(MessageError::EmptyPair(index)),
            None => Ok(()),
        }
    }
}

fn pair_from_bytes(pair: &[u8; 64]) -> RequestedBlock {
    let (mut hash, mut root) = ([0; 32], [0; 32]);
    hash.copy_from_slice(&pair[..32]);
    root.copy_from_slice(&pair[32..]);
    RequestedBlock {
        hash: BlockHash::from_bytes(hash),
        root: Root::from_bytes(root),
    }
}

/// A vote on its way through the network. Its signature is not checked by reading it: call
/// [`Vote::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmAck {
    /// The vote.
    pub vote: Vote,
    /// Whether a node passes on somebody else's vote; not signed, so only a hint.
    pub rebroadcast: bool,
}

impl ConfirmAck {
    pub(super) fn parse(header: &Header, payload: &[u8]) -> Result<Self, MessageError> {
        let message_type = MessageType::ConfirmAck;
        let count = usize::from(header.count());
        check_count(message_type, count)?;
        let short = MessageError::PayloadLength {
            message_type,
            expected: 104 + 32 * count,
            found: payload.len(),
        };
        let mut cursor = Cursor::new(payload);
        let representative = Account::from_bytes(cursor.array().ok_or(short)?);
        if representative.is_zero() {
            return Err(MessageError::ZeroVoter);
        }
        let signature = Signature::from_bytes(cursor.array().ok_or(short)?);
        let time = u64::from_le_bytes(cursor.array().ok_or(short)?);
        let hashes = cursor.pieces::<32>(count).ok_or(short)?;
        Ok(Self {
            vote: Vote {
                representative,
                signature,
                timestamp: VoteTimestamp::from_packed(time),
                hashes: hashes.iter().copied().map(BlockHash::from_bytes).collect(),
            },
            rebroadcast: header.has_mark(),
        })
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) -> Result<u16, MessageError> {
        let count = check_count(MessageType::ConfirmAck, self.vote.hashes.len())?;
        if self.vote.representative.is_zero() {
            return Err(MessageError::ZeroVoter);
        }
        payload.extend(self.vote.representative.as_bytes());
        payload.extend(self.vote.signature.as_bytes());
        payload.extend(self.vote.timestamp.packed().to_le_bytes());
        for hash in &self.vote.hashes {
            payload.extend(hash.as_bytes());
        }
        Ok(mark(count_extensions(count), self.rebroadcast))
    }
}

fn check_count(message_type: MessageType, count: usize) -> Result<u8, MessageError> {
    u8::try_from(count)
        .ok()
        .filter(|count| *count > 0)
        .ok_or(MessageError::Count {
            message_type,
            count,
            least: 1,
            most: Vote::MAX_HASHES,
        })
}
