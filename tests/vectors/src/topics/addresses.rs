//! Account address text.

use nano_core::{Account, AddressError, PublicKey};
use serde::Deserialize;

use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    valid: Vec<Valid>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Valid {
    public_key: PublicKey,
    address: String,
    address_xrb: String,
    node_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalid {
    input: String,
    reason: String,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    checks.rows("valid", &data.valid, |checks, row| {
        let account = Account::from(row.public_key);
        checks.equal("address", account.to_string(), row.address.clone());
        checks.equal(
            "node id",
            row.public_key.to_node_id_text(),
            row.node_id.clone(),
        );
        for text in [&row.address, &row.address_xrb] {
            for text in [text.clone(), text.replace('_', "-")] {
                checks.equal(&text, text.parse(), Ok(account));
            }
        }
        let node_id = PublicKey::from_node_id_text(&row.node_id);
        checks.equal("node id read", node_id, Ok(row.public_key));
    });
    checks.rows("invalid", &data.invalid, |checks, row| {
        let refusal = row.input.parse::<Account>().map_err(words);
        checks.equal(&row.input, refusal, Err(recorded_words(&row.reason)));
    });
    Ok(())
}

/// How the data names a reason. The documentation's placeholder has two faults, of which the
/// alphabet is found first.
fn recorded_words(reason: &str) -> &str {
    let reason = reason.split(" (").next().unwrap_or(reason);
    match reason {
        "placeholder of old documentation, wrong checksum and alphabet"
        | "character 2 not in alphabet" => "not in alphabet",
        _ => reason,
    }
}

fn words(error: AddressError) -> &'static str {
    match error {
        AddressError::Empty => "empty",
        AddressError::MissingPrefix => "no prefix",
        AddressError::UnknownPrefix => "unknown prefix",
        AddressError::UpperCase => "upper case is not accepted by nodes",
        AddressError::NodeId => "node id",
        AddressError::NotNodeId => "no node id",
        AddressError::TooShort { .. } => "too short",
        AddressError::TooLong { .. } => "too long",
        AddressError::Character { .. } => "not in alphabet",
        AddressError::FirstCharacter(_) => "first character must be 1 or 3",
        AddressError::Checksum => "wrong checksum",
    }
}
