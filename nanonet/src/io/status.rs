//! What a node shows of itself; [`Node::status`](crate::Node::status) fills it in.

use nano_core::UnixMillis;

use super::{LinkId, LinkOrigin, Transport};
use crate::link::datagram::DatagramStats;
use crate::{NodeId, NodeKey, Role, Standing};

/// What the node is doing, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeState {
    /// No link yet since the start.
    Starting,
    /// Some links, fewer than it wants.
    Connecting,
    /// Links to the nearest known nodes stand and no better ones are sought.
    Meshed,
    /// Had links, has none; answers from its own slice only.
    Offline,
}

/// Who introduced the two ends of a link between browsers: who passed on what they agreed on it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Introducer {
    /// [`Role::Browser`]: browsers alone. [`Role::Bridge`]: bridges, too.
    pub carriers: Role,
    /// The last of them, who handed it to us.
    pub by: NodeId,
    /// Whether our side asked for the link.
    pub asked: bool,
}

/// One open link, for display.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkInfo {
    /// The shell's number.
    pub link: LinkId,
    /// Whom it leads to.
    pub peer: NodeId,
    /// The peer's key.
    pub key: NodeKey,
    /// Browser or bridge.
    pub role: Role,
    /// What carries it.
    pub transport: Transport,
    /// Who opened it.
    pub origin: LinkOrigin,
    /// Who introduced the two ends, if they were strangers.
    pub introducer: Option<Introducer>,
    /// Round trip in milliseconds, once measured.
    pub rtt_ms: Option<u32>,
    /// Bytes received, handshake and frames included.
    pub bytes_in: u64,
    /// Bytes sent, handshake and frames included.
    pub bytes_out: u64,
    /// What went over its unordered channel.
    pub datagrams: DatagramStats,
    /// Verified answers that came over it to our own questions.
    pub answers: u64,
    /// Since when it is up.
    pub since: UnixMillis,
}

/// What [`Node::status`](crate::Node::status) tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Our id.
    pub id: NodeId,
    /// Our key.
    pub key: NodeKey,
    /// In one word.
    pub state: NodeState,
    /// Whether the node has a place in the tables of others, and why not.
    pub standing: Standing,
    /// Links that are up, by number.
    pub links: Vec<LinkInfo>,
    /// Nodes known besides (nearest ones and candidates for links).
    pub known_peers: u32,
    /// Account records held.
    pub records: u32,
    /// Receivable records held.
    pub receivables: u32,
    /// Bytes of both.
    pub record_bytes: u64,
    /// Own blocks that are not yet proven confirmed.
    pub pending: u32,
    /// Records and answers refused: how many for each kebab-case reason, in its order.
    pub refused: Vec<(&'static str, u64)>,
    /// Links closed by us: how many for each [`CloseReason::code`](crate::CloseReason::code), in
    /// its order.
    pub dropped: Vec<(&'static str, u64)>,
    /// Questions of others answered from our slice.
    pub answers_served: u64,
    /// Messages of others passed on.
    pub forwarded: u64,
    /// Bytes received over all links since the start.
    pub bytes_in: u64,
    /// Bytes sent over all links since the start.
    pub bytes_out: u64,
    /// Date of the weight table in force.
    pub weights_as_of: UnixMillis,
}
