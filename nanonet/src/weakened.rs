//! What a test switches off in a node, or plants in it, to see that somebody finds out.
//!
//! Exists with the feature `adversary` and in tests; in a product build every question here is
//! answered "no" by a constant, so that nothing of it is left.

#[cfg(any(test, feature = "adversary"))]
use nano_core::Account;

#[cfg(any(test, feature = "adversary"))]
use crate::slice::Outcome;
#[cfg(any(test, feature = "adversary"))]
use crate::{CloseReason, Record, Role};
use crate::{Crypto, Node};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// News that comes again is delivered again.
    DeliversTwice,
    /// No news is verified, and what is passed on is altered.
    Invents,
    /// No news is passed on but by the publisher.
    KeepsForItself,
    /// Bytes of news are never forgotten.
    NeverForgets,
    /// Records are believed without their votes being counted.
    BelievesAnything,
    /// Every record is dropped a while after it came.
    LosesRecords,
    /// Nothing is named or compared, so that no holder is ever replaced.
    NeverRepairs,
    /// Which accounts were asked for is never forgotten.
    RemembersEverything,
    /// A link is given up every few seconds, so that new ones are made without end.
    Restless,
    /// A newer frontier of an account that is held is not taken.
    StaysBehind,
    /// A bridge asks the full nodes whoever wants what and however often.
    AsksForAll,
    /// What is held is pulled again whenever it is named or compared.
    PullsHeld,
    /// Routes have one relay, whatever was asked for.
    ShortRoutes,
    /// Letters also go out as they are.
    WritesOpenly,
}

/// A defence that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defence {
    /// Few links to nodes of one group of addresses ([`crate::SeenFrom`]).
    Diversity,
    /// Faults are counted, and who is dropped at fault is banned.
    Reputation,
    /// Every message costs tokens of its link.
    Buckets,
    /// Ids cost work.
    JoinWork,
    /// Crowds of ids are looked for.
    Regions,
    /// An own block goes to a second bridge.
    SecondBridge,
    /// An older proof never takes the place of a newer one.
    Order,
    /// A second block in the place of a pending one is refused.
    Rivals,
    /// Two proofs that contradict each other are an alarm.
    Alarm,
    /// Who was cut off looks for those it lost.
    Healing,
    /// Offers and answers also travel through peers.
    PeerSignaling,
    /// Proofs outdated by a newer weight table are made anew.
    Renewal,
}

#[cfg(any(test, feature = "adversary"))]
impl<C: Crypto> Node<C> {
    /// Plants a bug.
    pub const fn plant(&mut self, bug: Bug) {
        self.lies.bug = Some(bug);
    }

    /// Switches a defence off.
    pub const fn do_without(&mut self, defence: Defence) {
        self.lies.without = Some(defence);
    }

    /// Whether this bug was planted here.
    pub(crate) fn has_bug(&self, bug: Bug) -> bool {
        self.lies.bug == Some(bug)
    }

    /// Whether this defence was switched off here.
    pub(crate) fn lacks(&self, defence: Defence) -> bool {
        self.lies.without == Some(defence)
    }

    /// Offers a record to the slice, as far as what was taken or planted lets it.
    pub(crate) fn offer_weakened(&mut self, account: &Account, record: Record) -> Outcome {
        let weights = &self.config.weights;
        let held = self.slice.get(account).and_then(|held| held.frontier());
        let before = held.map(|frontier| frontier.record().clone());
        let copy = match &record {
            Record::Account(record) => Some(record.as_ref().clone()),
            Record::Receivable(_) => None,
        };
        if let (Some(before), Some(offered)) = (&before, &copy)
            && before.hash() != offered.hash()
        {
            if self.has_bug(Bug::StaysBehind) {
                return Outcome::AlreadyHeld;
            }
            if self.lacks(Defence::Order) {
                self.slice.forget(account);
            }
        }
        let outcome = self.slice.offer(self.now, account, record, weights);
        match (before, copy) {
            (Some(before), _)
                if matches!(outcome, Outcome::Conflict { .. }) && self.lacks(Defence::Alarm) =>
            {
                self.slice.forget(account);
                self.slice.offer_account(self.now, account, before, weights)
            }
            (_, Some(offered)) if !outcome.holds() && self.has_bug(Bug::BelievesAnything) => {
                let kept = self.slice.keep_unproven(*account, offered, weights);
                kept.unwrap_or(outcome)
            }
            _ => outcome,
        }
    }

    /// What a planted bug does every few seconds.
    pub(crate) fn act_on_bug(&mut self) {
        self.lately
            .remember_everything(self.has_bug(Bug::RemembersEverything));
        if self.now.since(self.lies.acted) < 5_000 {
            return;
        }
        self.lies.acted = self.now;
        if self.has_bug(Bug::Restless)
            && let Some(link) = self.table.links_of(Role::Browser).first()
        {
            self.close(*link, CloseReason::Shed);
        }
        if self.has_bug(Bug::LosesRecords) {
            self.slice.forget_all();
        }
    }
}

#[cfg(not(any(test, feature = "adversary")))]
#[allow(
    clippy::unused_self,
    reason = "the same calls as where something can be switched off"
)]
impl<C: Crypto> Node<C> {
    pub(crate) const fn has_bug(&self, _: Bug) -> bool {
        false
    }

    pub(crate) const fn lacks(&self, _: Defence) -> bool {
        false
    }
}
