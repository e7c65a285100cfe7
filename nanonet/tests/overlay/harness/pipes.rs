//! Pipes between nodes: latency, bandwidth, order kept, and how they break.

use nano_core::UnixMillis;
use nanonet::{Input, LinkId, LinkOrigin, Role, SessionId, Transport};

use super::{Happening, Pipe, Place, World};

impl World {
    /// Opens a WebSocket (browser) or TCP connection (bridge) to a bridge.
    pub(crate) fn dial(&mut self, from: Place, bridge: Place) {
        let at = self.now.plus(self.latency(from, bridge));
        self.later(at, Happening::Dial(from, bridge));
    }

    /// Breaks the pipe between two nodes, if there is one.
    pub(crate) fn cut(&mut self, a: Place, b: Place) {
        let Some((link, other)) = self.members[a]
            .pipes
            .iter()
            .find(|(_, pipe)| pipe.to == b)
            .map(|(link, pipe)| (*link, pipe.to_link))
        else {
            return;
        };
        self.members[a].pipes.remove(&link);
        self.input(a, Input::LinkClosed { link });
        self.break_pipe(b, other, self.now);
    }

    pub(super) fn connect(&mut self, from: Place, bridge: Place) {
        if !self.runs(from) {
            return;
        }
        if !self.runs(bridge) {
            // Refused: the shell tries again when it is asked again.
            return;
        }
        let transport = match self.members[from].role {
            Role::Browser => Transport::WebSocket,
            Role::Bridge => Transport::Tcp,
        };
        let (a, b) = self.pipe(from, bridge, None, None);
        self.open(bridge, b, LinkOrigin::Accepted, transport);
        self.open(from, a, LinkOrigin::Dialled, transport);
    }

    pub(super) fn pipe(
        &mut self,
        a: Place,
        b: Place,
        a_session: Option<SessionId>,
        b_session: Option<SessionId>,
    ) -> (LinkId, LinkId) {
        self.counter += 2;
        let (a_link, b_link) = (LinkId(self.counter), LinkId(self.counter + 1));
        let pipe = |to, to_link, session| Pipe {
            to,
            to_link,
            session,
            busy_until: UnixMillis(0),
        };
        self.members[a]
            .pipes
            .insert(a_link, pipe(b, b_link, a_session));
        self.members[b]
            .pipes
            .insert(b_link, pipe(a, a_link, b_session));
        (a_link, b_link)
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
        let input = Input::LinkClosed { link };
        self.later(at, Happening::Input(place, starts, Box::new(input)));
    }

    pub(super) fn transmit(&mut self, place: Place, link: LinkId, bytes: Vec<u8>) {
        let Some((to, bytes_per_ms)) = self.members[place]
            .pipes
            .get(&link)
            .map(|pipe| (pipe.to, self.rules.bandwidth))
        else {
            return;
        };
        let latency = self.latency(place, to);
        let now = self.now;
        let length = u64::try_from(bytes.len()).unwrap();
        let pipe = self.members[place].pipes.get_mut(&link).unwrap();
        let sent = pipe.busy_until.max(now).plus(length / bytes_per_ms);
        pipe.busy_until = sent;
        let to_link = pipe.to_link;
        let written = Input::LinkWritten {
            link,
            bytes: u32::try_from(length).unwrap(),
        };
        let starts = self.members[place].starts;
        self.later(
            sent.plus(1),
            Happening::Input(place, starts, Box::new(written)),
        );
        self.later(sent.plus(latency), Happening::Arrive(to, to_link, bytes));
    }

    pub(super) fn close(&mut self, place: Place, link: LinkId) {
        if let Some(pipe) = self.members[place].pipes.remove(&link) {
            let at = pipe
                .busy_until
                .max(self.now)
                .plus(self.latency(place, pipe.to));
            self.break_pipe(pipe.to, pipe.to_link, at);
        }
    }

    pub(super) fn redial(&mut self, place: Place) {
        let bridges: Vec<Place> = (0..self.members.len())
            .filter(|other| self.members[*other].role == Role::Bridge)
            .collect();
        for bridge in bridges {
            let linked = self.members[place]
                .pipes
                .values()
                .any(|pipe| pipe.to == bridge);
            if !linked {
                self.dial(place, bridge);
            }
        }
    }
}
