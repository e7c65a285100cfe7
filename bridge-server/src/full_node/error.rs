//! Why a channel ended and why a question has no answer.

use std::io;

use nano_core::Network;
use nano_core::message::{HandshakeError, MessageError, MessageType};

/// Why a channel to a full node ended.
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
    /// Reading or writing failed.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// A message of another network.
    #[error("the full node belongs to the {0} network; check --network and --peer")]
    WrongNetwork(Network),
    /// Bytes that are no message: old version, unknown type, too long, malformed.
    #[error("the full node sent what is no message: {0}")]
    Malformed(#[from] MessageError),
    /// The handshake was answered with something else.
    #[error("the full node answered the handshake with a {0} message")]
    NotAHandshake(MessageType),
    /// The handshake's response is missing or does not hold.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The response came without a query, as from a node that has no cookie left to give.
    #[error("the full node gave no cookie; it has too many connections from this address")]
    NoQuery,
    /// Nothing was heard for too long.
    #[error("nothing was heard for {0} s")]
    Silent(u64),
    /// No random numbers for the handshake.
    #[error(transparent)]
    Random(#[from] crate::clock::RandomError),
}

impl ChannelError {
    /// Kebab-case name for metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::TimedOut(_) => "timed-out",
            Self::Closed(_) => "closed",
            Self::Broken(_) => "broken",
            Self::Malformed(_) => "malformed",
            Self::NotAHandshake(_) => "not-a-handshake",
            Self::Handshake(_) => "handshake",
            Self::NoQuery => "no-query",
            Self::WrongNetwork(_) => "wrong-network",
            Self::Silent(_) => "silent",
            Self::Random(_) => "random",
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
    /// Too many questions are open.
    #[error("too many questions to full nodes are open; try again")]
    Busy,
    /// Answers came that contradict what was asked for.
    #[error("the full nodes' answers do not fit the question; try again or add other peers")]
    Wrong,
}
