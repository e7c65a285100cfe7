//! What is kept of one account: its proven frontier, in doubt two of them, and what it has left
//! behind.
//!
//! States of a [`HeldAccount`]:
//!
//! - *known* ([`ChainOrder::Known`]): one frontier;
//! - *unknown* ([`ChainOrder::Unknown`]): two frontiers whose order cannot be told from the blocks
//!   seen. One of them is older; whoever can asks for the confirmed child of each;
//! - *diverged* ([`ChainOrder::Diverged`]): two frontiers of which neither descends from the other
//!   were proven. Never happens while two thirds of the voting weight are honest; it is an alarm
//!   that lasts until the account is forgotten.
//!
//! Rules:
//!
//! - a frontier that descends from a held one takes its place and remembers it, with all that was
//!   known before it; a held one never gives way to its ancestor;
//! - an ancestor offered later is not kept, but its past is learnt, which can settle *unknown*;
//! - of two frontiers the more recently sighted one is shown first, else the one held longer. A
//!   third one of unknown order pushes out the least recently sighted. Diverged ones stay;
//! - each proven receive leaves the hash of its send as a tombstone.
//!
//! Memory: two records, two chains ([`super::order`]), [`MAX_TOMBSTONES`] hashes.

use std::sync::Arc;

use nano_core::proof::{Frontier, ProvenFrontier};
use nano_core::{Block, BlockHash, Raw, UnixMillis};

use super::offer::carried_before;
use super::order::{Chain, Relation};
use super::stored::{ENTRY_BYTES, stored_length};
use crate::{AccountRecord, Freshness, NodeKey, freshness};

/// Most hashes of received sends remembered per account, newest kept: as many as receivables are.
pub const MAX_TOMBSTONES: usize = 256;

/// Frontiers kept while their order is unknown or diverged.
const MAX_FRONTIERS: usize = 2;

/// Whether the proven frontiers of an account form one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChainOrder {
    /// One frontier is held.
    Known,
    /// Two are held, and which is newer is not known.
    Unknown,
    /// Two were proven whose chains diverge: an alarm.
    Diverged,
}

/// A proven frontier as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFrontier {
    pub(crate) record: AccountRecord,
    pub(crate) proven: ProvenFrontier,
    pub(crate) weights_as_of: UnixMillis,
    pub(crate) chain: Chain,
    /// Bytes of its part of a stored entry, ancestors left out.
    stored: usize,
}

impl HeldFrontier {
    /// A frontier whose proof holds.
    pub(super) fn new(
        record: AccountRecord,
        proven: ProvenFrontier,
        weights_as_of: UnixMillis,
        chain: Chain,
    ) -> Self {
        let stored = stored_length(&record);
        Self {
            record,
            proven,
            weights_as_of,
            chain,
            stored,
        }
    }

    /// Bytes of its part of a stored entry.
    pub(super) fn stored_bytes(&self) -> usize {
        self.stored + self.chain.ancestors().len() * 32
    }

    /// Its record was changed.
    pub(super) fn measure(&mut self) {
        self.stored = stored_length(&self.record);
    }

    /// The record as it is passed on.
    #[must_use]
    pub const fn record(&self) -> &AccountRecord {
        &self.record
    }

    /// What the proof proves.
    #[must_use]
    pub const fn proven(&self) -> &ProvenFrontier {
        &self.proven
    }

    /// Date of the weight table it was proven under; it stays proven when the table changes.
    #[must_use]
    pub const fn weights_as_of(&self) -> UnixMillis {
        self.weights_as_of
    }

    /// How current it is, by these anchors' sightings.
    #[must_use]
    pub fn freshness(&self, now: UnixMillis, anchors: &[NodeKey]) -> Option<Freshness> {
        freshness(now, &self.record.sightings, anchors)
    }

    /// Blocks before it, oldest first: a legacy proof carries them all.
    fn past(&self) -> &[Block] {
        match &self.record.proof.frontier {
            Frontier::Legacy(_) => carried_before(&self.record.proof.frontier),
            Frontier::State(_) | Frontier::Epoch { .. } => &self.record.lineage,
        }
    }

    fn sighted(&self, anchors: &[NodeKey]) -> Option<UnixMillis> {
        // Sightings from the future were left out when the record was taken.
        self.freshness(UnixMillis(u64::MAX), anchors)
            .map(|freshness| freshness.as_of)
    }
}

/// What is held of one account. Frontiers are shared with whoever remembers what a record proves
/// ([`crate::Crypto::recall`]) until one is changed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldAccount {
    frontiers: Vec<Arc<HeldFrontier>>,
    diverged: bool,
    received: Vec<BlockHash>,
}

/// What became of a proven frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// It took the place of this frontier, an ancestor of it.
    Replaced(BlockHash),
    /// It is an ancestor of this frontier.
    Superseded(BlockHash),
    /// Nothing links it with this frontier.
    Unknown { held: BlockHash, kept: bool },
    /// It and this frontier have diverged.
    Diverged(BlockHash),
}

impl HeldAccount {
    /// Holds its first frontier.
    pub(crate) fn new(frontier: Arc<HeldFrontier>) -> Self {
        let mut held = Self {
            frontiers: Vec::with_capacity(1),
            diverged: false,
            received: Vec::new(),
        };
        held.note_receives(frontier.past(), &frontier.proven.block);
        held.frontiers.push(frontier);
        held
    }

    /// The frontier to show: the more recently sighted one where there are two.
    ///
    /// Always `Some`; an account without a frontier is not held.
    #[must_use]
    pub fn frontier(&self) -> Option<&HeldFrontier> {
        self.frontiers.first().map(AsRef::as_ref)
    }

    /// All frontiers held, the one to show first: one, or two if the order is not known.
    #[must_use]
    pub fn frontiers(&self) -> &[Arc<HeldFrontier>] {
        &self.frontiers
    }

    /// Whether they form one chain.
    #[must_use]
    pub const fn order(&self) -> ChainOrder {
        if self.diverged {
            ChainOrder::Diverged
        } else if self.frontiers.len() > 1 {
            ChainOrder::Unknown
        } else {
            ChainOrder::Known
        }
    }

    /// Whether the account is proven to have received this send.
    #[must_use]
    pub fn has_received(&self, send: &BlockHash) -> bool {
        self.received.contains(send)
    }

    /// Hashes of the sends it is proven to have received, oldest first, as far as remembered.
    pub fn received(&self) -> impl Iterator<Item = &BlockHash> {
        self.received.iter()
    }

    /// Adds what was read from storage; it is older than what was seen since.
    pub(crate) fn restore(&mut self, diverged: bool, received: &[BlockHash]) {
        self.diverged |= diverged;
        let since = std::mem::replace(&mut self.received, received.to_vec());
        for send in since {
            self.bury(send);
        }
    }

    pub(crate) fn frontier_of(&self, hash: &BlockHash) -> Option<&Arc<HeldFrontier>> {
        self.frontiers
            .iter()
            .find(|frontier| frontier.chain.head() == *hash)
    }

    pub(crate) fn frontier_mut(&mut self, hash: &BlockHash) -> Option<&mut HeldFrontier> {
        self.frontiers
            .iter_mut()
            .find(|frontier| frontier.chain.head() == *hash)
            .map(Arc::make_mut)
    }

    /// Bytes of its stored entry.
    pub(super) fn stored_bytes(&self) -> usize {
        let frontiers: usize = self.frontiers.iter().map(|held| held.stored_bytes()).sum();
        ENTRY_BYTES + frontiers + self.received.len() * 32
    }

    /// The held frontier that is known to come after `hash`.
    pub(crate) fn superseder(&self, hash: &BlockHash) -> Option<BlockHash> {
        self.frontiers
            .iter()
            .find(|frontier| frontier.chain.supersedes(hash))
            .map(|frontier| frontier.chain.head())
    }

    /// The proven block known to come right after `previous` (zero: the account's first block).
    pub(crate) fn after(&self, previous: &BlockHash) -> Option<BlockHash> {
        let mut frontiers = self.frontiers.iter();
        frontiers.find_map(|frontier| frontier.chain.after(previous))
    }

    /// Takes over what a record of a held frontier or of an ancestor of it tells: the hashes before
    /// it, which may settle the order, and what it received. Its blocks need no votes, the frontier's
    /// hash covers them. `chain` must be built from these blocks. Returns whether anything changed.
    pub(crate) fn learn(&mut self, chain: &Chain, lineage: &[Block], block: &Block) -> bool {
        let mut learnt = false;
        for frontier in &mut self.frontiers {
            let mut more = frontier.chain.clone();
            if more.learn(chain) {
                Arc::make_mut(frontier).chain = more;
                learnt = true;
            }
        }
        if learnt {
            self.settle();
        }
        self.note_receives(lineage, block) || learnt
    }

    /// Takes in a frontier whose proof holds and which is not held yet. `lineage_kept` is the
    /// most blocks of lineage that its record is given from the records it replaces.
    pub(crate) fn admit(
        &mut self,
        mut offered: Arc<HeldFrontier>,
        anchors: &[NodeKey],
        lineage_kept: usize,
    ) -> Admitted {
        if let Some(by) = self.superseder(&offered.chain.head()) {
            self.learn(&offered.chain, offered.past(), &offered.proven.block);
            return Admitted::Superseded(by);
        }
        self.note_receives(offered.past(), &offered.proven.block);
        let mut replaced = None;
        for (place, held) in self.frontiers.iter().enumerate() {
            if offered.chain.relation(&held.chain) == Relation::Newer {
                replaced.get_or_insert((place, held.chain.head()));
                let newer = Arc::make_mut(&mut offered);
                newer.chain.learn(&held.chain);
                join_lineage(newer, held, lineage_kept);
            }
        }
        if let Some((place, superseded)) = replaced {
            // In the very place of its ancestor: what is shown never goes back.
            self.frontiers
                .retain(|held| !offered.chain.supersedes(&held.chain.head()));
            self.diverged |= self.diverges(&offered.chain).is_some();
            self.frontiers.insert(place, offered);
            self.prefer(anchors);
            return Admitted::Replaced(superseded);
        }
        if let Some(held) = self.diverges(&offered.chain) {
            if !self.diverged {
                self.frontiers
                    .retain(|frontier| frontier.chain.head() == held);
                self.frontiers.push(offered);
            }
            self.diverged = true;
            self.prefer(anchors);
            return Admitted::Diverged(held);
        }
        let head = offered.chain.head();
        let held = self
            .frontiers
            .first()
            .map_or(head, |frontier| frontier.chain.head());
        if !self.diverged {
            self.frontiers.push(offered);
            self.prefer(anchors);
            self.frontiers.truncate(MAX_FRONTIERS);
        }
        let kept = self
            .frontiers
            .iter()
            .any(|frontier| frontier.chain.head() == head);
        Admitted::Unknown { held, kept }
    }

    /// Puts the more recently sighted frontier first; equal ones stay in the order they came.
    pub(crate) fn prefer(&mut self, anchors: &[NodeKey]) {
        // Two or three of them: each moves forward past those sighted earlier.
        for place in 1..self.frontiers.len() {
            for later in (1..=place).rev() {
                let sighted = self.frontiers[later].sighted(anchors);
                if sighted > self.frontiers[later - 1].sighted(anchors) {
                    self.frontiers.swap(later, later - 1);
                }
            }
        }
    }

    fn diverges(&self, chain: &Chain) -> Option<BlockHash> {
        self.frontiers
            .iter()
            .find(|held| chain.relation(&held.chain) == Relation::Diverged)
            .map(|held| held.chain.head())
    }

    /// Gives up a frontier that the other one is now known to descend from, and sees a divergence
    /// that became known.
    fn settle(&mut self) {
        let [first, second] = self.frontiers.as_slice() else {
            return;
        };
        match first.chain.relation(&second.chain) {
            Relation::Newer | Relation::Same => {
                self.frontiers.pop();
            }
            Relation::Older => {
                self.frontiers.remove(0);
            }
            Relation::Diverged => self.diverged = true,
            Relation::Unknown => {}
        }
    }

    /// Remembers every send that these blocks, oldest first, receive. Returns whether one is new.
    fn note_receives(&mut self, lineage: &[Block], block: &Block) -> bool {
        let mut before = None;
        let mut changed = false;
        for block in lineage.iter().chain([block]) {
            if let Some(send) = received_send(block, before) {
                changed |= self.bury(send);
            }
            before = block.balance();
        }
        changed
    }

    fn bury(&mut self, send: BlockHash) -> bool {
        if self.received.contains(&send) {
            return false;
        }
        if self.received.len() >= MAX_TOMBSTONES {
            self.received.remove(0);
        }
        self.received.push(send);
        true
    }
}

/// The send that `block` receives. Where the balance before it is not known, a state block's link
/// is taken for the hash of a send: were it a destination, no send has that hash.
fn received_send(block: &Block, balance_before: Option<Raw>) -> Option<BlockHash> {
    match block {
        Block::Receive(receive) => Some(receive.source),
        Block::Open(open) => Some(open.source),
        Block::State(state) => {
            let is_send = balance_before.is_some_and(|before| state.balance < before);
            let is_receive = !is_send && !state.link.is_zero() && state.link.epoch().is_none();
            is_receive.then(|| state.link.into())
        }
        Block::Send(_) | Block::Change(_) => None,
    }
}

/// Puts the lineage of `older`, and `older` itself, in front of the lineage of `newer` where they
/// join without a gap, and keeps the newest `kept` blocks: holders that are further behind can
/// then link up too.
fn join_lineage(newer: &mut HeldFrontier, older: &HeldFrontier, kept: usize) {
    let head = older.chain.head();
    let lineage = &newer.record.lineage;
    let after = lineage
        .iter()
        .position(|block| block.previous() == Some(head));
    let after = match after {
        Some(after) => after,
        None if newer.proven.block.previous() == Some(head) => lineage.len(),
        None => return,
    };
    let mut joined = older.record.lineage.clone();
    joined.push(older.proven.block);
    if joined.len() > after {
        joined.extend_from_slice(&lineage[after..]);
        newer.record.lineage = joined;
    }
    let surplus = newer.record.lineage.len().saturating_sub(kept);
    newer.record.lineage.drain(..surplus);
    newer.record.shorten();
    newer.measure();
}
