//! The `weights` command: a table out of a full node's RPC.

use std::io::Write;

use nano_core::WeightTable;

use super::WeightsError;
use crate::cli::WeightsOptions;
use crate::config::{ConfigError, rpc_url, whole_nano};
use crate::metrics::Metrics;
use crate::rpc::Rpc;

/// Why no table was written.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The options are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no table, or nowhere to write it.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The table is beyond its limits.
    #[error("the full node's weights are unusable: {0}")]
    Unusable(#[from] nano_core::WeightTableError),
    /// It cannot be written as JSON.
    #[error("the table cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Makes the table that `options` ask for.
///
/// # Errors
/// Why there is none.
pub async fn table(options: &WeightsOptions) -> Result<WeightTable, CommandError> {
    let rpc = Rpc::new(rpc_url(&options.rpc)?, Metrics::default()).map_err(WeightsError::from)?;
    let minimum = whole_nano(options.online_weight_minimum);
    let table = rpc
        .weight_table(options.network, Some(minimum))
        .await
        .map_err(WeightsError::from)?;
    // Nobody would read it otherwise.
    table.to_bytes()?;
    Ok(table)
}

/// Makes it and writes it, to a file whole or not at all.
///
/// # Errors
/// Why nothing was written.
pub async fn run(options: &WeightsOptions) -> Result<(), CommandError> {
    let table = table(options).await?;
    let text = format!("{}\n", serde_json::to_string_pretty(&table)?);
    let Some(path) = &options.out else {
        let out = std::io::stdout().lock().write_all(text.as_bytes());
        let path = "standard output".into();
        return Ok(out.map_err(|source| WeightsError::Write { path, source })?);
    };
    let failed = |source| WeightsError::Write {
        path: path.clone(),
        source,
    };
    let mut unfinished = path.clone().into_os_string();
    unfinished.push(".new");
    std::fs::write(&unfinished, text).map_err(failed)?;
    std::fs::rename(&unfinished, path).map_err(failed)?;
    tracing::info!(
        representatives = table.weights.len(), online_weight = %table.online_weight,
        "the weight table was written"
    );
    Ok(())
}
