//! The overlay of browser nodes and bridges, as a protocol without I/O.
//!
//! This crate opens no socket, reads no clock and draws no global randomness: a shell hands in
//! what happened and when, and carries out what comes out. One seed and one list of inputs give
//! one list of outputs, in the simulator, in the browser and in the bridge. The two types that
//! matter are the state machine [`Node`] and its [`Config`]; everything it speaks with its shell
//! is in [`Input`] and [`Output`].
//!
//! Where to start reading: `node` for how the parts fit together, `routing` for how nodes find
//! each other, `query` for how a balance is found, `slice` for what is kept and why it can be
//! believed, [`link`] for what goes over a wire.

#[cfg(any(test, feature = "adversary"))]
pub mod adversary;
mod bridges;
mod chunked;
mod config;
mod crypto;
#[cfg(any(test, feature = "adversary"))]
pub mod decoders;
mod density;
mod dispatch;
mod diversity;
mod exchange;
mod fixed;
pub mod gossip;
pub mod governance;
mod healing;
#[cfg(any(test, feature = "adversary"))]
mod holdings;
mod id;
mod identity;
mod io;
mod join;
mod limits;
pub mod link;
#[cfg(any(test, feature = "adversary"))]
mod lying;
mod node;
pub mod onion;
mod peer;
mod publish;
mod query;
mod reader;
mod record;
pub mod registry;
mod renewal;
mod replication;
mod reputation;
mod resolve;
mod returned;
mod rng;
mod routing;
mod seal;
#[cfg(any(test, feature = "adversary"))]
pub mod settling;
mod sighting;
mod signaling;
pub mod slice;
mod sorted;
mod status;
#[cfg(any(test, feature = "adversary"))]
pub mod testing;
mod timers;
mod watch;
mod weakened;
pub mod weights;
mod wire;

pub use config::{Config, MAX_ANCHORS};
pub use crypto::{Crypto, Noise};
pub use diversity::SeenFrom;
pub use exchange::MAX_TOLD;
#[cfg(any(test, feature = "adversary"))]
pub use holdings::Holding;
pub use id::{AccountKey, Distance, NodeId, NodeKey, NodeKeyError, NoiseKey, Point};
pub use identity::{Identity, IdentityError, Purpose};
pub use io::{
    AccountAnswer, AccountState, AnswerSource, CloseReason, Event, GetError, GetOptions, Input,
    Introducer, LinkId, LinkInfo, LinkOrigin, NodeState, Order, Output, PublishState, RelayId,
    RelayRefusal, RelayState, RequestId, ResolveFailure, ResolveId, ResolveOutcome, SessionId,
    SignalOp, Status, StoreKey, StoreOp, StoredEntry, Transport,
};
pub use join::{PERIOD_MS, Standing, join_period, join_root, join_threshold};
pub use link::{Channel, Class, MAX_FRAME, QueryNumber, SEND_CREDIT};
#[cfg(any(test, feature = "adversary"))]
pub use lying::Misroute;
pub use node::Node;
pub use peer::{
    Addresses, AddressesError, MAX_ADDRESS_BYTES, MAX_ADDRESSES, PROTOCOL_VERSION, PeerRecord,
    Role, TransportAddress,
};
pub use record::{
    AccountRecord, MAX_LINEAGE, MAX_RECORD_BYTES, MAX_SIGHTINGS, ReceivableRecord, Record,
    RecordError,
};
pub use resolve::MAX_RESOLVES;
pub use returned::Returned;
pub use rng::Rng;
pub use routing::contact::{Contact, Who};
pub use seal::{MAX_SEALED_PAYLOAD, SEAL_OVERHEAD, SealError, seal};
pub use sighting::{CLOCK_SKEW_MS, Freshness, Sighting, SightingError, freshness};
pub use weakened::{Bug, Defence};
pub use weights::{RefreshError, SignedWeights};
