//! asc_pull_req and asc_pull_ack: blocks, heads and frontiers out of a full node's ledger.
//!
//! Both begin with a type byte (1 blocks, 2 account_info, 3 frontiers) and an id, 8 bytes
//! big-endian, that the answer repeats; the header's extensions are the size of what comes after.
//!
//! | type | request | answer |
//! |---|---|---|
//! | blocks | start 32, count 1 (1 to 128), start type 1 | typed blocks, oldest first, then `01` |
//! | account_info | target 32, target type 1 | account, open, head 32 each, block count 8, confirmed frontier 32, confirmed height 8 |
//! | frontiers | first account 32, count 2 (1 to 1000) | pairs of account and head 32 each, ascending, then 64 zero bytes |
//!
//! Target types: 0 account, 1 block hash. Integers are big-endian. Answers may contain blocks that
//! are not confirmed yet, and peers may lie: all of it is a hint until votes prove it.

use super::MessageError;
use super::header::MessageType;
use crate::cursor::Cursor;
use crate::{Account, Block, BlockHash, BlockType};

const BLOCKS: u8 = 1;
const ACCOUNT_INFO: u8 = 2;
const FRONTIERS: u8 = 3;
/// Ends a list of blocks: the number of *not a block*.
const END_OF_BLOCKS: u8 = 1;
/// Bytes of type and id, which the extensions do not count.
const PREFIX_SIZE: usize = 9;

/// Where a pull starts, or what it asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullTarget {
    /// An account; for blocks, from its first one.
    Account(Account),
    /// A block.
    Block(BlockHash),
}

impl PullTarget {
    const fn bytes(&self) -> &[u8; 32] {
        match self {
            Self::Account(account) => account.as_bytes(),
            Self::Block(hash) => hash.as_bytes(),
        }
    }

    const fn number(&self) -> u8 {
        match self {
            Self::Account(_) => 0,
            Self::Block(_) => 1,
        }
    }

    fn new(bytes: [u8; 32], number: u8) -> Result<Self, MessageError> {
        let target = match number {
            0 => Self::Account(Account::from_bytes(bytes)),
            1 => Self::Block(BlockHash::from_bytes(bytes)),
            _ => return Err(MessageError::UnknownTarget(number)),
        };
        target.check()?;
        Ok(target)
    }

    fn check(&self) -> Result<(), MessageError> {
        if *self.bytes() == [0; 32] {
            return Err(MessageError::ZeroTarget);
        }
        Ok(())
    }
}

/// What an [`AscPullReq`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AscPullQuestion {
    /// Blocks of one account, upwards from a block or from the account's first.
    Blocks {
        /// Where to start; that block is part of the answer.
        start: PullTarget,
        /// How many at most, 1 to [`AscPullReq::MAX_BLOCKS`].
        count: u8,
    },
    /// Heads and heights of the account that is, or holds, the target.
    AccountInfo {
        /// The account or one of its blocks.
        target: PullTarget,
    },
    /// Accounts with their heads, in order of their keys.
    Frontiers {
        /// The first account, or any key before it.
        start: Account,
        /// How many at most, 1 to [`AscPullReq::MAX_FRONTIERS`].
        count: u16,
    },
}

/// A question for a full node's ledger. Nodes drop what exceeds about 16 open questions of a
/// connection, without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AscPullReq {
    /// Repeated in the answer; choose a new one for each question.
    pub id: u64,
    /// The question.
    pub question: AscPullQuestion,
}

/// Heads and heights of an account; all zero where the node does not know it, but `account` when
/// it was asked for by account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AccountInfo {
    /// The account.
    pub account: Account,
    /// Its first block.
    pub open: BlockHash,
    /// Its last block, confirmed or not.
    pub head: BlockHash,
    /// Its number of blocks.
    pub block_count: u64,
    /// Its last confirmed block.
    pub confirmed_frontier: BlockHash,
    /// Its number of confirmed blocks.
    pub confirmed_height: u64,
}

/// An account with its last block, confirmed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// The account.
    pub account: Account,
    /// Its last block.
    pub hash: BlockHash,
}

impl Frontier {
    /// Whether this is the all-zero entry that ends a list.
    fn ends_list(&self) -> bool {
        self.account.is_zero() && self.hash.is_zero()
    }
}

/// What an [`AscPullAck`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AscPullAnswer {
    /// Blocks, oldest first; none when the start is unknown.
    Blocks(Vec<Block>),
    /// Heads and heights.
    AccountInfo(AccountInfo),
    /// Accounts with their heads.
    Frontiers(Vec<Frontier>),
}

/// The answer to an [`AscPullReq`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AscPullAck {
    /// The question's id.
    pub id: u64,
    /// The answer.
    pub answer: AscPullAnswer,
}

impl AscPullReq {
    /// The most blocks one question can ask for.
    pub const MAX_BLOCKS: u8 = 128;
    /// The most frontiers one question can ask for.
    pub const MAX_FRONTIERS: u16 = 1000;

    const TYPE: MessageType = MessageType::AscPullReq;

    pub(super) fn parse(payload: &[u8]) -> Result<Self, MessageError> {
        let (pull, id, mut cursor) = prefix(Self::TYPE, payload)?;
        let malformed = MessageError::PullPayload {
            message_type: Self::TYPE,
            pull,
        };
        let bytes = cursor.array::<32>().ok_or(malformed)?;
        let question = match pull {
            BLOCKS => {
                let [count, number] = cursor.array().ok_or(malformed)?;
                AscPullQuestion::Blocks {
                    start: PullTarget::new(bytes, number)?,
                    count,
                }
            }
            ACCOUNT_INFO => AscPullQuestion::AccountInfo {
                target: PullTarget::new(bytes, cursor.byte().ok_or(malformed)?)?,
            },
            FRONTIERS => AscPullQuestion::Frontiers {
                start: Account::from_bytes(bytes),
                count: u16::from_be_bytes(cursor.array().ok_or(malformed)?),
            },
            _ => return Err(MessageError::UnknownPull(pull)),
        };
        if cursor.remaining() != 0 {
            return Err(malformed);
        }
        let request = Self { id, question };
        request.check()?;
        Ok(request)
    }

    /// Counts and targets that nodes never answer.
    fn check(&self) -> Result<(), MessageError> {
        let (count, most) = match &self.question {
            AscPullQuestion::Blocks { start, count } => {
                start.check()?;
                (u16::from(*count), u16::from(Self::MAX_BLOCKS))
            }
            AscPullQuestion::AccountInfo { target } => return target.check(),
            AscPullQuestion::Frontiers { count, .. } => (*count, Self::MAX_FRONTIERS),
        };
        if !(1..=most).contains(&count) {
            return Err(MessageError::Count {
                message_type: Self::TYPE,
                count: usize::from(count),
                least: 1,
                most: usize::from(most),
            });
        }
        Ok(())
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) -> Result<u16, MessageError> {
        self.check()?;
        match &self.question {
            AscPullQuestion::Blocks { start, count } => {
                write_prefix(payload, BLOCKS, self.id);
                payload.extend(start.bytes());
                payload.extend([*count, start.number()]);
            }
            AscPullQuestion::AccountInfo { target } => {
                write_prefix(payload, ACCOUNT_INFO, self.id);
                payload.extend(target.bytes());
                payload.push(target.number());
            }
            AscPullQuestion::Frontiers { start, count } => {
                write_prefix(payload, FRONTIERS, self.id);
                payload.extend(start.as_bytes());
                payload.extend(count.to_be_bytes());
            }
        }
        size_extensions(Self::TYPE, payload)
    }
}

impl AscPullAck {
    const TYPE: MessageType = MessageType::AscPullAck;

    pub(super) fn parse(payload: &[u8]) -> Result<Self, MessageError> {
        let (pull, id, mut cursor) = prefix(Self::TYPE, payload)?;
        let answer = match pull {
            BLOCKS => read_blocks(&mut cursor).map(AscPullAnswer::Blocks),
            ACCOUNT_INFO => read_account_info(&mut cursor).map(AscPullAnswer::AccountInfo),
            FRONTIERS => read_frontiers(&mut cursor).map(AscPullAnswer::Frontiers),
            _ => return Err(MessageError::UnknownPull(pull)),
        };
        match answer {
            Some(answer) if cursor.remaining() == 0 => Ok(Self { id, answer }),
            _ => Err(MessageError::PullPayload {
                message_type: Self::TYPE,
                pull,
            }),
        }
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) -> Result<u16, MessageError> {
        match &self.answer {
            AscPullAnswer::Blocks(blocks) => {
                check_most(blocks.len(), usize::from(AscPullReq::MAX_BLOCKS))?;
                write_prefix(payload, BLOCKS, self.id);
                for block in blocks {
                    payload.push(block.block_type().number());
                    block.append_to(payload);
                }
                payload.push(END_OF_BLOCKS);
            }
            AscPullAnswer::AccountInfo(info) => {
                write_prefix(payload, ACCOUNT_INFO, self.id);
                payload.extend(info.account.as_bytes());
                payload.extend(info.open.as_bytes());
                payload.extend(info.head.as_bytes());
                payload.extend(info.block_count.to_be_bytes());
                payload.extend(info.confirmed_frontier.as_bytes());
                payload.extend(info.confirmed_height.to_be_bytes());
            }
            AscPullAnswer::Frontiers(frontiers) => {
                check_most(frontiers.len(), usize::from(AscPullReq::MAX_FRONTIERS))?;
                if frontiers.iter().any(Frontier::ends_list) {
                    return Err(MessageError::ZeroTarget);
                }
                write_prefix(payload, FRONTIERS, self.id);
                for frontier in frontiers {
                    payload.extend(frontier.account.as_bytes());
                    payload.extend(frontier.hash.as_bytes());
                }
                payload.extend([0; 64]);
            }
        }
        size_extensions(Self::TYPE, payload)
    }
}

fn read_blocks(cursor: &mut Cursor<'_>) -> Option<Vec<Block>> {
    let mut blocks = Vec::new();
    loop {
        let number = cursor.byte()?;
        if number == END_OF_BLOCKS {
            return Some(blocks);
        }
        if blocks.len() == usize::from(AscPullReq::MAX_BLOCKS) {
            return None;
        }
        let kind = BlockType::from_number(number)?;
        blocks.push(Block::parse(kind, cursor.slice(kind.size())?).ok()?);
    }
}

fn read_account_info(cursor: &mut Cursor<'_>) -> Option<AccountInfo> {
    Some(AccountInfo {
        account: Account::from_bytes(cursor.array()?),
        open: BlockHash::from_bytes(cursor.array()?),
        head: BlockHash::from_bytes(cursor.array()?),
        block_count: u64::from_be_bytes(cursor.array()?),
        confirmed_frontier: BlockHash::from_bytes(cursor.array()?),
        confirmed_height: u64::from_be_bytes(cursor.array()?),
    })
}

fn read_frontiers(cursor: &mut Cursor<'_>) -> Option<Vec<Frontier>> {
    let mut frontiers = Vec::new();
    loop {
        let frontier = Frontier {
            account: Account::from_bytes(cursor.array()?),
            hash: BlockHash::from_bytes(cursor.array()?),
        };
        if frontier.ends_list() {
            return Some(frontiers);
        }
        if frontiers.len() == usize::from(AscPullReq::MAX_FRONTIERS) {
            return None;
        }
        frontiers.push(frontier);
    }
}

fn prefix(
    message_type: MessageType,
    payload: &[u8],
) -> Result<(u8, u64, Cursor<'_>), MessageError> {
    let short = MessageError::PayloadLength {
        message_type,
        expected: PREFIX_SIZE,
        found: payload.len(),
    };
    let mut cursor = Cursor::new(payload);
    let pull = cursor.byte().ok_or(short)?;
    let id = u64::from_be_bytes(cursor.array().ok_or(short)?);
    Ok((pull, id, cursor))
}

fn write_prefix(payload: &mut Vec<u8>, pull: u8, id: u64) {
    payload.push(pull);
    payload.extend(id.to_be_bytes());
}

fn size_extensions(message_type: MessageType, payload: &[u8]) -> Result<u16, MessageError> {
    u16::try_from(payload.len().saturating_sub(PREFIX_SIZE)).map_err(|_| {
        MessageError::PayloadTooLong {
            message_type,
            length: payload.len(),
        }
    })
}

fn check_most(count: usize, most: usize) -> Result<(), MessageError> {
    if count > most {
        return Err(MessageError::Count {
            message_type: AscPullAck::TYPE,
            count,
            least: 0,
            most,
        });
    }
    Ok(())
}
