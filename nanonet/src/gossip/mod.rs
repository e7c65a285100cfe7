//! News for everyone: who passes it on, and how nobody misses it.
//!
//! A piece of news ([`News`]) is pushed along a tree (`tree`); besides, its id is announced on a
//! few other links, and whoever was not reached in time pulls it from one who announced it.
//!
//! States of a piece of news at a node: *wanted* (announced here, not held), *held* (verified,
//! delivered to the shell, passed on; its bytes are kept for `BODY_MS` for those who pull it),
//! *known* (only its id is left, so that it is not taken twice), forgotten after `KNOWN_MS`.
//!
//! Rules:
//! - nothing is kept, delivered or passed on before it was verified, whoever brought it
//!   (`take`); what does not verify is held against the link it came over;
//! - each piece is delivered once as long as its id is known;
//! - it is pushed at once (`push`); bodies over `EAGER_BYTES` are only announced;
//! - each node has a few links name new pieces to it: its nearest and its quickest (`lazy`). Ids
//!   are announced in one message per link, `FLUSH_MS` after the first of them came, never to one
//!   known to have the news;
//! - a wanted piece is pulled `GRACE_MS` after it was announced first, from the quickest link that
//!   announced it, and then from the next;
//! - a node whose first links stand tells them which news it has (`filter`); they answer with
//!   what it lacks of the last `BODY_MS`.
//!
//! Files: what news there is in `news`, blocks as deltas in `compact`, the tree in `tree`,
//! pushing in `push`, announcing, pulling and catching up in `lazy`, verifying in `take`.
//! Bodies are not compressed: they are keys, hashes and signatures, which do not get shorter.
//!
//! Limits: `MAX_KNOWN` ids (the oldest goes), of which `MAX_BODIES` and `MAX_BODY_BYTES` with
//! their bytes (the oldest goes), `MAX_WANTED` wanted pieces (more are not), `MAX_LATER` parts
//! of the tree to be served later (more are left to pulling), `MAX_ACCOUNTS` accounts counted.

mod compact;
mod filter;
mod lazy;
mod news;
mod push;
mod take;
mod tree;

use std::collections::VecDeque;

use nano_core::{Account, UnixMillis};

#[cfg(any(test, feature = "adversary"))]
pub(crate) use self::news::samples;
pub use self::news::{
    Confirmed, MAX_NAME_BYTES, MAX_NEWS_BYTES, MAX_VALUE_BYTES, News, NewsId, Parameter, Topic,
    Vouched,
};
pub use self::take::Tell;
use crate::LinkId;
use crate::sorted::SortedMap;
use crate::wire::Pushed;

/// How long the bytes of news are kept: one minute.
pub(crate) const BODY_MS: u64 = 60_000;
/// How long an id is known: five minutes.
pub(crate) const KNOWN_MS: u64 = 300_000;
/// Most ids known.
pub(crate) const MAX_KNOWN: usize = 4096;
/// Most pieces of news whose bytes are kept.
pub(crate) const MAX_BODIES: usize = 512;
/// Most bytes of them.
pub(crate) const MAX_BODY_BYTES: usize = 256 * 1024;
/// Most pieces wanted at a time.
pub(crate) const MAX_WANTED: usize = 512;
/// Most parts of the tree that wait to be served.
pub(crate) const MAX_LATER: usize = 512;
/// Most accounts whose transactions are counted.
pub(crate) const MAX_ACCOUNTS: usize = 1024;
/// Longest body that is pushed.
pub(crate) const EAGER_BYTES: usize = 2048;
/// Time in which ids are collected before they are announced.
pub(crate) const FLUSH_MS: u64 = 15;
/// Time for the tree to bring what was announced already.
pub(crate) const GRACE_MS: u64 = 100;

/// A piece of news that came.
struct Held {
    at: UnixMillis,
    /// Its bytes; empty once they are no longer kept.
    body: Vec<u8>,
    /// Links it came over.
    hops: u8,
    /// Everything from this depth on is served, or to be.
    served: u8,
    /// Most id bits that a node which has shown to have it shares with us.
    shown_bits: u16,
    /// Links whose nodes have it, or were told that we have.
    has: Vec<LinkId>,
}

/// A piece of news announced and not held.
struct Wanted {
    /// Who announced it and was not asked.
    from: Vec<LinkId>,
    /// How many of them are asked at once next.
    tries: usize,
    /// When the next of them is asked.
    next: UnixMillis,
}

/// A part of the tree to be served later.
struct Later {
    at: UnixMillis,
    id: NewsId,
    depth: u8,
}

/// What a node knows of news.
#[derive(Default)]
pub(crate) struct Gossip {
    known: SortedMap<NewsId, Held>,
    /// Known ids, oldest first.
    order: VecDeque<NewsId>,
    /// How many of them, from the newest back, have bytes, and how many bytes.
    bodies: usize,
    body_bytes: usize,
    wanted: SortedMap<NewsId, Wanted>,
    later: Vec<Later>,
    /// Ids to be announced, and when.
    lazy: Vec<NewsId>,
    flush_at: Option<UnixMillis>,
    outbox: SortedMap<LinkId, Vec<Pushed>>,
    /// Transactions of an account, since when.
    accounts: SortedMap<Account, (UnixMillis, u8)>,
    figures: GossipFigures,
}

/// What a node shows of its gossip: how much it holds, and what it counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GossipFigures {
    /// Ids known.
    pub known: usize,
    /// Pieces of news whose bytes are kept.
    pub bodies: usize,
    /// Those bytes.
    pub body_bytes: usize,
    /// Pieces wanted.
    pub wanted: usize,
    /// Pieces delivered to the shell.
    pub delivered: u64,
    /// Bytes of those pieces.
    pub delivered_bytes: u64,
    /// Copies of held pieces that came again.
    pub repeated: u64,
    /// Pieces asked for at a link.
    pub pulled: u64,
    /// Messages sent: pushes, announcements, pulls, filters.
    pub messages_out: u64,
    /// Their bytes, without what the link adds.
    pub bytes_out: u64,
}

impl GossipFigures {
    /// Adds what another node has counted; what it holds is left out.
    pub const fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.delivered_bytes += other.delivered_bytes;
        self.repeated += other.repeated;
        self.pulled += other.pulled;
        self.messages_out += other.messages_out;
        self.bytes_out += other.bytes_out;
    }

    /// Whether what is held keeps the limits.
    #[must_use]
    pub const fn keeps_limits(&self) -> bool {
        self.known <= MAX_KNOWN
            && self.bodies <= MAX_BODIES
            && self.body_bytes <= MAX_BODY_BYTES
            && self.wanted <= MAX_WANTED
    }
}

impl Gossip {
    /// What it holds and has counted.
    pub(crate) const fn figures(&self) -> GossipFigures {
        GossipFigures {
            known: self.known.len(),
            bodies: self.bodies,
            body_bytes: self.body_bytes,
            wanted: self.wanted.len(),
            ..self.figures
        }
    }

    /// Remembers a piece of news; forgets what is too old or too much.
    fn hold(&mut self, id: NewsId, held: Held, keep_all: bool) {
        let now = held.at;
        self.bodies += 1;
        self.body_bytes += held.body.len();
        self.known.insert(id, held);
        self.order.push_back(id);
        while let Some(first) = self.order.front()
            && let Some(held) = self.known.get(first)
            && (self.order.len() > MAX_KNOWN || now.since(held.at) > KNOWN_MS)
        {
            if self.bodies == self.order.len() {
                self.bodies -= 1;
                self.body_bytes -= held.body.len();
            }
            self.known.remove(first);
            self.order.pop_front();
        }
        while !keep_all
            && self.bodies > 0
            && let Some(oldest) = self.order.get(self.order.len() - self.bodies)
            && let Some(held) = self.known.get_mut(oldest)
            && (self.bodies > MAX_BODIES
                || self.body_bytes > MAX_BODY_BYTES
                || now.since(held.at) > BODY_MS)
        {
            self.bodies -= 1;
            self.body_bytes -= held.body.len();
            held.body = Vec::new();
            held.has = Vec::new();
        }
    }

    /// The ids of news whose bytes are kept, oldest first.
    fn recent(&self) -> impl Iterator<Item = NewsId> {
        let without = self.order.len() - self.bodies;
        self.order.iter().skip(without).copied()
    }

    /// When something is to be done.
    fn due(&self) -> Option<UnixMillis> {
        let wanted = self.wanted.values().map(|wanted| wanted.next);
        let later = self.later.iter().map(|later| later.at);
        wanted.chain(later).chain(self.flush_at).min()
    }

    /// A link is gone.
    pub(crate) fn link_gone(&mut self, link: LinkId) {
        self.outbox.remove(&link);
        for (_, wanted) in self.wanted.iter_mut() {
            wanted.from.retain(|from| *from != link);
        }
    }
}
