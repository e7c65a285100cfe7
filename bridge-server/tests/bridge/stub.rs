//! Full nodes played by a test, as many as it likes, and channels to them without a whole bridge.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bridge_server::cli::RunOptions;
use bridge_server::full_node::{FullNodes, Looked, Peering, Resolve, Settings};
use bridge_server::metrics::{Metrics, counted};
use bridge_server::weights::Weights;
use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, ConfirmAck, ConfirmReq, Keepalive,
    Message, PeerEndpoint, Publish, PullTarget,
};
use nano_core::{
    Block, BlockHash, Network, PrivateKey, Raw, UnixMillis, Vote, VoteTimestamp, WeightTable,
};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;

use crate::common::until;
use crate::scripted::{greet_as, receive};

/// What a stub does and has seen; the test may change it while it runs.
#[derive(Debug)]
pub(crate) struct State {
    /// Key of its node id.
    pub(crate) node: PrivateKey,
    /// Representatives it votes with.
    pub(crate) hosted: Mutex<Vec<PrivateKey>>,
    /// Whether it answers `asc_pull`.
    pub(crate) answers: AtomicBool,
    /// Whether it marks its votes as others'.
    pub(crate) marks: AtomicBool,
    /// Whether it answers with votes for genesis alone, as one that kept them and replays them.
    pub(crate) replays: AtomicBool,
    /// Whether it answers only the crawler, whose questions begin with genesis.
    pub(crate) only_crawled: AtomicBool,
    /// Handshakes completed.
    pub(crate) greeted: AtomicUsize,
    /// What the bridge sent.
    pub(crate) received: Mutex<Vec<Message>>,
    say: broadcast::Sender<Vec<u8>>,
}

/// A full node on an address of its own.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
    _task: JoinSet<()>,
}

pub(crate) fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_bytes([seed; 32])
}

/// 127.0.0.`host` with a free port.
pub(crate) fn local(host: u8) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0))
}

impl Stub {
    /// A node with this key that answers everything and votes with nobody.
    pub(crate) async fn start(at: SocketAddr, node: PrivateKey) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            node,
            hosted: Mutex::default(),
            answers: AtomicBool::new(true),
            marks: AtomicBool::new(false),
            replays: AtomicBool::new(false),
            only_crawled: AtomicBool::new(false),
            greeted: AtomicUsize::new(0),
            received: Mutex::default(),
            say: broadcast::channel(64).0,
        });
        let mut task = JoinSet::new();
        let serving = Arc::clone(&state);
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&serving)));
            }
        });
        Self {
            address,
            state,
            _task: task,
        }
    }

    /// The same, voting with these.
    pub(crate) async fn voting(at: SocketAddr, node: u8, hosted: &[u8]) -> Self {
        let stub = Self::start(at, key(node)).await;
        stub.host(hosted);
        stub
    }

    pub(crate) fn host(&self, hosted: &[u8]) {
        *self.state.hosted.lock().unwrap() = hosted.iter().map(|seed| key(*seed)).collect();
    }

    /// Sends a message on every channel it has.
    pub(crate) fn say(&self, message: Message) {
        self.say_bytes(message.encode(Network::Dev).unwrap());
    }

    /// The same with bytes that need not be a message.
    pub(crate) fn say_bytes(&self, bytes: Vec<u8>) {
        let _ = self.state.say.send(bytes);
    }

    /// A keepalive that names these.
    pub(crate) fn name(&self, endpoints: &[SocketAddr]) {
        let mut keepalive = Keepalive::EMPTY;
        for (place, endpoint) in keepalive.peers.iter_mut().zip(endpoints) {
            let SocketAddr::V4(v4) = endpoint else {
                panic!("only IPv4 here")
            };
            *place = PeerEndpoint {
                address: v4.ip().to_ipv6_mapped(),
                port: v4.port(),
            };
        }
        self.say(keepalive.into());
    }

    pub(crate) fn greeted(&self) -> usize {
        self.state.greeted.load(Ordering::SeqCst)
    }

    pub(crate) fn keepalives(&self) -> Vec<Keepalive> {
        let received = self.state.received.lock().unwrap();
        let keepalive = |message: &Message| match message {
            Message::Keepalive(keepalive) => Some(*keepalive),
            _ => None,
        };
        received.iter().filter_map(keepalive).collect()
    }

    pub(crate) fn questions(&self) -> Vec<ConfirmReq> {
        let received = self.state.received.lock().unwrap();
        let question = |message: &Message| match message {
            Message::ConfirmReq(request) => Some(request.clone()),
            _ => None,
        };
        received.iter().filter_map(question).collect()
    }

    /// How often this block was published to it.
    pub(crate) fn published(&self, block: BlockHash) -> Vec<Publish> {
        let received = self.state.received.lock().unwrap();
        let publish = |message: &Message| match message {
            Message::Publish(publish) => Some(*publish),
            _ => None,
        };
        let all = received.iter().filter_map(publish);
        all.filter(|publish| publish.block.hash() == block)
            .collect()
    }

    /// The numbers of the questions for this block.
    pub(crate) fn asked_for(&self, block: BlockHash) -> Vec<u64> {
        let received = self.state.received.lock().unwrap();
        let asked = |message: &Message| match message {
            Message::AscPullReq(request) => match request.question {
                AscPullQuestion::Blocks {
                    start: PullTarget::Block(start),
                    ..
                } => (start == block).then_some(request.id),
                _ => None,
            },
            _ => None,
        };
        received.iter().filter_map(asked).collect()
    }

    /// Answers such a question.
    pub(crate) fn answer(&self, id: u64, blocks: Vec<Block>) {
        let answer = AscPullAnswer::Blocks(blocks);
        self.say(AscPullAck { id, answer }.into());
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    if greet_as(&mut stream, &state.node).await.is_none() {
        return;
    }
    state.greeted.fetch_add(1, Ordering::SeqCst);
    let mut say = state.say.subscribe();
    let (mut reader, mut writer) = stream.split();
    let (answers, mut answered) = mpsc::channel::<Message>(64);
    let read = async {
        while let Some(message) = receive(&mut reader).await {
            for answer in answer(&state, &message) {
                if answers.send(answer).await.is_err() {
                    return;
                }
            }
            state.received.lock().unwrap().push(message);
        }
    };
    let write = async {
        loop {
            let bytes = tokio::select! {
                Some(message) = answered.recv() => message.encode(Network::Dev).unwrap(),
                Ok(bytes) = say.recv() => bytes,
                else => return,
            };
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

fn answer(state: &State, message: &Message) -> Vec<Message> {
    match message {
        Message::AscPullReq(request) if state.answers.load(Ordering::SeqCst) => {
            let answer = AscPullAnswer::AccountInfo(AccountInfo {
                account: Network::Dev.genesis_account(),
                ..AccountInfo::default()
            });
            let id = request.id;
            vec![AscPullAck { id, answer }.into()]
        }
        Message::ConfirmReq(request) => {
            let genesis = Network::Dev.genesis_hash();
            let crawled = request.blocks[0].hash == genesis;
            let hashes = request.blocks.iter().map(|block| block.hash);
            let hashes: Vec<_> = match state.replays.load(Ordering::SeqCst) {
                true => vec![genesis],
                false => hashes.filter(|hash| !hash.is_zero()).collect(),
            };
            let ignores = state.only_crawled.load(Ordering::SeqCst) && !crawled;
            if hashes.is_empty() || ignores {
                return Vec::new();
            }
            let hosted = state.hosted.lock().unwrap();
            let vote = |key| Vote::sign(key, VoteTimestamp::FINAL, hashes.clone());
            let rebroadcast = state.marks.load(Ordering::SeqCst);
            let ack = |vote| ConfirmAck { vote, rebroadcast }.into();
            hosted.iter().map(vote).map(ack).collect()
        }
        _ => Vec::new(),
    }
}

/// Options of a whole bridge that peers with these and counts votes by this table, which is put
/// into `folder`.
pub(crate) fn options_with(stubs: &[&Stub], table: &WeightTable, folder: &Path) -> RunOptions {
    let weights = folder.join("weights.json");
    std::fs::write(&weights, serde_json::to_vec(table).unwrap()).unwrap();
    RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        peer: names(stubs),
        weights: Some(weights),
        ..RunOptions::default()
    }
}

/// Channels without a whole bridge.
pub(crate) struct Peered {
    pub(crate) nodes: FullNodes,
    pub(crate) metrics: Metrics,
    pub(crate) _tasks: JoinSet<()>,
}

/// A table in which each of these votes with a hundred.
pub(crate) fn table(representatives: &[u8]) -> WeightTable {
    let weights: BTreeMap<_, _> = representatives
        .iter()
        .map(|seed| (key(*seed).account(), Raw::new(100_000_000)))
        .collect();
    WeightTable {
        network: Network::Dev,
        as_of: UnixMillis(0),
        online_weight: Raw::new(100_000_000 * weights.len() as u128),
        minimum: Raw::new(1),
        weights,
    }
}

pub(crate) fn peering() -> Peering {
    Peering::of(Network::Dev)
}

/// Peers with these; votes with the table.
pub(crate) fn peer(peers: Vec<String>, table: WeightTable, peering: Peering) -> Peered {
    let metrics = Metrics::default();
    // Nobody reads the stream: a full one loses entries, never a channel.
    let (live, _) = mpsc::channel(1);
    let settings = Settings {
        network: Network::Dev,
        peers,
        weights: Weights::new(table, "file"),
        live,
        metrics: metrics.clone(),
    };
    let mut tasks = JoinSet::new();
    let nodes = FullNodes::start_with(settings, peering, &mut tasks);
    Peered {
        nodes,
        metrics,
        _tasks: tasks,
    }
}

pub(crate) fn names(stubs: &[&Stub]) -> Vec<String> {
    stubs.iter().map(|stub| stub.address.to_string()).collect()
}

impl Peered {
    /// Where the open channels lead.
    pub(crate) fn open(&self) -> Vec<SocketAddr> {
        let channels = self.nodes.channels();
        let mut open: Vec<_> = channels.iter().map(|channel| channel.address()).collect();
        open.sort_unstable();
        open
    }

    /// Waits until exactly these are open.
    pub(crate) async fn until_open(&self, stubs: &[&Stub]) {
        let mut wanted: Vec<_> = stubs.iter().map(|stub| stub.address).collect();
        wanted.sort_unstable();
        until("the channels", async || {
            (self.open() == wanted).then_some(())
        })
        .await;
    }

    /// Waits until a channel has ended for this reason.
    pub(crate) async fn until_closed(&self, reason: &'static str) {
        until(reason, async || {
            (counted(&self.metrics.full_node_closed, reason) > 0).then_some(())
        })
        .await;
    }

    pub(crate) fn closed(&self, reason: &'static str) -> u64 {
        counted(&self.metrics.full_node_closed, reason)
    }

    pub(crate) fn step(&self, step: &'static str) -> u64 {
        counted(&self.metrics.full_node_handshake, step)
    }

    /// Waits until this much of the table is reachable, in hundreds (one per representative).
    pub(crate) async fn until_reachable(&self, representatives: u128) {
        until("reachable weight", async || {
            let reached = self.nodes.reachable_weight();
            (reached == Raw::new(representatives * 100_000_000)).then_some(())
        })
        .await;
    }
}

/// Addresses that a test gives to names, one list per look-up; the last one stays.
#[derive(Debug)]
pub(crate) struct Names {
    answers: Mutex<Vec<Vec<SocketAddr>>>,
    pub(crate) asked: AtomicUsize,
}

impl Names {
    pub(crate) fn new(mut answers: Vec<Vec<SocketAddr>>) -> Arc<Self> {
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Resolve for Names {
    fn resolve(&self, _name: String) -> Looked {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.pop()
        } else {
            answers.last().cloned()
        };
        Box::pin(async move { answer.ok_or_else(|| std::io::ErrorKind::NotFound.into()) })
    }
}
