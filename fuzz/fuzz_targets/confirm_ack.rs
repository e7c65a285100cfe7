//! Fuzzes [`nanonet_fuzz::nano::confirm_ack`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::confirm_ack(bytes);
});
