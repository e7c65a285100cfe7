//! Keeping every record on the nodes that shall hold it.
//!
//! A record belongs on the `replicas` browsers nearest to its account's key, where they crowd also on
//! others ([`crate::density`]); bridges keep a copy besides. These ways lead there, and none of them
//! costs anything while nothing changes:
//! - *put* ([`put`], [`receipts`]): a bridge sends a new record towards the key, several times;
//! - *sync* ([`sync`]): a node that joins gets its slice from its neighbours, one that returns
//!   compares what it has with theirs, and everyone compares now and then;
//! - *naming* ([`naming`]): when a holder is gone, the two nearest of those who are left name its
//!   records to whoever shall hold them now, and those pull what they lack ([`pull`]);
//! - *walk* ([`walk`]): a bridge names what it keeps to the nearest browsers, a few records at a time;
//! - *questions*: a node that passes on an answer it should hold keeps it ([`crate::query`]).
//!
//! Rules:
//! - whoever shall hold a record gets it himself: others only name records, nothing is sent twice;
//! - what a pull brings is our own wish, so it is kept if it verifies;
//! - records no longer belonging here are kept while the budget allows: they cost nothing until
//!   room is needed, and are what repairs a neighbourhood that was lost.

mod circle;
mod naming;
mod opened;
mod pull;
mod put;
mod receipts;
mod sync;
#[cfg(test)]
mod tests;
mod walk;

use crate::timers::Timer;
use crate::{Bug, Crypto, Node, NodeId};

pub(crate) use self::naming::Named;
#[cfg(any(test, feature = "adversary"))]
pub(crate) use self::pull::{MAX_PULLS, MAX_WANTED};
pub(crate) use self::put::VOUCHER_MS;
#[cfg(any(test, feature = "adversary"))]
pub(crate) use self::sync::MAX_LEVELS;

use self::pull::Pulls;
use self::sync::Sync;

/// Time between a change of who is near and our looking at it, so that changes that come together
/// are looked at together.
pub(crate) const LOOK_MS: u64 = 500;

/// Time after which we look again when somebody is gone.
const LOOK_AGAIN_MS: u64 = 35_000;

/// What is under way.
#[derive(Debug, Default)]
pub(crate) struct Replication {
    /// Who was near at the last look, nearest first.
    circle: Vec<NodeId>,
    pulls: Pulls,
    sync: Sync,
    receipts: receipts::Receipts,
    walk: walk::Walk,
}

#[cfg(any(test, feature = "adversary"))]
impl Replication {
    /// Levels, pulls and names remembered.
    pub(crate) const fn sizes(&self) -> [usize; 3] {
        let [pulls, wanted] = self.pulls.sizes();
        [self.sync.size(), pulls, wanted]
    }
}

impl<C: Crypto> Node<C> {
    /// Somebody came or went, or something is due.
    pub(crate) fn on_replication_timer(&mut self) {
        if !self.may_hold() || self.table.count() == 0 || self.has_bug(Bug::NeverRepairs) {
            // A link that comes up, or join work, sets the timer again.
            return;
        }
        if self.config.role.is_bridge_here() {
            return self.walk_on();
        }
        let before = std::mem::take(&mut self.replication.circle);
        let after = self.circle();
        let gone = self.gone_of(&before);
        if !gone.is_empty() {
            // More may be gone with them, of whom is heard later.
            self.look_by(self.now.plus(LOOK_AGAIN_MS));
            self.name_what_they_held(&before, &after, &gone);
        }
        self.replication.circle = after;
        self.sync_on(&gone);
    }

    /// Compares everything held with neighbours soon.
    pub(crate) fn compare_at_once(&mut self) {
        self.replication.sync.all_due(self.now);
        self.look_by(self.now.plus(LOOK_MS));
    }

    /// Looks after replicas at `at` at the latest.
    fn look_by(&mut self, at: nano_core::UnixMillis) {
        self.timers.set_by(Timer::Replication, at);
    }
}
