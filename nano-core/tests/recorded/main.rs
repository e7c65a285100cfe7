//! Votes, handshakes, messages and weight tables against the recorded vectors.

// Helpers outside `#[test]` functions may fail a test by panicking, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod handshakes;
mod messages;
mod support;
mod votes;
mod weight_table;
