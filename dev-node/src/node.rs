//! A running node: its sockets, its tasks, and what a program can ask of it directly.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nano_core::{Account, Block, BlockHash, PrivateKey, Raw, UnixMillis};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::engine::{Engine, SubmitError};
use crate::events::{EVENT_BACKLOG, Event};
use crate::ledger::{AccountInfo, Entry, Ledger};
use crate::wallet::Wallet;
use crate::{DevKeys, DevNodeConfig, DevNodeError, Distribution, distribution};

/// What all tasks of a node share.
#[derive(Debug)]
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    pub(crate) events: broadcast::Sender<Event>,
    stopping: Arc<AtomicBool>,
}

impl Shared {
    /// The node's state. Held for short steps only, never across an await.
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        // A panic elsewhere is reported there; the state stays usable for tests' clean-up.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stop_mark(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    pub(crate) fn submit(&self, block: Block) -> Result<BlockHash, SubmitError> {
        self.engine().submit(block, now().number() / 1000)
    }

    /// Waits until a block is confirmed; false when `time` ran out first.
    pub(crate) async fn wait_confirmed(&self, hash: BlockHash, time: Duration) -> bool {
        let mut events = self.events.subscribe();
        let wait = async {
            while !self.engine().ledger().is_confirmed(&hash) {
                if let Err(broadcast::error::RecvError::Closed) = events.recv().await {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(time, wait).await;
        self.engine().ledger().is_confirmed(&hash)
    }
}

/// The wall clock.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A running development node. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct DevNode {
    shared: Arc<Shared>,
    faucet: Wallet,
    peering: SocketAddr,
    rpc: SocketAddr,
    websocket: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl DevNode {
    /// Opens or makes the ledger, takes the addresses, starts to serve. When this returns, all
    /// three addresses answer.
    ///
    /// # Errors
    /// [`DevNodeError`]; nothing runs then and no existing file was changed.
    pub async fn start(config: DevNodeConfig) -> Result<Self, DevNodeError> {
        let timestamp = now().number() / 1000;
        let mut ledger = Ledger::genesis(timestamp);
        if config.distribution == Distribution::Standard {
            distribution::build(&mut ledger, timestamp).map_err(DevNodeError::Distribution)?;
        }
        let (_peering_listener, peering) = listen("peers", config.peering).await?;
        let (_rpc_listener, rpc) = listen("RPC", config.rpc).await?;
        let (_websocket_listener, websocket) = listen("WebSocket", config.websocket).await?;
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let shared = Arc::new(Shared {
            engine: Mutex::new(Engine::new(ledger)),
            events,
            stopping: Arc::default(),
        });
        let (stop, _) = watch::channel(false);
        Ok(Self {
            faucet: Wallet::new(Arc::clone(&shared), DevKeys::faucet()),
            shared,
            peering,
            rpc,
            websocket,
            stop,
            tasks: JoinSet::new(),
        })
    }

    /// Where peers connect, with the real port.
    #[must_use]
    pub const fn peering_addr(&self) -> SocketAddr {
        self.peering
    }

    /// Where the RPC listens: `http://` and this, POST.
    #[must_use]
    pub const fn rpc_addr(&self) -> SocketAddr {
        self.rpc
    }

    /// Where the WebSocket listens: `ws://` and this.
    #[must_use]
    pub const fn websocket_addr(&self) -> SocketAddr {
        self.websocket
    }

    /// The account that gives money away on the standard distribution.
    #[must_use]
    pub fn faucet_account(&self) -> Account {
        self.faucet.account()
    }

    /// Gives money away: `faucet().send(account, amount)` ends when the send is confirmed.
    /// All copies share one queue, so they never fork the account.
    #[must_use]
    pub fn faucet(&self) -> Wallet {
        self.faucet.clone()
    }

    /// Any account to move money with. Use one wallet (and its clones) per account.
    #[must_use]
    pub fn wallet(&self, key: PrivateKey) -> Wallet {
        Wallet::new(Arc::clone(&self.shared), key)
    }

    /// Takes a block as RPC `process` does: into the ledger, then to the vote.
    ///
    /// # Errors
    /// [`SubmitError`]; a block with a gap is kept aside until what it needs arrives, and is an
    /// error all the same.
    pub fn process(&self, block: Block) -> Result<BlockHash, SubmitError> {
        self.shared.submit(block)
    }

    /// Waits until a block is confirmed here; false when `time` ran out first.
    pub async fn wait_confirmed(&self, hash: BlockHash, time: Duration) -> bool {
        self.shared.wait_confirmed(hash, time).await
    }

    /// Whether a block is confirmed here.
    #[must_use]
    pub fn is_confirmed(&self, hash: &BlockHash) -> bool {
        self.shared.engine().ledger().is_confirmed(hash)
    }

    /// The state of an account; `None` when it was never opened.
    #[must_use]
    pub fn account_info(&self, account: &Account) -> Option<AccountInfo> {
        self.shared.engine().ledger().account(account).copied()
    }

    /// A block with what is known about it.
    #[must_use]
    pub fn block(&self, hash: &BlockHash) -> Option<Entry> {
        self.shared.engine().ledger().entry(hash).cloned()
    }

    /// Weights of all representatives, heaviest first.
    #[must_use]
    pub fn weights(&self) -> Vec<(Account, Raw)> {
        let engine = self.shared.engine();
        let weights = engine.ledger().weights();
        let mut weights: Vec<_> = weights.iter().map(|(who, raw)| (*who, *raw)).collect();
        weights.sort_by_key(|(_, raw)| std::cmp::Reverse(*raw));
        weights
    }

    /// Ends all tasks and closes all connections.
    pub async fn stop(mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for DevNode {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
    }
}

async fn listen(
    purpose: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), DevNodeError> {
    let failed = |source| DevNodeError::Listen {
        purpose,
        address,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
