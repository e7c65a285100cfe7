//! `/v1/link`: the WebSocket of an overlay link. One binary message = one frame of the overlay.

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use nanonet::{LinkOrigin, MAX_FRAME, Transport};

use super::{CameFrom, Site};
use crate::shell::Ends;

/// Read buffer of one WebSocket in bytes: a browser's frames are small most of the time, and
/// thousands of them sit idle.
const READ_BUFFER: usize = 4 * 1024;
/// Write buffer of one WebSocket in bytes before it must flush.
const WRITE_BUFFER: usize = 4 * 1024;

pub(super) async fn upgrade(
    State(site): State<Site>,
    Extension(CameFrom(address)): Extension<CameFrom>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let text = "this is the WebSocket of nanonet nodes; open it with ws:// or wss://\n";
        return (StatusCode::UPGRADE_REQUIRED, text).into_response();
    };
    upgrade
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * MAX_FRAME)
        .on_upgrade(async move |socket| {
            // Without a place the socket is dropped: the door has counted why.
            if let Some(ends) = site
                .door
                .open(LinkOrigin::Accepted, Transport::WebSocket, address)
                .await
            {
                carry(socket, ends).await;
            }
        })
}

/// Moves frames both ways until either side ends.
async fn carry(socket: WebSocket, ends: Ends) {
    let (mut sink, mut stream) = socket.split();
    let (mut outgoing, incoming) = ends.split();
    let write = async {
        while let Some(bytes) = outgoing.next().await {
            let size = bytes.len();
            // `send` returns when the socket has taken the bytes.
            if sink.send(Message::Binary(bytes.into())).await.is_err() {
                return;
            }
            outgoing.written(size).await;
        }
        // The node closed the link and everything it had sent is out; the peer may be gone already.
        let _ = sink.close().await;
    };
    let read = async {
        while let Some(Ok(message)) = stream.next().await {
            match message {
                Message::Binary(bytes) => {
                    if !incoming.received(bytes.into()).await {
                        return;
                    }
                }
                Message::Ping(_) | Message::Pong(_) => {}
                // Nodes speak binary only.
                Message::Text(_) | Message::Close(_) => return,
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
}
