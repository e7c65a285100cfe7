//! What all tasks of this module share: the open channels, the book, and the sums over them.
//!
//! Locks are held for moments and never across a wait; where two are needed, the channels come
//! before the book.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use nano_core::message::{Keepalive, PeerEndpoint};
use nano_core::{PrivateKey, PublicKey, Raw, UnixMillis, WeightTable};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::ChannelError;
use super::book::{Book, Demand};
use super::channel::{Channel, ChannelId};
use super::crawl::{Hosted, Subjects};
use super::settings::Setting;
use crate::clock::{self, RandomError};
use crate::metrics;
use crate::weights::Weights;

/// Open channels and the book.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) setting: Setting,
    pub(super) weights: Weights,
    /// The port that keepalives announce, if full nodes are accepted.
    pub(super) announced: Option<u16>,
    /// Something changed that the book's task should look at.
    pub(super) wake: Notify,
    /// Counts openings, ends and learned representatives, for those who wait for one.
    pub(super) changes: watch::Sender<u64>,
    channels: RwLock<BTreeMap<ChannelId, Arc<Channel>>>,
    book: Mutex<Book>,
    subjects: Mutex<Subjects>,
    /// Our node ids in use, one per connection.
    own: Mutex<BTreeSet<PublicKey>>,
    started: (UnixMillis, Instant),
}

/// Weight reachable over open channels, in raw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Of all representatives behind open channels, each counted once.
    pub reachable: Raw,
    /// What percentages refer to: the table's online weight, or its minimum if that is larger.
    pub online: Raw,
    /// What proves.
    pub threshold: Raw,
    /// What is aimed for: the threshold and a margin.
    pub target: Raw,
}

impl Reach {
    /// Reachable weight in parts per million of the online weight.
    #[must_use]
    pub fn ppm_of_online(&self) -> u64 {
        ppm(self.reachable, self.online)
    }
}

fn ppm(part: Raw, whole: Raw) -> u64 {
    let whole = (whole.number() / 1_000_000).max(1);
    u64::try_from(part.number() / whole).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(
        setting: Setting,
        weights: Weights,
        book: Book,
        announced: Option<u16>,
    ) -> Self {
        let subjects = Subjects::new(setting.network);
        Self {
            setting,
            weights,
            announced,
            wake: Notify::new(),
            changes: watch::Sender::new(0),
            channels: RwLock::default(),
            book: Mutex::new(book),
            subjects: Mutex::new(subjects),
            own: Mutex::default(),
            started: (clock::now(), Instant::now()),
        }
    }

    /// Now: the wall clock at start and what passed since, so that it never steps back.
    pub(super) fn now(&self) -> UnixMillis {
        let passed = self.started.1.elapsed().as_millis();
        self.started
            .0
            .plus(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }

    pub(super) fn subjects(&self) -> MutexGuard<'_, Subjects> {
        lock(&self.subjects)
    }

    pub(super) fn channels(&self) -> RwLockReadGuard<'_, BTreeMap<ChannelId, Arc<Channel>>> {
        self.channels.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters an open channel, unless another one leads to the same node: that is given back.
    pub(super) fn enter(&self, channel: &Arc<Channel>) -> Result<(), Arc<Channel>> {
        let mut open = self
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let same = open.values().find(|other| other.node() == channel.node());
        if let Some(other) = same {
            return Err(Arc::clone(other));
        }
        open.insert(channel.id(), Arc::clone(channel));
        drop(open);
        self.setting.metrics.full_node_channels.inc();
        Ok(())
    }

    /// Takes a channel off the list.
    pub(super) fn leave(&self, channel: ChannelId) {
        let mut open = self
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let was_open = open.remove(&channel).is_some();
        drop(open);
        if was_open {
            self.setting.metrics.full_node_channels.dec();
            self.changed();
        }
    }

    /// Ends a channel with this reason; one that has ended already stays as it is.
    pub(super) fn end(&self, channel: ChannelId, reason: ChannelError) {
        if let Some(channel) = self.channels().get(&channel) {
            channel.end(reason);
        }
    }

    /// Notes that a message of this channel was of no use.
    pub(super) fn charge(&self, channel: ChannelId) {
        if let Some(channel) = self.channels().get(&channel) {
            channel.charge();
        }
    }

    /// A channel was opened or has ended, or its representatives are others.
    pub(super) fn changed(&self) {
        let table = self.weights.current();
        let open: Vec<_> = self.channels().values().cloned().collect();
        let mut book = self.book();
        for channel in &open {
            if let Some(endpoint) = channel.endpoint() {
                // What does not answer when it matters is worth no place.
                let answers = channel.hosted().answers();
                let hosted = match answers {
                    true => channel.representatives(),
                    false => BTreeSet::new(),
                };
                let weights = hosted.iter().map(|who| table.weight_of(who).number());
                book.weigh(endpoint, Raw::new(weights.fold(0, u128::saturating_add)));
            }
        }
        drop(book);
        let reach = self.reach();
        let metrics = &self.setting.metrics;
        let gauge = |ppm| i64::try_from(ppm).unwrap_or(i64::MAX);
        metrics
            .weight_reachable_ppm
            .set(gauge(ppm(reach.reachable, table.total())));
        metrics.weight_online_ppm.set(gauge(reach.ppm_of_online()));
        self.changes.send_modify(|count| *count += 1);
        self.wake.notify_one();
    }

    /// How much weight is reachable, and how much is needed.
    pub(super) fn reach(&self) -> Reach {
        let table = self.weights.current();
        Reach {
            reachable: self.weight_behind(&table, |_| true),
            online: table.online_weight.max(table.minimum),
            threshold: table.threshold(),
            target: table.collection_target(),
        }
    }

    /// Weight of all representatives behind the open channels that count, each once.
    fn weight_behind(&self, table: &WeightTable, counts: impl Fn(&Hosted) -> bool) -> Raw {
        let mut all = BTreeSet::new();
        for channel in self.channels().values() {
            let hosted = channel.hosted();
            if counts(&hosted) {
                all.extend(hosted.representatives());
            }
        }
        let weights = all.iter().map(|who| table.weight_of(who).number());
        Raw::new(weights.fold(0, u128::saturating_add))
    }

    /// What is needed, going by the channels that answer.
    pub(super) fn demand(&self) -> Demand {
        let table = self.weights.current();
        let answering = self.weight_behind(&table, Hosted::answers);
        if answering < table.threshold() {
            Demand::Quorum
        } else if answering < table.collection_target() {
            Demand::Margin
        } else {
            Demand::Nothing
        }
    }

    /// A fresh node id of ours, known as such until it is dropped.
    pub(super) fn own_id(&self) -> Result<OwnId<'_>, RandomError> {
        let key = PrivateKey::from_bytes(clock::random()?);
        lock(&self.own).insert(key.public_key());
        Ok(OwnId { shared: self, key })
    }

    /// The keepalive to send now on the channel to `to`: our port if we listen, and some endpoints
    /// that we reached, other than that one.
    pub(super) fn keepalive(&self, to: SocketAddr) -> Keepalive {
        let mut keepalive = Keepalive::EMPTY;
        let mut places = keepalive.peers.iter_mut();
        if let Some(port) = self.announced
            && let Some(place) = places.next()
        {
            *place = PeerEndpoint {
                address: Ipv6Addr::UNSPECIFIED,
                port,
            };
        }
        let known = self.book().sample(places.len() + 1).into_iter();
        for (place, endpoint) in places.zip(known.filter(|endpoint| *endpoint != to)) {
            let address = match endpoint.ip() {
                IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                IpAddr::V6(v6) => v6,
            };
            *place = PeerEndpoint {
                address,
                port: endpoint.port(),
            };
        }
        keepalive
    }

    /// Notes the endpoints of a keepalive that came on this channel.
    pub(super) fn hear(&self, channel: &Channel, keepalive: &Keepalive) {
        let mut book = self.book();
        for (place, named) in keepalive.peers.iter().enumerate() {
            let endpoint = match (place, *named) {
                (_, PeerEndpoint { port: 0, .. }) => continue,
                // The sender itself: its own address with the port it listens at.
                (0, named) if named.address.is_unspecified() => {
                    SocketAddr::new(channel.address().ip(), named.port)
                }
                (_, named) => SocketAddr::new(IpAddr::V6(named.address), named.port),
            };
            let outcome = match book.hear(channel.id(), endpoint) {
                Ok(()) => "noted",
                Err(ignored) => ignored.code(),
            };
            metrics::count(&self.setting.metrics.full_node_gossip, outcome);
        }
        drop(book);
        self.wake.notify_one();
    }
}

/// A node id of ours while a connection uses it.
#[derive(Debug)]
pub(super) struct OwnId<'a> {
    shared: &'a Shared,
    key: PrivateKey,
}

impl OwnId<'_> {
    pub(super) const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Refuses a node whose id is this one or that of another connection of ours.
    pub(super) fn check(&self, node: PublicKey) -> Result<PublicKey, ChannelError> {
        if lock(&self.shared.own).contains(&node) {
            Err(ChannelError::OwnId)
        } else {
            Ok(node)
        }
    }
}

impl Drop for OwnId<'_> {
    fn drop(&mut self) {
        lock(&self.shared.own).remove(&self.key.public_key());
    }
}
