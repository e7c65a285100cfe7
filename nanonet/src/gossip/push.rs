//! Pushing news along the tree.
//!
//! Whoever gets a piece serves the part of the tree it was given. Parts of few nodes
//! ([`tree::deep_from`]) are served at once only by who was given them with rank 0; who has rank r
//! waits r times [`STAGGER_MS`] and serves them only if no node inside has shown to have the piece.
//! So a lost way costs a short wait and not a second copy for everyone.

use super::tree::{self, Branch, HEADS, LEAF};
use super::{EAGER_BYTES, Later, MAX_LATER, NewsId};
use crate::Crypto;
use crate::link::LinkEnd;
use crate::routing::places::POOR;
use crate::timers::Timer;
use crate::wire::{Bytes, Message, Pushed};
use crate::{Bug, LinkId, Node, Role};

/// Wait of each rank until it serves a part of few nodes.
const STAGGER_MS: u64 = 120;
/// Links a bridge pushes its own news to, the quickest ones: it has very many.
const MAX_BRANCHES: usize = 64;
/// Round trip taken for one that is not measured yet.
const USUAL_RTT_MS: u32 = 160;

impl<C: Crypto> Node<C> {
    /// The links of the tree.
    pub(super) fn branches(&self) -> Vec<Branch> {
        let us = self.id.point();
        let mut branches: Vec<Branch> = self
            .table
            .up_links()
            .filter(|(_, peer, who)| {
                let alone = self.config.role.is_bridge_here() && peer.links < POOR;
                who.record.role == Role::Browser && !alone
            })
            .map(|(link, peer, who)| {
                let rtt = peer.link.rtt_ms().unwrap_or(USUAL_RTT_MS);
                tree::branch(&us, link, &who.id.point(), rtt)
            })
            .collect();
        if branches.len() > MAX_BRANCHES {
            branches.sort_by_key(|branch| branch.rtt);
            branches.truncate(MAX_BRANCHES);
        }
        branches
    }

    /// Serves the buckets `depth..until` of a piece that came with `rank`.
    pub(super) fn serve_part(&mut self, id: NewsId, depth: u8, until: u8, rank: u8) {
        if depth >= until || (self.has_bug(Bug::KeepsForItself) && depth > 0) {
            return;
        }
        let branches = self.branches();
        let deep = tree::deep_from(&branches).clamp(depth, until);
        let heads = if depth == 0 { HEADS } else { 1 };
        let mut parts = tree::cover(&branches, depth..deep, heads);
        for part in &mut parts {
            part.rank = part.rank.max(rank);
        }
        if rank == 0 {
            parts.extend(tree::cover(&branches, deep..until, 1));
        } else if deep < until && self.gossip.later.len() < MAX_LATER {
            let at = self.now.plus(u64::from(rank) * STAGGER_MS);
            let depth = deep;
            self.gossip.later.push(Later { at, id, depth });
            self.timers.set_by(Timer::Gossip, at);
        }
        for part in parts {
            self.push_to(id, part.link, part.depth, part.rank);
        }
    }

    /// Pushes a piece that is new here beside the tree: a bridge to browsers that no other browser
    /// reaches, and such a browser its own news to bridges, which start the tree in its place.
    pub(super) fn push_beside(&mut self, id: NewsId, depth: u8) {
        let bridge_here = self.config.role.is_bridge_here();
        let alone = depth == 0 && self.table.count_of(Role::Browser) < usize::from(HEADS);
        let links = self.table.up_links().filter(|(_, peer, who)| {
            if who.record.role == Role::Bridge {
                alone && !bridge_here
            } else {
                bridge_here && peer.links < POOR
            }
        });
        let links: Vec<LinkId> = links.map(|(link, ..)| link).collect();
        let depth = if bridge_here { LEAF } else { 0 };
        for link in links {
            self.push_to(id, link, depth, 0);
        }
    }

    /// A piece came again: is more of the tree to be served?
    pub(super) fn came_again(&mut self, link: LinkId, id: NewsId, depth: u8, rank: u8) {
        self.gossip.figures.repeated += 1;
        self.shows(link, id, depth < LEAF);
        let Some(held) = self.gossip.known.get_mut(&id) else {
            return;
        };
        let served = held.served;
        held.served = served.min(depth);
        self.serve_part(id, depth, served, rank);
    }

    /// The node behind a link shows that it has a piece, and perhaps that it serves it.
    pub(super) fn shows(&mut self, link: LinkId, id: NewsId, serves: bool) {
        let bits = self.peer_id(link).map_or(0, |id| self.places.bucket(&id));
        let Some(held) = self.gossip.known.get_mut(&id) else {
            return;
        };
        if serves {
            held.shown_bits = held.shown_bits.max(bits);
        }
        if !held.body.is_empty() && !held.has.contains(&link) {
            held.has.push(link);
        }
    }

    /// Serves parts of which nobody has shown to have the piece.
    pub(super) fn serve_later(&mut self) {
        let now = self.now;
        let mut due = Vec::new();
        self.gossip.later.retain(|later| {
            if later.at <= now {
                due.push((later.id, later.depth));
            }
            later.at > now
        });
        for (id, depth) in due {
            let held = self.gossip.known.get(&id);
            if held.is_some_and(|held| held.shown_bits < u16::from(depth)) {
                for part in tree::cover(&self.branches(), depth..LEAF, 1) {
                    self.push_to(id, part.link, part.depth, 0);
                }
            }
        }
    }

    /// Puts a piece into what goes out over a link next; a large one is only named.
    pub(super) fn push_to(&mut self, id: NewsId, link: LinkId, depth: u8, rank: u8) {
        let altered = self.has_bug(Bug::Invents);
        let Some(held) = self.gossip.known.get_mut(&id) else {
            return;
        };
        if held.body.is_empty() {
            return;
        }
        let mut body = held.body.clone();
        // Somewhere in a block's balance, or in the account of one that was confirmed.
        if altered && let Some(byte) = body.get_mut(110) {
            *byte ^= 1;
        }
        let hops = held.hops;
        if !held.has.contains(&link) {
            held.has.push(link);
        }
        if body.len() > EAGER_BYTES && depth != LEAF {
            self.send_news(link, &Message::Have(vec![id]));
            return;
        }
        let out = self.gossip.outbox.get_or_insert_with(link, Vec::new);
        out.push(Pushed {
            depth,
            rank,
            hops,
            body: Bytes(body),
        });
    }

    /// Sends what was put together, one message per link, or several if it is much.
    pub(super) fn flush_pushes(&mut self) {
        while let Some((link, mut pushed)) = self.gossip.outbox.pop_first() {
            while !pushed.is_empty() {
                let mut bytes = 0;
                let fit = pushed.iter().take_while(|pushed| {
                    bytes += pushed.body.0.len() + 8;
                    bytes <= super::MAX_NEWS_BYTES + 8
                });
                let count = fit.count().clamp(1, crate::wire::MAX_PUSHED);
                let rest = pushed.split_off(count.min(pushed.len()));
                self.send_news(link, &Message::News(pushed));
                pushed = rest;
            }
        }
    }

    /// Sends a message of gossip and counts it.
    pub(super) fn send_news(&mut self, link: LinkId, message: &Message) {
        let Ok(bytes) = message.encode() else {
            return;
        };
        self.gossip.figures.messages_out += 1;
        self.gossip.figures.bytes_out += bytes.len() as u64;
        self.send_bytes(link, message.class(), bytes);
    }
}
