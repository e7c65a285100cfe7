//! How sockets of links are set: nothing waits in front of what is urgent.
//!
//! The overlay orders what goes out by urgency, but what the kernel has taken nothing overtakes,
//! and left alone it takes megabytes. So it is given [`WAITING`] bytes to send next and no more;
//! what is on its way and not acknowledged yet does not count, so throughput stays.

use socket2::SockRef;
use tokio::net::TcpStream;

/// Bytes that may wait in the kernel unsent: two frames of the overlay.
const WAITING: u32 = 32 * 1024;

/// Sets a socket up for a link. What the system refuses costs latency only.
pub fn prepare(stream: &TcpStream) {
    // Frames are written whole; waiting for more would only delay answers.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY refused");
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(WAITING) {
        tracing::debug!(%error, "TCP_NOTSENT_LOWAT refused");
    }
    // Elsewhere the whole send buffer is what can be bounded, at some cost in throughput.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    if let Err(error) = SockRef::from(stream).set_send_buffer_size(2 * WAITING as usize) {
        tracing::debug!(%error, "SO_SNDBUF refused");
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    /// Bytes the reader's side of the connection takes.
    const READER: u32 = 16 * 1024;

    /// How much a socket takes while its reader reads nothing.
    async fn taken(prepared: bool) -> usize {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(READER).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let (writer, reader) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (writer, _reader) = (writer.unwrap(), reader.unwrap());
        if prepared {
            prepare(&writer);
        }
        let mut taken = 0;
        // The reader's side may still make room after the first refusal.
        for _ in 0..100 {
            match writer.try_write(&[0; 4 * 1024]) {
                Ok(bytes) => taken += bytes,
                Err(_) => tokio::task::yield_now().await,
            }
        }
        loop {
            match writer.try_write(&[0; 4 * 1024]) {
                Ok(bytes) => taken += bytes,
                Err(_) => return taken,
            }
        }
    }

    #[tokio::test]
    async fn the_kernel_takes_little_in_front_of_what_is_urgent() {
        let (bounded, unbounded) = (taken(true).await, taken(false).await);
        let most = 2 * (WAITING + READER) as usize;
        assert!(bounded <= most, "{bounded} bytes lie in front");
        assert!(
            unbounded > 4 * most,
            "{unbounded}: the measurement sees nothing"
        );
    }
}
