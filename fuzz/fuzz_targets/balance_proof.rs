//! Fuzzes [`nanonet_fuzz::nano::balance_proof`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::balance_proof(bytes);
});
