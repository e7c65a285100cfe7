//! What a bridge node hears from the full nodes behind it: answers to questions, and what became
//! of blocks.

use nano_core::BlockHash;

use crate::{AccountRecord, ReceivableRecord, Sighting};

/// What the full nodes behind a bridge said about an account.
#[derive(Debug, Clone, PartialEq)]
// One lives only as long as it is handed over, and only in bridges.
#[allow(clippy::large_enum_variant)]
pub enum ResolveOutcome {
    /// A proof was made.
    Found {
        /// The frontier with its proof, lineage from the held frontier where known, sightings.
        record: Box<AccountRecord>,
        /// Proven sends to the account that it has not received as far as the bridge knows.
        receivables: Vec<ReceivableRecord>,
    },
    /// The full nodes know no block of this account, and answered for others on the same
    /// channels. Sends to an account that was never opened can still be known.
    Unopened {
        /// The bridge's signed statement, `frontier` is `None`.
        sighting: Sighting,
        /// Proven sends to the account.
        receivables: Vec<ReceivableRecord>,
    },
    /// No statement can be made now.
    Failed(ResolveFailure),
}

/// Why a bridge could not resolve an account.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum ResolveFailure {
    /// No full node is connected.
    NoFullNode,
    /// Full nodes did not answer in time.
    TimedOut,
    /// Too few votes arrived for a proof.
    TooFewVotes,
    /// The bridge has too many questions open.
    Busy,
    /// The account's blocks cannot be proven (for example a legacy chain that is too long).
    Unprovable,
}

impl ResolveFailure {
    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoFullNode => "no-full-node",
            Self::TimedOut => "timed-out",
            Self::TooFewVotes => "too-few-votes",
            Self::Busy => "busy",
            Self::Unprovable => "unprovable",
        }
    }
}

/// What became of a block handed to the full nodes by [`Output::Relay`](crate::Output::Relay).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum RelayState {
    /// Sent to `full_nodes` full nodes.
    Accepted {
        /// How many took it.
        full_nodes: u16,
    },
    /// Not sent, or known to be unusable; final.
    Refused(RelayRefusal),
    /// Final votes of the quorum exist; the proof came or comes by
    /// [`Input::Confirmed`](crate::Input::Confirmed).
    Confirmed,
    /// Final votes of the quorum exist for another block of the same root; final. The proof of
    /// that block came or comes by [`Input::Confirmed`](crate::Input::Confirmed).
    Superseded {
        /// The block that won.
        winner: BlockHash,
    },
    /// Published again and again without being confirmed; the bridge stops. Nothing is decided:
    /// the block may be handed in again.
    GivenUp,
}

/// Why a bridge did not pass a block on.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum RelayRefusal {
    /// The block's signature is not its account's.
    BadSignature,
    /// The work is below the network's entry threshold.
    WorkTooLow,
    /// Only state blocks are accepted by the network today.
    LegacyBlock,
    /// The block it builds on is not the confirmed frontier.
    NotOnFrontier,
    /// The balance or the link does not follow from the ledger.
    Invalid,
    /// No full node is connected.
    NoFullNode,
    /// The bridge relays as much as it can; try later.
    Busy,
    /// The node asked is not a bridge.
    NotABridge,
}

impl RelayRefusal {
    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::WorkTooLow => "work-too-low",
            Self::LegacyBlock => "legacy-block",
            Self::NotOnFrontier => "not-on-frontier",
            Self::Invalid => "invalid",
            Self::NoFullNode => "no-full-node",
            Self::Busy => "busy",
            Self::NotABridge => "not-a-bridge",
        }
    }

    /// Whether sending the same block again later can help.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            Self::NoFullNode | Self::Busy | Self::NotABridge | Self::NotOnFrontier
        )
    }
}
