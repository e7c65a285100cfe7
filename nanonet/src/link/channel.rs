//! The two channels a transport may have, and how a query on either of them is named.

use serde::{Deserialize, Serialize};

/// Over which channel of a transport something goes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub enum Channel {
    /// Keeps boundaries and order and loses nothing: a WebSocket, TCP, the first data channel.
    #[default]
    Ordered,
    /// Keeps boundaries only: may lose, repeat and reorder, and holds nothing up. The second data
    /// channel between two browsers.
    Unordered,
}

impl Channel {
    /// Kebab-case name, as shown to people and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Unordered => "unordered",
        }
    }
}

/// Names a query that was sent over a link, until it is acknowledged: the channel it took and its
/// number there. Never used twice within four thousand million queries of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryNumber {
    /// The channel.
    pub channel: Channel,
    /// Counts from 0 in each channel and direction, wrapping; on the unordered channel it is the
    /// number of the message's first part.
    pub number: u32,
}
