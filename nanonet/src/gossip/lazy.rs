//! Announcing news, pulling what was announced, catching up.

use nano_core::UnixMillis;

use super::tree::LEAF;
use super::{
    BODY_MS, FLUSH_MS, GRACE_MS, MAX_WANTED, NewsId, Wanted,
    filter::{filter, missing},
};
use crate::link::LinkEnd;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Bytes, MAX_IDS, Message};
use crate::{Bug, Crypto, LinkId, Node, Role};

/// The nearest links that are to name news to us.
const NEAR: usize = 2;
/// The quickest of the others that are to.
const QUICK: usize = 4;
/// Most announcers of one piece remembered.
const MAX_FROM: usize = 8;
/// Announcers asked at once: one, then two, then so many.
const MAX_AT_ONCE: usize = 3;
/// Wait for a pulled piece besides the round trip.
const PULL_MARGIN_MS: u64 = 25;
/// Wait for a pulled piece over a link whose round trip is not known.
const PULL_MS: u64 = 200;
/// A node with so few links has just come, or come back.
const NEW_LINKS: usize = 2;

impl<C: Crypto> Node<C> {
    /// A piece came and is to be announced.
    pub(super) fn announce_soon(&mut self, id: NewsId) {
        if self.has_bug(Bug::KeepsForItself) {
            return;
        }
        self.gossip.lazy.push(id);
        let at = self.now.plus(FLUSH_MS);
        let at = *self.gossip.flush_at.get_or_insert(at);
        self.timers.set_by(Timer::Gossip, at);
    }

    /// Something is due.
    pub(crate) fn on_gossip_timer(&mut self) {
        if self.gossip.flush_at.is_some_and(|at| at <= self.now) {
            self.gossip.flush_at = None;
            self.announce();
        }
        self.pull_news();
        self.serve_later();
        self.flush_pushes();
        if let Some(at) = self.gossip.due() {
            self.timers.set_by(Timer::Gossip, at);
        }
    }

    fn announce(&mut self) {
        let links = self.table.up_links().filter(|(_, peer, _)| peer.wants_ids);
        let links: Vec<LinkId> = links.map(|(link, ..)| link).collect();
        let mut out: SortedMap<LinkId, Vec<NewsId>> = SortedMap::new();
        for id in std::mem::take(&mut self.gossip.lazy) {
            let Some(held) = self.gossip.known.get_mut(&id) else {
                continue;
            };
            for link in &links {
                if !held.has.contains(link) {
                    held.has.push(*link);
                    out.get_or_insert_with(*link, Vec::new).push(id);
                }
            }
        }
        while let Some((link, ids)) = out.pop_first() {
            for ids in ids.chunks(MAX_IDS) {
                self.send_news(link, &Message::Have(ids.to_vec()));
            }
        }
    }

    /// Chooses who is to name news to us: the nearest links, which show that our part of the tree
    /// is served, and the quickest of the others. These stay as long as they stand, but for one at
    /// a time that another is twice as quick as.
    pub(crate) fn choose_announcers(&mut self) {
        let mut browsers: Vec<_> = self
            .table
            .up_links()
            .filter(|(_, _, who)| who.record.role == Role::Browser)
            .map(|(link, peer, who)| {
                let distance = self.id.point().distance(&who.id.point());
                (distance, link, peer.announces, peer.link.rtt_ms())
            })
            .collect();
        browsers.sort_unstable();
        let mut changes: Vec<(LinkId, bool)> = Vec::new();
        let mut asked: Vec<(u32, LinkId)> = Vec::new();
        let mut others: Vec<(u32, LinkId)> = Vec::new();
        for (place, (_, link, announces, rtt)) in browsers.into_iter().enumerate() {
            let rtt = rtt.unwrap_or(u32::MAX);
            if place < NEAR {
                changes.extend((!announces).then_some((link, true)));
            } else if announces {
                asked.push((rtt, link));
            } else {
                others.push((rtt, link));
            }
        }
        asked.sort_unstable();
        others.sort_unstable();
        let quick = QUICK;
        let dropped = asked.split_off(quick.min(asked.len()));
        changes.extend(dropped.iter().map(|(_, link)| (*link, false)));
        let lacking = quick - asked.len();
        changes.extend(others.iter().take(lacking).map(|(_, link)| (*link, true)));
        if lacking == 0
            && let (Some((slow, old)), Some((quick, new))) = (asked.last(), others.first())
            && quick.saturating_mul(2) < *slow
        {
            changes.extend([(*old, false), (*new, true)]);
        }
        for (link, wanted) in changes {
            if let Some(peer) = self.table.get_mut(link) {
                peer.announces = wanted;
            }
            self.send_news(link, &Message::Announce(wanted));
        }
    }

    /// A peer wants news named, or no longer.
    pub(crate) fn on_announce(&mut self, link: LinkId, wanted: bool) {
        if let Some(peer) = self.table.get_mut(link) {
            peer.wants_ids = wanted;
        }
    }

    /// A peer has these.
    pub(crate) fn on_have(&mut self, link: LinkId, ids: Vec<NewsId>) {
        let now = self.now;
        let mut first: Option<UnixMillis> = None;
        for id in ids {
            if self.gossip.known.contains_key(&id) {
                self.shows(link, id, false);
                continue;
            }
            let gossip = &mut self.gossip;
            if gossip.wanted.len() >= MAX_WANTED && !gossip.wanted.contains_key(&id) {
                continue;
            }
            let wanted = gossip.wanted.get_or_insert_with(id, || Wanted {
                from: Vec::new(),
                tries: 1,
                next: now.plus(GRACE_MS),
            });
            if wanted.from.len() < MAX_FROM && !wanted.from.contains(&link) {
                wanted.from.push(link);
                first = Some(first.map_or(wanted.next, |first| first.min(wanted.next)));
            }
        }
        if let Some(at) = first {
            self.timers.set_by(Timer::Gossip, at);
        }
    }

    /// Asks for what is wanted and due.
    fn pull_news(&mut self) {
        let now = self.now;
        let mut asks: SortedMap<LinkId, Vec<NewsId>> = SortedMap::new();
        let table = &self.table;
        let rtt = |link: LinkId| table.get(link).and_then(|peer| peer.link.rtt_ms());
        self.gossip.wanted.retain(|id, wanted| {
            if wanted.next > now {
                return true;
            }
            wanted
                .from
                .sort_by_key(|link| rtt(*link).unwrap_or(u32::MAX));
            let count = wanted.tries.min(wanted.from.len());
            // Nobody is left to ask: whoever announces it next brings it back.
            let Some(slowest) = count.checked_sub(1).map(|last| wanted.from[last]) else {
                return false;
            };
            for link in wanted.from.drain(..count) {
                asks.get_or_insert_with(link, Vec::new).push(*id);
            }
            wanted.tries = (wanted.tries + 1).min(MAX_AT_ONCE);
            let wait = rtt(slowest).map_or(PULL_MS, |rtt| u64::from(rtt) + PULL_MARGIN_MS);
            wanted.next = now.plus(wait);
            true
        });
        while let Some((link, ids)) = asks.pop_first() {
            self.gossip.figures.pulled += ids.len() as u64;
            for ids in ids.chunks(MAX_IDS) {
                self.send_news(link, &Message::Want(ids.to_vec()));
            }
        }
    }

    /// A peer wants these.
    pub(crate) fn on_want(&mut self, link: LinkId, ids: Vec<NewsId>) {
        if self.has_bug(Bug::KeepsForItself) {
            return;
        }
        for id in ids {
            self.push_to(id, link, LEAF, 0);
        }
        self.flush_pushes();
    }

    /// A link is up: is there something to catch up with?
    pub(crate) fn catch_up(&mut self, link: LinkId) {
        if self.table.count() > NEW_LINKS {
            return;
        }
        let salt = self.rng.next_u64();
        let bytes = filter(self.gossip.recent(), salt);
        self.send_news(link, &Message::CatchUp(Bytes(bytes)));
    }

    /// A peer has these and wants the others.
    pub(crate) fn on_catch_up(&mut self, link: LinkId, bytes: &[u8]) {
        let now = self.now;
        let known = &self.gossip.known;
        let fresh = |id: &NewsId| {
            let held = known.get(id);
            held.is_some_and(|held| now.since(held.at) <= BODY_MS)
        };
        match missing(bytes, self.gossip.recent().filter(fresh)) {
            Some(ids) => self.on_want(link, ids),
            None => self.blame(Some(link), "bad-filter"),
        }
    }
}
