//! The machines inside a [`Node`]: their questions travel as requests of the overlay.
//!
//! A bridge's node has a [`Keeper`] and carries, for programs that ask over HTTP, with a [`Courier`]; a browser's has a
//! [`Wallet`]. What the keeper has to write goes to the shell, whose answer it waits for; bridges that become
//! known are told to it, and directories that it takes go to the others.

use std::sync::Arc;

use nano_core::UnixMillis;

use super::{
    Ask, Directory, Payment, RecipientKey, RecipientSecret, RelayAddress, Reply, SendId, TagKind,
    Ticket, Wallet, WalletKey, WalletOutput,
};
#[cfg(feature = "bridge")]
use super::{
    Caller, Change, Courier, CourierOutput, Deletion, JobId, Keeper, Outcome,
    Output as KeeperOutput, Sealed, Settings, StoreFault, Tag,
};
use crate::Crypto;
#[cfg(feature = "bridge")]
use crate::Identity;
use crate::id::hash;
use crate::routing::contact::Who;
use crate::routing::forward::{Own, Upstream};
#[cfg(feature = "bridge")]
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{self, Bytes, Failure, Target};
use crate::{Node, NodeId, NodeKey, Output, PeerRecord, Role};

/// How often a browser asks a bridge for a newer directory: every half an hour.
const DIRECTORY_MS: u64 = 1_800_000;
/// Numbers of callers that are the shell's begin here.
pub const FIRST_CALLER: u64 = 1 << 63;
/// Most questions of others that a store has not answered.
#[cfg(feature = "bridge")]
const MAX_CALLERS: usize = 8_192;

/// A bridge's store of notifications.
#[cfg(feature = "bridge")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayConfig {
    /// Its bounds.
    pub limits: super::Limits,
    /// The anchors that everybody here agrees on, this bridge among them if it is one. None: every bridge counts
    /// as one, which will do for development only.
    pub anchors: Vec<NodeKey>,
}

/// What a shell tells of notifications.
#[derive(Debug, Clone, PartialEq)]
pub enum NotifyInput {
    /// A directory that was kept.
    Directory(Box<Directory>),
    /// Bridge: what its store of notifications held at the start.
    #[cfg(feature = "bridge")]
    Loaded(Vec<(RelayAddress, Vec<u8>)>),
    /// Bridge: how the first [`NotifyOutput::Write`] went that was not told of yet.
    #[cfg(feature = "bridge")]
    Written(Result<(), StoreFault>),
    /// Bridge: a program asks this store. Numbers begin at [`FIRST_CALLER`] and are the shell's.
    #[cfg(feature = "bridge")]
    Ask(Caller, Ask),
    /// Bridge: a program wants a notification brought to those who shall keep it.
    #[cfg(feature = "bridge")]
    Put(JobId, Box<Sealed>),
    /// Bridge: a program wants what lies under a tag since a time.
    #[cfg(feature = "bridge")]
    Get(JobId, Tag, UnixMillis),
    /// Bridge: a program wants a notification of its owner's forgotten.
    #[cfg(feature = "bridge")]
    Delete(JobId, Deletion),
    /// Tell the recipient of a payment; the number is told by [`WalletOutput::Sent`] of
    /// [`NotifyOutput::Wallet`], in order.
    Send {
        /// What.
        payment: Box<Payment>,
        /// Whom.
        recipient: RecipientKey,
        /// Under which tag.
        kind: TagKind,
        /// For how long, in seconds.
        ttl_s: u32,
    },
    /// One of an earlier run that was kept.
    Resume(SendId, Vec<u8>),
    /// Receive for a secret; with what was kept for it.
    Receive(Arc<RecipientSecret>, Option<Vec<u8>>),
    /// Receive no longer.
    Forget(RecipientKey),
    /// Look through everything again.
    Rescan(RecipientKey),
    /// The payment is real: further words of it are dropped.
    Confirmed(RecipientKey, nano_core::BlockHash),
    /// Work that was asked for.
    WorkFound(RelayAddress, nano_core::WorkNonce),
}

/// What a shell does for notifications.
#[derive(Debug, Clone, PartialEq)]
pub enum NotifyOutput {
    /// A newer directory is in force: worth keeping for the next start.
    Directory(Box<Directory>),
    /// Bridge: make these changes durable and tell how it went, in order.
    #[cfg(feature = "bridge")]
    Write(Vec<Change>),
    /// Bridge: the answer to a program.
    #[cfg(feature = "bridge")]
    Reply(Caller, Reply),
    /// Bridge: how a program's job ended.
    #[cfg(feature = "bridge")]
    Done(JobId, Outcome),
    /// Bridge: an entry of the store cannot be read.
    #[cfg(feature = "bridge")]
    Damaged(RelayAddress),
    /// Keep these bytes, or nothing, under a key, before what follows is sent.
    Keep(WalletKey, Option<Vec<u8>>),
    /// What else the wallet says: `Sent`, `Received`, `Searched`, `Unreadable` or `FindWork`.
    Wallet(WalletOutput),
}

/// Which machine asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    #[cfg(feature = "bridge")]
    Keeper(Ticket),
    #[cfg(feature = "bridge")]
    Courier(Ticket),
    Wallet(Ticket),
    /// Nobody waits for the answer.
    #[cfg(feature = "bridge")]
    Nobody,
}

/// The machines of a node.
pub(crate) struct Notified {
    #[cfg(feature = "bridge")]
    store: Option<Box<Store>>,
    wallet: Wallet,
    /// When a bridge was last asked for the directory.
    asked_at: UnixMillis,
}

/// A bridge's.
#[cfg(feature = "bridge")]
struct Store {
    keeper: Keeper,
    courier: Courier,
    callers: SortedMap<Caller, (Upstream, u64)>,
    last: u64,
}

impl Notified {
    pub(crate) fn new(config: &crate::Config, identity: &crate::Identity, seed: &[u8; 32]) -> Self {
        let (network, anchors) = (config.network, config.anchors.clone());
        // Chance of its own: what notifications draw does not shift the rest of a run.
        let rng = crate::Rng::from_seed(hash(&[b"nanonet notify chance v1", seed]));
        Self {
            #[cfg(feature = "bridge")]
            store: config
                .notifications
                .clone()
                .filter(|_| config.role.is_bridge_here())
                .map(|relay| {
                    let anchors = relay.anchors;
                    let settings = Settings {
                        limits: relay.limits,
                        ..Settings::bridge(network)
                    };
                    Box::new(Store {
                        // The keeper signs as this node; it does not care where the node lies.
                        keeper: Keeper::new(settings, copy(identity), anchors.clone()),
                        courier: Courier::new(network, anchors),
                        callers: SortedMap::new(),
                        last: 0,
                    })
                }),
            wallet: Wallet::new(network, identity.node_id(), anchors, rng),
            asked_at: UnixMillis(0),
        }
    }
}

impl Notified {
    /// Whether it keeps notifications for others.
    pub(crate) const fn is_store(&self) -> bool {
        #[cfg(feature = "bridge")]
        return self.store.is_some();
        #[cfg(not(feature = "bridge"))]
        return false;
    }
}

/// The same identity again.
#[cfg(feature = "bridge")]
fn copy(identity: &Identity) -> Identity {
    // What an identity writes it reads: see its tests. A new one would sign what nobody trusts.
    Identity::from_bytes(&identity.to_bytes())
        .unwrap_or_else(|_| Identity::generate(&mut crate::Rng::from_seed([0; 32])))
}

impl<C: Crypto> Node<C> {
    /// The shell says something of notifications.
    pub(crate) fn on_notify_input(&mut self, input: NotifyInput) {
        let (now, wallet) = (self.now, &mut self.notified.wallet);
        match input {
            NotifyInput::Directory(directory) => self.take_directory(*directory),
            #[cfg(feature = "bridge")]
            NotifyInput::Loaded(entries) => {
                if let Some(store) = &mut self.notified.store {
                    store.keeper.loaded(now, entries);
                }
            }
            #[cfg(feature = "bridge")]
            NotifyInput::Written(result) => {
                if let Some(store) = &mut self.notified.store {
                    store.keeper.written(now, result);
                }
            }
            #[cfg(feature = "bridge")]
            NotifyInput::Ask(caller, ask) => {
                if let Some(store) = &mut self.notified.store {
                    store.keeper.ask(now, caller, ask);
                }
            }
            #[cfg(feature = "bridge")]
            NotifyInput::Put(job, sealed) => {
                if let Some(store) = &mut self.notified.store {
                    store.courier.put(job, &sealed);
                }
            }
            #[cfg(feature = "bridge")]
            NotifyInput::Get(job, tag, since) => {
                if let Some(store) = &mut self.notified.store {
                    store.courier.get(job, tag, since, true);
                }
            }
            #[cfg(feature = "bridge")]
            NotifyInput::Delete(job, deletion) => {
                if let Some(store) = &mut self.notified.store {
                    store.courier.delete(job, deletion);
                }
            }
            NotifyInput::Send {
                payment,
                recipient,
                kind,
                ttl_s,
            } => drop(wallet.send(now, *payment, recipient, kind, ttl_s)),
            NotifyInput::Resume(id, bytes) => drop(wallet.resume(now, id, &bytes)),
            NotifyInput::Receive(secret, stored) => {
                wallet.receive(now, secret, stored.as_deref());
            }
            NotifyInput::Forget(key) => wallet.forget(&key),
            NotifyInput::Rescan(key) => wallet.rescan(now, key),
            NotifyInput::Confirmed(key, transaction) => wallet.confirmed(&key, &transaction),
            NotifyInput::WorkFound(hash, nonce) => wallet.work_found(now, hash, nonce),
        }
        self.pump_notified();
    }

    /// Somebody asks about notifications.
    pub(crate) fn serve_notify(&mut self, upstream: Upstream, id: u64, bytes: &[u8]) {
        let refused = wire::Reply::Failed {
            why: Failure::Refused,
            budget: 0,
        };
        let Some(ask) = Ask::from_bytes(bytes) else {
            self.counters.refuse("malformed-notify");
            return self.reply(upstream, id, refused);
        };
        if let Ask::Push(items) = &ask {
            self.notified.wallet.pushed(self.now, items);
            let done = Bytes(Reply::Done.to_bytes());
            self.reply(upstream, id, wire::Reply::Notify(done));
            return self.pump_notified();
        }
        #[cfg(feature = "bridge")]
        if let Some(store) = &mut self.notified.store
            && store.callers.len() < MAX_CALLERS
        {
            store.last += 1;
            let caller = Caller(store.last);
            store.callers.insert(caller, (upstream, id));
            store.keeper.ask(self.now, caller, ask);
            return self.pump_notified();
        }
        self.reply(upstream, id, refused);
    }

    /// The answer to a question of ours.
    pub(crate) fn on_notify_reply(&mut self, asker: Asker, body: &wire::Reply) {
        let reply = match body {
            wire::Reply::Notify(bytes) => Reply::from_bytes(&bytes.0),
            _ => None,
        };
        let now = self.now;
        match asker {
            Asker::Wallet(ticket) => self.notified.wallet.answered(now, ticket, reply),
            #[cfg(feature = "bridge")]
            Asker::Keeper(ticket) => {
                if let Some(store) = &mut self.notified.store {
                    store.keeper.answered(now, ticket, reply);
                }
            }
            #[cfg(feature = "bridge")]
            Asker::Courier(ticket) => {
                if let Some(store) = &mut self.notified.store {
                    store.courier.answered(now, ticket, reply);
                }
            }
            #[cfg(feature = "bridge")]
            Asker::Nobody => {}
        }
        self.pump_notified();
    }

    /// It is time to do something.
    pub(crate) fn on_notify_timer(&mut self) {
        let now = self.now;
        self.notified.wallet.handle_timeout(now);
        #[cfg(feature = "bridge")]
        if let Some(store) = &mut self.notified.store {
            store.keeper.handle_timeout(now);
        }
        self.ask_for_directory();
        self.pump_notified();
    }

    /// A bridge is known, or linked, or our own record is new.
    pub(crate) fn notified_of_bridge(&mut self, record: &PeerRecord) {
        if record.role != Role::Bridge {
            return;
        }
        #[cfg(feature = "bridge")]
        if let Some(store) = &mut self.notified.store {
            store.keeper.meet(self.now, record.clone());
        }
        // Whoever has none asks whom he meets; a little later, when the link can carry it.
        if self.notified.wallet.is_used() {
            let soon = self.now.plus(100);
            self.timers.set_by(Timer::Notify, soon);
        }
    }

    /// Anchors changed.
    pub(crate) fn notified_of_anchors(&mut self) {
        let anchors = self.config.anchors.clone();
        self.notified.wallet.set_anchors(anchors);
    }

    /// The directory of the bridges that keep notifications.
    #[must_use]
    pub fn notify_directory(&self) -> Option<&Directory> {
        self.notified.wallet.courier().places().directory()
    }

    /// What is known of bridges as keepers of notifications.
    pub fn relay_records(&self) -> impl Iterator<Item = (&NodeKey, &super::RelayRecord)> {
        self.notified.wallet.courier().records()
    }

    /// How much a bridge's store of notifications holds and has done.
    #[cfg(feature = "bridge")]
    #[must_use]
    pub fn notify_figures(&self) -> Option<super::KeeperFigures> {
        let store = self.notified.store.as_ref()?;
        Some(store.keeper.figures())
    }

    fn take_directory(&mut self, directory: Directory) {
        let now = self.now;
        #[cfg(feature = "bridge")]
        if let Some(store) = &mut self.notified.store {
            store.courier.take_directory(now, directory.clone());
            store.keeper.take_directory(now, directory.clone());
        }
        self.notified.wallet.take_directory(now, directory);
    }

    /// A browser asks a linked bridge for the directory, now and then, or as long as it has none.
    fn ask_for_directory(&mut self) {
        let has = self.notify_directory().is_some();
        let wait = if has { DIRECTORY_MS } else { 1_000 };
        if !self.notified.wallet.is_used() || self.now.since(self.notified.asked_at) < wait {
            return;
        }
        let mut bridges = self.table.up_links().map(|(_, _, who)| &who.record);
        let bridge = bridges.find(|record| record.role == Role::Bridge);
        let Some(key) = bridge.map(|record| record.node_key) else {
            return;
        };
        self.notified.asked_at = self.now;
        self.notified.wallet.ask_directory(self.now, key);
    }

    /// Where a bridge lies at present.
    fn place_of(&self, key: &NodeKey) -> Option<NodeId> {
        if self.record.node_key == *key {
            return Some(self.id);
        }
        let is_it = |who: &&Who| who.record.node_key == *key;
        let mut linked = self.table.up_links().map(|(_, _, who)| who);
        if let Some(who) = linked.find(is_it).or_else(|| self.known.iter().find(is_it)) {
            return Some(who.id);
        }
        let listed = self.notify_directory()?.bridges.iter();
        let mut listed = listed.filter(|record| record.node_key == *key);
        listed.next().map(PeerRecord::node_id)
    }

    fn ask_relay(&mut self, asker: Asker, key: &NodeKey, ask: &Ask) {
        match self.place_of(key) {
            Some(id) => self.ask_notify(asker, id, ask),
            None => {
                let (why, budget) = (Failure::NotFound, 0);
                self.on_notify_reply(asker, &wire::Reply::Failed { why, budget });
            }
        }
    }

    fn ask_notify(&mut self, asker: Asker, id: NodeId, ask: &Ask) {
        let body = wire::Ask::Notify(Bytes(ask.to_bytes()));
        self.ask(Own::Notify(asker), Target::Exactly(id), body);
    }

    fn notify_output(&mut self, output: NotifyOutput) {
        self.outputs.push_back(Output::Notify(Box::new(output)));
    }

    /// Carries out what the machines ask for.
    fn pump_notified(&mut self) {
        while let Some(output) = self.notified.wallet.poll_output() {
            match output {
                WalletOutput::Ask(ticket, key, ask) => {
                    self.ask_relay(Asker::Wallet(ticket), &key, &ask);
                }
                WalletOutput::Keep(key, bytes) => {
                    self.notify_output(NotifyOutput::Keep(key, bytes));
                }
                WalletOutput::Directory(directory) => {
                    self.notify_output(NotifyOutput::Directory(directory));
                }
                other => self.notify_output(NotifyOutput::Wallet(other)),
            }
        }
        #[cfg(feature = "bridge")]
        self.pump_store();
        let next = self.notified.wallet.next_timeout();
        #[cfg(feature = "bridge")]
        let next = self.notified.store.as_ref().map_or(next, |store| {
            let keeper = store.keeper.next_timeout();
            next.into_iter().chain(keeper).min()
        });
        if self.notified.wallet.is_used() && self.was_linked {
            let has = self.notify_directory().is_some();
            let wait = if has { DIRECTORY_MS } else { 1_000 };
            let again = self.notified.asked_at.plus(wait).max(self.now.plus(50));
            self.timers.set_by(Timer::Notify, again);
        }
        if let Some(next) = next {
            // What is due at once is due after this input, not within it.
            self.timers
                .set_by(Timer::Notify, next.max(self.now.plus(1)));
        }
    }

    #[cfg(feature = "bridge")]
    fn pump_store(&mut self) {
        while let Some(store) = &mut self.notified.store
            && let Some(output) = store.keeper.poll_output()
        {
            match output {
                KeeperOutput::Reply(caller, reply) => match store.callers.remove(&caller) {
                    Some((upstream, id)) => {
                        let body = wire::Reply::Notify(Bytes(reply.to_bytes()));
                        self.reply(upstream, id, body);
                    }
                    None => self.notify_output(NotifyOutput::Reply(caller, reply)),
                },
                KeeperOutput::Ask(ticket, key, ask) => {
                    self.ask_relay(Asker::Keeper(ticket), &key, &ask);
                }
                KeeperOutput::Push(id, ask) => self.ask_notify(Asker::Nobody, id, &ask),
                KeeperOutput::Write(changes) => self.notify_output(NotifyOutput::Write(changes)),
                KeeperOutput::Directory(directory) => {
                    let taken = (*directory).clone();
                    self.take_directory(taken);
                    self.notify_output(NotifyOutput::Directory(directory));
                }
                KeeperOutput::DamagedEntry(address) => {
                    self.notify_output(NotifyOutput::Damaged(address));
                }
            }
        }
        while let Some(store) = &mut self.notified.store
            && let Some(output) = store.courier.poll_output()
        {
            match output {
                CourierOutput::Ask(ticket, key, ask) => {
                    self.ask_relay(Asker::Courier(ticket), &key, &ask);
                }
                CourierOutput::Done(job, outcome) => {
                    self.notify_output(NotifyOutput::Done(job, outcome));
                }
                CourierOutput::Directory(_) => {}
            }
        }
    }
}
