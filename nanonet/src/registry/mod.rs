//! The registry of keys: who is behind a `key_…`, and through whom it is reached.
//!
//! | file | what |
//! |---|---|
//! | `record` | what a node says of itself |
//! | `store` | the records that a node holds |
//! | `spread` | how records come to those who hold them |
//! | `lookup` | how a record, or a service, is found |
//!
//! A record lies on the nodes nearest to its key's place (`place_of`), and on every bridge. Its node
//! sends it there itself, again whenever something changes and every [`REFRESH_MS`]; who holds it hands
//! it to newcomers that shall. A node need not have one to use everything else.

mod lookup;
mod record;
mod spread;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use self::lookup::Lookups;
pub use self::lookup::{FoundKey, LookupError, Route};
pub use self::record::{
    Attribute, Door, KeyRecord, KeyRecordError, MAX_DOORS, MAX_KEY_RECORD_BYTES, MAX_LIFE_MS,
    MAX_READERS, Metadata, Service, ServiceFilter, seal_metadata,
};
pub(crate) use self::spread::Publication;
pub use self::spread::{REFRESH_MS, Registration};
pub use self::store::{Offered, Registry, UPDATE_MS};

/// Records that a browser holds.
pub(crate) const MOST_IN_BROWSER: usize = 512;
/// Records that a bridge holds.
pub(crate) const MOST_IN_BRIDGE: usize = 65_536;
