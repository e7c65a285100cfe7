//! News for the person, the page or the log.

use nano_core::{Account, BlockHash, StateBlock, WorkNonce};

use super::{AccountAnswer, CloseReason, GetError, LinkId, RelayRefusal, RequestId};
use crate::gossip::{News, NewsId};
use crate::onion::{Received, SendFailure};
use crate::registry::{FoundKey, KeyRecord, LookupError};
use crate::{NodeId, NodeKey, PeerRecord, Point, Role};

/// News for the person, the page or the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The one answer to [`Input::Get`](crate::Input::Get).
    Answer {
        /// Which question.
        request: RequestId,
        /// The verified answer, or why there is none.
        result: Result<Box<AccountAnswer>, GetError>,
    },
    /// Progress of a block of the person's own.
    Publish {
        /// The number given with [`Input::Publish`](crate::Input::Publish); `None` for a block
        /// found in storage.
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
    /// first one). A [`Input::Get`](crate::Input::Get) now answers with it.
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
    /// The node has paid for its place and lies here from now on: keep
    /// [`Node::identity_bytes`](crate::Node::identity_bytes), so that it need not pay again.
    Joined {
        /// Where it lies.
        id: NodeId,
        /// What places it there.
        nonce: WorkNonce,
    },
    /// Far more nodes lie at this place than anywhere else: somebody may want to own what is kept there.
    /// Records of that place are kept on other nodes besides.
    Crowded {
        /// One of them.
        at: Point,
        /// How many are known.
        nodes: u16,
    },
    /// The network may have been split: bridges are missing, or far fewer nodes lie around us than
    /// before. Balances may be older than they seem until it is said to be over.
    Split {
        /// True when it begins to look so, false when it no longer does.
        suspected: bool,
    },
    /// Of two anchors one stated less of an account than the other had before: it is behind, cut off or
    /// lying. At most once per ten minutes and bridge.
    BridgesDiffer {
        /// Of which account.
        account: Account,
        /// Who stated more, earlier.
        earlier: NodeKey,
        /// Who stated less, later.
        later: NodeKey,
    },
    /// Verified news that somebody else told everyone, once each.
    News {
        /// Its name.
        id: NewsId,
        /// Links it came over.
        hops: u8,
        /// What it says.
        news: Box<News>,
        /// Of a newly confirmed block whose delta fits the frontier held here: the block itself.
        /// A bridge's word only, until its proof is here.
        block: Option<Box<StateBlock>>,
    },
    /// Records came from neighbours that we shall hold: when part of our slice, or of what was missing
    /// in it, is here.
    Synced {
        /// Records that came since there was last nothing to get.
        records: u32,
        /// Parts of the slice that are still under way; 0: all of it is here.
        ranges_left: u8,
    },
    /// No bridge is linked: dial one (with back-off). Repeated while it holds: every ten seconds if
    /// it is urgent, else less and less often. Browsers only.
    NeedBridge {
        /// There are fewer than two links to browsers, a block waits to be published, or the network may
        /// be split (then also while bridges are linked); else the node can do without.
        urgent: bool,
    },
    /// A bridge that can be dialled introduced itself, or somebody named it; the record was verified.
    /// Told once per record.
    BridgeFound(Box<PeerRecord>),
    /// The one answer to [`Input::LookUp`](crate::Input::LookUp).
    KeyFound {
        /// Which question.
        request: RequestId,
        /// The verified record and the ways to it, or why there is none.
        result: Result<Box<FoundKey>, LookupError>,
    },
    /// The one answer to [`Input::FindServices`](crate::Input::FindServices).
    ServicesFound {
        /// Which question.
        request: RequestId,
        /// Verified records, one per key.
        records: Vec<KeyRecord>,
    },
    /// What became of [`Input::Send`](crate::Input::Send).
    Sent {
        /// Which message.
        request: RequestId,
        /// The recipient has it, or why that is not known.
        result: Result<(), SendFailure>,
    },
    /// A private message came.
    Message(Box<Received>),
    /// [`Node::status`](crate::Node::status) says something else than before; at most ten times
    /// a second.
    StatusChanged,
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
    /// A bridge refused it, perhaps after another one (or the same) accepted it. Only a bridge's
    /// word: the block is kept and sent again until a proof decides.
    Refused(RelayRefusal),
    /// A bridge that had accepted it stopped publishing it, because it was not confirmed for a
    /// long time. It is kept and sent again.
    GivenUp,
    /// A proof of another block in its place is held: it can never be confirmed. It is no longer sent
    /// and handed back ([`Node::returned`](crate::Node::returned)): the person decides whether to build
    /// it anew on the account's new state ([`Node::rebuilt`](crate::Node::rebuilt)).
    Superseded {
        /// The block that was confirmed instead.
        winner: BlockHash,
    },
    /// A proof of it (or of a block after it) is held; forgotten as pending.
    Confirmed,
    /// Not taken: another block in its place (same account, same block before it) is pending.
    Rival,
    /// Not taken: 32 blocks are pending already.
    TooManyPending,
    /// Not taken: the block itself does not hold (signature, work, or a legacy block).
    Invalid(RelayRefusal),
}
