//! One function per way into a bridge that is not the overlay's, for the fuzzer and for the test
//! that replays the corpus; and what measures how fast one of them is ([`messages_in`]).
//!
//! Each decoder takes any bytes and tells whether they were accepted; it panics when the code under test
//! does, or when what was accepted breaks a promise of the code that reads it. Exists with the
//! feature `decoders` only.

mod json;

pub use self::json::{faucet_request, rpc_reply, signed_weights, ws_frame};
pub use crate::backfill::decoders::{backfill_progress, bridge_info};
pub use crate::bridges::decoders::{bridge_list, directory, introductions};
pub use crate::full_node::decoders::{full_node_stream, messages_in};
pub use crate::shell::decoders::link_stream;

/// A decoder under test.
pub type Decoder = fn(&[u8]) -> bool;

/// Every decoder by the name of its folder in the corpus.
pub const DECODERS: [(&str, Decoder); 11] = [
    ("backfill_progress", backfill_progress),
    ("bridge_info", bridge_info),
    ("bridge_list", bridge_list),
    ("directory", directory),
    ("faucet_request", faucet_request),
    ("full_node_stream", full_node_stream),
    ("introductions", introductions),
    ("link_stream", link_stream),
    ("rpc_reply", rpc_reply),
    ("signed_weights", signed_weights),
    ("ws_frame", ws_frame),
];

/// Runs what reads from memory. Nothing there waits for more than the end of the bytes, so no time
/// passes.
pub(crate) fn wait(reading: impl Future<Output = bool>) -> bool {
    use tokio::runtime::{Builder, Runtime};
    thread_local! {
        static RUNTIME: Option<Runtime> = Builder::new_current_thread()
            .enable_time()
            .build()
            .ok();
    }
    RUNTIME.with(|runtime| {
        runtime
            .as_ref()
            .is_some_and(|runtime| runtime.block_on(reading))
    })
}
