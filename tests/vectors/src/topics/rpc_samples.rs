//! Requests and answers of a full node's RPC.

use nano_core::{Account, Difficulty, NanoSeed, PrivateKey, Root, WorkNonce};
use serde::Deserialize;
use serde_json::Value;

use super::Note;
use super::samples::{Found, check_hash};
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    request: Value,
    http_status: u16,
    response: Value,
    #[serde(rename = "note")]
    _note: Note,
}

/// Blocks, keys and work values that were checked against what the full node said of them.
#[derive(Default)]
struct Compared {
    blocks: u32,
    keys: u32,
    work: u32,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let rows: Vec<Row> = serde_json::from_str(json)?;
    let mut found = Found::default();
    let mut compared = Compared::default();
    checks.rows("samples", &rows, |checks, row| {
        let (request, response) = (&row.request, &row.response);
        if row.http_status == 422 || response["valid"] == "0" {
            check_refused(checks, request);
            return;
        }
        found.walk(checks, "", request);
        found.walk(checks, "", response);
        compare(checks, &mut compared, request, response);
    });
    found.check(checks);
    checks.holds("compared blocks", compared.blocks > 0);
    checks.holds("compared keys", compared.keys > 0);
    checks.holds("compared work", compared.work > 0);
    Ok(())
}

/// What the full node refuses as an account, we refuse too; other bad requests are not about
/// anything that this crate reads.
fn check_refused(checks: &mut Checks, request: &Value) {
    let action = request["action"].as_str().unwrap_or_default();
    match action {
        "validate_account_number" | "account_info" => {
            let account = request["account"].as_str().unwrap_or_default();
            checks.holds("refused account", account.parse::<Account>().is_err());
        }
        "account_history" | "no_such_action" => {}
        _ => checks.fail(format!("nobody checks the refusal of {action}")),
    }
}

fn compare(checks: &mut Checks, compared: &mut Compared, request: &Value, response: &Value) {
    match request["action"].as_str().unwrap_or_default() {
        "process" | "block_hash" if response["error"].is_null() => {
            compared.blocks += 1;
            check_hash(checks, &request["block"], &response["hash"]);
        }
        "process" if response["error"] == "Bad signature" => {
            let block = checks.ok("block", nano_core::Block::from_json(&request["block"]));
            if let Some((block, account)) = block.and_then(|block| Some((block, block.account()?)))
            {
                compared.blocks += 1;
                checks.holds(
                    "bad signature",
                    block.verify(&account.public_key()).is_err(),
                );
            }
        }
        "block_info" if response["error"].is_null() => {
            compared.blocks += 1;
            check_info(checks, response, &request["hash"]);
        }
        "blocks_info" => {
            for (hash, info) in response["blocks"].as_object().into_iter().flatten() {
                compared.blocks += 1;
                check_info(checks, info, &Value::from(hash.as_str()));
            }
        }
        "deterministic_key" => {
            let seed = request["seed"].as_str().unwrap_or_default();
            let index = request["index"].as_str().unwrap_or_default();
            let seed = checks.ok("seed", NanoSeed::from_hex(seed));
            let index = checks.ok("index", index.parse());
            if let (Some(seed), Some(index)) = (seed, index) {
                compared.keys += 1;
                check_key(checks, &seed.private_key(index), response);
            }
        }
        "key_expand" => {
            let key = request["key"].as_str().unwrap_or_default();
            if let Some(key) = checks.ok("key", PrivateKey::from_hex(key)) {
                compared.keys += 1;
                check_key(checks, &key, response);
            }
        }
        "work_validate" => {
            compared.work += 1;
            check_work(
                checks,
                &request["hash"],
                &request["work"],
                &response["difficulty"],
            );
        }
        "work_generate" => {
            compared.work += 1;
            check_work(
                checks,
                &response["hash"],
                &response["work"],
                &response["difficulty"],
            );
        }
        _ => {}
    }
}

/// A block's contents have the hash they were asked by, and the account's signature.
fn check_info(checks: &mut Checks, info: &Value, hash: &Value) {
    let Some(block) = check_hash(checks, &info["contents"], hash) else {
        return;
    };
    let account = info["block_account"].as_str().unwrap_or_default();
    if let Some(account) = checks.ok("account", account.parse::<Account>()) {
        checks.equal("signature", block.verify(&account.public_key()), Ok(()));
    }
}

fn check_key(checks: &mut Checks, key: &PrivateKey, response: &Value) {
    let secret = hex::encode_upper(key.secret_bytes());
    checks.equal(
        "private",
        Some(secret.as_str()),
        response["private"].as_str(),
    );
    let public = key.public_key().to_string();
    checks.equal("public", Some(public.as_str()), response["public"].as_str());
    let account = key.account().to_string();
    checks.equal(
        "account",
        Some(account.as_str()),
        response["account"].as_str(),
    );
}

/// This full node writes the difficulty as a decimal number.
fn check_work(checks: &mut Checks, hash: &Value, work: &Value, difficulty: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let root = checks.ok("root", text(hash).parse::<Root>());
    let work = checks.ok("work", text(work).parse::<WorkNonce>());
    let difficulty = checks.ok("difficulty", text(difficulty).parse::<u64>());
    if let (Some(root), Some(work), Some(difficulty)) = (root, work, difficulty) {
        checks.equal("work", work.difficulty(&root), Difficulty::new(difficulty));
    }
}
