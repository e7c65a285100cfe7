//! How records come to those who hold them.
//!
//! - The node of a record sends it over [`PATHS`] links towards its place, and to the bridges it is linked
//!   with; where it ends, it is passed to the others nearest to that place; a bridge passes what is new
//!   to it to other bridges.
//! - Who gets a link to a browser hands it the records that it shall hold, and a bridge another bridge
//!   all, at most [`MAX_HANDED`].

use nano_core::UnixMillis;

use super::record::{KeyRecord, Metadata, Service, place_of};
use super::store::Offered;
use super::{MAX_LIFE_MS, UPDATE_MS};
use crate::governance::Setting;
use crate::routing::forward::{Own, Upstream};
use crate::wire::{Ask, Failure, Reply, Target};
use crate::{Crypto, LinkId, Node, NodeId, Role};

/// How long after the first time a node sends its record again, then twice as long each time up to
/// [`REFRESH_MS`]: who shall hold it may only just have joined.
const FIRST_REFRESH_MS: u64 = 10_000;
/// How often a node sends its record again: half an hour.
pub const REFRESH_MS: u64 = 1_800_000;
/// Links that a record is sent over towards its place.
const PATHS: usize = 3;
/// Most records handed to a newcomer.
const MAX_HANDED: usize = 64;

/// What a node wants its record to say, besides what the node itself knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registration {
    /// What it does for others.
    pub services: Vec<Service>,
    /// What else it tells.
    pub metadata: Metadata,
}

/// A node's own record.
#[derive(Debug, Default)]
pub(crate) struct Publication {
    /// What it is to say; `None` as long as the node has none.
    pub(crate) wanted: Option<Registration>,
    /// The highest sequence number given or seen.
    pub(crate) sequence: u64,
    /// When it was sent last, and how long after that again.
    pub(crate) sent_at: UnixMillis,
    pub(crate) wait: u64,
    /// The doors that it named.
    pub(crate) doors: Vec<NodeId>,
}

impl<C: Crypto> Node<C> {
    /// The shell wants the node to have a record, or another one.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_register(&mut self, wanted: Registration) {
        self.publication.wanted = Some(wanted);
        self.publication.sent_at = UnixMillis(0);
        self.publication.wait = FIRST_REFRESH_MS;
        self.post_soon();
    }

    /// Records of keys that it holds.
    #[must_use]
    pub const fn keys_held(&self) -> usize {
        self.registry.len()
    }

    /// Sends our record if there is something new in it, or for long enough nothing was sent.
    pub(crate) fn publish_record(&mut self) {
        let Some(wanted) = &self.publication.wanted else {
            return;
        };
        if self.table.count() == 0 {
            return;
        }
        let doors = self.own_doors();
        let named: Vec<NodeId> = doors.iter().map(|door| door.id).collect();
        let passed = self.now.since(self.publication.sent_at);
        let changed = named.iter().any(|id| !self.publication.doors.contains(id));
        let urgent = changed && passed >= 2 * UPDATE_MS;
        if named.is_empty() || (!urgent && passed < self.publication.wait) {
            return;
        }
        let record = KeyRecord {
            key: self.identity.node_key(),
            // Also right after a restart that has forgotten the last one.
            sequence: (self.publication.sequence + 1).max(self.now.0 / 1_000),
            network: self.config.network,
            role: self.config.role,
            nonce: self.identity.nonce(),
            noise_key: self.identity.noise_key(),
            seen_at: self.now,
            expires_at: self.now.plus(MAX_LIFE_MS),
            endpoints: self.config.addresses.clone(),
            doors,
            services: wanted.services.clone(),
            metadata: wanted.metadata.clone(),
            signature: nano_core::Signature::from_bytes([0; 64]),
        };
        let record = self.identity.sign_record(record);
        self.publication.sequence = record.sequence;
        if self.publication.sent_at != UnixMillis(0) {
            self.publication.wait = (self.publication.wait * 2).min(REFRESH_MS);
        }
        self.publication.sent_at = self.now;
        self.publication.doors = named;
        self.registry
            .offer(self.now, self.config.network, record.clone());
        for bridge in self.table.links_of(Role::Bridge) {
            self.send_record(bridge, &record);
        }
        let mut avoid = self.bridges_to_spare();
        let target = Target::Near(place_of(&record.key));
        for _ in 0..PATHS {
            let body = Ask::Register(Box::new(record.clone()));
            match self.ask_over(Own::Register, target, body, &avoid) {
                Some(link) => avoid.push(link),
                None => break,
            }
        }
    }

    /// Links to bridges, where others lead to everyone as well.
    pub(super) fn bridges_to_spare(&self) -> Vec<LinkId> {
        match self.table.count_of(Role::Browser) {
            0 => Vec::new(),
            _ => self.table.links_of(Role::Bridge),
        }
    }

    /// Sends a record to the node behind a link.
    fn send_record(&mut self, link: LinkId, record: &KeyRecord) {
        if let Some(id) = self.peer_id(link) {
            let body = Ask::Register(Box::new(record.clone()));
            self.ask(Own::Register, Target::Exactly(id), body);
        }
    }

    /// A record came here.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn serve_register(
        &mut self,
        upstream: Upstream,
        id: u64,
        target: Target,
        record: KeyRecord,
    ) {
        let (now, network) = (self.now, self.config.network);
        let key = record.key;
        if key == self.identity.node_key() {
            self.publication.sequence = self.publication.sequence.max(record.sequence);
        }
        let offered = self.registry.offer(now, network, record);
        match offered {
            Offered::Kept => self.pass_record(upstream, target, &key),
            Offered::Held => {}
            Offered::TooSoon | Offered::NoRoom | Offered::Refused(_) => {
                let reason = match offered {
                    Offered::Refused(error) => error.code(),
                    Offered::TooSoon => "key-record-too-soon",
                    _ => "key-record-no-room",
                };
                self.counters.refuse(reason);
                let (why, budget) = (Failure::Refused, 0);
                return self.reply(upstream, id, Reply::Failed { why, budget });
            }
        }
        self.reply(upstream, id, Reply::Delivered);
    }

    /// Nodes that a record is on.
    fn holders(&self) -> usize {
        usize::try_from(self.setting(Setting::RegistryHolders)).unwrap_or(usize::MAX)
    }

    /// Hands a record that is new here to the others that shall hold it.
    fn pass_record(&mut self, upstream: Upstream, target: Target, key: &crate::NodeKey) {
        let Some(record) = self.registry.get(key, self.now).cloned() else {
            return;
        };
        let from = match upstream {
            Upstream::Link(link) => self.peer_id(link),
            Upstream::Own(_) => None,
        };
        let mut to: Vec<NodeId> = Vec::new();
        let mut to_holders = matches!(target, Target::Near(_));
        if self.config.role.is_bridge_here() {
            let bridges = self.table.links_of(Role::Bridge);
            // Who is linked with a bridge alone reaches the holders through it.
            let by_bridge = matches!(upstream, Upstream::Link(link) if bridges.contains(&link));
            to_holders |= !by_bridge;
            to.extend(bridges.iter().filter_map(|link| self.peer_id(*link)));
        }
        if to_holders {
            to.extend(self.nearest_browsers(&place_of(key), self.holders()));
        }
        to.retain(|id| *id != self.id && Some(*id) != from);
        for id in to {
            let body = Ask::Register(Box::new(record.clone()));
            self.ask(Own::Register, Target::Exactly(id), body);
        }
    }

    /// A link is up: its peer gets the records that it shall hold.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn hand_records(&mut self, link: LinkId, peer: NodeId, role: Role) {
        let between_bridges = self.config.role.is_bridge_here() && role == Role::Bridge;
        let holders = self.holders();
        let shall = |record: &&KeyRecord| {
            let place = place_of(&record.key);
            let browser = role == Role::Browser && self.is_among_nearest(&place, &peer, holders);
            between_bridges || browser
        };
        let records = self.registry.iter(self.now).filter(shall);
        let records: Vec<KeyRecord> = records.take(MAX_HANDED).cloned().collect();
        for record in records {
            self.send_record(link, &record);
        }
    }
}
