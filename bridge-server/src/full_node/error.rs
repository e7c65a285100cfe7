//! Why a channel ended and why a question has no answer.

use std::io;

use nano_core::message::{HandshakeError, MessageError, MessageType};
use nano_core::{BlockHash, Network};

use super::book::{End, Refused};

/// Why a channel to a full node ended, or did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The address could not be connected to.
    #[error("cannot connect: {0}; is the full node running and its peering port open?")]
    Connect(io::Error),
    /// A step took too long.
    #[error("{0} took too long; the full node is slow, busy or refuses silently")]
    TimedOut(&'static str),
    /// The other side closed the connection.
    #[error("the full node closed the connection during {0}")]
    Closed(&'static str),
    /// The other side closed the connection in the middle of a message.
    #[error("the full node closed the connection in the middle of a message")]
    Truncated,
    /// Reading or writing failed.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// A message of another network.
    #[error("the full node belongs to the {0} network; check --network and --peer")]
    WrongNetwork(Network),
    /// A handshake of another network.
    #[error("the full node's genesis is {0}, another network's; check --network and --peer")]
    WrongGenesis(BlockHash),
    /// Bytes that are no message: old version, unknown type, too long, malformed.
    #[error("the full node sent what is no message: {0}")]
    Malformed(#[from] MessageError),
    /// The handshake was answered with something else.
    #[error("the full node answered the handshake with a {0} message")]
    NotAHandshake(MessageType),
    /// A handshake message at the wrong step, such as a second query.
    #[error("the full node sent a handshake message out of turn")]
    OutOfTurn,
    /// The handshake's response is missing or does not hold.
    #[error("the handshake was refused: {0}")]
    Handshake(HandshakeError),
    /// The response came without a query, as from a node that has no cookie left to give.
    #[error("the full node gave no cookie; it has too many connections from this address")]
    NoQuery,
    /// The node at the other end is this bridge.
    #[error("this is a connection to ourselves; it is not tried again in this run")]
    OwnId,
    /// The node is connected by another channel, which answers.
    #[error("this full node is connected by another channel already, and that one answers")]
    Duplicate,
    /// The node has connected anew, and this channel did not answer.
    #[error("the full node has another channel, and this one did not answer")]
    Replaced,
    /// Ended in favour of an endpoint that may host a representative.
    #[error("given up for a full node that may host a representative")]
    GivenUp,
    /// No place for another incoming connection.
    #[error("not accepted: {0}")]
    Refused(#[from] Refused),
    /// More bytes than any full node has reason to send.
    #[error("the full node sent more than 10 MiB per second for longer than a burst may last")]
    Flood,
    /// More messages of no use than any full node has reason to send.
    #[error("the full node sent more than 64 messages per second that nobody asked for")]
    Unasked,
    /// Nothing was heard for too long.
    #[error("nothing was heard for {0} s")]
    Silent(u64),
    /// No random numbers for the handshake.
    #[error(transparent)]
    Random(#[from] crate::clock::RandomError),
}

impl From<HandshakeError> for ChannelError {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::WrongGenesis(genesis) => Self::WrongGenesis(genesis),
            HandshakeError::OwnId => Self::OwnId,
            other => Self::Handshake(other),
        }
    }
}

impl ChannelError {
    /// Kebab-case name for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::TimedOut(_) => "timed-out",
            Self::Closed(_) => "closed",
            Self::Truncated => "truncated",
            Self::Broken(_) => "broken",
            Self::Malformed(MessageError::OldVersion(_))
            | Self::Handshake(HandshakeError::OldVersion) => "old-version",
            Self::Malformed(MessageError::UnknownNetwork(_)) => "not-nano",
            Self::Malformed(MessageError::UnknownType(_)) => "unknown-type",
            Self::Malformed(MessageError::PayloadTooLong { .. }) => "too-long",
            Self::Malformed(_) => "malformed",
            Self::NotAHandshake(_) => "not-a-handshake",
            Self::OutOfTurn => "out-of-turn",
            Self::Handshake(HandshakeError::BadSignature(_)) => "bad-signature",
            Self::Handshake(_) => "no-response",
            Self::NoQuery => "no-query",
            Self::WrongNetwork(_) => "wrong-network",
            Self::WrongGenesis(_) => "wrong-genesis",
            Self::OwnId => "own-id",
            Self::Duplicate => "duplicate",
            Self::Replaced => "replaced",
            Self::GivenUp => "given-up",
            Self::Refused(Refused::Full) => "refused-full",
            Self::Refused(Refused::Address) => "refused-address",
            Self::Refused(Refused::Subnet) => "refused-subnet",
            Self::Refused(Refused::Private) => "refused-private",
            Self::Flood => "flood",
            Self::Unasked => "unasked",
            Self::Silent(_) => "silent",
            Self::Random(_) => "random",
        }
    }

    /// What it means for the endpoint.
    pub(super) const fn end(&self) -> End {
        match self {
            Self::WrongNetwork(_)
            | Self::WrongGenesis(_)
            | Self::Handshake(HandshakeError::OldVersion)
            | Self::Malformed(MessageError::OldVersion(_) | MessageError::UnknownNetwork(_)) => {
                End::Foreign
            }
            Self::OwnId => End::Own,
            Self::Duplicate => End::Duplicate,
            Self::GivenUp => End::GivenUp,
            _ => End::Usual,
        }
    }
}

/// Why full nodes gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No channel is open.
    #[error("no full node is connected; check --peer and the full node")]
    NoFullNode,
    /// Nobody asked answered in time.
    #[error("{asked} full nodes were asked and none answered in time; try again")]
    TimedOut {
        /// How many were asked.
        asked: u8,
    },
    /// Those who answered do not know it.
    #[error("{asked} full nodes were asked and none that answered knows it; it may not exist yet")]
    Unknown {
        /// How many were asked.
        asked: u8,
    },
    /// Too many questions are open.
    #[error("too many questions to full nodes are open; try again")]
    Busy,
    /// Answers came that contradict what was asked for.
    #[error("the full nodes' answers do not fit the question; try again or add other peers")]
    Wrong,
}
