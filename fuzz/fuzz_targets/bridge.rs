//! What a bridge hears on its connections to full nodes and to other bridges, and whom it remembers.
#![no_main]

use bridge_server::decoders as bridge;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bridge::full_node_stream(bytes);
    bridge::link_stream(bytes);
    bridge::directory(bytes);
});
