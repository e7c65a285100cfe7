//! Whether the peer and the transport still live.
//!
//! Rules:
//! - a ping goes out when the link is established and every [`PING_INTERVAL_MS`]; its token is
//!   random, so that a pong cannot be sent ahead of it to look near;
//! - a ping that is not answered yet is not repeated; a pong for anything else is ignored;
//! - of several pings only the last is answered: a flood of pings costs at most one pong a frame;
//! - nothing heard, a ping unanswered, or a transport that takes nothing though bytes wait, each
//!   for [`SILENCE_TIMEOUT_MS`], end the link. A device that slept that long finds its links ended,
//!   as its peers do.

use nano_core::UnixMillis;

use super::error::LinkError;
use super::frame::Item;
use super::rtt::RoundTrip;
use crate::rng::Rng;

/// Milliseconds between pings.
pub const PING_INTERVAL_MS: u64 = 20_000;

/// Milliseconds without a sign of life after which a link ends.
pub const SILENCE_TIMEOUT_MS: u64 = 60_000;

/// A ping under way.
#[derive(Clone, Copy)]
struct Ping {
    token: u64,
    at: UnixMillis,
    sent: bool,
}

pub(super) struct Alive {
    heard: UnixMillis,
    /// When the transport last took something or had nothing to take.
    taken: UnixMillis,
    progress: bool,
    next_ping: UnixMillis,
    ping: Option<Ping>,
    pong: Option<u64>,
}

impl Alive {
    pub(super) fn new(now: UnixMillis, rng: &mut Rng) -> Self {
        let mut alive = Self {
            heard: now,
            taken: now,
            progress: false,
            next_ping: now,
            ping: None,
            pong: None,
        };
        alive.prepare_ping(now, rng);
        alive
    }

    /// A frame of the peer was decrypted.
    pub(super) fn heard(&mut self, now: UnixMillis) {
        self.heard = now;
    }

    /// The transport took something.
    pub(super) fn taken(&mut self) {
        self.progress = true;
    }

    pub(super) fn ping(&mut self, token: u64) {
        self.pong = Some(token);
    }

    pub(super) fn pong(&mut self, now: UnixMillis, token: u64, trip: &mut RoundTrip) {
        let Some(ping) = self.ping.filter(|ping| ping.sent && ping.token == token) else {
            return;
        };
        self.ping = None;
        trip.sample(ping.at, now);
    }

    /// Appends the ping and the pong that are due.
    pub(super) fn write(&mut self, items: &mut Vec<u8>) {
        if let Some(token) = self.pong.take() {
            Item::Pong { token }.write(items);
        }
        if let Some(ping) = self.ping.as_mut().filter(|ping| !ping.sent) {
            ping.sent = true;
            Item::Ping { token: ping.token }.write(items);
        }
    }

    pub(super) fn next_timeout(&self) -> UnixMillis {
        self.next_ping.min(self.heard.plus(SILENCE_TIMEOUT_MS))
    }

    /// Checks every limit; `waiting` is whether the transport has bytes it did not take yet.
    pub(super) fn handle_timeout(
        &mut self,
        now: UnixMillis,
        waiting: bool,
        rng: &mut Rng,
    ) -> Result<(), LinkError> {
        if !waiting || std::mem::take(&mut self.progress) {
            self.taken = now;
        }
        let over = |since: UnixMillis| now.since(since) >= SILENCE_TIMEOUT_MS;
        if over(self.heard) {
            return Err(LinkError::Silent);
        }
        if over(self.taken) {
            return Err(LinkError::Stalled);
        }
        if now >= self.next_ping {
            match self.ping {
                Some(ping) if over(ping.at) => return Err(LinkError::PingUnanswered),
                Some(_) => self.next_ping = now.plus(PING_INTERVAL_MS),
                None => self.prepare_ping(now, rng),
            }
        }
        Ok(())
    }

    fn prepare_ping(&mut self, now: UnixMillis, rng: &mut Rng) {
        self.ping = Some(Ping {
            token: rng.next_u64(),
            at: now,
            sent: false,
        });
        self.next_ping = now.plus(PING_INTERVAL_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis(1_000_000);

    fn alive() -> (Alive, Rng) {
        let mut rng = Rng::from_seed([1; 32]);
        (Alive::new(START, &mut rng), rng)
    }

    fn sent_ping(alive: &mut Alive) -> u64 {
        alive.write(&mut Vec::new());
        alive.ping.unwrap().token
    }

    #[test]
    fn a_pong_nobody_asked_for_is_ignored() {
        let (mut alive, _) = alive();
        let mut trip = RoundTrip::default();
        let token = alive.ping.unwrap().token;
        // Before the ping went out, and with another token.
        alive.pong(START, token, &mut trip);
        sent_ping(&mut alive);
        alive.pong(START, token ^ 1, &mut trip);
        assert_eq!(trip.smoothed_ms(), None);
        // Twice the same.
        alive.pong(START.plus(10), token, &mut trip);
        alive.pong(START.plus(1000), token, &mut trip);
        assert_eq!(trip.smoothed_ms(), Some(10));
    }

    #[test]
    fn a_flood_of_pings_is_answered_once() {
        let (mut alive, _) = alive();
        sent_ping(&mut alive);
        for token in 0..1000 {
            alive.ping(token);
        }
        let mut items = Vec::new();
        alive.write(&mut items);
        let mut expected = Vec::new();
        Item::Pong { token: 999 }.write(&mut expected);
        assert_eq!(items, expected);
    }

    #[test]
    fn a_silent_peer_ends_the_link() {
        let (mut alive, mut rng) = alive();
        let before = START.plus(SILENCE_TIMEOUT_MS - 1);
        assert_eq!(alive.handle_timeout(before, false, &mut rng), Ok(()));
        let end = START.plus(SILENCE_TIMEOUT_MS);
        assert_eq!(alive.next_timeout(), end);
        assert_eq!(
            alive.handle_timeout(end, false, &mut rng),
            Err(LinkError::Silent)
        );
    }

    #[test]
    fn a_peer_that_sends_but_answers_no_ping_ends_the_link() {
        let (mut alive, mut rng) = alive();
        sent_ping(&mut alive);
        let error = loop {
            let now = alive.next_timeout();
            alive.heard(now);
            if let Err(error) = alive.handle_timeout(now, false, &mut rng) {
                assert!(now.since(START) >= SILENCE_TIMEOUT_MS);
                break error;
            }
        };
        assert_eq!(error, LinkError::PingUnanswered);
    }

    #[test]
    fn a_transport_that_takes_nothing_ends_the_link_and_one_that_takes_little_does_not() {
        for (progress, expected) in [(false, Err(LinkError::Stalled)), (true, Ok(()))] {
            let (mut alive, mut rng) = alive();
            let mut result = Ok(());
            let mut now = START;
            while result.is_ok() && now.since(START) < 3 * SILENCE_TIMEOUT_MS {
                now = alive.next_timeout();
                alive.heard(now);
                if progress {
                    alive.taken();
                }
                result = alive.handle_timeout(now, true, &mut rng);
                let token = sent_or_old_ping(&mut alive);
                alive.pong(now, token, &mut RoundTrip::default());
            }
            assert_eq!(result, expected);
        }
    }

    fn sent_or_old_ping(alive: &mut Alive) -> u64 {
        alive.write(&mut Vec::new());
        alive.ping.map_or(0, |ping| ping.token)
    }
}
