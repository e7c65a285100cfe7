//! What goes into a [`Node`](crate::Node) and what comes out of it.
//!
//! A shell (the browser worker, the bridge process, the test harness) owns sockets, data
//! channels, storage and the clock. It tells the node what happened with an [`Input`], then
//! takes [`Output`]s until there are none, then sleeps until
//! [`Node::next_timeout`](crate::Node::next_timeout) and hands in [`Input::Timeout`].
//!
//! Rules a shell keeps:
//! - ids of links and requests are the shell's own numbers, never used twice; ids of signaling
//!   sessions, resolves and relays are the node's;
//! - one [`Output::Transmit`] is one message of the transport: boundaries and order are kept, and
//!   the peer's shell hands exactly those bytes to its node in one [`Input::LinkReceived`];
//! - every transmitted byte is reported once by [`Input::LinkWritten`] when the transport has
//!   really taken it (a browser: when `bufferedAmount` fell; a socket: when the write returned);
//!   without these reports a link stops after [`SEND_CREDIT`](crate::SEND_CREDIT) bytes;
//! - after [`Output::Close`] the shell closes the transport and need not answer;
//! - [`Output::Store`] operations are applied in order. Before a [`StoreKey::Pending`] entry is
//!   durable the following [`Output::Transmit`]s are not sent: a block is stored before it is
//!   published, else a crash makes a tab fork its own account.

use std::collections::BTreeMap;

use nano_core::{
    Account, Block, BlockHash, UnixMillis, WeightTable,
    proof::{ProvenFrontier, ProvenReceivable},
};

use crate::{AccountRecord, NodeId, NodeKey, ReceivableRecord, Role, Sighting};

/// A link, numbered by the shell; never used twice in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// A question or a publish, numbered by the shell; never used twice in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// An attempt to connect to another browser, numbered by the node; never used twice in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A question of a bridge node to the full nodes behind it, numbered by the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResolveId(pub u64);

/// A block that a bridge node hands to the full nodes behind it, numbered by the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayId(pub u64);

/// How a link came to be; decides who starts the Noise handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOrigin {
    /// We opened a WebSocket or TCP connection; we start the handshake.
    Dialled,
    /// The other side opened it; it starts the handshake.
    Accepted,
    /// A data channel out of a signaling session; the side that answered starts, because its
    /// channel appears last: what arrives there before the page has handed the channel to the
    /// worker is lost.
    Signaled {
        /// The session of [`SignalOp`] that led to this channel.
        session: SessionId,
        /// Whether our side made the offer.
        offerer: bool,
    },
}

impl LinkOrigin {
    /// Whether our side starts the Noise handshake.
    #[must_use]
    pub const fn we_start(self) -> bool {
        match self {
            Self::Dialled => true,
            Self::Accepted => false,
            Self::Signaled { offerer, .. } => !offerer,
        }
    }
}

/// What carries the bytes of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// A WebSocket between a browser and a bridge.
    WebSocket,
    /// A TCP connection between two bridges.
    Tcp,
    /// A WebRTC data channel (ordered, reliable) between two browsers.
    DataChannel,
}

impl Transport {
    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "web-socket",
            Self::Tcp => "tcp",
            Self::DataChannel => "data-channel",
        }
    }
}

/// How a question is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetOptions {
    /// Do not stop at the nanonet's answer: also let a linked bridge ask the full nodes.
    /// Falls back to the best verified answer when no bridge answers in time.
    pub fresh: bool,
    /// Milliseconds until the question is given up; at most 60,000 (more is cut to that).
    pub deadline_ms: u32,
}

impl Default for GetOptions {
    /// Not fresh, ten seconds.
    fn default() -> Self {
        Self {
            fresh: false,
            deadline_ms: 10_000,
        }
    }
}

/// Name of one durable entry. The shell keeps entries in any key-value store under
/// [`StoreKey::to_text`] and hands all of them back in [`Input::Loaded`] at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKey {
    /// The record of an account.
    Account(Account),
    /// The record of a send to `destination`.
    Receivable {
        /// Who may receive it.
        destination: Account,
        /// Hash of the send block.
        hash: BlockHash,
    },
    /// A block of the person's own that is not yet proven confirmed.
    Pending(BlockHash),
}

impl StoreKey {
    /// The key as text: `account/<64 hex>`, `receivable/<64 hex>/<64 hex>` (destination, hash) or
    /// `pending/<64 hex>`. Sorts by kind and account.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Account(account) => format!("account/{}", account.public_key()),
            Self::Receivable { destination, hash } => {
                format!("receivable/{}/{hash}", destination.public_key())
            }
            Self::Pending(hash) => format!("pending/{hash}"),
        }
    }

    /// Reads what [`StoreKey::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let key = match parts.next()? {
            "account" => Self::Account(Account::from_hex(parts.next()?).ok()?),
            "receivable" => Self::Receivable {
                destination: Account::from_hex(parts.next()?).ok()?,
                hash: parts.next()?.parse().ok()?,
            },
            "pending" => Self::Pending(parts.next()?.parse().ok()?),
            _ => return None,
        };
        parts.next().is_none().then_some(key)
    }
}

/// A change of the durable slice; applied in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOp {
    /// Keep `bytes` under `key`, replacing what was there.
    Put {
        /// Where.
        key: StoreKey,
        /// What; opaque to the shell.
        bytes: Vec<u8>,
    },
    /// Forget `key`; nothing happens if it is absent.
    Remove {
        /// Where.
        key: StoreKey,
    },
}

/// What the shell read from storage; the node decodes and verifies it again and removes what
/// does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Where it was kept.
    pub key: StoreKey,
    /// What was kept.
    pub bytes: Vec<u8>,
}

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

/// What became of a block handed to the full nodes by [`Output::Relay`].
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
    /// Final votes of the quorum exist; the proof follows by [`Input::Confirmed`].
    Confirmed,
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
    /// Another block with the same root is already confirmed.
    Superseded,
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
            Self::Superseded => "superseded",
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
    /// One transport message arrived, at most [`MAX_FRAME`](crate::MAX_FRAME) bytes.
    LinkReceived {
        /// On which link; unknown links are ignored.
        link: LinkId,
        /// The message.
        bytes: Vec<u8>,
    },
    /// The transport has taken bytes that were transmitted earlier.
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
    /// The page's connection produced the description that [`SignalOp::CreateOffer`] or
    /// [`SignalOp::AcceptOffer`] asked for. At most 8 KiB.
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
    /// What is the state of this account? Answered once by [`Event::Answer`].
    Get {
        /// The shell's new number for the question.
        request: RequestId,
        /// Whose.
        account: Account,
        /// How.
        options: GetOptions,
    },
    /// Publish a signed block with work. Progress comes as [`Event::Publish`].
    Publish {
        /// The shell's new number for it.
        request: RequestId,
        /// The block.
        block: Box<Block>,
    },
    /// Keep this account up to date: linked bridges push its new records. At most 64 accounts;
    /// more are ignored with [`Event::WatchRefused`].
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
    /// Bridge: the answer to [`Output::Resolve`]; each is answered once.
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
    /// Bridge: what became of [`Output::Relay`]; may come several times, also late.
    RelayProgress {
        /// Which.
        request: RelayId,
        /// What is known now.
        state: RelayState,
    },
    /// The time of [`Node::next_timeout`](crate::Node::next_timeout) has come (or nothing in
    /// particular happened; always allowed).
    Timeout,
}

/// What the shell is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this one message on the link.
    Transmit {
        /// On which link.
        link: LinkId,
        /// At most [`MAX_FRAME`](crate::MAX_FRAME) bytes.
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
    /// Tell the person or the log.
    Event(Event),
}

/// What to do with the page's connections. One session is one `RTCPeerConnection` with one
/// ordered, reliable data channel; the offering side creates the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalOp {
    /// Make a connection and an offer, answer with [`Input::LocalDescription`].
    CreateOffer {
        /// The new session.
        session: SessionId,
    },
    /// Make a connection from this offer, answer with [`Input::LocalDescription`].
    AcceptOffer {
        /// The new session.
        session: SessionId,
        /// The other side's offer.
        sdp: String,
    },
    /// Give this answer to the connection that made the offer.
    AcceptAnswer {
        /// The session.
        session: SessionId,
        /// The other side's answer.
        sdp: String,
    },
    /// Give this candidate of the other side to the connection.
    AddCandidate {
        /// The session.
        session: SessionId,
        /// As the other shell gave it to its node.
        candidate: String,
    },
    /// Drop the connection: it failed, timed out, lost against a crossing offer, or is not needed.
    Abandon {
        /// The session; never mentioned again.
        session: SessionId,
    },
}

/// Why a link was closed by this node. Codes are kebab-case and stable (metrics, status).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum CloseReason {
    /// The handshake or the decryption failed, or frames broke the rules of the link.
    LinkFailed,
    /// The handshake did not finish within ten seconds.
    HandshakeTimeout,
    /// The peer is of another network.
    WrongNetwork,
    /// The peer has our own key: a link to ourselves.
    Ourselves,
    /// A second link to the same node.
    Duplicate,
    /// All link places are taken by more useful peers.
    Full,
    /// The place was needed for a more useful peer.
    Shed,
    /// Messages that cannot be decoded or are over their limits.
    Garbage,
    /// More messages than its budget allows.
    Flood,
    /// Too many answers or records that do not verify.
    BadAnswers,
    /// The peer is banned for an earlier reason, until its ban expires.
    Banned,
    /// Nothing was heard for a minute, or the transport takes nothing any more.
    Silent,
    /// The peer closed it and said so.
    ClosedByPeer,
}

impl CloseReason {
    /// Every reason, in order.
    pub const ALL: [Self; 13] = [
        Self::LinkFailed,
        Self::HandshakeTimeout,
        Self::WrongNetwork,
        Self::Ourselves,
        Self::Duplicate,
        Self::Full,
        Self::Shed,
        Self::Garbage,
        Self::Flood,
        Self::BadAnswers,
        Self::Banned,
        Self::Silent,
        Self::ClosedByPeer,
    ];

    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LinkFailed => "link-failed",
            Self::HandshakeTimeout => "handshake-timeout",
            Self::WrongNetwork => "wrong-network",
            Self::Ourselves => "ourselves",
            Self::Duplicate => "duplicate",
            Self::Full => "full",
            Self::Shed => "shed",
            Self::Garbage => "garbage",
            Self::Flood => "flood",
            Self::BadAnswers => "bad-answers",
            Self::Banned => "banned",
            Self::Silent => "silent",
            Self::ClosedByPeer => "closed-by-peer",
        }
    }

    /// What the peer is told: its place in [`CloseReason::ALL`] plus one.
    pub(crate) const fn wire_code(self) -> u8 {
        self as u8 + 1
    }

    /// Reads what a peer told.
    pub(crate) fn from_wire_code(code: u8) -> Option<Self> {
        let place = usize::from(code).checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// Whether the peer is at fault: such a peer is banned for a while.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::LinkFailed | Self::Garbage | Self::Flood | Self::BadAnswers
        )
    }
}

/// News for the person, the page or the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The one answer to [`Input::Get`].
    Answer {
        /// Which question.
        request: RequestId,
        /// The verified answer, or why there is none.
        result: Result<Box<AccountAnswer>, GetError>,
    },
    /// Progress of a block of the person's own.
    Publish {
        /// The number given with [`Input::Publish`]; `None` for a block found in storage.
        request: Option<RequestId>,
        /// The block.
        hash: BlockHash,
        /// Where it stands.
        state: PublishState,
    },
    /// A peer's handshake is done and it was given a place.
    LinkUp {
        /// The link.
        link: LinkId,
        /// Whom it leads to.
        peer: NodeId,
        /// Browser or bridge.
        role: Role,
    },
    /// A link that was up is gone.
    LinkDown {
        /// The link.
        link: LinkId,
        /// Whom it led to.
        peer: NodeId,
        /// Why we closed it; `None` if the other side or the transport did.
        reason: Option<CloseReason>,
    },
    /// A verified record of this account was kept that says more than the one before (or the
    /// first one). A [`Input::Get`] now answers with it.
    RecordUpdated {
        /// Whose.
        account: Account,
    },
    /// A record or answer of a peer did not hold and was thrown away.
    Refused {
        /// Who sent it; `None` if it came from our own storage.
        from: Option<NodeId>,
        /// Kebab-case code of the reason, for example `too-little-weight`.
        reason: &'static str,
    },
    /// A peer at fault was disconnected and is banned for a while.
    PeerDropped {
        /// Who.
        peer: NodeId,
        /// Why.
        reason: CloseReason,
    },
    /// Two proven frontiers of one account whose chains diverge, or whose order is unknown.
    Conflict {
        /// Whose.
        account: Account,
        /// True: the chains are known to diverge, an alarm. False: only the order is unknown.
        diverged: bool,
    },
    /// 64 accounts are watched already.
    WatchRefused {
        /// The account that is not watched.
        account: Account,
    },
    /// No bridge is linked: dial one (with back-off). Repeated every ten seconds while it holds.
    /// Browsers only.
    NeedBridge,
    /// [`Node::status`](crate::Node::status) says something else than before; at most ten times
    /// a second.
    StatusChanged,
}

/// A verified answer about an account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountAnswer {
    /// Whose.
    pub account: Account,
    /// What is known of its chain.
    pub state: AccountState,
    /// Proven sends to the account that its own chain has not received as far as known here,
    /// largest first, at most 256.
    pub receivables: Vec<ProvenReceivable>,
    /// Who answered.
    pub source: AnswerSource,
    /// When anchor bridges last saw this frontier confirmed: the older of the two newest anchors'
    /// times, or the only one; `None` without a sighting.
    pub as_of: Option<UnixMillis>,
    /// How many verified answers arrived before this one was chosen (own slice counts as one).
    pub answers_seen: u8,
    /// Whether all proven frontiers seen form one chain.
    pub order: Order,
    /// Date of the weight table the proof was checked against.
    pub weights_as_of: UnixMillis,
}

/// What is known of an account's chain.
#[derive(Debug, Clone, PartialEq)]
pub enum AccountState {
    /// It has a proven frontier.
    Opened {
        /// What the proof proves under the weight table in force.
        frontier: Box<ProvenFrontier>,
        /// The record it is taken from.
        record: Box<AccountRecord>,
    },
    /// An anchor bridge saw no block of it; a statement, not a proof.
    Unopened {
        /// When.
        as_of: UnixMillis,
    },
    /// Nothing is known of its chain, but proven sends to it are.
    Unknown,
}

/// Who answered a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnswerSource {
    /// Our own slice: no message was sent.
    OwnSlice,
    /// Another browser.
    Peer {
        /// Who held the record.
        id: NodeId,
        /// Links the question went over, 1 = a direct neighbour.
        hops: u8,
    },
    /// A bridge.
    Bridge {
        /// Which.
        id: NodeId,
        /// Links the question went over.
        hops: u8,
    },
}

/// Whether the proven frontiers seen of an account form one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// One frontier, or several with a known newest one.
    Known,
    /// Several with no blocks at hand that link them.
    Unknown,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// Everyone asked says it holds no record.
    #[error(
        "no record of the account was found: {paths} paths through the nanonet and {bridges} bridges have none; ask again with a bridge connected or check the address"
    )]
    NotFound {
        /// Paths that ended with "not found".
        paths: u8,
        /// Bridges that could not tell.
        bridges: u8,
    },
    /// No link is open and the own slice has no record.
    #[error(
        "not connected, and the account is not in this node's own slice; connect and ask again"
    )]
    Offline,
    /// The deadline came first.
    #[error(
        "no answer in time: {paths} paths and {bridges} bridges were asked, {unanswered} did not answer; ask again"
    )]
    TimedOut {
        /// Paths tried.
        paths: u8,
        /// Bridges asked.
        bridges: u8,
        /// How many of both gave no answer at all.
        unanswered: u8,
    },
    /// Answers came but none verified.
    #[error(
        "{refused} answers came and none verified (last reason: {reason}); the peers that sent them lose reputation, ask again"
    )]
    AllRefused {
        /// How many.
        refused: u8,
        /// Kebab-case reason of the last one.
        reason: &'static str,
    },
    /// Too many questions are open at this node.
    #[error("{open} questions are open, which is this node's limit; wait for some to end")]
    TooManyQuestions {
        /// The limit.
        open: u16,
    },
}

/// Where a block of the person's own stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishState {
    /// Stored durably, no bridge reachable yet; sent as soon as one is.
    Waiting,
    /// On the way to bridges.
    Sent {
        /// How many bridges it was sent to so far.
        bridges: u8,
    },
    /// A bridge passed it to full nodes.
    Accepted {
        /// How many full nodes took it.
        full_nodes: u16,
    },
    /// A bridge refused it. Passing reasons are tried again by themselves; after any other the
    /// block is forgotten.
    Refused(RelayRefusal),
    /// A proof of it (or of a block after it) is held; forgotten as pending.
    Confirmed,
    /// Not taken: 32 blocks are pending already.
    TooManyPending,
    /// Not taken: the block itself does not hold (signature, work, or a legacy block).
    Invalid(RelayRefusal),
}

/// What the node is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeState {
    /// No link yet since the start.
    Starting,
    /// Some links, fewer than it wants.
    Connecting,
    /// Links to the nearest known nodes stand and no better ones are sought.
    Meshed,
    /// Had links, has none; answers from its own slice only.
    Offline,
}

/// One open link, for display.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkInfo {
    /// The shell's number.
    pub link: LinkId,
    /// Whom it leads to.
    pub peer: NodeId,
    /// The peer's key.
    pub key: NodeKey,
    /// Browser or bridge.
    pub role: Role,
    /// What carries it.
    pub transport: Transport,
    /// Who opened it.
    pub origin: LinkOrigin,
    /// Round trip in milliseconds, once measured.
    pub rtt_ms: Option<u32>,
    /// Bytes received, handshake and frames included.
    pub bytes_in: u64,
    /// Bytes sent, handshake and frames included.
    pub bytes_out: u64,
    /// Verified answers that came over it to our own questions.
    pub answers: u64,
    /// Since when it is up.
    pub since: UnixMillis,
}

/// What [`Node::status`](crate::Node::status) tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Our id.
    pub id: NodeId,
    /// Our key.
    pub key: NodeKey,
    /// In one word.
    pub state: NodeState,
    /// Links that are up, by number.
    pub links: Vec<LinkInfo>,
    /// Nodes known besides (nearest ones and candidates for links).
    pub known_peers: u32,
    /// Account records held.
    pub records: u32,
    /// Receivable records held.
    pub receivables: u32,
    /// Bytes of both.
    pub record_bytes: u64,
    /// Own blocks that are not yet proven confirmed.
    pub pending: u32,
    /// Records and answers refused, by kebab-case reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// Links closed by us, by [`CloseReason::code`].
    pub dropped: BTreeMap<&'static str, u64>,
    /// Questions of others answered from our slice.
    pub answers_served: u64,
    /// Messages of others passed on.
    pub forwarded: u64,
    /// Bytes received over all links since the start.
    pub bytes_in: u64,
    /// Bytes sent over all links since the start.
    pub bytes_out: u64,
    /// Date of the weight table in force.
    pub weights_as_of: UnixMillis,
}
