//! The store's side: what a bridge accepts, keeps, hands out and compares with others.
//!
//! States of a notification at a store: *waiting* (accepted if the disk takes it; in front of the disk
//! those with more work go first), *held* (on disk; the sender has the receipt), *deleted* (its recipient said
//! so; remembered until it would be over, so that nobody brings it back), gone.
//!
//! Rules:
//! - accepting is a promise: what a receipt was signed for stays until its time is over or its recipient
//!   deletes it. A full store refuses and says what it has room for;
//! - a receipt is signed after the disk has it, never before; if the disk refuses, nothing was promised;
//! - what is over is not handed out, whether or not it was already removed;
//! - the same notification again is answered with the same receipt; a deleted one is refused;
//! - senders pay the price ([`super::price`]) and keep the limits per tag; other stores do neither, for
//!   what they bring was paid for: they vouch for it by their own stamp, and must be in the directory
//!   (`sync`);
//! - recipients that are there are pushed what comes for them.
//!
//! Limits: [`Limits`]; [`MAX_WAITING`] waiting (the one with the least work is refused with the work that
//! would do); [`MAX_SUBSCRIBERS`] tags subscribed (the one that ends first goes).

use std::collections::{BTreeMap, VecDeque};

use nano_core::{Difficulty, Network, UnixMillis, WorkNonce};

use super::address::RelayAddress;
use super::directory::{COPIES, Directory, Places, Region};
use super::held::{Shelf, weight};
use super::keys::Tag;
use super::message::{Ask, Caller, Cursor, Item, Reply, SUBSCRIBED_MS, Ticket};
use super::price::{self, Limits, Load};
use super::refusal::Refusal;
use super::sealed::{Deletion, MAX_SEALED_BYTES, MAX_TTL_S, Sealed, Stamp};
use super::store::{Change, StoreFault};
use super::sync::Sync;
use crate::{Identity, NodeId, NodeKey, PeerRecord};

/// Most notifications that wait for the disk.
pub const MAX_WAITING: usize = 1_024;
/// Most writes handed to the disk at a time.
const MAX_WRITES: usize = 64;
/// Most tags under which somebody waits for what comes.
pub const MAX_SUBSCRIBERS: usize = 16_384;
/// Most deletions remembered, as a part of the room.
const DELETIONS_PER_ROOM: u64 = 1_024;
/// How long a disk that refused is not tried again: ten seconds.
const BROKEN_MS: u64 = 10_000;
/// What is over is taken out in steps of so many.
const ENDED_AT_ONCE: usize = 256;

/// What a store is told once.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Which network.
    pub network: Network,
    /// Its bounds.
    pub limits: Limits,
    /// What the base price is.
    pub base: Difficulty,
    /// How the work of a notification is measured: [`measure`], unless a simulation has an oracle.
    pub measure: fn(&RelayAddress, WorkNonce) -> Difficulty,
}

impl Settings {
    /// A bridge's usual ones.
    #[must_use]
    pub const fn bridge(network: Network) -> Self {
        Self {
            network,
            limits: Limits::BRIDGE,
            base: price::base_difficulty(network),
            measure,
        }
    }
}

/// What a nonce reaches over the hash of a notification, as Nano measures the work of blocks.
#[must_use]
pub fn measure(address: &RelayAddress, nonce: WorkNonce) -> Difficulty {
    nonce.difficulty(&address.root())
}

/// What the driver does for a store.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Answer a caller.
    Reply(Caller, Reply),
    /// Ask another bridge; [`Keeper::answered`] hears how it went.
    Ask(Ticket, NodeKey, Ask),
    /// Tell a subscriber; nobody waits for the answer.
    Push(NodeId, Ask),
    /// Make changes durable; [`Keeper::written`] hears how it went, in the order given.
    Write(Vec<Change>),
    /// A newer directory is in force.
    Directory(Box<Directory>),
    /// Something from the disk is not what this store wrote there.
    DamagedEntry(RelayAddress),
}

/// Why a write waits for the disk.
#[derive(Debug)]
enum Cause {
    /// A sender's notification, and whom to answer.
    Put {
        sealed: Box<Sealed>,
        stamp: Stamp,
        callers: Vec<Caller>,
    },
    /// What another store offered, and whom to answer, with what was held before.
    Offer {
        items: Vec<(Sealed, Item)>,
        caller: Option<Caller>,
        held: u16,
    },
    /// A deletion, until when it is remembered, and whom to answer.
    Delete {
        deletion: Deletion,
        expires: UnixMillis,
        caller: Option<Caller>,
    },
    /// What is over.
    End,
}

/// A notification that is to be written.
#[derive(Debug)]
struct Waiting {
    work: Difficulty,
    sealed: Box<Sealed>,
    callers: Vec<Caller>,
}

/// Figures of a store, for people and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeeperFigures {
    /// Notifications held.
    pub held: u64,
    /// Bytes of the room taken.
    pub bytes: u64,
    /// Deletions remembered.
    pub deletions: u64,
    /// Accepted from senders since the start.
    pub accepted: u64,
    /// Refused to senders since the start.
    pub refused: u64,
    /// Brought by other stores since the start.
    pub repaired: u64,
    /// Pushed to subscribers since the start.
    pub pushed: u64,
}

/// A store.
pub struct Keeper {
    pub(super) settings: Settings,
    pub(super) identity: Identity,
    pub(super) shelf: Shelf,
    pub(super) places: Places,
    pub(super) outputs: VecDeque<Output>,
    pub(super) sync: Sync,
    load: Load,
    waiting: Vec<Waiting>,
    writing: VecDeque<Cause>,
    /// Bytes that are on their way to the disk.
    pub(super) reserved: u64,
    /// Until when nothing is handed to the disk, which refused the last write.
    broken: Option<UnixMillis>,
    subscribers: BTreeMap<Tag, (NodeId, UnixMillis)>,
    pub(super) figures: KeeperFigures,
    pub(super) last_ticket: u64,
    tidied: UnixMillis,
    #[cfg(any(test, feature = "adversary"))]
    pub(super) bug: Option<super::Bug>,
}

impl Keeper {
    /// A store that holds nothing yet.
    #[must_use]
    pub fn new(settings: Settings, identity: Identity, anchors: Vec<NodeKey>) -> Self {
        Self {
            settings,
            identity,
            shelf: Shelf::default(),
            places: Places::new(anchors),
            outputs: VecDeque::new(),
            sync: Sync::default(),
            load: Load::default(),
            waiting: Vec::new(),
            writing: VecDeque::new(),
            reserved: 0,
            broken: None,
            subscribers: BTreeMap::new(),
            figures: KeeperFigures::default(),
            last_ticket: 0,
            tidied: UnixMillis(0),
            #[cfg(any(test, feature = "adversary"))]
            bug: None,
        }
    }

    /// Makes it misbehave in one way, to see that somebody notices.
    #[cfg(any(test, feature = "adversary"))]
    pub const fn plant(&mut self, bug: super::Bug) {
        self.bug = Some(bug);
    }

    #[cfg(any(test, feature = "adversary"))]
    pub(super) fn has(&self, bug: super::Bug) -> bool {
        self.bug == Some(bug)
    }

    /// The key of this store.
    #[must_use]
    pub const fn key(&self) -> NodeKey {
        self.identity.node_key()
    }

    /// The directory in force, and who counts as an anchor.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Others count as anchors from now on.
    pub fn set_anchors(&mut self, anchors: Vec<NodeKey>) {
        self.places.set_anchors(anchors);
    }

    /// How much it holds and has done.
    #[must_use]
    pub fn figures(&self) -> KeeperFigures {
        KeeperFigures {
            held: self.shelf.len() as u64,
            bytes: self.shelf.bytes(),
            deletions: self.shelf.deletions() as u64,
            ..self.figures
        }
    }

    /// Whether it holds this notification; for those who look at a whole network.
    #[must_use]
    pub fn holds(&self, address: &RelayAddress) -> bool {
        self.shelf.holds(address)
    }

    /// What the disk held at the start; damaged entries are left out and told.
    pub fn loaded(&mut self, now: UnixMillis, entries: Vec<(RelayAddress, Vec<u8>)>) {
        for (address, bytes) in entries {
            match Entry::read(&bytes) {
                Some(Entry::Item(sealed, item)) if sealed.hash == address => {
                    self.shelf.insert(&sealed, item);
                }
                Some(Entry::Deleted(expires, deletion)) if deletion.hash == address => {
                    self.shelf.bury(deletion, expires);
                }
                _ => self.outputs.push_back(Output::DamagedEntry(address)),
            }
        }
        self.end_what_is_over(now);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Keeper::handle_timeout`] is to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Option<UnixMillis> {
        let end = self.shelf.next_end();
        let end = end.filter(|_| self.writing.len() < MAX_WRITES);
        let end = end.map(|end| self.broken.map_or(end, |until| end.max(until)));
        self.sync.next_timeout().into_iter().chain(end).min()
    }

    /// It is time to do something.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        self.end_what_is_over(now);
        if now.since(self.tidied) > 3_600_000 {
            self.tidied = now;
            self.shelf.tidy(now);
            self.subscribers.retain(|_, (_, until)| *until > now);
        }
        self.sync_timeout(now);
    }

    fn end_what_is_over(&mut self, now: UnixMillis) {
        #[cfg(any(test, feature = "adversary"))]
        if self.has(super::Bug::NeverEnds) {
            return;
        }
        while self.writing.len() < MAX_WRITES && !self.is_broken(now) {
            let ended = self.shelf.take_ended(now, ENDED_AT_ONCE);
            if ended.is_empty() {
                break;
            }
            let changes = ended.into_iter().map(|address| Change {
                address,
                value: None,
            });
            self.write(changes.collect(), Cause::End);
        }
    }

    /// A question came.
    pub fn ask(&mut self, now: UnixMillis, caller: Caller, ask: Ask) {
        let reply = match ask {
            Ask::Put(item) => return self.on_put(now, caller, &item),
            Ask::Get { tag, since, after } => self.under(&tag, since, after, now),
            Ask::Price(tag) => Reply::Price {
                needed: self.needed(&tag, now),
                room: self.room(),
            },
            Ask::Providers(tag) => Reply::Providers(self.providers(Region::of(&tag))),
            Ask::Subscribe { to, tag } => {
                self.subscribe(now, to, tag);
                Reply::Done
            }
            Ask::Delete(deletion) => return self.on_delete(now, Some(caller), deletion),
            Ask::Directory(version) => {
                let newer = self.places.directory();
                let newer = newer.filter(|directory| directory.version > version);
                Reply::Directory(newer.cloned().map(Box::new))
            }
            Ask::Digests(regions) => self.on_digests(&regions),
            Ask::Compare { region, sketch } => self.on_compare(region, &sketch.0.0),
            Ask::Fetch(names) => Reply::Items {
                items: names.iter().filter_map(|name| self.handed(name)).collect(),
                next: None,
            },
            Ask::Offer { items, deletions } => {
                return self.on_offer(now, Some(caller), items, deletions);
            }
            Ask::Push(_) => Reply::Refused(Refusal::NoRelay),
        };
        self.outputs.push_back(Output::Reply(caller, reply));
    }

    fn refuse(&mut self, caller: Caller, refusal: Refusal) {
        self.figures.refused += 1;
        let reply = Reply::Refused(refusal);
        self.outputs.push_back(Output::Reply(caller, reply));
    }

    /// Bytes that there is room for.
    pub(super) fn room(&self) -> u64 {
        let taken = self.shelf.bytes() + self.reserved;
        self.settings.limits.bytes.saturating_sub(taken)
    }

    /// Whether a notification of any size may be refused for lack of room.
    pub(super) fn is_full(&self) -> bool {
        self.broken.is_some() || self.room() < weight(MAX_SEALED_BYTES)
    }

    /// What the work for a tag must reach now.
    pub fn needed(&mut self, tag: &Tag, now: UnixMillis) -> Difficulty {
        let limits = &self.settings.limits;
        let load = self.load.multiple(now);
        let fill = price::of_fill(self.shelf.bytes() + self.reserved, limits.bytes);
        let tag = price::of_tag(self.shelf.held_of(tag), limits.per_tag);
        let multiple = load.max(fill).times(tag);
        #[cfg(any(test, feature = "adversary"))]
        if self.has(super::Bug::NeverRaises) {
            return self.settings.base;
        }
        multiple.over(self.settings.base)
    }

    fn on_put(&mut self, now: UnixMillis, caller: Caller, item: &Item) {
        let sealed = match self.check(now, item) {
            Ok(sealed) => sealed,
            Err(refusal) => return self.refuse(caller, refusal),
        };
        if let Some(stamp) = self.held_stamp(&sealed.hash) {
            let reply = Reply::Stored(stamp);
            return self.outputs.push_back(Output::Reply(caller, reply));
        }
        // On its way to the disk already.
        for cause in &mut self.writing {
            if let Cause::Put {
                sealed: other,
                callers,
                ..
            } = cause
                && other.hash == sealed.hash
            {
                return callers.push(caller);
            }
        }
        if let Some(other) = self
            .waiting
            .iter_mut()
            .find(|w| w.sealed.hash == sealed.hash)
        {
            return other.callers.push(caller);
        }
        let waiting = Waiting {
            work: (self.settings.measure)(&sealed.hash, sealed.work),
            sealed: Box::new(sealed),
            callers: vec![caller],
        };
        self.waiting.push(waiting);
        if self.waiting.len() > MAX_WAITING {
            self.refuse_least();
        }
        self.accept_waiting(now);
    }

    /// The one with the least work makes room in the queue.
    fn refuse_least(&mut self) {
        let least = self.waiting.iter().enumerate().min_by_key(|(_, w)| w.work);
        let Some((place, _)) = least else { return };
        let gone = self.waiting.swap_remove(place);
        let needed = self.waiting.iter().map(|w| w.work).min();
        let needed = needed.unwrap_or(self.settings.base);
        for caller in gone.callers {
            self.refuse(caller, Refusal::Busy { needed });
        }
    }

    /// Hands what waits to the disk, most work first, as long as the disk keeps up.
    fn accept_waiting(&mut self, now: UnixMillis) {
        while self.writing.len() < MAX_WRITES {
            let most = self.waiting.iter().enumerate().max_by_key(|(_, w)| w.work);
            let Some((place, _)) = most else { return };
            let Waiting {
                sealed, callers, ..
            } = self.waiting.swap_remove(place);
            // Others that came before it may have used up what was free.
            if let Err(refusal) = self.check_room(now, &sealed) {
                for caller in callers {
                    self.refuse(caller, refusal);
                }
                continue;
            }
            let (network, hash) = (self.settings.network, sealed.hash);
            let stamp = Stamp::sign(&self.identity, network, &hash, now);
            let mut kept = sealed.clone();
            kept.stamp = Some(stamp);
            let item = Item::new(&kept);
            self.shelf.came(&sealed.tag, now);
            self.load.arrived(now, &self.settings.limits);
            self.reserved += weight(item.as_bytes().len());
            let change = Change {
                address: hash,
                value: Some(Entry::item_bytes(&item)),
            };
            #[cfg(any(test, feature = "adversary"))]
            if self.has(super::Bug::PromisesEarly) {
                for caller in &callers {
                    let reply = Reply::Stored(stamp);
                    self.outputs.push_back(Output::Reply(*caller, reply));
                }
            }
            let cause = Cause::Put {
                sealed: kept,
                stamp,
                callers,
            };
            self.write(vec![change], cause);
        }
    }

    /// Everything that decides whether a sender's notification may be accepted.
    fn check(&mut self, now: UnixMillis, item: &Item) -> Result<Sealed, Refusal> {
        let sealed = item.open()?;
        if self.shelf.deletion(&sealed.hash).is_some() {
            return Err(Refusal::Replayed);
        }
        if self.shelf.holds(&sealed.hash) {
            return Ok(sealed);
        }
        sealed.check_time(now)?;
        self.check_room(now, &sealed)?;
        Ok(sealed)
    }

    fn check_room(&mut self, now: UnixMillis, sealed: &Sealed) -> Result<(), Refusal> {
        if self.is_broken(now) {
            return Err(Refusal::Storage);
        }
        let reached = (self.settings.measure)(&sealed.hash, sealed.work);
        let needed = self.needed(&sealed.tag, now);
        if reached < needed {
            return Err(Refusal::TooLittleWork { needed });
        }
        let limits = self.settings.limits;
        let writing = self.writing.iter().filter(
            |cause| matches!(cause, Cause::Put { sealed: other, .. } if other.tag == sealed.tag),
        );
        let held = self.shelf.held_of(&sealed.tag);
        let held = held.saturating_add(u32::try_from(writing.count()).unwrap_or(0));
        if held >= limits.per_tag {
            return Err(Refusal::TagFull { held });
        }
        let (lately, oldest) = self.shelf.lately_of(&sealed.tag, now);
        if lately >= limits.per_hour {
            let passed = oldest.map_or(0, |at| now.since(at));
            let retry = 3_600_000_u64.saturating_sub(passed).div_ceil(1_000);
            let retry_s = u32::try_from(retry).unwrap_or(u32::MAX);
            return Err(Refusal::TooOften { retry_s });
        }
        // The stamp is still to be added: 105 bytes at most with what a payload may have.
        let length = sealed.to_bytes().len() + 104;
        if weight(length) > self.room() {
            let room = u32::try_from(self.room()).unwrap_or(u32::MAX);
            return Err(Refusal::Full { room });
        }
        Ok(())
    }

    fn held_stamp(&self, address: &RelayAddress) -> Option<Stamp> {
        self.shelf.get(address)?.open().ok()?.stamp
    }

    /// A notification as it is handed out.
    pub(super) fn handed(&self, address: &RelayAddress) -> Option<Item> {
        self.shelf.get(address).cloned()
    }

    fn under(&self, tag: &Tag, since: UnixMillis, after: Option<Cursor>, now: UnixMillis) -> Reply {
        #[cfg(any(test, feature = "adversary"))]
        let now = if self.has(super::Bug::NeverEnds) {
            UnixMillis(0)
        } else {
            now
        };
        let mut items = Vec::new();
        let next = self.shelf.under(tag, since, after, now, &mut items);
        Reply::Items { items, next }
    }

    fn subscribe(&mut self, now: UnixMillis, to: NodeId, tag: Tag) {
        if self.subscribers.len() >= MAX_SUBSCRIBERS && !self.subscribers.contains_key(&tag) {
            let first = self.subscribers.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(first) = first.map(|(tag, _)| *tag) {
                self.subscribers.remove(&first);
            }
        }
        self.subscribers.insert(tag, (to, now.plus(SUBSCRIBED_MS)));
    }

    fn push(&mut self, now: UnixMillis, tag: &Tag, item: &Item) {
        if let Some((to, until)) = self.subscribers.get(tag)
            && *until > now
        {
            self.figures.pushed += 1;
            let ask = Ask::Push(vec![item.clone()]);
            self.outputs.push_back(Output::Push(*to, ask));
        }
    }

    fn on_delete(&mut self, now: UnixMillis, caller: Option<Caller>, deletion: Deletion) {
        let most = self.settings.limits.bytes / DELETIONS_PER_ROOM;
        let expires = self.shelf.end_of(&deletion.hash);
        let answer = if self.shelf.deletion(&deletion.hash).is_some() {
            Some(Reply::Done)
        } else if !deletion.holds(self.settings.network) {
            Some(Reply::Refused(Refusal::NotTheOwner))
        } else if expires.is_none() && self.shelf.deletions() as u64 >= most {
            // Deletions of what was never here cost nothing to make: only so many are remembered.
            Some(Reply::Done)
        } else {
            None
        };
        if let Some(reply) = answer {
            if let Some(caller) = caller {
                self.outputs.push_back(Output::Reply(caller, reply));
            }
            return;
        }
        // Where it is not known, it could have been made just now.
        let longest = now.plus(u64::from(MAX_TTL_S) * 1_000);
        let expires = expires.unwrap_or(longest);
        let change = Change {
            address: deletion.hash,
            value: Some(Entry::deleted_bytes(expires, &deletion)),
        };
        let cause = Cause::Delete {
            deletion,
            expires,
            caller,
        };
        self.write(vec![change], cause);
    }

    /// Another store offers what this one lacks.
    pub(super) fn on_offer(
        &mut self,
        now: UnixMillis,
        caller: Option<Caller>,
        items: Vec<Item>,
        deletions: Vec<Deletion>,
    ) {
        for deletion in deletions {
            self.on_delete(now, None, deletion);
        }
        let (mut held, mut new, mut changes) = (0, Vec::new(), Vec::new());
        for item in items {
            let Some(sealed) = self.replica(now, &item) else {
                continue;
            };
            if self.shelf.holds(&sealed.hash) {
                held += 1;
                continue;
            }
            if self.is_broken(now) || weight(item.as_bytes().len()) > self.room() {
                continue;
            }
            let stamp = Stamp::sign(&self.identity, self.settings.network, &sealed.hash, now);
            let mut kept = sealed;
            kept.stamp = Some(stamp);
            let item = Item::new(&kept);
            self.reserved += weight(item.as_bytes().len());
            changes.push(Change {
                address: kept.hash,
                value: Some(Entry::item_bytes(&item)),
            });
            new.push((kept, item));
        }
        if new.is_empty() {
            return self.kept(caller, held);
        }
        let cause = Cause::Offer {
            items: new,
            caller,
            held,
        };
        self.write(changes, cause);
    }

    /// A notification that another store vouches for.
    fn replica(&self, now: UnixMillis, item: &Item) -> Option<Sealed> {
        let sealed = item.open().ok()?;
        let stamp = sealed.stamp?;
        let over = sealed.expires() <= now || sealed.ttl_s > MAX_TTL_S;
        let early = sealed.timestamp.since(now) > super::sealed::MAX_AHEAD_MS;
        let gone = self.shelf.deletion(&sealed.hash).is_some();
        let worked = (self.settings.measure)(&sealed.hash, sealed.work) >= self.settings.base;
        let vouched =
            self.places.lists(&stamp.store) && stamp.holds(self.settings.network, &sealed.hash);
        (!over && !early && !gone && worked && vouched).then_some(sealed)
    }

    fn kept(&mut self, caller: Option<Caller>, kept: u16) {
        if let Some(caller) = caller {
            let full = self.is_full();
            let reply = Reply::Kept { kept, full };
            self.outputs.push_back(Output::Reply(caller, reply));
        }
    }

    fn write(&mut self, changes: Vec<Change>, cause: Cause) {
        self.writing.push_back(cause);
        self.outputs.push_back(Output::Write(changes));
    }

    /// The disk has taken the changes of the first [`Output::Write`] that it was not told of yet, or none
    /// of them.
    pub fn written(&mut self, now: UnixMillis, result: Result<(), StoreFault>) {
        let Some(cause) = self.writing.pop_front() else {
            return;
        };
        let failed = result.is_err();
        self.broken = failed.then(|| now.plus(BROKEN_MS));
        match cause {
            Cause::Put {
                sealed,
                stamp,
                callers,
            } => {
                let item = Item::new(&sealed);
                self.reserved -= weight(item.as_bytes().len());
                if failed {
                    for caller in callers {
                        self.refuse(caller, Refusal::Storage);
                    }
                } else {
                    self.figures.accepted += 1;
                    self.push(now, &sealed.tag, &item);
                    self.shelve(&sealed, item);
                    for caller in callers {
                        let reply = Reply::Stored(stamp);
                        self.outputs.push_back(Output::Reply(caller, reply));
                    }
                }
            }
            Cause::Offer {
                items,
                caller,
                held,
            } => {
                let mut kept = held;
                for (sealed, item) in items {
                    self.reserved -= weight(item.as_bytes().len());
                    if !failed {
                        self.figures.repaired += 1;
                        self.push(now, &sealed.tag, &item);
                        self.shelve(&sealed, item);
                        kept = kept.saturating_add(1);
                    }
                }
                self.kept(caller, kept);
            }
            Cause::Delete {
                deletion,
                expires,
                caller,
            } => {
                let reply = if failed {
                    Reply::Refused(Refusal::Storage)
                } else {
                    self.shelf.bury(deletion, expires);
                    Reply::Done
                };
                if let Some(caller) = caller {
                    self.outputs.push_back(Output::Reply(caller, reply));
                }
            }
            // What is over is found again at the next start, and not handed out.
            Cause::End => {}
        }
        self.accept_waiting(now);
    }

    fn shelve(&mut self, sealed: &Sealed, item: Item) {
        // Deleted while it was on its way to the disk.
        if self.shelf.deletion(&sealed.hash).is_none() {
            self.shelf.insert(sealed, item);
            self.evict_if_planted();
        }
    }

    #[cfg(any(test, feature = "adversary"))]
    fn evict_if_planted(&mut self) {
        if self.has(super::Bug::Evicts)
            && let Some(oldest) = self.shelf.next_end()
            && self.shelf.len() > 40
        {
            // The one that is over first goes, promised or not.
            let _ = self.shelf.take_ended(oldest, 1);
        }
    }

    #[cfg(not(any(test, feature = "adversary")))]
    const fn evict_if_planted(&self) {}

    /// Whether the disk refused a write and is not tried again yet.
    fn is_broken(&self, now: UnixMillis) -> bool {
        self.broken.is_some_and(|until| now < until)
    }

    /// A bridge is known: an anchor lists it as long as it answers.
    pub fn meet(&mut self, now: UnixMillis, record: PeerRecord) {
        self.sync_meet(now, record);
    }

    /// Bridges that hold what lies in a region, as far as known here: this one, those that said
    /// they do, then those that shall.
    fn providers(&self, region: Region) -> Vec<NodeKey> {
        let mut providers = Vec::new();
        if self.shelf.digest(region).count > 0 {
            providers.push(self.key());
        }
        providers.extend(self.sync.holding(region));
        for key in self.places.order(region).into_iter().take(COPIES) {
            if !providers.contains(&key) {
                providers.push(key);
            }
        }
        providers
    }
}

/// What lies on the disk under an address.
enum Entry {
    Item(Sealed, Item),
    Deleted(UnixMillis, Deletion),
}

impl Entry {
    const ITEM: u8 = 1;
    const DELETED: u8 = 2;

    fn item_bytes(item: &Item) -> Vec<u8> {
        [&[Self::ITEM], item.as_bytes()].concat()
    }

    fn deleted_bytes(expires: UnixMillis, deletion: &Deletion) -> Vec<u8> {
        let deletion = postcard::to_allocvec(deletion).unwrap_or_default();
        let expires = expires.number().to_be_bytes();
        [&[Self::DELETED], expires.as_slice(), &deletion].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        match kind {
            Self::ITEM => {
                let item = Item::from_bytes(rest.to_vec());
                Some(Self::Item(item.open().ok()?, item))
            }
            Self::DELETED => {
                let (expires, rest) = rest.split_first_chunk::<8>()?;
                let (deletion, left) = postcard::take_from_bytes(rest).ok()?;
                let expires = UnixMillis(u64::from_be_bytes(*expires));
                left.is_empty().then_some(Self::Deleted(expires, deletion))
            }
            _ => None,
        }
    }
}
