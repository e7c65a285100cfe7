//! Greeting: who connects sends a query (a cookie), is answered with a response and a query, and
//! completes with a response. Every other order, a wrong network or genesis, an own id, a bad
//! signature or a late answer ends the connection.

use std::time::Duration;

use nano_core::PublicKey;
use nano_core::message::{Cookie, HandshakeError, HandshakeResponse, Message, NodeIdHandshake};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::framing::{self, ReadError};
use crate::ledger::Ledger;
use crate::node::Shared;

/// How long a full node waits for the first word; 5 s on the dev network.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a cookie is good.
const COOKIE_LIFETIME: Duration = Duration::from_secs(5);

/// Why a greeting failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum GreetingError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Response(#[from] HandshakeError),
    #[error("something else came where the handshake was expected")]
    Unexpected,
    #[error("the peer speaks only version 1 of the handshake")]
    OldVersion,
    #[error("the system gave no random bytes: {0}")]
    Entropy(#[from] getrandom::Error),
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
}

/// Who the peer is, as far as the handshake shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeted {
    pub(super) node_id: PublicKey,
    pub(super) protocol_version: u8,
}

/// Greets a peer that connected to us.
pub(super) async fn accept(
    stream: &mut TcpStream,
    shared: &Shared,
) -> Result<Greeted, GreetingError> {
    let (_, first) = next(stream, PATIENCE).await?;
    let (Some(query), None) = (first.query, &first.response) else {
        return Err(GreetingError::Unexpected);
    };
    if !first.v2 {
        return Err(GreetingError::OldVersion);
    }
    let cookie = Cookie::from_bytes(random()?);
    let answer = respond(shared, &query)?;
    send(stream, NodeIdHandshake::response_and_query(answer, cookie)).await?;
    let (protocol_version, last) = next(stream, COOKIE_LIFETIME).await?;
    if last.query.is_some() {
        return Err(GreetingError::Unexpected);
    }
    finish(shared, &last, &cookie, protocol_version)
}

/// Greets a peer that we connected to.
pub(super) async fn connect(
    stream: &mut TcpStream,
    shared: &Shared,
) -> Result<Greeted, GreetingError> {
    let cookie = Cookie::from_bytes(random()?);
    send(stream, NodeIdHandshake::query(cookie)).await?;
    let (protocol_version, answer) = next(stream, PATIENCE).await?;
    let greeted = finish(shared, &answer, &cookie, protocol_version)?;
    // Without a query the peer had no cookie left for us, and the handshake cannot end.
    let query = answer.query.ok_or(GreetingError::Unexpected)?;
    let response = respond(shared, &query)?;
    send(stream, NodeIdHandshake::response(response)).await?;
    Ok(greeted)
}

fn finish(
    shared: &Shared,
    message: &NodeIdHandshake,
    cookie: &Cookie,
    protocol_version: u8,
) -> Result<Greeted, GreetingError> {
    let own_id = shared.node_key().public_key();
    let node_id = message.verify_response(Ledger::NETWORK, &own_id, cookie)?;
    Ok(Greeted {
        node_id,
        protocol_version,
    })
}

fn respond(shared: &Shared, query: &Cookie) -> Result<HandshakeResponse, GreetingError> {
    let salt = random()?;
    Ok(HandshakeResponse::sign(
        Ledger::NETWORK,
        shared.node_key(),
        query,
        salt,
    ))
}

async fn next(
    stream: &mut TcpStream,
    patience: Duration,
) -> Result<(u8, NodeIdHandshake), GreetingError> {
    match framing::read(stream, patience).await? {
        Some((header, Message::NodeIdHandshake(message))) => Ok((header.version_using, message)),
        _ => Err(GreetingError::Unexpected),
    }
}

async fn send(stream: &mut TcpStream, message: NodeIdHandshake) -> Result<(), GreetingError> {
    if let Some(bytes) = framing::encode(&message.into()) {
        stream.write_all(&bytes).await?;
    }
    Ok(())
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
