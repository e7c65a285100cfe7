//! A whole overlay node with a peer that says anything.
#![no_main]

use nanonet::decoders as overlay;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    overlay::node(bytes);
});
