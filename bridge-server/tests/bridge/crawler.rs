//! Which channel hosts which representatives, and what that changes about whom to dial.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge_server::full_node::book::Limits;
use bridge_server::full_node::{Peering, Timing};
use nano_core::message::{ConfirmAck, RequestedBlock};
use nano_core::{BlockHash, Network, Root, UnixMillis, Vote, VoteTimestamp};

use crate::common::{bridge, options, until};
use crate::stub::{Stub, key, local, names, peer, peering, table};

/// Representatives are forgotten after a second.
fn impatient() -> Peering {
    let timing = Timing {
        crawl_poor: Duration::from_millis(100),
        crawl_rich: Duration::from_millis(100),
        forget: Duration::from_secs(1),
        ..Timing::of(Network::Dev)
    };
    Peering {
        timing,
        ..peering()
    }
}

#[tokio::test]
async fn representatives_are_found_behind_their_channel_and_counted_once() {
    let one = Stub::voting(local(2), 2, &[50, 51]).await;
    let two = Stub::voting(local(3), 3, &[51, 52]).await;
    let table = table(&[50, 51, 52, 53]);
    let peered = peer(names(&[&one, &two]), table, peering());
    peered.until_reachable(3).await;
    // The one that both host may be found behind the second only after it counts already.
    until("each behind its channel", async || {
        let channels = peered.nodes.channels();
        let hosts = |stub: &Stub, seeds: [u8; 2]| {
            let mut channels = channels.iter();
            channels
                .find(|channel| channel.address() == stub.address)
                .is_some_and(|channel| {
                    channel.representatives() == seeds.map(|seed| key(seed).account()).into()
                })
        };
        (hosts(&one, [50, 51]) && hosts(&two, [51, 52])).then_some(())
    })
    .await;
    let reach = peered.nodes.reach();
    assert_eq!(reach.ppm_of_online(), 750_000);
    assert_eq!(peered.metrics.weight_online_ppm.get(), 750_000);
}

#[tokio::test]
async fn a_representative_that_moved_is_found_again_and_forgotten_where_it_was() {
    let one = Stub::voting(local(2), 2, &[50]).await;
    let two = Stub::voting(local(3), 3, &[51]).await;
    let peered = peer(names(&[&one, &two]), table(&[50, 51]), impatient());
    peered.until_reachable(2).await;
    one.host(&[]);
    two.host(&[50, 51]);
    until("the move", async || {
        let channels = peered.nodes.channels();
        let count = |stub: &Stub| {
            let mut channels = channels.iter();
            let channel = channels.find(|channel| channel.address() == stub.address);
            channel.map(|channel| channel.representatives().len())
        };
        (count(&one) == Some(0) && count(&two) == Some(2)).then_some(())
    })
    .await;
    peered.until_reachable(2).await;
}

#[tokio::test]
async fn a_representative_that_falls_silent_is_forgotten() {
    let stub = Stub::voting(local(2), 2, &[50]).await;
    let peered = peer(names(&[&stub]), table(&[50]), impatient());
    peered.until_reachable(1).await;
    stub.host(&[]);
    peered.until_reachable(0).await;
    assert_eq!(peered.open(), [stub.address], "the channel stays");
    assert_eq!(peered.metrics.weight_online_ppm.get(), 0);
}

#[tokio::test]
async fn a_block_that_was_confirmed_is_asked_about_along_with_genesis() {
    let stub = Stub::voting(local(2), 2, &[50]).await;
    stub.state.knows_genesis.store(false, Ordering::SeqCst);
    let peered = peer(names(&[&stub]), table(&[50]), impatient());
    peered.until_open(&[&stub]).await;
    let confirmed = RequestedBlock {
        hash: BlockHash::from_bytes([9; 32]),
        root: Root::from_bytes([8; 32]),
    };
    peered.nodes.confirmed(confirmed);
    peered.until_reachable(1).await;
    let genesis = Network::Dev.genesis_hash();
    let mut questions = stub.questions().into_iter();
    assert!(questions.any(|question| {
        question.blocks.len() == 2
            && question.blocks[0].hash == genesis
            && question.blocks[1] == confirmed
    }));
}

#[tokio::test]
async fn votes_of_others_forged_votes_and_votes_for_other_blocks_show_nobody() {
    let stub = Stub::voting(local(2), 2, &[50]).await;
    stub.state.marks.store(true, Ordering::SeqCst);
    let peered = peer(names(&[&stub]), table(&[50, 51, 52, 53]), impatient());
    peered.until_open(&[&stub]).await;
    let genesis = vec![Network::Dev.genesis_hash()];
    let mut forged = Vote::sign(&key(51), VoteTimestamp::FINAL, genesis.clone());
    forged.representative = key(52).account();
    let other = vec![BlockHash::from_bytes([7; 32])];
    let other = Vote::sign(&key(51), VoteTimestamp::FINAL, other);
    for vote in [forged, other] {
        let rebroadcast = false;
        stub.say(ConfirmAck { vote, rebroadcast }.into());
    }
    // What comes after them on the same connection is learned, they are not.
    let vote = Vote::sign(&key(53), VoteTimestamp::FINAL, genesis);
    let asked = stub.questions().len();
    until("another question", async || {
        (stub.questions().len() > asked).then_some(())
    })
    .await;
    let rebroadcast = false;
    stub.say(ConfirmAck { vote, rebroadcast }.into());
    peered.until_reachable(1).await;
    let channels = peered.nodes.channels();
    assert_eq!(channels[0].representatives(), [key(53).account()].into());
}

#[tokio::test]
async fn while_weight_is_missing_channels_without_representatives_make_room() {
    let plain = [
        Stub::start(local(2), key(2)).await,
        Stub::start(local(3), key(3)).await,
    ];
    let voting = Stub::voting(local(4), 4, &[50]).await;
    let limits = Limits {
        channels: 2,
        grace: 200,
        rotation: 100,
        ..Limits::of(Network::Dev)
    };
    // The plain ones were reached more recently, so they come first.
    let stored = vec![
        (plain[0].address, UnixMillis(9)),
        (plain[1].address, UnixMillis(8)),
        (voting.address, UnixMillis(7)),
    ];
    let peering = Peering {
        stored,
        limits,
        ..impatient()
    };
    let peered = peer(Vec::new(), table(&[50]), peering);
    peered.until_reachable(1).await;
    assert!(peered.closed("given-up") >= 1);
    let before = peered.closed("given-up");
    let sent = voting.keepalives().len();
    until("more keepalives", async || {
        (voting.keepalives().len() >= sent + 2).then_some(())
    })
    .await;
    assert_eq!(peered.closed("given-up"), before, "enough is enough");
    assert!(peered.open().contains(&voting.address));
}

#[tokio::test]
async fn info_says_how_much_weight_is_reachable() {
    let bridge = bridge(options()).await;
    let url = format!("http://{}/v1/info", bridge.address());
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let info: serde_json::Value = serde_json::from_str(&text).unwrap();
    let table = bridge.weights().current();
    let reach = &info["reach"];
    assert_eq!(reach["reachable"], table.total().to_string());
    assert_eq!(reach["needed"], table.threshold().to_string());
    let online = table.online_weight.max(table.minimum);
    assert_eq!(reach["online"], online.to_string());
    let exact = table.total().number() / (online.number() / 1_000);
    let percent = reach["percent"].as_f64().unwrap();
    assert!((percent - exact as f64 / 10.0).abs() < 0.2, "{percent}");
    bridge.stop().await;
}
