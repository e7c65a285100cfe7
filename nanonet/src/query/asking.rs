//! What happens at each step of a question of our own, and how its answer is put together.
//!
//! The own slice answers at once if it is kept up to date for this account (see
//! [`super::answering`]) or nobody else can be asked. Otherwise every verified answer goes through
//! the slice, whose rules of order say which frontier is the newest; what the slice holds in the
//! end is the answer.
//!
//! That an account was never opened is believed only if an anchor states it; without anchors, of
//! nobody. Such an account is then simply not found.

use nano_core::{Account, BlockHash, UnixMillis};

use super::answering::BAD_SIGHTING;
use super::question::{
    MAX_PATHS, MAX_QUESTIONS, NEXT_BRIDGE_MS, NextPath, PATH_EVERY_MS, Path, Question, STALE_MS,
    Step, Worth,
};
use crate::Crypto;
use crate::reputation::ANSWERED;
use crate::routing::forward::{Own, Upstream};
use crate::routing::table::Turn;
use crate::slice::ChainOrder;
use crate::timers::Timer;
use crate::wire::{Ask, Found, Reply, Response, Target};
use crate::{
    AccountAnswer, AccountKey, AccountState, AnswerSource, Event, GetError, GetOptions, LinkId,
    Node, Order, QueryNumber, Record, RequestId, Role, freshness,
};

/// How long a path must have been open that counts as not answered when its question ends.
const UNANSWERED_MS: u64 = 800;
/// How old a statement that an account was never opened may be.
pub(crate) const UNOPENED_MS: u64 = 60_000;

impl<C: Crypto> Node<C> {
    /// The shell asks.
    pub(crate) fn on_get(&mut self, request: RequestId, account: Account, options: GetOptions) {
        self.start_question(Some(request), account, options);
    }

    /// Starts a question, of the shell or of our own.
    pub(crate) fn start_question(
        &mut self,
        request: Option<RequestId>,
        account: Account,
        options: GetOptions,
    ) {
        let mut question = Question::new(request, account, options, self.now);
        if self.is_crowded(&AccountKey::new(&account).point()) {
            question.at_once = MAX_PATHS;
        }
        let held = self.slice.get(&account).is_some();
        let point = AccountKey::new(&account).point();
        let sure = self.surely_reaches(&point) && !self.is_in_unrest();
        let kept = self.slice.is_watched(&account) || (sure && self.is_responsible(&account));
        let alone = self.table.count() == 0 && !self.config.role.is_bridge_here();
        if alone || (held && kept && !options.fresh) {
            return self.end_question(question);
        }
        if self.questions.open.len() >= MAX_QUESTIONS {
            if let Some(request) = request {
                let open = u16::try_from(MAX_QUESTIONS).unwrap_or(u16::MAX);
                let result = Err(GetError::TooManyQuestions { open });
                self.event(Event::Answer { request, result });
            }
            return;
        }
        let id = self.rng.next_u64();
        self.forwards.first_seen(id);
        self.lately.ask(account, self.now);
        self.questions.open.insert(id, question);
        self.on_question_timer(id);
    }

    /// Takes the steps that are due.
    pub(crate) fn on_question_timer(&mut self, id: u64) {
        loop {
            let Some(question) = self.questions.open.get(&id) else {
                return;
            };
            let bridge = self.bridge_to_ask(question);
            let next = match self.next_path(question) {
                Some((_, Role::Browser)) => NextPath::Browser,
                Some((_, Role::Bridge)) => NextPath::Bridge,
                None => NextPath::None,
            };
            match question.step(self.now, next, bridge.is_some()) {
                Step::Path => self.start_path(id),
                Step::Bridge => self.ask_bridge(id, bridge.flatten()),
                Step::Wait(until) => return self.timers.set(Timer::Question(id), until),
                Step::End => {
                    self.timers.clear(Timer::Question(id));
                    if let Some(question) = self.questions.open.remove(&id) {
                        self.end_question(question);
                    }
                    return;
                }
            }
        }
    }

    /// The next bridge to ask: `None` for nobody, `Some(None)` for the full nodes behind
    /// ourselves.
    fn bridge_to_ask(&self, question: &Question) -> Option<Option<LinkId>> {
        if self.config.role.is_bridge_here() {
            return question.bridges.is_empty().then_some(None);
        }
        self.table
            .links_of(Role::Bridge)
            .into_iter()
            .filter(|link| !question.bridges.contains(link))
            // Of equals the first.
            .min_by_key(|link| -self.score_of(*link))
            .map(Some)
    }

    /// The link that the next path would go over.
    fn next_path(&self, question: &Question) -> Option<(LinkId, Role)> {
        let over_bridge = question.tried.iter().any(|link| self.is_bridge(*link));
        let point = AccountKey::new(&question.account).point();
        let gains = self.gains(&point, false);
        self.table.next(&point, |hop| {
            let turn = match hop.role {
                _ if question.tried.contains(&hop.link) => None,
                Role::Browser => Some(Turn::Browser),
                Role::Bridge => (!over_bridge).then_some(Turn::Bridge),
            };
            Some((turn?, gains.of(hop)))
        })
    }

    fn start_path(&mut self, id: u64) {
        let Some(question) = self.questions.open.get(&id) else {
            return;
        };
        let account = question.account;
        let Some((link, _)) = self.next_path(question) else {
            return;
        };
        let target = Target::Near(AccountKey::new(&account).point());
        let sent = self.send_path(link, id, target, Ask::Get { account });
        let since = self.now;
        let late = match sent {
            Some(Some(_)) => since.plus(self.ack_patience(link)),
            _ => since.plus(STALE_MS),
        };
        if let Some(question) = self.questions.open.get_mut(&id) {
            question.tried.push(link);
            question.open.extend(sent.map(|number| Path {
                link,
                since,
                number,
                late,
            }));
            question.next_path = since.plus(PATH_EVERY_MS);
        }
    }

    /// A link has taken a query of ours, perhaps a question's.
    pub(crate) fn question_acked(&mut self, link: LinkId, number: QueryNumber) {
        for (_, question) in self.questions.open.iter_mut() {
            if question.acked(link, number) {
                return;
            }
        }
    }

    /// Whether a link leads to a bridge.
    pub(crate) fn is_bridge(&self, link: LinkId) -> bool {
        let who = self.table.get(link).and_then(|peer| peer.who.as_ref());
        who.is_some_and(|who| who.record.role == Role::Bridge)
    }

    fn ask_bridge(&mut self, id: u64, bridge: Option<LinkId>) {
        let next = self.now.plus(NEXT_BRIDGE_MS);
        let Some(question) = self.questions.open.get_mut(&id) else {
            return;
        };
        let (account, fresh) = (question.account, question.fresh);
        question.next_bridge = next;
        question.bridges_open += 1;
        // For ourselves no link is used, any number marks it as asked.
        question.bridges.push(bridge.unwrap_or(LinkId(u64::MAX)));
        let held = self.held_frontier(&account);
        let own = Own::Resolve(id);
        match bridge {
            Some(link) => {
                let Some(bridge) = self.peer_id(link) else {
                    return;
                };
                let body = Ask::Resolve {
                    account,
                    held,
                    fresh,
                };
                self.ask(own, Target::Exactly(bridge), body);
            }
            None => self.serve_resolve(Upstream::Own(own), id, account, held, true),
        }
    }

    /// An answer over one of a question's paths.
    pub(crate) fn on_answer(&mut self, link: LinkId, response: Response) {
        let id = response.id;
        let Some(question) = self.questions.open.get_mut(&id) else {
            return;
        };
        if !question.is_open(link) {
            return;
        }
        question.path_ended(link);
        if let Reply::Found(found) = response.body {
            self.judge(id, Some(link), *found, response.hops, false);
        }
        self.on_question_timer(id);
    }

    /// A bridge's answer after asking the full nodes.
    pub(crate) fn on_resolve_reply(&mut self, id: u64, body: Reply, via: Option<LinkId>, hops: u8) {
        let Some(question) = self.questions.open.get_mut(&id) else {
            return;
        };
        question.bridges_open = question.bridges_open.saturating_sub(1);
        if let Reply::Found(found) = body {
            let stated = self.judge(id, via, *found, hops, true);
            if let Some(question) = self.questions.open.get_mut(&id) {
                question.stated = question.stated.or(stated);
            }
        }
        self.on_question_timer(id);
    }

    /// Verifies an answer and enters it. Gives the frontier that it states, `Some(None)` for a
    /// statement that there is none, `None` if nothing that holds was said of the account's chain.
    /// `resolve`: the answer is a bridge's, after asking the full nodes.
    fn judge(
        &mut self,
        id: u64,
        link: Option<LinkId>,
        found: Found,
        hops: u8,
        resolve: bool,
    ) -> Option<Option<BlockHash>> {
        let account = self.questions.open.get(&id)?.account;
        let source = match (link, found.role) {
            (None, _) => AnswerSource::OwnSlice,
            (_, Role::Browser) => AnswerSource::Peer { id: found.by, hops },
            (_, Role::Bridge) => AnswerSource::Bridge { id: found.by, hops },
        };
        let mut frontier = None;
        let mut good = false;
        for packed in found.records {
            let record = match packed.open() {
                Ok(record) => record,
                Err(error) => {
                    self.refuse_answer(id, link, error.reason(), true);
                    continue;
                }
            };
            let hash = record.hash();
            let is_account = matches!(record, Record::Account(_));
            let copy = match &record {
                Record::Account(record) => Some(record.clone()),
                Record::Receivable(_) => None,
            };
            let outcome = self.take_in(&account, record);
            if !outcome.holds() {
                let (reason, fault) = (outcome.reason(), outcome.is_fault());
                self.refuse_answer(id, link, reason.unwrap_or("refused"), fault);
                continue;
            }
            if let (Some(mut record), Some("no-room")) = (copy, outcome.reason()) {
                let weights = &self.config.weights;
                match self.slice.believe(self.now, &account, &mut record, weights) {
                    Ok(proven) => {
                        if let Some(question) = self.questions.open.get_mut(&id) {
                            question.unkept = Some((record, Box::new(proven)));
                        }
                    }
                    Err(refusal) => {
                        self.refuse_answer(id, link, refusal.reason(), refusal.is_fault());
                        continue;
                    }
                }
            }
            good = true;
            if is_account {
                frontier = Some(hash);
            }
        }
        if let Some(sighting) = found.unopened {
            self.compare_bridges(&account, &sighting);
            let counts = sighting.counts(self.now, &self.config.weights);
            let late = self.now.since(sighting.at) > UNOPENED_MS || !counts;
            if !(resolve && self.states_unopened(&account, &sighting)) {
                self.refuse_answer(id, link, BAD_SIGHTING, true);
            } else if late {
                self.counters.refuse("late-sighting");
            } else if !self.is_anchor(&sighting.bridge) {
                self.counters.refuse("not-an-anchor");
            } else {
                good = true;
                if let Some(question) = self.questions.open.get_mut(&id) {
                    question.unopened = Some(sighting);
                }
            }
        }
        let partial = frontier.is_none()
            && self
                .questions
                .open
                .get(&id)
                .is_some_and(|question| question.unopened.is_none());
        if !good {
            return None;
        }
        if let Some(peer) = link.and_then(|link| self.table.get_mut(link)) {
            peer.answers += 1;
            peer.share.count(true);
        }
        if let Some(link) = link {
            self.rate(link, ANSWERED);
        }
        let held = self.held_frontier(&account);
        let worth = if partial {
            Worth::Partial
        } else if resolve || self.is_in_reach(&source, &account) {
            Worth::Holder
        } else {
            Worth::Distant
        };
        if let Some(question) = self.questions.open.get_mut(&id) {
            let unkept = question.unkept.as_ref().map(|(record, _)| record.hash());
            let newest = held.or(unkept).filter(|_| frontier.is_some());
            question.answered(frontier, newest, source, self.now, worth);
            if resolve && !partial {
                question.settle(self.now);
            }
        }
        (!partial).then_some(frontier)
    }

    /// Part of an answer does not hold; `fault`: whoever sent it could know.
    fn refuse_answer(&mut self, id: u64, link: Option<LinkId>, reason: &'static str, fault: bool) {
        if let Some(question) = self.questions.open.get_mut(&id) {
            question.refuse(reason);
        }
        if fault {
            self.blame(link, reason);
        }
    }

    /// A link is gone: paths over it have ended.
    pub(crate) fn questions_link_gone(&mut self, link: LinkId) {
        let touched: Vec<u64> = self
            .questions
            .open
            .iter_mut()
            .filter(|(_, question)| question.is_open(link))
            .map(|(id, question)| {
                question.path_ended(link);
                *id
            })
            .collect();
        for id in touched {
            self.on_question_timer(id);
        }
    }

    /// Gives the answer.
    fn end_question(&mut self, question: Question) {
        // Paths that others have long overtaken.
        for path in &question.open {
            let late = self.now.since(path.since) >= UNANSWERED_MS;
            if let Some(peer) = self.table.get_mut(path.link).filter(|_| late) {
                peer.share.count(false);
            }
        }
        let Some(request) = question.request else {
            return;
        };
        let result = self
            .answer(&question)
            .map(Box::new)
            .ok_or_else(|| question.error(self.now));
        self.event(Event::Answer { request, result });
    }

    fn answer(&self, question: &Question) -> Option<AccountAnswer> {
        let account = question.account;
        let held = self.slice.get(&account);
        let receivables: Vec<_> = self
            .slice
            .receivables(&account)
            .map(|held| held.proven().clone())
            .collect();
        let mut as_of: Option<UnixMillis> = None;
        let mut hash = None;
        let mut weights_as_of = self.config.weights.as_of;
        let state = if let Some(frontier) = held.and_then(|held| held.frontier()) {
            as_of = frontier
                .freshness(self.now, &self.config.anchors)
                .map(|fresh| fresh.as_of);
            hash = Some(frontier.record().hash());
            weights_as_of = frontier.weights_as_of();
            AccountState::Opened {
                frontier: Box::new(frontier.proven().clone()),
                record: Box::new(frontier.record().clone()),
            }
        } else if let Some((record, proven)) = &question.unkept {
            as_of = freshness(self.now, &record.sightings, &self.config.anchors)
                .map(|fresh| fresh.as_of);
            hash = Some(record.hash());
            AccountState::Opened {
                frontier: proven.clone(),
                record: record.clone(),
            }
        } else if let Some(sighting) = &question.unopened {
            as_of = Some(sighting.at);
            AccountState::Unopened { as_of: sighting.at }
        } else if !receivables.is_empty() {
            AccountState::Unknown
        } else {
            return None;
        };
        let own = u8::from(question.sources.is_empty());
        Some(AccountAnswer {
            account,
            state,
            receivables,
            source: question
                .sources
                .get(&hash)
                .or_else(|| question.sources.get(&None).filter(|_| hash.is_none()))
                .copied()
                .unwrap_or(AnswerSource::OwnSlice),
            as_of,
            answers_seen: question.answers.saturating_add(own),
            order: match held.map(|held| held.order()) {
                None | Some(ChainOrder::Known) => Order::Known,
                Some(ChainOrder::Unknown | ChainOrder::Diverged) => Order::Unknown,
            },
            fresh: question.stated == Some(hash),
            weights_as_of,
        })
    }
}
