//! Private messages and the registry of keys: what the page asks, and what it is told.

use std::rc::Rc;

use nanonet::onion::{Outbound, Received, SendFailure, USUAL_RELAYS};
use nanonet::registry::{
    FoundKey, KeyRecord, LookupError, Metadata, Registration, Route, Service, ServiceFilter,
};
use nanonet::{Input, NodeKey, RequestId};
use serde::{Deserialize, Serialize};

use super::driver::Driver;
use super::reply::{self, Event};
use crate::fault::Fault;

/// What is known of a key.
#[derive(Serialize)]
struct Found {
    node: NodeReply,
    routes: Vec<RouteReply>,
}

/// A node's record.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeReply {
    key: String,
    id: String,
    role: &'static str,
    sequence: u64,
    last_seen: u64,
    expires: u64,
    endpoints: Vec<String>,
    services: Vec<Service>,
    metadata: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// A way to a node.
#[derive(Serialize)]
struct RouteReply {
    source: String,
    destination: String,
    hops: Vec<String>,
    metrics: Metrics,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    hops: usize,
    latency_ms: Option<u32>,
    /// Of a thousand.
    reliability: u16,
}

/// A message that came.
#[derive(Serialize)]
pub(super) struct MessageReply {
    from: String,
    /// Its name, 16 hex digits.
    id: String,
    text: String,
}

impl NodeReply {
    fn new(record: KeyRecord, sealed: Option<String>) -> Self {
        Self {
            key: record.key.to_string(),
            id: record.node_id().to_string(),
            role: reply::role(record.role),
            sequence: record.sequence,
            last_seen: record.seen_at.0,
            expires: record.expires_at.0,
            endpoints: record
                .endpoints
                .iter()
                .map(|address| address.as_str().to_owned())
                .collect(),
            services: record.services,
            metadata: record.metadata.open,
            sealed,
        }
    }
}

/// What the page asks; `js/protocol.ts` has the same as `PostAsk`.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum PostAsk {
    Register {
        services: Vec<Service>,
        metadata: String,
    },
    LookUp {
        key: String,
    },
    FindServices {
        filter: ServiceFilter,
    },
    Send(ToSend),
}

/// A message to be sent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToSend {
    to: String,
    name: String,
    text: String,
    relays: Option<u8>,
    timeout_ms: u32,
}

impl Driver {
    /// Does what the page asks of registry and messages. All of it comes in by this one
    /// function, so that what few pages need is code of few functions.
    #[inline(never)]
    pub(super) fn obey_post(self: &Rc<Self>, id: u64, ask: PostAsk) {
        match ask {
            PostAsk::Register { services, metadata } => self.register(id, services, metadata),
            PostAsk::LookUp { key } => self.look_up(id, &key),
            PostAsk::FindServices { filter } => self.find_services(id, filter),
            PostAsk::Send(letter) => self.send(id, letter),
        }
    }

    /// The page wants the node to be found by its key.
    fn register(self: &Rc<Self>, id: u64, services: Vec<Service>, open: String) {
        let metadata = Metadata {
            open,
            sealed: Vec::new(),
        };
        self.input(Input::Register(Box::new(Registration {
            services,
            metadata,
        })));
        self.page.result(id, &());
    }

    /// The page asks who is behind a key.
    fn look_up(self: &Rc<Self>, id: u64, key: &str) {
        if let Some(key) = self.parse_key(id, key) {
            self.state.borrow_mut().expect(id);
            let request = RequestId(id);
            self.input(Input::LookUp { request, key });
        }
    }

    /// The page writes to a key.
    fn send(self: &Rc<Self>, id: u64, letter: ToSend) {
        let Ok(name) = u64::from_str_radix(&letter.name, 16) else {
            let error = "a message's name has 16 hex digits";
            return self.page.error(id, &Fault::coded("bad-name")(error));
        };
        if let Some(to) = self.parse_key(id, &letter.to) {
            self.state.borrow_mut().expect(id);
            let message = Box::new(Outbound {
                to,
                name,
                body: letter.text.into_bytes(),
                relays: letter.relays.unwrap_or(USUAL_RELAYS),
                patience_ms: letter.timeout_ms.into(),
            });
            let request = RequestId(id);
            self.input(Input::Send { request, message });
        }
    }

    fn find_services(self: &Rc<Self>, id: u64, filter: ServiceFilter) {
        self.state.borrow_mut().expect(id);
        self.input(Input::FindServices {
            request: RequestId(id),
            filter: Box::new(filter),
        });
    }

    fn parse_key(&self, id: u64, key: &str) -> Option<NodeKey> {
        let parsed = key.parse();
        let told = |error| self.page.error(id, &Fault::coded("bad-key")(error));
        parsed.map_err(told).ok()
    }

    /// A key was looked up.
    #[inline(never)]
    pub(super) fn tell_key(
        &self,
        RequestId(id): RequestId,
        result: Result<Box<FoundKey>, LookupError>,
    ) {
        if !self.state.borrow_mut().settle(id) {
            return;
        }
        match result {
            Ok(found) => {
                let source = self.state.borrow().node.status().key.to_string();
                let destination = found.record.key.to_string();
                let route = |route: Route| RouteReply {
                    source: source.clone(),
                    destination: destination.clone(),
                    metrics: Metrics {
                        hops: route.hops.len(),
                        latency_ms: Some(route.latency_ms).filter(|latency| *latency > 0),
                        reliability: route.reliability,
                    },
                    hops: route.hops.iter().map(ToString::to_string).collect(),
                };
                let routes = found.routes.into_iter().map(route).collect();
                let node = NodeReply::new(found.record, found.sealed);
                self.page.result(id, &Found { node, routes });
            }
            Err(error) => self.page.error(id, &Fault::coded(error.code())(error)),
        }
    }

    /// Services were looked for.
    #[inline(never)]
    pub(super) fn tell_services(&self, RequestId(id): RequestId, records: Vec<KeyRecord>) {
        if self.state.borrow_mut().settle(id) {
            let records = records.into_iter();
            let found: Vec<_> = records.map(|record| NodeReply::new(record, None)).collect();
            self.page.result(id, &found);
        }
    }

    /// What became of a message.
    #[inline(never)]
    pub(super) fn tell_sent(&self, RequestId(id): RequestId, result: Result<(), SendFailure>) {
        if self.state.borrow_mut().settle(id) {
            match result {
                Ok(()) => self.page.result(id, &()),
                Err(error) => self.page.error(id, &Fault::coded(error.code())(error)),
            }
        }
    }

    /// A message came.
    #[inline(never)]
    pub(super) fn tell_message(&self, message: Received) {
        // What is no text is of no use to a page.
        if let Ok(text) = String::from_utf8(message.body) {
            self.page.event(&Event::Message(MessageReply {
                from: message.from.to_string(),
                id: format!("{:016x}", message.name),
                text,
            }));
        }
    }
}
