//! The weight table that full nodes shipped, against the one that this project ships.

use std::collections::BTreeMap;

use nano_core::{Account, Network, PublicKey, Raw, WeightTable};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    /// Until which ledger size nodes use the table: nothing here has a ledger.
    #[serde(rename = "max_blocks")]
    _max_blocks: IgnoredAny,
    total: Raw,
    representatives: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    account: Account,
    public_key: PublicKey,
    weight: Raw,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    let table = WeightTable::live_snapshot();
    checks.equal("network", table.network, Network::Live);
    checks.equal("total", table.total(), data.total);
    checks.rows("representatives", &data.representatives, |checks, row| {
        checks.equal("key", row.account.public_key(), row.public_key);
        checks.equal("weight", table.weight_of(&row.account), row.weight);
    });
    let rows = data.representatives.iter();
    let recorded: BTreeMap<_, _> = rows.map(|row| (row.account, row.weight)).collect();
    checks.equal("all weights", &table.weights, &recorded);
    Ok(())
}
