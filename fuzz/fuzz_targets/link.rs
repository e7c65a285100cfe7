//! An overlay link: its handshake, its frames and what they are put together to.
#![no_main]

use nanonet::decoders as overlay;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    overlay::handshake(bytes);
    overlay::link(bytes);
});
