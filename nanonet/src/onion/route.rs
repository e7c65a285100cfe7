//! The sender's side of a circuit: a route, the keys it shares with each hop, and the cells it
//! makes for them.
//!
//! A route is one to [`MAX_RELAYS`] relays and the recipient, all different. [`Circuit::new`] draws
//! a key and a circuit number for each; the first cell brings them there, and a payload to the
//! recipient. Each hop reads which node comes next and nothing of what lies further in.

use nano_core::UnixMillis;

use super::cell::{BODY, Cell, CircuitId};
use super::layer::{KEY, LayerKey, ORDERS, SETUP_STEP, front_of, step_of};
use crate::rng::Rng;
use crate::{NodeId, NoiseKey};

/// Most relays of a route.
pub const MAX_RELAYS: usize = 5;

/// What a hop is told of the time.
pub(super) const MINUTE_MS: u64 = 60_000;
/// Bytes in front of a payload: its length.
const LENGTH: usize = 2;

/// A node on a route: where it lies, and the key it opens its layer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop {
    /// Where it lies.
    pub id: NodeId,
    /// Its Noise key.
    pub noise_key: NoiseKey,
}

/// Why a circuit or a cell cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No relay, or more than [`MAX_RELAYS`].
    #[error("a route has 1 to 5 relays, this one {relays}: choose another length")]
    Length {
        /// Relays given.
        relays: usize,
    },
    /// The same node twice.
    #[error("a node stands twice on the route: every hop must be another node")]
    Repeated,
    /// A hop's key is one for which everybody knows the secret.
    #[error("hop {place} of the route has a weak key: leave that node out")]
    WeakKey {
        /// Its place, from 0.
        place: usize,
    },
    /// The payload is longer than a cell of this route carries.
    #[error("{length} bytes do not fit a cell of this route: at most {limit} do")]
    TooLong {
        /// Bytes given.
        length: usize,
        /// Bytes that fit.
        limit: usize,
    },
    /// Every number of the circuit was used.
    #[error("the circuit is used up: make a new one")]
    UsedUp,
}

/// A circuit from its sender's side.
pub struct Circuit {
    hops: Vec<Leg>,
    next_number: u32,
}

struct Leg {
    hop: Hop,
    circuit: CircuitId,
    ephemeral: NoiseKey,
    key: LayerKey,
}

impl Circuit {
    /// A circuit over `route`, relays first and the recipient last.
    ///
    /// # Errors
    /// [`RouteError::Length`], [`RouteError::Repeated`] or [`RouteError::WeakKey`].
    pub fn new(route: &[Hop], rng: &mut Rng) -> Result<Self, RouteError> {
        let relays = route.len().saturating_sub(1);
        if !(1..=MAX_RELAYS).contains(&relays) {
            return Err(RouteError::Length { relays });
        }
        let twice = |(place, hop): (usize, &Hop)| route[..place].iter().any(|o| o.id == hop.id);
        if route.iter().enumerate().any(twice) {
            return Err(RouteError::Repeated);
        }
        let legs = route.iter().enumerate().map(|(place, hop)| {
            let circuit = CircuitId(rng.next_u64());
            let (ephemeral, key) =
                LayerKey::to(&hop.noise_key, circuit, rng).ok_or(RouteError::WeakKey { place })?;
            Ok(Leg {
                hop: *hop,
                circuit,
                ephemeral,
                key,
            })
        });
        Ok(Self {
            hops: legs.collect::<Result<_, RouteError>>()?,
            next_number: 0,
        })
    }

    /// The node that its cells are handed to.
    #[must_use]
    pub fn first(&self) -> NodeId {
        self.hops[0].hop.id
    }

    /// Its number at the recipient.
    #[must_use]
    pub fn end(&self) -> CircuitId {
        self.hops[self.hops.len() - 1].circuit
    }

    /// Its number on each leg.
    pub(super) fn legs(&self) -> impl Iterator<Item = CircuitId> {
        self.hops.iter().map(|leg| leg.circuit)
    }

    /// What only sender and recipient know of it and may sign; see [`super::relay::Payload`].
    #[must_use]
    pub fn binding(&self) -> [u8; 32] {
        self.hops[self.hops.len() - 1].key.binding()
    }

    /// Bytes that its next cell carries.
    #[must_use]
    pub fn room(&self) -> usize {
        BODY - self.hops.len() * step_of(self.next_number) - LENGTH
    }

    /// Its next cell, for [`Circuit::first`]; the very first one sets it up. `at` is the time, of
    /// which the hops read the minute.
    ///
    /// # Errors
    /// [`RouteError::TooLong`] or [`RouteError::UsedUp`].
    pub fn cell(&mut self, at: UnixMillis, payload: &[u8]) -> Result<Cell, RouteError> {
        let (length, limit) = (payload.len(), self.room());
        let written = u16::try_from(length).ok().filter(|_| length <= limit);
        let written = written.ok_or(RouteError::TooLong { length, limit })?;
        let number = self.next_number;
        self.next_number = number.checked_add(1).ok_or(RouteError::UsedUp)?;
        let (step, front) = (step_of(number), front_of(number));
        let filler = self.filler(number);
        let mut body = vec![0; BODY];
        let begin = step;
        body[begin..begin + LENGTH].copy_from_slice(&written.to_le_bytes());
        body[begin + LENGTH..begin + LENGTH + length].copy_from_slice(payload);
        let end = BODY - filler.len();
        body[end..].copy_from_slice(&filler);
        // So that encrypting gives the filler itself.
        if let Some(last) = self.hops.last() {
            last.key.mask(number, end, &mut body[end..]);
        }
        let mut next: Option<&Leg> = None;
        let mut cell = Cell::empty(CircuitId(0), number);
        for leg in self.hops.iter().rev() {
            cell = Cell::empty(leg.circuit, number);
            let (_, into) = cell.split_mut();
            into.copy_from_slice(&body);
            if number == 0 {
                into[..KEY].copy_from_slice(leg.ephemeral.as_bytes());
                let last = self.hops.last().map(|last| last.circuit);
                let linked = next.is_some_and(|next| Some(next.circuit) == last);
                write_orders(&mut into[front..front + ORDERS], next, linked, at);
            }
            leg.key.seal(&mut cell);
            // What the hop before hands on: its own end is reckoned, so the end here is left out.
            let (_, sealed) = cell.split_mut();
            body[step..].copy_from_slice(&sealed[..BODY - step]);
            next = Some(leg);
        }
        Ok(cell)
    }

    /// What the hops before the last have filled up at the end of the last one's body.
    fn filler(&self, number: u32) -> Vec<u8> {
        let step = step_of(number);
        let mut filler = Vec::with_capacity(self.hops.len() * step);
        for leg in &self.hops[..self.hops.len() - 1] {
            let at = BODY - filler.len();
            filler.resize(filler.len() + step, 0);
            leg.key.mask(number, at, &mut filler);
        }
        filler
    }
}

/// What a hop of a set-up cell is told. Only the recipient's door may hand on to it, and only over its
/// link: whoever passed that leg on would learn the recipient, and might know the sender.
fn write_orders(into: &mut [u8], next: Option<&Leg>, linked: bool, at: UnixMillis) {
    into.fill(0);
    if let Some(next) = next {
        into[..32].copy_from_slice(next.hop.id.as_bytes());
        into[32..40].copy_from_slice(&next.circuit.0.to_le_bytes());
    }
    let minute = u32::try_from(at.0 / MINUTE_MS).unwrap_or(u32::MAX);
    into[40..44].copy_from_slice(&minute.to_le_bytes());
    into[44] = linked.into();
}

/// The payload in an opened and stripped body.
pub(super) fn payload_of(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = body.split_first_chunk::<LENGTH>()?;
    rest.get(..usize::from(u16::from_le_bytes(*length)))
}

const _: () = assert!(BODY > (MAX_RELAYS + 1) * SETUP_STEP + LENGTH);
