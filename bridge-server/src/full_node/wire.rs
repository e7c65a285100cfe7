//! Messages from a byte stream: header, length check, payload, parse. Whatever is wrong ends the
//! channel; the length is known and bounded before anything is allocated.
//!
//! Two deadlines: one for the first byte, which may take long on a quiet channel, and one for the
//! rest of the message, which a full node sends in one piece. A peer that trickles bytes holds a
//! place no longer than that.

use std::time::Duration;

use nano_core::Network;
use nano_core::message::{Header, Message};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::ChannelError;

/// How long a message may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until its first byte.
    pub(super) first: Duration,
    /// From there to its end.
    pub(super) rest: Duration,
}

/// Reads one message and says how many bytes it had. `step` names what is waited for in errors.
pub(super) async fn read_message<R>(
    reader: &mut R,
    network: Network,
    patience: Patience,
    step: &'static str,
) -> Result<(Message, usize), ChannelError>
where
    R: AsyncRead + Unpin,
{
    let mut head = [0; Header::SIZE];
    let first = timeout(patience.first, reader.read(&mut head[..1])).await;
    match first {
        Ok(Ok(0)) => return Err(ChannelError::Closed(step)),
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(ChannelError::Broken(error)),
        Err(_) => return Err(ChannelError::Silent(patience.first.as_secs())),
    }
    timeout(patience.rest, rest(reader, network, head))
        .await
        .unwrap_or(Err(ChannelError::TimedOut("the rest of a message")))
}

async fn rest<R>(
    reader: &mut R,
    network: Network,
    mut head: [u8; Header::SIZE],
) -> Result<(Message, usize), ChannelError>
where
    R: AsyncRead + Unpin,
{
    read(reader, &mut head[1..]).await?;
    let header = Header::parse(&head)?;
    if header.network != network {
        return Err(ChannelError::WrongNetwork(header.network));
    }
    let mut payload = vec![0; header.payload_length()?];
    read(reader, &mut payload).await?;
    let message = Message::parse(&header, &payload)?;
    Ok((message, Header::SIZE + payload.len()))
}

async fn read<R>(reader: &mut R, to: &mut [u8]) -> Result<(), ChannelError>
where
    R: AsyncRead + Unpin,
{
    match reader.read_exact(to).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(ChannelError::Truncated)
        }
        Err(error) => Err(ChannelError::Broken(error)),
    }
}
