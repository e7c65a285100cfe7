//! Private messages: circuits of nodes each of which learns only the next.
//!
//! | file | what |
//! |---|---|
//! | `cell` | the unit that travels, fixed in size |
//! | `layer` | the key that a hop shares with the sender, and what it does to a cell |
//! | `route` | the sender's side of a circuit |
//! | `relay` | a hop's side |
//! | `ranks` | how well nodes relay |
//! | `letter` | what the two ends say to each other |
//! | `talk` | what is under way with one key |
//! | `held` | cells for neighbours that are not there |
//! | `contacts` | over whom a node's circuits lead |
//! | `loops` | how it learns who relays |
//! | `cells` | what it does with cells |
//! | `letters` | what it does with letters |
//! | `post` | all of it together in a node |
//!
//! A circuit is set up by its first cell in one pass: every hop finds its key in its own layer. What
//! it costs a hop after that is one ChaCha20-Poly1305 over the cell, as in the bench `messages`.

mod cell;
mod cells;
mod contacts;
#[cfg(any(test, feature = "adversary", feature = "bridge"))]
mod glimpse;
mod held;
mod layer;
mod letter;
mod letters;
mod loops;
#[cfg(any(test, feature = "adversary"))]
mod measure;
mod post;
mod ranks;
mod relay;
mod route;
mod talk;
#[cfg(test)]
mod tests;

pub use self::cell::{CELL_BYTES, Cell, CircuitId};
#[cfg(any(test, feature = "adversary", feature = "bridge"))]
pub use self::glimpse::Glimpse;
#[cfg(any(test, feature = "adversary"))]
pub(crate) use self::letter::{reads as reads_letter, samples as sample_letters};
#[cfg(any(test, feature = "adversary"))]
pub use self::measure::Measured;
pub(crate) use self::post::Post;
pub use self::post::{Outbound, Received, SendFailure, USUAL_RELAYS};
pub use self::relay::{CellError, FRESH_MS, HOLD_MS, IDLE_MS, Payload, Peeled, Relays};
pub use self::route::{Circuit, Hop, MAX_RELAYS, RouteError};
pub use self::talk::MAX_MESSAGE_BYTES;
