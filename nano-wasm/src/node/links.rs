//! What carries links, and how much of what was sent is really gone.
//!
//! A link is *dialled* or *adopted* first and *open* later; the node knows only open ones. Links
//! to browsers belong to a session of the page, which is over when the link is. Such a link may have an
//! unordered channel besides its carrier.

use std::collections::BTreeMap;

use nanonet::Channel as Kind;
use nanonet::{LinkId, LinkOrigin, SessionId, Transport};

use super::channel::Channel;
use super::page::Page;
use super::socket::Socket;

/// Bytes in a transport's buffer that count as gone, so that sending never runs dry while the
/// news of an empty buffer is on its way.
pub(super) const LOW_WATER: u32 = 16_384;

/// What carries a link.
pub(super) enum Carrier {
    Socket(Socket),
    Channel(Channel),
    /// A channel that stayed on the page.
    Forwarded,
}

/// Bytes sent and not yet reported as written.
#[derive(Debug, Default)]
struct Meter {
    outstanding: u32,
}

impl Meter {
    const fn sent(&mut self, bytes: u32) {
        self.outstanding = self.outstanding.saturating_add(bytes);
    }

    /// Bytes to report, given what the transport still buffers.
    fn settle(&mut self, buffered: u32) -> u32 {
        let waiting = buffered.saturating_sub(LOW_WATER).min(self.outstanding);
        let written = self.outstanding - waiting;
        self.outstanding = waiting;
        written
    }
}

pub(super) struct Link {
    carrier: Carrier,
    meter: Meter,
    unordered: Option<(Channel, Meter)>,
    open: bool,
    session: Option<(SessionId, bool)>,
}

impl Link {
    /// Its session with the page, if it leads to a browser.
    pub(super) fn session(&self) -> Option<SessionId> {
        self.session.map(|(session, _)| session)
    }

    /// Whether the node knows it.
    pub(super) const fn is_open(&self) -> bool {
        self.open
    }

    /// Closes its transport.
    pub(super) fn close(&self) {
        match &self.carrier {
            Carrier::Socket(socket) => socket.close(),
            Carrier::Channel(channel) => channel.close(),
            Carrier::Forwarded => {}
        }
        if let Some((channel, _)) = &self.unordered {
            channel.close();
        }
    }

    /// Sends one message over the unordered channel. Without one it is lost, as it may be.
    fn send_unordered(&mut self, bytes: &[u8], length: u32) -> u32 {
        let Some((channel, meter)) = &mut self.unordered else {
            return length;
        };
        if !channel.send(bytes) {
            return length;
        }
        meter.sent(length);
        meter.settle(channel.buffered())
    }
}

/// All links, at most the page's connections and the places of bridges.
#[derive(Default)]
pub(super) struct Links {
    links: BTreeMap<LinkId, Link>,
    last: u64,
}

impl Links {
    /// A number never used before.
    pub(super) const fn number(&mut self) -> LinkId {
        self.last += 1;
        LinkId(self.last)
    }

    /// Adds a link that is not open. `session`: of the page, and whether our side made the offer.
    pub(super) fn add(
        &mut self,
        link: LinkId,
        carrier: Carrier,
        session: Option<(SessionId, bool)>,
    ) {
        let entry = Link {
            carrier,
            meter: Meter::default(),
            unordered: None,
            open: false,
            session,
        };
        self.links.insert(link, entry);
    }

    /// Adds the unordered channel of a link.
    pub(super) fn add_unordered(&mut self, link: LinkId, channel: Channel) {
        if let Some(link) = self.links.get_mut(&link) {
            link.unordered = Some((channel, Meter::default()));
        }
    }

    /// Whether a link has an unordered channel that is open.
    pub(super) fn has_unordered(&self, link: LinkId) -> bool {
        let unordered = self
            .links
            .get(&link)
            .and_then(|link| link.unordered.as_ref());
        unordered.is_some_and(|(channel, _)| channel.is_open())
    }

    /// The transport is open: says so once.
    pub(super) fn open(&mut self, link: LinkId) -> Option<(LinkOrigin, Transport)> {
        let link = self.links.get_mut(&link).filter(|link| !link.open)?;
        link.open = true;
        Some(match link.session {
            Some((session, offerer)) => (
                LinkOrigin::Signaled { session, offerer },
                Transport::DataChannel,
            ),
            None => (LinkOrigin::Dialled, Transport::WebSocket),
        })
    }

    /// Sends one message and says how many bytes can be reported as written at once.
    pub(super) fn send(
        &mut self,
        link: LinkId,
        channel: Kind,
        bytes: &[u8],
        page: &Page,
    ) -> Option<u32> {
        let link = self.links.get_mut(&link)?;
        let length = u32::try_from(bytes.len()).ok()?;
        if channel == Kind::Unordered {
            return Some(link.send_unordered(bytes, length));
        }
        link.meter.sent(length);
        let buffered = match &link.carrier {
            Carrier::Socket(socket) => socket.send(bytes).then(|| socket.buffered())?,
            Carrier::Channel(channel) => channel.send(bytes).then(|| channel.buffered())?,
            Carrier::Forwarded => {
                let (session, _) = link.session?;
                page.forward(session, bytes);
                // The page reports what its channel has taken.
                return Some(0);
            }
        };
        Some(link.meter.settle(buffered))
    }

    /// The transport has taken more: says how much.
    pub(super) fn drained(&mut self, link: LinkId) -> u32 {
        let Some(link) = self.links.get_mut(&link) else {
            return 0;
        };
        let buffered = match &link.carrier {
            Carrier::Socket(socket) => socket.buffered(),
            Carrier::Channel(channel) => channel.buffered(),
            Carrier::Forwarded => return 0,
        };
        let unordered = link.unordered.as_mut();
        let more = unordered.map_or(0, |(channel, meter)| meter.settle(channel.buffered()));
        link.meter.settle(buffered) + more
    }

    /// Sockets with something in their buffer. They do not tell when it empties: they are asked.
    pub(super) fn full_sockets(&self) -> Vec<LinkId> {
        let full = |link: &Link| {
            matches!(link.carrier, Carrier::Socket(_)) && link.open && link.meter.outstanding > 0
        };
        self.links
            .iter()
            .filter(|(_, link)| full(link))
            .map(|(number, _)| *number)
            .collect()
    }

    /// The link of a session.
    pub(super) fn of_session(&self, session: SessionId) -> Option<LinkId> {
        self.links
            .iter()
            .find(|(_, link)| link.session() == Some(session))
            .map(|(number, _)| *number)
    }

    /// Takes a link out.
    pub(super) fn remove(&mut self, link: LinkId) -> Option<Link> {
        self.links.remove(&link)
    }

    /// Takes all out.
    pub(super) fn remove_all(&mut self) -> impl Iterator<Item = Link> {
        std::mem::take(&mut self.links).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_below_the_low_water_counts_as_written() {
        let mut meter = Meter::default();
        meter.sent(10_000);
        assert_eq!(meter.settle(10_000), 10_000);
        meter.sent(20_000);
        assert_eq!(meter.settle(30_000), 20_000 - (30_000 - LOW_WATER));
        assert_eq!(meter.settle(0), 30_000 - LOW_WATER);
    }

    proptest! {
        #[test]
        fn every_byte_is_reported_once(steps in prop::collection::vec((0..20_000_u32, 0..100_000_u32), 1..50)) {
            let mut meter = Meter::default();
            let (mut sent, mut reported) = (0, 0);
            for (bytes, buffered) in steps {
                meter.sent(bytes);
                sent += bytes;
                reported += meter.settle(buffered);
                prop_assert!(reported <= sent);
            }
            reported += meter.settle(0);
            prop_assert_eq!(reported, sent);
        }
    }
}
