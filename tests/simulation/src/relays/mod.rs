//! Stores and wallets of notifications for months of virtual time.
//!
//! The machines are the product's own ([`nanonet::notify`]); between them is no overlay but a wire with latency that
//! loses what is sent to somebody who is not there, because links kept up for ninety days would be all that a
//! simulation does. Shells are simulated too: a disk takes its time, forgets what it was writing when its process
//! dies, and can be full; a wallet keeps what it is told to keep until its owner comes again, or comes with nothing but
//! his seed.

pub mod check;
mod world;

pub use self::world::{Bridge, Browser, Rules, World};
