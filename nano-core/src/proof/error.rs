//! Why a proof is refused.

use super::{MAX_LEGACY_CHAIN, MAX_PROOF_BYTES};
use crate::{Account, BlockHash, Network, Raw, SignatureError};

/// Why a proof proves nothing. [`ProofError::reason`] is a stable word for counters and tests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Bytes or text do not have the form of a proof.
    #[error("this is not a proof: {0}")]
    Malformed(&'static str),
    /// The text is not the JSON of a proof.
    #[error("this is not the JSON of a proof: {0}")]
    Json(String),
    /// The proof is of a version this build does not know.
    #[error("proof of unknown version {0}; this build reads version 1")]
    UnknownVersion(u8),
    /// More bytes than a proof may have.
    #[error("a proof of {found} bytes; at most {limit} are accepted")]
    TooLarge {
        /// Bytes of the proof, or of its text.
        found: usize,
        /// [`MAX_PROOF_BYTES`] or [`super::MAX_PROOF_JSON_BYTES`].
        limit: usize,
    },
    /// The hash written beside the block is not the block's.
    #[error("the proof claims block {claimed}, but its block is {computed}")]
    WrongHash {
        /// What the proof says.
        claimed: BlockHash,
        /// What its block's fields give.
        computed: BlockHash,
    },
    /// The proof is of another network than asked about.
    #[error("a proof of the {proof} network where {asked} was asked for")]
    WrongNetwork {
        /// The proof's.
        proof: Network,
        /// The one asked about, or the one of the weight table.
        asked: Network,
    },
    /// The proof is about another account.
    #[error("a proof about {proof} where {asked} was asked for")]
    WrongAccount {
        /// The proof's.
        proof: Account,
        /// The one asked about.
        asked: Account,
    },
    /// The send goes to another account.
    #[error("a proof of a send to {proof} where sends to {asked} were asked for")]
    WrongDestination {
        /// Where the send goes.
        proof: Account,
        /// The one asked about.
        asked: Account,
    },
    /// The block is not signed by the one who has to sign it.
    #[error("the block is not signed by the one who has to sign it: {0}")]
    BadBlockSignature(SignatureError),
    /// A block given as an epoch block changes something, or is not marked as one.
    #[error("the block is no epoch block: {0}")]
    NotAnEpochBlock(&'static str),
    /// The block of a receivable proof sends nothing.
    #[error("block {0} sends nothing")]
    NotASend(BlockHash),
    /// The blocks before the proven one do not lead where they have to.
    #[error("the blocks carried with the proof do not connect: {0}")]
    LegacyChainBroken(&'static str),
    /// More legacy history than a proof may carry.
    #[error("a legacy history of {0} blocks; at most {MAX_LEGACY_CHAIN} are accepted")]
    LegacyChainTooLong(usize),
    /// A legacy amount needs a send that is not carried.
    #[error("the proof does not carry send {0}, which a legacy amount comes from")]
    LegacySourceMissing(BlockHash),
    /// A carried send does not fit the block that is said to receive it.
    #[error("send {0} is not for the account that is said to have received it, or counts twice")]
    LegacySourceMismatch(BlockHash),
    /// A legacy block could be a receive as well as a change, and nothing carried tells which.
    #[error("legacy block {0} could be a receive or a change; its amount cannot be proven")]
    LegacyAmbiguous(BlockHash),
    /// Legacy amounts that no ledger would hold.
    #[error("the amounts around legacy block {0} add up to what cannot be")]
    LegacyAmount(BlockHash),
    /// A vote is not final.
    #[error("the vote of {0} is not final")]
    NotFinal(Account),
    /// A vote does not list what is to be proven.
    #[error("the vote of {representative} does not list block {hash}")]
    HashNotInList {
        /// Who voted.
        representative: Account,
        /// What is missing in the list.
        hash: BlockHash,
    },
    /// A representative occurs twice.
    #[error("representative {0} votes twice in one proof")]
    RepeatedRepresentative(Account),
    /// A representative's key is of small order: anyone can sign for it.
    #[error("representative {0} has a key that anyone can sign for")]
    SmallOrderKey(Account),
    /// A vote's signature does not hold.
    #[error("the vote of {representative} is not signed by it: {error}")]
    BadVoteSignature {
        /// Who is said to have voted.
        representative: Account,
        /// What is wrong.
        error: SignatureError,
    },
    /// The votes do not weigh enough.
    #[error("the votes weigh {weight} raw of the {threshold} raw that prove")]
    TooLittleWeight {
        /// Weight of all votes, raw.
        weight: Raw,
        /// Weight needed, raw.
        threshold: Raw,
    },
}

impl ProofError {
    /// A proof above the size limit.
    pub(super) const fn too_large(found: usize) -> Self {
        Self::TooLarge {
            found,
            limit: MAX_PROOF_BYTES,
        }
    }

    /// The reason as one stable word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Json(_) => "malformed",
            Self::UnknownVersion(_) => "unknown-version",
            Self::TooLarge { .. } => "too-large",
            Self::WrongHash { .. } => "wrong-hash",
            Self::WrongNetwork { .. } => "wrong-network",
            Self::WrongAccount { .. } => "wrong-account",
            Self::WrongDestination { .. } => "wrong-destination",
            Self::BadBlockSignature(_) => "bad-block-signature",
            Self::NotAnEpochBlock(_) => "not-an-epoch-block",
            Self::NotASend(_) => "not-a-send",
            Self::LegacyChainBroken(_) => "legacy-chain-broken",
            Self::LegacyChainTooLong(_) => "legacy-chain-too-long",
            Self::LegacySourceMissing(_) => "legacy-source-missing",
            Self::LegacySourceMismatch(_) => "legacy-source-mismatch",
            Self::LegacyAmbiguous(_) => "legacy-ambiguous",
            Self::LegacyAmount(_) => "legacy-amount",
            Self::NotFinal(_) => "not-final",
            Self::HashNotInList { .. } => "hash-not-in-list",
            Self::RepeatedRepresentative(_) => "repeated-representative",
            Self::SmallOrderKey(_) => "small-order-key",
            Self::BadVoteSignature { .. } => "bad-vote-signature",
            Self::TooLittleWeight { .. } => "too-little-weight",
        }
    }
}
