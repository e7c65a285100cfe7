//! What this bridge sees of private messages, logged where an operator wants to see it.
//!
//! With the log filter `cells=trace` every cell that is handed to the bridge, and what it takes its layer
//! off, is one line. It is no more than any relay can know of what passes through it: whom a cell
//! comes from and who is next, never its content and never both ends.

use nanonet::Node;
use nanonet::onion::Glimpse;

/// What the log filter knows it by.
const TARGET: &str = "cells";

/// Whether somebody wants to see it.
pub(super) fn are_logged() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::TRACE)
}

/// Logs what was seen since the last time.
pub(super) fn log(node: &mut Node) {
    for glimpse in node.take_glimpses() {
        match glimpse {
            Glimpse::Handed { from, to, cell } => {
                let cell = hex::encode(cell.as_bytes());
                tracing::trace!(target: TARGET, %from, %to, %cell, "handed");
            }
            Glimpse::Peeled {
                before,
                next,
                after,
            } => {
                let (before, after) = (before.as_bytes(), after.as_bytes());
                let (before, after) = (hex::encode(before), hex::encode(after));
                tracing::trace!(target: TARGET, %next, %before, %after, "peeled");
            }
            // Of the bridge's own letters.
            Glimpse::Made(_) | Glimpse::Ended(_) => {}
        }
    }
}
