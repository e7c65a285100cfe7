use super::*;
use clap::Parser;

fn parse(arguments: &[&str]) -> Result<Config, ConfigError> {
    let line = ["bridge-server", "run"].iter().chain(arguments);
    match crate::cli::Cli::try_parse_from(line).unwrap().command {
        crate::cli::Command::Run(options) => Config::resolve(*options),
        _ => panic!("not run"),
    }
}

fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bridge.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn the_embedded_dev_network_needs_nothing_else() {
    let config = parse(&["--embedded-devnet"]).unwrap();
    assert_eq!(config.network, Network::Dev);
    assert_eq!(config.listen.to_string(), "127.0.0.1:7080");
    assert_eq!(config.weights, WeightsFrom::Embedded);
    assert_eq!(config.replicas, DEFAULT_REPLICAS);
}

#[test]
fn options_of_the_embedded_network_need_it() {
    let config = parse(&["--embedded-devnet", "--dialect", "rs", "--accounts", "7"]).unwrap();
    assert_eq!((config.dialect, config.accounts), (Dialect::Rs, 7));
    let (_folder, path) = file("embedded-devnet = true\ndialect = \"rs\"\nbackfill = 9\n");
    let config = parse(&["--config", &path]).unwrap();
    assert_eq!((config.dialect, config.backfill), (Dialect::Rs, 9));
    let (_folder, path) = file("embedded-devnet = true\ndialect = \"c\"\n");
    assert!(matches!(
        parse(&["--config", &path]),
        Err(ConfigError::Toml { .. })
    ));
    let alone = parse(&["--peer", "a:1", "--rpc", "http://a", "--dialect", "rs"]);
    assert!(matches!(alone, Err(ConfigError::Conflict(_))));
}

#[test]
fn the_command_line_wins_over_the_file_and_the_file_over_the_default() {
    let (_folder, path) =
        file("embedded-devnet = true\nlisten = \"127.0.0.1:9000\"\nreplicas = 3\n");
    let config = parse(&["--config", &path, "--replicas", "5"]).unwrap();
    assert_eq!(config.listen.port(), 9000);
    assert_eq!(config.replicas, 5);
    assert_eq!(config.max_links, DEFAULT_MAX_LINKS);
}

#[test]
fn an_unknown_key_of_the_file_is_named() {
    let (_folder, path) = file("lisen = \"127.0.0.1:9000\"\n");
    let message = parse(&["--config", &path]).unwrap_err().to_string();
    assert!(
        message.contains("lisen") && message.contains("listen"),
        "{message}"
    );
    assert!(message.contains("bridge.toml"), "{message}");
}

#[test]
fn a_value_of_the_wrong_kind_is_named() {
    let (_folder, path) = file("replicas = \"many\"\n");
    let message = parse(&["--config", &path]).unwrap_err().to_string();
    assert!(message.contains("replicas"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let message = parse(&["--config", "/nowhere/bridge.toml"])
        .unwrap_err()
        .to_string();
    assert!(message.contains("/nowhere/bridge.toml"), "{message}");
}

#[test]
fn one_nodes_word_never_sets_weights_on_live() {
    let config = parse(&["--network", "live", "--rpc", "http://127.0.0.1:7076"]).unwrap();
    assert_eq!(config.weights, WeightsFrom::LiveSnapshot);
    assert!(config.rpc.is_some());
    let beta = parse(&["--network", "beta", "--rpc", "http://127.0.0.1:7076"]).unwrap_err();
    assert!(matches!(beta, ConfigError::Conflict(text) if text.contains("--weights")));
}

#[test]
fn an_anchor_is_a_key_and_an_address_and_counts_once() {
    let key = NodeKey::from_bytes([7; 32]);
    let one = format!("{key}@http://127.0.0.1:7080");
    let live = ["--network", "live", "--anchor", &one, "--anchor", &one];
    let config = parse(&live).unwrap();
    assert_eq!(config.anchors.len(), 1);
    assert_eq!(config.anchors[0].url, "http://127.0.0.1:7080");
    for wrong in ["http://127.0.0.1:7080", "key_x@http://h", &key.to_string()] {
        let error = parse(&["--network", "live", "--anchor", wrong]).unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
    }
}

#[test]
fn live_starts_from_the_shipped_table_and_the_public_peers() {
    let config = parse(&["--network", "live"]).unwrap();
    assert_eq!(config.weights, WeightsFrom::LiveSnapshot);
    assert_eq!(config.peers, ["peering.nano.org:7075"]);
}

#[test]
fn contradictions_are_refused_before_anything_starts() {
    for arguments in [
        &["--embedded-devnet", "--network", "live"][..],
        &["--embedded-devnet", "--rpc", "http://127.0.0.1:1"],
        &["--peer", "127.0.0.1:44000"],
        &["--embedded-devnet", "--replicas", "0"],
        &["--embedded-devnet", "--max-links", "0"],
        &["--peer", "127.0.0.1", "--rpc", "http://127.0.0.1:1"],
        &["--peer", "127.0.0.1:0", "--rpc", "http://127.0.0.1:1"],
        &["--peer", "127.0.0.1:1", "--rpc", "https://127.0.0.1:1"],
        &["--embedded-devnet", "--ws", "ws://127.0.0.1:1"],
        &[
            "--peer",
            "127.0.0.1:1",
            "--rpc",
            "http://127.0.0.1:1",
            "--ws",
            "http://127.0.0.1:1",
        ],
        &["--embedded-devnet", "--www", "/nowhere/at/all"],
        &[],
    ] {
        assert!(parse(arguments).is_err(), "{arguments:?} was accepted");
    }
}
