//! Nano's peer protocol over TCP, the full node's side.
//!
//! A connection is greeted (`handshake`), entered in the `table`, and then runs (`connection`):
//! questions are answered (`answer`), chains that differ are pulled (`catch_up`), blocks and votes
//! go to the engine and come from it to all peers. This node also connects: to the configured
//! peers, again and again, and to those that keepalives name, once per hearing.

mod answer;
mod catch_up;
mod connection;
mod framing;
mod handshake;
mod keepalive;
mod table;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::events::Outbound;
use crate::ledger::Ledger;
use crate::node::Shared;

pub(crate) use keepalive::telemetry;
pub(crate) use table::PeerTable;

/// Pause between attempts to connect; as in full nodes.
const ATTEMPT: Duration = Duration::from_millis(250);
/// How long an attempt may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Telemetry goes out so often on the dev network.
const TELEMETRY: Duration = Duration::from_millis(500);
/// How often peers are asked who votes there.
const CRAWL: Duration = Duration::from_secs(3);
/// Most connections being greeted at once; more wait in the system's queue.
const MAX_GREETINGS: usize = 60;

/// Takes connections until the node stops.
pub(crate) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let greetings = Arc::new(Semaphore::new(MAX_GREETINGS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = shared.stopped() => break,
        };
        let (mut stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(reason) => {
                // Out of file descriptors and the like: let others finish first.
                tracing::warn!(%reason, "cannot take connections");
                tokio::time::sleep(ATTEMPT).await;
                continue;
            }
        };
        let Ok(greeting) = Arc::clone(&greetings).acquire_owned().await else {
            break;
        };
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Small messages both ways: waiting to fill packets only delays.
            let _ = stream.set_nodelay(true);
            let greeted = handshake::accept(&mut stream, &shared).await;
            drop(greeting);
            match greeted {
                Ok(greeted) => connection::run(stream, remote, None, greeted, shared).await,
                Err(handshake::GreetingError::Bootstrap) => ignore(stream, &shared).await,
                Err(reason) => tracing::debug!(%remote, %reason, "handshake failed"),
            }
        });
    }
    while connections.join_next().await.is_some() {}
}

/// What becomes of a connection that began with bootstrap: nothing on it is ever answered.
async fn ignore(mut stream: TcpStream, shared: &Shared) {
    let mut scrap = [0; 512];
    loop {
        let read = tokio::select! {
            read = tokio::time::timeout(shared.dialect().idle(), stream.read(&mut scrap)) => read,
            () = shared.stopped() => return,
        };
        // The end of it, a fault, or silence.
        if !matches!(read, Ok(Ok(1..))) {
            return;
        }
    }
}

/// Connects to configured and discovered peers until the node stops.
pub(crate) async fn connect(configured: Vec<SocketAddr>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut pace = tokio::time::interval(ATTEMPT);
    let mut turn = 0_usize;
    loop {
        tokio::select! {
            _ = pace.tick() => {}
            () = shared.stopped() => break,
        }
        while connections.try_join_next().is_some() {}
        let own = shared.peering();
        let peers = shared.peers();
        let mut targets: Vec<SocketAddr> = configured
            .iter()
            .copied()
            .filter(|address| !peers.is_connected(address))
            .collect();
        targets.extend(peers.addresses_to_try());
        drop(peers);
        targets.retain(|address| *address != own);
        if targets.is_empty() {
            continue;
        }
        let address = targets[turn % targets.len()];
        turn = turn.wrapping_add(1);
        // A discovered address gets one attempt each time a keepalive names it.
        shared.peers().forget_address(&address);
        connections.spawn(dial(address, Arc::clone(&shared)));
    }
    while connections.join_next().await.is_some() {}
}

/// A connection that comes from the address at which we listen, so that the peer can tell where
/// that is: it takes the address from the connection and only the port from our keepalives.
async fn leave(own: SocketAddr, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if !own.ip().is_unspecified() && own.is_ipv4() == address.is_ipv4() {
        socket.bind(SocketAddr::new(own.ip(), 0))?;
    }
    socket.connect(address).await
}

async fn dial(address: SocketAddr, shared: Arc<Shared>) {
    let attempt = async {
        let mut stream = leave(shared.peering(), address).await?;
        let _ = stream.set_nodelay(true);
        let greeted = handshake::connect(&mut stream, &shared).await?;
        Ok::<_, handshake::GreetingError>((stream, greeted))
    };
    let result = tokio::select! {
        result = tokio::time::timeout(CONNECT, attempt) => result,
        () = shared.stopped() => return,
    };
    match result {
        Ok(Ok((stream, greeted))) => {
            connection::run(stream, address, Some(address), greeted, shared).await;
        }
        Ok(Err(reason)) => tracing::debug!(%address, %reason, "cannot connect"),
        Err(_) => tracing::debug!(%address, "no answer"),
    }
}

/// What goes to all peers by the clock: telemetry, and the question who votes.
pub(crate) async fn announce(shared: Arc<Shared>) {
    let mut telemetry_pace = tokio::time::interval(TELEMETRY);
    let mut crawl_pace = tokio::time::interval(CRAWL);
    let genesis = Ledger::NETWORK.genesis_hash();
    let question = Arc::new(vec![(genesis, Ledger::NETWORK.genesis_account().into())]);
    loop {
        let message = tokio::select! {
            _ = telemetry_pace.tick() => Outbound::Telemetry(Arc::new(telemetry(&shared))),
            _ = crawl_pace.tick() => Outbound::Request(Arc::clone(&question)),
            () = shared.stopped() => return,
        };
        // No receiver is no fault: there may be no peers.
        let _ = shared.outbound.send(message);
    }
}
