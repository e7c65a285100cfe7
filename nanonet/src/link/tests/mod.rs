//! Two ends of a link on a transport in virtual time.

mod flow;
mod handshake;
mod hostile;
mod latency;
mod pair;
mod reuse;
mod unordered;
