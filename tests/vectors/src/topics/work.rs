//! Work: difficulties, thresholds, multipliers.

use std::collections::BTreeMap;

use nano_core::{Difficulty, Network, Root, WorkNonce};
use serde::Deserialize;

use super::Note;
use super::networks::Thresholds;
use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    thresholds: BTreeMap<Network, Thresholds>,
    values: Vec<Value>,
    multipliers: Vec<Multiplier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    root: Root,
    work: WorkNonce,
    difficulty: Difficulty,
    #[serde(rename = "source")]
    _source: Note,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Multiplier {
    base: Difficulty,
    difficulty: Difficulty,
    multiplier: f64,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    let thresholds: Vec<_> = data.thresholds.into_iter().collect();
    checks.rows("thresholds", &thresholds, |checks, (network, row)| {
        row.check(checks, *network);
    });
    checks.rows("values", &data.values, |checks, row| {
        let difficulty = row.work.difficulty(&row.root);
        checks.equal("difficulty", difficulty, row.difficulty);
    });
    checks.rows("multipliers", &data.multipliers, |checks, row| {
        let multiplier = row.difficulty.multiplier(row.base);
        let error = (multiplier / row.multiplier - 1.0).abs();
        checks.holds("multiplier", error <= f64::EPSILON);
        // Both differences to 2^64 have few enough bits here for the way back to be exact to the
        // last bit of the quotient.
        let back = row.base.multiplied(row.multiplier);
        let step = back.map(|back| back.number().abs_diff(row.difficulty.number()));
        checks.holds(
            "difficulty from multiplier",
            step.is_some_and(|step| step <= 1),
        );
    });
    Ok(())
}
