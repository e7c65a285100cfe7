//! What happened outside.

use std::net::IpAddr;

use nano_core::{Account, Block, BlockHash, Root, WeightTable, WorkNonce};

use super::{
    GetOptions, LinkId, LinkOrigin, RelayId, RelayState, RequestId, ResolveId, ResolveOutcome,
    SessionId, StoredEntry, Transport,
};
use crate::gossip::Tell;
use crate::onion::Outbound;
use crate::registry::{Registration, ServiceFilter};
use crate::{AccountRecord, Channel, NodeKey, PeerRecord, ReceivableRecord};

/// What happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A transport that keeps message boundaries and order and loses nothing is open.
    LinkOpened {
        /// The shell's new number for it.
        link: LinkId,
        /// How it came to be.
        origin: LinkOrigin,
        /// What carries it.
        transport: Transport,
    },
    /// Bridge: from where a link comes, said right after [`Input::LinkOpened`] if the other side opened
    /// it and its real address is known.
    LinkAddress {
        /// Which link; unknown links are ignored.
        link: LinkId,
        /// The other side's address.
        address: IpAddr,
    },
    /// The link's transport has, besides, a channel that keeps boundaries only (`open`), or no longer.
    /// Queries take it once the peer has one as well.
    LinkUnordered {
        /// Which link; unknown links are ignored.
        link: LinkId,
        /// Whether it is there.
        open: bool,
    },
    /// One transport message arrived, at most [`MAX_FRAME`](crate::MAX_FRAME) bytes.
    LinkReceived {
        /// On which link; unknown links are ignored.
        link: LinkId,
        /// Over which channel.
        channel: Channel,
        /// The message.
        bytes: Vec<u8>,
    },
    /// The transport has taken bytes that were transmitted earlier, on whichever channel.
    LinkWritten {
        /// On which link; unknown links are ignored.
        link: LinkId,
        /// How many.
        bytes: u32,
    },
    /// The transport is gone.
    LinkClosed {
        /// Which link; unknown links are ignored.
        link: LinkId,
    },
    /// The page's connection produced the description that
    /// [`SignalOp::CreateOffer`](crate::SignalOp::CreateOffer) or
    /// [`SignalOp::AcceptOffer`](crate::SignalOp::AcceptOffer) asked for. At most 8 KiB.
    LocalDescription {
        /// Which session; unknown ones are ignored.
        session: SessionId,
        /// Session description.
        sdp: String,
    },
    /// The page's connection found a candidate address. At most 512 bytes, 32 per session.
    LocalCandidate {
        /// Which session; unknown ones are ignored.
        session: SessionId,
        /// Candidate in the JSON or SDP form the other shell understands; opaque here.
        candidate: String,
    },
    /// The page's connection failed or was refused.
    SessionFailed {
        /// Which session; unknown ones are ignored.
        session: SessionId,
    },
    /// What storage held at start; may come in several batches.
    Loaded {
        /// Entries as they were stored.
        entries: Vec<StoredEntry>,
    },
    /// What is the state of this account? Answered once by [`Event::Answer`](crate::Event::Answer).
    Get {
        /// The shell's new number for the question.
        request: RequestId,
        /// Whose.
        account: Account,
        /// How.
        options: GetOptions,
    },
    /// Publish a signed block with work. Progress comes as
    /// [`Event::Publish`](crate::Event::Publish).
    Publish {
        /// The shell's new number for it.
        request: RequestId,
        /// The block.
        block: Box<Block>,
    },
    /// The person does not want a block that lost ([`Node::returned`](crate::Node::returned)) to be built
    /// anew; unknown ones are ignored.
    LetGo {
        /// Which.
        hash: BlockHash,
    },
    /// Keep this account up to date: linked bridges push its new records. At most 64 accounts;
    /// more are ignored with [`Event::WatchRefused`](crate::Event::WatchRefused).
    Watch {
        /// Whose.
        account: Account,
    },
    /// End of [`Input::Watch`].
    Unwatch {
        /// Whose.
        account: Account,
    },
    /// A weight table the shell accepts from now on.
    Weights(Box<WeightTable>),
    /// The bridges whose statements count from now on, in place of those of
    /// [`Config::anchors`](crate::Config::anchors), with the same limit.
    Anchors(Vec<NodeKey>),
    /// Bridge: the answer to [`Output::Resolve`](crate::Output::Resolve); each is answered once.
    Resolved {
        /// Which.
        request: ResolveId,
        /// What was found.
        outcome: ResolveOutcome,
    },
    /// Bridge: a block was confirmed on the live stream and a proof made; it is replicated to the
    /// nodes nearest to the account and pushed to those who watch it.
    Confirmed {
        /// The account's new record.
        record: Box<AccountRecord>,
        /// If the block is a send: the record for its destination.
        receivable: Option<Box<ReceivableRecord>>,
    },
    /// Bridge: what became of [`Output::Relay`](crate::Output::Relay); may come several times, also
    /// late.
    RelayProgress {
        /// Which.
        request: RelayId,
        /// What is known now.
        state: RelayState,
    },
    /// The nonce that [`Output::FindWork`](crate::Output::FindWork) asked for.
    WorkFound {
        /// Over what.
        root: Root,
        /// The nonce.
        nonce: WorkNonce,
    },
    /// Nodes that storage remembered or a bridge's web side named; each is verified. Those beyond
    /// [`MAX_TOLD`](crate::MAX_TOLD) are not read.
    Introduced(Vec<PeerRecord>),
    /// Tell everyone; what cannot be told is [`Event::Refused`](crate::Event::Refused) with the
    /// reason.
    Tell(Box<Tell>),
    /// Have a record of our key in the registry from now on, which says this.
    Register(Box<Registration>),
    /// Who is behind this key? Answered once by [`Event::KeyFound`](crate::Event::KeyFound).
    LookUp {
        /// The shell's new number for the question.
        request: RequestId,
        /// Which.
        key: NodeKey,
    },
    /// Who offers such a service? Answered once by
    /// [`Event::ServicesFound`](crate::Event::ServicesFound).
    FindServices {
        /// The shell's new number for the question.
        request: RequestId,
        /// Which.
        filter: Box<ServiceFilter>,
    },
    /// Send a private message. Answered once by [`Event::Sent`](crate::Event::Sent).
    Send {
        /// The shell's new number for it.
        request: RequestId,
        /// What, and to whom.
        message: Box<Outbound>,
    },
    /// The time of [`Node::next_timeout`](crate::Node::next_timeout) has come (or nothing in
    /// particular happened; always allowed).
    Timeout,
}
