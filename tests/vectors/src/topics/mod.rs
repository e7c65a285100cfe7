//! One module per topic: the shape of its data file and what is checked of each row.

pub(crate) mod addresses;
pub(crate) mod blocks;
pub(crate) mod handshake;
pub(crate) mod keys;
pub(crate) mod messages;
pub(crate) mod networks;
pub(crate) mod rpc_samples;
mod samples;
pub(crate) mod signatures;
pub(crate) mod votes;
pub(crate) mod websocket_samples;
pub(crate) mod weights;
pub(crate) mod work;

use serde::de::IgnoredAny;

use crate::report::Checks;

/// Text for people about where a row comes from.
type Note = Option<IgnoredAny>;

/// Stands for a topic that does not exist.
pub(crate) fn unknown(_json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    checks.fail("there is no such topic".to_owned());
    Ok(())
}
