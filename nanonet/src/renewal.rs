//! Proofs that a newer weight table outdates are made anew, before they can no longer spread.
//!
//! What was proven stays proven where it is held, but a node that does not hold it yet judges it by the
//! weights of its own time. When representatives lose weight or are gone, a record with too few of
//! those that are left could then be passed on to nobody, and would go with its last holder.
//!
//! So each holder looks through its records, [`LOOKED_AT`] every [`STEP_MS`]. A *thin* proof, one whose
//! votes weigh less than [`THIN_PERCENT`] of the online weight under the table in force, is asked for
//! anew at a bridge, which puts what it gets on all holders. Of the holders the nearest to the key
//! begins, each further one a minute later, so that mostly one asks; whoever holds a renewed proof has
//! nothing to ask. One question per [`ASK_EVERY_MS`], so that full nodes are not flooded. The search
//! ends when none of its records has a thin proof, until the next table comes.

use nano_core::{Account, Raw, UnixMillis, WeightTable};

use crate::slice::HeldFrontier;
use crate::timers::Timer;
use crate::{AccountKey, Crypto, Defence, GetOptions, Node};

/// Share of the online weight below which a proof is thin: two per cent above what is needed.
const THIN_PERCENT: u128 = 69;
/// Records looked at in one step.
const LOOKED_AT: usize = 64;
/// Time between two steps.
const STEP_MS: u64 = 5_000;
/// Time between two questions.
const ASK_EVERY_MS: u64 = 10_000;
/// How long each further holder waits for those nearer to the key.
const TURN_MS: u64 = 60_000;

/// How far the search has come.
#[derive(Debug, Default)]
pub(crate) struct Renewal {
    cursor: Option<AccountKey>,
    stepped: UnixMillis,
    asked: UnixMillis,
    /// When the table in force came.
    since: UnixMillis,
    /// Whether a thin proof was met since the search began at the first record.
    met: bool,
    /// Whether there is anything left to look for.
    busy: bool,
}

impl Renewal {
    /// A table is in force from now on.
    pub(crate) const fn table_came(&mut self, now: UnixMillis) {
        self.since = now;
        self.cursor = None;
        self.busy = true;
    }
}

/// Whether the votes of a proof weigh too little under `weights` to outlive small movements.
fn is_thin(frontier: &HeldFrontier, weights: &WeightTable) -> bool {
    if frontier.weights_as_of() >= weights.as_of {
        return false;
    }
    let votes = frontier.record().proof.certificate.to_votes();
    let weight: u128 = votes
        .map(|vote| weights.weight_of(&vote.representative).number())
        .fold(0, u128::saturating_add);
    let online = weights.online_weight.max(weights.minimum).number();
    Raw::new(weight) < weights.threshold() || weight < online / 100 * THIN_PERCENT
}

impl<C: Crypto> Node<C> {
    /// Whether somebody who goes by the table in force may refuse what we hold of an account.
    pub(crate) fn holds_thinly(&self, account: &Account) -> bool {
        let held = self.slice.get(account);
        let mut frontiers = held.into_iter().flat_map(|held| held.frontiers());
        frontiers.any(|frontier| is_thin(frontier, &self.config.weights))
    }

    /// Looks through some of the records for thin proofs.
    pub(crate) fn renew_proofs(&mut self) {
        let (now, renewal) = (self.now, &self.renewal);
        let due = now.since(renewal.stepped) >= STEP_MS && now.since(renewal.asked) >= ASK_EVERY_MS;
        if !renewal.busy || !self.may_hold() || self.lacks(Defence::Renewal) {
            return;
        }
        self.timers.set_by(Timer::Membership, now.plus(STEP_MS));
        if !due {
            return;
        }
        self.renewal.stepped = now;
        let mut met = self.renewal.met;
        let (mut cursor, mut found, mut seen) = (None, None, 0);
        for (key, account) in self.slice.accounts_after(self.renewal.cursor.as_ref()) {
            cursor = Some(*key);
            seen += 1;
            let held = self.slice.get(account).and_then(|held| held.frontier());
            let thin = held.is_some_and(|frontier| is_thin(frontier, &self.config.weights));
            let turn = if thin { self.turn(*key) } else { None };
            met |= turn.is_some();
            if turn == Some(true) {
                found = Some(*account);
                break;
            }
            if seen >= LOOKED_AT {
                break;
            }
        }
        let ended = found.is_none() && seen < LOOKED_AT;
        self.renewal.cursor = cursor.filter(|_| !ended);
        self.renewal.busy = met || !ended;
        self.renewal.met = met && !ended;
        if let Some(account) = found {
            self.renewal.asked = now;
            let options = GetOptions {
                fresh: true,
                ..GetOptions::default()
            };
            self.start_question(None, account, options);
        }
    }

    /// Whether the holders nearer to `key` have had their time; `None` if we are no holder.
    fn turn(&self, key: AccountKey) -> Option<bool> {
        let replicas = usize::from(self.config.replicas);
        let nearest = self.nearest_browsers(&key.point(), replicas);
        let rank = nearest.iter().position(|id| *id == self.id)?;
        Some(self.now.since(self.renewal.since) >= rank as u64 * TURN_MS)
    }
}
