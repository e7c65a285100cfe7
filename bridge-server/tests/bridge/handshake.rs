//! The handshake when full nodes dial the bridge, and connections to ourselves.

use std::net::SocketAddr;
use std::time::Duration;

use bridge_server::full_node::book::Limits;
use bridge_server::full_node::{Peering, Timing};
use dev_node::{DevNode, DevNodeConfig};
use nano_core::message::{
    Cookie, HandshakeResponse, Header, Keepalive, Message, NodeIdHandshake, PeerEndpoint,
};
use nano_core::{Network, PrivateKey, WeightTable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::common::until;
use crate::scripted::{receive, send};
use crate::stub::{Peered, Stub, key, local, names, peer, peering, table};

/// Channels that accept full nodes, and where.
async fn listening(
    peers: Vec<String>,
    table: WeightTable,
    peering: Peering,
) -> (Peered, SocketAddr) {
    let listener = TcpListener::bind(local(9)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let peering = Peering {
        listener: Some(listener),
        ..peering
    };
    (peer(peers, table, peering), address)
}

async fn dialled() -> (Peered, TcpStream) {
    let (peered, address) = listening(Vec::new(), table(&[]), peering()).await;
    (peered, TcpStream::connect(address).await.unwrap())
}

fn cookie() -> Cookie {
    Cookie::from_bytes([4; 32])
}

/// Sends a query; gives back the bridge's response and cookie.
async fn ask(stream: &mut TcpStream) -> (HandshakeResponse, Cookie) {
    send(stream, NodeIdHandshake::query(cookie()).into()).await;
    match receive(stream).await {
        Some(Message::NodeIdHandshake(answer)) => (answer.response.unwrap(), answer.query.unwrap()),
        other => panic!("{other:?} instead of an answer"),
    }
}

fn response(network: Network, key: &PrivateKey, cookie: &Cookie) -> Message {
    NodeIdHandshake::response(HandshakeResponse::sign(network, key, cookie, [1; 32])).into()
}

#[tokio::test]
async fn a_full_node_that_dials_is_served_and_its_representatives_are_found() {
    let (peered, address) = listening(Vec::new(), table(&[]), peering()).await;
    let dev = DevNode::start(DevNodeConfig {
        peers: vec![address],
        ..crate::common::dev_config()
    })
    .await
    .unwrap();
    until("representatives of an accepted node", async || {
        let channels = peered.nodes.channels();
        let channel = channels
            .iter()
            .find(|channel| channel.endpoint().is_none())?;
        (!channel.representatives().is_empty()).then_some(())
    })
    .await;
    let steps = [
        "accepted",
        "query-received",
        "answer-sent",
        "response-received",
        "response-verified",
        "open-accepted",
    ];
    for step in steps {
        assert!(peered.step(step) >= 1, "{step}");
    }
    dev.stop().await;
}

#[tokio::test]
async fn the_answer_to_a_query_holds_for_that_query_alone() {
    let (_peered, mut stream) = dialled().await;
    let (response, fresh) = ask(&mut stream).await;
    let own = key(1).public_key();
    assert!(response.verify(Network::Dev, &own, &cookie()).is_ok());
    let other = Cookie::from_bytes([5; 32]);
    assert!(response.verify(Network::Dev, &own, &other).is_err());
    assert_ne!(fresh, cookie());
}

#[tokio::test]
async fn a_response_to_another_connection_s_cookie_is_refused() {
    let (peered, mut stream) = dialled().await;
    ask(&mut stream).await;
    let forged = response(Network::Dev, &key(2), &cookie());
    send(&mut stream, forged).await;
    peered.until_closed("bad-signature").await;
    assert!(peered.open().is_empty());
    assert_eq!(peered.step("response-received"), 1);
    assert_eq!(peered.step("response-verified"), 0);
}

#[tokio::test]
async fn a_recorded_handshake_played_again_is_refused() {
    let (peered, address) = listening(Vec::new(), table(&[]), peering()).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    let (_, fresh) = ask(&mut first).await;
    let recorded = response(Network::Dev, &key(2), &fresh);
    send(&mut first, recorded.clone()).await;
    until("the real channel", async || {
        (!peered.open().is_empty()).then_some(())
    })
    .await;
    let mut second = TcpStream::connect(address).await.unwrap();
    ask(&mut second).await;
    send(&mut second, recorded).await;
    peered.until_closed("bad-signature").await;
    assert_eq!(peered.open().len(), 1, "the real one stays");
}

#[tokio::test]
async fn another_genesis_in_the_response_is_refused() {
    let (peered, mut stream) = dialled().await;
    let (_, fresh) = ask(&mut stream).await;
    send(&mut stream, response(Network::Beta, &key(2), &fresh)).await;
    peered.until_closed("wrong-genesis").await;
}

#[tokio::test]
async fn a_header_of_another_network_is_refused() {
    let (peered, mut stream) = dialled().await;
    let query = Message::from(NodeIdHandshake::query(cookie()));
    let bytes = query.encode(Network::Live).unwrap();
    stream.write_all(&bytes).await.unwrap();
    peered.until_closed("wrong-network").await;
}

#[tokio::test]
async fn old_versions_of_protocol_and_handshake_are_refused() {
    let (peered, mut stream) = dialled().await;
    let query = NodeIdHandshake {
        v2: false,
        ..NodeIdHandshake::query(cookie())
    };
    send(&mut stream, query.into()).await;
    peered.until_closed("old-version").await;

    let (peered, mut stream) = dialled().await;
    let query = Message::from(NodeIdHandshake::query(cookie()));
    let mut bytes = query.encode(Network::Dev).unwrap();
    bytes[3] = 0x13;
    stream.write_all(&bytes).await.unwrap();
    peered.until_closed("old-version").await;
}

#[tokio::test]
async fn a_newer_protocol_version_is_served() {
    let (peered, mut stream) = dialled().await;
    let query = Message::from(NodeIdHandshake::query(cookie()));
    let mut bytes = query.encode(Network::Dev).unwrap();
    (bytes[2], bytes[3]) = (0x16, 0x16);
    stream.write_all(&bytes).await.unwrap();
    assert!(receive(&mut stream).await.is_some());
    assert_eq!(peered.step("query-received"), 1);
}

#[tokio::test]
async fn a_second_query_is_out_of_turn() {
    let (peered, mut stream) = dialled().await;
    ask(&mut stream).await;
    send(&mut stream, NodeIdHandshake::query(cookie()).into()).await;
    peered.until_closed("out-of-turn").await;
}

#[tokio::test]
async fn a_response_before_any_query_is_out_of_turn() {
    let (peered, mut stream) = dialled().await;
    send(&mut stream, response(Network::Dev, &key(2), &cookie())).await;
    peered.until_closed("out-of-turn").await;
}

#[tokio::test]
async fn another_message_before_the_handshake_is_refused() {
    let (peered, mut stream) = dialled().await;
    send(&mut stream, Keepalive::EMPTY.into()).await;
    peered.until_closed("not-a-handshake").await;
}

#[tokio::test]
async fn a_handshake_on_an_open_channel_is_ignored() {
    let (peered, mut stream) = dialled().await;
    let (_, fresh) = ask(&mut stream).await;
    send(&mut stream, response(Network::Dev, &key(2), &fresh)).await;
    until("the channel", async || {
        (!peered.open().is_empty()).then_some(())
    })
    .await;
    send(&mut stream, NodeIdHandshake::query(cookie()).into()).await;
    until("the ignored query", async || {
        let family = &peered.metrics.full_node_messages;
        let ignored = bridge_server::metrics::counted(family, "node_id_handshake");
        (ignored == 1).then_some(())
    })
    .await;
    // It goes on being served, and no answer comes among the rest.
    let mut keepalives = 0;
    while keepalives < 2 {
        match receive(&mut stream).await.unwrap() {
            Message::Keepalive(_) => keepalives += 1,
            Message::NodeIdHandshake(_) => panic!("answered on an open channel"),
            _ => {}
        }
    }
    assert_eq!(peered.open().len(), 1);
}

#[tokio::test]
async fn one_byte_at_a_time_does_not_hold_a_place() {
    let timing = Timing {
        handshake: Duration::from_millis(300),
        ..Timing::of(Network::Dev)
    };
    let peering = Peering {
        timing,
        ..peering()
    };
    let (peered, address) = listening(Vec::new(), table(&[]), peering).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let query = Message::from(NodeIdHandshake::query(cookie()));
    let bytes = query.encode(Network::Dev).unwrap();
    let trickle = async {
        for byte in bytes {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = peered.until_closed("timed-out") => {}
        () = trickle => panic!("the whole query was taken in drops"),
    }
}

#[tokio::test]
async fn more_connections_of_one_address_than_allowed_are_refused() {
    let limits = Limits {
        per_address: 2,
        ..Limits::of(Network::Dev)
    };
    let peering = Peering {
        limits,
        ..peering()
    };
    let (peered, address) = listening(Vec::new(), table(&[]), peering).await;
    let first = TcpStream::connect(address).await.unwrap();
    let _second = TcpStream::connect(address).await.unwrap();
    let mut third = TcpStream::connect(address).await.unwrap();
    peered.until_closed("refused-address").await;
    let mut byte = [0];
    assert!(!third.read(&mut byte).await.is_ok_and(|read| read > 0));
    // A place that is given back serves again.
    drop(first);
    peered.until_closed("closed").await;
    let mut fourth = TcpStream::connect(address).await.unwrap();
    ask(&mut fourth).await;
}

#[tokio::test]
async fn a_connection_to_ourselves_is_dropped_and_not_tried_again() {
    let dead = TcpListener::bind(local(4)).await.unwrap();
    let dead_address = dead.local_addr().unwrap();
    drop(dead);
    let listener = TcpListener::bind(local(9)).await.unwrap();
    let own = listener.local_addr().unwrap();
    let peering = Peering {
        listener: Some(listener),
        ..peering()
    };
    let peers = vec![own.to_string(), dead_address.to_string()];
    let peered = peer(peers, table(&[]), peering);
    peered.until_closed("own-id").await;
    // Another endpoint is tried again and again meanwhile.
    until("other attempts", async || {
        (peered.closed("connect") >= 4).then_some(())
    })
    .await;
    assert_eq!(peered.step("connected"), 1, "once and never again");
    assert!(peered.open().is_empty());
}

#[tokio::test]
async fn the_port_that_an_accepted_node_announces_is_dialled() {
    let stub = Stub::start(local(1), key(3)).await;
    let (peered, address) = listening(Vec::new(), table(&[50]), peering()).await;
    // From 127.0.0.1, where the stub listens, with an id of its own.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (_, fresh) = ask(&mut stream).await;
    send(&mut stream, response(Network::Dev, &key(2), &fresh)).await;
    let mut keepalive = Keepalive::EMPTY;
    keepalive.peers[0] = PeerEndpoint {
        port: stub.address.port(),
        ..PeerEndpoint::UNUSED
    };
    send(&mut stream, keepalive.into()).await;
    until("a channel to the announced port", async || {
        peered.open().contains(&stub.address).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_node_that_answers_version_one_is_refused() {
    let listener = TcpListener::bind(local(5)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut query = [0; Header::SIZE + 32];
        stream.read_exact(&mut query).await.unwrap();
        let response = HandshakeResponse::V1 {
            node_id: key(2).public_key(),
            signature: key(2).sign(&query[Header::SIZE..]),
        };
        let answer = NodeIdHandshake {
            query: Some(cookie()),
            ..NodeIdHandshake::response(response)
        };
        send(&mut stream, answer.into()).await;
        let _ = stream.read(&mut query).await;
    });
    let peered = peer(vec![address.to_string()], table(&[]), peering());
    peered.until_closed("old-version").await;
    server.await.unwrap();
}

#[tokio::test]
async fn without_the_operator_s_word_nothing_is_announced_or_accepted() {
    let stub = Stub::start(local(2), key(2)).await;
    let peered = peer(names(&[&stub]), table(&[]), peering());
    let keepalive = until("a keepalive", async || stub.keepalives().first().copied()).await;
    assert_eq!(keepalive, Keepalive::EMPTY);
    assert_eq!(peered.step("accepted"), 0);
}
