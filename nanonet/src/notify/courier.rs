//! The other side: bringing notifications to those who shall keep them, and getting them back.
//!
//! A *job* is one thing to be done with several bridges: a put, a get, a deletion, a question for the price. Its
//! driver hears once how it ended ([`Courier::poll_output`]).
//!
//! Rules:
//! - a put goes to the first [`COPIES`] bridges of its region's order at once; one that cannot be reached or
//!   cannot take anything is followed by the next. It is done when as many as [`Places::receipts`] says have signed
//!   that it is on their disks, and has failed when nobody is left to ask. The rest go on all the same;
//! - a bridge that wants more work is not passed over: the sender computes it and puts again;
//! - limits of a tag are not passed over either: other bridges have the same;
//! - a get asks the same bridges, each until it has nothing more, and others that are known to hold something of
//!   the region; what several hand out is merged. Not *thorough* it asks the [`QUICK`] with the best record only;
//! - of each bridge is kept how often it was asked and answered, and whether it had what others had
//!   ([`RelayRecord`]); better ones are asked first.
//!
//! Limits: [`MAX_JOBS`] at a time (more end at once as failed), [`MAX_FOUND`] notifications in one get.

use std::collections::VecDeque;

use nano_core::{Difficulty, Network, UnixMillis};

use super::address::RelayAddress;
use super::directory::{COPIES, Directory, Places, Region};
use super::keys::Tag;
use super::message::{Ask, Cursor, Item, Reply, Ticket};
use super::refusal::Refusal;
use super::sealed::{Deletion, Sealed, Stamp};
use crate::NodeKey;
use crate::sorted::SortedMap;

/// Most jobs at a time.
pub const MAX_JOBS: usize = 256;
/// Bridges asked by a get that is not thorough.
pub const QUICK: usize = 3;
/// Most notifications that one get brings.
pub const MAX_FOUND: usize = 16_384;
/// Most bridges whose record is kept.
const MAX_RECORDS: usize = 128;

/// A job; the driver's own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A put: so many bridges have it on their disks.
    Placed(Vec<Stamp>),
    /// A put: too few.
    NotPlaced {
        /// Those that have it all the same.
        stamps: Vec<Stamp>,
        /// What has to be done about it; `None`: nobody could be reached.
        refusal: Option<Refusal>,
    },
    /// A get.
    Found {
        /// Each once, by time.
        items: Vec<Sealed>,
        /// Bridges that answered to the end.
        answered: usize,
    },
    /// A price: the most that is asked by those that shall keep it; `None`: nobody answered.
    Price(Option<Difficulty>),
    /// A deletion: so many bridges have it on their disks.
    Deleted(usize),
}

/// What the driver does for a courier.
#[derive(Debug, Clone, PartialEq)]
pub enum CourierOutput {
    /// Ask a bridge; [`Courier::answered`] hears how it went.
    Ask(Ticket, NodeKey, Ask),
    /// A job has ended.
    Done(JobId, Outcome),
    /// A newer directory is in force.
    Directory(Box<Directory>),
}

/// What is known of a bridge as a keeper of notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayRecord {
    /// Questions to it.
    pub asked: u32,
    /// Answers from it.
    pub answered: u32,
    /// Receipts it signed.
    pub stored: u32,
    /// Puts it refused.
    pub refused: u32,
    /// Notifications it handed out.
    pub served: u32,
    /// Notifications that others had and it had not.
    pub missed: u32,
}

impl RelayRecord {
    /// The larger the better: answers, less what was missed, in thousandths of what was asked.
    #[must_use]
    pub fn score(&self) -> u32 {
        let good = u64::from(self.answered.saturating_sub(self.missed)) + 1;
        let all = u64::from(self.asked) + 1;
        u32::try_from((good * 1_000 / all).min(1_000)).unwrap_or(0)
    }
}

#[derive(Debug)]
enum Kind {
    Put {
        hash: RelayAddress,
        item: Item,
        stamps: Vec<Stamp>,
        refusal: Option<Refusal>,
        told: bool,
    },
    Get {
        tag: Tag,
        since: UnixMillis,
        found: Vec<Sealed>,
        by: Vec<(NodeKey, RelayAddress)>,
        answered: Vec<NodeKey>,
    },
    Price {
        tag: Tag,
        most: Option<Difficulty>,
    },
    Delete {
        deletion: Deletion,
        done: usize,
    },
}

#[derive(Debug)]
struct Job {
    kind: Kind,
    /// Who was asked.
    asked: Vec<NodeKey>,
    /// Who is asked next where somebody cannot.
    next: VecDeque<NodeKey>,
    open: usize,
}

/// What a ticket is for.
#[derive(Debug)]
enum Asked {
    Job(JobId, NodeKey),
    Providers(JobId, NodeKey),
    Directory(NodeKey),
}

/// Carries notifications.
#[derive(Debug)]
pub struct Courier {
    network: Network,
    places: Places,
    jobs: SortedMap<JobId, Job>,
    tickets: SortedMap<Ticket, Asked>,
    last_ticket: u64,
    records: SortedMap<NodeKey, RelayRecord>,
    outputs: VecDeque<CourierOutput>,
}

impl Courier {
    /// One that knows no directory yet.
    #[must_use]
    pub fn new(network: Network, anchors: Vec<NodeKey>) -> Self {
        Self {
            network,
            places: Places::new(anchors),
            jobs: SortedMap::new(),
            tickets: SortedMap::new(),
            last_ticket: 0,
            records: SortedMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The directory in force.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Others count as anchors from now on.
    pub fn set_anchors(&mut self, anchors: Vec<NodeKey>) {
        self.places.set_anchors(anchors);
    }

    /// A directory came.
    pub fn take_directory(&mut self, now: UnixMillis, directory: Directory) -> bool {
        let taken = self.places.take(directory.clone(), self.network, now);
        if taken {
            let output = CourierOutput::Directory(Box::new(directory));
            self.outputs.push_back(output);
        }
        taken
    }

    /// Asks a bridge for the directory, listed or not.
    pub fn ask_directory(&mut self, bridge: NodeKey) {
        let version = self.places.version();
        let ask = Ask::Directory(version);
        self.ask(bridge, Asked::Directory(bridge), ask);
    }

    /// The record of every bridge met.
    pub fn records(&self) -> impl Iterator<Item = (&NodeKey, &RelayRecord)> {
        self.records.iter()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<CourierOutput> {
        self.outputs.pop_front()
    }

    /// Brings a notification to those who shall keep it.
    pub fn put(&mut self, id: JobId, sealed: &Sealed) {
        let kind = Kind::Put {
            hash: sealed.hash,
            item: Item::new(sealed),
            stamps: Vec::new(),
            refusal: None,
            told: false,
        };
        let order = self.places.order(Region::of(&sealed.tag));
        self.begin(id, kind, order, COPIES);
    }

    /// Gets what lies under a tag since a time.
    pub fn get(&mut self, id: JobId, tag: Tag, since: UnixMillis, thorough: bool) {
        let mut order = self.places.order(Region::of(&tag));
        let near = COPIES.min(order.len());
        let at_once = if thorough { near } else { near.min(QUICK) };
        if !thorough {
            order[..near].sort_by_key(|key| std::cmp::Reverse(self.score(key)));
        }
        let kind = Kind::Get {
            tag,
            since,
            found: Vec::new(),
            by: Vec::new(),
            answered: Vec::new(),
        };
        self.begin(id, kind, order, at_once);
    }

    /// What the work for a tag must reach.
    pub fn price(&mut self, id: JobId, tag: Tag) {
        let order = self.places.order(Region::of(&tag));
        self.begin(id, Kind::Price { tag, most: None }, order, COPIES);
    }

    /// Has a notification forgotten.
    pub fn delete(&mut self, id: JobId, deletion: Deletion) {
        let order = self.places.order(Region::of(&deletion.tag));
        self.begin(id, Kind::Delete { deletion, done: 0 }, order, COPIES);
    }

    fn begin(&mut self, id: JobId, kind: Kind, order: Vec<NodeKey>, at_once: usize) {
        let mut job = Job {
            kind,
            asked: Vec::new(),
            next: order.into(),
            open: 0,
        };
        if self.jobs.len() >= MAX_JOBS {
            return self.end(id, job);
        }
        let first: Vec<NodeKey> = job.next.drain(..at_once.min(job.next.len())).collect();
        self.jobs.insert(id, job);
        for key in first {
            self.ask_for(id, key);
        }
        self.end_if_done(id);
    }

    fn ask_for(&mut self, id: JobId, key: NodeKey) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.asked.push(key);
        job.open += 1;
        let ask = match &job.kind {
            Kind::Put { item, .. } => Ask::Put(item.clone()),
            Kind::Get { tag, since, .. } => Ask::Get {
                tag: *tag,
                since: *since,
                after: None,
            },
            Kind::Price { tag, .. } => Ask::Price(*tag),
            Kind::Delete { deletion, .. } => Ask::Delete(*deletion),
        };
        self.ask(key, Asked::Job(id, key), ask);
    }

    fn ask(&mut self, key: NodeKey, asked: Asked, ask: Ask) {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.tickets.insert(ticket, asked);
        self.note(key, |record| record.asked += 1);
        self.outputs.push_back(CourierOutput::Ask(ticket, key, ask));
    }

    fn note(&mut self, key: NodeKey, change: impl FnOnce(&mut RelayRecord)) {
        if self.records.len() < MAX_RECORDS || self.records.contains_key(&key) {
            change(self.records.get_or_insert_with(key, RelayRecord::default));
        }
    }

    fn score(&self, key: &NodeKey) -> u32 {
        self.records.get(key).map_or(1_000, RelayRecord::score)
    }

    /// The answer to [`CourierOutput::Ask`]; `None` if there is none.
    pub fn answered(&mut self, now: UnixMillis, ticket: Ticket, reply: Option<Reply>) {
        let Some(asked) = self.tickets.remove(&ticket) else {
            return;
        };
        let (Asked::Job(_, key) | Asked::Providers(_, key) | Asked::Directory(key)) = asked;
        if reply.is_some() {
            self.note(key, |record| record.answered += 1);
        }
        let id = match asked {
            Asked::Directory(_) => {
                if let Some(Reply::Directory(Some(directory))) = reply {
                    self.take_directory(now, *directory);
                }
                return;
            }
            Asked::Providers(id, _) => {
                self.on_providers(id, reply);
                id
            }
            Asked::Job(id, key) => {
                self.on_job_reply(now, id, key, reply);
                id
            }
        };
        if let Some(job) = self.jobs.get_mut(&id) {
            job.open = job.open.saturating_sub(1);
        }
        self.end_if_done(id);
    }

    fn on_providers(&mut self, id: JobId, reply: Option<Reply>) {
        let Some(Reply::Providers(keys)) = reply else {
            return;
        };
        for key in keys {
            let Some(job) = self.jobs.get_mut(&id) else {
                return;
            };
            job.next.retain(|next| *next != key);
            if !job.asked.contains(&key) && self.places.lists(&key) {
                self.ask_for(id, key);
            }
        }
    }

    fn on_job_reply(&mut self, now: UnixMillis, id: JobId, key: NodeKey, reply: Option<Reply>) {
        let network = self.network;
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let (mut go_on, mut note): (bool, fn(&mut RelayRecord)) = (false, |_| {});
        match (&mut job.kind, reply) {
            (Kind::Put { hash, stamps, .. }, Some(Reply::Stored(stamp)))
                if stamp.store == key && stamp.holds(network, hash) =>
            {
                stamps.push(stamp);
                note = |record| record.stored += 1;
            }
            (Kind::Put { refusal, .. }, Some(Reply::Refused(why))) => {
                note = |record| record.refused += 1;
                go_on = matches!(
                    why,
                    Refusal::Full { .. }
                        | Refusal::Storage
                        | Refusal::Busy { .. }
                        | Refusal::NoRelay
                );
                *refusal = Some(graver(*refusal, why));
            }
            (Kind::Get { .. }, Some(Reply::Items { items, next })) => {
                return self.on_items(now, id, key, items, next);
            }
            (Kind::Price { most, .. }, Some(Reply::Price { needed, .. })) => {
                *most = (*most).max(Some(needed));
            }
            (Kind::Delete { done, .. }, Some(Reply::Done)) => *done += 1,
            // Not reached, or an answer to something else.
            _ => go_on = true,
        }
        self.note(key, note);
        if go_on {
            self.ask_next(id);
        }
    }

    fn ask_next(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if let Some(next) = job.next.pop_front() {
            self.ask_for(id, next);
        }
    }

    fn on_items(
        &mut self,
        now: UnixMillis,
        id: JobId,
        key: NodeKey,
        items: Vec<Item>,
        next: Option<Cursor>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Kind::Get {
            tag,
            since,
            found,
            by,
            answered,
        } = &mut job.kind
        else {
            return;
        };
        let mut served = 0;
        for item in &items {
            let sealed = item.open().ok();
            let wanted = |sealed: &Sealed| {
                sealed.tag == *tag && sealed.timestamp >= *since && sealed.expires() > now
            };
            let Some(sealed) = sealed.filter(wanted) else {
                continue;
            };
            served += 1;
            by.push((key, sealed.hash));
            let at = (sealed.timestamp, sealed.hash);
            let place = found.binary_search_by_key(&at, |held| (held.timestamp, held.hash));
            if let Err(place) = place
                && found.len() < MAX_FOUND
            {
                found.insert(place, sealed);
            }
        }
        let more = next.filter(|_| served > 0);
        if let Some(cursor) = more {
            let ask = Ask::Get {
                tag: *tag,
                since: *since,
                after: Some(cursor),
            };
            job.open += 1;
            self.ask(key, Asked::Job(id, key), ask);
        } else {
            if !answered.contains(&key) {
                answered.push(key);
            }
            // The first that answers knows who else holds something.
            if answered.len() == 1 {
                let ask = Ask::Providers(*tag);
                job.open += 1;
                self.ask(key, Asked::Providers(id, key), ask);
            }
        }
        self.note(key, |record| record.served += served);
    }

    fn end_if_done(&mut self, id: JobId) {
        let enough = self.places.receipts().max(1);
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if let Kind::Put { stamps, told, .. } = &mut job.kind
            && stamps.len() >= enough
            && !*told
        {
            *told = true;
            let outcome = Outcome::Placed(stamps.clone());
            self.outputs.push_back(CourierOutput::Done(id, outcome));
        }
        if job.open == 0
            && let Some(job) = self.jobs.remove(&id)
        {
            self.end(id, job);
        }
    }

    fn end(&mut self, id: JobId, job: Job) {
        let outcome = match job.kind {
            Kind::Put { told: true, .. } => return,
            Kind::Put {
                stamps, refusal, ..
            } => Outcome::NotPlaced { stamps, refusal },
            Kind::Get {
                found,
                by,
                answered,
                ..
            } => {
                for key in &answered {
                    let has = by.iter().filter(|(other, _)| other == key).count();
                    let missed = u32::from(has < found.len());
                    self.note(*key, |record| record.missed += missed);
                }
                Outcome::Found {
                    items: found,
                    answered: answered.len(),
                }
            }
            Kind::Price { most, .. } => Outcome::Price(most),
            Kind::Delete { done, .. } => Outcome::Deleted(done),
        };
        self.outputs.push_back(CourierOutput::Done(id, outcome));
    }
}

/// Of two refusals the one that says more about what is to be done.
fn graver(one: Option<Refusal>, other: Refusal) -> Refusal {
    let Some(one) = one else { return other };
    match (one, other) {
        (Refusal::TooLittleWork { needed: a }, Refusal::TooLittleWork { needed: b }) => {
            Refusal::TooLittleWork { needed: a.max(b) }
        }
        (Refusal::TooLittleWork { .. }, other) if other.is_of_this_relay() => one,
        (one, _) if !one.is_of_this_relay() => one,
        (_, other) => other,
    }
}
