//! One function per decoder of `nano-core`.
//!
//! Each takes any bytes and tells whether they were accepted. It panics when the decoder does, or
//! when what was accepted does not come back from its own encoder.
#![allow(clippy::expect_used, reason = "a panic is how a finding shows")]

use nano_core::message::{Header, Message, MessageType};
use nano_core::proof::{BalanceProof, ReceivableProof};
use nano_core::{Account, Bip39Phrase, Block, NanoSeed, Network, PublicKey, Raw, WeightTable};

/// A decoder under test.
pub type Decoder = fn(&[u8]) -> bool;

/// Every decoder by the name of its folder in the corpus.
pub const DECODERS: [(&str, Decoder); 13] = [
    ("address", address),
    ("amount", amount),
    ("balance_proof", balance_proof),
    ("balance_proof_json", balance_proof_json),
    ("block", block),
    ("block_json", block_json),
    ("confirm_ack", confirm_ack),
    ("message", message),
    ("mnemonic", mnemonic),
    ("receivable_proof", receivable_proof),
    ("receivable_proof_json", receivable_proof_json),
    ("weight_table", weight_table),
    ("weight_table_json", weight_table_json),
];

fn text(bytes: &[u8]) -> Option<&str> {
    core::str::from_utf8(bytes).ok()
}

/// Address text, and node id text.
pub fn address(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else {
        return false;
    };
    if let Ok(id) = PublicKey::from_node_id_text(text) {
        assert_eq!(PublicKey::from_node_id_text(&id.to_node_id_text()), Ok(id));
        return true;
    }
    let Ok(account) = text.parse::<Account>() else {
        return false;
    };
    assert_eq!(account.to_string().parse(), Ok(account));
    assert_eq!(text[text.len() - 60..], account.to_string()[5..]);
    true
}

/// Amounts in raw, in nano, and in the hex of legacy sends.
pub fn amount(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else {
        return false;
    };
    let raw = text.parse::<Raw>();
    if let Ok(raw) = raw {
        assert_eq!(raw.to_string(), text);
    }
    let nano = Raw::from_nano_text(text);
    if let Ok(nano) = nano {
        assert_eq!(Raw::from_nano_text(&nano.to_nano_text()), Ok(nano));
    }
    let hex = Raw::from_hex(text);
    if let Ok(hex) = hex {
        assert_eq!(Raw::from_hex(&hex.to_hex()), Ok(hex));
    }
    raw.is_ok() || nano.is_ok() || hex.is_ok()
}

/// A type byte and a block.
pub fn block(bytes: &[u8]) -> bool {
    let Ok(block) = Block::parse_typed(bytes) else {
        return false;
    };
    assert_eq!(block.serialized_typed(), bytes);
    assert_eq!(Block::from_json(&block.to_json()).as_ref(), Ok(&block));
    true
}

/// A block in the RPC's JSON.
pub fn block_json(bytes: &[u8]) -> bool {
    let Some(Ok(block)) = text(bytes).map(Block::from_json_text) else {
        return false;
    };
    assert_eq!(Block::from_json(&block.to_json()), Ok(block));
    true
}

/// A vote: two bytes of header extensions, then the payload of a confirm_ack.
pub fn confirm_ack(bytes: &[u8]) -> bool {
    let Some((extensions, payload)) = bytes.split_first_chunk() else {
        return false;
    };
    let extensions = u16::from_le_bytes(*extensions);
    let header = Header::new(Network::Live, MessageType::ConfirmAck, extensions);
    let Ok(message) = Message::parse(&header, payload) else {
        return false;
    };
    if let Message::ConfirmAck(ack) = &message {
        let _ = ack.vote.verify();
    }
    let written = message
        .encode(Network::Live)
        .expect("accepted votes can be written");
    assert_eq!(&written[Header::SIZE..], payload);
    true
}

/// A header and its payload.
pub fn message(bytes: &[u8]) -> bool {
    let Ok((header, message)) = Message::decode(bytes) else {
        return false;
    };
    let written = message
        .encode(header.network)
        .expect("accepted messages can be written");
    assert_eq!(&written[Header::SIZE..], &bytes[Header::SIZE..]);
    let (_, again) = Message::decode(&written).expect("written messages can be read");
    assert_eq!(again, message);
    true
}

/// 24 words of a Nano seed, or the words of a BIP39 phrase.
pub fn mnemonic(bytes: &[u8]) -> bool {
    let Some(text) = text(bytes) else {
        return false;
    };
    let phrase = Bip39Phrase::parse(text, "").is_ok();
    let Ok(seed) = NanoSeed::from_words(text) else {
        return phrase;
    };
    assert!(phrase, "the words of a seed are a phrase too");
    let again = NanoSeed::from_words(&seed.to_words()).expect("written words can be read");
    assert_eq!(again.secret_bytes(), seed.secret_bytes());
    true
}

/// A balance proof in binary.
pub fn balance_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = BalanceProof::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(proof.to_bytes().as_deref(), Ok(bytes));
    let account = proof.account();
    let _ = proof.verify(&account, proof.network, &weights(proof.network));
    true
}

/// A balance proof in JSON.
pub fn balance_proof_json(bytes: &[u8]) -> bool {
    let Some(Ok(proof)) = text(bytes).map(BalanceProof::from_json) else {
        return false;
    };
    let binary = proof.to_bytes().expect("accepted proofs can be written");
    assert_eq!(BalanceProof::from_bytes(&binary), Ok(proof));
    true
}

/// A receivable proof in binary.
pub fn receivable_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = ReceivableProof::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(proof.to_bytes().as_deref(), Ok(bytes));
    let destination = proof.destination().unwrap_or_default();
    let _ = proof.verify(&destination, proof.network, &weights(proof.network));
    true
}

/// A receivable proof in JSON.
pub fn receivable_proof_json(bytes: &[u8]) -> bool {
    let Some(Ok(proof)) = text(bytes).map(ReceivableProof::from_json) else {
        return false;
    };
    let binary = proof.to_bytes().expect("accepted proofs can be written");
    assert_eq!(ReceivableProof::from_bytes(&binary), Ok(proof));
    true
}

/// A weight table in binary.
pub fn weight_table(bytes: &[u8]) -> bool {
    let Ok(table) = WeightTable::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(table.to_bytes().as_deref(), Ok(bytes));
    assert!(table.threshold().number() > table.total().number() / 2);
    true
}

/// A weight table in JSON.
pub fn weight_table_json(bytes: &[u8]) -> bool {
    let Some(Ok(table)) = text(bytes).map(WeightTable::from_json) else {
        return false;
    };
    let binary = table.to_bytes().expect("accepted tables can be written");
    assert_eq!(WeightTable::from_bytes(&binary), Ok(table));
    true
}

/// The live snapshot, as if it were the network's.
fn weights(network: Network) -> WeightTable {
    WeightTable {
        network,
        ..WeightTable::live_snapshot()
    }
}
