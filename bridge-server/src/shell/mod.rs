//! The bridge's shell around the overlay's state machine: sockets, clock and storage for
//! `nanonet::Node`.
//!
//! One task owns the node (`node`); everything else talks to it through one bounded queue. Readers
//! of sockets wait when the queue is full, so a node that is behind slows its peers down instead
//! of growing. The node task itself never waits for a socket: a link whose writer does not take
//! what the node's send credit allows is closed. It waits for the storage queue only.
//!
//! A link's life: a transport is opened (`http` accepts a WebSocket, `tcp` accepts or dials), the
//! [`LinkDoor`] gives it a place and a number or refuses, frames flow both ways through its
//! [`Ends`], either side closes, the place is free again.

mod cells;
#[cfg(feature = "decoders")]
pub(crate) mod decoders;
mod door;
mod join;
mod node;
mod socket;
mod tcp;

pub use door::{Ends, Incoming, LinkDoor, Outgoing};
pub use node::{Introductions, NodeHandle, NodeParts, RelayJob, ResolveJob, start};
pub use socket::prepare;
pub use tcp::{PREFIX, accept, dial_forever};
