//! Which channel hosts which representatives, and what that changes about whom to dial.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge_server::ask::{Asker, Item};
use bridge_server::full_node::book::Limits;
use bridge_server::full_node::{IN_FLIGHT, Peering, Timing};
use bridge_server::metrics::counted;
use bridge_server::prove::Roots;
use bridge_server::weights::Weights;
use nano_core::message::{ConfirmAck, Header, Message, RequestedBlock};
use nano_core::{BlockHash, Network, Root, UnixMillis, Vote, VoteTimestamp};

use crate::common::{bridge, options, until};
use crate::stub::{Peered, Stub, key, local, names, peer, peering, table};

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

/// A block that was seen confirmed.
fn confirmed() -> RequestedBlock {
    RequestedBlock {
        hash: BlockHash::from_bytes([9; 32]),
        root: Root::from_bytes([8; 32]),
    }
}

/// Waits until the stub was asked about genesis and the confirmed block together.
async fn asked_about_both(stub: &Stub) {
    let genesis = Network::Dev.genesis_hash();
    until("a question about both", async || {
        let mut questions = stub.questions().into_iter();
        let both = questions.any(|question| {
            question.blocks.len() == 2
                && question.blocks[0].hash == genesis
                && question.blocks[1] == confirmed()
        });
        both.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_block_that_was_confirmed_is_asked_about_along_with_genesis() {
    let stub = Stub::start(local(2), key(2)).await;
    let peered = peer(names(&[&stub]), table(&[50]), impatient());
    peered.until_open(&[&stub]).await;
    peered.nodes.confirmed(confirmed());
    asked_about_both(&stub).await;
    stub.host(&[50]);
    peered.until_reachable(1).await;
}

#[tokio::test]
async fn unmarked_votes_for_a_confirmed_block_alone_or_for_genesis_alone_show_nobody() {
    let stub = Stub::start(local(2), key(2)).await;
    let peered = peer(names(&[&stub]), table(&[50, 51, 52, 53]), peering());
    peered.until_open(&[&stub]).await;
    peered.nodes.confirmed(confirmed());
    asked_about_both(&stub).await;
    let (genesis, confirmed) = (Network::Dev.genesis_hash(), confirmed().hash);
    for (who, hashes) in [
        (51, vec![confirmed]),
        (52, vec![genesis]),
        // What comes after them on the same connection is learned, they are not.
        (53, vec![genesis, confirmed]),
    ] {
        let vote = Vote::sign(&key(who), VoteTimestamp::FINAL, hashes);
        let rebroadcast = false;
        stub.say(ConfirmAck { vote, rebroadcast }.into());
    }
    peered.until_reachable(1).await;
    let channels = peered.nodes.channels();
    assert_eq!(channels[0].representatives(), [key(53).account()].into());
}

#[tokio::test]
async fn a_vote_of_nobody_is_dropped_and_its_channel_goes_on() {
    let stub = Stub::start(local(2), key(2)).await;
    let peered = peer(names(&[&stub]), table(&[50]), impatient());
    peered.until_open(&[&stub]).await;
    let genesis = vec![Network::Dev.genesis_hash()];
    let vote = Vote::sign(&key(50), VoteTimestamp::FINAL, genesis);
    let message = Message::from(ConfirmAck {
        vote,
        rebroadcast: false,
    });
    let mut nobody = message.encode(Network::Dev).unwrap();
    nobody[Header::SIZE..][..32].fill(0);
    stub.say_bytes(nobody);
    stub.host(&[50]);
    peered.until_reachable(1).await;
    assert_eq!(counted(&peered.metrics.live_dropped, "zero-voter"), 1);
    assert_eq!(stub.greeted(), 1);
}

#[tokio::test]
async fn the_crawler_waits_for_a_place_among_the_questions_of_a_channel() {
    let stub = Stub::voting(local(2), 2, &[50]).await;
    let peered = peer(names(&[&stub]), table(&[50]), impatient());
    peered.until_reachable(1).await;
    let channel = peered.nodes.channels().remove(0);
    let mut places = Vec::new();
    for _ in 0..IN_FLIGHT {
        places.push(channel.slot().await.unwrap());
    }
    let asked = stub.questions().len();
    let sent = stub.keepalives().len();
    until("two quiet seconds", async || {
        (stub.keepalives().len() >= sent + 2).then_some(())
    })
    .await;
    // One may have been on its way.
    assert!(stub.questions().len() <= asked + 1);
    drop(places);
    until("more questions", async || {
        (stub.questions().len() >= asked + 3).then_some(())
    })
    .await;
}

/// Tries nobody beyond one channel once enough weight is reachable.
fn content() -> Peering {
    let limits = Limits {
        spare: 1,
        ..Limits::of(Network::Dev)
    };
    Peering {
        limits,
        ..impatient()
    }
}

/// Two full nodes that seem to host the same representative; only the first is known at first.
async fn liar_and_host() -> (Stub, Stub, Peered) {
    let liar = Stub::voting(local(2), 2, &[50]).await;
    let host = Stub::voting(local(3), 3, &[50]).await;
    liar.state.replays.store(true, Ordering::SeqCst);
    let peered = peer(names(&[&liar]), table(&[50]), content());
    peered.until_reachable(1).await;
    liar.name(&[host.address]);
    until("the name of the other", async || {
        (counted(&peered.metrics.full_node_gossip, "noted") == 1).then_some(())
    })
    .await;
    assert_eq!(host.greeted(), 0, "enough weight seems reachable");
    (liar, host, peered)
}

#[tokio::test]
async fn replayed_votes_for_genesis_do_not_end_the_search_for_representatives() {
    let (liar, host, peered) = liar_and_host().await;
    peered.nodes.confirmed(confirmed());
    until("the host instead of the liar", async || {
        let channels = peered.nodes.channels();
        let hosted = |stub: &Stub| {
            let mut channels = channels.iter();
            let channel = channels.find(|channel| channel.address() == stub.address)?;
            Some(channel.representatives().len())
        };
        (hosted(&liar) == Some(0) && hosted(&host) == Some(1)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn representatives_that_leave_ballots_unanswered_do_not_end_the_search_for_others() {
    let (liar, host, peered) = liar_and_host().await;
    // It passes the crawler's questions on to the real one, and nothing else.
    liar.state.replays.store(false, Ordering::SeqCst);
    liar.state.only_crawled.store(true, Ordering::SeqCst);
    let asker = Asker::new(
        peered.nodes.clone(),
        Weights::new(table(&[50]), "file"),
        Roots::default(),
        peered.metrics.clone(),
    );
    let item = Item {
        account: key(70).account(),
        silent: Root::from_bytes([7; 32]),
        blocks: vec![confirmed()],
    };
    for _ in 0..3 {
        assert_eq!(host.greeted(), 0, "once may be chance");
        let ballot = asker.ballot(item.clone()).await.unwrap();
        assert!(ballot.votes.is_empty());
    }
    peered.until_open(&[&liar, &host]).await;
    let ballot = asker.ballot(item).await.unwrap();
    assert_eq!(ballot.votes.len(), 1);
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
