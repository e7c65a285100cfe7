//! Messages of the overlay, in every class.
#![no_main]

use nanonet::decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    decoders::overlay_message(bytes);
});
