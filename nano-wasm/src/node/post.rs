//! Private messages and the registry of keys: what the page asks, and what it is told.

use std::rc::Rc;

use nanonet::onion::{Outbound, Received, SendFailure, USUAL_RELAYS};
use nanonet::registry::{
    Attribute, FoundKey, KeyRecord, LookupError, Metadata, Registration, Route, Service,
    ServiceFilter,
};
use nanonet::{Input, NodeKey, RequestId};
use serde::{Deserialize, Serialize};

use super::driver::Driver;
use super::reply::{self, Event};
use crate::fault::Fault;

/// What the page asks.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(super) enum Ask {
    Register {
        services: Vec<Service>,
        metadata: String,
    },
    LookUp {
        key: String,
    },
    FindServices {
        kind: String,
        attributes: Vec<Attribute>,
    },
    Send {
        to: String,
        text: String,
        relays: Option<u8>,
        timeout_ms: u32,
    },
}

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

impl Driver {
    /// Does what the page asks.
    pub(super) fn ask_post(self: &Rc<Self>, id: u64, ask: Ask) {
        if let Err(fault) = self.hand_in(id, ask) {
            self.page.error(id, &fault);
        }
    }

    fn hand_in(self: &Rc<Self>, id: u64, ask: Ask) -> Result<(), Fault> {
        let request = RequestId(id);
        let input = match ask {
            Ask::Register { services, metadata } => {
                let metadata = Metadata {
                    open: metadata,
                    sealed: Vec::new(),
                };
                self.input(Input::Register(Box::new(Registration {
                    services,
                    metadata,
                })));
                self.page.result(id, &());
                return Ok(());
            }
            Ask::LookUp { key } => Input::LookUp {
                request,
                key: parse(&key)?,
            },
            Ask::FindServices { kind, attributes } => Input::FindServices {
                request,
                filter: Box::new(ServiceFilter { kind, attributes }),
            },
            Ask::Send {
                to,
                text,
                relays,
                timeout_ms,
            } => Input::Send {
                request,
                message: Box::new(Outbound {
                    to: parse(&to)?,
                    body: text.into_bytes(),
                    relays: relays.unwrap_or(USUAL_RELAYS),
                    patience_ms: timeout_ms.into(),
                }),
            },
        };
        self.state.borrow_mut().expect(id);
        self.input(input);
        Ok(())
    }

    /// A key was looked up.
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
    pub(super) fn tell_services(&self, RequestId(id): RequestId, records: Vec<KeyRecord>) {
        if self.state.borrow_mut().settle(id) {
            let records = records.into_iter();
            let found: Vec<_> = records.map(|record| NodeReply::new(record, None)).collect();
            self.page.result(id, &found);
        }
    }

    /// What became of a message.
    pub(super) fn tell_sent(&self, RequestId(id): RequestId, result: Result<(), SendFailure>) {
        if self.state.borrow_mut().settle(id) {
            match result {
                Ok(()) => self.page.result(id, &()),
                Err(error) => self.page.error(id, &Fault::coded(error.code())(error)),
            }
        }
    }

    /// A message came.
    pub(super) fn tell_message(&self, message: Received) {
        // What is no text is of no use to a page.
        if let Ok(text) = String::from_utf8(message.body) {
            let (session, number) = message.id;
            self.page.event(&Event::Message(MessageReply {
                from: message.from.to_string(),
                id: format!("{session}-{number}"),
                text,
            }));
        }
    }
}

fn parse(key: &str) -> Result<NodeKey, Fault> {
    key.parse().map_err(Fault::coded("bad-key"))
}
