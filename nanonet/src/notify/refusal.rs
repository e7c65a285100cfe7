//! Why a relay does not take a notification, and what its sender can do.

use nano_core::Difficulty;
use serde::{Deserialize, Serialize};

/// Why a relay does not take a notification. Nothing of it was kept, and nothing else was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// The bytes are not the form of a notification.
    #[error("the bytes are not a sealed notification; make it with the current form")]
    Malformed,
    /// A version that this relay does not read.
    #[error(
        "the notification has version {version}, this relay reads version 1; seal it in that form"
    )]
    UnknownVersion {
        /// The version found.
        version: u8,
    },
    /// Longer than any may be.
    #[error("the notification has {bytes} bytes, at most 2048 are taken; shorten the memo")]
    TooLarge {
        /// Its size.
        bytes: u32,
    },
    /// The payload is not filled up to one of the lengths that hide what is in it.
    #[error(
        "the payload is not padded to 512 or 1024 bytes before sealing; pad it, so that its length tells nothing"
    )]
    Unpadded,
    /// The hash is not that of the rest.
    #[error("the hash is not that of the notification's fields; compute it anew, then the work")]
    WrongHash,
    /// The time to live is out of range.
    #[error(
        "a time to live of {ttl_s} seconds is not between 60 and 7776000 (90 days); choose another"
    )]
    BadTtl {
        /// What was asked.
        ttl_s: u32,
    },
    /// Made later than now.
    #[error(
        "the notification is {ahead_ms} ms ahead of this relay's clock, two minutes are allowed; set the clock and seal it anew"
    )]
    FromTheFuture {
        /// By how much.
        ahead_ms: u64,
    },
    /// Its time to live is over.
    #[error("the notification's time to live is over; seal it anew with the present time")]
    Expired,
    /// Made too long before it is first handed in.
    #[error(
        "the notification is older than an hour and was not accepted yet; seal it anew with the present time"
    )]
    TooLate,
    /// Less work than is asked for now.
    #[error(
        "the work is less than this relay asks now: it must reach {needed}; compute more work over the same hash"
    )]
    TooLittleWork {
        /// The value needed now for this tag.
        needed: Difficulty,
    },
    /// The tag holds as many as it may.
    #[error(
        "{held} notifications lie under this recipient's tag, which is the limit; wait until the recipient has fetched and deleted some"
    )]
    TagFull {
        /// How many are held.
        held: u32,
    },
    /// The tag got as many in the last hour as it may.
    #[error(
        "this recipient's tag has got its notifications of an hour; try again in {retry_s} seconds"
    )]
    TooOften {
        /// When the next is taken.
        retry_s: u32,
    },
    /// The store is full, and keeps what it has promised.
    #[error(
        "this relay is full and keeps what it has promised: it has room for {room} bytes; use another relay"
    )]
    Full {
        /// The size that would be accepted.
        room: u32,
    },
    /// The recipient has deleted it.
    #[error("the recipient has deleted this notification; nothing is to be done")]
    Replayed,
    /// The relay's disk did not take it.
    #[error("this relay could not write it to its disk; it promised nothing, use another relay")]
    Storage,
    /// Too many wait already, and those with more work come first.
    #[error(
        "too many notifications wait at this relay; try again in some seconds, or with more work than {needed}"
    )]
    Busy {
        /// The least work among those that wait.
        needed: Difficulty,
    },
    /// Not a relay, or one that shall not hold it.
    #[error("this node keeps no notifications; ask a bridge of the directory")]
    NoRelay,
    /// The signature of a deletion is not the tag owner's.
    #[error("the deletion is not signed by the tag's key; only the recipient can delete")]
    NotTheOwner,
}

impl Refusal {
    /// Kebab-case name, as shown to programs and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownVersion { .. } => "unknown-version",
            Self::TooLarge { .. } => "too-large",
            Self::Unpadded => "unpadded",
            Self::WrongHash => "wrong-hash",
            Self::BadTtl { .. } => "bad-ttl",
            Self::FromTheFuture { .. } => "from-the-future",
            Self::Expired => "expired",
            Self::TooLate => "too-late",
            Self::TooLittleWork { .. } => "too-little-work",
            Self::TagFull { .. } => "tag-full",
            Self::TooOften { .. } => "too-often",
            Self::Full { .. } => "full",
            Self::Replayed => "replayed",
            Self::Storage => "storage",
            Self::Busy { .. } => "busy",
            Self::NoRelay => "no-relay",
            Self::NotTheOwner => "not-the-owner",
        }
    }

    /// Whether another relay may take the same notification as it is.
    #[must_use]
    pub const fn is_of_this_relay(self) -> bool {
        matches!(
            self,
            Self::TooLittleWork { .. }
                | Self::TagFull { .. }
                | Self::TooOften { .. }
                | Self::Full { .. }
                | Self::Storage
                | Self::Busy { .. }
                | Self::NoRelay
        )
    }
}
