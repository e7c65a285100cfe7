//! Messages on a TCP stream.

use std::time::Duration;

use nano_core::message::{Header, Message, MessageError};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::Dialect;
use crate::ledger::Ledger;

/// Why nothing more is read from a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("the connection broke: {0}")]
    Io(#[from] std::io::Error),
    #[error("malformed message: {0}")]
    Malformed(#[from] MessageError),
    #[error("a message of the {0} network on the dev network")]
    WrongNetwork(nano_core::Network),
    #[error("a confirm_req without the block type that marks it")]
    UnmarkedRequest,
    #[error("nothing came for too long")]
    Silent,
}

/// One message; `None` for one that is wrong in a way that full nodes ignore: always an `asc_pull`
/// request with a zero target or a count out of range, or a vote of nobody; in one dialect every
/// payload that does not parse.
pub(super) type Received = Option<(Header, Message)>;

/// Reads one message; waits at most `patience` for all of it.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    patience: Duration,
    dialect: Dialect,
) -> Result<Received, ReadError> {
    tokio::time::timeout(patience, read_patiently(stream, dialect))
        .await
        .unwrap_or(Err(ReadError::Silent))
}

async fn read_patiently(
    stream: &mut (impl AsyncRead + Unpin),
    dialect: Dialect,
) -> Result<Received, ReadError> {
    let mut bytes = [0; Header::SIZE];
    stream.read_exact(&mut bytes).await?;
    let header = Header::parse(&bytes)?;
    if header.network != Ledger::NETWORK {
        return Err(ReadError::WrongNetwork(header.network));
    }
    if !dialect.takes(&header) {
        return Err(ReadError::UnmarkedRequest);
    }
    // The length is bounded by the header's own rules before anything is allocated.
    let mut payload = vec![0; header.payload_length()?];
    stream.read_exact(&mut payload).await?;
    match Message::parse(&header, &payload) {
        Ok(message) => Ok(Some((header, message))),
        Err(reason) if !dialect.closes_on_malformed() || is_ignored(&header, &reason) => {
            tracing::debug!(%reason, "a message was dropped");
            Ok(None)
        }
        Err(reason) => Err(reason.into()),
    }
}

/// All full nodes drop these and keep the connection.
fn is_ignored(header: &Header, reason: &MessageError) -> bool {
    use nano_core::message::MessageType;
    match reason {
        MessageError::ZeroTarget | MessageError::ZeroVoter => true,
        MessageError::Count { .. } => header.message_type == MessageType::AscPullReq,
        _ => false,
    }
}

/// The bytes of a message; `None` for one the format cannot say, which is never sent.
pub(super) fn encode(message: &Message, dialect: Dialect) -> Option<Vec<u8>> {
    let mut bytes = message
        .encode(Ledger::NETWORK)
        .inspect_err(|reason| tracing::debug!(%reason, "a message was not sent"))
        .ok()?;
    if matches!(message, Message::ConfirmAck(_)) {
        dialect.mark_vote(&mut bytes);
    }
    Some(bytes)
}
