//! Votes as confirm_ack messages: captured, made, and damaged on purpose.

use nano_core::message::{Header, Message, MessageType};
use nano_core::{Account, BlockHash, Signature};
use serde::Deserialize;

use super::Note;
use crate::report::Checks;

/// Extension bits whose meaning in a vote is "none", and which nodes of today set differently.
const IGNORED_EXTENSIONS: u16 = 0x0f00;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    message: String,
    extensions: String,
    count: usize,
    v2_count: bool,
    rebroadcast: bool,
    account: String,
    signature: Signature,
    timestamp_packed: String,
    timestamp_ms: Option<String>,
    duration_bits: u64,
    duration_ms: u64,
    #[serde(rename = "final")]
    is_final: bool,
    hashes: Vec<BlockHash>,
    vote_hash: String,
    signature_valid: bool,
    #[serde(rename = "source")]
    _source: Note,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let rows: Vec<Row> = serde_json::from_str(json)?;
    checks.rows("votes", &rows, |checks, row| {
        if let Some(bytes) = checks.ok(&row.name, hex::decode(&row.message)) {
            check_row(checks, row, &bytes);
        }
    });
    let refused = rows.iter().filter(|row| !row.signature_valid).count();
    checks.holds(
        "has good and bad signatures",
        0 < refused && refused < rows.len(),
    );
    Ok(())
}

fn check_row(checks: &mut Checks, row: &Row, bytes: &[u8]) {
    let Some((header, message)) = checks.ok("message", Message::decode(bytes)) else {
        return;
    };
    let extensions = u16::from_str_radix(&row.extensions, 16);
    checks.equal("extensions", Ok(header.extensions), extensions);
    checks.equal("v2 count", header.extensions & 1 == 1, row.v2_count);
    checks.equal("type", header.message_type, MessageType::ConfirmAck);
    check_encoding(checks, &header, &message, bytes);
    let Message::ConfirmAck(ack) = message else {
        return;
    };
    checks.equal("rebroadcast", ack.rebroadcast, row.rebroadcast);
    let vote = ack.vote;
    checks.equal(
        "account",
        Ok(vote.representative),
        Account::from_hex(&row.account),
    );
    checks.equal("signature", vote.signature, row.signature);
    checks.equal("count", vote.hashes.len(), row.count);
    checks.equal("hashes", &vote.hashes, &row.hashes);
    let time = vote.timestamp;
    checks.equal(
        "time",
        time.packed().to_string(),
        row.timestamp_packed.clone(),
    );
    checks.equal("final", time.is_final(), row.is_final);
    if let Some(millis) = &row.timestamp_ms {
        checks.equal("milliseconds", &time.millis().to_string(), millis);
    }
    checks.equal("duration bits", time.packed() & 0xf, row.duration_bits);
    checks.equal("duration", time.duration(), row.duration_ms);
    let hash = hex::encode_upper(vote.signed_hash());
    checks.equal("hash", hash, row.vote_hash.clone());
    checks.equal("valid", vote.verify().is_ok(), row.signature_valid);
}

/// A message written again has the same bytes, but for what receivers ignore.
pub(super) fn check_encoding(
    checks: &mut Checks,
    header: &Header,
    message: &Message,
    bytes: &[u8],
) {
    let Some(mut written) = checks.ok("encoding", message.encode(header.network)) else {
        return;
    };
    if header.message_type == MessageType::ConfirmAck {
        let ignored = header.extensions & IGNORED_EXTENSIONS;
        written[7] = written[7] & 0xf0 | ignored.to_be_bytes()[0];
    }
    checks.equal("written again", hex::encode(written), hex::encode(bytes));
}
