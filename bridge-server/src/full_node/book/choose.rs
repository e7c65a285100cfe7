//! Who is dialled next, and which channel is given up for a better one.

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};

use nano_core::{Raw, UnixMillis};

use super::{Book, ChannelId, Demand, Endpoint, Refused, Source, State, subnet};

/// Rank of an endpoint; the smallest is dialled first. Equal ones are drawn at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Representative(Reverse<Raw>),
    Initial(Reverse<Option<UnixMillis>>),
    Configured,
    Stored(Reverse<Option<UnixMillis>>),
    Heard,
}

impl Endpoint {
    fn rank(&self) -> Rank {
        match self.source {
            _ if !self.weight.is_zero() => Rank::Representative(Reverse(self.weight)),
            Source::Stored if !self.tried => Rank::Initial(Reverse(self.reached)),
            // One that is stored and configured counts as stored until it was tried.
            Source::Configured if !self.tried && self.reached.is_some() => {
                Rank::Initial(Reverse(self.reached))
            }
            Source::Configured => Rank::Configured,
            Source::Stored => Rank::Stored(Reverse(self.reached)),
            Source::Heard => Rank::Heard,
        }
    }

    fn is_configured(&self) -> bool {
        self.source == Source::Configured
    }
}

/// Attempts and channels now.
struct Busy {
    /// Attempts at configured endpoints, and at others.
    attempts: (usize, usize),
    /// Attempts and channels together.
    all: usize,
    /// Those of them at configured endpoints.
    configured: usize,
    /// Their addresses, and those of accepted channels.
    addresses: Vec<IpAddr>,
}

impl Busy {
    fn with_address(&self, ip: IpAddr) -> usize {
        self.addresses.iter().filter(|other| **other == ip).count()
    }

    fn with_subnet(&self, ip: IpAddr) -> usize {
        let same = |other: &&IpAddr| subnet(**other) == subnet(ip);
        self.addresses.iter().filter(same).count()
    }
}

impl Book {
    /// The endpoint to dial now, if any: its state is *being dialled* from here on, and the caller
    /// owes a [`Book::opened`] or [`Book::ended`].
    pub fn next(&mut self, now: UnixMillis, demand: Demand) -> Option<SocketAddr> {
        let busy = self.busy();
        let mut best: Option<(Rank, Vec<SocketAddr>)> = None;
        for (endpoint, known) in &self.endpoints {
            if !self.is_due(now, demand, &busy, endpoint, known) {
                continue;
            }
            let rank = known.rank();
            match &mut best {
                Some((least, equal)) if *least == rank => equal.push(*endpoint),
                Some((least, _)) if *least < rank => {}
                _ => best = Some((rank, vec![*endpoint])),
            }
        }
        let (_, equal) = best?;
        let count = u32::try_from(equal.len()).unwrap_or(u32::MAX);
        let drawn = usize::try_from(self.rng.below(count)).unwrap_or(0);
        let chosen = *equal.get(drawn)?;
        let known = self.endpoints.get_mut(&chosen)?;
        known.state = State::Dialling;
        known.tried = true;
        if !known.is_configured() {
            let burst = self.limits.pace * self.limits.attempts as u64;
            let earliest = UnixMillis(now.0.saturating_sub(burst));
            self.paced = UnixMillis(self.paced.max(earliest).0 + self.limits.pace);
        }
        Some(chosen)
    }

    fn is_due(
        &self,
        now: UnixMillis,
        demand: Demand,
        busy: &Busy,
        endpoint: &SocketAddr,
        known: &Endpoint,
    ) -> bool {
        let State::Idle { until } = known.state else {
            return false;
        };
        if until > now {
            return false;
        }
        if known.is_configured() {
            return busy.attempts.0 < self.limits.attempts
                && busy.configured < self.limits.configured;
        }
        if busy.all >= self.limits.channels {
            return false;
        }
        let wanted = demand != Demand::Nothing || busy.all < self.limits.spare;
        // The pace is behind by one whole burst after a rest.
        let paced = self.paced <= now;
        if !wanted || !paced || busy.attempts.1 >= self.limits.attempts {
            return false;
        }
        self.has_place(busy, endpoint.ip())
    }

    /// Whether address and subnet allow one more channel.
    fn has_place(&self, busy: &Busy, ip: IpAddr) -> bool {
        busy.with_address(ip) < self.limits.per_address
            && busy.with_subnet(ip) < self.limits.per_subnet
    }

    fn busy(&self) -> Busy {
        let mut busy = Busy {
            attempts: (0, 0),
            all: 0,
            configured: 0,
            addresses: self.inbound.values().copied().collect(),
        };
        for (endpoint, known) in &self.endpoints {
            match known.state {
                State::Dialling if known.is_configured() => busy.attempts.0 += 1,
                State::Dialling => busy.attempts.1 += 1,
                State::Open { .. } => {}
                State::Idle { .. } | State::Own => continue,
            }
            busy.all += 1;
            busy.configured += usize::from(known.is_configured());
            busy.addresses.push(endpoint.ip());
        }
        busy
    }

    /// Whether one more channel with this address would be within the limits.
    pub(super) fn has_room(&self, ip: IpAddr) -> Result<(), Refused> {
        let busy = self.busy();
        if busy.with_address(ip) >= self.limits.per_address {
            return Err(Refused::Address);
        }
        if busy.with_subnet(ip) >= self.limits.per_subnet {
            return Err(Refused::Subnet);
        }
        Ok(())
    }

    /// The channel to give up now for a better endpoint, if there is reason to. The caller owes a
    /// [`Book::ended`].
    pub fn give_up(&mut self, now: UnixMillis, demand: Demand) -> Option<ChannelId> {
        let due = self.rotated.0.saturating_add(self.limits.rotation) <= now.0;
        let busy = self.busy();
        if demand == Demand::Nothing || !due || busy.all < self.limits.channels {
            return None;
        }
        let (weight, _, channel) = self
            .endpoints
            .values()
            .filter(|known| !known.is_configured())
            .filter_map(|known| match known.state {
                State::Open { channel, since } => Some((known.weight, since, channel)),
                _ => None,
            })
            .filter(|(_, since, _)| now.since(*since) >= self.limits.grace)
            .min()?;
        // With a quorum none of its weight is risked for the margin.
        let may_go = weight.is_zero() || demand == Demand::Quorum;
        let better = |(endpoint, known): (&SocketAddr, &Endpoint)| {
            let idle = matches!(known.state, State::Idle { until } if until <= now);
            let hopeful = !known.tried || known.weight > weight;
            idle && hopeful && self.has_place(&busy, endpoint.ip())
        };
        if !may_go || !self.endpoints.iter().any(better) {
            return None;
        }
        self.rotated = now;
        Some(channel)
    }

    /// When [`Book::next`] is worth another call although nothing happened: at the end of the next
    /// pause. `None` when only an event can change anything.
    #[must_use]
    pub fn wake_at(&self) -> Option<UnixMillis> {
        let pauses = self
            .endpoints
            .values()
            .filter_map(|known| match known.state {
                State::Idle { until } if known.is_configured() => Some(until),
                State::Idle { until } => Some(until.max(self.paced)),
                _ => None,
            });
        pauses.min()
    }
}
