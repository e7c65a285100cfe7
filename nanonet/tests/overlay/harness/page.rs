//! The page of a browser: it makes data channels out of descriptions.

use nanonet::{Input, LinkOrigin, SessionId, SignalOp, Transport};

use super::{Place, World};

/// Time the page takes for a description.
const DESCRIBE_MS: u64 = 5;

impl World {
    /// The page: descriptions name place and session, so both ends find each other.
    pub(super) fn signal(&mut self, place: Place, op: SignalOp) {
        match op {
            SignalOp::CreateOffer { session } | SignalOp::AcceptOffer { session, .. }
                if !self.rules.channels =>
            {
                self.soon(place, DESCRIBE_MS, Input::SessionFailed { session });
            }
            SignalOp::CreateOffer { session } => {
                self.members[place].sessions.insert(session, None);
                self.describe(place, session);
            }
            SignalOp::AcceptOffer { session, sdp } => {
                let other = self.parse(&sdp);
                self.members[place].sessions.insert(session, Some(other));
                self.describe(place, session);
            }
            SignalOp::AcceptAnswer { session, sdp } => {
                let (other, theirs) = self.parse(&sdp);
                let agreed =
                    self.members[other].sessions.get(&theirs) == Some(&Some((place, session)));
                if !agreed {
                    return;
                }
                self.members[place]
                    .sessions
                    .insert(session, Some((other, theirs)));
                let (a, b) = self.pipe(place, other, Some(session), Some(theirs));
                let at = self.latency(place, other) * 3;
                let transport = Transport::DataChannel;
                let offerer = |session, offerer| LinkOrigin::Signaled { session, offerer };
                let ours = Input::LinkOpened {
                    link: a,
                    origin: offerer(session, true),
                    transport,
                };
                let theirs = Input::LinkOpened {
                    link: b,
                    origin: offerer(theirs, false),
                    transport,
                };
                self.soon(other, at, theirs);
                self.soon(place, at, ours);
            }
            SignalOp::AddCandidate { .. } => {}
            SignalOp::Abandon { session } => {
                self.members[place].sessions.remove(&session);
                let link = self.members[place]
                    .pipes
                    .iter()
                    .find(|(_, pipe)| pipe.session == Some(session))
                    .map(|(link, _)| *link);
                if let Some(link) = link {
                    self.close(place, link);
                }
            }
        }
    }

    pub(super) fn describe(&mut self, place: Place, session: SessionId) {
        let sdp = format!("{place} {}", session.0);
        let candidate = format!("candidate of {sdp}");
        self.soon(place, DESCRIBE_MS, Input::LocalDescription { session, sdp });
        self.soon(
            place,
            DESCRIBE_MS * 2,
            Input::LocalCandidate { session, candidate },
        );
    }

    pub(super) fn parse(&self, sdp: &str) -> (Place, SessionId) {
        let (place, session) = sdp.split_once(' ').unwrap();
        (place.parse().unwrap(), SessionId(session.parse().unwrap()))
    }
}
