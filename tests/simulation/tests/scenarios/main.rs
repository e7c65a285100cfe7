//! Small runs of every scenario, with real cryptography and without.

mod adversaries;
mod gossip;
mod lookup;
mod mainnet_load;
mod messages;
mod slice;
