//! The page of a browser: it makes data channels out of descriptions.

use nanonet::Crypto;
use nanonet::{Input, LinkOrigin, SessionId, SignalOp, Transport};

use super::{Geography, Place, World};

/// Time the page takes for a description.
const DESCRIBE_MS: u64 = 5;
/// Time until a connection that cannot be made is given up.
const ICE_MS: u64 = 15_000;

impl<C: Crypto> World<C> {
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
                if let Some(other) = parse(&sdp) {
                    self.members[place].sessions.insert(session, Some(other));
                    self.describe(place, session);
                }
            }
            SignalOp::AcceptAnswer { session, sdp } => {
                let Some((other, theirs)) = parse(&sdp) else {
                    return;
                };
                let agreed =
                    self.members[other].sessions.get(&theirs) == Some(&Some((place, session)));
                if !agreed {
                    return;
                }
                self.members[place]
                    .sessions
                    .insert(session, Some((other, theirs)));
                if !self.connects(place, other) {
                    self.soon(place, ICE_MS, Input::SessionFailed { session });
                    self.soon(other, ICE_MS, Input::SessionFailed { session: theirs });
                    return;
                }
                self.channels_made += 1;
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
                if self.rules.unordered {
                    let open = true;
                    self.soon(other, at, Input::LinkUnordered { link: b, open });
                    self.soon(place, at, Input::LinkUnordered { link: a, open });
                }
            }
            SignalOp::AddCandidate { .. } => {}
            SignalOp::Abandon { session } => {
                self.members[place].sessions.remove(&session);
                let links = self.members[place].links.iter().copied();
                let link = links.into_iter().find(|link| {
                    let pipe = self.pipes.get(*link);
                    pipe.is_some_and(|pipe| pipe.session == Some(session))
                });
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

    pub(super) fn connects(&self, a: Place, b: Place) -> bool {
        self.rules.geography == Geography::Near
            || self.members[a].home.connects(&self.members[b].home)
    }
}

/// Place and session that a description names.
fn parse(sdp: &str) -> Option<(Place, SessionId)> {
    let (place, session) = sdp.split_once(' ')?;
    Some((place.parse().ok()?, SessionId(session.parse().ok()?)))
}
