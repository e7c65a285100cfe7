//! The wallet's side: sending until it is kept, receiving each payment once.
//!
//! States of a notification to be sent: *queued* (stored durably, so that a crash loses nothing), *priced* (those
//! who shall keep it are asked what work they want), *working*, *putting*, then *placed* and gone, or *waiting* for
//! the next try (after [`FIRST_AGAIN_MS`], doubled up to [`LONGEST_AGAIN_MS`]) because nobody could be reached, more
//! work was wanted, or a limit was met. Only what is wrong in itself ends as *failed*.
//!
//! Rules of sending: work goes [`MARGIN`] thousandths beyond what is asked, since prices rise meanwhile; a
//! notification that grew older than [`RESEAL_MS`] is sealed anew before it is tried again, because relays take no
//! old ones.
//!
//! Rules of receiving: every week's tag is asked for on its own, from the last time everything was seen less
//! [`OVERLAP_MS`]; a new recipient begins [`super::MAX_TTL_S`] ago, so the seed alone brings back all there is.
//! Everything was seen when a *thorough* search was answered, for every tag, by as many bridges as sign receipts:
//! whatever was promised, one of them has it. It is tried until it succeeds, at the start and every [`THOROUGH_MS`];
//! quick searches between them bring what is new sooner, and prove nothing. What is
//! pushed or found again is delivered once: by its name, by what it says, and, once its driver said that the payment
//! is real ([`Wallet::confirmed`]), by its transaction. Where a recipient stands is stored durably after each
//! delivery.
//!
//! Limits: [`MAX_QUEUE`] to be sent, [`MAX_RECIPIENTS`] recipients, [`MAX_SEEN`] remembered deliveries of each (the
//! oldest is forgotten).

use std::collections::VecDeque;
use std::sync::Arc;

use nano_core::{BlockHash, Difficulty, Network, UnixMillis, WorkNonce};

use super::address::RelayAddress;
use super::courier::{Courier, CourierOutput, JobId, Outcome};
use super::directory::{COPIES, Directory, Region};
use super::keys::{RecipientKey, RecipientSecret, Tag, Week};
use super::message::{Ask, Item, Reply, Ticket};
use super::payload::{PayloadError, Payment};
use super::refusal::Refusal;
use super::sealed::{Deletion, MAX_TTL_S, Sealed, TagKind};
use crate::id::hash;
use crate::reader::Reader;
use crate::sorted::SortedMap;
use crate::{NodeId, NodeKey, Rng};

/// Most notifications to be sent.
pub const MAX_QUEUE: usize = 256;
/// Most recipients.
pub const MAX_RECIPIENTS: usize = 16;
/// Most deliveries of a recipient that are remembered.
pub const MAX_SEEN: usize = 4_096;
/// First time until a notification is tried again.
pub const FIRST_AGAIN_MS: u64 = 5_000;
/// Longest time until then.
pub const LONGEST_AGAIN_MS: u64 = 600_000;
/// By how many thousandths of the base's distance work goes beyond what is asked.
const MARGIN: u128 = 250;
/// After this age it is sealed anew before it is tried again: half of what relays take.
const RESEAL_MS: u64 = 1_800_000;
/// How long work may take until it is asked for again.
const WORK_MS: u64 = 1_800_000;
/// How far back before what was seen is asked for again: a day.
pub const OVERLAP_MS: u64 = 86_400_000;
/// How often is asked for what was not pushed.
pub const POLL_MS: u64 = 300_000;
/// How often everybody who shall keep something is asked, not only some.
pub const THOROUGH_MS: u64 = 21_600_000;

/// A notification to be sent; the wallet's own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SendId(pub u64);

/// Under what the driver keeps something durable for a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WalletKey {
    /// A notification to be sent.
    Send(SendId),
    /// Where a recipient stands.
    Recipient(RecipientKey),
}

/// What the driver does for a wallet, in this order: what is to be kept is durable before it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum WalletOutput {
    /// Ask a bridge; [`Wallet::answered`] hears how it went.
    Ask(Ticket, NodeKey, Ask),
    /// Keep these bytes, or nothing, under a key.
    Keep(WalletKey, Option<Vec<u8>>),
    /// Search for work; [`Wallet::work_found`] hears of it.
    FindWork {
        /// Over the root of this.
        hash: RelayAddress,
        /// What it must reach.
        needed: Difficulty,
    },
    /// A notification of ours got on.
    Sent(SendId, SendState),
    /// A payment came, once.
    Received(Box<Received>),
    /// Everything there is of this recipient was looked through, as far as `answered` bridges per tag know.
    Searched {
        /// Whose.
        recipient: RecipientKey,
        /// Whether bridges answered for every week: one, or as many as sign receipts where the search is thorough.
        complete: bool,
    },
    /// Something under our tag cannot be read, and was put aside.
    Unreadable(RelayAddress, PayloadError),
    /// A newer directory is in force.
    Directory(Box<Directory>),
}

/// Where a notification of ours stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// Stored; nothing was asked yet.
    Queued,
    /// Its work is being computed.
    Working(Difficulty),
    /// Enough bridges signed that they keep it: done.
    Placed {
        /// Its name.
        hash: RelayAddress,
        /// How many so far.
        copies: u8,
    },
    /// Not enough of them did; tried again at this time.
    Waiting {
        /// Why; `None`: nobody could be reached.
        refusal: Option<Refusal>,
        /// When.
        again: UnixMillis,
    },
    /// It never will be kept.
    Failed(PayloadError),
    /// Too many are queued; not taken.
    TooMany,
}

/// A payment that somebody told us of. What it says is the sender's word until it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The notification's name.
    pub hash: RelayAddress,
    /// For whom of us.
    pub recipient: RecipientKey,
    /// When it was made, by the sender's clock.
    pub timestamp: UnixMillis,
    /// What it says.
    pub payment: Payment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pricing,
    Working,
    Putting,
    Waiting,
}

#[derive(Debug)]
struct Send {
    payment: Payment,
    recipient: RecipientKey,
    kind: TagKind,
    ttl_s: u32,
    sealed: Sealed,
    stage: Stage,
    next: UnixMillis,
    again_ms: u64,
}

#[derive(Debug)]
struct Recipient {
    secret: Arc<RecipientSecret>,
    /// Up to when everything was seen.
    seen_until: UnixMillis,
    /// First bytes of hashes of what was delivered, oldest first.
    seen: VecDeque<u64>,
    /// When it is asked for next.
    next: UnixMillis,
    /// Tags still to be answered for, since when they were asked, and whether all were answered so far.
    open: usize,
    asked_at: UnixMillis,
    complete: bool,
    /// Whether the search that was begun last asks everybody.
    thorough: bool,
    /// When the next one has to.
    thorough_next: UnixMillis,
    /// How long is waited after the next search that is not complete.
    again_ms: u64,
}

#[derive(Debug, Clone, Copy)]
enum Job {
    Price(SendId),
    Put(SendId),
    Get(RecipientKey),
    Delete,
}

/// A wallet's notifications.
pub struct Wallet {
    network: Network,
    /// Where it is reached.
    id: NodeId,
    rng: Rng,
    courier: Courier,
    sends: SortedMap<SendId, Send>,
    last_send: u64,
    recipients: SortedMap<RecipientKey, Recipient>,
    jobs: SortedMap<JobId, Job>,
    last_job: u64,
    outputs: VecDeque<WalletOutput>,
    /// Subscriptions asked for, whose answers nobody waits for.
    last_told: u64,
    #[cfg(any(test, feature = "adversary"))]
    bug: Option<super::Bug>,
}

impl Wallet {
    /// An empty one, for the node with this id.
    #[must_use]
    pub fn new(network: Network, id: NodeId, anchors: Vec<NodeKey>, rng: Rng) -> Self {
        Self {
            network,
            id,
            rng,
            courier: Courier::new(network, anchors),
            sends: SortedMap::new(),
            last_send: 0,
            recipients: SortedMap::new(),
            jobs: SortedMap::new(),
            last_job: 0,
            outputs: VecDeque::new(),
            last_told: 1 << 63,
            #[cfg(any(test, feature = "adversary"))]
            bug: None,
        }
    }

    /// Makes it misbehave in one way, to see that somebody notices.
    #[cfg(any(test, feature = "adversary"))]
    pub const fn plant(&mut self, bug: super::Bug) {
        self.bug = Some(bug);
    }

    /// The directory and the records of relays.
    #[must_use]
    pub const fn courier(&self) -> &Courier {
        &self.courier
    }

    /// Others count as anchors from now on.
    pub fn set_anchors(&mut self, anchors: Vec<NodeKey>) {
        self.courier.set_anchors(anchors);
    }

    /// The node is reached under another id from now on.
    pub const fn set_id(&mut self, id: NodeId) {
        self.id = id;
    }

    /// A directory came.
    pub fn take_directory(&mut self, now: UnixMillis, directory: Directory) {
        self.courier.take_directory(now, directory);
        self.pump(now);
    }

    /// Asks a bridge for the directory.
    pub fn ask_directory(&mut self, now: UnixMillis, bridge: NodeKey) {
        self.courier.ask_directory(bridge);
        self.pump(now);
    }

    /// Whether there is anything to be sent or received.
    #[must_use]
    pub const fn is_used(&self) -> bool {
        !self.sends.is_empty() || !self.recipients.is_empty()
    }

    /// Notifications that are not placed yet.
    #[must_use]
    pub const fn queued(&self) -> usize {
        self.sends.len()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<WalletOutput> {
        self.outputs.pop_front()
    }

    /// When [`Wallet::handle_timeout`] is to be called.
    #[must_use]
    pub fn next_timeout(&self) -> Option<UnixMillis> {
        let waiting = |send: &&Send| matches!(send.stage, Stage::Waiting | Stage::Working);
        let sends = self.sends.values().filter(waiting).map(|send| send.next);
        let recipients = self.recipients.values();
        let idle = recipients.filter(|recipient| recipient.open == 0);
        sends.chain(idle.map(|recipient| recipient.next)).min()
    }

    /// It is time to do something.
    pub fn handle_timeout(&mut self, now: UnixMillis) {
        let due = self.sends.iter().filter(|(_, send)| {
            send.next <= now && matches!(send.stage, Stage::Waiting | Stage::Working)
        });
        let due: Vec<SendId> = due.map(|(id, _)| *id).collect();
        for id in due {
            self.try_send(now, id);
        }
        let due = self
            .recipients
            .iter()
            .filter(|(_, one)| one.open == 0 && one.next <= now);
        let due: Vec<RecipientKey> = due.map(|(key, _)| *key).collect();
        for key in due {
            self.search(now, key);
        }
        self.pump(now);
    }

    /// Sends a payment's notification; its number, under which [`WalletOutput::Sent`] tells how it gets on.
    pub fn send(
        &mut self,
        now: UnixMillis,
        payment: Payment,
        recipient: RecipientKey,
        kind: TagKind,
        ttl_s: u32,
    ) -> SendId {
        self.last_send = (self.last_send + 1).max(now.number());
        let id = SendId(self.last_send);
        if self.sends.len() >= MAX_QUEUE {
            self.tell(id, SendState::TooMany);
            return id;
        }
        match Sealed::new(&payment, &recipient, kind, ttl_s, now, &mut self.rng) {
            Ok(sealed) => {
                let send = Send {
                    payment,
                    recipient,
                    kind,
                    ttl_s,
                    sealed,
                    stage: Stage::Waiting,
                    next: now,
                    again_ms: FIRST_AGAIN_MS,
                };
                self.keep_send(id, &send);
                self.sends.insert(id, send);
                self.tell(id, SendState::Queued);
                self.try_send(now, id);
            }
            Err(error) => self.tell(id, SendState::Failed(error)),
        }
        self.pump(now);
        id
    }

    /// Receives for a secret; `stored` is what was kept for it ([`WalletKey::Recipient`]), if anything. False if
    /// there are too many recipients.
    pub fn receive(
        &mut self,
        now: UnixMillis,
        secret: Arc<RecipientSecret>,
        stored: Option<&[u8]>,
    ) -> bool {
        let key = secret.key();
        if self.recipients.contains_key(&key) {
            return true;
        }
        if self.recipients.len() >= MAX_RECIPIENTS {
            return false;
        }
        let (seen_until, seen) = stored.and_then(read_seen).unwrap_or_default();
        let recipient = Recipient {
            secret,
            seen_until,
            seen,
            next: now,
            open: 0,
            asked_at: now,
            complete: false,
            thorough: true,
            thorough_next: now,
            again_ms: FIRST_AGAIN_MS,
        };
        self.recipients.insert(key, recipient);
        self.search(now, key);
        self.pump(now);
        true
    }

    /// Receives no longer for this recipient.
    pub fn forget(&mut self, key: &RecipientKey) {
        self.recipients.remove(key);
    }

    /// Looks through everything there is of a recipient, delivered or not; only what was not is delivered.
    pub fn rescan(&mut self, now: UnixMillis, key: RecipientKey) {
        if let Some(recipient) = self.recipients.get_mut(&key) {
            recipient.seen_until = UnixMillis(0);
            recipient.thorough_next = now;
            recipient.again_ms = FIRST_AGAIN_MS;
            self.search(now, key);
            self.pump(now);
        }
    }

    /// The payment of this transaction is real: further notifications of it are dropped.
    pub fn confirmed(&mut self, key: &RecipientKey, transaction: &BlockHash) {
        if self.note_seen(key, name(&[b"transaction", transaction.as_bytes()])) {
            self.keep_recipient(key);
        }
    }

    /// Has a received notification forgotten by those who keep it.
    pub fn delete(&mut self, now: UnixMillis, key: &RecipientKey, sealed: &Sealed) {
        let Some(recipient) = self.recipients.get(key) else {
            return;
        };
        let week = (sealed.tag != key.plain_tag()).then(|| Week::of(sealed.timestamp));
        let data = Deletion::data(self.network, &sealed.hash);
        let deletion = Deletion {
            tag: sealed.tag,
            hash: sealed.hash,
            signature: recipient.secret.sign(week, &data),
        };
        let job = self.job(Job::Delete);
        self.courier.delete(job, deletion);
        self.pump(now);
    }

    fn job(&mut self, job: Job) -> JobId {
        self.last_job += 1;
        let id = JobId(self.last_job);
        self.jobs.insert(id, job);
        id
    }

    fn tell(&mut self, id: SendId, state: SendState) {
        self.outputs.push_back(WalletOutput::Sent(id, state));
    }

    fn try_send(&mut self, now: UnixMillis, id: SendId) {
        let Some(send) = self.sends.get_mut(&id) else {
            return;
        };
        if now.since(send.sealed.timestamp) > RESEAL_MS {
            let (payment, recipient) = (&send.payment, &send.recipient);
            let (kind, ttl_s) = (send.kind, send.ttl_s);
            let sealed = Sealed::new(payment, recipient, kind, ttl_s, now, &mut self.rng);
            // It could be sealed before, so it can be now.
            if let Ok(sealed) = sealed {
                send.sealed = sealed;
            }
        }
        send.stage = Stage::Pricing;
        let tag = send.sealed.tag;
        let job = self.job(Job::Price(id));
        self.courier.price(job, tag);
    }

    /// Work was found; ignored unless it is still wanted.
    pub fn work_found(&mut self, now: UnixMillis, hash: RelayAddress, nonce: WorkNonce) {
        let mut sends = self.sends.iter_mut();
        let send = sends.find(|(_, send)| send.sealed.hash == hash && send.stage == Stage::Working);
        let Some((id, send)) = send else { return };
        send.sealed.work = nonce;
        send.stage = Stage::Putting;
        let (id, sealed) = (*id, send.sealed.clone());
        drop(sends);
        let job = self.job(Job::Put(id));
        self.courier.put(job, &sealed);
        self.pump(now);
    }

    /// The answer to [`WalletOutput::Ask`]; `None` if there is none.
    pub fn answered(&mut self, now: UnixMillis, ticket: Ticket, reply: Option<Reply>) {
        self.courier.answered(now, ticket, reply);
        self.pump(now);
    }

    fn pump(&mut self, now: UnixMillis) {
        while let Some(output) = self.courier.poll_output() {
            match output {
                CourierOutput::Ask(ticket, key, ask) => {
                    self.outputs.push_back(WalletOutput::Ask(ticket, key, ask));
                }
                CourierOutput::Directory(directory) => {
                    self.outputs.push_back(WalletOutput::Directory(directory));
                    self.look_again(now);
                }
                CourierOutput::Done(id, outcome) => match (self.jobs.remove(&id), outcome) {
                    (Some(Job::Price(id)), Outcome::Price(needed)) => self.priced(now, id, needed),
                    (Some(Job::Put(id)), Outcome::Placed(stamps)) => {
                        let hash = self.sends.remove(&id).map(|send| send.sealed.hash);
                        let keep = WalletOutput::Keep(WalletKey::Send(id), None);
                        self.outputs.push_back(keep);
                        let copies = u8::try_from(stamps.len()).unwrap_or(u8::MAX);
                        if let Some(hash) = hash {
                            self.tell(id, SendState::Placed { hash, copies });
                        }
                    }
                    (Some(Job::Put(id)), Outcome::NotPlaced { refusal, .. }) => {
                        self.not_placed(now, id, refusal);
                    }
                    (Some(Job::Get(key)), Outcome::Found { items, answered }) => {
                        let mut new = false;
                        for sealed in items {
                            new |= self.take(&key, &sealed);
                        }
                        if new {
                            self.keep_recipient(&key);
                        }
                        self.searched(now, &key, answered);
                    }
                    _ => {}
                },
            }
        }
    }

    fn priced(&mut self, now: UnixMillis, id: SendId, needed: Option<Difficulty>) {
        match needed {
            Some(needed) => self.work_for(now, id, needed),
            None => self.not_placed(now, id, None),
        }
    }

    fn work_for(&mut self, now: UnixMillis, id: SendId, needed: Difficulty) {
        let Some(send) = self.sends.get_mut(&id) else {
            return;
        };
        let distance = (1_u128 << 64) - u128::from(needed.number());
        let number = (1_u128 << 64) - (distance * 1_000 / (1_000 + MARGIN)).max(1);
        let aimed = Difficulty::new(u64::try_from(number).unwrap_or(u64::MAX));
        send.stage = Stage::Working;
        send.next = now.plus(WORK_MS);
        let hash = send.sealed.hash;
        let needed = aimed;
        self.outputs
            .push_back(WalletOutput::FindWork { hash, needed });
        self.tell(id, SendState::Working(needed));
    }

    fn not_placed(&mut self, now: UnixMillis, id: SendId, refusal: Option<Refusal>) {
        let Some(send) = self.sends.get_mut(&id) else {
            return;
        };
        if let Some(Refusal::TooLittleWork { needed } | Refusal::Busy { needed }) = refusal {
            return self.work_for(now, id, needed);
        }
        if refusal.is_some_and(|refusal| !refusal.is_of_this_relay()) {
            // Its time ran out, or clocks differ: it is made anew.
            send.sealed.timestamp = UnixMillis(0);
        }
        let wait = match refusal {
            Some(Refusal::TooOften { retry_s }) => u64::from(retry_s) * 1_000,
            _ => send.again_ms,
        };
        send.stage = Stage::Waiting;
        send.next = now.plus(wait);
        send.again_ms = (send.again_ms * 2).min(LONGEST_AGAIN_MS);
        let again = send.next;
        self.tell(id, SendState::Waiting { refusal, again });
    }

    /// Asks for what came for a recipient since everything was seen.
    fn search(&mut self, now: UnixMillis, key: RecipientKey) {
        let Some(recipient) = self.recipients.get_mut(&key) else {
            return;
        };
        let thorough = recipient.thorough_next <= now;
        recipient.thorough = thorough;
        let longest = u64::from(MAX_TTL_S) * 1_000;
        let oldest = UnixMillis(now.number().saturating_sub(longest));
        let since =
            UnixMillis(recipient.seen_until.number().saturating_sub(OVERLAP_MS)).max(oldest);
        // Clocks of senders may be ahead of ours.
        let last = Week::of(now.plus(super::MAX_AHEAD_MS)).0;
        let mut tags: Vec<Tag> = (Week::of(since).0..=last)
            .filter_map(|week| key.tag(Week(week)).ok())
            .collect();
        let rotating = tags.len();
        tags.push(key.plain_tag());
        recipient.asked_at = now;
        recipient.open += tags.len();
        recipient.complete = true;
        recipient.next = now.plus(POLL_MS);
        for (place, tag) in tags.into_iter().enumerate() {
            let job = self.job(Job::Get(key));
            self.courier.get(job, tag, since, thorough);
            if place + 1 >= rotating {
                self.subscribe(tag);
            }
        }
    }

    /// Has those who keep what is under a tag push what comes.
    fn subscribe(&mut self, tag: Tag) {
        let order = self.courier.places().order(Region::of(&tag));
        for key in order.into_iter().take(COPIES) {
            self.last_told += 1;
            let ask = Ask::Subscribe { to: self.id, tag };
            let ticket = Ticket(self.last_told);
            self.outputs.push_back(WalletOutput::Ask(ticket, key, ask));
        }
    }

    fn searched(&mut self, now: UnixMillis, key: &RecipientKey, answered: usize) {
        let enough = self.courier.places().receipts().max(1);
        let Some(recipient) = self.recipients.get_mut(key) else {
            return;
        };
        recipient.open = recipient.open.saturating_sub(1);
        recipient.complete &= answered >= if recipient.thorough { enough } else { 1 };
        if recipient.open > 0 {
            return;
        }
        let complete = recipient.complete;
        if !complete {
            recipient.next = now.plus(recipient.again_ms);
            recipient.again_ms = (recipient.again_ms * 2).min(POLL_MS);
        } else {
            recipient.again_ms = FIRST_AGAIN_MS;
            if recipient.thorough {
                recipient.seen_until = recipient.asked_at;
                recipient.thorough_next = recipient.asked_at.plus(THOROUGH_MS);
            }
            self.keep_recipient(key);
        }
        let recipient = *key;
        self.outputs.push_back(WalletOutput::Searched {
            recipient,
            complete,
        });
    }

    /// Who keeps what is known anew: what could not be looked through is tried again at once.
    fn look_again(&mut self, now: UnixMillis) {
        for (_, recipient) in self.recipients.iter_mut() {
            if recipient.open == 0 && !recipient.complete {
                recipient.next = now;
            }
        }
    }

    /// A bridge pushes what came.
    pub fn pushed(&mut self, now: UnixMillis, items: &[Item]) {
        for item in items {
            let Ok(sealed) = item.open() else { continue };
            if sealed.expires() <= now {
                continue;
            }
            let week = Week::of(sealed.timestamp);
            let ours = self
                .recipients
                .keys()
                .copied()
                .find(|key| key.tag(week) == Ok(sealed.tag) || key.plain_tag() == sealed.tag);
            if let Some(key) = ours
                && self.take(&key, &sealed)
            {
                self.keep_recipient(&key);
            }
        }
        self.pump(now);
    }

    /// Delivers what was not delivered before. True if anything is to be remembered of it.
    fn take(&mut self, key: &RecipientKey, sealed: &Sealed) -> bool {
        let by_name = name(&[b"name", sealed.hash.as_bytes()]);
        if !self.note_seen(key, by_name) {
            return false;
        }
        let Some(recipient) = self.recipients.get(key) else {
            return false;
        };
        let payment = match Payment::open(&recipient.secret, &sealed.payload) {
            Ok(payment) => payment,
            Err(error) => {
                let output = WalletOutput::Unreadable(sealed.hash, error);
                self.outputs.push_back(output);
                return true;
            }
        };
        let transaction = payment.transaction.as_bytes();
        if self.has_seen(key, name(&[b"transaction", transaction])) {
            return true;
        }
        let amount = payment.amount.to_bytes();
        let says = name(&[b"says", transaction, payment.ephemeral.as_bytes(), &amount]);
        if !self.note_seen(key, says) {
            return true;
        }
        self.outputs
            .push_back(WalletOutput::Received(Box::new(Received {
                hash: sealed.hash,
                recipient: *key,
                timestamp: sealed.timestamp,
                payment,
            })));
        true
    }

    fn has_seen(&self, key: &RecipientKey, what: u64) -> bool {
        #[cfg(any(test, feature = "adversary"))]
        if self.bug == Some(super::Bug::DeliversAgain) {
            return false;
        }
        let recipient = self.recipients.get(key);
        recipient.is_some_and(|recipient| recipient.seen.contains(&what))
    }

    /// Remembers something; false if it was.
    fn note_seen(&mut self, key: &RecipientKey, what: u64) -> bool {
        if self.has_seen(key, what) {
            return false;
        }
        if let Some(recipient) = self.recipients.get_mut(key) {
            recipient.seen.push_back(what);
            if recipient.seen.len() > 3 * MAX_SEEN {
                recipient.seen.pop_front();
            }
        }
        true
    }

    fn keep_recipient(&mut self, key: &RecipientKey) {
        let Some(recipient) = self.recipients.get(key) else {
            return;
        };
        let mut bytes = recipient.seen_until.number().to_be_bytes().to_vec();
        for seen in &recipient.seen {
            bytes.extend_from_slice(&seen.to_be_bytes());
        }
        let keep = WalletOutput::Keep(WalletKey::Recipient(*key), Some(bytes));
        self.outputs.push_back(keep);
    }

    fn keep_send(&mut self, id: SendId, send: &Send) {
        let keep = WalletOutput::Keep(WalletKey::Send(id), Some(write_send(send)));
        self.outputs.push_back(keep);
    }

    /// A notification that was to be sent when the wallet was last there; false for bytes that are none.
    pub fn resume(&mut self, now: UnixMillis, id: SendId, bytes: &[u8]) -> bool {
        let Some((payment, recipient, kind, ttl_s)) = read_send(bytes) else {
            return false;
        };
        let sealed = Sealed::new(&payment, &recipient, kind, ttl_s, now, &mut self.rng);
        let Ok(sealed) = sealed else {
            return false;
        };
        if self.sends.len() < MAX_QUEUE {
            self.last_send = self.last_send.max(id.0);
            let send = Send {
                payment,
                recipient,
                kind,
                ttl_s,
                sealed,
                stage: Stage::Waiting,
                next: now,
                again_ms: FIRST_AGAIN_MS,
            };
            self.sends.insert(id, send);
        }
        true
    }
}

/// The first bytes of a hash.
fn name(parts: &[&[u8]]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash(parts);
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn read_seen(bytes: &[u8]) -> Option<(UnixMillis, VecDeque<u64>)> {
    let mut reader = Reader::new(bytes);
    let until = UnixMillis(reader.u64()?);
    let mut seen = VecDeque::new();
    while let Some(one) = reader.u64() {
        seen.push_back(one);
    }
    Some((until, seen))
}

/// Kind of the tag (1), time to live in seconds (4), recipient (32), ephemeral key (32), transaction (32), amount (16), nonce (32), then the
/// memo, if there is one, after a 1.
fn write_send(send: &Send) -> Vec<u8> {
    let payment = &send.payment;
    let mut bytes = vec![u8::from(send.kind == TagKind::Plain)];
    bytes.extend_from_slice(&send.ttl_s.to_be_bytes());
    bytes.extend_from_slice(send.recipient.as_bytes());
    bytes.extend_from_slice(payment.ephemeral.as_bytes());
    bytes.extend_from_slice(payment.transaction.as_bytes());
    bytes.extend_from_slice(&payment.amount.to_bytes());
    bytes.extend_from_slice(&payment.nonce);
    if let Some(memo) = &payment.memo {
        bytes.push(1);
        bytes.extend_from_slice(memo.as_bytes());
    }
    bytes
}

fn read_send(bytes: &[u8]) -> Option<(Payment, RecipientKey, TagKind, u32)> {
    let mut reader = Reader::new(bytes);
    let kind = match reader.byte()? {
        0 => TagKind::Rotating,
        1 => TagKind::Plain,
        _ => return None,
    };
    let ttl_s = u32::from_be_bytes(reader.array()?);
    let recipient = RecipientKey::from_bytes(reader.array()?);
    let payment = Payment {
        ephemeral: nano_core::PublicKey::from_bytes(reader.array()?),
        transaction: BlockHash::from_bytes(reader.array()?),
        amount: nano_core::Raw::from_bytes(reader.array()?),
        nonce: reader.array()?,
        memo: match reader.byte() {
            None => None,
            Some(1) => Some(String::from_utf8(reader.rest().to_vec()).ok()?),
            Some(_) => return None,
        },
    };
    Some((payment, recipient, kind, ttl_s))
}
