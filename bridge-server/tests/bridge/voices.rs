//! A whole bridge beside played full nodes that also speak without being asked.

use std::sync::{Arc, Mutex};

use bridge_server::clock;
use bridge_server::metrics::counted;
use bridge_server::run::Bridge;
use nano_core::message::{ConfirmAck, ConfirmReq, Message, Publish};
use nano_core::{
    Account, Block, BlockHash, Network, PrivateKey, Raw, Vote, VoteTimestamp, WeightTable,
};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use bridge_server::cli::RunOptions;

use crate::common::{bridge, until};
use crate::played::{Ledger, Played, representative};
use crate::scripted::{greet_as, receive};

/// Messages that may wait to be said.
const SAID: usize = 4_096;

/// A question for votes, and when it came.
pub(crate) type Heard = (Instant, ConfirmReq);

/// One of the full nodes.
pub(crate) struct Voice {
    played: Played,
    say: broadcast::Sender<Vec<u8>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Voice {
    pub(crate) fn say(&self, message: Message) {
        // Its channel may have been ended, which is what some tests want.
        let _ = self.say.send(message.encode(Network::Dev).unwrap());
    }

    pub(crate) fn publish(&self, block: Block) {
        let originator = false;
        self.say(Publish { block, originator }.into());
    }

    /// Final votes of all its representatives, in one list.
    pub(crate) fn vote(&self, hashes: &[BlockHash]) {
        for key in &self.played.representatives {
            self.say(crate::played::vote(key, hashes.to_vec()));
        }
    }

    /// Normal votes of all its representatives.
    pub(crate) fn vote_normally(&self, hash: BlockHash) {
        let time = VoteTimestamp::normal(clock::now().0, 9);
        for key in &self.played.representatives {
            let vote = Vote::sign(key, time, vec![hash]);
            let rebroadcast = false;
            self.say(ConfirmAck { vote, rebroadcast }.into());
        }
    }

    /// The questions for votes so far that name this block.
    pub(crate) fn asked_about(&self, hash: BlockHash) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        let names = |(_, question): &&Heard| question.blocks.iter().any(|pair| pair.hash == hash);
        heard.iter().filter(names).cloned().collect()
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        let mut id = [98; 32];
        id[..2].copy_from_slice(&stream.local_addr().unwrap().port().to_be_bytes());
        let key = PrivateKey::from_bytes(id);
        if greet_as(&mut stream, &key).await.is_none() {
            return;
        }
        let mut said = self.say.subscribe();
        let (mut reader, mut writer) = stream.split();
        let (answers, mut answered) = mpsc::channel::<Message>(64);
        let read = async {
            while let Some(message) = receive(&mut reader).await {
                let ordinary = || self.played.ordinary(&message);
                for answer in (self.played.manner)(&message).unwrap_or_else(ordinary) {
                    if answers.send(answer).await.is_err() {
                        return;
                    }
                }
                if let Message::ConfirmReq(question) = message {
                    let heard = (Instant::now(), question);
                    self.heard.lock().unwrap().push(heard);
                }
            }
        };
        let write = async {
            loop {
                let bytes = tokio::select! {
                    Some(message) = answered.recv() => message.encode(Network::Dev).unwrap(),
                    said = said.recv() => said.unwrap(),
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
}

/// The bridge and its full nodes.
pub(crate) struct Choir {
    pub(crate) bridge: Bridge,
    pub(crate) voices: Vec<Arc<Voice>>,
    _folder: TempDir,
    _tasks: JoinSet<()>,
}

impl Choir {
    /// A bridge that has a channel to each of these and knows who votes there; representative
    /// number so votes with so much.
    pub(crate) async fn new(played: Vec<Played>, weights: &[(u8, u128)]) -> Self {
        let mut tasks = JoinSet::new();
        let mut peers = Vec::new();
        let mut voices = Vec::new();
        for played in played {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            peers.push(listener.local_addr().unwrap().to_string());
            let voice = Arc::new(Voice {
                played,
                say: broadcast::channel(SAID).0,
                heard: Arc::default(),
            });
            voices.push(Arc::clone(&voice));
            tasks.spawn(async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(Arc::clone(&voice).serve(stream));
                }
            });
        }
        let entries = weights
            .iter()
            .map(|(number, weight)| (representative(*number).account(), Raw::new(*weight)));
        let table = WeightTable {
            network: Network::Dev,
            as_of: clock::now(),
            online_weight: Raw::new(weights.iter().map(|(_, weight)| weight).sum()),
            minimum: Raw::new(1),
            weights: entries.collect(),
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weights.json");
        std::fs::write(&file, serde_json::to_vec(&table).unwrap()).unwrap();
        let channels = peers.len();
        let bridge = bridge(RunOptions {
            listen: Some("127.0.0.1:0".parse().unwrap()),
            peer: peers,
            weights: Some(file),
            ..RunOptions::default()
        })
        .await;
        until("all channels", async || {
            let voting = bridge.full_nodes().voting_channels().len();
            (voting == channels).then_some(())
        })
        .await;
        Self {
            bridge,
            voices,
            _folder: folder,
            _tasks: tasks,
        }
    }

    /// One full node for each of these weights, with one representative each.
    pub(crate) async fn of(ledger: &Ledger, weights: &[u128]) -> Self {
        let numbered: Vec<(u8, u128)> = (0..).zip(weights.iter().copied()).collect();
        let played = numbered
            .iter()
            .map(|(number, _)| Played::new(ledger.clone(), vec![representative(*number)]));
        Self::new(played.collect(), &numbered).await
    }

    /// All vote finally for this block.
    pub(crate) fn vote(&self, hash: BlockHash) {
        for voice in &self.voices {
            voice.vote(&[hash]);
        }
    }

    /// Waits until the bridge's node holds this frontier of the account.
    pub(crate) async fn until_held(&self, account: Account, hash: BlockHash) {
        until("the record of a confirmed block", async || {
            let held = self.bridge.node().held(vec![account]).await?;
            (held == [Some(hash)]).then_some(())
        })
        .await;
    }

    pub(crate) fn dropped(&self, reason: &'static str) -> u64 {
        counted(&self.bridge.metrics().live_dropped, reason)
    }

    pub(crate) fn forks(&self, kind: &'static str) -> u64 {
        counted(&self.bridge.metrics().live_forks, kind)
    }

    pub(crate) async fn until_forks(&self, kind: &'static str, count: u64) {
        until(kind, async || (self.forks(kind) == count).then_some(())).await;
    }

    /// What the bridge shows of its elections.
    pub(crate) async fn elections(&self) -> serde_json::Value {
        let url = format!("http://{}/v1/elections", self.bridge.address());
        reqwest::get(url).await.unwrap().json().await.unwrap()
    }
}
