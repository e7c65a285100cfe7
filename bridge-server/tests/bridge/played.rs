//! Full nodes played by a test: a small ledger, some representatives, and whatever manners the
//! test gives them; and a prover that knows no other full nodes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bridge_server::ask::Asker;
use bridge_server::full_node::{FullNodes, Settings};
use bridge_server::metrics::{Metrics, counted};
use bridge_server::prove::{Proven, Prover, Roots};
use bridge_server::weights::Weights;
use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, ConfirmAck, Frontier, Message,
    PullTarget, RequestedBlock,
};
use nano_core::{
    Account, Block, BlockHash, Link, Network, PrivateKey, Raw, StateBlock, UnixMillis, Vote,
    VoteTimestamp, WeightTable,
};
use nanonet::{AccountRecord, Identity, Rng};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::common::DEADLINE;
use crate::scripted::{greet_as, receive, send};

/// Confirmed chains, first blocks first.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) chains: BTreeMap<Account, Vec<Block>>,
}

impl Ledger {
    /// The genesis block, some after it, and for each account a chain of this many blocks.
    pub(crate) fn new(accounts: impl IntoIterator<Item = u8>, blocks: usize) -> Self {
        let genesis = Network::Dev.genesis_account();
        let key = nano_core::dev_genesis_private_key();
        let mut chain = vec![Network::Dev.genesis_block()];
        for place in 1..8 {
            let previous = chain[place - 1].hash();
            chain.push(block(&key, previous, place));
        }
        let mut chains = BTreeMap::from([(genesis, chain)]);
        for number in accounts {
            let key = holder(number);
            let mut chain: Vec<Block> = Vec::new();
            for place in 0..blocks {
                let previous = chain.last().map_or(BlockHash::ZERO, Block::hash);
                chain.push(block(&key, previous, place));
            }
            chains.insert(key.account(), chain);
        }
        Self { chains }
    }

    pub(crate) fn head(&self, account: &Account) -> BlockHash {
        self.chains[account].last().unwrap().hash()
    }

    fn find(&self, hash: &BlockHash) -> Option<(&Vec<Block>, usize)> {
        self.chains.values().find_map(|chain| {
            let place = chain.iter().position(|block| block.hash() == *hash)?;
            Some((chain, place))
        })
    }

    /// As full nodes say it.
    pub(crate) fn info(&self, account: Account) -> AccountInfo {
        let Some(chain) = self.chains.get(&account).filter(|chain| !chain.is_empty()) else {
            return AccountInfo {
                account,
                ..AccountInfo::default()
            };
        };
        let count = u64::try_from(chain.len()).unwrap();
        AccountInfo {
            account,
            open: chain[0].hash(),
            head: self.head(&account),
            block_count: count,
            confirmed_frontier: self.head(&account),
            confirmed_height: count,
        }
    }

    fn answer(&self, question: AscPullQuestion) -> AscPullAnswer {
        match question {
            AscPullQuestion::AccountInfo { target } => AscPullAnswer::AccountInfo(match target {
                PullTarget::Account(account) => self.info(account),
                PullTarget::Block(hash) => self
                    .find(&hash)
                    .and_then(|(chain, _)| chain[0].account())
                    .map_or_else(AccountInfo::default, |account| self.info(account)),
            }),
            AscPullQuestion::Blocks { start, count } => {
                let found = match start {
                    PullTarget::Account(account) => self.chains.get(&account).map(|all| (all, 0)),
                    PullTarget::Block(hash) => self.find(&hash),
                };
                let blocks = found
                    .map(|(chain, place)| &chain[place..])
                    .unwrap_or_default();
                AscPullAnswer::Blocks(blocks.iter().take(usize::from(count)).copied().collect())
            }
            AscPullQuestion::Frontiers { start, count } => {
                let accounts = self.chains.range(start..).take(usize::from(count));
                let list = accounts.map(|(account, _)| Frontier {
                    account: *account,
                    hash: self.head(account),
                });
                AscPullAnswer::Frontiers(list.collect())
            }
        }
    }

    /// What is voted for when these are asked for: by hash, else what has the root; a root once.
    pub(crate) fn votable(&self, pairs: &[RequestedBlock]) -> Vec<BlockHash> {
        let mut found: Vec<Block> = Vec::new();
        for pair in pairs {
            let by_hash = self.find(&pair.hash).map(|(chain, place)| chain[place]);
            let at_root = || {
                let mut all = self.chains.values().flatten();
                all.find(|block| block.root() == pair.root).copied()
            };
            let block = by_hash.or_else(at_root);
            found.extend(block.filter(|new| found.iter().all(|old| old.root() != new.root())));
        }
        found.iter().map(Block::hash).collect()
    }
}

/// Holder of account `number`.
pub(crate) fn holder(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number; 32])
}

/// Representative `number`.
pub(crate) fn representative(number: u8) -> PrivateKey {
    let mut bytes = [number; 32];
    bytes[0] = 77;
    PrivateKey::from_bytes(bytes)
}

/// A block of `key`; different ones for different numbers.
pub(crate) fn block(key: &PrivateKey, previous: BlockHash, number: usize) -> Block {
    let balance = Raw::new(1_000 + u128::try_from(number).unwrap());
    let source: Link = BlockHash::from_bytes([3; 32]).into();
    StateBlock::unsigned(key.account(), previous, key.account(), balance, source)
        .sign(key)
        .into()
}

/// What a full node does instead of the ordinary; `None` for the ordinary.
pub(crate) type Manner = Arc<dyn Fn(&Message) -> Option<Vec<Message>> + Send + Sync>;

/// A full node.
#[derive(Clone)]
pub(crate) struct Played {
    pub(crate) ledger: Ledger,
    pub(crate) representatives: Vec<PrivateKey>,
    pub(crate) manner: Manner,
}

impl Played {
    pub(crate) fn new(ledger: Ledger, representatives: Vec<PrivateKey>) -> Self {
        Self {
            ledger,
            representatives,
            manner: Arc::new(|_| None),
        }
    }

    pub(crate) fn with(
        mut self,
        manner: impl Fn(&Message) -> Option<Vec<Message>> + Send + Sync + 'static,
    ) -> Self {
        self.manner = Arc::new(manner);
        self
    }

    /// What an ordinary one answers.
    pub(crate) fn ordinary(&self, message: &Message) -> Vec<Message> {
        match message {
            Message::AscPullReq(request) => {
                let (id, answer) = (request.id, self.ledger.answer(request.question));
                vec![AscPullAck { id, answer }.into()]
            }
            Message::ConfirmReq(request) => {
                let hashes = self.ledger.votable(&request.blocks);
                if hashes.is_empty() {
                    return Vec::new();
                }
                let all = self.representatives.iter();
                all.map(|key| vote(key, hashes.clone())).collect()
            }
            _ => Vec::new(),
        }
    }

    async fn serve(self, mut stream: TcpStream) {
        // A node id of its own, as every full node has.
        let mut id = [99; 32];
        id[..2].copy_from_slice(&stream.local_addr().unwrap().port().to_be_bytes());
        if greet_as(&mut stream, &PrivateKey::from_bytes(id))
            .await
            .is_none()
        {
            return;
        }
        while let Some(message) = receive(&mut stream).await {
            let answers = (self.manner)(&message).unwrap_or_else(|| self.ordinary(&message));
            for answer in answers {
                send(&mut stream, answer).await;
            }
        }
    }
}

/// A final vote.
pub(crate) fn vote(key: &PrivateKey, hashes: Vec<BlockHash>) -> Message {
    let vote = Vote::sign(key, VoteTimestamp::FINAL, hashes);
    ConfirmAck {
        vote,
        rebroadcast: false,
    }
    .into()
}

/// An account that `message` asks heads of.
pub(crate) fn asks_about(message: &Message) -> Option<(u64, Account)> {
    match message {
        Message::AscPullReq(request) => match request.question {
            AscPullQuestion::AccountInfo {
                target: PullTarget::Account(account),
            } => Some((request.id, account)),
            _ => None,
        },
        _ => None,
    }
}

/// A prover with channels to played full nodes.
pub(crate) struct Stage {
    pub(crate) prover: Prover,
    pub(crate) asker: Asker,
    pub(crate) metrics: Metrics,
    pub(crate) table: WeightTable,
    _tasks: JoinSet<()>,
}

impl Stage {
    /// Peers with all of them and waits until each of `weights` that somebody hosts is known.
    pub(crate) async fn new(played: Vec<Played>, weights: &[(u8, u128)]) -> Self {
        let online = weights.iter().map(|(_, weight)| weight).sum();
        Self::online(played, weights, online).await
    }

    /// The same with an online weight that is not that of all.
    pub(crate) async fn online(played: Vec<Played>, weights: &[(u8, u128)], online: u128) -> Self {
        let mut tasks = JoinSet::new();
        let mut peers = Vec::new();
        let hosted: Vec<Account> = played
            .iter()
            .flat_map(|played| played.representatives.iter().map(PrivateKey::account))
            .collect();
        let channels = played.len();
        for one in played {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            peers.push(listener.local_addr().unwrap().to_string());
            tasks.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(one.clone().serve(stream));
                }
            });
        }
        let entries = weights
            .iter()
            .map(|(number, weight)| (representative(*number).account(), Raw::new(*weight)));
        let table = WeightTable {
            network: Network::Dev,
            as_of: UnixMillis(0),
            online_weight: Raw::new(online),
            minimum: Raw::new(1),
            weights: entries.collect(),
        };
        let shared = Weights::new(table.clone(), "file");
        let metrics = Metrics::default();
        let (live, mut stream) = mpsc::channel(4_096);
        let settings = Settings {
            network: Network::Dev,
            peers,
            weights: shared.clone(),
            live,
            metrics: metrics.clone(),
        };
        let nodes = FullNodes::start(settings, &mut tasks);
        // Nobody here looks at it, but a full stream loses votes.
        tasks.spawn(async move { while stream.recv().await.is_some() {} });
        let reachable = hosted.iter().map(|who| table.weight_of(who).number());
        let distinct: std::collections::BTreeSet<_> = hosted.iter().zip(reachable).collect();
        let expected = Raw::new(distinct.iter().map(|(_, weight)| weight).sum());
        let mut changes = nodes.changes();
        timeout(DEADLINE, async {
            while nodes.channels().len() < channels || nodes.reachable_weight() < expected {
                changes.changed().await.unwrap();
            }
        })
        .await
        .expect("the full nodes were not reached");
        let identity = Arc::new(Identity::generate(&mut Rng::from_seed([4; 32])));
        let roots = Roots::default();
        let asker = Asker::new(
            nodes.clone(),
            shared.clone(),
            roots.clone(),
            metrics.clone(),
        );
        let prover = Prover::new(
            Network::Dev,
            nodes,
            asker.clone(),
            shared,
            identity,
            roots,
            metrics.clone(),
        );
        Self {
            prover,
            asker,
            metrics,
            table,
            _tasks: tasks,
        }
    }

    /// All messages about accounts and votes written to full nodes so far.
    pub(crate) fn messages(&self) -> u64 {
        [
            "account_info",
            "blocks",
            "frontiers",
            "confirm_req",
            "publish",
        ]
        .iter()
        .map(|kind| counted(&self.metrics.full_node_requests, kind))
        .sum()
    }

    /// The record of an account that is opened.
    pub(crate) async fn record(&self, account: Account) -> AccountRecord {
        opened(self.prover.resolve(account, None).await.unwrap())
    }
}

pub(crate) fn opened(proven: Proven) -> AccountRecord {
    match proven {
        Proven::Opened(record) => *record,
        other => panic!("not simply opened: {other:?}"),
    }
}

/// Something several full nodes note.
pub(crate) type Noted<T> = Arc<Mutex<Vec<T>>>;
