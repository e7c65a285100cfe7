//! Stores that compare what they hold, and bring back what was lost.
//!
//! Every [`SYNC_MS`] a store asks each bridge of the directory how much it holds of the regions that both
//! have to do with. States of a comparison: *digests* (count and mixed names of every region; where they
//! are equal nothing more is said), *names* (of one region that differs, by range-based reconciliation),
//! *bodies* (what this store lacks is fetched, what the other lacks is offered, deletions are handed over),
//! then the next region.
//!
//! Rules:
//! - a region belongs on the first [`COPIES`] bridges of its order that can take something: those that said they
//!   are full, and those that did not answer for [`DOWN_MS`], are passed over for the next. So a lost copy is made
//!   anew, on who is next;
//! - whoever holds something of a region compares it with all of those, whether or not it is one of them;
//! - a bridge that does not answer is asked again after [`AGAIN_MS`], doubled up to [`SYNC_MS`];
//! - an anchor adds bridges that answered lately, takes out those that did not within [`LOST_MS`], and signs a new directory
//!   when the list changes, at most every [`DIRECTORY_MS`]; versions of directories go round with the digests.
//!
//! Memory: one entry per bridge (at most [`MAX_BRIDGES`] are met) with a list of regions, 256 lists of holders.

use std::collections::BTreeMap;

use nano_core::UnixMillis;
use negentropy::{Id, Negentropy, NegentropyStorageVector};

use super::address::RelayAddress;
use super::directory::{COPIES, Directory, MAX_BRIDGES, Region};
use super::keeper::{Keeper, Output};
use super::message::{Ask, BATCH_BYTES, Digest, Item, MAX_ITEMS, Reply, Sketch, Ticket};
use super::refusal::Refusal;
use super::sealed::Deletion;
use crate::wire::Bytes;
use crate::{NodeKey, PeerRecord};

/// Time from one comparison with a bridge to the next.
pub const SYNC_MS: u64 = 300_000;
/// First time until a bridge that did not answer is asked again.
const AGAIN_MS: u64 = 30_000;
/// After how long without an answer a bridge is passed over.
pub const DOWN_MS: u64 = 1_800_000;
/// After how long without an answer an anchor lists it no longer.
pub const LOST_MS: u64 = 3_600_000;
/// How long a bridge that said it is full is passed over.
const FULL_MS: u64 = 1_800_000;
/// How often an anchor looks whether its directory is still right.
const DIRECTORY_MS: u64 = 10_000;
/// Longest message of a reconciliation.
const FRAME: u64 = 40 * 1024;

/// A bridge as seen from here.
#[derive(Debug)]
struct Peer {
    record: Option<PeerRecord>,
    next: UnixMillis,
    busy: bool,
    failures: u32,
    /// When it last answered, or was met.
    answered: UnixMillis,
    /// Whether it ever answered.
    ever: bool,
    down: bool,
    full_until: UnixMillis,
    /// Regions that differ and are to be compared.
    differ: Vec<Region>,
}

/// What an answer is waited for.
enum Step {
    Digests,
    Names {
        region: Region,
        ours: Box<Negentropy<'static, NegentropyStorageVector>>,
        have: Vec<RelayAddress>,
        need: Vec<RelayAddress>,
    },
    Fetch {
        have: Vec<RelayAddress>,
        need: Vec<RelayAddress>,
    },
    Offer {
        have: Vec<RelayAddress>,
    },
    Directory,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Digests => "Digests",
            Self::Names { .. } => "Names",
            Self::Fetch { .. } => "Fetch",
            Self::Offer { .. } => "Offer",
            Self::Directory => "Directory",
        })
    }
}

/// Comparisons under way, and what came of earlier ones.
#[derive(Debug, Default)]
pub(super) struct Sync {
    peers: BTreeMap<NodeKey, Peer>,
    steps: BTreeMap<Ticket, (NodeKey, Step)>,
    /// How much bridges said that they hold of regions.
    told: BTreeMap<(Region, NodeKey), Digest>,
    /// The order of each region under the directory in force; empty when it is to be reckoned anew.
    orders: Vec<Vec<NodeKey>>,
    /// The holders of each region; empty when they are to be chosen anew.
    holders: Vec<Vec<NodeKey>>,
    own: Option<PeerRecord>,
    look_next: UnixMillis,
}

impl Sync {
    /// When something is to be done.
    pub(super) fn next_timeout(&self) -> Option<UnixMillis> {
        let peers = self.peers.values().filter(|peer| !peer.busy);
        let peers = peers.map(|peer| peer.next);
        let look = self.own.as_ref().map(|_| self.look_next);
        peers.chain(look).min()
    }

    /// Bridges that held something of a region when they were last asked: its provider records.
    pub(super) fn holding(&self, region: Region) -> impl Iterator<Item = NodeKey> {
        let told = self.told.iter();
        let holding = told.filter(move |((of, _), digest)| *of == region && digest.count > 0);
        holding.map(|((_, key), _)| *key)
    }
}

impl Keeper {
    pub(super) fn sync_meet(&mut self, now: UnixMillis, record: PeerRecord) {
        let key = record.node_key;
        if key == self.key() {
            self.sync.own = Some(record);
            self.sync.look_next = self.sync.look_next.min(now);
            return;
        }
        if !self.sync.peers.contains_key(&key) && self.sync.peers.len() >= MAX_BRIDGES {
            return;
        }
        let peer = self.peer(now, key);
        let before = peer.record.as_ref().map(|before| before.issued_at);
        if before.is_none_or(|before| before < record.issued_at) {
            peer.record = Some(record);
        }
    }

    fn peer(&mut self, now: UnixMillis, key: NodeKey) -> &mut Peer {
        // Not everybody compares at the same moment.
        let [a, b, ..] = *key.as_bytes();
        let [c, d, ..] = *self.identity.node_key().as_bytes();
        let spread = u64::from(u16::from_be_bytes([a ^ c, b ^ d])) % 5_000;
        self.sync.peers.entry(key).or_insert_with(|| Peer {
            record: None,
            next: now.plus(500 + spread),
            busy: false,
            failures: 0,
            answered: now,
            ever: false,
            down: false,
            full_until: UnixMillis(0),
            differ: Vec::new(),
        })
    }

    /// A directory came, from the disk, another bridge or an operator.
    pub fn take_directory(&mut self, now: UnixMillis, directory: Directory) -> bool {
        let network = self.settings.network;
        if !self.places.take(directory.clone(), network, now) {
            return false;
        }
        self.outputs
            .push_back(Output::Directory(Box::new(directory.clone())));
        for record in directory.bridges {
            if record.node_key != self.key() {
                self.sync_meet(now, record);
            }
        }
        let places = &self.places;
        self.sync.told.retain(|(_, key), _| places.lists(key));
        self.sync.orders.clear();
        self.sync.holders.clear();
        true
    }

    /// The bridges that a region belongs on, as seen from here.
    fn holders(&mut self, region: Region) -> &[NodeKey] {
        if self.sync.holders.is_empty() {
            if self.sync.orders.is_empty() {
                let orders = (0..=255).map(|number| self.places.order(Region(number)));
                self.sync.orders = orders.collect();
            }
            let own = self.key();
            let peers = self.sync.peers.iter();
            let passed_over = peers.filter(|(key, peer)| {
                **key != own && (peer.down || peer.full_until > UnixMillis(0))
            });
            let passed_over: Vec<NodeKey> = passed_over.map(|(key, _)| *key).collect();
            let orders = self.sync.orders.iter();
            self.sync.holders = orders
                .map(|order| {
                    let able = order.iter().filter(|key| !passed_over.contains(key));
                    able.take(COPIES).copied().collect()
                })
                .collect();
        }
        &self.sync.holders[usize::from(region.0)]
    }

    pub(super) fn sync_timeout(&mut self, now: UnixMillis) {
        self.look_at_directory(now);
        let due: Vec<NodeKey> = self
            .sync
            .peers
            .iter()
            .filter(|(_, peer)| !peer.busy && peer.next <= now)
            .map(|(key, _)| *key)
            .collect();
        for key in due {
            self.compare_with(now, key);
        }
    }

    /// Begins a comparison.
    fn compare_with(&mut self, now: UnixMillis, key: NodeKey) {
        let own = self.key();
        let mut regions = Vec::new();
        #[cfg(any(test, feature = "adversary"))]
        let compares = !self.has(super::Bug::NeverRepairs);
        #[cfg(not(any(test, feature = "adversary")))]
        let compares = true;
        if compares && self.places.lists(&key) {
            for number in 0..=255 {
                let region = Region(number);
                let digest = self.shelf.digest(region);
                let holders = self.holders(region);
                if holders.contains(&key) && (digest.count > 0 || holders.contains(&own)) {
                    regions.push((region, digest));
                }
            }
        }
        // Who is not listed has no directory, or an old one: with the digests goes round which is in force.
        let may_list = self.places.is_anchor(&own) || !self.places.lists(&own);
        let may_list = may_list || !regions.is_empty();
        if let Some(peer) = self.sync.peers.get_mut(&key) {
            peer.next = now.plus(SYNC_MS);
            if peer.full_until != UnixMillis(0) && peer.full_until <= now {
                peer.full_until = UnixMillis(0);
                self.sync.holders.clear();
            }
        }
        if may_list {
            self.step(key, Step::Digests, Ask::Digests(regions));
        }
    }

    fn step(&mut self, key: NodeKey, step: Step, ask: Ask) {
        if let Some(peer) = self.sync.peers.get_mut(&key) {
            peer.busy = true;
        }
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.sync.steps.insert(ticket, (key, step));
        self.outputs.push_back(Output::Ask(ticket, key, ask));
    }

    /// The answer to [`Output::Ask`]; `None` if there is none.
    pub fn answered(&mut self, now: UnixMillis, ticket: Ticket, reply: Option<Reply>) {
        let Some((key, step)) = self.sync.steps.remove(&ticket) else {
            return;
        };
        let Some(peer) = self.sync.peers.get_mut(&key) else {
            return;
        };
        peer.busy = false;
        let Some(reply) = reply else {
            return self.did_not_answer(now, key);
        };
        peer.failures = 0;
        (peer.answered, peer.ever) = (now, true);
        if std::mem::take(&mut peer.down) {
            self.sync.holders.clear();
        }
        match (step, reply) {
            (
                Step::Digests,
                Reply::Digests {
                    regions,
                    directory,
                    full,
                },
            ) => {
                self.told_full(now, key, full);
                self.on_digests_reply(key, &regions);
                if directory > self.places.version() {
                    let version = self.places.version();
                    return self.step(key, Step::Directory, Ask::Directory(version));
                }
                self.compare_next(key);
            }
            (
                Step::Names {
                    region,
                    ours,
                    have,
                    need,
                },
                Reply::Compared(sketch),
            ) => self.on_compared(now, key, region, ours, have, need, &sketch.0.0),
            (Step::Fetch { have, mut need }, Reply::Items { items, .. }) => {
                let came: Vec<RelayAddress> = items
                    .iter()
                    .filter_map(|item| Some(item.open().ok()?.hash))
                    .collect();
                let before = need.len();
                need.retain(|name| !came.contains(name));
                if need.len() == before {
                    // It has them no longer.
                    need.clear();
                }
                self.on_offer(now, None, items, Vec::new());
                self.exchange(key, have, need);
            }
            (Step::Offer { have }, Reply::Kept { full, .. }) => {
                self.told_full(now, key, full);
                let have = if full { Vec::new() } else { have };
                self.exchange(key, have, Vec::new());
            }
            (Step::Directory, Reply::Directory(directory)) => {
                if let Some(directory) = directory {
                    self.take_directory(now, *directory);
                }
                self.compare_next(key);
            }
            // What does not fit the question ends this comparison; the next one begins anew.
            _ => self.did_not_answer(now, key),
        }
    }

    fn did_not_answer(&mut self, now: UnixMillis, key: NodeKey) {
        let Some(peer) = self.sync.peers.get_mut(&key) else {
            return;
        };
        peer.differ.clear();
        let wait = AGAIN_MS << peer.failures.min(8);
        peer.failures += 1;
        peer.next = now.plus(wait.min(SYNC_MS));
        if !peer.down && now.since(peer.answered) >= DOWN_MS {
            peer.down = true;
            self.sync.holders.clear();
            self.sync.told.retain(|(_, other), _| *other != key);
        }
    }

    fn told_full(&mut self, now: UnixMillis, key: NodeKey, full: bool) {
        let Some(peer) = self.sync.peers.get_mut(&key) else {
            return;
        };
        let was = peer.full_until != UnixMillis(0);
        peer.full_until = if full {
            now.plus(FULL_MS)
        } else {
            UnixMillis(0)
        };
        if was != full {
            self.sync.holders.clear();
        }
    }

    fn on_digests_reply(&mut self, key: NodeKey, regions: &[(Region, Digest)]) {
        let mut differ = Vec::new();
        for (region, theirs) in regions {
            self.sync.told.insert((*region, key), *theirs);
            if self.shelf.digest(*region) != *theirs {
                differ.push(*region);
            }
        }
        if let Some(peer) = self.sync.peers.get_mut(&key) {
            peer.differ = differ;
        }
    }

    /// Turns to the next region that differs.
    fn compare_next(&mut self, key: NodeKey) {
        let Some(peer) = self.sync.peers.get_mut(&key) else {
            return;
        };
        let Some(region) = peer.differ.pop() else {
            return;
        };
        let begun = self.names_of(region).and_then(|names| {
            let mut ours = Negentropy::owned(names, FRAME)?;
            let sketch = ours.initiate()?;
            Ok((ours, sketch))
        });
        let Ok((ours, sketch)) = begun else {
            return;
        };
        let step = Step::Names {
            region,
            ours: Box::new(ours),
            have: Vec::new(),
            need: Vec::new(),
        };
        let sketch = Sketch(Bytes(sketch));
        self.step(key, step, Ask::Compare { region, sketch });
    }

    fn names_of(&self, region: Region) -> Result<NegentropyStorageVector, negentropy::Error> {
        let mut storage = NegentropyStorageVector::new();
        for (at, address) in self.shelf.names(region) {
            storage.insert(at.number(), Id::from_byte_array(*address.as_bytes()))?;
        }
        storage.seal()?;
        Ok(storage)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one step, taken apart"
    )]
    fn on_compared(
        &mut self,
        now: UnixMillis,
        key: NodeKey,
        region: Region,
        mut ours: Box<Negentropy<'static, NegentropyStorageVector>>,
        mut have: Vec<RelayAddress>,
        mut need: Vec<RelayAddress>,
        sketch: &[u8],
    ) {
        let (mut more, mut less) = (Vec::new(), Vec::new());
        let next = ours.reconcile_with_ids(sketch, &mut more, &mut less);
        let names = |ids: Vec<Id>| {
            let names = ids.into_iter();
            names.map(|id| RelayAddress::from_bytes(id.to_bytes()))
        };
        have.extend(names(more));
        need.extend(names(less));
        match next {
            Ok(Some(sketch)) => {
                let step = Step::Names {
                    region,
                    ours,
                    have,
                    need,
                };
                let sketch = Sketch(Bytes(sketch));
                self.step(key, step, Ask::Compare { region, sketch });
            }
            Ok(None) => {
                let (gone, need): (Vec<_>, Vec<_>) = need
                    .into_iter()
                    .partition(|name| self.shelf.deletion(name).is_some());
                let deletions: Vec<Deletion> = gone
                    .iter()
                    .filter_map(|name| Some(self.shelf.deletion(name)?.1))
                    .take(MAX_ITEMS)
                    .collect();
                if deletions.is_empty() {
                    return self.exchange(key, have, need);
                }
                // What is needed besides comes with the next comparison.
                let items = Vec::new();
                self.step(key, Step::Offer { have }, Ask::Offer { items, deletions });
            }
            Err(_) => self.did_not_answer(now, key),
        }
    }

    /// Fetches what is lacking here, then offers what is lacking there.
    fn exchange(&mut self, key: NodeKey, mut have: Vec<RelayAddress>, need: Vec<RelayAddress>) {
        if !need.is_empty() && !self.is_full() {
            let names = need.iter().take(MAX_ITEMS).copied().collect();
            return self.step(key, Step::Fetch { have, need }, Ask::Fetch(names));
        }
        let (mut items, mut bytes) = (Vec::<Item>::new(), 0);
        while items.len() < MAX_ITEMS && bytes < BATCH_BYTES {
            let Some(name) = have.pop() else { break };
            if let Some(item) = self.handed(&name) {
                bytes += item.as_bytes().len();
                items.push(item);
            }
        }
        if items.is_empty() {
            return self.compare_next(key);
        }
        let deletions = Vec::new();
        self.step(key, Step::Offer { have }, Ask::Offer { items, deletions });
    }

    pub(super) fn on_digests(&self, regions: &[(Region, Digest)]) -> Reply {
        let ours = regions.iter();
        Reply::Digests {
            regions: ours
                .map(|(region, _)| (*region, self.shelf.digest(*region)))
                .collect(),
            directory: self.places.version(),
            full: self.is_full(),
        }
    }

    pub(super) fn on_compare(&self, region: Region, sketch: &[u8]) -> Reply {
        let answer = self.names_of(region).and_then(|names| {
            let mut ours = Negentropy::owned(names, FRAME)?;
            ours.reconcile(sketch)
        });
        answer.map_or(Reply::Refused(Refusal::Malformed), |answer| {
            Reply::Compared(Sketch(Bytes(answer)))
        })
    }

    /// An anchor: whether the directory says what is.
    fn look_at_directory(&mut self, now: UnixMillis) {
        let Some(own) = self.sync.own.clone() else {
            return;
        };
        if self.sync.look_next > now {
            return;
        }
        self.sync.look_next = now.plus(DIRECTORY_MS);
        if !self.places.is_anchor(&self.key()) {
            return;
        }
        let there = self.sync.peers.iter().filter(|(key, peer)| {
            let silent = now.since(peer.answered);
            if self.places.lists(key) {
                silent < LOST_MS
            } else {
                // Anchors do not see the same at the same moment: what one has just taken out another
                // must not put in again.
                peer.ever && silent < 2 * SYNC_MS
            }
        });
        let there = there.filter_map(|(_, peer)| peer.record.clone());
        let mut bridges: Vec<PeerRecord> = there.collect();
        bridges.push(own);
        bridges.sort_by_key(|bridge| bridge.node_key);
        bridges.truncate(MAX_BRIDGES);
        let listed = self.places.directory().map(|directory| &directory.bridges);
        if listed == Some(&bridges) {
            return;
        }
        let directory = Directory::sign(&self.identity, self.settings.network, now, bridges);
        self.take_directory(now, directory);
    }
}
