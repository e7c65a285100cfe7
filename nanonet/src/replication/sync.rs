//! Getting the own slice, and seeing that it is whole.
//!
//! The key space around us is cut into *levels*: the keys that share exactly so many leading bits with
//! us, and those that share more with us than anybody else does. What we shall hold of a level, all nodes
//! that lie in it hold too, so one of them is asked ([`Task`]): linked ones first, those that answer
//! fastest before others, then the nearest. Where nobody lies in a level, [`MAX_TRIES`] of the nearest
//! are asked, one after another.
//!
//! States of a level: *due* (a task begins when there is room for it), *under way*, *done* until the
//! next time. Steps of a task:
//! - *slice*: nothing is held there: all that we shall hold comes in compressed batches, from the
//!   first key on; where it is interrupted, the next partner goes on from the last key that came;
//! - *compare*: names are reconciled by range (`negentropy`): both sides take what they hold of what
//!   we shall hold, reckoned by whom we know near us, so only differences cost anything;
//! - *fetch*: what the other side has and we have not, from it.
//!
//! Rules:
//! - a partner that fails is followed by the next, at most [`MAX_TRIES`]; then the level is due again
//!   after [`RETRY_MS`], doubled each time up to [`LONGEST_RETRY_MS`];
//! - after a slice, or differences, a level is compared again after [`AGAIN_MS`], with somebody else
//!   if there is one; without differences after [`CHECK_MS`], each with up to half as much more;
//! - where something newer took the place of a record, the level is compared after [`SETTLED_MS`]: who the
//!   put did not reach has an older one;
//! - where somebody is seen to be gone, the level is compared after [`GONE_MS`]: who now is a holder may
//!   have an older copy than those who were;
//! - when many near us are seen to be gone together ([`MANY_SEEN`]), or even more are forgotten together
//!   ([`MANY_FORGOTTEN`]), we are in *unrest* for [`UNREST_MS`]: all levels
//!   are compared soon and every [`UNREST_AGAIN_MS`], each with [`MAX_TRIES`] partners. Naming alone is
//!   blind where those who should name are gone themselves, and who is left does not hold everything
//!   yet. Because who is gone is learnt only by and by, all who are near and not linked are asked
//!   whether they are there;
//! - nodes whose own first slice is not whole yet still answer: what they lack comes from the next.
//!
//! Limits: [`MAX_TASKS`] tasks at a time, one per level, [`MAX_COMPARED`] names in one comparison
//! (more are compared in parts).

use nano_core::UnixMillis;
use negentropy::{Id, Negentropy, NegentropyStorageVector};

use super::pull::{MAX_SCANNED, PULL_AGAIN_MS};
use crate::link::LinkEnd;
use crate::routing::forward::{Own, Upstream};
use crate::slice::ChainOrder;
use crate::sorted::SortedMap;
use crate::wire::{
    Ask, Bytes, Failure, Holder, KeyRange, MAX_HEADERS, MAX_SKETCH, Name, Reply, Target, Wanted,
};
use crate::{AccountKey, Bug, Crypto, Event, LinkId, Node, NodeId, Point};

/// Time from one comparison of a level without differences to the next: an hour.
pub(super) const CHECK_MS: u64 = 3_600_000;
/// The same after a slice or a comparison that showed differences.
pub(super) const AGAIN_MS: u64 = 90_000;
/// Time for our place to be found before the first slice is asked for.
const SETTLE_MS: u64 = 1_000;
/// Wait after all partners of a level have failed.
const RETRY_MS: u64 = 5_000;
/// The longest such wait.
const LONGEST_RETRY_MS: u64 = 300_000;
/// Most tasks at a time.
const MAX_TASKS: usize = 6;
/// Most partners of one task.
const MAX_TRIES: usize = 4;
/// Most messages of one task to all its partners.
const MAX_ROUNDS: u16 = 512;
/// Most names in one comparison.
const MAX_COMPARED: usize = 4096;
/// How many must be seen to be gone within [`TOGETHER_MS`] for everything to be compared.
const MANY_SEEN: usize = 6;
/// How many must be forgotten within that time, seen or not.
const MANY_FORGOTTEN: usize = 12;
/// Time within which nodes are gone together.
const TOGETHER_MS: u64 = 120_000;
/// How soon it then is.
const SOON_MS: u64 = 10_000;
/// How soon a level is compared where somebody has gone.
const GONE_MS: u64 = 20_000;
/// How soon a level is compared where a record was replaced: by then its put is done.
const SETTLED_MS: u64 = 20_000;
/// How soon others are asked for the order of what came.
const ORDER_MS: u64 = 3_000;
/// How long a place is in unrest after that.
const UNREST_MS: u64 = 240_000;
/// Time after which those near us are then asked again whether they are there.
const WHO_MS: u64 = 50_000;
/// Time from one comparison to the next meanwhile.
const UNREST_AGAIN_MS: u64 = 40_000;
/// How many of the nearest tell how far our slice reaches: half as many again as hold a record.
const REACH: usize = 24;
/// The level of the keys to which nobody is nearer than we.
pub(super) const OURS: u16 = 65;

/// A level that is not under way.
#[derive(Debug, Clone, Copy)]
struct Level {
    due: UnixMillis,
    failures: u32,
    /// Who was asked last.
    last: Option<NodeId>,
}

impl Level {
    const fn new(due: UnixMillis) -> Self {
        Self {
            due,
            failures: 0,
            last: None,
        }
    }
}

enum Step {
    Slice,
    Compare {
        ours: Box<Negentropy<'static, NegentropyStorageVector>>,
        sketch: Vec<u8>,
        missing: Vec<Name>,
    },
    Fetch {
        missing: Vec<Name>,
    },
}

/// A level under way.
struct Task {
    level: u16,
    /// What is left to do.
    keys: KeyRange,
    /// The keys that the present comparison is about.
    part: KeyRange,
    step: Step,
    partner: NodeId,
    tried: Vec<NodeId>,
    rounds: u16,
    /// How many partners are still to be asked when the present one is done.
    partners_left: usize,
    /// Whether anything was missing.
    differed: bool,
    failures: u32,
}

/// Who near us went since when, [`TOGETHER_MS`] ago at most.
#[derive(Default)]
struct Gone {
    from: UnixMillis,
    seen: Vec<NodeId>,
    forgotten: Vec<NodeId>,
}

impl Gone {
    /// Counts some more; whether they have become many.
    fn count(&mut self, now: UnixMillis, seen: &[NodeId], forgotten: &[NodeId]) -> bool {
        if now.since(self.from) >= TOGETHER_MS {
            *self = Self {
                from: now,
                ..Self::default()
            };
        }
        let add = |list: &mut Vec<NodeId>, ids: &[NodeId], many: usize| {
            let few = list.len() < many;
            for id in ids {
                if list.len() < many && !list.contains(id) {
                    list.push(*id);
                }
            }
            few && list.len() >= many
        };
        let many_seen = add(&mut self.seen, seen, MANY_SEEN);
        add(&mut self.forgotten, forgotten, MANY_FORGOTTEN) || many_seen
    }
}

/// Levels, and tasks by number.
#[derive(Default)]
pub(super) struct Sync {
    levels: SortedMap<u16, Level>,
    tasks: SortedMap<u64, Task>,
    last: u64,
    /// The first level that was ever whole; those below are new to us.
    whole_from: Option<u16>,
    /// When somebody near was first seen.
    since: Option<UnixMillis>,
    gone: Gone,
    /// Until when we are in unrest.
    unrest_until: UnixMillis,
    /// When we last asked those near us whether they are there.
    asked_who: UnixMillis,
    records: u32,
}

/// Levels there can be: one per bit of what keys are told apart by, and the one of our own keys.
#[cfg(any(test, feature = "adversary"))]
pub(crate) const MAX_LEVELS: usize = 65;

impl Sync {
    /// Levels, due and under way.
    #[cfg(any(test, feature = "adversary"))]
    pub(super) const fn size(&self) -> usize {
        self.levels.len() + self.tasks.len()
    }

    /// Everything is to be compared now, with several partners and again and again for a while.
    pub(super) fn all_due(&mut self, now: UnixMillis) {
        self.unrest_until = now.plus(UNREST_MS);
        for (_, level) in self.levels.iter_mut() {
            level.due = now;
        }
    }

    /// The first level that is due.
    fn first_due(&self, now: UnixMillis) -> Option<u16> {
        let mut levels = self.levels.iter();
        let due = levels.find(|(_, level)| level.due <= now);
        due.map(|(number, _)| *number)
    }
}

impl std::fmt::Debug for Sync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let open: Vec<u16> = self.tasks.values().map(|task| task.level).collect();
        f.debug_struct("Sync")
            .field("levels", &self.levels)
            .field("open", &open)
            .finish_non_exhaustive()
    }
}

/// Why a partner is given up.
struct GivenUp;

impl<C: Crypto> Node<C> {
    /// Takes the steps that are due; `gone` are near nodes that have just gone.
    pub(super) fn sync_on(&mut self, gone: &[NodeId]) {
        if self.replication.circle.is_empty() {
            return;
        }
        let now = self.now;
        let begin = *self
            .replication
            .sync
            .since
            .get_or_insert(now.plus(SETTLE_MS));
        if begin > now {
            return self.look_by(begin);
        }
        self.cut_levels();
        self.count_gone(&[], gone);
        self.heed_unrest(!gone.is_empty());
        loop {
            let sync = &self.replication.sync;
            let due = sync.first_due(now);
            let room = sync.tasks.len() < MAX_TASKS;
            match due {
                Some(number) if room => self.begin(number),
                _ => break,
            }
        }
        let levels = self.replication.sync.levels.values();
        if let Some(next) = levels.map(|level| level.due).min() {
            // Without room the end of a task looks again.
            self.look_by(next.max(now.plus(super::LOOK_MS)));
        }
    }

    /// Whether many near us are gone, or were not to be reached, so that what is newest may have
    /// passed us by.
    pub(crate) fn is_in_unrest(&self) -> bool {
        self.replication.sync.unrest_until > self.now
    }

    /// A node is seen to be gone: it closed its link without a word, its last peer says so, or it does
    /// not answer. When many near us are, all levels are compared soon, and again and again.
    pub(crate) fn seen_gone(&mut self, id: &NodeId) {
        if !self.replication.circle.contains(id) {
            return;
        }
        self.compare_soon(&id.point(), GONE_MS);
        self.count_gone(&[*id], &[]);
    }

    fn count_gone(&mut self, seen: &[NodeId], forgotten: &[NodeId]) {
        let now = self.now;
        let sync = &mut self.replication.sync;
        if sync.gone.count(now, seen, forgotten) {
            sync.unrest_until = now.plus(UNREST_MS);
            self.look_by(now.plus(super::LOOK_MS));
        }
    }

    /// In unrest, asks who is there; `gone`: somebody else has gone since the last look.
    fn heed_unrest(&mut self, gone: bool) {
        let (now, soon) = (self.now, self.later(SOON_MS));
        if !self.is_in_unrest() {
            return;
        }
        if now.since(self.replication.sync.asked_who) >= WHO_MS {
            self.replication.sync.asked_who = now;
            self.look_who_is_there();
            self.look_by(now.plus(WHO_MS));
        }
        if gone {
            for (_, level) in self.replication.sync.levels.iter_mut() {
                level.due = level.due.min(soon);
            }
        }
    }

    /// In `wait` milliseconds or up to half as much later.
    fn later(&mut self, wait: u64) -> UnixMillis {
        let more = u32::try_from(wait / 2).unwrap_or(u32::MAX).max(1);
        self.now.plus(wait + u64::from(self.rng.below(more)))
    }

    /// Enters levels that are new and drops those that are none any more.
    fn cut_levels(&mut self) {
        let us = self.id.point();
        let bits = |id: &NodeId| us.distance(&id.point()).shared_bits().min(63);
        let circle = &self.replication.circle;
        let nearest = circle.first().map_or(0, bits);
        // One further: few may lie in it, so that we hold some of it, too.
        let reach = circle.get(REACH - 1).map_or(0, bits).saturating_sub(1);
        let sync = &mut self.replication.sync;
        let is_one = |level: u16| (level >= reach && level <= nearest) || level == OURS;
        sync.levels.retain(|level, _| is_one(*level));
        let whole_from = sync.whole_from.unwrap_or(OURS + 1);
        if sync.whole_from.is_some() {
            sync.whole_from = Some(whole_from.min(reach));
        }
        for level in (reach..=nearest).chain([OURS]) {
            let sync = &self.replication.sync;
            let under_way = sync.tasks.values().any(|task| task.level == level);
            if under_way || sync.levels.contains_key(&level) {
                continue;
            }
            let due = if level < whole_from {
                self.now
            } else {
                // It was part of another.
                self.later(CHECK_MS)
            };
            self.replication.sync.levels.insert(level, Level::new(due));
        }
        self.replication.sync.whole_from.get_or_insert(reach);
    }

    /// The keys of a level.
    pub(super) fn keys_of(&self, level: u16) -> KeyRange {
        let us = self.id.point().first_bits();
        if level == OURS {
            let point = self.id.point();
            let nearest = self.replication.circle.first();
            let bits = nearest.map_or(0, |id| point.distance(&id.point()).shared_bits() + 1);
            return KeyRange::around(us, bits.min(64));
        }
        let flipped = us ^ (1 << (63 - level.min(63)));
        KeyRange::around(flipped, level + 1)
    }

    /// Whom to ask about a level: somebody in it, linked and fast, near.
    fn partner(&self, keys: KeyRange, tried: &[NodeId]) -> Option<NodeId> {
        let circle = self.replication.circle.iter();
        let free = circle.filter(|id| !tried.contains(id));
        let best = free.min_by_key(|id| {
            let at = id.point().first_bits();
            let outside = !(keys.first..=keys.last).contains(&at);
            let link = self.table.link_to(id).and_then(|link| self.table.get(link));
            let rtt = link.map(|peer| peer.link.rtt_ms().unwrap_or(u32::MAX - 1));
            (outside, rtt.unwrap_or(u32::MAX), at ^ keys.first, **id)
        });
        best.copied()
    }

    fn begin(&mut self, number: u16) {
        let Some(level) = self.replication.sync.levels.remove(&number) else {
            return;
        };
        let keys = self.keys_of(number);
        // Somebody else than last time, if there is one.
        let last: Vec<NodeId> = level.last.into_iter().collect();
        let other = self.partner(keys, &last);
        let Some(partner) = other.or_else(|| self.partner(keys, &[])) else {
            return;
        };
        let at = partner.point().first_bits();
        let inside = (keys.first..=keys.last).contains(&at);
        let unrest = self.replication.sync.unrest_until > self.now;
        let sync = &mut self.replication.sync;
        sync.last += 1;
        let id = sync.last;
        let mut task = Task {
            level: number,
            keys,
            part: keys,
            step: Step::Slice,
            partner,
            tried: vec![partner],
            rounds: 0,
            partners_left: if inside && !unrest { 0 } else { MAX_TRIES - 1 },
            differed: false,
            failures: level.failures,
        };
        let (names, _) = self.names_for(keys, &self.as_holder(), 1);
        if !names.is_empty() {
            self.compare_next(&mut task);
        }
        self.replication.sync.tasks.insert(id, task);
        self.ask_partner(id);
    }

    /// Prepares the comparison of the next part of a level.
    fn compare_next(&self, task: &mut Task) {
        let (mut names, rest) = self.names_for(task.keys, &self.as_holder(), MAX_COMPARED);
        if self.has_bug(Bug::PullsHeld) {
            names.clear();
        }
        task.part = task.keys;
        if let Some(rest) = rest {
            task.part.last = rest.saturating_sub(1);
        }
        let begun = storage(names).and_then(|names| {
            let mut ours = Negentropy::owned(names, frame())?;
            let sketch = ours.initiate()?;
            Ok((ours, sketch))
        });
        // It fails only where it is used wrongly; the slice as a whole is then as good.
        task.step = match begun {
            Ok((ours, sketch)) => Step::Compare {
                ours: Box::new(ours),
                sketch,
                missing: Vec::new(),
            },
            Err(_) => Step::Slice,
        };
    }

    fn ask_partner(&mut self, id: u64) {
        let us = self.as_holder();
        let Some(task) = self.replication.sync.tasks.get_mut(&id) else {
            return;
        };
        task.rounds += 1;
        let body = match &task.step {
            Step::Slice => Ask::Pull {
                keys: task.keys,
                which: Wanted::SliceOf(us),
            },
            Step::Compare { sketch, .. } => Ask::Compare {
                from: us,
                keys: task.part,
                sketch: Bytes(sketch.clone()),
            },
            Step::Fetch { missing } => Ask::Pull {
                keys: task.part,
                which: Wanted::Named(missing.iter().take(MAX_HEADERS).copied().collect()),
            },
        };
        let target = Target::Exactly(task.partner);
        self.ask(Own::Sync(id), target, body);
    }

    /// A partner's answer.
    pub(crate) fn on_sync_reply(&mut self, id: u64, body: Reply, via: Option<LinkId>) {
        let Some(mut task) = self.replication.sync.tasks.remove(&id) else {
            return;
        };
        let missing = matches!(
            body,
            Reply::Failed {
                why: Failure::NotFound,
                ..
            }
        );
        let done = match body {
            Reply::Records { records, next } => {
                let mut wanted = Vec::new();
                if let Step::Fetch { missing } = &task.step {
                    wanted.clone_from(missing);
                }
                let (keys, fetching) = (task.part, !wanted.is_empty());
                let expected = |account: &nano_core::Account, name: &Name| {
                    let at = AccountKey::new(account).first_bits();
                    (keys.first..=keys.last).contains(&at) && (!fetching || wanted.contains(name))
                };
                let came = self.take_chunk(&records, task.partner, via, &expected);
                let count = came.as_ref().map_or(0, Vec::len);
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                let records = &mut self.replication.sync.records;
                *records = records.saturating_add(count);
                let mut all = came.iter().flatten();
                task.differed |= all.any(|came| came.outcome.changed());
                match came {
                    Some(came) if fetching => {
                        let names: Vec<Name> = came.iter().map(|came| came.name).collect();
                        self.after_fetch(&mut task, &names)
                    }
                    Some(_) => after_slice(&mut task, next),
                    None => Err(GivenUp),
                }
            }
            Reply::Compared(sketch) => {
                let done = self.after_compare(&mut task, &sketch.0);
                if done.is_err()
                    && let Some(link) = via.filter(|link| self.peer_id(*link) == Some(task.partner))
                {
                    self.blame(Some(link), "malformed");
                }
                done
            }
            _ => Err(GivenUp),
        };
        let go_on = match done {
            Ok(true) => {
                if !self.another_partner(&mut task) {
                    return self.end_task(&task, true);
                }
                true
            }
            Ok(false) => task.rounds < MAX_ROUNDS,
            Err(GivenUp) => {
                if missing {
                    self.doubt_node(&task.partner);
                }
                self.next_partner(&mut task)
            }
        };
        if !go_on {
            return self.end_task(&task, false);
        }
        self.replication.sync.tasks.insert(id, task);
        self.ask_partner(id);
    }

    /// Whether all is done after the next message of a comparison.
    fn after_compare(&mut self, task: &mut Task, sketch: &[u8]) -> Result<bool, GivenUp> {
        let Step::Compare {
            ours,
            sketch: next,
            missing,
        } = &mut task.step
        else {
            return Err(GivenUp);
        };
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let answer = ours.reconcile_with_ids(sketch, &mut have, &mut need);
        let answer = answer.map_err(|_| GivenUp)?;
        missing.extend(need.iter().map(|id| Name(id.to_bytes())));
        if missing.len() > MAX_COMPARED {
            return Err(GivenUp);
        }
        if let Some(answer) = answer {
            *next = answer;
            return Ok(false);
        }
        let mut missing = std::mem::take(missing);
        missing.sort_unstable();
        let (part, partner) = (task.part, task.partner);
        self.leave_out_outdated(part, &mut missing);
        have.sort_unstable();
        self.name_what_it_lacks(part, partner, &have);
        self.add_unordered(part, &have, &mut missing);
        if missing.is_empty() {
            return Ok(self.next_part(task));
        }
        task.step = Step::Fetch { missing };
        Ok(false)
    }

    /// Leaves out names of what we hold something newer of.
    fn leave_out_outdated(&self, keys: KeyRange, missing: &mut Vec<Name>) {
        if missing.is_empty() || self.has_bug(Bug::PullsHeld) {
            return;
        }
        let accounts = self.slice.accounts_in(keys.first, keys.last);
        for held in accounts.filter_map(|(_, account)| self.slice.get(account)) {
            missing.retain(|name| {
                let (block, send) = name.hashes();
                held.superseder(&block).is_none() && !held.has_received(&send)
            });
        }
    }

    /// Adds what both hold and we cannot put in order: the other side may have met the blocks between,
    /// and then its copy names them.
    fn add_unordered(&self, keys: KeyRange, have: &[Id], missing: &mut Vec<Name>) {
        for (_, account) in self.slice.accounts_in(keys.first, keys.last) {
            let held = self.slice.get(account);
            if held.is_none_or(|held| held.order() != ChainOrder::Unknown) {
                continue;
            }
            let names = self.names_of(account).into_iter();
            let names = names
                .filter(|header| !header.receivable)
                .map(|it| it.name());
            let both = |name: &Name| have.binary_search(&Id::from_byte_array(name.0)).is_err();
            missing.extend(names.filter(both));
            missing.truncate(MAX_COMPARED);
        }
        missing.sort_unstable();
        missing.dedup();
    }

    /// A frontier of `point` came that cannot be put in order with what is held: soon others are asked.
    pub(super) fn order_soon(&mut self, point: &Point) {
        self.compare_soon(point, ORDER_MS);
    }

    /// A record of `point` was replaced by a newer one: soon somebody else is compared with.
    pub(super) fn check_soon(&mut self, point: &Point) {
        self.compare_soon(point, SETTLED_MS);
    }

    /// The level of `point` is compared in `wait` milliseconds or a little later.
    fn compare_soon(&mut self, point: &Point, wait: u64) {
        let soon = self.later(wait);
        let shared = self.id.point().distance(point).shared_bits();
        let levels = &mut self.replication.sync.levels;
        let number = if levels.contains_key(&shared) {
            shared
        } else {
            OURS
        };
        if let Some(level) = levels.get_mut(&number) {
            level.due = level.due.min(soon);
            self.look_by(soon);
        }
    }

    /// Names to the other side what it shall hold too and does not, such as a newer frontier.
    fn name_what_it_lacks(&mut self, keys: KeyRange, partner: NodeId, have: &[Id]) {
        if have.is_empty() {
            return;
        }
        let around = self.around();
        let mut headers = Vec::new();
        for (key, account) in self.slice.accounts_in(keys.first, keys.last) {
            if self.shall_hold(&around, key, &partner) {
                headers.extend(self.names_of(account));
            }
        }
        headers.retain(|header| {
            let id = Id::from_byte_array(header.name().0);
            have.binary_search(&id).is_ok()
        });
        for headers in headers.chunks(MAX_HEADERS) {
            self.name(partner, headers);
        }
    }

    /// Whether all is done after a batch of what was missing.
    fn after_fetch(&self, task: &mut Task, came: &[Name]) -> Result<bool, GivenUp> {
        let Step::Fetch { missing } = &mut task.step else {
            return Err(GivenUp);
        };
        let before = missing.len();
        missing.retain(|name| !came.contains(name));
        if missing.is_empty() {
            return Ok(self.next_part(task));
        }
        if missing.len() == before {
            return Err(GivenUp);
        }
        Ok(false)
    }

    /// Goes on with the keys after the part that is compared; true if there are none.
    fn next_part(&self, task: &mut Task) -> bool {
        if task.part.last >= task.keys.last {
            return true;
        }
        task.keys.first = task.part.last + 1;
        self.compare_next(task);
        false
    }

    /// Turns to the next partner, where the one before stopped; false if there is none.
    fn next_partner(&self, task: &mut Task) -> bool {
        let next = self.partner(task.keys, &task.tried);
        let Some(partner) = next.filter(|_| task.tried.len() < MAX_TRIES) else {
            return false;
        };
        task.partner = partner;
        task.tried.push(partner);
        if !matches!(task.step, Step::Slice) {
            self.compare_next(task);
        }
        true
    }

    /// Begins anew with one more partner, if one is to be asked.
    fn another_partner(&mut self, task: &mut Task) -> bool {
        let keys = self.keys_of(task.level);
        let next = self.partner(keys, &task.tried);
        let Some(partner) = next.filter(|_| task.partners_left > 0) else {
            return false;
        };
        task.partners_left -= 1;
        task.partner = partner;
        task.tried.push(partner);
        (task.keys, task.part, task.step) = (keys, keys, Step::Slice);
        if !self.names_for(keys, &self.as_holder(), 1).0.is_empty() {
            self.compare_next(task);
        }
        true
    }

    fn end_task(&mut self, task: &Task, done: bool) {
        let unrest = self.replication.sync.unrest_until > self.now;
        let (wait, failures) = match (done, task.differed) {
            (true, _) if unrest => (UNREST_AGAIN_MS, 0),
            (true, false) if !self.has_bug(Bug::PullsHeld) => (CHECK_MS, 0),
            (true, _) => (AGAIN_MS, 0),
            (false, _) => {
                let wait = RETRY_MS << task.failures.min(6);
                let longest = if unrest {
                    UNREST_AGAIN_MS
                } else {
                    LONGEST_RETRY_MS
                };
                (wait.min(longest), task.failures + 1)
            }
        };
        // What was pulled in vain is not pulled again at once.
        let wait = if done {
            wait
        } else {
            wait.max(PULL_AGAIN_MS / 6)
        };
        let due = self.later(wait);
        let sync = &mut self.replication.sync;
        let level = Level {
            failures,
            last: Some(task.partner),
            ..Level::new(due)
        };
        sync.levels.insert(task.level, level);
        let (left, records) = (sync.tasks.len(), sync.records);
        if left == 0 {
            sync.records = 0;
        }
        if task.differed || records > 0 {
            self.event(Event::Synced {
                records,
                ranges_left: u8::try_from(left).unwrap_or(u8::MAX),
            });
        }
        self.look_by(self.now);
    }

    /// Names of what is held of these keys and `who` shall hold, at most `most`, and where the rest
    /// begins.
    fn names_for(
        &self,
        keys: KeyRange,
        who: &Holder,
        most: usize,
    ) -> (Vec<(u64, Name)>, Option<u64>) {
        let around = self.around_holder(who, keys);
        let mut names = Vec::new();
        for (key, account) in self.slice.accounts_in(keys.first, keys.last) {
            if !self.shall_hold(&around, key, &who.id) {
                continue;
            }
            let at = key.first_bits();
            if names.len() >= most && names.last().is_some_and(|(last, _)| *last != at) {
                return (names, Some(at));
            }
            let headers = self.names_of(account);
            names.extend(headers.iter().map(|header| (at, header.name())));
        }
        (names, None)
    }

    /// A node compares what it holds with what we do.
    pub(crate) fn serve_compare(
        &mut self,
        upstream: Upstream,
        id: u64,
        from: &Holder,
        keys: KeyRange,
        sketch: &[u8],
    ) {
        let (names, rest) = self.names_for(keys, from, MAX_COMPARED + MAX_SCANNED);
        let answer = storage(names).and_then(|names| {
            let mut ours = Negentropy::owned(names, frame())?;
            ours.reconcile(sketch)
        });
        let reply = match answer {
            Ok(answer) if rest.is_none() => Reply::Compared(Bytes(answer)),
            _ => Reply::Failed {
                why: Failure::Refused,
                budget: 0,
            },
        };
        self.reply(upstream, id, reply);
    }
}

/// Whether all is done after a batch of the slice.
fn after_slice(task: &mut Task, next: Option<u64>) -> Result<bool, GivenUp> {
    if !matches!(task.step, Step::Slice) {
        return Err(GivenUp);
    }
    match next {
        None => Ok(true),
        Some(next) if next > task.keys.first && next <= task.keys.last => {
            task.keys.first = next;
            task.part = task.keys;
            Ok(false)
        }
        Some(_) => Err(GivenUp),
    }
}

/// Names, ready to be compared.
fn storage(names: Vec<(u64, Name)>) -> Result<NegentropyStorageVector, negentropy::Error> {
    let mut storage = NegentropyStorageVector::with_capacity(names.len());
    for (at, name) in names {
        storage.insert(at, Id::from_byte_array(name.0))?;
    }
    storage.seal()?;
    Ok(storage)
}

/// Longest message of a comparison.
const fn frame() -> u64 {
    MAX_SKETCH as u64
}
