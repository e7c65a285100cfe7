//! Backfill: accounts that nobody asks for come into the nanonet, and are answered from there with
//! every full node stopped.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bridge_server::ask::Priority;
use bridge_server::backfill::{self, Coverage, Others, PARTS, Progress, Told};
use bridge_server::cli::RunOptions;
use bridge_server::clock;
use bridge_server::full_node::AskError;
use bridge_server::run::Bridge;
use bridge_server::shell::{self, NodeHandle, NodeParts};
use bridge_server::store::Store;
use dev_node::{DevKeys, DevNode, DevNodeConfig, Dialect};
use nano_core::message::{AscPullAck, AscPullAnswer, AscPullQuestion, Frontier, Message};
use nano_core::{Account, BlockHash, Network};
use nanonet::{AccountState, Identity, Node, Rng};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::common::{Client, bridge, dev_config, dialect, linked, options, options_beside, until};
use crate::played::{Ledger, Played, Stage, holder, representative};

/// The whole walk may take so long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1200);

async fn node(accounts: u32) -> DevNode {
    DevNode::start(DevNodeConfig {
        accounts,
        ..dev_config()
    })
    .await
    .unwrap()
}

/// Waits until all of the ledger has been walked through; gives the accounts kept.
async fn walked(bridge: &Bridge) -> u64 {
    walked_by(|| bridge.backfill()).await.kept
}

async fn walked_by(told: impl Fn() -> Coverage) -> Coverage {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = told();
        if now.rounds > 0 {
            return now;
        }
        assert!(Instant::now() < deadline, "still at {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_never_asked_for_are_answered_proven_with_every_full_node_stopped() {
    // The figure that counts, 10,000, is measured once, in the dialect `rs` only; the other one is
    // shown with fewer.
    let accounts = match dialect() {
        Dialect::Rs => 10_000,
        Dialect::Cpp => 1_000,
    };
    let node = node(accounts).await;
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let nodes = [node];
    let bridge = bridge(RunOptions {
        backfill: Some(1_000_000),
        ..options_beside(&nodes, folder.path())
    })
    .await;
    walked(&bridge).await;
    println!("backfill of {accounts} accounts took {:?}", began.elapsed());
    let told = bridge.backfill();
    assert_eq!(told.coverage_ppm, 1_000_000, "{told:?}");
    let status = bridge.node().status().await.unwrap();
    assert!(status.records > accounts, "{}", status.records);

    let [node] = nodes;
    let mut expected = Vec::new();
    for index in (0..accounts).step_by(accounts as usize / 50) {
        let account = DevKeys::holder(index).account();
        let head = node.account_info(&account).unwrap().head;
        expected.push((account, head, node.block(&head).unwrap().balance));
    }
    node.stop().await;
    until("the bridge to be without full nodes", async || {
        let channels = bridge.metrics().full_node_channels.get();
        (channels == 0).then_some(())
    })
    .await;
    let mut client = Client::link(&bridge, 1).await;
    for (account, head, balance) in expected {
        let answer = client.get(account, false).await.unwrap();
        let AccountState::Opened { frontier, .. } = answer.state else {
            panic!("{account} is said to be unopened");
        };
        assert_eq!((frontier.hash, frontier.balance), (head, balance));
        assert!(frontier.weight >= frontier.threshold);
    }
    bridge.stop().await;
}

/// How many of these accounts a bridge has a proof of.
async fn held(bridge: &Bridge, accounts: &[Account]) -> Vec<bool> {
    let held = bridge.node().held(accounts.to_vec()).await.unwrap();
    held.iter().map(Option::is_some).collect()
}

fn holders(count: u32) -> Vec<Account> {
    (0..count).map(|n| DevKeys::holder(n).account()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_bridge_that_does_not_walk_all_is_walked() {
    let accounts = 200;
    let nodes = [node(accounts).await];
    let (idle_folder, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let idle = bridge(options_beside(&nodes, idle_folder.path())).await;
    let walking = bridge(RunOptions {
        bridge: vec![idle.address().to_string()],
        // Not through before they are linked and the other one was asked.
        backfill: Some(40),
        ..options_beside(&nodes, folder.path())
    })
    .await;
    linked(&walking).await;
    walked(&walking).await;
    assert_eq!(walking.backfill().parts, PARTS);
    let held = held(&walking, &holders(accounts)).await;
    assert!(held.iter().all(|held| *held), "a hole");
    walking.stop().await;
    idle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bridges_that_dial_each_other_share_the_walk_and_leave_no_hole() {
    let accounts = 300;
    let nodes = [node(accounts).await];
    // Each has to know the other's port before it runs.
    let ports = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = ports.map(|port| port.local_addr().unwrap());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let start = |own: usize| RunOptions {
        listen: Some(ports[own]),
        bridge: vec![ports[1 - own].to_string()],
        // Slow enough that finding each other takes a small part of the walk.
        backfill: Some(5),
        ..options_beside(&nodes, folders[own].path())
    };
    let (one, other) = (bridge(start(0)).await, bridge(start(1)).await);
    until("the ranges to be shared", async || {
        let parts = [&one, &other].map(|bridge| bridge.backfill().parts);
        (parts[0] + parts[1] == PARTS).then_some(())
    })
    .await;
    let (first, second) = tokio::join!(walked(&one), walked(&other));
    let all = holders(accounts);
    let (one_held, other_held) = tokio::join!(held(&one, &all), held(&other, &all));
    let mut either = one_held.iter().zip(&other_held);
    assert!(either.all(|(one, other)| *one || *other), "a hole");
    // What was walked twice is what was passed before they had found each other.
    let shared = u64::from(accounts) * 13 / 10;
    assert!(first + second <= shared, "{first} and {second}: not shared");
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn a_backfill_goes_on_where_it_was_after_a_restart() {
    let accounts = 200;
    let nodes = [node(accounts).await];
    let folder = tempfile::tempdir().unwrap();
    let slowly = |pace| RunOptions {
        backfill: Some(pace),
        data: Some(folder.path().join("bridge")),
        ..options_beside(&nodes, folder.path())
    };
    let first = bridge(slowly(40)).await;
    let kept = until("some to be kept", async || {
        let kept = first.backfill().kept;
        (kept >= 80).then_some(kept)
    })
    .await;
    assert_eq!(first.backfill().rounds, 0, "too fast to be stopped midway");
    first.stop().await;
    let second = bridge(slowly(1_000_000)).await;
    // The first figure told is what the first run left, at most one batch behind.
    let resumed = until("the second run to tell", async || {
        let told = second.backfill();
        (told.pace > 40).then_some(told.kept)
    })
    .await;
    assert!(resumed + 40 >= kept, "{resumed} after {kept}");
    walked(&second).await;
    assert_eq!(second.backfill().coverage_ppm, 1_000_000);
    assert!(second.node().status().await.unwrap().records > accounts);
    second.stop().await;
}

#[tokio::test]
async fn coverage_is_told_at_the_api_and_nothing_is_walked_when_it_is_off() {
    let bridge = bridge(options()).await;
    let info: serde_json::Value = reqwest::get(format!("http://{}/v1/info", bridge.address()))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(info["backfill"]["pace"], 0);
    assert_eq!(info["backfill"]["listed"], 0);
    bridge.stop().await;
    let bridge = crate::common::bridge(RunOptions {
        backfill: Some(1000),
        ..options()
    })
    .await;
    walked(&bridge).await;
    let url = format!("http://{}", bridge.address());
    let info = reqwest::get(format!("{url}/v1/info")).await.unwrap();
    let info: serde_json::Value = info.json().await.unwrap();
    assert_eq!(info["backfill"]["coverage_ppm"], 1_000_000);
    assert_eq!(info["backfill"]["rounds"], 1);
    let metrics = reqwest::get(format!("{url}/metrics")).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("nanonet_backfill_coverage_ppm 1000000"));
    bridge.stop().await;
}

/// Backfills from these full nodes into a node with room for so many bytes of records.
struct Filled {
    told: Told,
    node: NodeHandle,
    _walk: JoinSet<()>,
}

fn fill(stage: &Stage, room: u64) -> Filled {
    let identity = |seed| Identity::generate(&mut Rng::from_seed([seed; 32]));
    let config = nanonet::Config {
        record_budget_bytes: room,
        ..nanonet::Config::bridge(Network::Dev, stage.table.clone(), Vec::new())
    };
    let node = Node::new(config, identity(6), [6; 32], clock::now());
    let (store, _) = Store::open(None, stage.metrics.clone()).unwrap();
    // Nobody asks this node for anything.
    let ((resolves, _), (relays, _)) = (mpsc::channel(1), mpsc::channel(1));
    let parts = NodeParts {
        store: store.clone(),
        resolves,
        relays,
        metrics: stage.metrics.clone(),
        directory: bridge_server::bridges::Directory::default(),
        places: 8,
    };
    let (node, _door, _task) = shell::start(node, parts);
    let told = Told::default();
    let mut walk = JoinSet::new();
    walk.spawn(backfill::run(backfill::Parts {
        pace: 1_000_000,
        own: identity(6).node_key(),
        others: Others::default(),
        progress: Progress::default(),
        asker: stage.asker.at(Priority::Background),
        prover: stage.prover.clone(),
        node: node.clone(),
        store,
        told: told.clone(),
        metrics: stage.metrics.clone(),
    }));
    Filled {
        told,
        node,
        _walk: walk,
    }
}

#[tokio::test]
async fn what_the_node_has_no_room_for_is_told_as_missing() {
    let numbers = 100..160;
    let ledger = Ledger::new(numbers.clone(), 1);
    let full_node = Played::new(ledger, vec![representative(1)]);
    let stage = Stage::new(vec![full_node], &[(1, 100)]).await;
    let filled = fill(&stage, 12_000);
    let told = walked_by(|| filled.told.get()).await;
    assert_eq!(told.listed, 61, "the accounts and genesis");
    assert!(told.no_room > 0 && told.kept > 0, "{told:?}");
    assert_eq!((told.missing, told.kept), (told.no_room, 61 - told.no_room));
    assert_eq!(told.coverage_ppm, told.kept * 1_000_000 / 61);
    let genesis = [Network::Dev.genesis_account()];
    let accounts = numbers.map(|number| holder(number).account());
    let held = filled.node.held(accounts.chain(genesis).collect()).await;
    let held = held.unwrap().iter().flatten().count();
    assert_eq!(u64::try_from(held).unwrap(), told.kept);
}

/// A full node that answers a question for accounts with these.
fn listing(full_node: &Played, accounts: Option<Vec<Frontier>>) -> Played {
    full_node.clone().with(move |message| match message {
        Message::AscPullReq(request) => match request.question {
            AscPullQuestion::Frontiers { .. } => {
                let answer = accounts.clone().map(AscPullAnswer::Frontiers);
                let answers = answer.into_iter();
                let id = request.id;
                Some(
                    answers
                        .map(|answer| AscPullAck { id, answer }.into())
                        .collect(),
                )
            }
            _ => None,
        },
        _ => None,
    })
}

#[tokio::test]
async fn one_full_node_alone_cannot_say_that_there_are_no_accounts() {
    let ledger = Ledger::new(100..110, 1);
    let honest = Played::new(ledger.clone(), vec![representative(1)]);
    let (empty, silent) = (listing(&honest, Some(Vec::new())), listing(&honest, None));
    let asked = async |played: Vec<Played>| {
        let stage = Stage::new(played, &[(1, 100)]).await;
        let walk = stage.asker.at(Priority::Background);
        walk.frontiers(Account::ZERO, 1_000, &BTreeSet::new()).await
    };
    // The second is silent: nothing is believed of the first, and the walk waits.
    let alone = asked(vec![empty.clone(), silent.clone()]).await;
    assert_eq!(alone, Err(AskError::TimedOut { asked: 2 }));
    // A third is asked in its place.
    let three = asked(vec![empty.clone(), silent, honest.clone()])
        .await
        .unwrap();
    assert_eq!(three.rows.len(), ledger.chains.len());
    // Where there is no second one, its word has to do.
    let only = asked(vec![empty]).await.unwrap();
    assert_eq!((only.rows.len(), only.is_last), (0, true));
    let only = asked(vec![honest]).await.unwrap();
    assert_eq!(only.rows.len(), ledger.chains.len());
}

#[tokio::test]
async fn a_full_node_that_invents_accounts_without_end_does_not_hold_the_walk_up() {
    let ledger = Ledger::new(100..110, 1);
    let honest = Played::new(ledger.clone(), vec![representative(1)]);
    // A whole page of keys that follow each other closely, whatever it is asked for.
    let invents = honest.clone().with(|message| match message {
        Message::AscPullReq(request) => match request.question {
            AscPullQuestion::Frontiers { start, count } => {
                let mut key = *start.as_bytes();
                let first = u16::from_be_bytes([key[30], key[31]]);
                let rows = (1..=count).map(|place| {
                    key[30..].copy_from_slice(&first.saturating_add(place).to_be_bytes());
                    Frontier {
                        account: Account::from_bytes(key),
                        hash: BlockHash::from_bytes(key),
                    }
                });
                let answer = AscPullAnswer::Frontiers(rows.collect());
                let id = request.id;
                Some(vec![AscPullAck { id, answer }.into()])
            }
            _ => None,
        },
        _ => None,
    });
    let stage = Stage::new(vec![honest, invents], &[(1, 100)]).await;
    let filled = fill(&stage, 1 << 20);
    let told = walked_by(|| filled.told.get()).await;
    assert_eq!(told.coverage_ppm, 1_000_000, "{told:?}");
    assert_eq!(told.kept, u64::try_from(ledger.chains.len()).unwrap());
}
