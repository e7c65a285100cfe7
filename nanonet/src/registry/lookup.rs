//! How the record of a key, or a service, is found.
//!
//! A look-up goes over [`PATHS`] links at once towards the key's place, and after [`BRIDGE_AFTER_MS`] to a
//! bridge; the first record that holds ends it, nothing within [`PATIENCE_MS`] too. Services are asked
//! for at the linked bridges, which hold all records. At most [`MAX_LOOKUPS`] keys are looked up at once.

use nano_core::UnixMillis;

use super::record::{KeyRecord, KeyRecordError, ServiceFilter, place_of};
use crate::routing::forward::{Own, Upstream};
use crate::sorted::SortedMap;
use crate::wire::{Ask, Failure, MAX_KEYS, Reply, Target};
use crate::{Crypto, Event, LinkId, Node, NodeId, NodeKey, RequestId, Role};

const PATHS: usize = 3;
const BRIDGE_AFTER_MS: u64 = 300;
const PATIENCE_MS: u64 = 6_000;
const MAX_LOOKUPS: usize = 64;

/// A way to a node, as it would be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The relays, first to last.
    pub hops: Vec<NodeId>,
    /// How long a message takes there, in milliseconds, as a moving estimate; 0: not measured.
    pub latency_ms: u32,
    /// How often what was sent over it arrived, of 1,000.
    pub reliability: u16,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKey {
    /// Its record.
    pub record: KeyRecord,
    /// Sealed metadata that we are a reader of.
    pub sealed: Option<String>,
    /// Ways to it, best first.
    pub routes: Vec<Route>,
}

/// Why a key was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nobody who was asked has a record of it.
    #[error(
        "no record of this key was found: it was never registered, or nobody who holds it is there"
    )]
    UnknownKey,
    /// Only a record that no longer counts was found.
    #[error("the key's record has expired: its node was not there for a day")]
    Expired,
    /// Too many at once.
    #[error("64 keys are being looked up: wait for one of them")]
    TooMany,
    /// There is no link to ask over.
    #[error("there is no link to ask over: connect to a bridge")]
    Offline,
}

impl LookupError {
    /// Kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown-key",
            Self::Expired => "key-expired",
            Self::TooMany => "too-many-lookups",
            Self::Offline => "offline",
        }
    }
}

#[derive(Debug)]
struct Lookup {
    requests: Vec<RequestId>,
    after: u64,
    since: UnixMillis,
    open: usize,
    bridge_asked: bool,
    expired: bool,
}

/// What is being looked up.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    open: SortedMap<NodeKey, Lookup>,
    services: SortedMap<u64, Find>,
    last: u64,
}

#[derive(Debug)]
struct Find {
    request: RequestId,
    open: usize,
    found: Vec<KeyRecord>,
}

impl<C: Crypto> Node<C> {
    /// The shell looks a key up.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_look_up(&mut self, request: RequestId, key: NodeKey) {
        self.start_lookup(Some(request), key, 0);
    }

    /// Looks up a record with a higher sequence number than `after`; the result comes to the shell if it
    /// asked, and to those who want to write to the key.
    pub(crate) fn start_lookup(&mut self, request: Option<RequestId>, key: NodeKey, after: u64) {
        if let Some(lookup) = self.lookups.open.get_mut(&key) {
            lookup.requests.extend(request);
            return;
        }
        let requests: Vec<RequestId> = request.into_iter().collect();
        let held = self.registry.get(&key, self.now);
        if let Some(record) = held.filter(|record| record.sequence > after).cloned() {
            return self.end_lookup(&requests, key, Ok(record));
        }
        let error = if self.table.count() == 0 {
            Some(LookupError::Offline)
        } else if self.lookups.open.len() >= MAX_LOOKUPS {
            Some(LookupError::TooMany)
        } else {
            None
        };
        if let Some(error) = error {
            return self.end_lookup(&requests, key, Err(error));
        }
        self.lookups.open.insert(
            key,
            Lookup {
                requests,
                after,
                since: self.now,
                open: 0,
                bridge_asked: false,
                expired: false,
            },
        );
        let mut avoid = self.bridges_to_spare();
        for _ in 0..PATHS {
            let body = Ask::FindKey { key, after };
            let target = Target::Near(place_of(&key));
            match self.ask_over(Own::FindKey(key), target, body, &avoid) {
                Some(link) => avoid.push(link),
                None => break,
            }
            if let Some(lookup) = self.lookups.open.get_mut(&key) {
                lookup.open += 1;
            }
        }
        self.post_soon();
    }

    /// Looks after the look-ups that are open; when to do it again.
    pub(crate) fn look_after_lookups(&mut self) -> Option<UnixMillis> {
        let open: Vec<NodeKey> = self.lookups.open.keys().copied().collect();
        for key in open {
            let Some(lookup) = self.lookups.open.get_mut(&key) else {
                continue;
            };
            let passed = self.now.since(lookup.since);
            let ask = !lookup.bridge_asked && (lookup.open == 0 || passed >= BRIDGE_AFTER_MS);
            if ask {
                lookup.bridge_asked = true;
                let after = lookup.after;
                let bridges: Vec<LinkId> = self.table.links_of(Role::Bridge);
                for link in bridges.into_iter().take(2) {
                    let Some(bridge) = self.peer_id(link) else {
                        continue;
                    };
                    if let Some(lookup) = self.lookups.open.get_mut(&key) {
                        lookup.open += 1;
                    }
                    let body = Ask::FindKey { key, after };
                    self.ask(Own::FindKey(key), Target::Exactly(bridge), body);
                }
            }
            self.end_if_over(key);
        }
        (!self.lookups.open.is_empty()).then(|| self.now.plus(100))
    }

    fn end_if_over(&mut self, key: NodeKey) {
        let over = self.lookups.open.get(&key).is_some_and(|lookup| {
            let late = self.now.since(lookup.since) >= PATIENCE_MS;
            late || (lookup.open == 0 && lookup.bridge_asked)
        });
        if over && let Some(lookup) = self.lookups.open.remove(&key) {
            let error = if lookup.expired {
                LookupError::Expired
            } else {
                LookupError::UnknownKey
            };
            self.end_lookup(&lookup.requests, key, Err(error));
        }
    }

    /// An answer to a look-up.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_key_reply(&mut self, key: NodeKey, body: Reply) {
        let Some(lookup) = self.lookups.open.get_mut(&key) else {
            return;
        };
        lookup.open = lookup.open.saturating_sub(1);
        if let Reply::Keys(records) = body
            && let Some(record) = records.into_iter().next()
            && record.key == key
            && record.sequence > lookup.after
        {
            match record.check(self.now, self.config.network) {
                Ok(()) => {
                    // Whoever looks a key up mostly writes to it next.
                    let (now, network) = (self.now, self.config.network);
                    self.registry.offer(now, network, record.clone());
                    if let Some(lookup) = self.lookups.open.remove(&key) {
                        self.end_lookup(&lookup.requests, key, Ok(record));
                    }
                    return;
                }
                Err(error) => {
                    lookup.expired |= error == KeyRecordError::Expired;
                    self.counters.refuse(error.code());
                }
            }
        }
        self.post_soon();
    }

    fn end_lookup(
        &mut self,
        requests: &[RequestId],
        key: NodeKey,
        result: Result<KeyRecord, LookupError>,
    ) {
        for request in requests {
            let result = match &result {
                Ok(record) => Ok(Box::new(FoundKey {
                    sealed: record.read_sealed(&self.identity),
                    routes: self.routes_to(record),
                    record: record.clone(),
                })),
                Err(error) => Err(*error),
            };
            let request = *request;
            self.event(Event::KeyFound { request, result });
        }
        self.address_found(key, result);
    }

    /// Somebody looks for a key that we may hold.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn answer_key(&self, key: &NodeKey, after: u64) -> Option<Reply> {
        let record = self.registry.get(key, self.now)?;
        (record.sequence > after).then(|| Reply::Keys(vec![record.clone()]))
    }

    /// Somebody looks for services.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn serve_services(&mut self, upstream: Upstream, id: u64, filter: &ServiceFilter) {
        let records = self.services_here(filter);
        self.reply(upstream, id, Reply::Keys(records));
    }

    fn services_here(&self, filter: &ServiceFilter) -> Vec<KeyRecord> {
        let records = self.registry.iter(self.now);
        let found = records.filter(|record| filter.takes(record));
        found.take(MAX_KEYS).cloned().collect()
    }

    /// The shell looks for services.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_find_services(&mut self, request: RequestId, filter: ServiceFilter) {
        self.lookups.last += 1;
        let number = self.lookups.last;
        let found = self.services_here(&filter);
        let bridges: Vec<NodeId> = self
            .table
            .links_of(Role::Bridge)
            .into_iter()
            .filter_map(|link| self.peer_id(link))
            .take(2)
            .collect();
        let open = bridges.len();
        let find = Find {
            request,
            open,
            found,
        };
        if open == 0 || self.lookups.services.len() >= MAX_LOOKUPS {
            return self.end_find(find);
        }
        self.lookups.services.insert(number, find);
        for bridge in bridges {
            let body = Ask::FindServices(Box::new(filter.clone()));
            self.ask(Own::FindServices(number), Target::Exactly(bridge), body);
        }
    }

    /// A bridge's answer, or that there is none; each asked bridge gives one.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn on_services_reply(&mut self, number: u64, body: Reply) {
        let (now, network) = (self.now, self.config.network);
        let Some(find) = self.lookups.services.get_mut(&number) else {
            return;
        };
        find.open = find.open.saturating_sub(1);
        if let Reply::Keys(records) = body {
            for record in records {
                let place = find.found.iter().position(|held| held.key == record.key);
                let newer = place.is_none_or(|place| find.found[place].sequence < record.sequence);
                if newer && record.check(now, network).is_ok() {
                    match place {
                        Some(place) => find.found[place] = record,
                        None => find.found.push(record),
                    }
                }
            }
        }
        if find.open == 0
            && let Some(find) = self.lookups.services.remove(&number)
        {
            self.end_find(find);
        }
    }

    fn end_find(&mut self, find: Find) {
        self.event(Event::ServicesFound {
            request: find.request,
            records: find.found,
        });
    }

    /// Answers a look-up that ends here.
    #[cfg_attr(target_family = "wasm", inline(never))]
    pub(crate) fn serve_key(&mut self, upstream: Upstream, id: u64, key: &NodeKey, after: u64) {
        let (why, budget) = (Failure::NotFound, 0);
        let none = Reply::Failed { why, budget };
        let answer = self.answer_key(key, after).unwrap_or(none);
        self.reply(upstream, id, answer);
    }
}
