//! Subscriptions and frames of a full node's WebSocket.

use std::fmt::Display;
use std::str::FromStr;

use nano_core::message::Telemetry;
use nano_core::{Account, BlockHash, PublicKey, Signature, UnixMillis, Vote, VoteTimestamp};
use serde::Deserialize;
use serde_json::Value;

use super::samples::{Found, check_hash};
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    sent: Vec<Value>,
    received: Vec<Value>,
}

/// A vote as the WebSocket writes it.
#[derive(Deserialize)]
struct VoteMessage {
    account: Account,
    signature: Signature,
    timestamp: String,
    duration: String,
    blocks: Vec<BlockHash>,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    let mut found = Found::default();
    let (mut blocks, mut votes, mut final_votes, mut reports) = (0, 0, 0, 0);
    checks.rows("sent", &data.sent, |checks, frame| {
        found.walk(checks, "", frame);
    });
    checks.rows("received", &data.received, |checks, frame| {
        found.walk(checks, "", frame);
        let message = &frame["message"];
        match frame["topic"].as_str() {
            Some("confirmation") => {
                blocks += 1;
                let block = check_hash(checks, &message["block"], &message["hash"]);
                check_signer(checks, block, &message["account"]);
            }
            Some("new_unconfirmed_block") => {
                blocks += 1;
                let block = check_hash(checks, message, &frame["hash"]);
                check_signer(checks, block, &message["account"]);
            }
            Some("vote") => {
                votes += 1;
                let vote = VoteMessage::deserialize(message);
                let vote = checks
                    .ok("vote", vote)
                    .and_then(|vote| read_vote(checks, vote));
                if let Some(vote) = vote {
                    checks.equal("signature of vote", vote.verify(), Ok(()));
                    final_votes += u32::from(vote.timestamp.is_final());
                }
            }
            Some("telemetry") => {
                reports += 1;
                if let Some(telemetry) = read_telemetry(checks, message) {
                    checks.equal("signature of report", telemetry.verify(), Ok(()));
                }
            }
            _ => {}
        }
    });
    found.check(checks);
    checks.holds("has blocks", blocks > 0);
    checks.holds("has reports", reports > 0);
    checks.holds(
        "has normal and final votes",
        0 < final_votes && final_votes < votes,
    );
    Ok(())
}

fn check_signer(checks: &mut Checks, block: Option<nano_core::Block>, account: &Value) {
    let account = account.as_str().unwrap_or_default().parse::<Account>();
    if let (Some(block), Some(account)) = (block, checks.ok("account", account)) {
        checks.equal("signature", block.verify(&account.public_key()), Ok(()));
    }
}

/// The WebSocket has the two parts of a packed time apart: all bits but the low four, and those.
fn read_vote(checks: &mut Checks, message: VoteMessage) -> Option<Vote> {
    let millis = checks.ok("timestamp", message.timestamp.parse())?;
    let exponent = checks.ok("duration", message.duration.parse())?;
    Some(Vote {
        representative: message.account,
        signature: message.signature,
        timestamp: VoteTimestamp::normal(millis, exponent),
        hashes: message.blocks,
    })
}

/// A report as the full node signed it: the WebSocket has every field, as text.
fn read_telemetry(checks: &mut Checks, message: &Value) -> Option<Telemetry> {
    let node_id = PublicKey::from_node_id_text(text(message, "node_id"));
    Some(Telemetry {
        signature: read(checks, message, "signature")?,
        node_id: checks.ok("node_id", node_id)?,
        block_count: read(checks, message, "block_count")?,
        cemented_count: read(checks, message, "cemented_count")?,
        unchecked_count: read(checks, message, "unchecked_count")?,
        account_count: read(checks, message, "account_count")?,
        bandwidth_cap: read(checks, message, "bandwidth_cap")?,
        peer_count: read(checks, message, "peer_count")?,
        protocol_version: read(checks, message, "protocol_version")?,
        uptime: read(checks, message, "uptime")?,
        genesis: read(checks, message, "genesis_block")?,
        major_version: read(checks, message, "major_version")?,
        minor_version: read(checks, message, "minor_version")?,
        patch_version: read(checks, message, "patch_version")?,
        pre_release_version: read(checks, message, "pre_release_version")?,
        maker: read(checks, message, "maker")?,
        timestamp: UnixMillis::new(read(checks, message, "timestamp")?),
        active_difficulty: read(checks, message, "active_difficulty")?,
        unknown: Vec::new(),
    })
}

fn read<T>(checks: &mut Checks, message: &Value, field: &str) -> Option<T>
where
    T: FromStr,
    T::Err: Display,
{
    checks.ok(field, text(message, field).parse())
}

fn text<'a>(message: &'a Value, field: &str) -> &'a str {
    message[field].as_str().unwrap_or_default()
}
