//! What a person types or pastes: addresses, amounts, words.
#![no_main]

use corpus::nano;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    nano::address(bytes);
    nano::amount(bytes);
    nano::mnemonic(bytes);
});
