//! What arrives as JSON: blocks of the RPC, proofs, weight tables.
#![no_main]

use nanonet_fuzz::nano;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nano::block_json(bytes);
    nano::balance_proof_json(bytes);
    nano::receivable_proof_json(bytes);
    nano::weight_table_json(bytes);
});
