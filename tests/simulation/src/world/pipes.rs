//! Pipes between nodes: latency, bandwidth, order kept, and how they break.
//!
//! What is lost on the way of an ordered channel is sent again by the transport, as data channels and
//! TCP do: it comes later, and what was sent after it waits for it. What is lost on an unordered one
//! is gone, and what is not may be overtaken or come twice.

use nano_core::UnixMillis;
use nanonet::Crypto;
use nanonet::{Channel, Input, LinkId, LinkOrigin, Role, SessionId, Transport};

use super::{Happening, Place, World};

/// Least wait until the transport sends again what was lost: SCTP's first time-out.
const RESEND_MS: u64 = 1_000;

/// One end of a pipe, as its owner sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pipe {
    pub(super) to: Place,
    pub(super) to_link: LinkId,
    pub(super) session: Option<SessionId>,
    /// When the last message was on its way: order is kept.
    pub(super) busy_until: UnixMillis,
    /// When the last message arrives.
    arrives: UnixMillis,
}

/// All ends. A link's number names its place here and how often that place was used before.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    ends: Vec<(u32, Option<Pipe>)>,
    free: Vec<u32>,
}

impl Pipes {
    fn number(&mut self) -> LinkId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.ends.push((0, None));
            u32::try_from(self.ends.len() - 1).unwrap_or(u32::MAX)
        });
        let end = &mut self.ends[place as usize];
        end.0 += 1;
        LinkId((u64::from(end.0) << 32) | u64::from(place))
    }

    fn place(link: LinkId) -> usize {
        usize::try_from(link.0 & 0xFFFF_FFFF).unwrap_or(0)
    }

    fn end(&mut self, link: LinkId) -> Option<&mut Pipe> {
        let (used, pipe) = self.ends.get_mut(Self::place(link))?;
        if u64::from(*used) != link.0 >> 32 {
            return None;
        }
        pipe.as_mut()
    }

    pub(super) fn get(&self, link: LinkId) -> Option<&Pipe> {
        let (used, pipe) = self.ends.get(Self::place(link))?;
        pipe.as_ref().filter(|_| u64::from(*used) == link.0 >> 32)
    }

    pub(super) fn is_open(&self, link: LinkId) -> bool {
        self.get(link).is_some()
    }

    /// Takes one end out.
    pub(super) fn close(&mut self, link: LinkId) -> Option<Pipe> {
        let pipe = *self.end(link)?;
        let place = Self::place(link);
        self.ends[place].1 = None;
        self.free.push(u32::try_from(place).unwrap_or(u32::MAX));
        Some(pipe)
    }
}

impl<C: Crypto> World<C> {
    /// Opens a WebSocket (browser) or TCP connection (bridge) to a bridge.
    pub fn dial(&mut self, from: Place, bridge: Place) {
        let at = self.now.plus(self.latency(from, bridge));
        self.queue.push(at, Happening::Dial(from, bridge));
    }

    /// Breaks the pipe between two nodes, if there is one.
    pub fn cut(&mut self, a: Place, b: Place) {
        let links = self.members[a].links.iter().copied();
        let found = links.filter_map(|link| Some((link, *self.pipes.get(link)?)));
        let Some((link, pipe)) = found.into_iter().find(|(_, pipe)| pipe.to == b) else {
            return;
        };
        self.drop_pipe(a, link);
        self.input(a, Input::LinkClosed { link });
        self.break_pipe(b, pipe.to_link, self.now);
    }

    pub(super) fn connect(&mut self, from: Place, bridge: Place) {
        // Refused by a bridge that is not there: the shell tries again when it is asked again.
        if !self.runs(from) || !self.runs(bridge) || self.faults.severed(from, bridge) {
            return;
        }
        let transport = match self.members[from].role {
            Role::Browser => Transport::WebSocket,
            Role::Bridge => Transport::Tcp,
        };
        let (a, b) = self.pipe(from, bridge, None, None);
        self.open(bridge, b, LinkOrigin::Accepted, transport);
        if let Some(address) = self.addresses.get(&from).copied() {
            self.input(bridge, Input::LinkAddress { link: b, address });
        }
        self.open(from, a, LinkOrigin::Dialled, transport);
    }

    pub(super) fn pipe(
        &mut self,
        a: Place,
        b: Place,
        a_session: Option<SessionId>,
        b_session: Option<SessionId>,
    ) -> (LinkId, LinkId) {
        let (a_link, b_link) = (self.pipes.number(), self.pipes.number());
        let pipe = |to, to_link, session| Pipe {
            to,
            to_link,
            session,
            busy_until: UnixMillis::new(0),
            arrives: UnixMillis::new(0),
        };
        self.pipes.ends[Pipes::place(a_link)].1 = Some(pipe(b, b_link, a_session));
        self.pipes.ends[Pipes::place(b_link)].1 = Some(pipe(a, a_link, b_session));
        self.members[a].links.push(a_link);
        self.members[b].links.push(b_link);
        (a_link, b_link)
    }

    /// Forgets one end.
    pub(super) fn drop_pipe(&mut self, place: Place, link: LinkId) -> Option<Pipe> {
        self.members[place].links.retain(|other| *other != link);
        self.pipes.close(link)
    }

    pub(super) fn open(
        &mut self,
        place: Place,
        link: LinkId,
        origin: LinkOrigin,
        transport: Transport,
    ) {
        self.input(
            place,
            Input::LinkOpened {
                link,
                origin,
                transport,
            },
        );
    }

    pub(super) fn break_pipe(&mut self, place: Place, link: LinkId, at: UnixMillis) {
        let starts = self.members[place].starts;
        let input = Box::new(Input::LinkClosed { link });
        self.queue.push(at, Happening::Input(place, starts, input));
    }

    pub(super) fn transmit(
        &mut self,
        place: Place,
        link: LinkId,
        channel: Channel,
        bytes: Vec<u8>,
    ) {
        let Some(to) = self.pipes.get(link).map(|pipe| pipe.to) else {
            return;
        };
        if self.faults.severed(place, to) {
            self.faults.swallowed += 1;
            return;
        }
        let latency = self.latency(place, to);
        let lost = self.happens(self.rules.loss_ppm);
        let (now, bandwidth) = (self.now, self.rules.bandwidth);
        let Some(pipe) = self.pipes.end(link) else {
            return;
        };
        let sent = pipe
            .busy_until
            .max(now)
            .plus(bytes.len() as u64 / bandwidth);
        pipe.busy_until = sent;
        let to_link = pipe.to_link;
        if self.rules.report_written {
            let bytes = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let starts = self.members[place].starts;
            let written = Box::new(Input::LinkWritten { link, bytes });
            self.queue
                .push(sent.plus(1), Happening::Input(place, starts, written));
        }
        let usual = sent.plus(latency);
        let arrive = Happening::Arrive(to, to_link, channel, bytes.into());
        match channel {
            Channel::Ordered => {
                let resent = if lost { RESEND_MS.max(4 * latency) } else { 0 };
                let arrives = self.in_order(link, usual.plus(resent));
                self.queue.push(arrives, arrive);
            }
            Channel::Unordered if lost => {}
            Channel::Unordered => {
                if self.happens(self.rules.repeat_ppm)
                    && let Happening::Arrive(to, to_link, channel, bytes) = &arrive
                {
                    let again = Happening::Arrive(*to, *to_link, *channel, bytes.clone());
                    let at = self.jittered(usual);
                    self.queue.push(at, again);
                }
                let at = self.jittered(usual);
                self.queue.push(at, arrive);
            }
        }
    }

    /// When what would arrive at `at` does, since nothing overtakes what was sent before.
    fn in_order(&mut self, link: LinkId, at: UnixMillis) -> UnixMillis {
        let Some(pipe) = self.pipes.end(link) else {
            return at;
        };
        pipe.arrives = pipe.arrives.max(at);
        pipe.arrives
    }

    fn jittered(&mut self, at: UnixMillis) -> UnixMillis {
        match self.rules.jitter_ms {
            0 => at,
            most => at.plus(u64::from(self.chance.below(most + 1))),
        }
    }

    /// Whether something happens that happens so often in a million.
    fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.chance.below(1_000_000) < ppm
    }

    pub(super) fn close(&mut self, place: Place, link: LinkId) {
        if let Some(pipe) = self.drop_pipe(place, link) {
            let at = pipe
                .arrives
                .max(self.now.plus(self.latency(place, pipe.to)));
            self.break_pipe(pipe.to, pipe.to_link, at);
        }
    }

    pub(super) fn redial(&mut self, place: Place) {
        for bridge in self.bridges.clone() {
            let links = self.members[place].links.iter();
            let linked = links
                .filter_map(|link| self.pipes.get(*link))
                .any(|pipe| pipe.to == bridge);
            if !linked {
                self.dial(place, bridge);
            }
        }
    }
}
