//! Messages of the overlay, in every class.
#![no_main]

use nanonet::decoders as overlay;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    overlay::overlay_message(bytes);
});
