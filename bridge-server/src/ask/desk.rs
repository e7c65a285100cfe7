//! Which requests for votes leave together.
//!
//! A vote's signature covers its whole list, so the votes on one list serve every proof of it:
//! 16 representatives cost 16 messages for one account and for [`BATCH`]. A longer list would make
//! each proof larger, which carries the list: 32 hashes keep one under 4 KB. Rules:
//! - who waits ([`Priority::Waiting`]) leaves at once, taking along what else is here: first those
//!   who wait, too, then the accounts with the next keys. Only when [`MAX_URGENT`] requests are
//!   under way already (each takes one of the 16 places of every channel) the next leaves with the
//!   first that returns;
//! - the rest leaves when [`BATCH`] are here or one has lingered for as long as its priority says,
//!   neighbouring keys together, [`MAX_BACKGROUND`] requests at once. What is in the background
//!   lingers on while others keep coming, [`MOST_LINGERS`] times as long at most;
//! - the same question asked again joins the one that is here or under way, and makes it urgent: one
//!   under way then waits for the rest as shortly as if it had been from the start;
//! - what nobody waits for any more does not leave;
//! - two different blocks of one root never stand in one request: a node answers a root once;
//! - at most [`MAX_WAITING`] items are here; more are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use nano_core::message::RequestedBlock;
use nano_core::{Account, BlockHash, Network, Root};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::count::{Ballot, Item};
use super::{Inner, Priority, ballot, lock};

/// Blocks asked for in one request, besides the marker.
pub(super) const BATCH: usize = 32;
/// Requests under way for those who wait.
const MAX_URGENT: usize = 8;
/// Requests under way for the rest.
const MAX_BACKGROUND: usize = 2;
/// How much longer the background lingers while more is coming.
const MOST_LINGERS: u32 = 10;
/// Items here.
const MAX_WAITING: usize = 4_096;

/// What makes two items the same question.
type Key = (Root, Vec<BlockHash>);
type Outcome = watch::Receiver<Option<Arc<Ballot>>>;

/// The items that wait, and those under way.
#[derive(Debug)]
pub(super) struct Desk {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By account, so that neighbours stand together; the number tells apart what else is alike.
    waiting: BTreeMap<(Account, u64), Waiting>,
    /// Of everything that waits or is under way.
    outcomes: BTreeMap<Key, Outcome>,
    /// Of what is under way: tells its batch that somebody waits.
    under_way: BTreeMap<Key, watch::Sender<bool>>,
    next: u64,
    urgent: usize,
    background: usize,
    /// Wakes the desk when the first has lingered long enough.
    alarm: Option<Instant>,
    /// Whether what has time gets less of it.
    hurries: bool,
    /// When the last item of the background came.
    last: Option<Instant>,
    /// Confirmed blocks, the first of which is asked for along with every list.
    witnesses: Vec<RequestedBlock>,
    tokens: usize,
}

#[derive(Debug)]
struct Waiting {
    item: Item,
    urgent: bool,
    priority: Priority,
    since: Instant,
    tell: watch::Sender<Option<Arc<Ballot>>>,
}

/// What leaves together.
struct Batch {
    parts: Vec<Waiting>,
    urgent: bool,
    /// Whether somebody waits for one of the parts, by now.
    waited_for: watch::Receiver<bool>,
    marker: Option<RequestedBlock>,
    token: Vec<RequestedBlock>,
}

impl Desk {
    /// An empty desk. On a dev network people watch, and the full nodes are their own, so what has
    /// time gets less of it.
    pub(super) fn new(network: Network) -> Self {
        let state = State {
            hurries: network == Network::Dev,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// Sets the confirmed blocks that answers are told by from now on.
    pub(super) fn mark(&self, witnesses: Vec<RequestedBlock>) {
        lock(&self.state).witnesses = witnesses;
    }
}

/// Puts an item and waits for its outcome.
pub(super) async fn ask(inner: &Arc<Inner>, item: Item, priority: Priority) -> Option<Arc<Ballot>> {
    // Before the outcome, so that it goes after it.
    let _leave = Leave {
        inner,
        key: key(&item),
    };
    let mut outcome = lock(&inner.desk.state).put(item, priority, Instant::now())?;
    pump(inner);
    outcome.wait_for(Option::is_some).await.ok()?.clone()
}

/// Takes an item back when the last who waited for it leaves before it does.
struct Leave<'a> {
    inner: &'a Arc<Inner>,
    key: Key,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        lock(&self.inner.desk.state).abandon(&self.key);
    }
}

/// Sends off what is due.
fn pump(inner: &Arc<Inner>) {
    // A batch that ends because the runtime does has nobody left to send.
    if tokio::runtime::Handle::try_current().is_err() {
        return;
    }
    let now = Instant::now();
    let mut state = lock(&inner.desk.state);
    while let Some(batch) = state.next_batch(now) {
        tokio::spawn(serve(Arc::clone(inner), batch));
    }
    let Some(due) = state.next_due() else { return };
    // One alarm is enough, unless a nearer one is needed.
    if state.alarm.is_none_or(|alarm| due < alarm) {
        state.alarm = Some(due);
        let inner = Arc::clone(inner);
        tokio::spawn(async move {
            sleep_until(due).await;
            let mut state = lock(&inner.desk.state);
            if state.alarm == Some(due) {
                state.alarm = None;
            }
            drop(state);
            pump(&inner);
        });
    }
}

async fn serve(inner: Arc<Inner>, batch: Batch) {
    let _end = End {
        inner: &inner,
        keys: batch.parts.iter().map(|part| key(&part.item)).collect(),
        urgent: batch.urgent,
    };
    let items = batch.parts.iter().map(|part| part.item.clone()).collect();
    let waited_for = batch.waited_for.clone();
    let ballots = ballot::run(&inner, items, batch.marker, &batch.token, waited_for).await;
    for (part, ballot) in batch.parts.iter().zip(ballots) {
        // Removed before it is told, so that whoever heard it and asks again asks anew.
        lock(&inner.desk.state).forget(&key(&part.item));
        part.tell.send_replace(Some(Arc::new(ballot)));
    }
}

/// Frees the place of a batch however it ends, and sends off what waited for it.
struct End<'a> {
    inner: &'a Arc<Inner>,
    keys: Vec<Key>,
    urgent: bool,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.inner.desk.state);
        for key in &self.keys {
            // Those of an ended runtime; the others have been told and are gone, or asked anew.
            if state
                .outcomes
                .get(key)
                .is_some_and(|outcome| outcome.has_changed().is_err())
            {
                state.forget(key);
            }
        }
        match self.urgent {
            true => state.urgent -= 1,
            false => state.background -= 1,
        }
        drop(state);
        pump(self.inner);
    }
}

fn key(item: &Item) -> Key {
    let hashes = item.blocks.iter().map(|block| block.hash);
    (item.silent, hashes.collect())
}

impl State {
    fn put(&mut self, item: Item, priority: Priority, now: Instant) -> Option<Outcome> {
        let key = key(&item);
        if priority == Priority::Background {
            self.last = Some(now);
        }
        if let Some(outcome) = self.outcomes.get(&key) {
            let outcome = outcome.clone();
            let here = self
                .waiting
                .values_mut()
                .find(|waiting| waiting.item == item);
            if let Some(waiting) = here {
                waiting.urgent |= priority.waits();
                waiting.priority = waiting.priority.min(priority);
            } else if priority.waits()
                && let Some(batch) = self.under_way.get(&key)
            {
                batch.send_if_modified(|waits| !std::mem::replace(waits, true));
            }
            return Some(outcome);
        }
        if self.waiting.len() >= MAX_WAITING {
            return None;
        }
        let (tell, outcome) = watch::channel(None);
        self.outcomes.insert(key, outcome.clone());
        let waiting = Waiting {
            urgent: priority.waits(),
            priority,
            since: now,
            tell,
            item,
        };
        self.waiting
            .insert((waiting.item.account, self.next), waiting);
        self.next += 1;
        Some(outcome)
    }

    /// Lets go of a question that is answered.
    fn forget(&mut self, key: &Key) {
        self.outcomes.remove(key);
        self.under_way.remove(key);
    }

    /// Takes an item back if it is still here and nobody waits for it.
    fn abandon(&mut self, abandoned: &Key) {
        if !self.outcomes.contains_key(abandoned) {
            return;
        }
        let mut here = self.waiting.iter();
        // One receiver is kept here for those who join.
        let here = here.find(|(_, waiting)| {
            waiting.tell.receiver_count() <= 1 && key(&waiting.item) == *abandoned
        });
        if let Some(place) = here.map(|(place, _)| *place) {
            self.waiting.remove(&place);
            self.outcomes.remove(abandoned);
        }
    }

    /// When something becomes due that does not wait for a place.
    fn next_due(&self) -> Option<Instant> {
        if self.background >= MAX_BACKGROUND {
            return None;
        }
        let lingering = self.waiting.values().filter(|waiting| !waiting.urgent);
        lingering.map(|waiting| self.leaves_at(waiting)).min()
    }

    fn leaves_at(&self, waiting: &Waiting) -> Instant {
        let linger = waiting.priority.linger(self.hurries);
        match self
            .last
            .filter(|_| waiting.priority == Priority::Background)
        {
            Some(last) => {
                (last.max(waiting.since) + linger).min(waiting.since + linger * MOST_LINGERS)
            }
            None => waiting.since + linger,
        }
    }

    /// Two confirmed blocks besides the marker, another two each time as long as there are any.
    fn token(&mut self) -> Vec<RequestedBlock> {
        let others = self.witnesses.get(1..).unwrap_or_default();
        let count = others.len();
        self.tokens = self.tokens.wrapping_add(1);
        if count < 2 {
            return others.to_vec();
        }
        // Every pair of places comes once before the first comes again.
        let step = 1 + self.tokens / count % (count / 2);
        let (one, other) = (self.tokens % count, (self.tokens + step) % count);
        [one, other]
            .iter()
            .filter_map(|place| others.get(*place).copied())
            .collect()
    }

    /// What leaves now, if anything does.
    fn next_batch(&mut self, now: Instant) -> Option<Batch> {
        let first_urgent = self.waiting.iter().find(|(_, waiting)| waiting.urgent);
        let (start, urgent) = match first_urgent {
            Some((key, _)) if self.urgent < MAX_URGENT => (*key, true),
            _ if self.background < MAX_BACKGROUND => (self.due(now)?, false),
            _ => return None,
        };
        let mut chosen = Chosen::default();
        if urgent {
            let all = self.waiting.iter().filter(|(_, waiting)| waiting.urgent);
            all.for_each(|(key, waiting)| chosen.add(*key, &waiting.item));
        }
        // The neighbours upwards from the start, then around.
        let around = self
            .waiting
            .range(start..)
            .chain(self.waiting.range(..start));
        for (key, waiting) in around {
            // Nobody who waits leaves with a request that may have to queue behind others.
            if urgent || !waiting.urgent {
                chosen.add(*key, &waiting.item);
            }
        }
        let keys = chosen.keys.iter();
        let parts: Vec<_> = keys.filter_map(|key| self.waiting.remove(key)).collect();
        match urgent {
            true => self.urgent += 1,
            false => self.background += 1,
        }
        let (hurry, waited_for) = watch::channel(urgent);
        let hurried = parts.iter().map(|part| (key(&part.item), hurry.clone()));
        self.under_way.extend(hurried);
        Some(Batch {
            parts,
            urgent,
            waited_for,
            marker: self.witnesses.first().copied(),
            token: self.token(),
        })
    }

    /// Where a batch of the background starts, if one is to leave.
    fn due(&self, now: Instant) -> Option<(Account, u64)> {
        let here = || self.waiting.iter().filter(|(_, waiting)| !waiting.urgent);
        let late = here()
            .filter(|(_, waiting)| self.leaves_at(waiting) <= now)
            .min_by_key(|(_, waiting)| self.leaves_at(waiting));
        let full = || here().nth(BATCH - 1).and_then(|_| here().next());
        late.or_else(full).map(|(key, _)| *key)
    }
}

/// A batch being put together, in order of the accounts.
#[derive(Default)]
struct Chosen {
    keys: BTreeSet<(Account, u64)>,
    roots: BTreeMap<Root, BlockHash>,
    blocks: usize,
}

impl Chosen {
    /// Adds an item if there is room and nothing speaks against it.
    fn add(&mut self, key: (Account, u64), item: &Item) {
        // One that needs more than a batch's worth of blocks goes alone.
        let size = item.blocks.len().max(1);
        let room = self.keys.is_empty() || self.blocks + size <= BATCH;
        let clashes = |block: &RequestedBlock| {
            let other = self.roots.get(&block.root);
            other.is_some_and(|other| *other != block.hash)
        };
        if !room || self.keys.contains(&key) || item.blocks.iter().any(clashes) {
            return;
        }
        self.keys.insert(key);
        self.blocks += size;
        let roots = item.blocks.iter().map(|block| (block.root, block.hash));
        self.roots.extend(roots);
    }
}

#[cfg(test)]
mod tests;
