//! Fuzzes [`nanonet_fuzz::nano::message`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::message(bytes);
});
