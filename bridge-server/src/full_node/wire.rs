//! Messages from a byte stream: header, length check, payload, parse. Whatever is wrong ends the
//! channel; the length is known and bounded before anything is allocated.

use nano_core::Network;
use nano_core::message::{Header, Message};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::ChannelError;

/// Reads one message. `step` names what is waited for in errors.
pub(super) async fn read_message<R>(
    reader: &mut R,
    network: Network,
    step: &'static str,
) -> Result<Message, ChannelError>
where
    R: AsyncRead + Unpin,
{
    let mut head = [0; Header::SIZE];
    read(reader, &mut head, step).await?;
    let header = Header::parse(&head)?;
    if header.network != network {
        return Err(ChannelError::WrongNetwork(header.network));
    }
    let mut payload = vec![0; header.payload_length()?];
    read(reader, &mut payload, step).await?;
    Ok(Message::parse(&header, &payload)?)
}

async fn read<R>(reader: &mut R, to: &mut [u8], step: &'static str) -> Result<(), ChannelError>
where
    R: AsyncRead + Unpin,
{
    match reader.read_exact(to).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(ChannelError::Closed(step))
        }
        Err(error) => Err(ChannelError::Broken(error)),
    }
}
