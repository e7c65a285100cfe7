//! What several tests need: an RPC client, a peer without a ledger, waiting with a deadline.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod recording;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nano_core::message::{
    AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmReq, Cookie, HandshakeResponse,
    Header, Message, NodeIdHandshake, Publish, RequestedBlock,
};
use nano_core::{Block, BlockHash, Network, PrivateKey, PublicKey, Raw, Root, Vote, WorkNonce};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

pub(crate) fn nano(number: u128) -> Raw {
    Raw::new(number * Raw::NANO.number())
}

/// Work that any dev block may carry.
pub(crate) fn work(root: &Root) -> WorkNonce {
    let needed = Network::Dev.work_thresholds().ample();
    (0..)
        .map(WorkNonce::new)
        .find(|nonce| nonce.difficulty(root) >= needed)
        .unwrap()
}

/// Waits until `condition` gives something.
pub(crate) async fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "waited too long until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// One RPC call.
pub(crate) async fn rpc(address: SocketAddr, request: Value) -> Value {
    reqwest::Client::new()
        .post(format!("http://{address}/"))
        .body(request.to_string())
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

/// A peer without a ledger, as a bridge is.
pub(crate) struct Probe {
    stream: TcpStream,
    pub(crate) node_id: Option<PublicKey>,
}

impl Probe {
    /// Connects without a word.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            node_id: None,
        }
    }

    /// Connects and greets with a fresh key.
    pub(crate) async fn greet(address: SocketAddr) -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        let mut probe = Self::connect(address).await;
        probe.greet_as(&PrivateKey::from_bytes(bytes)).await;
        probe
    }

    /// Greets with a key.
    pub(crate) async fn greet_as(&mut self, key: &PrivateKey) {
        let cookie = Cookie::from_bytes([7; 32]);
        self.send(&NodeIdHandshake::query(cookie).into()).await;
        let Message::NodeIdHandshake(answer) = self.next().await.unwrap() else {
            panic!("something else came where the handshake was expected");
        };
        let node_id = answer.verify_response(Network::Dev, &key.public_key(), &cookie);
        self.node_id = Some(node_id.unwrap());
        let response = HandshakeResponse::sign(Network::Dev, key, &answer.query.unwrap(), [9; 32]);
        self.send(&NodeIdHandshake::response(response).into()).await;
    }

    pub(crate) async fn send(&mut self, message: &Message) {
        self.send_bytes(&message.encode(Network::Dev).unwrap())
            .await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next message; `None` when the node closed the connection.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        tokio::time::timeout(DEADLINE, async {
            let mut header = [0; Header::SIZE];
            self.stream.read_exact(&mut header).await.ok()?;
            let header = Header::parse(&header).unwrap();
            let mut payload = vec![0; header.payload_length().unwrap()];
            self.stream.read_exact(&mut payload).await.ok()?;
            Some(Message::parse(&header, &payload).unwrap())
        })
        .await
        .expect("the node said nothing for too long")
    }

    /// The next message as it came, header and payload, if it is the kind with this number.
    pub(crate) async fn find_bytes(&mut self, kind: u8) -> Vec<u8> {
        tokio::time::timeout(DEADLINE, async {
            loop {
                let mut bytes = vec![0; Header::SIZE];
                self.stream.read_exact(&mut bytes).await.unwrap();
                let header = Header::parse(bytes.as_slice().try_into().unwrap()).unwrap();
                let payload = header.payload_length().unwrap();
                bytes.resize(Header::SIZE + payload, 0);
                self.stream
                    .read_exact(&mut bytes[Header::SIZE..])
                    .await
                    .unwrap();
                if bytes[5] == kind {
                    return bytes;
                }
            }
        })
        .await
        .expect("the message did not come")
    }

    /// Exactly so many bytes.
    pub(crate) async fn take(&mut self, size: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        let read = self.stream.read_exact(&mut bytes);
        tokio::time::timeout(DEADLINE, read)
            .await
            .expect("fewer bytes came")
            .unwrap();
        bytes
    }

    /// Reads until the node closes the connection, however long that takes; gives what came.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset is an end, too.
        let _ = self.stream.read_to_end(&mut bytes).await;
        bytes
    }

    /// The next message for which `pick` gives something; others are passed over.
    pub(crate) async fn find<T>(&mut self, mut pick: impl FnMut(Message) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < DEADLINE, "the message did not come");
            let message = self.next().await.expect("the node closed the connection");
            if let Some(found) = pick(message) {
                return found;
            }
        }
    }

    /// Whether the node closes the connection, whatever it says before.
    pub(crate) async fn is_closed(&mut self) -> bool {
        while self.next().await.is_some() {}
        true
    }

    pub(crate) async fn publish(&mut self, block: Block) {
        let originator = true;
        self.send(&Publish { block, originator }.into()).await;
    }

    pub(crate) async fn ask_votes(&mut self, pairs: &[(BlockHash, Root)]) {
        let blocks = pairs
            .iter()
            .map(|(hash, root)| RequestedBlock {
                hash: *hash,
                root: *root,
            })
            .collect();
        self.send(&ConfirmReq { blocks }.into()).await;
    }

    /// The next final vote that names `hash`.
    pub(crate) async fn final_vote(&mut self, hash: BlockHash) -> Vote {
        self.find(|message| match message {
            Message::ConfirmAck(ack)
                if ack.vote.timestamp.is_final() && ack.vote.hashes.contains(&hash) =>
            {
                Some(ack.vote)
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn pull(&mut self, question: AscPullQuestion) -> AscPullAnswer {
        let id = 0x1122_3344_5566_7788;
        self.send(&AscPullReq { id, question }.into()).await;
        self.find(|message| match message {
            Message::AscPullAck(AscPullAck {
                id: answered,
                answer,
            }) if answered == id => Some(answer),
            _ => None,
        })
        .await
    }
}

/// A recorded file of the test vectors.
pub(crate) fn recorded(path: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/data/");
    let text = std::fs::read_to_string(format!("{root}{path}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Where two JSON values differ in member names or types; numbers, texts and lengths may differ.
/// Objects whose names are data (addresses, hashes, endpoints) are compared by their first member.
pub(crate) fn shape_difference(recorded: &Value, ours: &Value, path: &str) -> Option<String> {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            let is_data = |name: &String| {
                name.starts_with("nano_") || name.len() == 64 || name.starts_with('[')
            };
            if recorded.keys().any(is_data) {
                let (_, sample) = recorded.iter().next()?;
                return ours.iter().find_map(|(name, value)| {
                    shape_difference(sample, value, &format!("{path}.{name}"))
                });
            }
            let missing = recorded.keys().find(|name| !ours.contains_key(*name));
            if let Some(name) = missing {
                return Some(format!("{path}.{name} is missing"));
            }
            let extra = ours.keys().find(|name| !recorded.contains_key(*name));
            if let Some(name) = extra {
                return Some(format!("{path}.{name} is not in the recording"));
            }
            recorded.iter().find_map(|(name, value)| {
                shape_difference(value, &ours[name], &format!("{path}.{name}"))
            })
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            let sample = recorded.first()?;
            let is_paired = recorded.len() == ours.len();
            ours.iter().enumerate().find_map(|(index, value)| {
                let sample = if is_paired { &recorded[index] } else { sample };
                shape_difference(sample, value, &format!("{path}[{index}]"))
            })
        }
        (Value::String(_), Value::String(_)) | (Value::Null, Value::Null) => None,
        _ => Some(format!("{path}: {recorded} became {ours}")),
    }
}
