//! Finding full nodes and keeping channels to them.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge_server::cli::RunOptions;
use bridge_server::config::Config;
use bridge_server::full_node::book::Limits;
use bridge_server::full_node::{Peering, Timing};
use bridge_server::metrics::{Metrics, counted};
use bridge_server::run::Bridge;
use bridge_server::store::Store;
use nano_core::message::Keepalive;
use nano_core::{Network, UnixMillis};
use tokio::net::TcpListener;

use crate::common::{options, until};
use crate::stub::{Names, Stub, key, local, names, peer, peering, table};

#[tokio::test]
async fn every_address_behind_a_name_is_connected() {
    let stubs = [
        Stub::start(local(2), key(2)).await,
        Stub::start(local(3), key(3)).await,
        Stub::start(local(4), key(4)).await,
    ];
    let resolver = Names::new(vec![stubs.iter().map(|stub| stub.address).collect()]);
    let peering = Peering {
        resolver,
        ..peering()
    };
    let peered = peer(vec!["peers.example:7075".to_owned()], table(&[]), peering);
    peered.until_open(&stubs.each_ref()).await;
    assert!(peered.step("name-found") >= 1);
}

#[tokio::test]
async fn stored_peers_are_reached_when_no_name_has_an_address() {
    let stub = Stub::start(local(2), key(2)).await;
    let resolver = Names::new(Vec::new());
    let peering = Peering {
        resolver,
        stored: vec![(stub.address, UnixMillis(1))],
        ..peering()
    };
    let peered = peer(vec!["peers.example:7075".to_owned()], table(&[]), peering);
    peered.until_open(&[&stub]).await;
    until("a failed look-up", async || {
        (peered.step("name-not-found") >= 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_reached_node_is_stored_and_found_again_without_being_configured() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(local(2), key(2)).await;
    let (store, _) = Store::open(Some(folder.path()), Metrics::default()).unwrap();
    let first = Peering {
        store: Some(store.clone()),
        ..peering()
    };
    let before = bridge_server::clock::now();
    let peered = peer(names(&[&stub]), table(&[]), first);
    peered.until_open(&[&stub]).await;
    let stored = until("a stored peer", async || {
        let (_, loaded) = Store::open(Some(folder.path()), Metrics::default()).unwrap();
        loaded.peers.first().copied()
    })
    .await;
    drop(peered);
    assert_eq!(stored.0, stub.address);
    assert!(stored.1 >= before, "with the time it was last reached");
    let again = Peering {
        stored: vec![stored],
        ..peering()
    };
    let peered = peer(Vec::new(), table(&[]), again);
    peered.until_open(&[&stub]).await;
    assert_eq!(stub.greeted(), 2);
}

#[tokio::test]
async fn a_bridge_finds_its_full_nodes_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let stub = Stub::start(local(2), key(2)).await;
    let dead = TcpListener::bind(local(4)).await.unwrap();
    let dead_address = dead.local_addr().unwrap();
    drop(dead);
    let weights = folder.path().join("weights.json");
    std::fs::write(&weights, serde_json::to_string(&table(&[50])).unwrap()).unwrap();
    for peer in [stub.address, dead_address] {
        let options = RunOptions {
            embedded_devnet: false,
            dialect: None,
            peer: vec![peer.to_string()],
            weights: Some(weights.clone()),
            data: Some(folder.path().join("data")),
            ..options()
        };
        let bridge = Bridge::start(Config::resolve(options).unwrap())
            .await
            .unwrap();
        until("the stub's channel", async || {
            let channels = bridge.full_nodes().channels();
            let mut channels = channels.iter();
            channels.find(|channel| channel.address() == stub.address)?;
            Some(())
        })
        .await;
        until("a stored peer", async || {
            let folder = folder.path().join("data");
            let (_, loaded) = Store::open(Some(&folder), Metrics::default()).unwrap();
            (!loaded.peers.is_empty()).then_some(())
        })
        .await;
        bridge.stop().await;
    }
    assert_eq!(stub.greeted(), 2);
}

#[tokio::test]
async fn a_port_for_full_nodes_that_is_taken_is_named_in_the_error() {
    let taken = TcpListener::bind(local(9)).await.unwrap();
    let address = taken.local_addr().unwrap();
    let options = RunOptions {
        peer_listen: Some(address),
        ..options()
    };
    let error = Bridge::start(Config::resolve(options).unwrap())
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(message.contains("--peer-listen"), "{message}");
    assert!(message.contains(&address.to_string()), "{message}");
}

#[tokio::test]
async fn names_are_looked_up_again_while_a_quorum_is_missing() {
    let plain = Stub::start(local(2), key(2)).await;
    let voting = Stub::voting(local(3), 3, &[50]).await;
    let resolver = Names::new(vec![
        vec![plain.address],
        vec![plain.address],
        vec![voting.address],
    ]);
    let peering = Peering {
        resolver: resolver.clone(),
        ..peering()
    };
    let peered = peer(vec!["peers.example:7075".to_owned()], table(&[50]), peering);
    peered.until_reachable(1).await;
    let asked = resolver.asked.load(Ordering::SeqCst);
    assert_eq!(asked, 3);
    // With the quorum there, many keepalives later nobody has asked again.
    let sent = voting.keepalives().len();
    until("more keepalives", async || {
        (voting.keepalives().len() >= sent + 3).then_some(())
    })
    .await;
    assert_eq!(resolver.asked.load(Ordering::SeqCst), asked);
}

#[tokio::test]
async fn endpoints_that_keepalives_name_are_dialled() {
    let known = Stub::start(local(2), key(2)).await;
    let named = Stub::start(local(3), key(3)).await;
    let peered = peer(names(&[&known]), table(&[50]), peering());
    peered.until_open(&[&known]).await;
    known.name(&[named.address]);
    peered.until_open(&[&known, &named]).await;
    assert_eq!(counted(&peered.metrics.full_node_gossip, "noted"), 1);
}

#[tokio::test]
async fn keepalives_name_other_reached_nodes_and_no_port_of_ours() {
    let first = Stub::start(local(2), key(2)).await;
    let second = Stub::start(local(3), key(3)).await;
    let dead = TcpListener::bind(local(4)).await.unwrap();
    let mut peers = names(&[&first, &second]);
    peers.push(dead.local_addr().unwrap().to_string());
    drop(dead);
    let peered = peer(peers, table(&[]), peering());
    peered.until_open(&[&first, &second]).await;
    let port = second.address.port();
    let keepalives = until("a keepalive that names the other", async || {
        let all = first.keepalives();
        all.iter()
            .any(|one| one.peers.iter().any(|peer| peer.port == port))
            .then_some(all)
    })
    .await;
    let others = [port, 0];
    for keepalive in keepalives {
        let named = keepalive.peers;
        assert!(named.iter().all(|peer| others.contains(&peer.port)));
        assert!(
            named
                .iter()
                .all(|p| p.port == 0 || !p.address.is_unspecified())
        );
    }
}

#[tokio::test]
async fn a_node_id_at_another_address_gives_way_to_the_channel_that_answers() {
    let first = Stub::start(local(2), key(2)).await;
    let again = Stub::start(local(3), key(2)).await;
    let peered = peer(names(&[&first]), table(&[50]), peering());
    peered.until_open(&[&first]).await;
    first.name(&[again.address]);
    peered.until_closed("duplicate").await;
    assert_eq!(peered.open(), [first.address]);
    assert_eq!(peered.closed("replaced"), 0);
    assert_eq!(again.greeted(), 1, "the handshake was completed");
}

#[tokio::test]
async fn a_channel_that_does_not_answer_gives_way_to_its_node_at_another_address() {
    let first = Stub::start(local(2), key(2)).await;
    let again = Stub::start(local(3), key(2)).await;
    first.state.answers.store(false, Ordering::SeqCst);
    let peered = peer(names(&[&first]), table(&[50]), peering());
    peered.until_open(&[&first]).await;
    first.name(&[again.address]);
    peered.until_closed("replaced").await;
    peered.until_open(&[&again]).await;
}

#[tokio::test]
async fn a_node_that_comes_back_is_connected_again() {
    let stub = Stub::start(local(2), key(2)).await;
    let address = stub.address;
    let peered = peer(names(&[&stub]), table(&[]), peering());
    peered.until_open(&[&stub]).await;
    drop(stub);
    until("the end of the channel", async || {
        peered.open().is_empty().then_some(())
    })
    .await;
    // Some attempts find nobody.
    peered.until_closed("connect").await;
    let stub = until("its port", async || {
        let listener = TcpListener::bind(address).await.ok()?;
        drop(listener);
        Some(Stub::start(address, key(2)).await)
    })
    .await;
    peered.until_open(&[&stub]).await;
}

#[tokio::test]
async fn named_endpoints_are_limited_per_address_and_configured_ones_are_not() {
    let configured = [
        Stub::start(local(2), key(2)).await,
        Stub::start(local(2), key(3)).await,
        Stub::start(local(2), key(4)).await,
    ];
    let named = [
        Stub::start(local(2), key(5)).await,
        Stub::start(local(3), key(6)).await,
        Stub::start(local(3), key(7)).await,
        Stub::start(local(3), key(8)).await,
    ];
    let limits = Limits {
        per_address: 2,
        ..Limits::of(Network::Dev)
    };
    let peering = Peering {
        limits,
        ..peering()
    };
    let peered = peer(names(&configured.each_ref()), table(&[50]), peering);
    peered.until_open(&configured.each_ref()).await;
    configured[0].name(&named.each_ref().map(|stub| stub.address));
    until("two more", async || {
        (peered.open().len() >= 5).then_some(())
    })
    .await;
    // Keepalives go on, attempts could be made; none is.
    let sent = configured[0].keepalives().len();
    until("more keepalives", async || {
        (configured[0].keepalives().len() >= sent + 3).then_some(())
    })
    .await;
    assert_eq!(peered.open().len(), 5);
    assert_eq!(named[0].greeted(), 0, "its address has three already");
    let third = named[1..].iter().map(Stub::greeted).sum::<usize>();
    assert_eq!(third, 2);
}

#[tokio::test]
async fn named_endpoints_are_limited_per_subnet_and_configured_ones_are_not() {
    let near = |host| SocketAddr::from(([127, 0, 1, host], 0));
    let far = |host| SocketAddr::from(([127, 0, 2, host], 0));
    let configured = [
        Stub::start(near(1), key(2)).await,
        Stub::start(near(2), key(3)).await,
        Stub::start(near(3), key(4)).await,
    ];
    let named = [
        Stub::start(near(4), key(5)).await,
        Stub::start(far(1), key(6)).await,
        Stub::start(far(2), key(7)).await,
        Stub::start(far(3), key(8)).await,
    ];
    let limits = Limits {
        per_subnet: 2,
        ..Limits::of(Network::Dev)
    };
    let peering = Peering {
        limits,
        ..peering()
    };
    let peered = peer(names(&configured.each_ref()), table(&[50]), peering);
    peered.until_open(&configured.each_ref()).await;
    configured[0].name(&named.each_ref().map(|stub| stub.address));
    until("two more", async || {
        (peered.open().len() >= 5).then_some(())
    })
    .await;
    // Keepalives go on, attempts could be made; none is.
    let sent = configured[0].keepalives().len();
    until("more keepalives", async || {
        (configured[0].keepalives().len() >= sent + 3).then_some(())
    })
    .await;
    assert_eq!(peered.open().len(), 5);
    assert_eq!(named[0].greeted(), 0, "its subnet has three already");
    let third = named[1..].iter().map(Stub::greeted).sum::<usize>();
    assert_eq!(third, 2);
}

#[tokio::test]
async fn every_step_of_a_handshake_is_counted_and_shown() {
    let stub = Stub::start(local(2), key(2)).await;
    let peered = peer(names(&[&stub]), table(&[]), peering());
    peered.until_open(&[&stub]).await;
    let steps = [
        "dialled",
        "connected",
        "query-sent",
        "answer-received",
        "answer-verified",
        "response-sent",
        "open",
    ];
    let text = peered.metrics.text().unwrap();
    for step in steps {
        assert_eq!(peered.step(step), 1, "{step}");
        let line = format!("nanonet_full_node_handshake_total{{kind=\"{step}\"}} 1");
        assert!(text.contains(&line), "{line}");
    }
}

#[tokio::test]
async fn an_operator_s_port_is_announced_when_full_nodes_are_accepted() {
    let stub = Stub::start(local(2), key(2)).await;
    let listener = TcpListener::bind(local(9)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let peering = Peering {
        listener: Some(listener),
        ..peering()
    };
    let peered = peer(names(&[&stub]), table(&[]), peering);
    let keepalive: Keepalive =
        until("a keepalive", async || stub.keepalives().first().copied()).await;
    assert!(keepalive.peers[0].address.is_unspecified());
    assert_eq!(keepalive.peers[0].port, port);
    drop(peered);
}

#[tokio::test]
async fn keepalives_come_at_the_cadence_of_the_network() {
    assert_eq!(peering().timing.keepalive, Duration::from_secs(1));
    let live = Peering::of(Network::Live).timing;
    assert_eq!(live.keepalive, Duration::from_secs(15));
    // After its first question the crawler leaves this channel alone: nothing else is written.
    let timing = Timing {
        crawl_poor: Duration::from_secs(3_600),
        ..peering().timing
    };
    let quiet = Peering {
        timing,
        ..peering()
    };
    let stub = Stub::start(local(2), key(2)).await;
    let began = tokio::time::Instant::now();
    let peered = peer(names(&[&stub]), table(&[]), quiet);
    until("five keepalives", async || {
        (stub.keepalives().len() >= 5).then_some(())
    })
    .await;
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(3_900), "{took:?}");
    // One in four, as on a busy channel, would take 16 s.
    assert!(took < Duration::from_secs(12), "{took:?}");
    assert_eq!(stub.questions().len(), 1);
    drop(peered);
}
