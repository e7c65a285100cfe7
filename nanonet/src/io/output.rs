//! What the shell is asked to do.

use nano_core::{Account, Block, BlockHash, Difficulty, Root};

use super::{CloseReason, Event, LinkId, RelayId, ResolveId, SignalOp, StoreOp};
use crate::Channel;
#[cfg(any(feature = "bridge", feature = "wallet"))]
use crate::notify::NotifyOutput;

/// What the shell is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this one message on the link.
    Transmit {
        /// On which link.
        link: LinkId,
        /// Over which channel; unordered only after [`Input::LinkUnordered`](crate::Input::LinkUnordered).
        channel: Channel,
        /// At most [`MAX_FRAME`](crate::MAX_FRAME) bytes, on the unordered channel at most
        /// [`MAX_DATAGRAM`](crate::link::datagram::MAX_DATAGRAM).
        bytes: Vec<u8>,
    },
    /// Close the transport once everything transmitted before was written; the node has already
    /// forgotten the link.
    Close {
        /// Which link.
        link: LinkId,
        /// Why.
        reason: CloseReason,
    },
    /// Change durable storage.
    Store(StoreOp),
    /// Drive an `RTCPeerConnection` (browsers only).
    Signal(SignalOp),
    /// Bridge: ask the full nodes about an account; at most
    /// [`MAX_RESOLVES`](crate::MAX_RESOLVES) are open at once.
    Resolve {
        /// The node's number for it.
        request: ResolveId,
        /// Whose.
        account: Account,
        /// The frontier the asker already has a proof of: a lineage from there is welcome.
        held: Option<BlockHash>,
    },
    /// Bridge: publish this block to the full nodes. Signature, work and size are checked.
    Relay {
        /// The node's number for it.
        request: RelayId,
        /// The block.
        block: Box<Block>,
    },
    /// Search in the background for a nonce whose difficulty over `root` is at least `threshold`, and
    /// hand it in as [`Input::WorkFound`](crate::Input::WorkFound). Ends an earlier search for another
    /// root; one for the same root goes on. A search that failed is asked for again.
    FindWork {
        /// Over what.
        root: Root,
        /// What must be reached.
        threshold: Difficulty,
    },
    /// Something about payment notifications.
    #[cfg(any(feature = "bridge", feature = "wallet"))]
    Notify(Box<NotifyOutput>),
    /// Tell the person or the log.
    Event(Event),
}
