//! What became of a record that was offered to the slice.

use nano_core::proof::ProofError;
use nano_core::{BlockHash, Raw};

use crate::SightingError;

/// The slice's answer to an offered record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Kept: the first record of this account, or a receivable not held before.
    Stored,
    /// Kept in place of an older frontier that it descends from.
    Replaced {
        /// The frontier given up.
        superseded: BlockHash,
    },
    /// Nothing new: this very block is held with its proof.
    AlreadyHeld,
    /// The frontier was held; newer sightings of it were taken over.
    RefreshedSightings,
    /// The frontier was held as proven under an older weight table; it is proven under the
    /// current one now.
    Renewed,
    /// A valid or invalid proof of a block that is known to come before a held frontier; not
    /// kept. Code `superseded`.
    Superseded {
        /// The newer frontier held.
        by: BlockHash,
    },
    /// Proven, but no blocks at hand link it with the frontier held. Two such frontiers are kept,
    /// of three the least recently sighted one is not.
    OrderUnknown {
        /// The other frontier held: its confirmed child tells the order.
        held: BlockHash,
        /// Whether the offered one is among the two kept.
        kept: bool,
    },
    /// An alarm: proven, and its chain and the held one's have diverged. Neither wins.
    Conflict {
        /// The frontier held.
        held: BlockHash,
        /// The frontier offered.
        offered: BlockHash,
    },
    /// A receivable that its destination is proven to have received; not kept.
    AlreadyReceived,
    /// Not kept, with the reason; nothing changed.
    Refused(Refusal),
}

/// Why an offered record is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The proof does not hold.
    #[error("the proof does not hold: {0}")]
    Proof(ProofError),
    /// A sighting in the record does not hold.
    #[error("a sighting in the record does not hold: {0}")]
    Sighting(SightingError),
    /// Longer than a record may be, or with more blocks or sightings.
    #[error("the record is larger than records may be; drop it")]
    TooLarge,
    /// The lineage does not lead to the frontier without a gap, or leads through another account.
    #[error("the blocks in the lineage do not lead to the frontier; drop the record")]
    LineageBroken,
    /// The amount is below this node's minimum.
    #[error("the amount is below {minimum} raw, the least this node keeps; it is kept elsewhere")]
    BelowMinimum {
        /// The minimum, in raw.
        minimum: Raw,
    },
    /// The destination has as many receivables as are kept, none of them smaller.
    #[error("the destination has all the receivables that are kept per account, none smaller")]
    DestinationFull,
    /// The byte budget is full of what is worth more.
    #[error("the slice is full of records that are worth more; another node has to keep it")]
    NoRoom,
}

impl Refusal {
    /// Kebab-case code for counters and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Proof(error) => error.reason(),
            Self::Sighting(_) => "bad-sighting",
            Self::TooLarge => "too-large",
            Self::LineageBroken => "lineage-broken",
            Self::BelowMinimum { .. } => "below-minimum",
            Self::DestinationFull => "destination-full",
            Self::NoRoom => "no-room",
        }
    }

    /// Whether an honest peer never sends such a record: it checks what it passes on, so the
    /// sender loses reputation. The others say something about this node's limits only, or about
    /// its weight table: votes of half the threshold are what another table may have taken.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        match self {
            Self::Proof(ProofError::TooLittleWeight { weight, threshold }) => {
                weight.number() < threshold.number() / 2
            }
            Self::Proof(_) | Self::Sighting(_) | Self::TooLarge | Self::LineageBroken => true,
            Self::BelowMinimum { .. } | Self::DestinationFull | Self::NoRoom => false,
        }
    }
}

impl Outcome {
    /// Kebab-case code of why the record is not kept; `None` if it is, or says nothing new.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Superseded { .. } => Some("superseded"),
            Self::AlreadyReceived => Some("already-received"),
            Self::OrderUnknown { kept: false, .. } => Some("order-unknown"),
            Self::Refused(refusal) => Some(refusal.reason()),
            _ => None,
        }
    }

    /// Whether the record may be true as far as it was looked at: it was not refused, or for this
    /// node's limits only.
    #[must_use]
    pub const fn holds(&self) -> bool {
        !matches!(
            self,
            Self::Refused(
                Refusal::Proof(_)
                    | Refusal::Sighting(_)
                    | Refusal::TooLarge
                    | Refusal::LineageBroken
            )
        )
    }

    /// Whether the sender is at fault, see [`Refusal::is_fault`]. A superseded record is not: its
    /// sender may not know better yet.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_fault())
    }

    /// Whether a reader now gets another frontier, receivable or date than before.
    #[must_use]
    pub const fn changed(&self) -> bool {
        matches!(
            self,
            Self::Stored
                | Self::Replaced { .. }
                | Self::RefreshedSightings
                | Self::Renewed
                | Self::OrderUnknown { kept: true, .. }
                | Self::Conflict { .. }
        )
    }
}
