//! Requests on their way, and their way back.
//!
//! A request is handed from link to link; every node remembers where it came from, waits for the
//! answer of the link it chose, and tries its next-best link if none comes. States of a request at
//! a node: *sent* (to a link, whose acknowledgement is waited for), *waiting* (acknowledged, until a
//! time), *answered* (kept only for publishes, whose progress comes in several answers), gone.
//!
//! Rules:
//! - an id is handled once; again, it is answered `seen`;
//! - [`super::hops`] says which link is next, and how long it is waited for;
//! - who lies so near to the one node that a request is for that it would be linked with it, or hear of
//!   it from those who are, and knows nothing of it, says so and passes nothing on: names of nodes that
//!   are gone, or never were, cost little;
//! - a link that does not answer in time counts as one that did not ([`super::worth`]);
//! - *hops* bound how long a way gets, *budget* bounds how many times a request is passed on in
//!   all, dead ends included: a node gives its whole budget to the link it tries and gets back
//!   what was not spent (half, if the link does not answer);
//! - an answer is taken from any link that was tried, also after the next was tried;
//! - answers are checked before they are passed on, so whoever hands over a false one is at fault,
//!   however far away it was made;
//! - a node that has too much on its way answers `busy` at once.
//!
//! Memory: [`MAX_PASSING`] requests, [`MAX_PER_LINK`] of them per link, [`MAX_HELD_BYTES`] of
//! records in them; [`MAX_SEEN`] ids, the oldest forgotten first.

use std::collections::VecDeque;

use nano_core::{BlockHash, UnixMillis};

use crate::Crypto;
use crate::onion::CELL_BYTES;
use crate::registry::MAX_KEY_RECORD_BYTES;
use crate::reputation::PASSED;
use crate::sorted::{SortedMap, SortedSet};
use crate::timers::Timer;
use crate::wire::{
    Ask, Failure, MAX_BUDGET, MAX_HOPS, MAX_NEAR, Message, Reply, Request, Response, Target, Wanted,
};
use crate::{LinkId, Node, NodeId, NodeKey, QueryNumber, SessionId};

/// Most requests on their way through this node.
pub(crate) const MAX_PASSING: usize = 1024;
/// Most of them that came over one link.
pub(crate) const MAX_PER_LINK: usize = 64;
/// Most bytes of records held in them.
pub(crate) const MAX_HELD_BYTES: usize = 4 << 20;
/// Most ids remembered.
pub(crate) const MAX_SEEN: usize = 8192;
/// Most links one node tries for one request.
pub(crate) const MAX_TRIES: usize = 4;
/// Budget of a request to one node: whoever is still there is found within a few steps, and who is gone
/// is not worth asking everybody for.
const EXACTLY_BUDGET: u8 = 16;
/// What is left of it when one of its neighbours, who would know it, does not.
const SURE_BUDGET: u8 = 3;
/// How long a way back is kept.
const EXPIRES_MS: u64 = 30_000;

/// Who gets the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// Another node.
    Link(LinkId),
    /// We ourselves.
    Own(Own),
}

/// What a request of our own is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    /// To learn who is near a place.
    Neighbourhood,
    /// To learn who is in a part of the key space where we know nobody.
    Far,
    /// To get a signal to the other end of a session.
    Signal(SessionId),
    /// To have records kept, as a path of this put if it is one; see [`crate::replication`].
    Put(Option<u64>),
    /// To tell a node what it should hold.
    Headers(Option<NodeId>),
    /// To get records from a node that told us; see [`crate::replication`].
    Pull(u64),
    /// To get our slice, or compare it; see [`crate::replication`].
    Sync(u64),
    /// To have a bridge ask the full nodes, for this question.
    Resolve(u64),
    /// To have a bridge publish this block.
    Publish(BlockHash),
    /// To hand a cell to the next hop: of our circuit with this number at its end, if it is ours.
    Leg(u64),
    /// To have our record kept, or passed on.
    Register,
    /// To find the record of a key.
    FindKey(NodeKey),
    /// To find services.
    FindServices(u64),
}

/// Over which links a request may go.
#[derive(Debug, Clone, Copy)]
enum Ways<'a> {
    /// All but these.
    Not(&'a [LinkId]),
    /// This one.
    Only(LinkId),
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Passing {
    /// Who gets the answer.
    pub(crate) upstream: Upstream,
    /// What is passed on.
    pub(crate) request: Request,
    /// Its budget when it came.
    came_with: u8,
    held_bytes: usize,
    /// Links that are not tried (again).
    pub(crate) tried: Vec<LinkId>,
    /// If it may go over one link alone: that one.
    pub(crate) only: Option<LinkId>,
    /// The link it was sent to last, and as which query until that is acknowledged.
    waiting: Option<(LinkId, Option<QueryNumber>)>,
    expires: UnixMillis,
    answered: bool,
}

/// Requests on their way.
#[derive(Debug, Default)]
pub(crate) struct Forwards {
    passing: SortedMap<u64, Passing>,
    per_link: SortedMap<LinkId, usize>,
    held_bytes: usize,
    seen: SortedSet<u64>,
    seen_order: VecDeque<u64>,
}

impl Forwards {
    /// Remembers an id; false if it was known.
    pub(crate) fn first_seen(&mut self, id: u64) -> bool {
        if !self.seen.insert(id) {
            return false;
        }
        self.seen_order.push_back(id);
        if self.seen_order.len() > MAX_SEEN
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }

    /// The request that was sent over `link` as query `number`.
    fn sent_as(&self, link: LinkId, number: QueryNumber) -> Option<u64> {
        let sent = Some((link, Some(number)));
        let mut passing = self.passing.iter();
        let found = passing.find(|(_, passing)| passing.waiting == sent);
        found.map(|(id, _)| *id)
    }

    fn insert(&mut self, passing: Passing) {
        if let Upstream::Link(link) = passing.upstream {
            *self.per_link.get_or_insert_with(link, || 0) += 1;
        }
        self.held_bytes += passing.held_bytes;
        self.passing.insert(passing.request.id, passing);
    }

    fn remove(&mut self, id: u64) -> Option<Passing> {
        let passing = self.passing.remove(&id)?;
        self.held_bytes = self.held_bytes.saturating_sub(passing.held_bytes);
        if let Upstream::Link(link) = passing.upstream
            && let Some(count) = self.per_link.get_mut(&link)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.per_link.remove(&link);
            }
        }
        Some(passing)
    }

    /// How full the memory for requests on their way is, in eighths.
    pub(crate) fn eighths(&self) -> u64 {
        let fullest =
            (self.passing.len() * 8 / MAX_PASSING).max(self.held_bytes * 8 / MAX_HELD_BYTES);
        fullest as u64
    }

    fn is_full(&self, upstream: Upstream, bytes: usize) -> bool {
        let from_link = match upstream {
            Upstream::Link(link) => self.per_link.get(&link).copied().unwrap_or(0),
            Upstream::Own(_) => 0,
        };
        self.passing.len() >= MAX_PASSING
            || from_link >= MAX_PER_LINK
            || self.held_bytes + bytes > MAX_HELD_BYTES
    }
}

fn held_bytes(ask: &Ask) -> usize {
    match ask {
        Ask::Put { records, .. } => records.iter().map(|record| record.as_bytes().len()).sum(),
        Ask::Signal { sealed, .. } => sealed.0.len(),
        Ask::Headers { headers, .. } => headers.len() * 65,
        Ask::Pull {
            which: Wanted::Named(names),
            ..
        } => names.len() * 32,
        Ask::Cell(_) => CELL_BYTES,
        Ask::Register(_) => MAX_KEY_RECORD_BYTES,
        Ask::Compare { sketch, .. } => sketch.0.len() + MAX_NEAR * 8,
        _ => 0,
    }
}

impl<C: Crypto> Node<C> {
    /// Sends a request of our own; the answer comes to `on_own_reply`.
    pub(crate) fn ask(&mut self, own: Own, target: Target, body: Ask) {
        self.ask_over(own, target, body, &[]);
    }

    /// Like `ask`, without trying the links in `avoid`; the link it went over, if it did.
    pub(crate) fn ask_over(
        &mut self,
        own: Own,
        target: Target,
        body: Ask,
        avoid: &[LinkId],
    ) -> Option<LinkId> {
        self.ask_by(own, target, body, Ways::Not(avoid))
    }

    /// Asks the node behind a link over that link, and over no other if it does not answer.
    pub(crate) fn ask_direct(&mut self, own: Own, link: LinkId, to: NodeId, body: Ask) {
        self.ask_by(own, Target::Exactly(to), body, Ways::Only(link));
    }

    fn ask_by(&mut self, own: Own, target: Target, body: Ask, ways: Ways<'_>) -> Option<LinkId> {
        let budget = match target {
            Target::Near(_) => MAX_BUDGET,
            Target::Exactly(_) => EXACTLY_BUDGET,
        };
        let request = Request {
            id: self.rng.next_u64(),
            target,
            // Not always the same number, so that it does not tell who asked.
            hops_left: MAX_HOPS - u8::try_from(self.rng.below(4)).unwrap_or(0),
            budget: budget - u8::try_from(self.rng.below(4)).unwrap_or(0),
            body,
        };
        let id = request.id;
        self.forwards.first_seen(id);
        self.handle(Upstream::Own(own), request, ways);
        let passing = self.forwards.passing.get(&id)?;
        passing.waiting.map(|(link, _)| link)
    }

    /// A request came over a link.
    pub(crate) fn on_request(&mut self, link: LinkId, request: Request) {
        if !self.forwards.first_seen(request.id) {
            return self.fail(Upstream::Link(link), &request, Failure::Seen);
        }
        #[cfg(any(test, feature = "adversary", feature = "bridge"))]
        if let Ask::Cell(cell) = &request.body {
            self.glimpse_handed(link, &request.target, cell);
        }
        #[cfg(any(test, feature = "adversary"))]
        if self.drops() {
            return;
        }
        if let (Ask::Cell(cell), Target::Exactly(to)) = (&request.body, request.target)
            && to != self.id
            && self.would_tell(cell, &to)
        {
            return self.fail(Upstream::Link(link), &request, Failure::Busy);
        }
        self.handle(Upstream::Link(link), request, Ways::Not(&[]));
    }

    fn handle(&mut self, upstream: Upstream, mut request: Request, ways: Ways<'_>) {
        match (&request.target, &request.body) {
            (Target::Exactly(id), _) if *id == self.id || self.joining.was(id, self.now) => {
                return self.serve(upstream, request);
            }
            (Target::Near(_), Ask::Get { account }) => {
                let account = *account;
                if let Some(found) = self.answer_get(upstream, &account) {
                    return self.reply(upstream, request.id, Reply::Found(Box::new(found)));
                }
            }
            (Target::Near(_), Ask::FindKey { key, after }) => {
                if let Some(found) = self.answer_key(key, *after) {
                    return self.reply(upstream, request.id, found);
                }
            }
            (Target::Near(at), Ask::Put { .. } | Ask::Register(_))
                if self.guards(at) || self.enters(at) =>
            {
                return self.serve(upstream, request);
            }
            (
                Target::Near(_),
                Ask::FindNearest | Ask::Put { .. } | Ask::Headers { .. } | Ask::Register(_),
            )
            | (Target::Exactly(_), _) => {}
            (Target::Near(_), _) => return self.fail(upstream, &request, Failure::Refused),
        }
        if let Target::Exactly(id) = &request.target
            && matches!(upstream, Upstream::Link(_))
            && self.would_know(id)
            && !self.knows(id)
        {
            request.budget = request.budget.min(SURE_BUDGET);
            return self.fail(upstream, &request, Failure::NotFound);
        }
        if self.config.role.is_bridge_here() && request.body.is_for_browsers() {
            return self.fail(upstream, &request, Failure::NotFound);
        }
        let bytes = held_bytes(&request.body);
        if self.forwards.is_full(upstream, bytes) {
            self.counters.refuse("busy");
            return self.fail(upstream, &request, Failure::Busy);
        }
        let id = request.id;
        let expires = self.now.plus(EXPIRES_MS);
        self.forwards.insert(Passing {
            upstream,
            came_with: request.budget,
            request,
            held_bytes: bytes,
            tried: match ways {
                Ways::Not(avoid) => avoid.to_vec(),
                Ways::Only(_) => Vec::new(),
            },
            only: match ways {
                Ways::Not(_) => None,
                Ways::Only(link) => Some(link),
            },
            waiting: None,
            expires,
            answered: false,
        });
        self.advance(id);
    }

    /// Sends a request to the next link worth trying, or ends it here.
    fn advance(&mut self, id: u64) {
        loop {
            let Some(passing) = self.forwards.passing.get(&id) else {
                return;
            };
            let Some(link) = self.next_link(passing) else {
                return self.end_here(id);
            };
            let Some(passing) = self.forwards.passing.get_mut(&id) else {
                return;
            };
            passing.tried.push(link);
            passing.request.budget = passing.request.budget.saturating_sub(1);
            let mut request = passing.request.clone();
            request.hops_left = request.hops_left.saturating_sub(1);
            let ours = matches!(passing.upstream, Upstream::Own(_));
            let wait = self.patience(link, &request.target, &request.body);
            let Some(number) = self.send_numbered(link, &Message::Request(Box::new(request)))
            else {
                continue;
            };
            let wait = number.map_or(wait, |_| self.ack_patience(link));
            if !ours {
                self.counters.forwarded += 1;
            }
            if let Some(passing) = self.forwards.passing.get_mut(&id) {
                passing.waiting = Some((link, number));
            }
            self.timers.set(Timer::Passing(id), self.now.plus(wait));
            return;
        }
    }

    /// Nobody is left to pass a request to.
    fn end_here(&mut self, id: u64) {
        self.timers.clear(Timer::Passing(id));
        let Some(Passing {
            upstream,
            request,
            came_with,
            ..
        }) = self.forwards.remove(id)
        else {
            return;
        };
        match (&request.target, &request.body) {
            (
                Target::Near(_),
                Ask::FindNearest | Ask::Put { .. } | Ask::Headers { .. } | Ask::Register(_),
            ) => self.serve(upstream, request),
            (Target::Near(_), Ask::Get { account }) => {
                let account = *account;
                match self.answer_get_at_end(upstream, &account) {
                    Some(found) => self.reply(upstream, request.id, Reply::Found(Box::new(found))),
                    None => {
                        self.charge(upstream, came_with.saturating_sub(request.budget));
                        self.fail(upstream, &request, Failure::NotFound);
                    }
                }
            }
            _ => self.fail(upstream, &request, Failure::NotFound),
        }
    }

    /// A question that came over a link was passed on so many times for nothing.
    fn charge(&mut self, upstream: Upstream, times: u8) {
        if let Upstream::Link(link) = upstream
            && let Some(peer) = self.table.get_mut(link)
        {
            peer.wasted.add(self.now, times);
        }
    }

    /// An answer came over a link.
    pub(crate) fn on_response(&mut self, link: LinkId, response: Response) {
        if self.questions.is_open(response.id) {
            return self.on_answer(link, response);
        }
        let Some(passing) = self.forwards.passing.get_mut(&response.id) else {
            return;
        };
        let progress = matches!(response.body, Reply::Progress(_));
        if !passing.tried.contains(&link) || (passing.answered && !progress) {
            return;
        }
        let id = response.id;
        let mut body = response.body;
        if !matches!(body, Reply::Failed { .. })
            && let Some(peer) = self.table.get_mut(link)
        {
            peer.share.count(true);
        }
        match &mut body {
            Reply::Failed { why, budget } => {
                if passing.waiting.is_none_or(|(waiting, _)| waiting != link) {
                    return;
                }
                passing.waiting = None;
                passing.request.budget = passing.request.budget.min(*budget);
                let refused = *why == Failure::Refused
                    && matches!(passing.request.target, Target::Exactly(_));
                if refused {
                    return self.finish(link, id, body, response.hops);
                }
                return self.advance(id);
            }
            Reply::Nearest(peers) => {
                let target = passing.request.target.point();
                let peers = std::mem::take(peers);
                let own = matches!(passing.upstream, Upstream::Own(_));
                if !own {
                    body = Reply::Nearest(self.merge_nearest(&target, peers));
                } else {
                    body = Reply::Nearest(peers);
                }
            }
            Reply::Found(found) => {
                let (expected, resolve) = match &passing.request.body {
                    Ask::Get { account } => (*account, false),
                    Ask::Resolve { account, .. } => (*account, true),
                    _ => return,
                };
                let own = matches!(passing.upstream, Upstream::Own(_));
                if !own && !self.check_found(link, &expected, found, resolve) {
                    if let Some(passing) = self.forwards.passing.get_mut(&id) {
                        passing.waiting = None;
                    }
                    return self.advance(id);
                }
                if !own {
                    self.rate(link, PASSED);
                }
            }
            _ => {}
        }
        self.finish(link, id, body, response.hops);
    }

    /// Gives an answer to whoever waits for it.
    fn finish(&mut self, link: LinkId, id: u64, body: Reply, hops: u8) {
        let keep = matches!(body, Reply::Progress(_));
        let Some(passing) = self.forwards.passing.get_mut(&id) else {
            return;
        };
        passing.answered = true;
        passing.waiting = None;
        let (upstream, expires) = (passing.upstream, passing.expires);
        if keep {
            self.timers.set(Timer::Passing(id), expires);
        } else {
            self.timers.clear(Timer::Passing(id));
            self.forwards.remove(id);
        }
        match upstream {
            Upstream::Link(back) => {
                let hops = hops.saturating_add(1);
                self.send(
                    back,
                    &Message::Response(Box::new(Response { id, hops, body })),
                );
            }
            Upstream::Own(own) => self.on_own_reply(own, body, Some(link), hops),
        }
    }

    /// Answers a request that ends here.
    pub(crate) fn reply(&mut self, upstream: Upstream, id: u64, body: Reply) {
        match upstream {
            Upstream::Link(link) => {
                let response = Response { id, hops: 1, body };
                self.send(link, &Message::Response(Box::new(response)));
            }
            Upstream::Own(own) => self.on_own_reply(own, body, None, 0),
        }
    }

    /// Answers that a request ends here without an answer.
    pub(crate) fn fail(&mut self, upstream: Upstream, request: &Request, why: Failure) {
        let budget = request.budget;
        self.reply(upstream, request.id, Reply::Failed { why, budget });
    }

    /// The next hop took too long, or the way back is too old.
    pub(crate) fn on_passing_timer(&mut self, id: u64) {
        let Some(passing) = self.forwards.passing.get_mut(&id) else {
            return;
        };
        if passing.answered {
            self.forwards.remove(id);
            return;
        }
        // Not acknowledged in time, and nobody else to try: it may still be answered.
        if let Some((link, Some(_))) = passing.waiting
            && let Some(passing) = self.forwards.passing.get(&id)
            && self.next_link(passing).is_none()
        {
            let wait = self.patience(link, &passing.request.target, &passing.request.body);
            if let Some(passing) = self.forwards.passing.get_mut(&id) {
                passing.waiting = Some((link, None));
            }
            return self.timers.set(Timer::Passing(id), self.now.plus(wait));
        }
        let Some(passing) = self.forwards.passing.get_mut(&id) else {
            return;
        };
        passing.request.budget /= 2;
        if let Some((link, _)) = passing.waiting.take()
            && let Some(peer) = self.table.get_mut(link)
        {
            peer.share.count(false);
        }
        self.advance(id);
    }

    /// A link has taken a query of ours: what was sent over it may take its time now.
    pub(crate) fn on_acked(&mut self, link: LinkId, number: QueryNumber) {
        let Some(id) = self.forwards.sent_as(link, number) else {
            return self.question_acked(link, number);
        };
        let Some(passing) = self.forwards.passing.get_mut(&id) else {
            return;
        };
        passing.waiting = Some((link, None));
        let (target, body) = (passing.request.target, passing.request.body.clone());
        let wait = self.patience(link, &target, &body);
        self.timers.set(Timer::Passing(id), self.now.plus(wait));
    }

    /// A link is gone: what waits for it goes another way, what came from it is dropped.
    pub(crate) fn forwards_link_gone(&mut self, link: LinkId) {
        let mut orphans = Vec::new();
        let mut stuck = Vec::new();
        for (id, passing) in self.forwards.passing.iter_mut() {
            if passing.upstream == Upstream::Link(link) {
                orphans.push(*id);
            } else if passing.waiting.is_some_and(|(waiting, _)| waiting == link) {
                passing.waiting = None;
                stuck.push(*id);
            }
        }
        for id in orphans {
            self.timers.clear(Timer::Passing(id));
            self.forwards.remove(id);
        }
        for id in stuck {
            self.advance(id);
        }
    }

    /// Sends the request of a question over one link; see [`crate::query`].
    pub(crate) fn send_path(
        &mut self,
        link: LinkId,
        id: u64,
        target: Target,
        body: Ask,
    ) -> Option<Option<QueryNumber>> {
        let request = Request {
            id,
            target,
            hops_left: MAX_HOPS - 1 - u8::try_from(self.rng.below(4)).unwrap_or(0),
            budget: MAX_BUDGET / 2,
            body,
        };
        self.send_numbered(link, &Message::Request(Box::new(request)))
    }
}
