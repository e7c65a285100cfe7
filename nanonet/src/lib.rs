//! The overlay of browser nodes and bridges, as a protocol without I/O.
//!
//! This crate opens no socket, reads no clock and draws no global randomness: a shell hands in
//! what happened and when, and carries out what comes out. One seed and one list of inputs give
//! one list of outputs, in the simulator, in the browser and in the bridge. The two types that
//! matter are the state machine `Node` and its [`Config`]; everything it speaks with its shell is
//! in the types `Input` and `Output`.

mod id;
mod identity;
pub mod link;
mod peer;
mod rng;
mod seal;

pub use id::{AccountKey, Distance, NodeId, NodeKey, NodeKeyError, NoiseKey, Point};
pub use identity::{Identity, IdentityError, Purpose};
pub use link::{MAX_FRAME, SEND_CREDIT};
pub use peer::{
    Addresses, AddressesError, MAX_ADDRESS_BYTES, MAX_ADDRESSES, PROTOCOL_VERSION, PeerRecord,
    Role, TransportAddress,
};
pub use rng::Rng;
pub use seal::{MAX_SEALED_PAYLOAD, SEAL_OVERHEAD, SealError, seal};
