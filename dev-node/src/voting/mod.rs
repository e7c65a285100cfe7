//! Voting: elections, votes that came too early, and who is online.
//!
//! How this node simplifies a full node's rules, which on the dev network nobody can tell from
//! outside but by timing:
//! * all elections that are ready run at once, up to a limit, instead of by balance bucket;
//! * a repeated vote of a small representative is not delayed;
//! * the *trended* weight is the weight of all representatives in the ledger, as if all had been
//!   online for two weeks, so a node that hosts few of them can never decide alone;
//! * votes go to every peer, not to a random part of them.

mod cache;
mod election;
mod elections;
mod online;

pub(crate) use cache::VoteCache;
pub(crate) use election::{Election, LocalVote, Tally};
pub(crate) use elections::Elections;
pub(crate) use online::Online;
