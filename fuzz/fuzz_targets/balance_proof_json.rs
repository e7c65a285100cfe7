//! Fuzzes [`nanonet_fuzz::nano::balance_proof_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::balance_proof_json(bytes);
});
