//! Messages of peers: which part of the node each goes to, and how ours go out.
//!
//! - a message that is none ends its link; one of a link that is still greeting is not looked at;
//! - every message costs tokens ([`crate::limits`]) and adds to the load ([`crate::reputation`]);
//!   requests that are too much are answered `busy`, a flood ends the link.

use crate::limits::Spend;
use crate::link::LinkEnd;
use crate::replication::Named;
use crate::reputation::GREEDY;
use crate::routing::forward::{Own, Upstream};
use crate::wire::{Ask, Failure, Message, Reply, Request, Target};
use crate::{Class, CloseReason, Crypto, Defence, LinkId, Node, QueryNumber};

impl<C: Crypto> Node<C> {
    /// A message came over a link.
    pub(crate) fn on_message(&mut self, link: LinkId, class: Class, bytes: &[u8]) {
        let Ok(message) = Message::decode(class, bytes) else {
            self.counters.refuse("malformed-message");
            return self.close(link, CloseReason::Garbage);
        };
        let Some(peer) = self.table.get_mut(link).filter(|peer| peer.who.is_some()) else {
            return;
        };
        let cost = message.cost();
        let spend = peer.bucket.spend(self.now, cost);
        let peer_wasted = peer.wasted.is_too_much(self.now);
        let spend = if self.lacks(Defence::Buckets) {
            Spend::Served
        } else {
            spend
        };
        if spend == Spend::Flood {
            return self.close(link, CloseReason::Flood);
        }
        if let Message::Request(request) = &message {
            if spend == Spend::Busy {
                self.rate(link, GREEDY);
            }
            let wasted = matches!(request.body, Ask::Get { .. })
                && peer_wasted
                && !self.lacks(Defence::Buckets);
            if spend == Spend::Busy || wasted || self.is_too_busy_for(link) {
                self.counters.refuse("busy");
                self.add_load(1);
                return self.fail(Upstream::Link(link), request, Failure::Busy);
            }
        }
        self.add_load(cost);
        match message {
            Message::Neighbours(said) => self.on_neighbours(link, said),
            Message::Request(request) => self.on_request(link, *request),
            Message::Response(response) => self.on_response(link, *response),
            Message::Watch(accounts) => self.on_watch_list(link, accounts),
            Message::Update(records) => self.on_update(link, records),
            Message::Introduction(record) => self.on_introduction(link, *record),
            Message::Seen(seen) => self.on_seen(link, *seen),
            Message::Unopened(sighting) => self.on_unopened(link, *sighting),
            Message::News(pushed) => self.on_news(link, pushed),
            Message::Have(ids) => self.on_have(link, ids),
            Message::Want(ids) => self.on_want(link, ids),
            Message::Announce(wanted) => self.on_announce(link, wanted),
            Message::CatchUp(filter) => self.on_catch_up(link, &filter.0),
        }
    }

    /// Queues a message; false if the link is gone or its queue full.
    pub(crate) fn send(&mut self, link: LinkId, message: &Message) -> bool {
        let Ok(bytes) = message.encode() else {
            return false;
        };
        if message.is_repair() {
            self.counters.repair_bytes += bytes.len() as u64;
        }
        self.send_bytes(link, message.class(), bytes)
    }

    /// Queues a message and says as which query, if it is one; `None` if the link is gone or its queue
    /// full.
    pub(crate) fn send_numbered(
        &mut self,
        link: LinkId,
        message: &Message,
    ) -> Option<Option<QueryNumber>> {
        self.queue(link, message.class(), message.encode().ok()?)
    }

    /// Queues an encoded message; false if the link is gone or its queue full.
    pub(crate) fn send_bytes(&mut self, link: LinkId, class: Class, bytes: Vec<u8>) -> bool {
        self.queue(link, class, bytes).is_some()
    }

    fn queue(&mut self, link: LinkId, class: Class, bytes: Vec<u8>) -> Option<Option<QueryNumber>> {
        let peer = self.table.get_mut(link)?;
        if let Ok(number) = peer.link.send(self.now, class, bytes) {
            self.stirred.insert(link);
            return Some(number);
        }
        self.counters.refuse("queue-full");
        None
    }

    /// Does what a request asks that ends here.
    pub(crate) fn serve(&mut self, upstream: Upstream, request: Request) {
        let Request {
            id, target, body, ..
        } = request;
        match body {
            Ask::FindNearest => {
                let peers = self.merge_nearest(&target.point(), Vec::new());
                self.reply(upstream, id, Reply::Nearest(peers));
            }
            Ask::Signal { carriers, sealed } => {
                self.on_sealed(upstream, carriers, &sealed.0);
                self.reply(upstream, id, Reply::Delivered);
            }
            Ask::Put { records, voucher } => {
                self.serve_put(upstream, id, target, records, voucher);
            }
            Ask::Headers {
                from,
                newer,
                headers,
            } => {
                let named = match target {
                    Target::Near(_) => Named::ToAnyone,
                    Target::Exactly(_) if newer => Named::AsNewer,
                    Target::Exactly(_) => Named::ToHolder,
                };
                self.serve_headers(from, named, &headers);
                self.reply(upstream, id, Reply::Delivered);
            }
            Ask::Pull { keys, which } => self.serve_pull(upstream, id, keys, &which),
            Ask::Compare { from, keys, sketch } => {
                self.serve_compare(upstream, id, &from, keys, &sketch.0);
            }
            Ask::Resolve {
                account,
                held,
                fresh,
            } => self.serve_resolve(upstream, id, account, held, fresh),
            Ask::Publish(block) => self.serve_publish(upstream, id, *block),
            Ask::Cell(cell) => self.serve_cell(upstream, id, cell),
            Ask::Register(record) => self.serve_register(upstream, id, target, *record),
            Ask::FindKey { key, after } => self.serve_key(upstream, id, &key, after),
            Ask::FindServices(filter) => self.serve_services(upstream, id, &filter),
            Ask::Get { .. } => {
                let (why, budget) = (Failure::NotFound, 0);
                self.reply(upstream, id, Reply::Failed { why, budget });
            }
        }
    }

    /// The answer to a request of our own. `via` is the link it came over, `None` if it ended
    /// here.
    pub(crate) fn on_own_reply(&mut self, own: Own, body: Reply, via: Option<LinkId>, hops: u8) {
        match own {
            Own::Neighbourhood => self.on_neighbourhood(body, via),
            Own::Far => self.on_far(body, via),
            Own::Signal(session) => self.on_signal_reply(session, &body),
            Own::Put(number) => self.on_put_reply(number, &body),
            Own::Headers(to) => self.on_named(to, &body),
            Own::Pull(pull) => self.on_pulled(pull, body, via),
            Own::Sync(task) => self.on_sync_reply(task, body, via),
            Own::Resolve(question) => self.on_resolve_reply(question, body, via, hops),
            Own::Publish(hash) => self.on_publish_reply(hash, &body),
            Own::Leg(number) => self.on_leg_reply(number, &body),
            // Sent again when it is due.
            Own::Register => {}
            Own::FindKey(key) => self.on_key_reply(key, body),
            Own::FindServices(number) => self.on_services_reply(number, body),
        }
    }
}
