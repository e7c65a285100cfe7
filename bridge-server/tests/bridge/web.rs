//! What a browser and an operator see over HTTP, and the program as a process.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::common::{bridge, options};
use bridge_server::cli::RunOptions;
use reqwest::StatusCode;
use serde_json::{Value, json};

fn header<'a>(response: &'a reqwest::Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_page_is_cross_origin_isolated_and_its_files_have_types_and_ages() {
    let www = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| std::fs::write(www.path().join(name), text).unwrap();
    file("index.html", b"<!doctype html><title>page</title>");
    file("node-0a1b2c3d4e.wasm", b"\0asm");
    file("node-0a1b2c3d4e.wasm.br", b"packed");
    file("main.js", b"1");
    let bridge = bridge(RunOptions {
        www: Some(www.path().to_path_buf()),
        ..options()
    })
    .await;
    let at = |path: &str| format!("http://{}{path}", bridge.address());

    let page = reqwest::get(at("/")).await.unwrap();
    assert_eq!(header(&page, "content-type"), "text/html");
    assert_eq!(header(&page, "cache-control"), "no-cache");
    assert_eq!(header(&page, "cross-origin-opener-policy"), "same-origin");
    assert_eq!(
        header(&page, "cross-origin-embedder-policy"),
        "require-corp"
    );
    assert_eq!(header(&page, "cross-origin-resource-policy"), "same-origin");
    let policy = header(&page, "content-security-policy").to_owned();
    assert!(
        policy.contains("script-src 'self' 'wasm-unsafe-eval';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe-inline"), "{policy}");

    let wasm = reqwest::get(at("/node-0a1b2c3d4e.wasm")).await.unwrap();
    assert_eq!(header(&wasm, "content-type"), "application/wasm");
    assert!(header(&wasm, "cache-control").contains("immutable"));
    assert_eq!(wasm.bytes().await.unwrap().as_ref(), b"\0asm");
    let packed = reqwest::Client::new()
        .get(at("/node-0a1b2c3d4e.wasm"))
        .header("accept-encoding", "br")
        .send()
        .await
        .unwrap();
    assert_eq!(header(&packed, "content-encoding"), "br");
    assert_eq!(header(&packed, "content-type"), "application/wasm");
    assert_eq!(packed.bytes().await.unwrap().as_ref(), b"packed");

    let missing = reqwest::get(at("/nothing")).await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(missing.text().await.unwrap().contains("/nothing"));
    let outside = reqwest::get(at("/..%2f..%2fetc/passwd")).await.unwrap();
    assert_eq!(outside.status(), StatusCode::NOT_FOUND);
    bridge.stop().await;
}

#[tokio::test]
async fn the_api_tells_who_the_bridge_is_and_its_errors_say_what_to_do() {
    let bridge = bridge(options()).await;
    let at = |path: &str| format!("http://{}{path}", bridge.address());
    let info: Value = reqwest::get(at("/v1/info"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(info["network"], "dev");
    assert!(info["key"].as_str().unwrap().starts_with("key_"));
    assert_eq!(info["weights"]["source"], "embedded");

    let table: nano_core::WeightTable = reqwest::get(at("/v1/weights"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(&table, bridge.weights().current().as_ref());

    let metrics = reqwest::get(at("/metrics"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        metrics.contains("nanonet_full_node_channels 1"),
        "{metrics}"
    );

    let unbuilt = reqwest::get(at("/")).await.unwrap().text().await.unwrap();
    assert!(unbuilt.contains("npm start"));

    let client = reqwest::Client::new();
    let faucet = async |body: Value| {
        let response = client
            .post(at("/v1/faucet"))
            .json(&body)
            .send()
            .await
            .unwrap();
        (response.status(), response.json::<Value>().await.unwrap())
    };
    let account = nano_core::PrivateKey::from_bytes([7; 32])
        .account()
        .to_string();
    let (status, gift) = faucet(json!({ "account": account })).await;
    assert_eq!(status, StatusCode::OK, "{gift}");
    let sent = gift["hash"].as_str().unwrap().parse().unwrap();
    assert!(bridge.dev_node().unwrap().is_confirmed(&sent));
    for (body, status, code) in [
        (
            json!({ "account": "nano_1" }),
            StatusCode::BAD_REQUEST,
            "bad-account",
        ),
        (
            json!({ "acount": account }),
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad-request",
        ),
    ] {
        let (found, error) = faucet(body).await;
        assert_eq!((found, error["error"].as_str()), (status, Some(code)));
        assert!(!error["message"].as_str().unwrap().is_empty());
    }
    let unknown = reqwest::get(at("/v1/nothing")).await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let unknown: Value = unknown.json().await.unwrap();
    assert_eq!(unknown["error"], "unknown-path");
    bridge.stop().await;
}

#[test]
fn the_program_says_when_it_is_ready_and_names_what_is_wrong() {
    let program = || Command::new(env!("CARGO_BIN_EXE_bridge-server"));
    let mut child = program()
        .args(["run", "--embedded-devnet", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["ready"], true);
    assert!(
        ready["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    child.kill().unwrap();
    child.wait().unwrap();

    let refused = program()
        .args(["run", "--network", "live", "--embedded-devnet"])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains("--embedded-devnet"), "{message}");
    let help = program().args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("UNTESTED ON THE LIVE NETWORK"), "{help}");
}
