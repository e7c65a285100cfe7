//! The handshake of the side that dials: query, response with query, response.
//!
//! Steps: our query with a fresh cookie; the answer must be a response to it (version 2, this
//! network's genesis, a valid signature) together with the node's own query; our response to that
//! makes the channel live, there is no acknowledgement. A full node forgets its cookie after 5 s.

use std::time::Duration;

use nano_core::message::{Cookie, HandshakeResponse, Message, NodeIdHandshake};
use nano_core::{PrivateKey, PublicKey};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::ChannelError;
use super::channel::Setting;
use super::wire::read_message;
use crate::{clock, metrics};

/// Longest time for all of it.
const LIMIT: Duration = Duration::from_secs(5);

/// Greets the node at the other end as `key`; gives back the node's id.
pub(super) async fn greet<S>(
    stream: &mut S,
    key: &PrivateKey,
    setting: &Setting,
) -> Result<PublicKey, ChannelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(LIMIT, steps(stream, key, setting))
        .await
        .unwrap_or(Err(ChannelError::TimedOut("the handshake")))
}

async fn steps<S>(
    stream: &mut S,
    key: &PrivateKey,
    setting: &Setting,
) -> Result<PublicKey, ChannelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let network = setting.network;
    let cookie = Cookie::from_bytes(clock::random()?);
    send(stream, NodeIdHandshake::query(cookie), setting).await?;
    let answer = match read_message(stream, network, "the handshake").await? {
        Message::NodeIdHandshake(answer) => answer,
        other => return Err(ChannelError::NotAHandshake(other.message_type())),
    };
    let node = answer.verify_response(network, &key.public_key(), &cookie)?;
    let query = answer.query.ok_or(ChannelError::NoQuery)?;
    let response = HandshakeResponse::sign(network, key, &query, clock::random()?);
    send(stream, NodeIdHandshake::response(response), setting).await?;
    Ok(node)
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
