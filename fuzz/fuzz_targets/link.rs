//! An overlay link: its handshake, its frames and what they are put together to.
#![no_main]

use nanonet::decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    decoders::handshake(bytes);
    decoders::link(bytes);
});
