//! Greeting: who connects sends a query (a cookie), is answered with a response and a query, and
//! completes with a response. Every other order, a wrong network or genesis, an own id, a bad
//! signature or a late answer ends the connection; a dead bootstrap message is the dialect's to
//! judge. Version 1 is spoken with who asks in it, as full nodes do; this node itself asks in 2.

use std::time::Duration;

use nano_core::PublicKey;
use nano_core::message::{
    Cookie, HandshakeError, HandshakeResponse, Header, Message, NodeIdHandshake,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::framing::{self, ReadError};
use crate::Dialect;
use crate::ledger::Ledger;
use crate::node::Shared;

/// How long a full node waits for the first word; 5 s on the dev network.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a cookie is good.
const COOKIE_LIFETIME: Duration = Duration::from_secs(5);

/// The flag of a handshake that means version 2, in the low byte of the extensions.
const V2_FLAG: u8 = 0x04;

/// Why a greeting failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum GreetingError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Response(#[from] HandshakeError),
    #[error("something else came where the handshake was expected")]
    Unexpected,
    #[error("the peer began with a dead bootstrap message")]
    Bootstrap,
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
    let dialect = shared.dialect();
    let (_, first) = next(stream, PATIENCE, dialect).await?;
    let (Some(query), None) = (first.query, &first.response) else {
        return Err(GreetingError::Unexpected);
    };
    let cookie = Cookie::from_bytes(random()?);
    if first.v2 {
        let answer = respond(shared, &query)?;
        let message = NodeIdHandshake::response_and_query(answer, cookie);
        send(stream, message, dialect).await?;
    } else {
        answer_old(stream, shared, &query, cookie).await?;
    }
    let (protocol_version, last) = next(stream, COOKIE_LIFETIME, dialect).await?;
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
    let dialect = shared.dialect();
    send(stream, NodeIdHandshake::query(cookie), dialect).await?;
    let (protocol_version, answer) = next(stream, PATIENCE, dialect).await?;
    let greeted = finish(shared, &answer, &cookie, protocol_version)?;
    // Without a query the peer had no cookie left for us, and the handshake cannot end.
    let query = answer.query.ok_or(GreetingError::Unexpected)?;
    let response = respond(shared, &query)?;
    send(stream, NodeIdHandshake::response(response), dialect).await?;
    Ok(greeted)
}

fn finish(
    shared: &Shared,
    message: &NodeIdHandshake,
    cookie: &Cookie,
    protocol_version: u8,
) -> Result<Greeted, GreetingError> {
    let own_id = shared.node_key().public_key();
    let node_id = match message.response {
        Some(HandshakeResponse::V1 { node_id, signature }) if node_id != own_id => node_id
            .verify(cookie.as_bytes(), &signature)
            .map(|()| node_id)
            .map_err(HandshakeError::BadSignature)?,
        _ => message.verify_response(Ledger::NETWORK, &own_id, cookie)?,
    };
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

/// Answers a query of version 1: our cookie, then node id and signature over the peer's cookie.
async fn answer_old(
    stream: &mut TcpStream,
    shared: &Shared,
    query: &Cookie,
    cookie: Cookie,
) -> Result<(), GreetingError> {
    let node_id = shared.node_key().public_key();
    let signature = shared.node_key().sign(query.as_bytes());
    let response = HandshakeResponse::V1 { node_id, signature };
    let message = NodeIdHandshake::response_and_query(response, cookie);
    let Some(mut bytes) = framing::encode(&message.into(), shared.dialect()) else {
        return Ok(());
    };
    if shared.dialect().flags_old_handshake()
        && let Some(flags) = bytes.get_mut(Header::SIZE - 2)
    {
        *flags |= V2_FLAG;
    }
    stream.write_all(&bytes).await?;
    Ok(())
}

async fn next(
    stream: &mut TcpStream,
    patience: Duration,
    dialect: Dialect,
) -> Result<(u8, NodeIdHandshake), GreetingError> {
    match framing::read(stream, patience, dialect).await? {
        Some((header, Message::NodeIdHandshake(message))) => Ok((header.version_using, message)),
        Some((_, Message::LegacyBootstrap(_))) if dialect.keeps_bootstrap() => {
            Err(GreetingError::Bootstrap)
        }
        _ => Err(GreetingError::Unexpected),
    }
}

async fn send(
    stream: &mut TcpStream,
    message: NodeIdHandshake,
    dialect: Dialect,
) -> Result<(), GreetingError> {
    if let Some(bytes) = framing::encode(&message.into(), dialect) {
        stream.write_all(&bytes).await?;
    }
    Ok(())
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
