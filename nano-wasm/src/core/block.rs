//! Blocks, their signatures and their work.

use nano_core::{
    Block, BlockHash, BlockKind, Difficulty, Epoch, Link, Network, PrivateKey, PublicKey, Root,
    Signature, StateBlock, WorkNonce,
};
use wasm_bindgen::prelude::wasm_bindgen;

use super::account::{account, json, raw};
use crate::fault::Fault;

fn block(text: &str) -> Result<Block, Fault> {
    Block::from_json_text(text).map_err(Fault::coded("bad-block"))
}

pub(super) fn network(name: &str) -> Result<Network, Fault> {
    name.parse().map_err(Fault::coded("bad-network"))
}

/// A link written as an address, or as 64 hex digits.
fn link(text: &str) -> Result<Link, Fault> {
    if text.contains('_') {
        return account(text).map(Link::from);
    }
    text.parse().map_err(Fault::coded("bad-link"))
}

/// An unsigned state block as JSON; without `previous` an account's first one.
#[wasm_bindgen(js_name = buildBlock)]
pub fn build_block(
    account_text: &str,
    previous: Option<String>,
    representative: &str,
    balance: &str,
    link_text: Option<String>,
) -> Result<String, Fault> {
    let previous = previous.map_or(Ok(BlockHash::ZERO), |text| text.parse());
    let block = StateBlock::unsigned(
        account(account_text)?,
        previous.map_err(Fault::coded("bad-previous"))?,
        account(representative)?,
        raw(balance)?,
        link_text.map_or(Ok(Link::ZERO), |text| link(&text))?,
    );
    json(&Block::State(block))
}

/// Hash of a block given as JSON.
#[wasm_bindgen(js_name = hashBlock)]
pub fn hash_block(text: &str) -> Result<String, Fault> {
    Ok(block(text)?.hash().to_string())
}

/// A block given as JSON, signed.
#[wasm_bindgen(js_name = signBlock)]
pub fn sign_block(text: &str, private_key: &str) -> Result<String, Fault> {
    let key = PrivateKey::from_hex(private_key).map_err(Fault::coded("bad-key"))?;
    let mut block = block(text)?;
    if let Some(account) = block.account().filter(|account| *account != key.account()) {
        return Err(Fault {
            code: "wrong-key",
            message: format!(
                "the block is of {account}, the private key is of {}; sign with the account's own",
                key.account()
            ),
        });
    }
    block.set_signature(key.sign(block.hash().as_bytes()));
    json(&block)
}

/// What the work of a block given as JSON is over.
#[wasm_bindgen(js_name = workRoot)]
pub fn work_root(text: &str) -> Result<String, Fault> {
    Ok(block(text)?.root().to_string())
}

/// Difficulty that a kind of block needs on a network.
#[wasm_bindgen(js_name = workThreshold)]
pub fn work_threshold(network_name: &str, kind: &str) -> Result<String, Fault> {
    let kind = match kind {
        "open" => BlockKind::Open,
        "receive" => BlockKind::Receive,
        "send" => BlockKind::Send,
        "change" => BlockKind::Change,
        "epoch" => BlockKind::Epoch(Epoch::Two),
        _ => {
            return Err(Fault {
                code: "bad-kind",
                message: format!(
                    "{kind:?} is no kind of block; it is one of open, receive, send, change, epoch"
                ),
            });
        }
    };
    let thresholds = network(network_name)?.work_thresholds();
    Ok(thresholds.required(Some(Epoch::Two), kind).to_string())
}

/// Whether work reaches a difficulty.
#[wasm_bindgen(js_name = validateWork)]
pub fn validate_work(root: &str, work: &str, threshold: &str) -> Result<bool, Fault> {
    let root: Root = root.parse().map_err(Fault::coded("bad-root"))?;
    let work: WorkNonce = work.parse().map_err(Fault::coded("bad-work"))?;
    let threshold: Difficulty = threshold.parse().map_err(Fault::coded("bad-threshold"))?;
    Ok(work.difficulty(&root) >= threshold)
}

/// Whether a signature holds, as leniently as Nano's nodes see it.
#[wasm_bindgen(js_name = verifySignature)]
pub fn verify_signature(public_key: &str, message: &[u8], signature: &str) -> Result<bool, Fault> {
    let key: PublicKey = public_key.parse().map_err(Fault::coded("bad-key"))?;
    let signature: Signature = signature.parse().map_err(Fault::coded("bad-signature"))?;
    Ok(key.verify(message, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::from_bytes([7; 32])
    }

    fn send() -> Result<String, Fault> {
        let account = key().account().to_string();
        let genesis = Network::Dev.genesis_account().to_string();
        build_block(
            &account,
            Some("11".repeat(32)),
            &account,
            "5",
            Some(genesis),
        )
    }

    #[test]
    fn a_built_block_is_hashed_signed_and_verified_as_one() {
        let signed = sign_block(&send().unwrap(), &hex::encode([7; 32])).unwrap();
        let signed = Block::from_json_text(&signed).unwrap();
        let hash = hash_block(&send().unwrap()).unwrap();
        assert_eq!(signed.hash().to_string(), hash);
        let held = verify_signature(
            &key().public_key().to_string(),
            &hex::decode(hash).unwrap(),
            &signed.signature().to_string(),
        );
        assert_eq!(held, Ok(true));
    }

    #[test]
    fn a_first_block_has_its_account_as_work_root() {
        let account = key().account().to_string();
        let block = build_block(&account, None, &account, "5", Some("22".repeat(32))).unwrap();
        assert_eq!(work_root(&block).unwrap(), key().public_key().to_string());
    }

    #[test]
    fn anothers_key_signs_nothing() {
        let refused = sign_block(&send().unwrap(), &hex::encode([8; 32]));
        assert_eq!(refused.unwrap_err().code, "wrong-key");
    }

    #[test]
    fn thresholds_are_those_of_network_and_kind() {
        assert_eq!(work_threshold("live", "send").unwrap(), "fffffff800000000");
        assert_eq!(work_threshold("live", "open").unwrap(), "fffffe0000000000");
        assert_eq!(work_threshold("dev", "change").unwrap(), "ffc0000000000000");
        assert_eq!(work_threshold("dev", "gift").unwrap_err().code, "bad-kind");
        assert_eq!(
            work_threshold("main", "send").unwrap_err().code,
            "bad-network"
        );
    }

    #[test]
    fn work_is_valid_from_its_difficulty_down() {
        let root = "718CC2121C3E641059BC1C2CFC45666C99E8AE922F7A807B7D07B62C995D79E2";
        let valid = |threshold| validate_work(root, "2b3d689bbcb21dca", threshold).unwrap();
        assert!(valid("fffffff93c41ec94"));
        assert!(!valid("fffffff93c41ec95"));
    }
}
