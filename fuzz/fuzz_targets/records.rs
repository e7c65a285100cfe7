//! What nodes keep and hand around, and what a node finds in its own storage.
#![no_main]

use nanonet::decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    decoders::peer_record(bytes);
    decoders::record(bytes);
    decoders::sighting(bytes);
    decoders::sealed(bytes);
    decoders::stored_account(bytes);
    decoders::stored_receivable(bytes);
});
