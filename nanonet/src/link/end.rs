//! What a node needs of one end of a link, whatever keeps it secret.
//!
//! The product's own is [`Link`]. A simulation of many thousands of nodes may put in one that
//! spends no time on encryption; everything above it stays the product's.

use nano_core::UnixMillis;

use super::{Channel, Class, Link, LinkConfig, LinkOutput, LinkStats, QueryNumber, SendError};
use crate::identity::Identity;
use crate::rng::Rng;

/// One end of a link; [`Link`] tells its states and rules, and what each of these does.
pub trait LinkEnd: Sized {
    /// The end that starts the handshake; see [`Link::initiator`].
    fn initiator(identity: &Identity, config: LinkConfig, rng: &mut Rng, now: UnixMillis) -> Self;
    /// The end that waits for it; see [`Link::responder`].
    fn responder(identity: &Identity, config: LinkConfig, rng: &mut Rng, now: UnixMillis) -> Self;
    /// Takes one transport message; see [`Link::receive`].
    fn receive(&mut self, now: UnixMillis, channel: Channel, frame: &[u8]);
    /// The transport has an unordered channel, or no longer; see [`Link::set_unordered`].
    fn set_unordered(&mut self, now: UnixMillis, open: bool);
    /// The transport has taken bytes; see [`Link::written`].
    fn written(&mut self, now: UnixMillis, bytes: u32);
    /// Queues a message; see [`Link::send`].
    ///
    /// # Errors
    /// [`SendError`]: the message is not taken, the link goes on.
    fn send(
        &mut self,
        now: UnixMillis,
        class: Class,
        message: Vec<u8>,
    ) -> Result<Option<QueryNumber>, SendError>;
    /// Ends the link; see [`Link::close`].
    fn close(&mut self, code: u8);
    /// The next thing it wants done; see [`Link::poll`].
    fn poll(&mut self) -> Option<LinkOutput>;
    /// When [`LinkEnd::handle_timeout`] is due; see [`Link::next_timeout`].
    fn next_timeout(&self) -> Option<UnixMillis>;
    /// Does what is due; see [`Link::handle_timeout`].
    fn handle_timeout(&mut self, now: UnixMillis);
    /// Smoothed round trip in milliseconds; see [`Link::rtt_ms`].
    fn rtt_ms(&self) -> Option<u32>;
    /// What went over it; see [`Link::stats`].
    fn stats(&self) -> LinkStats;
}

impl LinkEnd for Link {
    fn initiator(identity: &Identity, config: LinkConfig, rng: &mut Rng, now: UnixMillis) -> Self {
        Self::initiator(identity, config, rng, now)
    }

    fn responder(identity: &Identity, config: LinkConfig, rng: &mut Rng, now: UnixMillis) -> Self {
        Self::responder(identity, config, rng, now)
    }

    fn receive(&mut self, now: UnixMillis, channel: Channel, frame: &[u8]) {
        self.receive(now, channel, frame);
    }

    fn set_unordered(&mut self, now: UnixMillis, open: bool) {
        self.set_unordered(now, open);
    }

    fn written(&mut self, now: UnixMillis, bytes: u32) {
        self.written(now, bytes);
    }

    fn send(
        &mut self,
        now: UnixMillis,
        class: Class,
        message: Vec<u8>,
    ) -> Result<Option<QueryNumber>, SendError> {
        self.send(now, class, message)
    }

    fn close(&mut self, code: u8) {
        self.close(code);
    }

    fn poll(&mut self) -> Option<LinkOutput> {
        self.poll()
    }

    fn next_timeout(&self) -> Option<UnixMillis> {
        self.next_timeout()
    }

    fn handle_timeout(&mut self, now: UnixMillis) {
        self.handle_timeout(now);
    }

    fn rtt_ms(&self) -> Option<u32> {
        self.rtt_ms()
    }

    fn stats(&self) -> LinkStats {
        self.stats()
    }
}
