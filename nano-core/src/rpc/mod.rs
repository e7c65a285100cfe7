//! A full node's RPC, answered from what is proven.
//!
//! Programs that speak to a full node speak to this instead: the same actions, field names, types and error texts, in
//! the C++ node's spelling where the two node programs differ. The shell (a bridge's HTTP, a page's node) does all
//! I/O; this says what is needed and makes the answer:
//!
//! 1. [`Request::parse`] reads a request, [`plan`] says what it takes to answer;
//! 2. the shell gets proven states ([`Proven`]), asks a full node, searches work, as the [`Plan`] says;
//! 3. [`accounts`], [`from_full_node`], [`work_found`] and their like make the answer of that.
//!
//! Every answer has one field more than a full node's, [`LABEL`]: whether its fields were verified, and which were
//! not. What no proof covers (heights, times, history) comes from a full node where there is one, labelled so;
//! where there is none those fields are left out.
//!
//! Nothing secret is taken: actions that would send a seed or a private key are refused.

mod account;
mod block;
mod full_node;
mod label;
mod local;
mod plan;
mod process;
mod receivable;
mod request;
mod work;

use std::collections::BTreeMap;

pub use account::accounts;
pub use full_node::from_full_node;
pub use label::{LABEL, Label};
pub use local::{About, Quorum, confirmation_quorum, representatives_online, version};
pub use plan::{Plan, plan};
pub use process::{check, processed};
pub use request::{MAX_ELEMENTS, Refusal, Request};
use serde::{Deserialize, Serialize};
pub use work::{MAX_MULTIPLIER, WorkWanted, cancelled, work_found};

use crate::{Account, BlockHash, Raw, UnixMillis};

/// What is proven of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Proven {
    /// Its newest proven block; `None`: an anchor bridge states that it has none.
    pub head: Option<Head>,
    /// Proven sends that it may still receive, largest first.
    pub receivable: Vec<Waiting>,
    /// When anchor bridges last saw this state.
    pub as_of: Option<UnixMillis>,
}

/// A proven block and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its hash.
    pub frontier: BlockHash,
    /// Balance after it, in raw.
    pub balance: Raw,
    /// The account's representative.
    pub representative: Account,
}

/// A proven send that may still be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Hash of the send.
    pub hash: BlockHash,
    /// Who sent it.
    pub source: Account,
    /// How much, in raw.
    pub amount: Raw,
}

/// Proven states by account.
pub type States = BTreeMap<Account, Proven>;

impl Proven {
    /// Sum of what may be received, in raw; never above the supply.
    #[must_use]
    pub fn receivable_sum(&self) -> Raw {
        self.receivable.iter().fold(Raw::ZERO, |sum, send| {
            sum.checked_add(send.amount).unwrap_or(Raw::MAX)
        })
    }
}

#[cfg(test)]
mod tests;
