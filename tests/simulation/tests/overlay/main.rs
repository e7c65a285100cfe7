//! What the overlay promises, shown with whole nodes on virtual time. One file per promise.

#![allow(clippy::unwrap_used, clippy::panic)]

mod churn;
mod diversity;
mod floods;
mod gossip;
mod introductions;
mod joining;
mod liars;
mod loss;
mod mesh;
mod messages;
mod publishing;
mod queries;
mod replay;
mod replicas;
mod sybils;

/// Nodes with real links.
type World = simulation::world::World;
