//! The book of peers: every endpoint known, what became of it, and who is dialled next. No I/O:
//! time and randomness are passed in, the tasks around it do what it says.
//!
//! An endpoint is **configured** (the operator's own, or behind a configured name, as long as it is
//! behind it), **stored**
//! (reached in an earlier run or in this one) or **heard** (named by a keepalive). It is idle until
//! a moment, being dialled, open, or our own.
//!
//! Rules:
//! - **Order.** First come endpoints that hosted voting weight when they were last open, heaviest
//!   first; then stored ones not yet tried in this run, the last reached first
//!   (`add_initial_peers`); then configured ones; then the other stored ones; then heard ones, at
//!   random.
//! - **Pace.** Endpoints nobody configured are tried one per [`Limits::pace`] after a burst, and
//!   never more than [`Limits::attempts`] at once; configured ones do not wait for them.
//! - **Demand.** While voting weight is missing everybody is tried. With enough of it configured
//!   endpoints are still kept, others only up to [`Limits::spare`] channels. With all channels
//!   taken and weight missing, the lightest channel past its [`Limits::grace`] is given up for an
//!   endpoint that was never tried or hosted more when it was last open, one per
//!   [`Limits::rotation`]; one that hosts weight only while a quorum is missing, configured ones
//!   never. What a given up endpoint hosted is remembered, so that it returns if nothing better came.
//! - **Limits** per address and subnet count both directions. Configured endpoints count but are
//!   not refused: the limits keep strangers from surrounding the bridge, not the operator.
//! - **Failures.** Each in a row doubles the pause ([`pause`]); an endpoint nobody configured is
//!   forgotten after eight. A channel that lasted [`Limits::good`] was a success. An endpoint of
//!   another network is left alone for [`Limits::foreign`], one whose node is connected by another
//!   endpoint for [`Limits::duplicate`] (configured ones for the longest pause only); our own for
//!   this run. To be given up is no failure: such a one waits for [`Limits::grace`], without weight
//!   as long as a duplicate.
//! - **Gossip.** What is passed on are endpoints this bridge has reached itself.
//! - **Storage** gets each reached endpoint with the time it was last open, again and again while
//!   it is, and is told of those forgotten.

mod choose;
mod limits;
mod pause;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use limits::Limits;
pub(crate) use limits::subnet;
pub(crate) use pause::pause;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use nano_core::{Raw, UnixMillis};
use nanonet::Rng;

use super::ChannelId;
use limits::{FORGOTTEN_AFTER, canonical, is_possible, is_public};

/// How much voting weight is reachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Less than a quorum: configured names are looked up again, too.
    Quorum,
    /// A quorum, but no margin above it.
    Margin,
    /// A quorum with a margin.
    Nothing,
}

/// Where an endpoint is known from, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Heard,
    Stored,
    Configured,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle {
        until: UnixMillis,
    },
    Dialling,
    Open {
        channel: ChannelId,
        since: UnixMillis,
    },
    Own,
}

#[derive(Clone, Debug)]
struct Endpoint {
    source: Source,
    state: State,
    /// Attempts that failed since the last good channel.
    failures: u32,
    /// Whether it was tried in this run.
    tried: bool,
    /// When a channel was last open.
    reached: Option<UnixMillis>,
    /// Voting weight behind it when it was last open.
    weight: Raw,
    /// The channel whose keepalive named it, until it is reached.
    gossip: Option<ChannelId>,
}

/// Why a heard endpoint is not noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// Nothing can listen there.
    #[error("the endpoint has no port or no unicast address")]
    Impossible,
    /// It is private, and the network is not.
    #[error("the endpoint is private; give it with --peer if it is meant")]
    Private,
    /// The channel has named too many.
    #[error("the peer has named too many endpoints that were not reached yet")]
    Gossip,
    /// The book is full of better ones.
    #[error("the book of peers is full")]
    Full,
}

impl Ignored {
    /// Kebab-case name for metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Impossible => "heard-impossible",
            Self::Private => "heard-private",
            Self::Gossip => "heard-too-many",
            Self::Full => "heard-full",
        }
    }
}

/// Why a connection is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// As many connections as are accepted at all.
    #[error("all places for incoming peers are taken")]
    Full,
    /// Too many with this address.
    #[error("this address has too many channels")]
    Address,
    /// Too many with this subnet.
    #[error("this subnet has too many channels")]
    Subnet,
    /// A private address on a public network.
    #[error("private addresses are not accepted on this network")]
    Private,
}

/// How an attempt or a channel ended, as far as the endpoint's future depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Not reached, refused, broken, closed: tried again after a growing pause.
    Usual,
    /// Another network or genesis, or too old a protocol.
    Foreign,
    /// It is this bridge.
    Own,
    /// Its node is connected by another endpoint.
    Duplicate,
    /// Given up by the book to make room.
    GivenUp,
}

/// What storage is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Keep the endpoint, last reached then.
    Keep(SocketAddr, UnixMillis),
    /// Forget it.
    Forget(SocketAddr),
}

/// Every endpoint known. See the module documentation.
pub struct Book {
    limits: Limits,
    rng: Rng,
    endpoints: BTreeMap<SocketAddr, Endpoint>,
    inbound: BTreeMap<ChannelId, IpAddr>,
    /// When the next attempt of the pace is free; a burst lets it lie in the past.
    paced: UnixMillis,
    rotated: UnixMillis,
    forgotten: Vec<SocketAddr>,
}

impl fmt::Debug for Book {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Book")
            .field("endpoints", &self.endpoints)
            .field("inbound", &self.inbound)
            .finish_non_exhaustive()
    }
}

impl Book {
    /// An empty book. `seed` decides every random choice.
    #[must_use]
    pub fn new(limits: Limits, seed: [u8; 32]) -> Self {
        Self {
            limits,
            rng: Rng::from_seed(seed),
            endpoints: BTreeMap::new(),
            inbound: BTreeMap::new(),
            paced: UnixMillis(0),
            rotated: UnixMillis(0),
            forgotten: Vec::new(),
        }
    }

    /// The bounds in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Notes endpoints of the operator, or behind one of the operator's names. More than
    /// [`Limits::endpoints`] are cut off.
    pub fn configure(&mut self, endpoints: impl IntoIterator<Item = SocketAddr>) {
        for endpoint in endpoints {
            self.note(canonical(endpoint), Source::Configured, None, None);
        }
    }

    /// Endpoints that are the operator's no longer: known as any other from here on.
    pub fn demote(&mut self, endpoints: impl IntoIterator<Item = SocketAddr>) {
        for endpoint in endpoints {
            if let Some(known) = self.endpoints.get_mut(&canonical(endpoint))
                && known.source == Source::Configured
            {
                known.source = match known.reached {
                    Some(_) => Source::Stored,
                    None => Source::Heard,
                };
            }
        }
    }

    /// Notes an endpoint reached in an earlier run.
    pub fn restore(&mut self, endpoint: SocketAddr, reached: UnixMillis) {
        self.note(canonical(endpoint), Source::Stored, Some(reached), None);
    }

    /// Notes an endpoint that a keepalive on `channel` named.
    ///
    /// # Errors
    /// Why it is not noted.
    pub fn hear(&mut self, channel: ChannelId, endpoint: SocketAddr) -> Result<(), Ignored> {
        let endpoint = canonical(endpoint);
        if !is_possible(endpoint) {
            return Err(Ignored::Impossible);
        }
        if !self.limits.private && !is_public(endpoint.ip()) {
            return Err(Ignored::Private);
        }
        if self.endpoints.contains_key(&endpoint) {
            return Ok(());
        }
        let named = self.endpoints.values();
        if named.filter(|known| known.gossip == Some(channel)).count() >= self.limits.per_gossip {
            return Err(Ignored::Gossip);
        }
        if self.note(endpoint, Source::Heard, None, Some(channel)) {
            Ok(())
        } else {
            Err(Ignored::Full)
        }
    }

    fn note(
        &mut self,
        endpoint: SocketAddr,
        source: Source,
        reached: Option<UnixMillis>,
        gossip: Option<ChannelId>,
    ) -> bool {
        if !is_possible(endpoint) {
            return false;
        }
        if let Some(known) = self.endpoints.get_mut(&endpoint) {
            known.source = known.source.max(source);
            known.reached = known.reached.max(reached);
            return true;
        }
        if self.endpoints.len() >= self.limits.endpoints && !self.make_room() {
            return false;
        }
        let fresh = Endpoint {
            source,
            state: State::Idle {
                until: UnixMillis(0),
            },
            failures: 0,
            tried: false,
            reached,
            weight: Raw::ZERO,
            gossip,
        };
        self.endpoints.insert(endpoint, fresh);
        true
    }

    /// Forgets the idle endpoint that failed most, if any did.
    fn make_room(&mut self) -> bool {
        let worst = self
            .endpoints
            .iter()
            .filter(|(_, known)| {
                known.source != Source::Configured
                    && known.failures > 0
                    && matches!(known.state, State::Idle { .. })
            })
            .max_by_key(|(_, known)| known.failures)
            .map(|(endpoint, _)| *endpoint);
        match worst {
            Some(endpoint) => {
                self.forget(endpoint);
                true
            }
            None => false,
        }
    }

    fn forget(&mut self, endpoint: SocketAddr) {
        if let Some(known) = self.endpoints.remove(&endpoint)
            && known.reached.is_some()
        {
            self.forgotten.push(endpoint);
        }
    }

    /// The attempt at this endpoint has become a channel.
    pub fn opened(&mut self, now: UnixMillis, endpoint: SocketAddr, channel: ChannelId) {
        if let Some(known) = self.endpoints.get_mut(&canonical(endpoint)) {
            known.state = State::Open {
                channel,
                since: now,
            };
            known.reached = Some(now);
            known.source = known.source.max(Source::Stored);
            known.gossip = None;
        }
    }

    /// Notes the voting weight behind the endpoint's channel.
    pub fn weigh(&mut self, endpoint: SocketAddr, weight: Raw) {
        if let Some(known) = self.endpoints.get_mut(&canonical(endpoint)) {
            known.weight = weight;
        }
    }

    /// The attempt at this endpoint, or its channel, has ended.
    pub fn ended(&mut self, now: UnixMillis, endpoint: SocketAddr, end: End) {
        let endpoint = canonical(endpoint);
        let Some(known) = self.endpoints.get_mut(&endpoint) else {
            return;
        };
        if let State::Open { since, .. } = known.state {
            known.reached = Some(now);
            if now.since(since) >= self.limits.good {
                known.failures = 0;
            }
        }
        let pauses = match known.source {
            Source::Configured => self.limits.configured_pauses,
            Source::Stored | Source::Heard => self.limits.other_pauses,
        };
        if !matches!(end, End::Duplicate | End::GivenUp) {
            known.failures = known.failures.saturating_add(1);
        }
        let configured = known.source == Source::Configured;
        let wait = match end {
            End::Own => {
                known.state = State::Own;
                return;
            }
            // The operator may be about to put it right.
            End::Duplicate | End::Foreign if configured => pauses.1,
            End::Duplicate => self.limits.duplicate,
            End::Foreign => self.limits.foreign,
            End::GivenUp if known.weight.is_zero() => self.limits.duplicate,
            End::GivenUp => self.limits.grace,
            End::Usual => pause(pauses, known.failures, &mut self.rng),
        };
        known.state = State::Idle {
            until: UnixMillis(now.0.saturating_add(wait)),
        };
        if known.failures >= FORGOTTEN_AFTER && known.source != Source::Configured {
            self.forget(endpoint);
        }
    }

    /// Takes a place for an incoming connection from this address, before anything is read.
    ///
    /// # Errors
    /// Which limit is reached.
    pub fn admit(&mut self, channel: ChannelId, from: IpAddr) -> Result<(), Refused> {
        let from = from.to_canonical();
        if self.inbound.len() >= self.limits.inbound {
            return Err(Refused::Full);
        }
        if !self.limits.private && !is_public(from) {
            return Err(Refused::Private);
        }
        self.has_room(from)?;
        self.inbound.insert(channel, from);
        Ok(())
    }

    /// Frees the place of an incoming connection.
    pub fn left(&mut self, channel: ChannelId) {
        self.inbound.remove(&channel);
    }

    /// Up to `count` endpoints that this bridge has reached, at random, for a keepalive.
    pub fn sample(&mut self, count: usize) -> Vec<SocketAddr> {
        let mut known: Vec<_> = self
            .endpoints
            .iter()
            .filter(|(endpoint, known)| {
                matches!(known.state, State::Open { .. })
                    && (self.limits.private || is_public(endpoint.ip()))
            })
            .map(|(endpoint, _)| *endpoint)
            .collect();
        let mut picked = Vec::new();
        while picked.len() < count && !known.is_empty() {
            let last = u32::try_from(known.len()).unwrap_or(u32::MAX);
            let place = self.rng.below(last);
            picked.push(known.swap_remove(usize::try_from(place).unwrap_or(0)));
        }
        picked
    }

    /// What storage is to do, with every open endpoint reached now.
    pub fn changes(&mut self, now: UnixMillis) -> Vec<Change> {
        let mut changes: Vec<_> = self.forgotten.drain(..).map(Change::Forget).collect();
        for (endpoint, known) in &mut self.endpoints {
            if matches!(known.state, State::Open { .. }) {
                known.reached = Some(now);
                changes.push(Change::Keep(*endpoint, now));
            }
        }
        changes
    }

    /// Endpoints known, for metrics.
    #[must_use]
    pub fn len(&self) -> usize {
        self.endpoints.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }
}
