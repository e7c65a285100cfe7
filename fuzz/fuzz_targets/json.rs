//! What arrives as JSON: answers of a full node's RPC and WebSocket, another bridge's weights, info and
//! introductions, a list of bridges,
//! requests to the faucet, a stored progress, blocks, proofs and weight tables.
#![no_main]

use bridge_server::decoders as bridge;
use corpus::nano;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    bridge::backfill_progress(bytes);
    bridge::bridge_info(bytes);
    bridge::bridge_list(bytes);
    bridge::introductions(bytes);
    bridge::faucet_request(bytes);
    bridge::rpc_reply(bytes);
    bridge::signed_weights(bytes);
    bridge::ws_frame(bytes);
    nano::block_json(bytes);
    nano::balance_proof_json(bytes);
    nano::receivable_proof_json(bytes);
    nano::weight_table_json(bytes);
});
