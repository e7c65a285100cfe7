//! Overlay links between bridges over plain TCP.
//!
//! The dialling side sends [`PREFIX`] once; its first byte is 0, which no HTTP request begins
//! with, so both protocols share the port. Then both sides send frames: length as u32 big-endian
//! (1 to [`MAX_FRAME`]), then that many bytes, one frame of the overlay. Anything else closes the
//! connection. Secrecy and identity are the overlay handshake's concern.

use std::time::Duration;

use nanonet::{LinkOrigin, MAX_FRAME, Transport};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

use super::{Ends, Incoming, LinkDoor, Outgoing, socket};
use crate::backoff::Backoff;
use crate::metrics::{self, Metrics};

/// First bytes of a link, sent by the side that dials.
pub const PREFIX: &[u8; 9] = b"\0nanonet1";
/// Longest wait for the prefix and for a connection to another bridge.
const OPENING: Duration = Duration::from_secs(10);
/// A link that lasted this long was good: the next attempt waits the shortest time again.
const GOOD: Duration = Duration::from_secs(60);

/// Serves a connection whose first byte was 0.
pub async fn accept(mut stream: TcpStream, door: LinkDoor, metrics: Metrics) {
    let greeted = timeout(OPENING, read_prefix(&mut stream)).await;
    if !greeted.unwrap_or(false) {
        metrics::count(&metrics.links_closed, "bad-prefix");
        return;
    }
    let address = stream.peer_addr().ok().map(|peer| peer.ip());
    let opened = door.open(LinkOrigin::Accepted, Transport::Tcp, address);
    if let Some(ends) = opened.await {
        carry(stream, ends, &metrics).await;
    }
}

/// Keeps a link to the bridge at `address` (`host:port`): dials, serves, and dials again with
/// growing pauses. Ends only by being dropped.
pub async fn dial_forever(address: String, door: LinkDoor, metrics: Metrics) {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
    loop {
        match timeout(OPENING, TcpStream::connect(&address)).await {
            Ok(Ok(mut stream)) => {
                let since = tokio::time::Instant::now();
                let greeted = timeout(OPENING, stream.write_all(PREFIX)).await;
                if matches!(greeted, Ok(Ok(()))) {
                    match door.open(LinkOrigin::Dialled, Transport::Tcp, None).await {
                        Some(ends) => carry(stream, ends, &metrics).await,
                        None => tracing::warn!(%address, "no place for a link to this bridge"),
                    }
                }
                if since.elapsed() >= GOOD {
                    backoff.reset();
                }
            }
            Ok(Err(error)) => tracing::info!(%address, %error, "cannot reach this bridge"),
            Err(_) => tracing::info!(%address, "this bridge does not answer"),
        }
        sleep(backoff.pause()).await;
    }
}

/// Moves frames both ways until either side ends.
async fn carry(stream: TcpStream, ends: Ends, metrics: &Metrics) {
    socket::prepare(&stream);
    let (reader, writer) = stream.into_split();
    let (outgoing, incoming) = ends.split();
    let reason = tokio::select! {
        reason = write_frames(writer, outgoing) => reason,
        reason = read_frames(reader, incoming) => reason,
    };
    metrics::count(&metrics.links_closed, reason);
}

async fn write_frames(mut writer: OwnedWriteHalf, mut outgoing: Outgoing) -> &'static str {
    while let Some(bytes) = outgoing.next().await {
        let Ok(length) = u32::try_from(bytes.len()) else {
            return "frame-length";
        };
        let mut frame = Vec::with_capacity(bytes.len() + 4);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&bytes);
        if writer.write_all(&frame).await.is_err() {
            return "transport";
        }
        outgoing.written(bytes.len()).await;
    }
    // The peer sees the end of the stream in any case.
    let _ = writer.shutdown().await;
    "node"
}

async fn read_frames(reader: OwnedReadHalf, incoming: Incoming) -> &'static str {
    let mut reader = BufReader::with_capacity(4 * 1024, reader);
    loop {
        let bytes = match read_frame(&mut reader).await {
            Ok(bytes) => bytes,
            Err(reason) => return reason,
        };
        if !incoming.received(bytes).await {
            return "node";
        }
    }
}

/// Whether a stream begins as a link does.
pub(super) async fn read_prefix<R: AsyncRead + Unpin>(reader: &mut R) -> bool {
    let mut prefix = [0; PREFIX.len()];
    reader.read_exact(&mut prefix).await.is_ok() && &prefix == PREFIX
}

/// One frame, or why the link ends. The length is checked before anything is allocated.
pub(super) async fn read_frame<R: AsyncRead + Unpin>(
    reader: &mut R,
) -> Result<Vec<u8>, &'static str> {
    let length = reader.read_u32().await.map_err(|_| "transport")?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length == 0 || length > MAX_FRAME {
        return Err("frame-length");
    }
    let mut bytes = vec![0; length];
    reader
        .read_exact(&mut bytes)
        .await
        .map_err(|_| "transport")?;
    Ok(bytes)
}
