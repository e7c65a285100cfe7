//! The node id handshake, version 2, of both sides.
//!
//! The side that dials ([`greet`]): our query with a fresh cookie; the answer must be a response to
//! it (version 2, this network's genesis, a valid signature) together with the node's own query;
//! our response to that makes the channel live, there is no acknowledgement.
//!
//! The side that is dialled ([`welcome`]): a query of version 2; our response with a query of our
//! own; a response to that. Anything else, and a second query too, ends the connection.
//!
//! Rules: each connection has a cookie of its own, which lives as long as the handshake may take
//! (5 s, as in full nodes) and is good once, so a recorded response fits no other connection. One
//! answer without a query means that the full node had no cookie to give. Every step is counted in
//! `full_node_handshake`, so that its metrics show where handshakes stop.

use nano_core::PublicKey;
use nano_core::message::{Cookie, HandshakeError, HandshakeResponse, Message, NodeIdHandshake};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::ChannelError;
use super::settings::Setting;
use super::shared::OwnId;
use super::wire::{Patience, read_message};
use crate::{clock, metrics};

/// Greets the node that we dialled as `own`; gives back its id.
pub(super) async fn greet<S>(
    stream: &mut S,
    own: &OwnId<'_>,
    setting: &Setting,
) -> Result<PublicKey, ChannelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = own.key();
    let steps = async {
        let cookie = Cookie::from_bytes(clock::random()?);
        send(stream, NodeIdHandshake::query(cookie), setting).await?;
        setting.step("query-sent");
        let answer = receive(stream, setting).await?;
        setting.step("answer-received");
        let node = answer.verify_response(setting.network, &key.public_key(), &cookie)?;
        own.check(node)?;
        setting.step("answer-verified");
        let query = answer.query.ok_or(ChannelError::NoQuery)?;
        let response = HandshakeResponse::sign(setting.network, key, &query, clock::random()?);
        send(stream, NodeIdHandshake::response(response), setting).await?;
        setting.step("response-sent");
        Ok(node)
    };
    timeout(setting.timing.handshake, steps)
        .await
        .unwrap_or(Err(ChannelError::TimedOut("the handshake")))
}

/// Greets a node that has dialled us, as `own`; gives back its id.
pub(super) async fn welcome<S>(
    stream: &mut S,
    own: &OwnId<'_>,
    setting: &Setting,
) -> Result<PublicKey, ChannelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let key = own.key();
    let steps = async {
        let first = receive(stream, setting).await?;
        let (Some(query), None) = (first.query, &first.response) else {
            return Err(ChannelError::OutOfTurn);
        };
        if !first.v2 {
            return Err(HandshakeError::OldVersion.into());
        }
        setting.step("query-received");
        let cookie = Cookie::from_bytes(clock::random()?);
        let response = HandshakeResponse::sign(setting.network, key, &query, clock::random()?);
        let answer = NodeIdHandshake::response_and_query(response, cookie);
        send(stream, answer, setting).await?;
        setting.step("answer-sent");
        let last = receive(stream, setting).await?;
        if last.query.is_some() {
            return Err(ChannelError::OutOfTurn);
        }
        setting.step("response-received");
        let node = last.verify_response(setting.network, &key.public_key(), &cookie)?;
        own.check(node)?;
        setting.step("response-verified");
        Ok(node)
    };
    timeout(setting.timing.handshake, steps)
        .await
        .unwrap_or(Err(ChannelError::TimedOut("the handshake")))
}

async fn receive<S>(stream: &mut S, setting: &Setting) -> Result<NodeIdHandshake, ChannelError>
where
    S: AsyncRead + Unpin,
{
    // The whole handshake has a deadline around it.
    let patience = Patience {
        first: setting.timing.handshake,
        rest: setting.timing.handshake,
    };
    match read_message(stream, setting.network, patience, "the handshake").await? {
        (Message::NodeIdHandshake(message), _) => Ok(message),
        (other, _) => Err(ChannelError::NotAHandshake(other.message_type())),
    }
}

async fn send<S>(
    stream: &mut S,
    message: NodeIdHandshake,
    setting: &Setting,
) -> Result<(), ChannelError>
where
    S: AsyncWrite + Unpin,
{
    let bytes = Message::from(message).encode(setting.network)?;
    stream
        .write_all(&bytes)
        .await
        .map_err(ChannelError::Broken)?;
    metrics::count(&setting.metrics.full_node_upkeep, "node_id_handshake");
    Ok(())
}
