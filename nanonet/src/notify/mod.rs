//! Payment notifications: sealed words to a recipient, kept until he comes for them.
//!
//! A payment to a one-time address is invisible to its owner until somebody tells him. The sender seals what he
//! needs to find it ([`Payment`]) to the recipient's key, puts it under a tag that only the two can reckon
//! ([`Tag`]), computes work over it (`price`) and has it kept by several bridges ([`Courier`]). Bridges keep it
//! for ninety days ([`Keeper`]), compare what they hold and bring back what is lost. The recipient asks for
//! everything under his tags since a time, or is pushed what comes, and opens it.
//!
//! Nothing here does I/O: the three machines ([`Keeper`], [`Courier`], [`Wallet`]) hand out what is to be done and
//! are told how it went; in the product [`crate::Node`] carries their questions over the overlay, in the
//! simulation a world does.
//!
//! | file | what |
//! |---|---|
//! | `keys` | recipients, tags and weeks |
//! | `payload` | what a notification says, padded and sealed |
//! | `sealed` | its outer form, receipts, deletions |
//! | `address` | its name, `nr_…` |
//! | `price` | what it costs |
//! | `refusal` | why it is not taken, and what to do |
//! | `directory` | who keeps it |
//! | `message` | what nodes say to each other |
//! | `keeper`, `held`, `sync` | the store's side |
//! | `store`, `conformance` | where it outlives its process |
//! | `courier` | bringing and getting |
//! | `wallet` | sending until it is kept, receiving each once |
//! | `in_node` | the machines inside a node |

mod address;
#[cfg(any(test, feature = "adversary"))]
mod conformance;
mod courier;
mod directory;
#[cfg(feature = "bridge")]
mod held;
mod in_node;
#[cfg(feature = "bridge")]
mod keeper;
mod keys;
mod message;
mod payload;
#[cfg(feature = "bridge")]
mod price;
mod refusal;
mod sealed;
#[cfg(feature = "bridge")]
mod store;
#[cfg(feature = "bridge")]
mod sync;
#[cfg(test)]
mod tests;
mod wallet;

pub use address::{RelayAddress, RelayAddressError};
#[cfg(any(test, feature = "adversary"))]
pub use conformance::{Broken, conformance};
pub use courier::{
    Courier, CourierOutput, JobId, MAX_FOUND, MAX_JOBS, Outcome, QUICK, RelayRecord,
};
pub use directory::{ANCHORS, COPIES, Directory, MAX_BRIDGES, OTHERS, Places, RECEIPTS, Region};
#[cfg(feature = "bridge")]
pub use in_node::RelayConfig;
pub(crate) use in_node::{Asker, Notified};
pub use in_node::{FIRST_CALLER, NotifyInput, NotifyOutput};
#[cfg(feature = "bridge")]
pub use keeper::{Keeper, KeeperFigures, MAX_SUBSCRIBERS, MAX_WAITING, Output, Settings, measure};
pub use keys::{RecipientKey, RecipientKeyError, RecipientSecret, Tag, WEEK_MS, Week};
pub use message::{
    Ask, BATCH_BYTES, Caller, Cursor, Digest, Item, MAX_ITEMS, MAX_MESSAGE, Reply, SUBSCRIBED_MS,
    Sketch, Ticket,
};
pub use payload::{MAX_MEMO_BYTES, PADDED, PayloadError, Payment};
#[cfg(feature = "bridge")]
pub use price::{Limits, Multiple, base_difficulty};
pub use refusal::Refusal;
pub use sealed::{
    Deletion, MAX_AHEAD_MS, MAX_LATE_MS, MAX_SEALED_BYTES, MAX_TTL_S, MIN_TTL_S, SEALED_VERSION,
    Sealed, Stamp, TagKind,
};
#[cfg(feature = "bridge")]
pub use store::{Change, Memory, Store, StoreFault};
#[cfg(feature = "bridge")]
pub use sync::{DOWN_MS, LOST_MS, SYNC_MS};
pub use wallet::{
    FIRST_AGAIN_MS, LONGEST_AGAIN_MS, MAX_QUEUE, MAX_RECIPIENTS, MAX_SEEN, OVERLAP_MS, POLL_MS,
    Received, SendId, SendState, THOROUGH_MS, Wallet, WalletKey, WalletOutput,
};

/// A fault that can be planted, to see that a checker finds it.
#[cfg(any(test, feature = "adversary"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A store that fills up lets go of what it has promised.
    Evicts,
    /// A store never compares what it holds with others.
    NeverRepairs,
    /// A store signs the receipt before the disk has the notification.
    PromisesEarly,
    /// A store hands out what is over.
    NeverEnds,
    /// A store asks the base price however busy it is.
    NeverRaises,
    /// A wallet delivers what it has delivered before.
    DeliversAgain,
}
