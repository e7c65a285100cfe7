//! Remembering which votes were checked.
//!
//! A vote's signature covers its whole list, so proofs of neighbouring accounts share votes, and
//! the signature check is nearly all the cost of a proof. Only votes that hold are remembered, by
//! a hash of representative, signature and signed content, so a hit says exactly what a check
//! would. At the limit the oldest entry goes.

use std::collections::{BTreeSet, VecDeque};

use crate::hash::blake2b_256;
use crate::{Account, Signature};

/// What a vote is remembered by.
type VoteId = [u8; 32];

/// Votes whose signatures were found to hold, at most as many as the cache was made for.
#[derive(Clone, Debug)]
pub struct VoteCache {
    known: BTreeSet<VoteId>,
    order: VecDeque<VoteId>,
    capacity: usize,
}

impl VoteCache {
    /// A cache of at most `capacity` votes, about 100 bytes each; with 0 nothing is remembered.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            known: BTreeSet::new(),
            order: VecDeque::new(),
            capacity,
        }
    }

    /// Votes remembered now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Runs `check` unless this very vote passed it before; remembers a pass.
    pub(super) fn check<E>(
        &mut self,
        representative: &Account,
        signature: &Signature,
        signed: &[u8; 32],
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if self.capacity == 0 {
            return check();
        }
        let id = blake2b_256(&[representative.as_bytes(), signature.as_bytes(), signed]);
        if self.known.contains(&id) {
            return Ok(());
        }
        check()?;
        if self.order.len() == self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        self.known.insert(id);
        self.order.push_back(id);
        Ok(())
    }
}
