//! What a node holds beside its limits, for checkers that look into nodes. Exists with the feature
//! `adversary` and in tests.

use crate::limits::MAX_BANS;
use crate::publish::{MAX_PENDING, MAX_RELAYS, MAX_RETURNED};
use crate::query::answering::{MAX_ASKED, MAX_VERIFIED};
use crate::query::question::MAX_QUESTIONS;
use crate::replication::{MAX_LEVELS, MAX_PULLS, MAX_WANTED};
use crate::reputation::MAX_REMEMBERED;
use crate::routing::known;
use crate::{Crypto, Node};

/// A table that holds more than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// Which.
    pub what: &'static str,
    /// How much it holds: entries, or bytes of records.
    pub held: u64,
    /// The most it may.
    pub most: u64,
}

impl<C: Crypto> Node<C> {
    /// The tables over their limits.
    #[must_use]
    pub fn over_limits(&self) -> Vec<Holding> {
        let count = |what, held: usize, most: usize| Holding {
            what,
            held: held as u64,
            most: most as u64,
        };
        let [levels, pulls, wanted] = self.replication.sizes();
        let [returned, relays] = self.publishing.sizes();
        let [asked, verified] = self.lately.sizes();
        let mut all = vec![
            count("known nodes", self.known.len(), known::MAX_KNOWN),
            count("bans", self.bans.len(), MAX_BANS),
            count("scores", self.reputation.len(), MAX_REMEMBERED),
            count("levels of the slice", levels, MAX_LEVELS),
            count("pulls", pulls, MAX_PULLS),
            count("wanted records", wanted, MAX_WANTED),
            count("accounts asked for", asked, MAX_ASKED),
            count("verified records", verified, MAX_VERIFIED),
            count("questions", self.questions.open.len(), MAX_QUESTIONS),
            count("own blocks", self.publishing.len(), MAX_PENDING),
            count("returned blocks", returned, MAX_RETURNED),
            count("relays", relays, MAX_RELAYS),
            count(
                "links",
                self.table.count(),
                usize::from(self.config.max_links),
            ),
            Holding {
                what: "requests on their way",
                held: self.forwards.eighths(),
                most: 8,
            },
            Holding {
                what: "record bytes",
                held: self.slice.bytes(),
                most: self.config.record_budget_bytes,
            },
        ];
        if !self.gossip.figures().keeps_limits() {
            all.push(count("news", usize::MAX, 0));
        }
        all.retain(|holding| holding.held > holding.most);
        all
    }
}
