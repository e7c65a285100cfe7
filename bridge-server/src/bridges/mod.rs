//! Other bridges: where they are, and who else is told.
//!
//! A bridge knows others from its *list* ([`list`]: built in, a file, or DNS, [`dns`]) and from
//! what bridges tell each other over links and in news. Whatever the way, what counts is each
//! bridge's own signed introduction with the work in it, verified by the overlay's node. Those that
//! hold are kept in the [`Directory`], in storage ([`crate::store`]), and served at `/v1/bridges`.
//!
//! - *exchange* ([`ask_all`]): every [`ask::EVERY`] the listed bridges and those of the directory
//!   are asked over HTTP whom they know;
//! - *telling* ([`tell_all`]): in news, every [`tell::EVERY`] and whenever one is new, how this
//!   bridge can be reached and the bridges that it is linked with;
//! - *links* ([`dial_listed`]): listed bridges with a plain `http` address are dialled over TCP.

mod ask;
#[cfg(feature = "decoders")]
pub(crate) mod decoders;
mod dial;
mod directory;
pub mod dns;
pub mod list;
mod tell;

pub use ask::{Told, ask_all, read};
pub use dial::dial_listed;
pub(crate) use dial::follow_dns;
pub use directory::Directory;
pub use list::{BridgeList, ListError, WebAddress};
pub use tell::{endorse_all, tell_all};
