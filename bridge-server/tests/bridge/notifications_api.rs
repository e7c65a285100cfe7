//! The HTTP interface of notifications against its own description: every path, every status and every body that
//! the server gives is described, and what is described is served.

use bridge_server::cli::RunOptions;
use bridge_server::run::Bridge;
use nano_core::{BlockHash, Network, PublicKey, Raw, WorkNonce};
use nanonet::Rng;
use nanonet::notify::{
    Deletion, MAX_TTL_S, Payment, RecipientSecret, Sealed, TagKind, Week, base_difficulty,
};
use serde_json::{Map, Value, json};

use crate::common::bridge;

async fn relay() -> Bridge {
    let options = RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        relay_only: true,
        ..RunOptions::default()
    };
    bridge(options).await
}

fn sealed(number: u8) -> Sealed {
    let payment = Payment {
        ephemeral: PublicKey::from_bytes([1; 32]),
        transaction: BlockHash::from_bytes([number; 32]),
        amount: Raw::new(5),
        nonce: [number; 32],
        memo: None,
    };
    let mut rng = Rng::from_seed([number; 32]);
    let (to, now) = (secret().key(), bridge_server::clock::now());
    let mut sealed =
        Sealed::new(&payment, &to, TagKind::Rotating, MAX_TTL_S, now, &mut rng).unwrap();
    let needed = base_difficulty(Network::Dev);
    let mut nonces = (0..).map(WorkNonce::new);
    let good = nonces.find(|nonce| nonce.difficulty(&sealed.hash.root()) >= needed);
    sealed.work = good.unwrap();
    sealed
}

fn secret() -> RecipientSecret {
    RecipientSecret::from_seed(&[1; 32])
}

fn form(sealed: &Sealed) -> Value {
    json!({
        "version": sealed.version,
        "hash": sealed.hash.to_string(),
        "timestamp": sealed.timestamp.number(),
        "ttl": sealed.ttl_s,
        "recipient_pubkey": hex::encode(sealed.tag.as_bytes()),
        "encrypted_payload": hex::encode(&sealed.payload),
        "nonce": hex::encode(sealed.nonce),
        "work": sealed.work.to_string(),
    })
}

/// Follows `$ref`.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(path) => document.pointer(path.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

fn is_of_type(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("{other} is not used"),
    }
}

/// What of the value does not fit the schema, as far as this document uses schemas.
fn misfit(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let schema = resolved(document, schema);
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of_type(value, kind)) {
        return Some(format!("{value} is not {kinds:?}"));
    }
    if let Some(minimum) = schema["minimum"].as_f64()
        && value.as_f64().is_some_and(|value| value < minimum)
    {
        return Some(format!("{value} is below {minimum}"));
    }
    if let Some(items) = value.as_array() {
        return items
            .iter()
            .find_map(|item| misfit(document, &schema["items"], item));
    }
    let fields = value.as_object()?;
    let none = Map::new();
    let known = schema["properties"].as_object().unwrap_or(&none);
    for field in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(field.as_str().unwrap()) {
            return Some(format!("{field} is missing"));
        }
    }
    fields
        .iter()
        .find_map(|(name, value)| match known.get(name) {
            Some(schema) => misfit(document, schema, value).map(|why| format!("{name}: {why}")),
            None if schema["additionalProperties"] == false => {
                Some(format!("{name} is not described"))
            }
            None => None,
        })
}

struct Client {
    base: String,
    http: reqwest::Client,
    document: Value,
}

impl Client {
    /// Asks, and checks the answer against its description.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let url = format!("{}{path}{query}", self.base);
        let request = match method {
            "get" => self.http.get(url),
            _ => self.http.post(url).json(&body.unwrap_or(Value::Null)),
        };
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let anyone = reply.headers().get("access-control-allow-origin").cloned();
        assert_eq!(anyone.unwrap(), "*", "{method} {path}");
        let body: Value = reply.json().await.unwrap();
        let described = &self.document["paths"][path][method]["responses"][status.to_string()];
        assert!(
            described.is_object(),
            "{method} {path} answered {status}: {body}"
        );
        let described = resolved(&self.document, described);
        let schema = &described["content"]["application/json"]["schema"];
        let misfit = misfit(&self.document, schema, &body);
        assert_eq!(misfit, None, "{method} {path} answered {status}: {body}");
        (status, body)
    }
}

#[tokio::test]
async fn the_server_does_what_its_description_says() {
    let bridge = relay().await;
    let base = format!("http://{}", bridge.address());
    let http = reqwest::Client::new();
    let document = http.get(format!("{base}/v1/notifications/openapi.json"));
    let document: Value = document.send().await.unwrap().json().await.unwrap();
    let client = Client {
        base,
        http,
        document,
    };
    // The directory of one bridge comes within seconds.
    let one = sealed(1);
    let put = |sealed: &Sealed| client.ask("post", "/v1/notifications", "", Some(form(sealed)));
    let mut stored = put(&one).await;
    for _ in 0..200 {
        if stored.0 == 200 {
            break;
        }
        assert_eq!(stored.1["error"], "no-relays");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        stored = put(&one).await;
    }
    assert_eq!(stored.0, 200, "{}", stored.1);
    let tag = hex::encode(one.tag.as_bytes());
    let query = format!("?recipient_pubkey={tag}");
    let (_, found) = client.ask("get", "/v1/notifications", &query, None).await;
    assert_eq!(found["notifications"][0]["hash"], one.hash.to_string());
    for path in ["difficulty", "providers"] {
        let path = format!("/v1/notifications/{path}");
        assert_eq!(client.ask("get", &path, &query, None).await.0, 200);
        assert_eq!(
            client
                .ask("get", &path, "?recipient_pubkey=7", None)
                .await
                .0,
            400
        );
    }
    let (_, status) = client
        .ask("get", "/v1/notifications/status", "", None)
        .await;
    assert_eq!(status["held"], 1);

    // Bad input: each its own error, with what to do.
    let mut expected = Vec::new();
    let mut refuse = |change: fn(&mut Sealed), code: &'static str, rehash: bool| {
        let mut bad = sealed(2);
        change(&mut bad);
        if rehash {
            bad.hash = nanonet::notify::RelayAddress::of(&bad);
        }
        expected.push((bad, code));
    };
    refuse(|bad| bad.version = 7, "unknown-version", false);
    refuse(|bad| bad.nonce[0] ^= 1, "wrong-hash", false);
    refuse(|bad| bad.ttl_s = 1, "bad-ttl", true);
    refuse(
        |bad| bad.timestamp = bad.timestamp.plus(999_999),
        "from-the-future",
        true,
    );
    refuse(|bad| bad.timestamp.0 -= 4_000_000, "too-late", true);
    refuse(
        |bad| {
            bad.timestamp.0 -= 120_000;
            bad.ttl_s = 60;
        },
        "expired",
        true,
    );
    refuse(|bad| bad.payload.truncate(9), "unpadded", true);
    refuse(|bad| bad.payload = vec![0; 3_000], "too-large", true);
    refuse(
        |bad| {
            let base = base_difficulty(Network::Dev);
            let mut nonces = (0..).map(WorkNonce::new);
            let light = nonces.find(|nonce| nonce.difficulty(&bad.hash.root()) < base);
            bad.work = light.unwrap();
        },
        "too-little-work",
        false,
    );
    for (bad, code) in expected {
        let (status, body) = put(&bad).await;
        assert_ne!(status, 200);
        assert_eq!(body["error"], code, "{body}");
        if code == "too-little-work" {
            assert_eq!(body["needed"], base_difficulty(Network::Dev).to_string());
        }
    }
    for body in [json!({}), json!({ "version": 1 }), json!("text")] {
        client
            .ask("post", "/v1/notifications", "", Some(body))
            .await;
    }
    let (_, status) = client
        .ask("get", "/v1/notifications/status", "", None)
        .await;
    assert_eq!(status["held"], 1, "nothing of that was stored");

    let data = Deletion::data(Network::Dev, &one.hash);
    let deletion = |by: &RecipientSecret| {
        json!({
            "recipient_pubkey": tag,
            "hash": one.hash.to_string(),
            "signature": by.sign(Some(Week::of(one.timestamp)), &data).to_string(),
        })
    };
    let path = "/v1/notifications/delete";
    let other = RecipientSecret::from_seed(&[9; 32]);
    assert_eq!(
        client.ask("post", path, "", Some(deletion(&other))).await.0,
        403
    );
    assert_eq!(
        client
            .ask("post", path, "", Some(deletion(&secret())))
            .await
            .0,
        200
    );
    assert_eq!(put(&one).await.1["error"], "replayed");

    // Nothing is served that is not described, and nothing described that is not served.
    for (path, methods) in client.document["paths"].as_object().unwrap() {
        for method in ["get", "post"] {
            let url = format!("{}{path}", client.base);
            let request = match method {
                "get" => client.http.get(url),
                _ => client.http.post(url).json(&json!({})),
            };
            let served = !matches!(request.send().await.unwrap().status().as_u16(), 404 | 405);
            assert_eq!(served, methods.get(method).is_some(), "{method} {path}");
        }
    }
    bridge.stop().await;
}
