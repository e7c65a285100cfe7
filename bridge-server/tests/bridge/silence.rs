//! What a sighting may count as silence: a full node that drops requests, and one that answers
//! with what nobody can look up, must not make an old frontier look fresh.

use std::collections::BTreeMap;
use std::sync::Arc;

use bridge_server::ask::Asker;
use bridge_server::full_node::{FullNodes, Settings};
use bridge_server::metrics::Metrics;
use bridge_server::prove::{Proven, Prover, Roots};
use bridge_server::weights::Weights;
use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmAck, ConfirmReq,
    Message, PullTarget,
};
use nano_core::{
    Account, Block, BlockHash, Network, PrivateKey, Raw, StateBlock, UnixMillis, Vote,
    VoteTimestamp, WeightTable,
};
use nanonet::{AccountRecord, Identity, Rng};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::scripted::{greet, receive, send};

/// How the full node treats requests for votes about the account.
#[derive(Clone, Copy)]
enum Manner {
    /// As full nodes do.
    Answers,
    /// Drops them; the votes for the frontier come by broadcast at that moment.
    DropsAndBroadcasts,
    /// Names a later block at the silent root that it does not give out.
    NamesAnother,
}

fn representative() -> PrivateKey {
    PrivateKey::from_bytes([1; 32])
}

/// The only block of the account that is asked about.
fn frontier() -> Block {
    let key = PrivateKey::from_bytes([2; 32]);
    let source = BlockHash::from_bytes([3; 32]).into();
    StateBlock::unsigned(
        key.account(),
        BlockHash::ZERO,
        key.account(),
        Raw::new(7),
        source,
    )
    .sign(&key)
    .into()
}

fn known(hash: &BlockHash) -> Option<Block> {
    [frontier(), Network::Dev.genesis_block()]
        .into_iter()
        .find(|block| block.hash() == *hash)
}

fn pulled(question: AscPullQuestion) -> AscPullAnswer {
    let block_of = |account: &Account| {
        let genesis = *account == Network::Dev.genesis_account();
        if genesis {
            Network::Dev.genesis_block()
        } else {
            frontier()
        }
    };
    match question {
        AscPullQuestion::AccountInfo {
            target: PullTarget::Account(account),
        } => {
            let hash = block_of(&account).hash();
            AscPullAnswer::AccountInfo(AccountInfo {
                account,
                open: hash,
                head: hash,
                block_count: 1,
                confirmed_frontier: hash,
                confirmed_height: 1,
            })
        }
        AscPullQuestion::Blocks {
            start: PullTarget::Block(hash),
            ..
        } => AscPullAnswer::Blocks(known(&hash).into_iter().collect()),
        AscPullQuestion::Blocks {
            start: PullTarget::Account(account),
            ..
        } => AscPullAnswer::Blocks(vec![block_of(&account)]),
        other => panic!("not asked by a prover: {other:?}"),
    }
}

fn vote(hashes: Vec<BlockHash>, rebroadcast: bool) -> Message {
    let vote = Vote::sign(&representative(), VoteTimestamp::FINAL, hashes);
    ConfirmAck { vote, rebroadcast }.into()
}

async fn serve(mut stream: TcpStream, manner: Manner) {
    greet(&mut stream).await;
    let after_frontier = frontier().hash().into();
    while let Some(message) = receive(&mut stream).await {
        match message {
            Message::AscPullReq(AscPullReq { id, question }) => {
                let answer = pulled(question);
                send(&mut stream, AscPullAck { id, answer }.into()).await;
            }
            Message::ConfirmReq(ConfirmReq { blocks }) => {
                let silent = blocks.iter().any(|block| block.root == after_frontier);
                let listed = blocks.iter().map(|block| block.hash);
                let listed: Vec<_> = listed.filter(|hash| known(hash).is_some()).collect();
                let about = listed.contains(&frontier().hash());
                match manner {
                    Manner::DropsAndBroadcasts if silent => {
                        send(&mut stream, vote(vec![frontier().hash()], false)).await;
                    }
                    Manner::DropsAndBroadcasts if about => {}
                    Manner::NamesAnother if silent => {
                        send(
                            &mut stream,
                            vote(vec![BlockHash::from_bytes([9; 32])], false),
                        )
                        .await;
                    }
                    _ if listed.is_empty() => {}
                    _ => send(&mut stream, vote(listed, false)).await,
                }
            }
            _ => {}
        }
    }
}

/// Proves the account through a full node of this manner.
async fn record(manner: Manner) -> AccountRecord {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, manner));
        }
    });
    let table = WeightTable {
        network: Network::Dev,
        as_of: UnixMillis(0),
        online_weight: Raw::new(100),
        minimum: Raw::new(1),
        weights: BTreeMap::from([(representative().account(), Raw::new(100))]),
    };
    let weights = Weights::new(table, "file");
    let (live, mut stream) = mpsc::channel(256);
    let settings = Settings {
        network: Network::Dev,
        peers: vec![address],
        weights: weights.clone(),
        live,
        metrics: Metrics::default(),
    };
    let nodes = FullNodes::start(settings, &mut tasks);
    // Nobody needs what comes by broadcast here.
    tasks.spawn(async move { while stream.recv().await.is_some() {} });
    let identity = Arc::new(Identity::generate(&mut Rng::from_seed([4; 32])));
    let metrics = Metrics::default();
    let prover = Prover::new(
        Network::Dev,
        nodes.clone(),
        Asker::new(nodes),
        weights,
        identity,
        Roots::default(),
        metrics,
    );
    match prover
        .resolve(frontier().account().unwrap(), None)
        .await
        .unwrap()
    {
        Proven::Opened(record) => *record,
        Proven::Unopened(_) => panic!("said to be unopened"),
    }
}

#[tokio::test]
async fn silence_beside_an_answer_dates_the_frontier() {
    let record = record(Manner::Answers).await;
    assert_eq!(record.sightings.len(), 1);
    assert_eq!(record.sightings[0].weight_answered, Raw::new(100));
}

#[tokio::test]
async fn dropped_requests_are_no_silence_even_when_votes_come_by_broadcast() {
    let record = record(Manner::DropsAndBroadcasts).await;
    assert_eq!(
        record.hash(),
        frontier().hash(),
        "the votes prove it all the same"
    );
    assert!(record.sightings.is_empty());
}

#[tokio::test]
async fn a_vote_for_a_block_that_cannot_be_looked_up_spoils_the_silence() {
    let record = record(Manner::NamesAnother).await;
    assert!(record.sightings.is_empty());
}
