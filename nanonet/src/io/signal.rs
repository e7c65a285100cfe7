//! What the page's `RTCPeerConnection`s are asked to do.

use super::SessionId;

/// What to do with the page's connections. One session is one `RTCPeerConnection` with one
/// ordered, reliable data channel; the offering side creates the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalOp {
    /// Make a connection and an offer, answer with
    /// [`Input::LocalDescription`](crate::Input::LocalDescription).
    CreateOffer {
        /// The new session.
        session: SessionId,
    },
    /// Make a connection from this offer, answer with
    /// [`Input::LocalDescription`](crate::Input::LocalDescription).
    AcceptOffer {
        /// The new session.
        session: SessionId,
        /// The other side's offer.
        sdp: String,
    },
    /// Give this answer to the connection that made the offer.
    AcceptAnswer {
        /// The session.
        session: SessionId,
        /// The other side's answer.
        sdp: String,
    },
    /// Give this candidate of the other side to the connection.
    AddCandidate {
        /// The session.
        session: SessionId,
        /// As the other shell gave it to its node.
        candidate: String,
    },
    /// Drop the connection: it failed, timed out, lost against a crossing offer, or is not needed.
    Abandon {
        /// The session; never mentioned again.
        session: SessionId,
    },
}
