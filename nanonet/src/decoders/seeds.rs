//! The seeds of the corpus: real encodings, and such as have to be refused.

use nano_core::{Network, Raw, Signature};

use super::node::account;
use super::{START, identity, introduction};
use crate::gossip::{NewsId, Topic};
use crate::link::decoders::{LONGEST_CHUNK, PART};
use crate::onion::{Circuit, Hop, sample_letters};
use crate::registry::{Door, KeyRecord, Metadata, Service};
use crate::routing::contact::Named;
use crate::routing::coordinates::Coordinates;
use crate::slice::{Slice, SliceConfig};
use crate::testing::{TestChain, TestKeys, account_key, bridge};
use crate::wire::{
    Ask, Bytes, Chunk, Failure, Found, Header, Holder, KeyRange, Message, Neighbours, Packed,
    Pushed, Reply, Request, Response, Target, Voucher, Wanted,
};
use crate::{
    AccountRecord, Addresses, Class, Identity, PeerRecord, Record, RelayState, ResolveFailure, Rng,
    Role, SeenFrom, Sighting, StoreOp, TransportAddress, seal,
};

/// One file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Of which decoder.
    pub decoder: &'static str,
    /// What it is: `good-…` has to be accepted, `bad-…` refused.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Collects seeds of one decoder.
struct Seeds<'a> {
    decoder: &'static str,
    all: &'a mut Vec<Seed>,
}

impl Seeds<'_> {
    fn add(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.all.push(Seed {
            decoder: self.decoder,
            name: name.to_owned(),
            bytes: bytes.into(),
        });
    }

    /// These bytes, and the same cut short.
    fn add_with_cut(&mut self, name: &str, bytes: &[u8]) {
        self.add(&format!("good-{name}"), bytes);
        self.add("bad-cut", &bytes[..bytes.len().saturating_sub(1)]);
    }
}

/// Every seed of this crate's decoders. The same every time.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let mut all = Vec::new();
    let mut of = |decoder, add: fn(&mut Seeds<'_>)| {
        add(&mut Seeds {
            decoder,
            all: &mut all,
        });
    };
    of("cell", cells);
    of("handshake", handshakes);
    of("key_record", key_records);
    of("letter", letters);
    of("link", links);
    of("news", news);
    of("node", nodes);
    of("overlay_message", messages_alone);
    of("peer_record", peer_records);
    of("record", records);
    of("sealed", sealed);
    of("sighting", sightings);
    of("stored_account", stored_accounts);
    of("stored_receivable", stored_receivables);
    all
}

fn cells(seeds: &mut Seeds<'_>) {
    let mut rng = Rng::from_seed([6; 32]);
    let hop = |of: u8| {
        let of = identity(of);
        Hop {
            id: of.node_id(),
            noise_key: of.noise_key(),
        }
    };
    let letter = sample_letters(&identity(3)).concat();
    let ways: [(&str, &[Hop]); 2] = [
        ("good-onward", &[hop(1), hop(2)]),
        ("bad-for-another", &[hop(2), hop(1)]),
    ];
    for (name, route) in ways {
        if let Ok(mut circuit) = Circuit::new(route, &mut rng)
            && let Ok(first) = circuit.cell(START, &letter)
        {
            seeds.add(name, first.as_bytes());
        }
    }
}

fn key_records(seeds: &mut Seeds<'_>) {
    let signer = identity(1);
    let door = Door {
        id: signer.node_id(),
        noise_key: signer.noise_key(),
    };
    let record = signer.sign_record(KeyRecord {
        key: signer.node_key(),
        sequence: 7,
        network: Network::Dev,
        role: Role::Browser,
        nonce: signer.nonce(),
        noise_key: signer.noise_key(),
        seen_at: START,
        expires_at: START.plus(1_000),
        endpoints: Addresses::default(),
        doors: vec![door],
        services: vec![Service {
            kind: "work".to_owned(),
            attributes: Vec::new(),
        }],
        metadata: Metadata {
            open: "hello".to_owned(),
            sealed: vec![vec![1, 2, 3]],
        },
        signature: Signature::from_bytes([0; 64]),
    });
    seeds.add_with_cut("record", &record.to_bytes());
}

fn letters(seeds: &mut Seeds<'_>) {
    let [way, letter] = sample_letters(&identity(3));
    seeds.add("good-loop", way);
    seeds.add_with_cut("letter", &letter);
}

/// One step of [`super::Steps`].
fn step(what: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    [&[what][..], &length.to_be_bytes(), content].concat()
}

fn written(value: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap_or_default()
}

fn handshakes(seeds: &mut Seeds<'_>) {
    let theirs = introduction(&identity(2), Role::Browser);
    let ours = introduction(&identity(1), Role::Browser);
    let hello = [&b"nanonet\x01\0"[..], &Network::Dev.id()].concat();
    seeds.add("good-hello", [&[2], &hello[..]].concat());
    seeds.add("good-answer", [&[3], &written(&theirs)[..]].concat());
    seeds.add("good-finish", [&[4], &written(&theirs)[..]].concat());
    seeds.add("bad-ourselves", [&[4], &written(&ours)[..]].concat());
    let live = [&b"nanonet\x01\0"[..], &Network::Live.id()].concat();
    seeds.add("bad-network", [&[2], &live[..]].concat());
    let first = [&[1; 33], &hello[..]].concat();
    seeds.add("bad-raw", [&[0], &step(0, &first)[..]].concat());
    let refusal = [&[0, 1], &hello[7..]].concat();
    seeds.add("bad-refusal", [&[1], &step(0, &refusal)[..]].concat());
}

/// One item of a frame that carries a part of message `number` of a class.
fn chunk(last: bool, class: u8, number: u32, bytes: &[u8]) -> Vec<u8> {
    let first = if last { 0x20 } else { 0x10 } | class;
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut item = vec![first];
    item.extend(number.to_le_bytes());
    item.extend(length.to_le_bytes());
    item.extend(bytes);
    item
}

fn links(seeds: &mut Seeds<'_>) {
    let first = step(1, &chunk(false, 3, 0, &[7; LONGEST_CHUNK]));
    let overtaken = step(1, &chunk(true, 1, 0, &[1]));
    let last = step(1, &chunk(true, 3, 0, &[9; 20]));
    seeds.add("good-chunks", [first, overtaken, last].concat());
    let credit = [&[0x31][..], &200_u32.to_le_bytes()].concat();
    let ping = [&[0x40][..], &3_u64.to_le_bytes()].concat();
    let talk = [
        step(4, &[5; 200]),
        step(1, &[credit, ping].concat()),
        step(2, &[0x30, 0]),
        step(7, &[0x01, 0]),
        step(3, b"control"),
    ];
    seeds.add("good-talk", talk.concat());
    let parts = [vec![3; PART], vec![4; 9]].into_iter().zip(0_u8..2);
    let parts = parts.map(|(bytes, index)| {
        let form = [0, 40 + index, 0, 0, 0, index, 2];
        step(10, &[&form[..], &bytes].concat())
    });
    let datagrams = [
        step(8, &[1]),
        step(1, &[0x80, 1]),
        step(4, &[6; 2_000]),
        // Of the two parts of that question one is acknowledged, the other goes again.
        step(10, &[1, 1, 0, 0, 0]),
        step(2, &[0x02, 0]),
        parts.rev().collect::<Vec<_>>().concat(),
        step(9, &[1; 40]),
        step(8, &[]),
    ];
    seeds.add("good-datagrams", datagrams.concat());
    seeds.add("bad-datagram", step(10, &[0]));
    seeds.add("bad-datagram-ack", step(10, &[1, 9, 0, 0, 0]));
    seeds.add("bad-ack", step(1, &[0x70, 9, 0, 0, 0]));
    seeds.add("bad-unordered", step(1, &[0x80, 2]));
    seeds.add("bad-close", step(1, &[0x60, 4]));
    seeds.add("bad-raw", step(0, &[1; 40]));
    seeds.add("bad-number", step(1, &chunk(true, 0, 5, b"skipped")));
    seeds.add("bad-short-chunk", step(1, &chunk(false, 3, 0, &[7; 300])));
    let first = step(1, &chunk(false, 0, 0, &[0; LONGEST_CHUNK]));
    let last = step(1, &chunk(true, 0, 0, &[0; 200]));
    seeds.add("bad-too-long", [first, last].concat());
}

/// A chain that has sent something, the records of its frontier and of that send.
fn proofs() -> (AccountRecord, Record, Record) {
    let mut chain = TestChain::open(1, Raw::NANO);
    chain.send(&account_key(2).account(), Raw::new(7));
    let keys = TestKeys::new();
    let mut newest = keys.record(&chain, 1, 1);
    newest.sightings.push(seen(Some(&newest)));
    let receivable = keys.receivable(&chain, 1);
    let account = Record::Account(Box::new(newest.clone()));
    (newest, account, Record::Receivable(Box::new(receivable)))
}

fn seen(record: Option<&AccountRecord>) -> Sighting {
    let frontier = record.map(AccountRecord::hash);
    let by = identity(2);
    let weight = TestKeys::new().weights().total();
    Sighting::sign(
        &by,
        Network::Dev,
        account(),
        frontier,
        START,
        weight,
        weight,
    )
}

fn records(seeds: &mut Seeds<'_>) {
    let (_, account, receivable) = proofs();
    seeds.add_with_cut("account", &account.to_bytes());
    seeds.add("good-receivable", receivable.to_bytes());
    let mut other = account.to_bytes();
    other[0] = 2;
    seeds.add("bad-version", other);
}

fn sightings(seeds: &mut Seeds<'_>) {
    let (record, ..) = proofs();
    seeds.add_with_cut("opened", &seen(Some(&record)).to_bytes());
    seeds.add("good-unopened", seen(None).to_bytes());
}

fn news(seeds: &mut Seeds<'_>) {
    let names = Topic::ALL.map(Topic::name);
    for (name, body) in names
        .iter()
        .zip(crate::gossip::samples(&identity(2), START))
    {
        seeds.add(&format!("good-{name}"), &body[..]);
        // Whatever ends a block's delta or a value belongs to it.
        if !["blocks", "parameters"].contains(name) {
            seeds.add(&format!("bad-cut-{name}"), &body[..body.len() - 1]);
        }
    }
    seeds.add("bad-topic", [5, 1, 2, 3]);
}

fn with_addresses() -> PeerRecord {
    let addresses = ["wss://bridge.example/v1/link", "tcp://198.51.100.7:7175"];
    let addresses = addresses.map(|address| TransportAddress::try_from(address.to_owned()).ok());
    let addresses = addresses.into_iter().flatten().collect::<Vec<_>>();
    let addresses = Addresses::try_from(addresses).unwrap_or_default();
    bridge(9).peer_record(Role::Bridge, Network::Dev, addresses, START)
}

/// What one of the two saw of the other.
fn seen_from(by: &Identity, of: &Identity) -> SeenFrom {
    SeenFrom::sign(by, &of.node_key(), [6; 8], START)
}

fn peer_records(seeds: &mut Seeds<'_>) {
    let browser = introduction(&identity(2), Role::Browser);
    seeds.add_with_cut("browser", &written(&browser));
    seeds.add("good-bridge", written(&with_addresses()));
    let mut with_seen = browser;
    with_seen.seen[0] = Some(Box::new(seen_from(&bridge(9), &identity(2))));
    identity(2).renew(&mut with_seen, START);
    seeds.add("good-seen", written(&with_seen));
}

fn sealed(seeds: &mut Seeds<'_>) {
    let key = identity(1).noise_key();
    let mut rng = Rng::from_seed([8; 32]);
    let sealed = seal(&key, "signal", b"for your eyes only", &mut rng).unwrap_or_default();
    seeds.add_with_cut("signal", &sealed);
    let other = seal(&key, "other", b"for your eyes only", &mut rng).unwrap_or_default();
    seeds.add("bad-context", other);
}

/// What a slice stores of these records, without the checksums.
fn stored(records: &[Record], account: bool) -> Vec<u8> {
    let keys = TestKeys::new();
    let anchors = vec![identity(2).node_key()];
    let mut slice = Slice::new(SliceConfig::new(Network::Dev, anchors, 1 << 20));
    slice.watch(&account_key(2).account());
    for record in records {
        slice.offer(START, &record.account(), record.clone(), keys.weights());
    }
    let mut content = Vec::new();
    while let Some(op) = slice.poll_store() {
        if let StoreOp::Put { key, bytes } = op
            && matches!(key, crate::StoreKey::Account(_)) == account
        {
            content = bytes[crate::slice::decoders::ENTRY_START..].to_vec();
        }
    }
    content
}

fn stored_accounts(seeds: &mut Seeds<'_>) {
    let (_, account, _) = proofs();
    seeds.add_with_cut("content", &stored(&[account], true));
}

fn stored_receivables(seeds: &mut Seeds<'_>) {
    let (_, _, receivable) = proofs();
    seeds.add_with_cut("content", &stored(&[receivable], false));
}

/// One message of every kind, with its name.
fn messages() -> Vec<(&'static str, Message)> {
    let (newest, record, receivable) = proofs();
    let packed = || vec![Packed::new(&record), Packed::new(&receivable)];
    let block = newest.lineage.first().copied();
    let header = Header {
        account: account(),
        hash: record.hash(),
        receivable: false,
    };
    let peers = [introduction(&identity(3), Role::Browser), with_addresses()];
    let us = identity(1).node_id();
    let bytes = Bytes(
        seal(
            &identity(1).noise_key(),
            "signal",
            b"?",
            &mut Rng::from_seed([8; 32]),
        )
        .unwrap_or_default(),
    );
    let voucher = Voucher {
        bridge: identity(2).node_key(),
        at: START,
        signature: Signature::from_bytes([5; 64]),
    };
    let request = |target, body| {
        Message::Request(Box::new(Request {
            id: 77,
            target,
            hops_left: 3,
            budget: 4,
            body,
        }))
    };
    let response = |body| {
        Message::Response(Box::new(Response {
            id: 77,
            hops: 1,
            body,
        }))
    };
    let (near, exactly) = (Target::Near(us.point()), Target::Exactly(us));
    let found = Found {
        by: us,
        role: Role::Bridge,
        records: packed(),
        unopened: Some(seen(None)),
    };
    let resolve = Ask::Resolve {
        account: account(),
        held: Some(record.hash()),
        fresh: true,
    };
    let named: Vec<Named> = peers
        .iter()
        .map(|record| {
            let (record, at) = (record.clone(), Coordinates::default());
            Named { record, at }
        })
        .collect();
    let keys = KeyRange::around(us.point().first_bits(), 3);
    let holder = Holder {
        id: identity(2).node_id(),
        near: vec![1, u64::MAX],
    };
    // The first message of a comparison by one who holds nothing.
    let sketch = vec![0x61, 0, 0, 2, 0];
    let mut all = vec![
        (
            "neighbours",
            Message::Neighbours(Neighbours {
                links: 2,
                at: Coordinates::default(),
                peers: named.clone(),
                gone: peers.iter().map(PeerRecord::node_id).collect(),
            }),
        ),
        ("watch", Message::Watch(vec![account()])),
        ("update", Message::Update(packed())),
        ("unopened", Message::Unopened(Box::new(seen(None)))),
        (
            "seen",
            Message::Seen(Box::new(seen_from(&identity(2), &identity(1)))),
        ),
        (
            "introduction",
            Message::Introduction(Box::new(introduction(&identity(2), Role::Browser))),
        ),
        ("find-nearest", request(near, Ask::FindNearest)),
        ("get", request(near, Ask::Get { account: account() })),
        (
            "signal",
            request(
                exactly,
                Ask::Signal {
                    carriers: Role::Bridge,
                    sealed: bytes,
                },
            ),
        ),
        (
            "put",
            request(
                near,
                Ask::Put {
                    records: packed(),
                    voucher: Some(voucher),
                },
            ),
        ),
        (
            "headers",
            request(
                exactly,
                Ask::Headers {
                    from: identity(2).node_id(),
                    newer: true,
                    headers: vec![header],
                },
            ),
        ),
        (
            "pull",
            request(
                exactly,
                Ask::Pull {
                    keys,
                    which: Wanted::Named(vec![header.name()]),
                },
            ),
        ),
        (
            "pull-slice",
            request(
                exactly,
                Ask::Pull {
                    keys,
                    which: Wanted::SliceOf(holder.clone()),
                },
            ),
        ),
        (
            "compare",
            request(
                exactly,
                Ask::Compare {
                    from: holder,
                    keys,
                    sketch: Bytes(sketch.clone()),
                },
            ),
        ),
        ("resolve", request(exactly, resolve)),
        ("nearest", response(Reply::Nearest(named))),
        ("found", response(Reply::Found(Box::new(found)))),
        (
            "unresolved",
            response(Reply::Unresolved(ResolveFailure::TimedOut)),
        ),
        ("delivered", response(Reply::Delivered)),
        ("stored", response(Reply::Stored(3))),
        (
            "records",
            response(Reply::Records {
                records: Chunk::pack(&packed()),
                next: Some(keys.last),
            }),
        ),
        ("compared", response(Reply::Compared(Bytes(sketch)))),
        (
            "progress",
            response(Reply::Progress(RelayState::Accepted { full_nodes: 2 })),
        ),
        (
            "failed",
            response(Reply::Failed {
                why: Failure::NotFound,
                budget: 1,
            }),
        ),
    ];
    all.extend(news_messages());
    all.extend(block.map(|block| ("publish", request(exactly, Ask::Publish(Box::new(block))))));
    all
}

/// News of every topic, and what is said about news.
fn news_messages() -> Vec<(&'static str, Message)> {
    let bodies = crate::gossip::samples(&identity(2), START);
    let ids = vec![NewsId(7), NewsId(u64::MAX)];
    let pushed = bodies.into_iter().map(|body| Pushed {
        depth: 3,
        rank: 1,
        hops: 2,
        body: Bytes(body),
    });
    vec![
        ("news", Message::News(pushed.collect())),
        ("have", Message::Have(ids.clone())),
        ("want", Message::Want(ids)),
        ("announce", Message::Announce(true)),
        ("catch-up", Message::CatchUp(Bytes(vec![0; 10]))),
    ]
}

fn messages_alone(seeds: &mut Seeds<'_>) {
    for (name, message) in messages() {
        seeds.add(
            &format!("good-{name}"),
            message.encode().unwrap_or_default(),
        );
    }
    let watched = Message::Watch(vec![account(); 65]).encode();
    seeds.add("bad-too-many", watched.unwrap_or_default());
    let failed = Reply::Failed {
        why: Failure::Busy,
        budget: 1,
    };
    let message = Message::Response(Box::new(Response {
        id: 1,
        hops: 1,
        body: failed,
    }));
    let longer = [message.encode().unwrap_or_default(), vec![0]].concat();
    seeds.add("bad-longer", longer);
}

/// A step in which the peer says this message.
fn said(message: &Message) -> Vec<u8> {
    let class = message.class() as u8 + 1;
    step(class, &message.encode().unwrap_or_default())
}

fn nodes(seeds: &mut Seeds<'_>) {
    // Records cost their verification: two seeds of each kind let the fuzzer vary the rest fast.
    let (heavy, light): (Vec<_>, Vec<_>) = messages()
        .into_iter()
        .map(|(_, message)| message)
        .partition(|message| !message.records().is_empty());
    for (name, kind) in [("browser", 0), ("bridge", 1), ("browser-by-bridge", 2)] {
        for (what, messages) in [("talk", &light), ("records", &heavy)] {
            let steps: Vec<u8> = messages.iter().flat_map(said).collect();
            seeds.add(
                &format!("good-{what}-to-{name}"),
                [&[kind], &steps[..]].concat(),
            );
        }
    }
    let (_, record, _) = proofs();
    let reply = Reply::Found(Box::new(Found {
        by: identity(2).node_id(),
        role: Role::Bridge,
        records: vec![Packed::new(&record)],
        unopened: None,
    }));
    let talk = [step(6, &written(&reply)), step(7, &[0x10, 0])].concat();
    seeds.add("good-answer", [&[2], &talk[..]].concat());
    let offer = step(
        5,
        &crate::signaling::sample_offer(introduction(&identity(2), Role::Browser)),
    );
    seeds.add("good-offer", [&[0], &offer[..]].concat());
    let entry = step(8, &stored(&[record], true));
    seeds.add("good-stored", [&[0], &entry[..]].concat());
    seeds.add("bad-raw", [&[0], &step(0, &[1; 40])[..]].concat());
    let class = Class::Query as u8 + 1;
    seeds.add("bad-message", [&[1], &step(class, &[0xff; 9])[..]].concat());
}
