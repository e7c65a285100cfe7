//! What nodes keep, hand around and tell everyone, and what a node finds in its own storage.
#![no_main]

use nanonet::decoders as overlay;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    overlay::news(bytes);
    overlay::peer_record(bytes);
    overlay::record(bytes);
    overlay::sighting(bytes);
    overlay::sealed(bytes);
    overlay::stored_account(bytes);
    overlay::stored_receivable(bytes);
    overlay::key_record(bytes);
    overlay::cell(bytes);
    overlay::letter(bytes);
});
