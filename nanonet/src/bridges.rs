//! Bridges compared with each other.
//!
//! Anchors date what they state of an account. When one states at a later time an older block than
//! another, or that an account was never opened which the other saw opened, one of them is behind, cut
//! off or lying. Nothing is decided by that: proofs decide. But the shell is told
//! ([`Event::BridgesDiffer`]), and whoever stated less loses score, so that others are asked first.
//!
//! Times may differ by the clock skew that is allowed and by as long as confirmations take. A bridge is
//! reported once per [`AGAIN_MS`]; there are at most as many as anchors.

use nano_core::{Account, UnixMillis};

use crate::Crypto;
use crate::sighting::CLOCK_SKEW_MS;
use crate::sorted::SortedMap;
use crate::{Event, Node, NodeKey, Sighting};

/// How often one bridge is reported: every ten minutes.
pub(crate) const AGAIN_MS: u64 = 600_000;
/// What it costs a bridge to state less than another did before.
const STATED_LESS: i32 = -100;

/// When which bridge was reported.
pub(crate) type Reported = SortedMap<NodeKey, UnixMillis>;

impl<C: Crypto> Node<C> {
    /// Holds a statement against what others stated of the account before.
    pub(crate) fn compare_bridges(&mut self, account: &Account, stated: &Sighting) {
        let (later, now) = (stated.bridge, self.now);
        let Some(held) = self.slice.get(account) else {
            return;
        };
        let reported = self.reported.get(&later);
        let lately = reported.is_some_and(|at| now.since(*at) < AGAIN_MS);
        if lately || !self.is_anchor(&later) {
            return;
        }
        let before = held
            .frontiers()
            .iter()
            .filter(|frontier| match stated.frontier {
                None => true,
                Some(hash) => {
                    let newer = frontier.record().hash();
                    newer != hash && held.superseder(&hash).is_some()
                }
            })
            .flat_map(|frontier| &frontier.record().sightings)
            .find(|before| {
                before.bridge != later
                    && self.is_anchor(&before.bridge)
                    && before.at.plus(CLOCK_SKEW_MS) < stated.at
            });
        let Some(earlier) = before.map(|before| before.bridge) else {
            return;
        };
        if stated.verify().is_err() {
            return;
        }
        self.reported.insert(later, now);
        self.reputation.add(later, now, STATED_LESS);
        let account = *account;
        self.event(Event::BridgesDiffer {
            account,
            earlier,
            later,
        });
    }
}
