//! Full nodes that break the protocol, over real sockets: each ends its own channel with a typed
//! reason and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::until;
use crate::scripted::{answer, greet, query, send};
use bridge_server::full_node::{FullNodes, Peering, Settings, Timing};
use bridge_server::metrics::{Metrics, counted};
use bridge_server::weights::Weights;
use nano_core::message::{
    Cookie, HandshakeResponse, Header, Keepalive, Message, MessageType, NodeIdHandshake, Publish,
};
use nano_core::{Account, Network, PrivateKey, Raw, UnixMillis, WeightTable};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Peers with a full node that serves each connection by `behave`; waits until a channel has
/// ended for `reason`.
async fn ends_with<F>(reason: &'static str, behave: impl Fn(TcpStream) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (metrics, _tasks, _nodes) = peer_with(behave).await;
    until(reason, async || {
        (counted(&metrics.full_node_closed, reason) > 0).then_some(())
    })
    .await;
    assert_eq!(metrics.full_node_channels.get(), 0);
}

async fn peer_with<F>(
    behave: impl Fn(TcpStream) -> F + Send + 'static,
) -> (Metrics, JoinSet<()>, FullNodes)
where
    F: Future<Output = ()> + Send + 'static,
{
    peer_as(Peering::of(Network::Dev), behave).await
}

async fn peer_as<F>(
    peering: Peering,
    behave: impl Fn(TcpStream) -> F + Send + 'static,
) -> (Metrics, JoinSet<()>, FullNodes)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    let metrics = Metrics::default();
    let table = WeightTable {
        network: Network::Dev,
        as_of: UnixMillis(0),
        online_weight: Raw::ZERO,
        minimum: Raw::new(1),
        weights: BTreeMap::from([(Account::from_bytes([1; 32]), Raw::new(5))]),
    };
    // Nobody reads the stream: a full one loses entries, never a channel.
    let (live, _) = mpsc::channel(1);
    let settings = Settings {
        network: Network::Dev,
        peers: vec![address],
        weights: Weights::new(table, "file"),
        live,
        metrics: metrics.clone(),
    };
    let nodes = FullNodes::start_with(settings, peering, &mut tasks);
    (metrics, tasks, nodes)
}

/// Holds the connection open until the bridge closes it.
async fn hold(mut stream: TcpStream) {
    let mut sink = [0; 1024];
    while stream.read(&mut sink).await.is_ok_and(|read| read > 0) {}
}

#[tokio::test]
async fn garbage_instead_of_a_handshake_is_not_nano() {
    ends_with("not-nano", async |mut stream: TcpStream| {
        let _ = stream.write_all(&[0xff; 64]).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn a_handshake_cut_short_is_truncated() {
    ends_with("truncated", async |mut stream: TcpStream| {
        let cookie = query(&mut stream).await;
        let bytes = answer(&cookie, Network::Dev).encode(Network::Dev).unwrap();
        stream.write_all(&bytes[..bytes.len() - 7]).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn another_network_is_told_apart_by_its_header() {
    ends_with("wrong-network", async |mut stream: TcpStream| {
        let cookie = query(&mut stream).await;
        let bytes = answer(&cookie, Network::Dev).encode(Network::Beta).unwrap();
        stream.write_all(&bytes).await.unwrap();
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn another_genesis_in_the_handshake_is_refused() {
    ends_with("wrong-genesis", async |mut stream: TcpStream| {
        let cookie = query(&mut stream).await;
        send(&mut stream, answer(&cookie, Network::Beta)).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn a_replayed_handshake_is_refused() {
    // A response recorded from another connection signs another cookie.
    ends_with("bad-signature", async |mut stream: TcpStream| {
        query(&mut stream).await;
        send(
            &mut stream,
            answer(&Cookie::from_bytes([3; 32]), Network::Dev),
        )
        .await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn a_response_without_a_cookie_ends_the_attempt() {
    ends_with("no-query", async |mut stream: TcpStream| {
        let cookie = query(&mut stream).await;
        let key = PrivateKey::from_bytes([8; 32]);
        let response = HandshakeResponse::sign(Network::Dev, &key, &cookie, [1; 32]);
        send(&mut stream, NodeIdHandshake::response(response).into()).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn another_message_before_the_handshake_is_refused() {
    ends_with("not-a-handshake", async |mut stream: TcpStream| {
        send(&mut stream, Keepalive::EMPTY.into()).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn an_unknown_type_on_an_open_channel_ends_it_before_anything_else_is_read() {
    ends_with("unknown-type", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        let mut header = Header::new(Network::Dev, MessageType::Keepalive, 0).to_bytes();
        header[5] = 0x42;
        // Nothing follows: the header alone is enough.
        let _ = stream.write_all(&header).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn a_payload_that_does_not_parse_ends_the_channel() {
    ends_with("malformed", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        let header = Header::new(Network::Dev, MessageType::AscPullAck, 16);
        let _ = stream.write_all(&header.to_bytes()).await;
        let _ = stream.write_all(&[0xff; 25]).await;
        hold(stream).await;
    })
    .await;
}

/// The same, with a deadline for each message and a longest silence of 300 ms.
async fn ends_soon_with<F>(reason: &'static str, behave: impl Fn(TcpStream) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let short = Duration::from_millis(300);
    let timing = Timing {
        message: short,
        silence: short,
        ..Timing::of(Network::Dev)
    };
    let peering = Peering {
        timing,
        ..Peering::of(Network::Dev)
    };
    let (metrics, _tasks, _nodes) = peer_as(peering, behave).await;
    until(reason, async || {
        (counted(&metrics.full_node_closed, reason) > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_that_trickles_ends_the_channel() {
    ends_soon_with("timed-out", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        let bytes = Message::from(Keepalive::EMPTY)
            .encode(Network::Dev)
            .unwrap();
        for byte in bytes {
            // Never silent for as long as is allowed.
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the whole message was taken in drops");
    })
    .await;
}

#[tokio::test]
async fn a_full_node_that_says_nothing_ends_its_channel() {
    ends_soon_with("silent", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn the_longest_message_announced_and_not_sent_ends_the_channel() {
    ends_soon_with("timed-out", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        let header = Header::new(Network::Dev, MessageType::AscPullAck, u16::MAX);
        let _ = stream.write_all(&header.to_bytes()).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn the_longest_message_of_nonsense_is_malformed() {
    ends_with("malformed", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        let header = Header::new(Network::Dev, MessageType::AscPullAck, u16::MAX);
        let _ = stream.write_all(&header.to_bytes()).await;
        let _ = stream.write_all(&[0xff; 9 + 65_535]).await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn a_message_cut_short_on_an_open_channel_is_truncated() {
    ends_with("truncated", async |mut stream: TcpStream| {
        greet(&mut stream).await;
        let bytes = Message::from(Keepalive::EMPTY)
            .encode(Network::Dev)
            .unwrap();
        let _ = stream.write_all(&bytes[..100]).await;
        // Closed cleanly once the bridge's own bytes are read, so that nothing of this is lost.
        let _ = stream.shutdown().await;
        hold(stream).await;
    })
    .await;
}

#[tokio::test]
async fn an_old_protocol_version_is_told_apart() {
    ends_with("old-version", async |mut stream: TcpStream| {
        let cookie = query(&mut stream).await;
        let mut bytes = answer(&cookie, Network::Dev).encode(Network::Dev).unwrap();
        bytes[3] = 0x13;
        let _ = stream.write_all(&bytes).await;
        hold(stream).await;
    })
    .await;
}

/// Sends the same message again and again, reading what the bridge says meanwhile, so that only
/// the flood can be why the channel ends.
async fn flood(mut stream: TcpStream, message: Message) {
    greet(&mut stream).await;
    let bytes = message.encode(Network::Dev).unwrap();
    let (mut reader, mut writer) = stream.split();
    let flood = async { while writer.write_all(&bytes).await.is_ok() {} };
    let read = async {
        let mut sink = [0; 1024];
        while reader.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    };
    tokio::join!(flood, read);
}

#[tokio::test]
async fn a_flood_of_what_nobody_asked_for_ends_the_channel_long_before_its_bytes_would() {
    ends_with("unasked", |stream| flood(stream, Keepalive::EMPTY.into())).await;
}

#[tokio::test]
async fn a_flood_of_what_is_welcome_ends_the_channel_by_its_bytes() {
    ends_with("flood", |stream| {
        let block = Network::Dev.genesis_block();
        let originator = false;
        flood(stream, Publish { block, originator }.into())
    })
    .await;
}

#[tokio::test]
async fn a_burst_that_nobody_asked_for_is_forgiven() {
    const BURST: u64 = 1_000;
    let (metrics, _tasks, _nodes) = peer_with(async |mut stream: TcpStream| {
        greet(&mut stream).await;
        for _ in 0..BURST {
            send(&mut stream, Keepalive::EMPTY.into()).await;
        }
        hold(stream).await;
    })
    .await;
    until("the burst to be read", async || {
        let read = counted(&metrics.full_node_messages, "keepalive");
        (read >= BURST).then_some(())
    })
    .await;
    assert_eq!(metrics.full_node_channels.get(), 1);
    assert_eq!(counted(&metrics.full_node_closed, "unasked"), 0);
}
