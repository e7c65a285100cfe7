//! Fuzzes [`nanonet_fuzz::nano::amount`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::amount(bytes);
});
