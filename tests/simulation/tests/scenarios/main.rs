//! Small runs of every scenario, with real cryptography and without.

mod gossip;
mod lookup;
