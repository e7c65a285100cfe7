//! What must never happen, in files of their own: a scenario tells a checker what it did and what
//! it saw, and the checker counts what was broken. Each checker is shown to work by a bug that is
//! planted in every node.

pub mod gossip;
pub mod lookup;
