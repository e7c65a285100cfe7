//! What a place in the overlay costs, and who has paid for it.
//!
//! A node's id follows from its key and a nonce ([`NodeId::new`](crate::NodeId::new)). The nonce must
//! carry *work*: over the root of its key and period ([`join_root`]) it reaches the difficulty of the
//! network ([`join_threshold`]), measured as Nano measures the work of a block, so that the kernel and
//! the worker pool that find one find the other. Whoever wants another id pays again.
//!
//! A *period* lasts [`PERIOD_MS`]. Where it begins is staggered by key, so that never all nodes move at
//! once. Work of this and of the last period counts; work of the next one already within the clock
//! skew that is allowed elsewhere. It can be found long before: work prices ids, it does not date them.
//!
//! States of a node ([`Standing`]): *searching* (its shell looks for its first work), *member*,
//! *lapsed* (its work is too old and new work is not found yet). A node that is no member is a *leaf*:
//! - it asks, and is answered over its own links, of which it offers few to browsers ([`LEAF_OFFERS`]);
//! - nobody names it to others or offers it a link, no request goes through it unless it is for it;
//! - it holds no replica, and a browser gives at most a quarter of its links to leaves, the youngest of
//!   which goes when a member needs the place;
//! - a bridge without work is used by whoever dialled it, and named to nobody.
//!
//! When a period turns, the shell is asked for new work ([`Output::FindWork`]) and again every
//! [`ASK_AGAIN_MS`]. With it the node moves to its new id: it introduces itself anew over its links,
//! which stay, and is reached under the old id for [`FORMER_MS`]; links to its new neighbours come one
//! by one, as the membership rules want them, and take the places of old ones.

use nano_core::{Difficulty, Network, Root, UnixMillis, WorkNonce};

use crate::Crypto;
use crate::id::hash;
use crate::routing::places::Places;
use crate::sighting::CLOCK_SKEW_MS;
use crate::timers::Timer;
use crate::wire::Message;
use crate::{
    CloseReason, Defence, Event, LinkId, LinkOrigin, Node, NodeId, NodeKey, Output, PeerRecord,
    Role,
};

/// Length of a period: 30 days.
pub const PERIOD_MS: u64 = 30 * 86_400_000;
/// How often the shell is asked for work that it has not found.
pub(crate) const ASK_AGAIN_MS: u64 = 600_000;
/// How long a node is reached under the id it had before.
pub(crate) const FORMER_MS: u64 = 600_000;
/// Links to browsers up to which a leaf makes offers.
pub(crate) const LEAF_OFFERS: usize = 2;

/// Whether a node has a place in the tables of others, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has work for this or the last period.
    Member,
    /// A leaf: no work was found yet.
    Searching,
    /// A leaf: its work is older than the last period.
    Lapsed,
}

impl Standing {
    /// Kebab-case name, as shown to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Searching => "searching",
            Self::Lapsed => "lapsed",
        }
    }
}

/// What the work of a network's ids must reach: 2^28 hashes on average on live and beta, which are 34
/// seconds at the 7.9 million hashes per second of one core of a server, half the work of a send; 2^16
/// on the test network; nothing on the development network.
#[must_use]
pub const fn join_threshold(network: Network) -> Difficulty {
    match network {
        Network::Live | Network::Beta => Difficulty::new(0xffff_fff0_0000_0000),
        Network::Test => Difficulty::new(0xffff_0000_0000_0000),
        Network::Dev => Difficulty::new(0),
    }
}

/// By how much the periods of `key` begin earlier than at multiples of their length.
fn stagger(key: &NodeKey) -> u64 {
    let [first, ..] = *key.as_bytes().as_chunks::<8>().0 else {
        return 0;
    };
    u64::from_le_bytes(first) % PERIOD_MS
}

/// The number of the period of `key` that `at` lies in.
#[must_use]
pub fn join_period(key: &NodeKey, at: UnixMillis) -> u64 {
    at.0.saturating_add(stagger(key)) / PERIOD_MS
}

/// When a period of `key` begins.
fn begins(key: &NodeKey, period: u64) -> UnixMillis {
    let end = period.saturating_mul(PERIOD_MS);
    UnixMillis(end.saturating_sub(stagger(key)))
}

/// What the work of `key` for a period is over: BLAKE2b-256(`nanonet join` ‖ node key ‖ number of the
/// period as u64 little-endian).
#[must_use]
pub fn join_root(key: &NodeKey, period: u64) -> Root {
    Root::from_bytes(hash(&[
        b"nanonet join",
        key.as_bytes(),
        &period.to_le_bytes(),
    ]))
}

/// The newest period for which `nonce` is work of `key` that counts at `now`.
pub(crate) fn joined(
    key: &NodeKey,
    nonce: u64,
    threshold: Difficulty,
    now: UnixMillis,
) -> Option<u64> {
    let newest = join_period(key, now.plus(CLOCK_SKEW_MS));
    let oldest = join_period(key, now).saturating_sub(1);
    let counts = |period: &u64| does_work(key, *period, nonce, threshold);
    (oldest..=newest).rev().find(counts)
}

fn does_work(key: &NodeKey, period: u64, nonce: u64, threshold: Difficulty) -> bool {
    threshold.number() == 0
        || WorkNonce::new(nonce).difficulty(&join_root(key, period)) >= threshold
}

/// Where the node itself stands.
#[derive(Debug)]
pub(crate) struct Joining {
    standing: Standing,
    /// The id it had before, and until when it answers to it.
    former: Option<(NodeId, UnixMillis)>,
}

impl Joining {
    /// Where `record` stands at `now`.
    pub(crate) fn new(record: &PeerRecord, threshold: Difficulty, now: UnixMillis) -> Self {
        let held = joined(&record.node_key, record.nonce, threshold, now);
        Self {
            standing: held.map_or(Standing::Searching, |_| Standing::Member),
            former: None,
        }
    }

    /// Where the node stands.
    pub(crate) const fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether `id` is the node's former id, still answered to at `now`.
    pub(crate) fn was(&self, id: &NodeId, now: UnixMillis) -> bool {
        self.former
            .is_some_and(|(former, until)| former == *id && now < until)
    }
}

impl<C: Crypto> Node<C> {
    /// Whether we have a place in the tables of others.
    pub(crate) fn is_member(&self) -> bool {
        self.joining.standing == Standing::Member || self.lacks(Defence::JoinWork)
    }

    /// Whether we may hold records for others: a member, or a bridge with or without a place.
    pub(crate) fn may_hold(&self) -> bool {
        self.is_member() || self.config.role.is_bridge_here()
    }

    /// Whether a node that introduces itself so has one.
    pub(crate) fn stands(&self, record: &PeerRecord) -> bool {
        let threshold = self.config.join_threshold;
        joined(&record.node_key, record.nonce, threshold, self.now).is_some()
            || self.lacks(Defence::JoinWork)
    }

    /// Looks at our work: asks for new work if it is time to.
    pub(crate) fn on_join_timer(&mut self) {
        let key = self.identity.node_key();
        let current = join_period(&key, self.now);
        let threshold = self.config.join_threshold;
        let held = joined(&key, self.identity.nonce(), threshold, self.now);
        let standing = match (held, self.joining.standing) {
            (Some(_), _) => Standing::Member,
            (None, Standing::Searching) => Standing::Searching,
            (None, _) => Standing::Lapsed,
        };
        if standing != self.joining.standing {
            self.joining.standing = standing;
            self.status_changed();
        }
        let turns = begins(&key, current + 1);
        if held >= Some(current) {
            return self.timers.set(Timer::Join, turns);
        }
        let root = join_root(&key, current);
        self.outputs.push_back(Output::FindWork { root, threshold });
        let again = self.now.plus(ASK_AGAIN_MS).min(turns);
        self.timers.set(Timer::Join, again);
    }

    /// The shell found work.
    pub(crate) fn on_work_found(&mut self, root: Root, nonce: WorkNonce) {
        let key = self.identity.node_key();
        let current = join_period(&key, self.now);
        let threshold = self.config.join_threshold;
        let wanted = root == join_root(&key, current)
            && joined(&key, self.identity.nonce(), threshold, self.now) < Some(current);
        // A search that a turned period has overtaken, or that was done twice.
        if !wanted || nonce.difficulty(&root) < threshold {
            return self.counters.refuse("join-work");
        }
        let before = self.id;
        self.identity.set_nonce(nonce.number());
        self.id = self.identity.node_id();
        self.renew_record();
        self.joining.former = Some((before, self.now.plus(FORMER_MS)));
        self.places = Places::new(self.id, self.config.role, self.config.max_links);
        self.known.move_to(self.id);
        self.look_again();
        self.introduce();
        self.event(Event::Joined { id: self.id, nonce });
        self.on_join_timer();
        self.membership_soon();
        self.timers.set_by(Timer::Replication, self.now.plus(500));
    }

    /// Signs our record anew, so that it is newer than the one before.
    pub(crate) fn renew_record(&mut self) {
        let issued = self.now.max(self.record.issued_at.plus(1));
        self.identity.renew(&mut self.record, issued);
    }

    /// Whether a record holds, with everything in it.
    pub(crate) fn is_sound(&self, record: &PeerRecord) -> bool {
        C::verify_peer(record).is_ok() && self.seen_holds(record)
    }

    /// Says to everyone linked how we introduce ourselves now.
    pub(crate) fn introduce(&mut self) {
        let links: Vec<LinkId> = self.table.up_links().map(|(link, ..)| link).collect();
        for link in links {
            let record = Box::new(self.record.clone());
            self.send(link, &Message::Introduction(record));
        }
    }

    /// A peer introduces itself anew: under another id, or with more to show.
    pub(crate) fn on_introduction(&mut self, link: LinkId, record: PeerRecord) {
        let Some(who) = self.table.get(link).and_then(|peer| peer.who.clone()) else {
            return;
        };
        let before = &who.record;
        let same = (record.node_key, record.noise_key, record.role)
            == (before.node_key, before.noise_key, before.role)
            && record.network == before.network
            && record.version == before.version;
        if !same || !self.is_sound(&record) {
            return self.blame(Some(link), "bad-introduction");
        }
        if record.issued_at <= before.issued_at {
            return;
        }
        self.found_bridge(&record);
        let new = C::contact(record);
        if new.id != who.id && self.table.link_to(&new.id).is_some() {
            return self.close(link, CloseReason::Duplicate);
        }
        let leaf = !self.stands(&new.record);
        let was_leaf = self.table.rename(link, new.clone(), leaf);
        if !was_leaf && new.id != who.id {
            self.add_news(&who, false);
        }
        if !leaf {
            self.add_news(&new, true);
        }
        self.known.reached(&new.id);
        // News of the new id may have come first, and an offer be on its way.
        self.session_is_linked(LinkOrigin::Dialled, &new.id);
        self.status_changed();
        self.membership_soon();
        self.timers.set_by(Timer::Replication, self.now.plus(500));
    }

    /// Notices peers whose work has become too old.
    pub(crate) fn look_at_standings(&mut self) {
        let mut lapsed = Vec::new();
        for (link, peer, who) in self.table.up_links() {
            if !peer.leaf && !self.stands(&who.record) {
                lapsed.push((link, who.clone()));
            }
        }
        for (link, who) in lapsed {
            self.add_news(&who, false);
            self.table.rename(link, who, true);
        }
    }

    /// Whether one more browser without work may be linked.
    pub(crate) fn has_leaf_room(&self) -> bool {
        let most = usize::from(self.config.max_links);
        let all = self.table.count();
        if self.config.role.is_bridge_here() {
            return all < most;
        }
        // Two places are for bridges.
        all + 2 < most && self.table.leaves().count() < (most / 4).max(1)
    }

    /// Lets a leaf go if all places are taken: a member needs one.
    pub(crate) fn leaf_gives_way(&mut self) {
        if self.table.count() < usize::from(self.config.max_links) {
            return;
        }
        let youngest = self.table.leaves().max();
        if let Some((_, link)) = youngest {
            self.close(link, CloseReason::Shed);
        }
    }

    /// Whether a leaf has the links to browsers it asks for.
    pub(crate) fn is_sated_leaf(&self) -> bool {
        !self.is_member() && self.table.count_of(Role::Browser) >= LEAF_OFFERS
    }

    /// The identity for storage, to be kept after [`Event::Joined`]: see
    /// [`Identity::to_bytes`](crate::Identity::to_bytes).
    #[must_use]
    pub fn identity_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        self.identity.to_bytes()
    }
}

#[cfg(test)]
mod tests;
