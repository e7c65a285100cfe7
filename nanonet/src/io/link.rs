//! Links as the shell sees them: how one came to be, what carries it, why it was closed.

use super::SessionId;

/// How a link came to be; decides who starts the Noise handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkOrigin {
    /// We opened a WebSocket or TCP connection; we start the handshake.
    Dialled,
    /// The other side opened it; it starts the handshake.
    Accepted,
    /// A data channel out of a signaling session; the side that answered starts, because its
    /// channel appears last: what arrives there before the page has handed the channel to the
    /// worker is lost.
    Signaled {
        /// The session of [`SignalOp`](crate::SignalOp) that led to this channel.
        session: SessionId,
        /// Whether our side made the offer.
        offerer: bool,
    },
}

impl LinkOrigin {
    /// Whether our side starts the Noise handshake.
    #[must_use]
    pub const fn we_start(self) -> bool {
        match self {
            Self::Dialled => true,
            Self::Accepted => false,
            Self::Signaled { offerer, .. } => !offerer,
        }
    }
}

/// What carries the bytes of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// A WebSocket between a browser and a bridge.
    WebSocket,
    /// A TCP connection between two bridges.
    Tcp,
    /// A WebRTC data channel between two browsers, ordered and reliable; beside it there may be one that
    /// is neither, for queries.
    DataChannel,
}

impl Transport {
    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "web-socket",
            Self::Tcp => "tcp",
            Self::DataChannel => "data-channel",
        }
    }
}

/// Why a link was closed by this node. Codes are kebab-case and stable (metrics, status).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum CloseReason {
    /// The handshake or the decryption failed, or frames broke the rules of the link.
    LinkFailed,
    /// The handshake did not finish within ten seconds.
    HandshakeTimeout,
    /// The peer is of another network.
    WrongNetwork,
    /// The peer has our own key: a link to ourselves.
    Ourselves,
    /// A second link to the same node.
    Duplicate,
    /// All link places are taken by more useful peers.
    Full,
    /// The place was needed for a more useful peer.
    Shed,
    /// Messages that cannot be decoded or are over their limits.
    Garbage,
    /// More messages than its budget allows.
    Flood,
    /// Too many answers or records that do not verify.
    BadAnswers,
    /// The peer is banned for an earlier reason, until its ban expires.
    Banned,
    /// Nothing was heard for a minute, or the transport takes nothing any more.
    Silent,
    /// The peer closed it and said so.
    ClosedByPeer,
    /// The peer calls itself a bridge where only a browser can be: on a data channel, or on a
    /// WebSocket that it opened.
    WrongRole,
}

impl CloseReason {
    /// Every reason, in order.
    pub const ALL: [Self; 14] = [
        Self::LinkFailed,
        Self::HandshakeTimeout,
        Self::WrongNetwork,
        Self::Ourselves,
        Self::Duplicate,
        Self::Full,
        Self::Shed,
        Self::Garbage,
        Self::Flood,
        Self::BadAnswers,
        Self::Banned,
        Self::Silent,
        Self::ClosedByPeer,
        Self::WrongRole,
    ];

    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::LinkFailed => "link-failed",
            Self::HandshakeTimeout => "handshake-timeout",
            Self::WrongNetwork => "wrong-network",
            Self::Ourselves => "ourselves",
            Self::Duplicate => "duplicate",
            Self::Full => "full",
            Self::Shed => "shed",
            Self::Garbage => "garbage",
            Self::Flood => "flood",
            Self::BadAnswers => "bad-answers",
            Self::Banned => "banned",
            Self::Silent => "silent",
            Self::ClosedByPeer => "closed-by-peer",
            Self::WrongRole => "wrong-role",
        }
    }

    /// What the peer is told: its place in [`CloseReason::ALL`] plus one.
    /// Whether nothing more was heard from the peer.
    pub(crate) const fn is_silence(self) -> bool {
        matches!(self, Self::Silent | Self::LinkFailed)
    }

    pub(crate) const fn wire_code(self) -> u8 {
        self as u8 + 1
    }

    /// Reads what a peer told.
    pub(crate) fn from_wire_code(code: u8) -> Option<Self> {
        let place = usize::from(code).checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// Whether the peer is at fault: such a peer is banned for a while.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(
            self,
            Self::LinkFailed | Self::Garbage | Self::Flood | Self::BadAnswers | Self::WrongRole
        )
    }
}
