//! One question of our own, and when it takes which step.
//!
//! A question runs in *paths*: copies of one request with one id over different links. States of a
//! path: *open* (sent; *late* while its first link has not acknowledged it in time, or when it has been
//! open for [`STALE_MS`]), *ended* (answered, or a dead end). States of the question: *seeking* (no
//! verified answer yet), *settling* (one came, another may still say more), *done*.
//!
//! Rules:
//! - [`FIRST_PATHS`] paths start at once (all at a crowd, see [`crate::density`]), and others as soon
//!   as fewer of them are open and not late; then one more
//!   every [`PATH_EVERY_MS`] while no two answers agree, up to [`MAX_PATHS`], each over another link, browsers
//!   before bridges, at most one over a bridge, and that one only when every other has ended or
//!   after [`BRIDGE_PATH_MS`];
//! - a linked bridge is asked to ask the full nodes when all paths have ended without an answer,
//!   when [`RESOLVE_AFTER_MS`] have passed without one, or at once if the answer shall be fresh;
//!   another linked bridge every [`NEXT_BRIDGE_MS`], at most [`MAX_BRIDGES`];
//! - it settles [`AGREED_MS`] after two of those who shall hold the record have answered with the newest
//!   frontier seen, and as soon as three have: one may have missed it, another hold it back; who lies
//!   further away may hold what was newest once, and does not count. With fewer it settles
//!   [`SETTLE_MS`] after the first answer, or when no path is open; at once with what a bridge states that asked the full nodes, for which a fresh question
//!   waits;
//! - at its deadline it ends with what it has.
//!
//! Memory: [`MAX_QUESTIONS`] at a time, each with at most [`MAX_PATHS`] paths.

use nano_core::proof::ProvenFrontier;
use nano_core::{Account, BlockHash, UnixMillis};

use crate::sorted::SortedMap;
use crate::{
    AccountRecord, AnswerSource, GetError, GetOptions, LinkId, NodeId, QueryNumber, RequestId,
    Sighting,
};

/// Most questions at a time.
pub(crate) const MAX_QUESTIONS: usize = 256;
/// Paths that start at once.
pub(crate) const FIRST_PATHS: usize = 3;
/// Most paths of a question.
pub(crate) const MAX_PATHS: usize = 10;
/// Time between further paths.
pub(crate) const PATH_EVERY_MS: u64 = 100;
/// When a path may go over a bridge although paths over browsers are still open.
pub(crate) const BRIDGE_PATH_MS: u64 = 400;
/// How long the only verified answer waits for another.
pub(crate) const SETTLE_MS: u64 = 400;
/// How long two that agree wait for a third.
pub(crate) const AGREED_MS: u64 = 30;
/// When a path that is still open is late.
pub(crate) const STALE_MS: u64 = 1_000;
/// When a bridge is asked although paths are still open.
pub(crate) const RESOLVE_AFTER_MS: u64 = 1_500;
/// When the next bridge is asked.
pub(crate) const NEXT_BRIDGE_MS: u64 = 2_500;
/// Most bridges asked.
pub(crate) const MAX_BRIDGES: u8 = 2;
/// Longest time for a question.
pub(crate) const MAX_DEADLINE_MS: u32 = 60_000;

/// One question.
#[derive(Debug)]
pub(crate) struct Question {
    /// Who asked; `None` if the node itself wants to know.
    pub(crate) request: Option<RequestId>,
    /// About whom.
    pub(crate) account: Account,
    /// Whether only a bridge's answer will do.
    pub(crate) fresh: bool,
    /// When it started.
    pub(crate) started: UnixMillis,
    /// When it ends at the latest.
    pub(crate) deadline: UnixMillis,
    /// Links used.
    pub(crate) tried: Vec<LinkId>,
    /// Paths that are open.
    pub(crate) open: Vec<Path>,
    /// Paths that start at once.
    pub(crate) at_once: usize,
    /// When the next path may start.
    pub(crate) next_path: UnixMillis,
    /// When it settles, once there is a verified answer.
    pub(crate) settles: Option<UnixMillis>,
    /// Who has answered with the newest frontier seen so far.
    agreeing: (Option<BlockHash>, Vec<NodeId>),
    /// Bridges asked to resolve.
    pub(crate) bridges: Vec<LinkId>,
    /// Bridges that have not answered yet.
    pub(crate) bridges_open: u8,
    /// When the next bridge may be asked.
    pub(crate) next_bridge: UnixMillis,
    /// What a bridge that asked the full nodes stated, once it held: the frontier, or that there
    /// is none.
    pub(crate) stated: Option<Option<BlockHash>>,
    /// Verified answers, our own slice included.
    pub(crate) answers: u8,
    /// Answers that did not hold, and why the last one did not.
    pub(crate) refused: u8,
    /// See above.
    pub(crate) last_reason: &'static str,
    /// Who was first with which frontier (`None`: with "never opened" or receivables only).
    pub(crate) sources: SortedMap<Option<BlockHash>, AnswerSource>,
    /// A verified record the slice had no room for.
    pub(crate) unkept: Option<(Box<AccountRecord>, Box<ProvenFrontier>)>,
    /// A valid statement that the account was never opened.
    pub(crate) unopened: Option<Sighting>,
}

/// A path that is open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    /// Its first link.
    pub(crate) link: LinkId,
    /// When it was sent.
    pub(crate) since: UnixMillis,
    /// As which query, until that is acknowledged.
    pub(crate) number: Option<QueryNumber>,
    /// From when on it is late.
    pub(crate) late: UnixMillis,
}

/// What an answer is worth that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Receivables only: it does not end the search.
    Partial,
    /// Of one who need not be told of newer records.
    Distant,
    /// Of one who shall hold the record.
    Holder,
}

/// Over what the next path would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextPath {
    /// Over a link to a browser.
    Browser,
    /// Over a link to a bridge.
    Bridge,
    /// No link is left.
    None,
}

/// What a question does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Start another path.
    Path,
    /// Ask a bridge.
    Bridge,
    /// End.
    End,
    /// Nothing until then.
    Wait(UnixMillis),
}

impl Question {
    /// A question that starts at `now`.
    pub(crate) fn new(
        request: Option<RequestId>,
        account: Account,
        options: GetOptions,
        now: UnixMillis,
    ) -> Self {
        let deadline = u64::from(options.deadline_ms.min(MAX_DEADLINE_MS));
        Self {
            request,
            account,
            fresh: options.fresh,
            started: now,
            deadline: now.plus(deadline),
            tried: Vec::new(),
            open: Vec::new(),
            at_once: FIRST_PATHS,
            next_path: now,
            settles: None,
            agreeing: (None, Vec::new()),
            bridges: Vec::new(),
            bridges_open: 0,
            next_bridge: now,
            stated: None,
            answers: 0,
            refused: 0,
            last_reason: "",
            sources: SortedMap::new(),
            unkept: None,
            unopened: None,
        }
    }

    /// Counts a verified answer; `newest` is the frontier now held to be the newest.
    pub(crate) fn answered(
        &mut self,
        frontier: Option<BlockHash>,
        newest: Option<BlockHash>,
        source: AnswerSource,
        now: UnixMillis,
        worth: Worth,
    ) {
        self.answers = self.answers.saturating_add(1);
        self.sources.get_or_insert_with(frontier, || source);
        if worth == Worth::Partial {
            return;
        }
        let settles = *self.settles.get_or_insert(now.plus(SETTLE_MS));
        if self.agreeing.0 != newest {
            self.agreeing = (newest, Vec::new());
        }
        let by = match source {
            AnswerSource::OwnSlice => None,
            AnswerSource::Peer { id, .. } | AnswerSource::Bridge { id, .. } => Some(id),
        };
        if let Some(by) = by
            && worth == Worth::Holder
            && frontier == newest
            && !self.agreeing.1.contains(&by)
        {
            self.agreeing.1.push(by);
        }
        let settles_by = match self.agreeing.1.len() {
            0 | 1 => return,
            2 => now.plus(AGREED_MS),
            _ => now,
        };
        self.settles = Some(settles.min(settles_by));
    }

    /// Nothing more needs to be heard.
    pub(crate) fn settle(&mut self, now: UnixMillis) {
        self.settles = Some(now);
    }

    /// The first link of a path has acknowledged it.
    pub(crate) fn acked(&mut self, link: LinkId, number: QueryNumber) -> bool {
        let sent = |path: &&mut Path| path.link == link && path.number == Some(number);
        let path = self.open.iter_mut().find(sent);
        path.is_some_and(|path| {
            path.late = path.since.plus(STALE_MS);
            path.number.take().is_some()
        })
    }

    /// Whether a path over `link` is open.
    pub(crate) fn is_open(&self, link: LinkId) -> bool {
        self.open.iter().any(|path| path.link == link)
    }

    /// Counts an answer that did not hold.
    pub(crate) fn refuse(&mut self, reason: &'static str) {
        self.refused = self.refused.saturating_add(1);
        self.last_reason = reason;
    }

    /// A path has ended.
    pub(crate) fn path_ended(&mut self, link: LinkId) {
        self.open.retain(|path| path.link != link);
    }

    /// What to do at `now`, with `more_bridges` to ask.
    pub(crate) fn step(&self, now: UnixMillis, next: NextPath, more_bridges: bool) -> Step {
        if now >= self.deadline {
            return Step::End;
        }
        let path_at = self.path_at(now, next);
        let paths_done = self.open.is_empty() && path_at.is_none();
        let wants_bridge = if self.fresh {
            self.stated.is_none()
        } else {
            self.settles.is_none()
        };
        let may_ask = wants_bridge && more_bridges && self.bridges.len() < usize::from(MAX_BRIDGES);
        let bridge_at = if self.fresh || paths_done {
            self.next_bridge
        } else {
            self.next_bridge.max(self.started.plus(RESOLVE_AFTER_MS))
        };
        if may_ask && now >= bridge_at {
            return Step::Bridge;
        }
        if path_at.is_some_and(|at| now >= at) {
            return Step::Path;
        }
        let waits_for_bridge = wants_bridge && (self.bridges_open > 0 || may_ask);
        let settled = paths_done || self.settles.is_some_and(|settles| now >= settles);
        if settled && !waits_for_bridge {
            return Step::End;
        }
        let settles = self.settles.filter(|settles| *settles > now);
        let late = self.open.iter().map(|path| path.late);
        let late = late.filter(|late| *late > now && path_at.is_some());
        let wake = [path_at, settles, may_ask.then_some(bridge_at)]
            .into_iter()
            .flatten()
            .chain(late)
            .fold(self.deadline, UnixMillis::min);
        Step::Wait(wake)
    }

    /// When another path may start, if at all.
    fn path_at(&self, now: UnixMillis, next: NextPath) -> Option<UnixMillis> {
        let settled = self.settles.is_some_and(|settles| now >= settles);
        if settled || self.tried.len() >= MAX_PATHS {
            return None;
        }
        let good = self.open.iter().filter(|path| path.late > now).count();
        let few = good < FIRST_PATHS && self.settles.is_none();
        match next {
            NextPath::None => None,
            NextPath::Browser if few || self.tried.len() < self.at_once => Some(self.started),
            NextPath::Browser => Some(self.next_path),
            NextPath::Bridge if self.open.is_empty() => Some(self.started),
            NextPath::Bridge => Some(self.started.plus(BRIDGE_PATH_MS)),
        }
    }

    /// Why it ends without an answer at `now`.
    pub(crate) fn error(&self, now: UnixMillis) -> GetError {
        let count = |items: usize| u8::try_from(items).unwrap_or(u8::MAX);
        let (paths, bridges) = (count(self.tried.len()), count(self.bridges.len()));
        let unanswered = count(self.open.len()).saturating_add(self.bridges_open);
        if self.refused > 0 {
            GetError::AllRefused {
                refused: self.refused,
                reason: self.last_reason,
            }
        } else if paths == 0 && bridges == 0 {
            GetError::Offline
        } else if now >= self.deadline && unanswered > 0 {
            GetError::TimedOut {
                paths,
                bridges,
                unanswered,
            }
        } else {
            GetError::NotFound { paths, bridges }
        }
    }
}

/// All questions under way, by the id of their paths.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    pub(crate) open: SortedMap<u64, Question>,
}

impl Questions {
    /// Whether `id` is a question of ours.
    pub(crate) fn is_open(&self, id: u64) -> bool {
        self.open.contains_key(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;

    fn question(fresh: bool) -> Question {
        let options = GetOptions {
            fresh,
            deadline_ms: 10_000,
        };
        Question::new(None, Account::from_bytes([1; 32]), options, UnixMillis(0))
    }

    fn start(question: &mut Question, link: u64, now: u64) {
        question.tried.push(LinkId(link));
        question.open.push(Path {
            link: LinkId(link),
            since: UnixMillis(now),
            number: None,
            late: UnixMillis(now + STALE_MS),
        });
        question.next_path = UnixMillis(now + PATH_EVERY_MS);
    }

    fn peer() -> AnswerSource {
        AnswerSource::Peer {
            id: NodeId::from_bytes([0; 32]),
            hops: 1,
        }
    }

    #[test]
    fn three_paths_start_at_once_and_one_more_every_100_ms() {
        let mut question = question(false);
        let step =
            |question: &Question, now| question.step(UnixMillis(now), NextPath::Browser, true);
        for link in 0..3 {
            assert_eq!(step(&question, 0), Step::Path);
            start(&mut question, link, 0);
        }
        assert_eq!(step(&question, 0), Step::Wait(UnixMillis(100)));
        for link in 3..10 {
            let now = 100 * (link - 2);
            assert_eq!(step(&question, now), Step::Path);
            start(&mut question, link, now);
        }
        let wait = Step::Wait(UnixMillis(RESOLVE_AFTER_MS));
        assert_eq!(step(&question, 900), wait, "ten paths are enough");
    }

    #[test]
    fn a_path_over_a_bridge_is_the_last_resort() {
        let mut question = question(false);
        let step =
            |question: &Question, now| question.step(UnixMillis(now), NextPath::Bridge, false);
        assert_eq!(step(&question, 0), Step::Path, "there is no other");
        start(&mut question, 0, 0);
        assert_eq!(step(&question, 200), Step::Wait(UnixMillis(BRIDGE_PATH_MS)));
        assert_eq!(step(&question, BRIDGE_PATH_MS), Step::Path);
        question.path_ended(LinkId(0));
        assert_eq!(step(&question, 200), Step::Path, "the others have ended");
    }

    #[test]
    fn the_only_verified_answer_waits_for_another_that_agrees() {
        let mut question = question(false);
        (0..3).for_each(|link| start(&mut question, link, 0));
        question.path_ended(LinkId(0));
        let (old, new) = (
            BlockHash::from_bytes([1; 32]),
            BlockHash::from_bytes([2; 32]),
        );
        let by = |number: u8| AnswerSource::Peer {
            id: NodeId::from_bytes([number; 32]),
            hops: 1,
        };
        let step = |question: &Question, now| question.step(UnixMillis(now), NextPath::None, true);
        question.answered(Some(old), Some(old), by(1), UnixMillis(40), Worth::Holder);
        assert_eq!(step(&question, 40), Step::Wait(UnixMillis(440)));
        assert_eq!(step(&question, 440), Step::End);
        // Twice the same node, and a newer one that nobody seconds.
        question.answered(Some(old), Some(old), by(1), UnixMillis(50), Worth::Holder);
        question.answered(Some(new), Some(new), by(2), UnixMillis(60), Worth::Holder);
        assert_eq!(step(&question, 60), Step::Wait(UnixMillis(440)));
        question.answered(Some(old), Some(new), by(3), UnixMillis(70), Worth::Holder);
        assert_eq!(step(&question, 70), Step::Wait(UnixMillis(440)));
        // One who lies further away does not count, two who agree wait a little for a third.
        question.answered(Some(new), Some(new), by(4), UnixMillis(75), Worth::Distant);
        assert_eq!(step(&question, 75), Step::Wait(UnixMillis(440)));
        question.answered(Some(new), Some(new), by(5), UnixMillis(80), Worth::Holder);
        assert_eq!(step(&question, 80), Step::Wait(UnixMillis(80 + AGREED_MS)));
        assert_eq!(step(&question, 80 + AGREED_MS), Step::End);
        question.answered(Some(new), Some(new), by(6), UnixMillis(90), Worth::Holder);
        assert_eq!(step(&question, 90), Step::End);
    }

    #[test]
    fn a_path_that_is_not_acknowledged_in_time_is_replaced() {
        let mut question = question(false);
        (0..3).for_each(|link| start(&mut question, link, 0));
        let channel = crate::Channel::Unordered;
        for (number, path) in (0..).zip(&mut question.open) {
            path.number = Some(QueryNumber { channel, number });
            path.late = UnixMillis(70);
        }
        let number = |number| QueryNumber { channel, number };
        assert!(question.acked(LinkId(0), number(0)));
        assert!(!question.acked(LinkId(0), number(0)), "once");
        assert!(!question.acked(LinkId(1), number(0)), "another link's");
        assert!(question.acked(LinkId(1), number(1)));
        let step =
            |question: &Question, now| question.step(UnixMillis(now), NextPath::Browser, true);
        assert_eq!(step(&question, 69), Step::Wait(UnixMillis(70)));
        assert_eq!(step(&question, 70), Step::Path);
        start(&mut question, 3, 70);
        assert_eq!(step(&question, 70), Step::Wait(UnixMillis(170)));
    }

    #[test]
    fn receivables_alone_do_not_end_the_search() {
        let mut question = question(false);
        (0..3).for_each(|link| start(&mut question, link, 0));
        question.answered(None, None, peer(), UnixMillis(40), Worth::Partial);
        assert_eq!(
            question.step(UnixMillis(200), NextPath::Browser, true),
            Step::Path
        );
    }

    #[test]
    fn a_bridge_is_asked_when_every_path_has_ended() {
        let mut question = question(false);
        start(&mut question, 0, 0);
        question.path_ended(LinkId(0));
        let step = |bridges| question.step(UnixMillis(30), NextPath::None, bridges);
        assert_eq!(step(true), Step::Bridge);
        assert_eq!(step(false), Step::End);
        let (paths, bridges) = (1, 0);
        assert_eq!(
            question.error(UnixMillis(30)),
            GetError::NotFound { paths, bridges }
        );
    }

    #[test]
    fn a_bridge_is_asked_when_paths_hang() {
        let mut question = question(false);
        start(&mut question, 0, 0);
        let step = |bridges| question.step(UnixMillis(RESOLVE_AFTER_MS), NextPath::None, bridges);
        assert_eq!(step(true), Step::Bridge);
        assert_eq!(step(false), Step::Wait(UnixMillis(10_000)));
        let (paths, bridges, unanswered) = (1, 0, 1);
        assert_eq!(
            question.error(UnixMillis(10_000)),
            GetError::TimedOut {
                paths,
                bridges,
                unanswered
            }
        );
    }

    #[test]
    fn a_fresh_question_waits_for_the_bridge() {
        let mut question = question(true);
        let step = |question: &Question, now| {
            question.step(UnixMillis(now), NextPath::None, question.bridges.is_empty())
        };
        assert_eq!(step(&question, 0), Step::Bridge);
        question.bridges.push(LinkId(9));
        question.bridges_open = 1;
        question.next_bridge = UnixMillis(NEXT_BRIDGE_MS);
        start(&mut question, 0, 0);
        question.path_ended(LinkId(0));
        question.answered(None, None, peer(), UnixMillis(20), Worth::Holder);
        assert_eq!(step(&question, 500), Step::Wait(UnixMillis(10_000)));
        question.bridges_open = 0;
        question.stated = Some(None);
        assert_eq!(step(&question, 600), Step::End);
    }
}
