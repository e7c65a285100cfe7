//! Payment notifications at a bridge: what surrounds the overlay's store of them.
//!
//! What is accepted, kept and compared decides [`nanonet::notify`] inside the node. Here is its disk ([`sqlite`],
//! written by a thread of its own in `disk`: what waits goes into one transaction, and the node hears how it went
//! before anybody is promised anything), and its HTTP interface for wallets without the nanonet (`api`, described by
//! `openapi.json`), whose questions wait at a [`Desk`].
//!
//! The file is `notifications.sqlite` in the data folder, apart from the bridge's other storage, because it promises
//! more: every transaction is on the disk before its receipt goes out (`synchronous = FULL`), a damaged file is refused
//! at the start, and a disk that is full or cannot be written stops new promises and nothing else.

pub(crate) mod api;
mod desk;
mod disk;
mod form;
pub mod sqlite;

pub use desk::Desk;
pub(crate) use disk::Disk;

/// The interface's description, as `/v1/notifications/openapi.json` gives it.
pub const OPENAPI: &str = include_str!("openapi.json");
