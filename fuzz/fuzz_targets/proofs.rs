//! Proofs and the weights they are checked against.
#![no_main]

use corpus::nano;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nano::balance_proof(bytes);
    nano::receivable_proof(bytes);
    nano::weight_table(bytes);
});
