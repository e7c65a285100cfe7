//! Blocks of every type: bytes, hashes, signatures, work, JSON, and a full node's verdict.

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{
    Account, Block, BlockHash, BlockKind, BlockType, Difficulty, Epoch, Network, PublicKey, Raw,
    Root, StateBlock,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::Note;
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(rename = "type")]
    type_name: String,
    type_number: u8,
    network: Network,
    block: Value,
    hash_preimage: String,
    hash: BlockHash,
    root: Root,
    #[serde(rename = "source")]
    _source: Note,
    signer_public_key: Option<PublicKey>,
    signature_valid: Option<bool>,
    serialized: Option<String>,
    difficulty: Option<Difficulty>,
    difficulty_published: Option<Difficulty>,
    reaches: Option<BTreeMap<Network, Reaches>>,
    kind: Option<String>,
    epoch: Option<u8>,
    node_process_result: Option<ProcessResult>,
    owner_account: Option<Account>,
    node_block_info: Option<BlockInfo>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reaches {
    epoch_1: bool,
    epoch_2_send: bool,
    epoch_2_receive: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProcessResult {
    Hash(BlockHash),
    Error(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockInfo {
    block_account: Account,
    amount: Raw,
    balance: Raw,
    subtype: Option<String>,
    // Places in the chain at recording time.
    #[serde(rename = "height")]
    _height: IgnoredAny,
    #[serde(rename = "successor")]
    _successor: IgnoredAny,
    #[serde(rename = "confirmed")]
    _confirmed: IgnoredAny,
}

/// What the rows before tell about the dev network's ledger.
#[derive(Default)]
struct Ledger {
    balances: BTreeMap<BlockHash, Raw>,
    epochs: BTreeMap<Account, Epoch>,
    kinds: BTreeSet<BlockKind>,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let rows: Vec<Row> = serde_json::from_str(json)?;
    let mut ledger = Ledger::default();
    checks.rows("blocks", &rows, |checks, row| {
        if let Some(block) = checks.ok(&row.name, Block::from_json(&row.block)) {
            check_form(checks, row, &block);
            check_signature(checks, row, &block);
            check_work(checks, row, &block);
            check_verdict(checks, row, &block, &mut ledger);
        }
    });
    checks.equal("kinds of state blocks met", ledger.kinds.len(), 6);
    let genesis = Some("genesis open".to_owned());
    let genesis = rows.iter().filter(|row| row.kind == genesis).count();
    checks.equal("genesis blocks", genesis, Network::ALL.len());
    for kind in BlockType::ALL {
        let has = rows.iter().any(|row| row.type_number == kind.number());
        checks.holds("every block type is among the rows", has);
    }
    Ok(())
}

fn check_form(checks: &mut Checks, row: &Row, block: &Block) {
    let kind = block.block_type();
    checks.equal("type", kind.name(), row.type_name.as_str());
    checks.equal("type number", kind.number(), row.type_number);
    checks.equal("hash", block.hash(), row.hash);
    checks.equal("root", block.root(), row.root);
    let bytes = block.serialized();
    // Everything but signature and work is hashed, state blocks with their type in front.
    let preamble = match block {
        Block::State(_) => format!("{:064X}", kind.number()),
        _ => String::new(),
    };
    let hashed = hex::encode_upper(&bytes[..bytes.len() - 72]);
    checks.equal("preimage", preamble + &hashed, row.hash_preimage.clone());
    if let Some(serialized) = &row.serialized {
        checks.equal("bytes", hex::encode_upper(&bytes), serialized.clone());
    }
    checks.equal("bytes back", Block::parse(kind, &bytes), Ok(*block));
    checks.equal("JSON back", Block::from_json(&block.to_json()), Ok(*block));
    let written = block.to_json();
    for (name, value) in row.block.as_object().into_iter().flatten() {
        checks.equal(name, &written[name], value);
    }
    if row.kind.as_deref() == Some("genesis open") {
        checks.equal("genesis", *block, row.network.genesis_block());
    }
}

fn check_signature(checks: &mut Checks, row: &Row, block: &Block) {
    if let (Some(signer), Some(valid)) = (row.signer_public_key, row.signature_valid) {
        checks.equal("signature", block.verify(&signer).is_ok(), valid);
    } else {
        checks.holds("no signature", block.signature().is_zero());
    }
}

fn check_work(checks: &mut Checks, row: &Row, block: &Block) {
    let Some(recorded) = row.difficulty else {
        checks.equal("no work", block.work().number(), 0);
        return;
    };
    let difficulty = block.work().difficulty(&block.root());
    checks.equal("difficulty", difficulty, recorded);
    if let Some(published) = row.difficulty_published {
        checks.equal("published difficulty", difficulty, published);
    }
    if row.epoch == Some(0) && row.kind.as_deref() == Some("send") {
        let required = row
            .network
            .work_thresholds()
            .required(None, BlockKind::Send);
        checks.holds("work of epoch 0", difficulty >= required);
    }
    let reaches = row.reaches.iter().flatten();
    checks.holds("has thresholds", reaches.clone().count() > 0);
    for (network, recorded) in reaches {
        let thresholds = network.work_thresholds();
        let reached = Reaches {
            epoch_1: difficulty >= thresholds.epoch_1,
            epoch_2_send: difficulty >= thresholds.epoch_2_send,
            epoch_2_receive: difficulty >= thresholds.epoch_2_receive,
        };
        checks.equal("reached thresholds", &reached, recorded);
    }
}

/// Follows the dev network's chains: what kind a block is, who signs it, and which work it needs
/// must agree with what the full node said of it.
fn check_verdict(checks: &mut Checks, row: &Row, block: &Block, ledger: &mut Ledger) {
    if row.network != Network::Dev {
        return;
    }
    let hash = block.hash();
    if row.name == "dev genesis" {
        ledger.balances.insert(hash, Raw::MAX);
    }
    let Some(verdict) = &row.node_process_result else {
        return;
    };
    let accepted = match verdict {
        ProcessResult::Hash(accepted) => {
            checks.equal("accepted hash", *accepted, hash);
            true
        }
        ProcessResult::Error(_) => false,
    };
    if let Some(account) = block.account() {
        checks.equal("owner", Some(account), row.owner_account);
    }
    let before = block.previous().map_or(Some(Raw::ZERO), |previous| {
        ledger.balances.get(&previous).copied()
    });
    if let (Block::State(state), Some(before)) = (block, before) {
        check_state(checks, row, state, before, accepted, ledger);
    }
    checks.equal("information", row.node_block_info.is_some(), accepted);
    let Some(info) = &row.node_block_info else {
        return;
    };
    checks.equal("account", Some(info.block_account), row.owner_account);
    if let Some(balance) = block.balance() {
        checks.equal("balance", balance, info.balance);
    }
    if let Some(before) = before {
        let amount = before.number().abs_diff(info.balance.number());
        checks.equal("amount", Raw::new(amount), info.amount);
    }
    ledger.balances.insert(hash, info.balance);
}

fn check_state(
    checks: &mut Checks,
    row: &Row,
    state: &StateBlock,
    before: Raw,
    accepted: bool,
    ledger: &mut Ledger,
) {
    let kind = state.kind(before);
    ledger.kinds.insert(kind);
    let signer = state.signer(row.network, before);
    checks.equal("signer", Some(signer), row.signer_public_key);
    let epoch = match kind {
        BlockKind::Epoch(epoch) => Some(epoch),
        _ => ledger.epochs.get(&state.account).copied(),
    };
    let required = row.network.work_thresholds().required(epoch, kind);
    let worked = state.work.difficulty(&state.root()) >= required;
    let refused_for_work = matches!(
        &row.node_process_result,
        Some(ProcessResult::Error(error)) if error == "Block work is insufficient"
    );
    checks.equal("enough work", worked, !refused_for_work);
    if !accepted {
        return;
    }
    let subtype = row
        .node_block_info
        .as_ref()
        .and_then(|info| info.subtype.as_deref());
    // Full nodes call the receive that opens an account a receive.
    let expected = match kind {
        BlockKind::Open => BlockKind::Receive.to_string(),
        kind => kind.to_string(),
    };
    checks.equal("kind", subtype, Some(expected.as_str()));
    if let Some(epoch) = epoch {
        ledger.epochs.insert(state.account, epoch);
    }
}
