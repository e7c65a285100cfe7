//! Fuzzes [`nanonet_fuzz::nano::weight_table_json`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nanonet_fuzz::nano::weight_table_json(bytes);
});
