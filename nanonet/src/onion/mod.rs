//! Private messages: circuits of nodes each of which learns only the next.
//!
//! | file | what |
//! |---|---|
//! | `cell` | the unit that travels, fixed in size |
//! | `layer` | the key that a hop shares with the sender, and what it does to a cell |
//! | `route` | the sender's side of a circuit |
//! | `relay` | a hop's side |
//!
//! A circuit is set up by its first cell in one pass: every hop finds its key in its own layer. What
//! it costs a hop after that is one ChaCha20-Poly1305 over the cell, as in the bench `messages`.

mod cell;
mod layer;
mod relay;
mod route;
#[cfg(test)]
mod tests;

pub use self::cell::{CELL_BYTES, Cell, CircuitId};
pub use self::relay::{CellError, FRESH_MS, HOLD_MS, IDLE_MS, Payload, Peeled, Relays};
pub use self::route::{Circuit, Hop, MAX_RELAYS, RouteError};
