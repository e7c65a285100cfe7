//! What a full node sends on its TCP connection.
#![no_main]

use corpus::nano;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nano::message(bytes);
    nano::confirm_ack(bytes);
    nano::block(bytes);
});
