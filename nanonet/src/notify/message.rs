//! What nodes say to each other about notifications.
//!
//! Every question has one answer. Both travel as opaque bytes inside the overlay's requests
//! ([`crate::wire`]), or stand behind the bridge's HTTP interface. Encoding: postcard.

use nano_core::{Difficulty, UnixMillis};
use serde::{Deserialize, Serialize};

use super::address::RelayAddress;
use super::directory::{Directory, Region};
use super::keys::Tag;
use super::refusal::Refusal;
use super::sealed::{Deletion, Sealed, Stamp};
use crate::wire::Bytes;
use crate::{NodeId, NodeKey};

/// For how long a subscription holds: ten minutes.
pub const SUBSCRIBED_MS: u64 = 600_000;
/// Bytes of notifications in one message, after which no more are added.
pub const BATCH_BYTES: usize = 40 * 1024;
/// Most notifications in one message.
pub const MAX_ITEMS: usize = 64;
/// Most bytes of a message about notifications.
pub const MAX_MESSAGE: usize = crate::wire::MAX_NOTIFY;

/// Who waits for an answer; the driver's own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caller(pub u64);

/// A question to another node; the asking machine's own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What two stores compare first: how much they hold of a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many notifications.
    pub count: u32,
    /// The exclusive or of the first eight bytes of their names.
    pub mixed: u64,
}

#[cfg(feature = "bridge")]
impl Digest {
    /// One more, or one less.
    pub(super) fn mix(&mut self, address: &RelayAddress, more: bool) {
        let [a, b, c, d, e, f, g, h, ..] = *address.as_bytes();
        self.mixed ^= u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        self.count = if more {
            self.count.saturating_add(1)
        } else {
            self.count.saturating_sub(1)
        };
    }
}

/// After which notification a list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// Its time.
    pub timestamp: UnixMillis,
    /// Its name.
    pub hash: RelayAddress,
}

/// A notification in its binary form, read only when needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item(pub(super) Bytes);

impl Item {
    /// The binary form of a notification.
    #[must_use]
    pub fn new(sealed: &Sealed) -> Self {
        Self(Bytes(sealed.to_bytes()))
    }

    /// Bytes that may be one.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Bytes(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.0
    }

    /// Reads it.
    ///
    /// # Errors
    /// As [`Sealed::from_bytes`].
    pub fn open(&self) -> Result<Sealed, Refusal> {
        Sealed::from_bytes(self.as_bytes())
    }
}

/// A message of a comparison of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sketch(pub(super) Bytes);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// Keep this.
    Put(Item),
    /// What lies under this tag? One tag a question: nobody shall see which belong together.
    Get {
        /// Under what.
        tag: Tag,
        /// Not older than this.
        since: UnixMillis,
        /// Go on after this one.
        after: Option<Cursor>,
    },
    /// What must the work for this tag reach?
    Price(Tag),
    /// Who holds what lies under this tag?
    Providers(Tag),
    /// Push what comes under this tag to `to`, for [`SUBSCRIBED_MS`].
    Subscribe {
        /// Whom.
        to: NodeId,
        /// Under what.
        tag: Tag,
    },
    /// To a subscriber: this came.
    Push(Vec<Item>),
    /// Forget this.
    Delete(Deletion),
    /// The directory, if it is newer than this version.
    Directory(u64),
    /// A store compares: how much do you hold of these regions?
    Digests(Vec<(Region, Digest)>),
    /// A store compares the names of a region.
    Compare {
        /// Which.
        region: Region,
        /// A message of the reconciliation.
        sketch: Sketch,
    },
    /// A store lacks these.
    Fetch(Vec<RelayAddress>),
    /// A store thinks that the other lacks these.
    Offer {
        /// Stamped by a store of the directory.
        items: Vec<Item>,
        /// What has been deleted.
        deletions: Vec<Deletion>,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// To put: it is on disk, and stays until its time is over.
    Stored(Stamp),
    /// To anything: no, and why.
    Refused(Refusal),
    /// To get and fetch.
    Items {
        /// Some of it.
        items: Vec<Item>,
        /// There is more after this one.
        next: Option<Cursor>,
    },
    /// To price.
    Price {
        /// What is needed now.
        needed: Difficulty,
        /// Bytes that there is room for.
        room: u64,
    },
    /// To providers.
    Providers(Vec<NodeKey>),
    /// To subscribe, push and delete: done.
    Done,
    /// To directory.
    Directory(Option<Box<Directory>>),
    /// To digests: the same regions as held here, and the version of the directory in force.
    Digests {
        /// Regions with what is held.
        regions: Vec<(Region, Digest)>,
        /// The directory's version.
        directory: u64,
        /// Whether nothing more can be taken.
        full: bool,
    },
    /// To compare: the next message of the reconciliation.
    Compared(Sketch),
    /// To offer: how many of them are on disk here now.
    Kept {
        /// Notifications, those held before included.
        kept: u16,
        /// Whether nothing more can be taken.
        full: bool,
    },
}

impl Ask {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads [`Ask::to_bytes`]; `None` for anything else, or more than the limits allow.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ask: Self = read(bytes)?;
        let within = match &ask {
            Self::Push(items) => items.len() <= MAX_ITEMS,
            Self::Digests(regions) => regions.len() <= 256,
            Self::Fetch(names) => names.len() <= MAX_ITEMS,
            Self::Offer { items, deletions } => {
                items.len() <= MAX_ITEMS && deletions.len() <= MAX_ITEMS
            }
            Self::Put(_)
            | Self::Get { .. }
            | Self::Subscribe { .. }
            | Self::Price(_)
            | Self::Providers(_)
            | Self::Delete(_)
            | Self::Directory(_)
            | Self::Compare { .. } => true,
        };
        within.then_some(ask)
    }
}

impl Reply {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads [`Reply::to_bytes`]; `None` for anything else, or more than the limits allow.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let reply: Self = read(bytes)?;
        let within = match &reply {
            Self::Items { items, .. } => items.len() <= MAX_ITEMS,
            Self::Digests { regions, .. } => regions.len() <= 256,
            Self::Providers(keys) => keys.len() <= super::directory::MAX_BRIDGES,
            _ => true,
        };
        within.then_some(reply)
    }
}

fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    if bytes.len() > MAX_MESSAGE {
        return None;
    }
    let (message, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(message)
}
