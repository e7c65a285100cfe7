//! A full node's WebSocket (`--ws`): what it confirms and the votes it sees, as one more source of
//! the live stream.
//!
//! States: *connecting* (with pauses that grow until a subscription stands), *subscribing*, *open*.
//! Rules:
//! - a confirmation is a hint like any other block of the stream: the block is proven by votes, and
//!   votes are checked, before anything is made of them;
//! - the node gives no guarantee of delivery: repeated frames are filtered by `live`, and each time
//!   the subscription stands again, what was missed is looked up by RPC, where there is one, for the
//!   accounts that matter to somebody ([`Followed`]): newest blocks that this bridge does not hold,
//!   and receivables. What cannot be looked up is left out;
//! - a connection without a frame for [`SILENCE`] although it was pinged is given up.
//!
//! Limits: frames of [`MAX_FRAME`] bytes, [`FOLLOWED`] accounts, [`CAUGHT_UP`] blocks after one gap,
//! the rest of which is found when somebody asks. Frames that the stream has no room for are dropped
//! and counted, as from any channel; what was missed waits for room, one block per [`PACE`].

pub mod frame;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use nano_core::{Account, Block, BlockHash};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, timeout, timeout_at};
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
use crate::shell::NodeHandle;
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
/// Blocks passed on after one gap.
pub const CAUGHT_UP: usize = 1_024;
/// Least time between two of them: each costs a proof.
pub const PACE: Duration = Duration::from_millis(20);

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
    /// Nor are frontiers that it holds.
    pub node: NodeHandle,
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
                let reason = serve(socket, &parts, &mut looks, &mut backoff).await;
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

/// Reads frames until the connection ends; gives back why. A subscription that stands is the
/// success that makes the pauses short again.
async fn serve(
    mut socket: Socket,
    parts: &Parts,
    looks: &mut JoinSet<()>,
    backoff: &mut Backoff,
) -> &'static str {
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
        if let Message::Text(text) = received
            && take(&text, parts, looks)
        {
            backoff.reset();
        }
    }
}

/// Takes a frame; true if it says that a subscription stands.
fn take(text: &str, parts: &Parts, looks: &mut JoinSet<()>) -> bool {
    while looks.try_join_next().is_some() {}
    let frame = frame::read(text);
    let stands = frame == Ok(Frame::Subscribed);
    let kind = match frame {
        Ok(Frame::Other) => return false,
        Ok(Frame::Subscribed) => {
            // One at a time: a flapping connection must not multiply them.
            if let (Some(rpc), true) = (parts.rpc.clone(), looks.is_empty()) {
                looks.spawn(catch_up(rpc, parts.clone()));
            }
            "subscribed"
        }
        Ok(Frame::Confirmed(block)) => {
            say(parts, block_of(block));
            "confirmation"
        }
        Ok(Frame::Vote(vote)) => {
            let vote = Live::Vote {
                channel: ChannelId::NONE,
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
    stands
}

const fn block_of(block: Box<Block>) -> Live {
    Live::Block {
        channel: ChannelId::NONE,
        block,
    }
}

fn say(parts: &Parts, live: Live) {
    if parts.live.try_send(live).is_err() {
        metrics::count(&parts.metrics.live_dropped, "stream-behind");
    }
}

/// Looks up what the followed accounts did meanwhile and passes it on.
async fn catch_up(rpc: Rpc, parts: Parts) {
    let mut passing = Passing::new(&parts);
    for accounts in parts.followed.all().chunks(MAX_ACCOUNTS) {
        for hash in missed(&rpc, &parts, accounts).await {
            match rpc.block(hash).await {
                Ok(Some(block)) => {
                    if !passing.pass(block).await {
                        return;
                    }
                }
                Ok(None) => {}
                Err(error) => not_looked_up(&error),
            }
        }
    }
}

/// Blocks of these accounts that may be news.
async fn missed(rpc: &Rpc, parts: &Parts, accounts: &[Account]) -> Vec<BlockHash> {
    let frontiers = rpc.frontiers(accounts).await.inspect_err(not_looked_up);
    let sends = rpc.accounts_receivable(accounts, RECEIVABLES).await;
    let sends = sends.inspect_err(not_looked_up).unwrap_or_default();
    let held = parts.node.held(accounts.to_vec()).await.unwrap_or_default();
    let most = accounts.len() * RECEIVABLES;
    let mut hashes = news(frontiers.unwrap_or_default().into_values(), &held);
    hashes.extend(sends.into_values().flatten().take(most));
    hashes.retain(|hash| parts.roots.get(hash).is_none());
    hashes
}

/// The frontiers that are not held.
fn news(frontiers: impl Iterator<Item = BlockHash>, held: &[Option<BlockHash>]) -> Vec<BlockHash> {
    frontiers
        .filter(|hash| !held.contains(&Some(*hash)))
        .collect()
}

fn not_looked_up(error: &RpcError) {
    tracing::warn!(%error, "what the WebSocket missed was not looked up");
}

/// What was missed, on its way into the stream.
struct Passing {
    live: LiveSender,
    metrics: Metrics,
    left: usize,
    pace: Interval,
}

impl Passing {
    fn new(parts: &Parts) -> Self {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            live: parts.live.clone(),
            metrics: parts.metrics.clone(),
            left: CAUGHT_UP,
            pace,
        }
    }

    /// Passes a block on when it is time and there is room; false when no further one is taken.
    async fn pass(&mut self, block: Block) -> bool {
        if self.left == 0 {
            metrics::count(&self.metrics.events, "too-much-missed");
            return false;
        }
        self.left -= 1;
        self.pace.tick().await;
        let block = Box::new(block);
        metrics::count(&self.metrics.events, "caught-up");
        self.live.send(block_of(block)).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::counted;
    use nano_core::Network;
    use tokio::sync::mpsc;

    /// A stream with room for this many, and the way into it for `left` blocks.
    fn passing(room: usize, left: usize) -> (Passing, mpsc::Receiver<Live>) {
        let (live, stream) = mpsc::channel(room);
        let passing = Passing {
            live,
            metrics: Metrics::default(),
            left,
            pace: interval(PACE),
        };
        (passing, stream)
    }

    #[tokio::test]
    async fn what_was_missed_comes_at_a_pace_and_is_not_endless() {
        const BLOCKS: usize = 8;
        let (mut passing, stream) = passing(BLOCKS + 1, BLOCKS);
        let began = Instant::now();
        let mut passed = 0;
        while passing.pass(Network::Dev.genesis_block()).await {
            passed += 1;
        }
        assert_eq!((passed, stream.len()), (BLOCKS, BLOCKS));
        assert!(began.elapsed() >= PACE * 7);
        let ended = counted(&passing.metrics.events, "too-much-missed");
        assert_eq!(ended, 1);
    }

    #[tokio::test]
    async fn what_was_missed_waits_for_room_in_the_stream() {
        let (mut passing, mut stream) = passing(1, 8);
        let block = Network::Dev.genesis_block();
        assert!(passing.pass(block).await);
        let mut second = std::pin::pin!(passing.pass(block));
        let waits = timeout(PACE * 5, &mut second).await.is_err();
        assert!(waits, "there was no room");
        assert!(stream.recv().await.is_some());
        assert!(second.await);
        assert!(stream.recv().await.is_some());
    }

    #[test]
    fn a_frontier_that_is_held_is_no_news() {
        let [held, new] = [1, 2].map(|number| BlockHash::from_bytes([number; 32]));
        let found = news([held, new].into_iter(), &[None, Some(held)]);
        assert_eq!(found, [new]);
    }
}
