//! Numbers by which shell and node speak of the same thing; see the rules of [`crate::io`] for
//! who gives them out.

/// A link, numbered by the shell; never used twice in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub u64);

/// A question or a publish, numbered by the shell; never used twice in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// An attempt to connect to another browser, numbered by the node; never used twice in one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A question of a bridge node to the full nodes behind it, numbered by the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResolveId(pub u64);

/// A block that a bridge node hands to the full nodes behind it, numbered by the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RelayId(pub u64);
