//! A bridge's walk: what it keeps is named to the nearest browsers, [`NAMES`] accounts at a time.
//!
//! Bridges keep what no browser may hold any more, for example because all who held it left at once.
//! So each walks over the accounts it keeps, forever, one step per [`STEP_MS`], and names them to the
//! browser nearest to the first of them. Whoever shall hold one of them and does not pulls it and
//! passes the name on to its other holders. A step costs one message of half a kilobyte.

use crate::routing::forward::Own;
use crate::wire::{Ask, MAX_HEADERS, Target};
use crate::{AccountKey, Crypto, Node};

/// Accounts named in one step: about as many as one node is the nearest to, where there are as many
/// accounts per node as in a young nanonet.
const NAMES: usize = 8;
/// Time between two steps.
pub(super) const STEP_MS: u64 = 2_000;

/// Where a walk stands.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The last account named; `None` at the start.
    passed: Option<AccountKey>,
}

impl<C: Crypto> Node<C> {
    /// Takes the next step.
    pub(super) fn walk_on(&mut self) {
        let passed = self.replication.walk.passed;
        let accounts = self.slice.accounts_after(passed.as_ref());
        let next: Vec<_> = accounts.take(NAMES).map(|(key, a)| (*key, *a)).collect();
        self.replication.walk.passed = next.last().map(|(key, _)| *key);
        if self.slice.account_count() > 0 {
            self.walk_soon();
        }
        if let Some((first, _)) = next.first() {
            let mut headers = Vec::new();
            for (_, account) in &next {
                headers.extend(self.names_of(account));
            }
            headers.truncate(MAX_HEADERS);
            let body = Ask::Headers {
                from: self.id,
                newer: false,
                headers,
            };
            self.ask(Own::Headers(None), Target::Near(first.point()), body);
        }
    }

    /// There is something to name.
    pub(crate) fn walk_soon(&mut self) {
        self.look_by(self.now.plus(STEP_MS));
    }
}
