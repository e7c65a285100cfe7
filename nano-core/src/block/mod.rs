//! Blocks: the five types of Nano's ledger, their hashes, bytes and JSON.
//!
//! A [`Block`] is one of four legacy types or a state block. Bytes have no type in front: the
//! type travels beside them and decides the size, so parsing refuses every other size. Hash and
//! signature cover all fields but the work.

mod codec;
mod epoch;
mod json;
mod legacy;
mod state;

pub use epoch::Epoch;
pub use json::BlockJsonError;
pub use legacy::{ChangeBlock, OpenBlock, ReceiveBlock, SendBlock};
pub use state::{BlockKind, StateBlock};

use codec::{Reader, Writer};

use crate::{Account, BlockHash, PublicKey, Raw, Root, Signature, SignatureError, WorkNonce};

/// Bytes of the largest block, the state block.
pub(crate) const MAX_BLOCK_SIZE: usize = 216;

/// The type of a block, with its number in peer messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BlockType {
    /// Legacy send.
    Send = 2,
    /// Legacy receive.
    Receive = 3,
    /// Legacy open.
    Open = 4,
    /// Legacy change.
    Change = 5,
    /// State block.
    State = 6,
}

impl BlockType {
    /// All types, by number.
    pub const ALL: [Self; 5] = [
        Self::Send,
        Self::Receive,
        Self::Open,
        Self::Change,
        Self::State,
    ];

    /// The number in peer messages, 2 to 6.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type with this number; `None` for 0 (invalid), 1 (not a block) and unknown ones.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Open => "open",
            Self::Change => "change",
            Self::State => "state",
        }
    }

    /// The type with this name in JSON.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Bytes of a block of this type, without the type itself.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Send => 152,
            Self::Receive | Self::Change => 136,
            Self::Open => 168,
            Self::State => MAX_BLOCK_SIZE,
        }
    }
}

impl core::fmt::Display for BlockType {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why bytes are not a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The number of bytes is not that of the type.
    #[error("a {kind} block has {} bytes, found {found}", .kind.size())]
    Length {
        /// The type that was asked for.
        kind: BlockType,
        /// Bytes given.
        found: usize,
    },
    /// The type byte stands for no block.
    #[error("{0} is not the number of a block type; blocks are 2 to 6")]
    UnknownType(u8),
    /// There is not even a type byte.
    #[error("no bytes where a block was expected")]
    Empty,
}

/// A block of any type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Legacy send.
    Send(SendBlock),
    /// Legacy receive.
    Receive(ReceiveBlock),
    /// Legacy open.
    Open(OpenBlock),
    /// Legacy change.
    Change(ChangeBlock),
    /// State block.
    State(StateBlock),
}

/// Evaluates an expression for whichever block is inside.
macro_rules! each {
    ($block:expr, $inner:ident => $result:expr) => {
        match $block {
            Block::Send($inner) => $result,
            Block::Receive($inner) => $result,
            Block::Open($inner) => $result,
            Block::Change($inner) => $result,
            Block::State($inner) => $result,
        }
    };
}

impl Block {
    /// The block's type.
    #[must_use]
    pub const fn block_type(&self) -> BlockType {
        match self {
            Self::Send(_) => BlockType::Send,
            Self::Receive(_) => BlockType::Receive,
            Self::Open(_) => BlockType::Open,
            Self::Change(_) => BlockType::Change,
            Self::State(_) => BlockType::State,
        }
    }

    /// The block's hash, computed anew on each call.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        each!(self, block => block.hash())
    }

    /// What work and elections are about: previous, or the account in its first block.
    #[must_use]
    pub fn root(&self) -> Root {
        match self {
            Self::Send(block) => block.previous.into(),
            Self::Receive(block) => block.previous.into(),
            Self::Open(block) => block.account.into(),
            Self::Change(block) => block.previous.into(),
            Self::State(block) => block.root(),
        }
    }

    /// The block before; `None` in the first block of an account.
    #[must_use]
    pub fn previous(&self) -> Option<BlockHash> {
        let previous = match self {
            Self::Send(block) => block.previous,
            Self::Receive(block) => block.previous,
            Self::Open(_) => BlockHash::ZERO,
            Self::Change(block) => block.previous,
            Self::State(block) => block.previous,
        };
        (!previous.is_zero()).then_some(previous)
    }

    /// The account, which only open and state blocks name.
    #[must_use]
    pub const fn account(&self) -> Option<Account> {
        match self {
            Self::Open(block) => Some(block.account),
            Self::State(block) => Some(block.account),
            Self::Send(_) | Self::Receive(_) | Self::Change(_) => None,
        }
    }

    /// The representative, which only open, change and state blocks name.
    #[must_use]
    pub const fn representative(&self) -> Option<Account> {
        match self {
            Self::Open(block) => Some(block.representative),
            Self::Change(block) => Some(block.representative),
            Self::State(block) => Some(block.representative),
            Self::Send(_) | Self::Receive(_) => None,
        }
    }

    /// The balance after the block in raw, which only send and state blocks name.
    #[must_use]
    pub const fn balance(&self) -> Option<Raw> {
        match self {
            Self::Send(block) => Some(block.balance),
            Self::State(block) => Some(block.balance),
            Self::Receive(_) | Self::Open(_) | Self::Change(_) => None,
        }
    }

    /// The signature; zero when not signed yet.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        each!(self, block => &block.signature)
    }

    /// Replaces the signature.
    pub const fn set_signature(&mut self, signature: Signature) {
        each!(self, block => block.signature = signature);
    }

    /// The work; zero when not worked yet.
    #[must_use]
    pub const fn work(&self) -> WorkNonce {
        each!(self, block => block.work)
    }

    /// Replaces the work, which changes neither hash nor signature.
    pub const fn set_work(&mut self, work: WorkNonce) {
        each!(self, block => block.work = work);
    }

    /// Checks the signature with `signer`'s key, as leniently as the network.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify(&self, signer: &PublicKey) -> Result<(), SignatureError> {
        signer.verify(self.hash().as_bytes(), self.signature())
    }

    /// The bytes of the block, [`BlockType::size`] of them, without the type.
    #[must_use]
    pub fn serialized(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.written().to_vec()
    }

    /// Appends the bytes of the block, without the type, to `target`.
    pub fn append_to(&self, target: &mut Vec<u8>) {
        let mut writer = Writer::new();
        self.write(&mut writer);
        target.extend_from_slice(writer.written());
    }

    /// Reads a block of a known type; `bytes` must be exactly the block.
    ///
    /// # Errors
    /// [`BlockError::Length`].
    pub fn parse(kind: BlockType, bytes: &[u8]) -> Result<Self, BlockError> {
        let length = BlockError::Length {
            kind,
            found: bytes.len(),
        };
        if bytes.len() != kind.size() {
            return Err(length);
        }
        let mut reader = Reader(bytes);
        let block = match kind {
            BlockType::Send => SendBlock::read(&mut reader).map(Self::Send),
            BlockType::Receive => ReceiveBlock::read(&mut reader).map(Self::Receive),
            BlockType::Open => OpenBlock::read(&mut reader).map(Self::Open),
            BlockType::Change => ChangeBlock::read(&mut reader).map(Self::Change),
            BlockType::State => StateBlock::read(&mut reader).map(Self::State),
        };
        block.ok_or(length)
    }

    /// Reads a type byte and a block; `bytes` must be exactly these.
    ///
    /// # Errors
    /// Any [`BlockError`].
    pub fn parse_typed(bytes: &[u8]) -> Result<Self, BlockError> {
        let (number, rest) = bytes.split_first().ok_or(BlockError::Empty)?;
        let kind = BlockType::from_number(*number).ok_or(BlockError::UnknownType(*number))?;
        Self::parse(kind, rest)
    }

    /// The type byte and the block's bytes, the inverse of [`Block::parse_typed`].
    #[must_use]
    pub fn serialized_typed(&self) -> Vec<u8> {
        self.typed().written().to_vec()
    }

    fn typed(&self) -> Writer {
        let mut writer = Writer::new();
        writer.put(&[self.block_type().number()]);
        self.write(&mut writer);
        writer
    }

    fn write(&self, writer: &mut Writer) {
        each!(self, block => block.write(writer));
    }
}

macro_rules! block_from {
    ($($variant:ident($inner:ident)),+) => {$(
        impl From<$inner> for Block {
            fn from(block: $inner) -> Self {
                Self::$variant(block)
            }
        }
    )+};
}

block_from!(
    Send(SendBlock),
    Receive(ReceiveBlock),
    Open(OpenBlock),
    Change(ChangeBlock),
    State(StateBlock)
);
