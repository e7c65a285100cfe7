//! A full node's WebSocket (`--ws`): what it confirms and the votes it sees, as one more source of
//! the live stream.
//!
//! States: *connecting* (with growing pauses after failures), *subscribing*, *open*. Rules:
//! - a confirmation is a hint like any other block of the stream: the block is proven by votes, and
//!   votes are checked, before anything is made of them;
//! - the node gives no guarantee of delivery: repeated frames are filtered by `live`, and each time
//!   the subscription stands again, what was missed is looked up by RPC, where there is one, for the
//!   accounts that matter to somebody ([`Followed`]): newest blocks and receivables;
//! - a connection without a frame for [`SILENCE`] although it was pinged is given up.
//!
//! Limits: frames of [`MAX_FRAME`] bytes, [`FOLLOWED`] accounts; what the stream has no room for is
//! dropped and counted, as from any channel.

pub mod frame;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use nano_core::{Account, Block, BlockHash};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::backoff::Backoff;
use crate::clock;
use crate::config::WsUrl;
use crate::full_node::{ChannelId, Live, LiveSender};
use crate::metrics::{self, Metrics};
use crate::prove::Roots;
use crate::recent::Recent;
use crate::rpc::{MAX_ACCOUNTS, Rpc, RpcError};
use frame::Frame;

/// Longest frame in bytes.
pub const MAX_FRAME: usize = 256 * 1024;
/// Longest time without a frame.
pub const SILENCE: Duration = Duration::from_secs(45);
/// Pause between two pings.
const PING: Duration = Duration::from_secs(15);
/// Longest time to connect and subscribe.
const CONNECT: Duration = Duration::from_secs(5);
/// Accounts that are looked up after a gap.
pub const FOLLOWED: usize = 4_096;
/// How long an account matters after somebody asked for it, milliseconds.
const FOLLOWED_MS: u64 = 60 * 60 * 1000;
/// Receivables looked up per account after a gap.
const RECEIVABLES: usize = 16;

/// Accounts that somebody asked for lately; cloning shares them. The oldest goes when it is full.
#[derive(Clone, Debug)]
pub struct Followed(Arc<Mutex<Recent<Account, ()>>>);

impl Default for Followed {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Recent::new(FOLLOWED, FOLLOWED_MS))))
    }
}

impl Followed {
    /// Notes an account.
    pub fn note(&self, account: Account) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.put(account, (), clock::now());
    }

    fn all(&self) -> Vec<Account> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().map(|(account, ())| *account).collect()
    }
}

/// What the client needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Where the WebSocket is.
    pub url: WsUrl,
    /// For what was missed.
    pub rpc: Option<Rpc>,
    /// Whose blocks are looked up then.
    pub followed: Followed,
    /// Blocks met lately are not looked up.
    pub roots: Roots,
    /// Where blocks and votes go.
    pub live: LiveSender,
    /// The metrics.
    pub metrics: Metrics,
}

/// Stays connected. Ends only by being dropped.
pub async fn run(parts: Parts) {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
    let mut looks = JoinSet::new();
    loop {
        match timeout(CONNECT, open(&parts.url)).await {
            Ok(Ok(socket)) => {
                backoff.reset();
                let reason = serve(socket, &parts, &mut looks).await;
                metrics::count(&parts.metrics.events, "lost");
                tracing::info!(url = parts.url.0, reason, "the WebSocket ended");
            }
            Ok(Err(error)) => {
                metrics::count(&parts.metrics.events, "unreachable");
                tracing::debug!(url = parts.url.0, %error, "no WebSocket");
            }
            Err(_) => metrics::count(&parts.metrics.events, "unreachable"),
        }
        sleep(backoff.pause()).await;
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connects and asks for what is wanted. Real booleans: RsNano closes on texts.
async fn open(url: &WsUrl) -> Result<Socket, Error> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME));
    let (mut socket, _) = connect_async_with_config(&url.0, Some(config), true).await?;
    let votes = json!({ "action": "subscribe", "topic": "vote" });
    let confirmations = json!({
        "action": "subscribe", "topic": "confirmation", "ack": true,
        "options": { "confirmation_type": "all", "include_block": true },
    });
    for wish in [votes, confirmations] {
        socket.send(Message::text(wish.to_string())).await?;
    }
    Ok(socket)
}

/// Reads frames until the connection ends; gives back why.
async fn serve(mut socket: Socket, parts: &Parts, looks: &mut JoinSet<()>) -> &'static str {
    let mut heard = Instant::now();
    loop {
        let received = match timeout_at(heard + PING, socket.next()).await {
            Ok(Some(Ok(received))) => received,
            Ok(Some(Err(Error::Capacity(_)))) => return "a frame is too long",
            Ok(Some(Err(_)) | None) => return "closed",
            Err(_) if heard.elapsed() >= SILENCE => return "silent",
            Err(_) => {
                let ping = json!({ "action": "ping" }).to_string();
                let sent = timeout(PING, socket.send(Message::text(ping))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return "closed";
                }
                // Wait for the pong as long as for anything else.
                match timeout_at(heard + SILENCE, socket.next()).await {
                    Ok(Some(Ok(received))) => received,
                    Ok(_) => return "closed",
                    Err(_) => return "silent",
                }
            }
        };
        heard = Instant::now();
        if let Message::Text(text) = received {
            take(&text, parts, looks);
        }
    }
}

fn take(text: &str, parts: &Parts, looks: &mut JoinSet<()>) {
    while looks.try_join_next().is_some() {}
    let kind = match frame::read(text) {
        Ok(Frame::Other) => return,
        Ok(Frame::Subscribed) => {
            // One at a time: a flapping connection must not multiply them.
            if let (Some(rpc), true) = (parts.rpc.clone(), looks.is_empty()) {
                looks.spawn(catch_up(rpc, parts.clone()));
            }
            "subscribed"
        }
        Ok(Frame::Confirmed(block)) => {
            say(parts, Live::Block { block });
            "confirmation"
        }
        Ok(Frame::Vote(vote)) => {
            let vote = Live::Vote {
                // Channels of the peer protocol are numbered from one.
                channel: ChannelId(0),
                vote: Arc::from(vote),
                own: false,
            };
            say(parts, vote);
            "vote"
        }
        Err(error) => {
            tracing::debug!(%error, "a frame of the WebSocket was not understood");
            "malformed"
        }
    };
    metrics::count(&parts.metrics.events, kind);
}

fn say(parts: &Parts, live: Live) {
    if parts.live.try_send(live).is_err() {
        metrics::count(&parts.metrics.live_dropped, "stream-behind");
    }
}

/// Looks up what the followed accounts did meanwhile.
async fn catch_up(rpc: Rpc, parts: Parts) {
    match missed(&rpc, &parts).await {
        Ok(found) => {
            for block in found {
                metrics::count(&parts.metrics.events, "caught-up");
                let block = Box::new(block);
                say(&parts, Live::Block { block });
            }
        }
        Err(error) => tracing::warn!(%error, "what the WebSocket missed was not looked up"),
    }
}

async fn missed(rpc: &Rpc, parts: &Parts) -> Result<Vec<Block>, RpcError> {
    let mut blocks = Vec::new();
    for accounts in parts.followed.all().chunks(MAX_ACCOUNTS) {
        let mut hashes: Vec<BlockHash> = rpc.frontiers(accounts).await?.into_values().collect();
        let sends = rpc.accounts_receivable(accounts, RECEIVABLES).await?;
        hashes.extend(
            sends
                .into_values()
                .flatten()
                .take(accounts.len() * RECEIVABLES),
        );
        hashes.retain(|hash| parts.roots.get(hash).is_none());
        for hash in hashes {
            blocks.extend(rpc.block(hash).await?);
        }
    }
    Ok(blocks)
}
