//! Where seeds come from: the overlay's and the bridge's are written by their encoders and from
//! recorded answers, so that a change of the protocol shows here. Those of `nano-core` are of
//! recorded test data and stay as they are.

use std::collections::BTreeSet;
use std::fs;

use bridge_server::backfill::Progress;
use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, ConfirmAck, Cookie, Header, Keepalive, Message,
    NodeIdHandshake, Publish,
};
use nano_core::{
    Account, BlockHash, Network, PrivateKey, Raw, UnixMillis, Vote, VoteTimestamp, WeightTable,
};
use nanonet::{Addresses, Identity, PeerRecord, Rng, Role, SignedWeights, TransportAddress};
use serde_json::{Value, json};

use crate::replay::{corpus, files};

/// One file: its decoder, its name after `seed-`, its bytes.
type Seed = (&'static str, String, Vec<u8>);

fn recorded(name: &str) -> Value {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/data");
    let text = fs::read_to_string(format!("{data}/{name}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Bytes of a full node after the byte that says what they are; see the decoder.
fn full_node_stream() -> Vec<Seed> {
    let seed = |name: &str, kind: u8, messages: &[&[u8]]| {
        let bytes = [&[kind], messages.concat().as_slice()].concat();
        ("full_node_stream", name.to_owned(), bytes)
    };
    let on = |network, message: Message| message.encode(network).unwrap();
    let dev = |message| on(Network::Dev, message);
    let genesis = Network::Dev.genesis_block();
    let keepalive = dev(Keepalive::EMPTY.into());
    let query = dev(NodeIdHandshake::query(Cookie::from_bytes([7; 32])).into());
    let publish = dev(Publish {
        block: genesis,
        originator: true,
    }
    .into());
    let key = PrivateKey::from_bytes([3; 32]);
    let vote = Vote::sign(&key, VoteTimestamp::FINAL, vec![genesis.hash()]);
    let vote = dev(ConfirmAck {
        vote,
        rebroadcast: false,
    }
    .into());
    let answer = AscPullAnswer::AccountInfo(AccountInfo {
        account: Network::Dev.genesis_account(),
        open: genesis.hash(),
        head: genesis.hash(),
        block_count: 1,
        confirmed_frontier: genesis.hash(),
        confirmed_height: 1,
    });
    // The decoder's question is the channel's second number.
    let answer = dev(AscPullAck { id: 2, answer }.into());
    let everything: [&[u8]; 4] = [&keepalive, &publish, &vote, &answer];
    let spoiled = |message: &[u8], places: std::ops::Range<usize>| {
        let mut message = message.to_vec();
        message[places].fill(0);
        message
    };
    let payload = Header::SIZE;
    vec![
        seed("good-serving", 0, &everything),
        seed("good-query", 2, &[&query]),
        seed("bad-answer", 1, &[&query]),
        seed("bad-order", 2, &[&keepalive]),
        seed("bad-cut", 0, &[&keepalive[..20]]),
        seed("bad-header", 0, &[&spoiled(&keepalive, 0..2)]),
        seed("bad-pull", 0, &[&spoiled(&answer, payload..payload + 1)]),
        seed(
            "good-vote-of-nobody",
            0,
            &[&spoiled(&vote, payload..payload + 32)],
        ),
        seed(
            "bad-network",
            0,
            &[&on(Network::Live, Keepalive::EMPTY.into())],
        ),
    ]
}

fn link_stream() -> Vec<Seed> {
    let prefix = bridge_server::shell::PREFIX;
    let frames = [&prefix[..], &[0, 0, 0, 3], b"one", &[0, 0, 0, 1], b"2"].concat();
    let seed = |name: &str, bytes: &[u8]| ("link_stream", name.to_owned(), bytes.to_vec());
    vec![
        seed("good-frames", &frames),
        seed("bad-cut", &frames[..frames.len() - 1]),
        seed("bad-length", &[&prefix[..], &[0; 4]].concat()),
        seed("bad-prefix", b"GET / HTTP/1.1"),
    ]
}

/// Every recorded answer to what a bridge asks, and the other node's words for nothing.
fn rpc_reply() -> Vec<Seed> {
    let seed = |name: String, question: u8, value: &Value| {
        let bytes = [&[question], value.to_string().as_bytes()].concat();
        ("rpc_reply", name, bytes)
    };
    let questions = [
        "version",
        "confirmation_quorum",
        "representatives",
        "receivable",
        "accounts_receivable",
        "accounts_frontiers",
        "block_info",
    ];
    let mut seeds = Vec::new();
    for (number, sample) in recorded("rpc-samples")
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let action = sample["request"]["action"].as_str().unwrap();
        let Some(question) = questions.iter().position(|known| *known == action) else {
            continue;
        };
        let response = &sample["response"];
        // The decoder asks for one block.
        let asked = question != 6
            || sample["request"]["hash"]
                .as_str()
                .unwrap()
                .starts_with("BA23");
        let judged = if asked && response.get("error").is_none() {
            "good"
        } else {
            "bad"
        };
        let name = format!("{judged}-{}-{number}", action.replace('_', "-"));
        seeds.push(seed(name, u8::try_from(question).unwrap(), response));
    }
    let nothing = json!({ "blocks": "" });
    seeds.push(seed("good-nothing-receivable".to_owned(), 3, &nothing));
    seeds.push(seed("good-nothing-of-all".to_owned(), 4, &nothing));
    let send = "2DF1082BCDAC20C3AB35E8B36321F7866F392B7E016F7351D8989763CFD688A5";
    let amounts = json!({ "blocks": { send: "7" } });
    seeds.push(seed("good-amounts".to_owned(), 3, &amounts));
    seeds.push(seed("bad-no-field".to_owned(), 1, &json!({})));
    seeds
}

/// One recorded frame of each kind that says something.
fn ws_frame() -> Vec<Seed> {
    let seed =
        |name: &str, frame: &Value| ("ws_frame", name.to_owned(), frame.to_string().into_bytes());
    let recorded = recorded("websocket-samples");
    let frames = recorded["received"].as_array().unwrap();
    let find = |wanted: &dyn Fn(&Value) -> bool| frames.iter().find(|frame| wanted(frame)).unwrap();
    let vote = find(&|frame| frame["topic"] == "vote");
    let confirmed = find(&|frame| frame["topic"] == "confirmation");
    let legacy = find(&|frame| {
        frame["topic"] == "confirmation" && frame["message"]["block"]["type"] != "state"
    });
    let mut decimal = vote.clone();
    decimal["message"]["signature"] = Value::from("7".repeat(150));
    let mut other = confirmed.clone();
    other["message"]["hash"] = Value::from(BlockHash::from_bytes([1; 32]).to_string());
    vec![
        seed("good-vote", vote),
        seed("good-decimal-signature", &decimal),
        seed("good-confirmation", confirmed),
        seed("good-legacy-confirmation", legacy),
        seed("good-ack", find(&|frame| frame["ack"] == "subscribe")),
        seed("bad-pong", find(&|frame| frame["ack"] == "pong")),
        seed("bad-other-block", &other),
    ]
}

fn signed_weights() -> Vec<Seed> {
    let seed = |name: &str, signed: &SignedWeights| {
        let bytes = serde_json::to_vec(signed).unwrap();
        ("signed_weights", name.to_owned(), bytes)
    };
    let weight = |number: u8, raw: u128| (Account::from_bytes([number; 32]), Raw::new(raw));
    let table = WeightTable {
        network: Network::Dev,
        as_of: UnixMillis(1_795_000_000_000),
        online_weight: Raw::new(9),
        minimum: Raw::new(1),
        weights: [weight(1, 4), weight(2, 5)].into(),
    };
    let signer = Identity::generate(&mut Rng::from_seed([1; 32]));
    let good = SignedWeights::sign(&signer, table).unwrap();
    let mut forged = good.clone();
    forged.table.online_weight = Raw::new(8);
    vec![seed("good-table", &good), seed("bad-signature", &forged)]
}

fn faucet_request() -> Vec<Seed> {
    let account = PrivateKey::from_bytes([3; 32]).account();
    let seed = |name: &str, request: &Value| {
        let bytes = request.to_string().into_bytes();
        ("faucet_request", name.to_owned(), bytes)
    };
    vec![
        seed("good-account", &json!({ "account": account })),
        seed("bad-account", &json!({ "account": "nano_1" })),
        seed("bad-field", &json!({ "account": account, "more": 1 })),
    ]
}

fn bridge_info() -> Vec<Seed> {
    let key = Identity::generate(&mut Rng::from_seed([2; 32])).node_key();
    let info = |key: String, pace: i64| {
        let info = json!({ "key": key, "network": "dev", "backfill": { "pace": pace } });
        info.to_string().into_bytes()
    };
    let seed = |name: &str, bytes| ("bridge_info", name.to_owned(), bytes);
    vec![
        seed("good-walking", info(key.to_string(), 16)),
        seed("bad-key", info("key_1".to_owned(), 16)),
        seed("bad-pace", info(key.to_string(), -1)),
    ]
}

/// How a bridge introduces itself.
fn introduction() -> PeerRecord {
    let address = TransportAddress::try_from("https://bridge.example".to_owned()).unwrap();
    let addresses = Addresses::try_from(vec![address]).unwrap();
    let identity = Identity::generate(&mut Rng::from_seed([4; 32]));
    let at = UnixMillis(1_795_000_000_000);
    identity.peer_record(Role::Bridge, Network::Dev, addresses, at)
}

fn introductions() -> Vec<Seed> {
    let bytes = introduction().to_bytes();
    let record: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let seed = |name: &str, answer: Value| {
        let bytes = answer.to_string().into_bytes();
        ("introductions", name.to_owned(), bytes)
    };
    let short = &record[..record.len() - 2];
    vec![
        seed(
            "good-bridges",
            json!({ "network": "dev", "bridges": [{ "record": record }] }),
        ),
        seed(
            "good-peers",
            json!({ "peers": [{ "record": record, "key": "key_1" }] }),
        ),
        seed("bad-record", json!({ "bridges": [{ "record": short }] })),
        seed("bad-form", json!([{ "record": record }])),
    ]
}

fn directory() -> Vec<Seed> {
    let bytes = PeerRecord::pack(&[introduction(), introduction()]);
    let seed = |name: &str, bytes: &[u8]| ("directory", name.to_owned(), bytes.to_vec());
    vec![
        seed("good-two", &bytes),
        seed("bad-cut", &bytes[..bytes.len() - 1]),
    ]
}

fn bridge_list() -> Vec<Seed> {
    let seed = |name: &str, text: &str| ("bridge_list", name.to_owned(), text.as_bytes().to_vec());
    vec![
        seed(
            "good-list",
            r#"{"live":["https://bridge.example"],"dev":[]}"#,
        ),
        seed("bad-path", r#"{"live":["https://bridge.example/v1"]}"#),
        seed("bad-network", r#"{"alive":[]}"#),
    ]
}

fn backfill_progress() -> Vec<Seed> {
    let seed = |name: &str, progress: &Progress| {
        let bytes = progress.to_bytes();
        ("backfill_progress", name.to_owned(), bytes)
    };
    let under_way = Progress {
        round: 3,
        next: Some(Account::from_bytes([0x40; 32])),
        listed: 900,
        kept: 880,
        absent: 10,
        missing: 9,
        no_room: 2,
        again: vec![Account::from_bytes([0x21; 32])],
        last_round: Some(990_000),
        not_before: UnixMillis(0),
    };
    let resting = Progress {
        next: None,
        again: Vec::new(),
        not_before: UnixMillis(1_795_000_000_000),
        ..under_way.clone()
    };
    let impossible = Progress {
        listed: u64::MAX,
        ..under_way.clone()
    };
    vec![
        seed("good-begin", &Progress::default()),
        seed("good-under-way", &under_way),
        seed("good-resting", &resting),
        seed("bad-count", &impossible),
    ]
}

/// Also keeps encodings from changing by accident. After a change that is meant,
/// `WRITE_SEEDS=1 cargo test -p corpus` writes them anew.
#[test]
fn the_kept_seeds_are_what_the_encoders_write() {
    let write = std::env::var_os("WRITE_SEEDS").is_some();
    let overlay = nanonet::decoders::seeds();
    let overlay = overlay
        .into_iter()
        .map(|seed| (seed.decoder, seed.name, seed.bytes));
    let mut all: Vec<Seed> = overlay.collect();
    for seeds in [
        full_node_stream,
        link_stream,
        rpc_reply,
        ws_frame,
        signed_weights,
        faucet_request,
        bridge_info,
        bridge_list,
        directory,
        introductions,
        backfill_progress,
    ] {
        all.extend(seeds());
    }
    let mut written = BTreeSet::new();
    for (decoder, name, bytes) in all {
        let path = corpus(decoder).join(format!("seed-{name}"));
        if write {
            fs::create_dir_all(corpus(decoder)).unwrap();
            fs::write(&path, &bytes).unwrap();
        }
        let kept = fs::read(&path).unwrap_or_default();
        assert!(kept == bytes, "{path:?} differs; see this test's comment");
        assert!(written.insert((decoder, name)), "two seeds of one name");
    }
    let decoders: BTreeSet<&str> = written.iter().map(|(decoder, _)| *decoder).collect();
    for decoder in decoders {
        for (file, _) in files(&corpus(decoder)) {
            if let Some(name) = file.strip_prefix("seed-") {
                let known = written.contains(&(decoder, name.to_owned()));
                assert!(known, "{decoder}/{file} is not written any more; remove it");
            }
        }
    }
}
