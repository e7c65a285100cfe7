//! Fuzzes [`nanonet_fuzz::nano::block_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::block_json(bytes);
});
