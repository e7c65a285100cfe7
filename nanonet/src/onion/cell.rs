//! The unit that travels: fixed in size, so that nothing shows how far it has come or how much it
//! carries.
//!
//! Form: the number of its circuit on this leg (8), its number on the circuit (4), body (948);
//! numbers least significant byte first. Number 0 sets the circuit up; its body starts with an
//! ephemeral X25519 key (32). Then, in either kind, the tag (16) over all of the cell and the
//! encrypted text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a cell: with what a request and its datagram add it fits one packet.
pub const CELL_BYTES: usize = 960;
/// Bytes in front of the body.
pub(super) const HEAD: usize = 12;
/// Bytes of a body.
pub(super) const BODY: usize = CELL_BYTES - HEAD;
/// Bytes of a tag.
pub(super) const TAG: usize = 16;

/// A cell, as it is on one leg of its way.
#[derive(Clone, PartialEq, Eq)]
pub struct Cell(Box<[u8]>);

impl Cell {
    /// A cell with this head and an empty body.
    pub(super) fn empty(circuit: CircuitId, number: u32) -> Self {
        let mut bytes = vec![0; CELL_BYTES].into_boxed_slice();
        bytes[..8].copy_from_slice(&circuit.0.to_le_bytes());
        bytes[8..HEAD].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }

    /// The cell with these bytes; `None` unless there are [`CELL_BYTES`] of them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == CELL_BYTES).then(|| Self(bytes.into()))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The circuit it is on, on this leg.
    #[must_use]
    pub fn circuit(&self) -> CircuitId {
        CircuitId(self.0.first_chunk().map_or(0, |id| u64::from_le_bytes(*id)))
    }

    /// Its number on the circuit; 0 sets it up.
    #[must_use]
    pub fn number(&self) -> u32 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = *self.0 else {
            return 0;
        };
        u32::from_le_bytes([a, b, c, d])
    }

    /// Gives it another head.
    pub(super) fn set_circuit(&mut self, circuit: CircuitId) {
        self.0[..8].copy_from_slice(&circuit.0.to_le_bytes());
    }

    /// Head and body.
    pub(super) fn split_mut(&mut self) -> (&mut [u8], &mut [u8]) {
        self.0.split_at_mut(HEAD)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cell {} of {:?}", self.number(), self.circuit())
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Self::from_bytes(bytes).ok_or_else(|| serde::de::Error::custom("not a cell"))
    }
}

/// The number of a circuit on one leg: random, and another one on each leg.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CircuitId(pub u64);

impl fmt::Debug for CircuitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
