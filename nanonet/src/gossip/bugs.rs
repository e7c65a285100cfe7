//! Bugs that a test plants to see that its checkers find them. Product builds have none.

use crate::{Crypto, Node};

/// A planted bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// What comes again is delivered again.
    DeliversTwice,
    /// Nothing is verified, and what is passed on is altered.
    Invents,
    /// Nothing is passed on but by the publisher.
    KeepsForItself,
    /// Bytes of news are never forgotten.
    NeverForgets,
}

impl<C: Crypto> Node<C> {
    /// Whether this bug was planted here.
    #[cfg(any(test, feature = "adversary"))]
    pub(super) fn has_bug(&self, bug: Bug) -> bool {
        self.lies.bug == Some(bug)
    }

    #[cfg(not(any(test, feature = "adversary")))]
    #[allow(
        clippy::unused_self,
        reason = "the same call as where bugs can be planted"
    )]
    pub(super) const fn has_bug(&self, _: Bug) -> bool {
        false
    }
}
