//! A hop's side of circuits: which cells it takes, and what it does with them.
//!
//! A circuit here is *unknown*, then *set up* by its first cell, and forgotten [`IDLE_MS`] after its
//! last cell, but not before its first one could no longer be repeated ([`FRESH_MS`]).
//!
//! Rules:
//! - a cell is taken only if every byte of it is as its sender made it for us;
//! - a cell is taken once: a circuit is set up once, each of its numbers counts once and must be among
//!   the last [`WINDOW`];
//! - a set-up cell is taken while it is at most [`FRESH_MS`] old; one for ourselves for [`HOLD_MS`]
//!   longer, because a neighbour may have held it for us;
//! - what a hop reads is which node comes next, the circuit's number there, when it was made, and whether
//!   it is the recipient's door.
//!
//! Memory: [`Relays::new`]'s limit of circuits; beyond it the one unused longest gives way if nothing
//! came for [`GIVES_WAY_MS`], else the new one is refused.

use nano_core::UnixMillis;

use super::cell::{BODY, Cell, CircuitId};
use super::layer::{KEY, LayerKey, ORDERS, front_of};
use super::route::{MINUTE_MS, payload_of};
use crate::sorted::SortedMap;
use crate::{Identity, NodeId, NoiseKey};

/// How old the first cell of a circuit may be: five minutes; as far ahead may its sender's clock be.
pub const FRESH_MS: u64 = 300_000;
/// How long a circuit without a cell is kept: two minutes.
pub const IDLE_MS: u64 = 120_000;
/// How long a neighbour holds a cell for a node that is not there: one hour.
pub const HOLD_MS: u64 = 3_600_000;
/// How long a circuit must have been unused to give way to a new one.
const GIVES_WAY_MS: u64 = 30_000;
/// How many numbers back of a circuit are told apart.
const WINDOW: u32 = 64;

/// Why a cell is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CellError {
    /// It was not made for us, or was altered on the way.
    #[error("the cell was not made for this hop or was altered: it is dropped")]
    Refused,
    /// No such circuit was set up here, or it was forgotten.
    #[error("no such circuit leads through here: its sender makes another")]
    UnknownCircuit,
    /// The same cell came before, or one so much later that it cannot be told.
    #[error("the cell came before: it is dropped")]
    Replayed,
    /// Its circuit was made too long ago, or in the future.
    #[error("the circuit's first cell is not fresh: check the clocks")]
    Stale,
    /// No place for one more circuit.
    #[error("this hop carries as many circuits as it can: choose another")]
    Full,
}

impl CellError {
    /// Kebab-case code, for figures.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "cell-refused",
            Self::UnknownCircuit => "cell-unknown-circuit",
            Self::Replayed => "cell-replayed",
            Self::Stale => "cell-stale",
            Self::Full => "cell-no-room",
        }
    }
}

/// What came for ourselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The circuit it came over, as its sender's [`Circuit::end`](super::Circuit::end) says.
    pub circuit: CircuitId,
    /// As the sender's [`Circuit::binding`](super::Circuit::binding): a signature over it is by
    /// somebody who made this circuit for us.
    pub binding: [u8; 32],
    /// What.
    pub bytes: Vec<u8>,
}

/// What is to be done with a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peeled {
    /// Hand this on.
    Onward {
        /// To whom.
        next: NodeId,
        /// What.
        cell: Cell,
        /// Only if we are linked: the next node is the recipient, and we are its door.
        linked: bool,
    },
    /// It ends here.
    Here(Payload),
}

#[derive(Clone)]
struct Relay {
    key: LayerKey,
    /// The next node, the circuit's number there, and whether only a link leads to it; `None` for
    /// ourselves.
    onward: Option<(NodeId, CircuitId, bool)>,
    /// One more than the highest number seen, and which of those before.
    next_number: u32,
    seen: u64,
    used: UnixMillis,
    until: UnixMillis,
}

impl Relay {
    /// Notes a number; false if it was there before or may have been.
    fn first(&mut self, number: u32) -> bool {
        if number >= self.next_number {
            let step = number - self.next_number + 1;
            self.seen = self.seen.checked_shl(step).unwrap_or(0) | 1;
            self.next_number = number.saturating_add(1);
            return number < u32::MAX;
        }
        let back = self.next_number - 1 - number;
        let new = back < WINDOW && self.seen >> back & 1 == 0;
        if new {
            self.seen |= 1 << back;
        }
        new
    }
}

/// The circuits that lead through a node, or end there.
pub struct Relays {
    circuits: SortedMap<CircuitId, Relay>,
    most: usize,
}

impl Relays {
    /// None yet, and at most so many.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            circuits: SortedMap::new(),
            most,
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.circuits.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.circuits.is_empty()
    }

    /// Takes our layer off a cell.
    ///
    /// # Errors
    /// Why the cell is dropped.
    pub fn peel(
        &mut self,
        identity: &Identity,
        now: UnixMillis,
        mut cell: Cell,
    ) -> Result<Peeled, CellError> {
        let id = cell.circuit();
        let known = self.circuits.get_mut(&id);
        if cell.number() == 0 {
            if known.is_some() {
                return Err(CellError::Replayed);
            }
            let relay = set_up(identity, now, &mut cell)?;
            self.make_room(now)?;
            let peeled = peeled(&relay, id, cell)?;
            self.circuits.insert(id, relay);
            return Ok(peeled);
        }
        let relay = known.ok_or(CellError::UnknownCircuit)?;
        if !relay.key.open(&mut cell) {
            return Err(CellError::Refused);
        }
        // Only what is genuine moves the window.
        if !relay.first(cell.number()) {
            return Err(CellError::Replayed);
        }
        relay.used = now;
        relay.until = relay.until.max(now.plus(IDLE_MS));
        peeled(relay, id, cell)
    }

    /// Forgets what is not used any more.
    pub fn expire(&mut self, now: UnixMillis) {
        self.circuits.retain(|_, relay| relay.until > now);
    }

    fn make_room(&mut self, now: UnixMillis) -> Result<(), CellError> {
        if self.circuits.len() < self.most {
            return Ok(());
        }
        self.expire(now);
        let oldest = self.circuits.iter().min_by_key(|(_, relay)| relay.used);
        let oldest = oldest.map(|(id, relay)| (*id, relay.used));
        if let Some((id, used)) = oldest.filter(|_| self.circuits.len() >= self.most) {
            if now.since(used) < GIVES_WAY_MS {
                return Err(CellError::Full);
            }
            self.circuits.remove(&id);
        }
        Ok(())
    }
}

/// Reads a set-up cell.
fn set_up(identity: &Identity, now: UnixMillis, cell: &mut Cell) -> Result<Relay, CellError> {
    let id = cell.circuit();
    let (_, body) = cell.split_mut();
    let ephemeral = body.first_chunk::<KEY>().ok_or(CellError::Refused)?;
    let ephemeral = NoiseKey::from_bytes(*ephemeral);
    let ours = identity.noise_key();
    let key = LayerKey::from(identity.noise_secret(), &ours, id, &ephemeral)
        .filter(|key| key.open(cell))
        .ok_or(CellError::Refused)?;
    let front = front_of(0);
    let (_, body) = cell.split_mut();
    let orders = body.get(front..front + ORDERS);
    let orders = orders.and_then(<[u8]>::first_chunk::<ORDERS>);
    let (next, rest) = orders
        .and_then(|orders| orders.split_first_chunk::<32>())
        .ok_or(CellError::Refused)?;
    let (circuit, at) = rest.split_first_chunk::<8>().ok_or(CellError::Refused)?;
    let (minute, linked) = at.split_first_chunk::<4>().ok_or(CellError::Refused)?;
    let at = UnixMillis(u64::from(u32::from_le_bytes(*minute)) * MINUTE_MS);
    let onward = (*next != [0; 32]).then(|| {
        let next = NodeId::from_bytes(*next);
        let circuit = CircuitId(u64::from_le_bytes(*circuit));
        (next, circuit, linked != [0])
    });
    let held = if onward.is_none() { HOLD_MS } else { 0 };
    if now.since(at) > FRESH_MS + held || at.since(now) > FRESH_MS {
        return Err(CellError::Stale);
    }
    Ok(Relay {
        key,
        onward,
        next_number: 1,
        seen: 1,
        used: now,
        until: now.plus(IDLE_MS).max(at.plus(FRESH_MS)),
    })
}

/// What is to be done with a cell that was opened.
fn peeled(relay: &Relay, id: CircuitId, mut cell: Cell) -> Result<Peeled, CellError> {
    relay.key.strip(&mut cell);
    if let Some((next, circuit, linked)) = relay.onward {
        cell.set_circuit(circuit);
        return Ok(Peeled::Onward { next, cell, linked });
    }
    let (_, body) = cell.split_mut();
    let bytes = payload_of(&body[..BODY]).ok_or(CellError::Refused)?;
    Ok(Peeled::Here(Payload {
        circuit: id,
        binding: relay.key.binding(),
        bytes: bytes.to_vec(),
    }))
}
