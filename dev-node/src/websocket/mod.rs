//! The full node's WebSocket: JSON text frames, subscriptions by topic.
//!
//! No delivery guarantee: a client that reads too slowly loses events. A frame that is no JSON
//! object, or longer than [`MAX_FRAME`], ends the connection; unknown actions and topics are
//! ignored without an answer, as full nodes do.

mod client;
mod message;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use crate::node::Shared;
use client::Client;

/// Longest frame taken from a client, in bytes.
const MAX_FRAME: usize = 256 * 1024;
/// A write that takes so long ends the connection.
const WRITE: Duration = Duration::from_secs(15);

/// Serves until the node stops.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let stopped = shared.stopped();
    let service = Router::new().fallback(upgrade).with_state(shared);
    let result = axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await;
    if let Err(reason) = result {
        tracing::warn!(%reason, "the WebSocket ended");
    }
}

async fn upgrade(
    State(shared): State<Arc<Shared>>,
    upgrade: WebSocketUpgrade,
) -> impl IntoResponse {
    upgrade
        .max_message_size(MAX_FRAME)
        .on_upgrade(move |socket| run(socket, shared))
}

async fn run(mut socket: WebSocket, shared: Arc<Shared>) {
    let mut events = shared.events.subscribe();
    let mut client = Client::new(shared.dialect());
    loop {
        let text = tokio::select! {
            frame = socket.recv() => match frame {
                Some(Ok(Message::Text(text))) => match client.handle(text.as_str()) {
                    Ok(answer) => answer,
                    Err(reason) => {
                        tracing::debug!(%reason, "WebSocket client dropped");
                        return;
                    }
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                // Pings are answered by the library; binary frames mean nothing here.
                Some(Ok(_)) => None,
            },
            event = events.recv() => match event {
                Ok(event) => client.tell(&event, &shared),
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::debug!(lost, "a slow WebSocket client missed events");
                    None
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
            () = shared.stopped() => return,
        };
        if let Some(text) = text {
            let write = socket.send(Message::text(text));
            if !matches!(tokio::time::timeout(WRITE, write).await, Ok(Ok(()))) {
                return;
            }
        }
    }
}
