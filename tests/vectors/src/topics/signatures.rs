//! Ed25519 with BLAKE2b, as lenient as the network; and our own stricter rules beside it.

use nano_core::{PublicKey, Signature, dev_genesis_private_key};
use serde::Deserialize;

use super::Note;
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    public_key: PublicKey,
    message: String,
    signature: Signature,
    accept: bool,
    source: String,
    #[serde(rename = "note")]
    _note: Note,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let rows: Vec<Row> = serde_json::from_str(json)?;
    checks.rows("signatures", &rows, |checks, row| {
        let Some(message) = checks.ok("message", hex::decode(&row.message)) else {
            return;
        };
        let accepted = row.public_key.verify(&message, &row.signature).is_ok();
        checks.equal(&row.name, accepted, row.accept);
        let canonical = row.public_key.verify_canonical(&message, &row.signature);
        let normal = row.name.starts_with("normal");
        checks.equal("canonical rules", canonical.is_ok(), normal);
        if row.source.contains("deterministic") {
            let signature = dev_genesis_private_key().sign(&message);
            checks.equal("signing again", signature, row.signature);
        }
    });
    let live = rows.iter().filter(|row| row.name.starts_with("live"));
    checks.holds("has live blocks that strict rules refuse", live.count() > 0);
    Ok(())
}
