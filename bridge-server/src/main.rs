//! `bridge-server`: see the library for what it is, `--help` for how to use it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use bridge_server::cli::{Cli, Command};
use bridge_server::config::Config;
use bridge_server::{devnet, run, weights};
use clap::Parser;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match serve(cli.command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The message alone: it says what happened, to what, and what to do.
            let _ = writeln!(std::io::stderr(), "bridge-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(command: Command) -> Result<(), Box<dyn std::error::Error>> {
    match command {
        Command::Devnet(options) => {
            let json = options.json;
            let nodes = devnet::start(&options).await?;
            announce(json, &devnet::ready(&nodes), &devnet::greeting(&nodes));
            stopped().await?;
            for node in nodes {
                node.stop().await;
            }
        }
        Command::Weights(options) => weights::command::run(&options).await?,
        Command::Run(options) => {
            let json = options.json;
            let bridge = run::Bridge::start(Config::resolve(*options)?).await?;
            announce(json, &bridge.ready(), &bridge.greeting());
            stopped().await?;
            bridge.stop().await;
        }
    }
    Ok(())
}

/// One line on standard output: JSON for programs, words for a person at a terminal.
fn announce(json: bool, ready: &serde_json::Value, greeting: &str) {
    let mut out = std::io::stdout().lock();
    let written = if json || !out.is_terminal() {
        writeln!(out, "{ready}")
    } else {
        writeln!(out, "{greeting}")
    };
    if written.and_then(|()| out.flush()).is_err() {
        tracing::warn!("standard output is closed; the ready line was not written");
    }
}

/// Waits for the signal to end.
async fn stopped() -> std::io::Result<()> {
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        result = terminated() => result?,
    }
    tracing::info!("stopping");
    Ok(())
}

/// Waits for SIGTERM, which service managers send.
#[cfg(unix)]
async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}

/// There is no such signal here.
#[cfg(not(unix))]
async fn terminated() -> std::io::Result<()> {
    std::future::pending().await
}
