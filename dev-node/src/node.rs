//! A running node: its sockets, its tasks, and what a program can ask of it directly.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nano_core::message::Telemetry;
use nano_core::{Account, Block, BlockHash, PrivateKey, PublicKey, Raw, Root, UnixMillis};
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, Notify, broadcast, watch};
use tokio::task::JoinSet;

use crate::engine::{Engine, EngineParts, SubmitError};
use crate::events::{EVENT_BACKLOG, Event, OUTBOUND_BACKLOG, Outbound};
use crate::ledger::{AccountInfo, Entry, Ledger};
use crate::peer::{self, PeerTable};
use crate::store::Store;
use crate::wallet::Wallet;
use crate::{
    DevKeys, DevNodeConfig, DevNodeError, Dialect, Distribution, MAX_ACCOUNTS, distribution,
    holders, rpc, websocket,
};

/// Pause after a round of votes, so that blocks that come together share one vote.
const VOTE_PAUSE: Duration = Duration::from_millis(5);
/// How often undecided elections are looked at.
const TICK: Duration = Duration::from_millis(100);

/// What all tasks of a node share.
#[derive(Debug)]
pub(crate) struct Shared {
    engine: Mutex<Engine>,
    peers: Mutex<PeerTable>,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) outbound: broadcast::Sender<Outbound>,
    node_key: PrivateKey,
    dialect: Dialect,
    peering: SocketAddr,
    started: UnixMillis,
    connections: AtomicU64,
    /// Something may be due to vote on.
    due: Notify,
    work: AsyncMutex<()>,
    stop: watch::Sender<bool>,
    stopping: Arc<AtomicBool>,
}

impl Shared {
    /// The node's state. Held for short steps only, never across an await.
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        // A panic elsewhere is reported there; every step leaves the state usable.
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connected peers. Never locked together with the engine.
    pub(crate) fn peers(&self) -> MutexGuard<'_, PeerTable> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when the node stops.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.stop.subscribe();
        async move {
            // An error means that the node is gone, which is the same.
            let _ = stop.wait_for(|stop| *stop).await;
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Raised when the node stops, for loops that never wait.
    pub(crate) fn stop_mark(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stopping)
    }

    fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
    }

    pub(crate) const fn node_key(&self) -> &PrivateKey {
        &self.node_key
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) const fn peering(&self) -> SocketAddr {
        self.peering
    }

    pub(crate) const fn started(&self) -> UnixMillis {
        self.started
    }

    pub(crate) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets one search for work run at a time.
    pub(crate) async fn work_turn(&self) -> AsyncMutexGuard<'_, ()> {
        self.work.lock().await
    }

    /// Tells that something may be due to vote on.
    pub(crate) fn wake(&self) {
        self.due.notify_one();
    }

    pub(crate) fn tell(&self, event: Event) {
        // No receiver is no fault: nobody is listening just now.
        let _ = self.events.send(event);
    }

    pub(crate) fn telemetry(&self) -> Telemetry {
        peer::telemetry(self)
    }

    pub(crate) fn submit(&self, block: Block) -> Result<BlockHash, SubmitError> {
        let result = self.engine().submit(block, now());
        self.wake();
        result
    }

    /// Waits until a block is confirmed; false when `time` ran out first.
    pub(crate) async fn wait_confirmed(&self, hash: BlockHash, time: Duration) -> bool {
        let mut events = self.events.subscribe();
        let wait = async {
            while !self.engine().ledger().is_confirmed(&hash) {
                // Missed events change nothing: the ledger is asked again.
                if let Err(broadcast::error::RecvError::Closed) = events.recv().await {
                    return;
                }
            }
        };
        let in_time = tokio::select! {
            result = tokio::time::timeout(time, wait) => result.is_ok(),
            () = self.stopped() => false,
        };
        in_time && self.engine().ledger().is_confirmed(&hash)
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
    rpc: SocketAddr,
    websocket: SocketAddr,
    tasks: JoinSet<()>,
}

impl DevNode {
    /// Opens or makes the ledger, takes the addresses, starts to serve. When this returns, all
    /// three addresses answer.
    ///
    /// # Errors
    /// [`DevNodeError`]; nothing runs then and no existing file was changed.
    pub async fn start(config: DevNodeConfig) -> Result<Self, DevNodeError> {
        let (peer_listener, peering) = listen("peers", config.peering).await?;
        let (rpc_listener, rpc) = listen("RPC", config.rpc).await?;
        let (websocket_listener, websocket) = listen("WebSocket", config.websocket).await?;
        let node_key = match config.node_key {
            Some(key) => key,
            None => fresh_key()?,
        };
        let (events, _) = broadcast::channel(EVENT_BACKLOG);
        let (outbound, _) = broadcast::channel(OUTBOUND_BACKLOG);
        let (data, distribution) = (config.data, config.distribution);
        let accounts = config.accounts.min(MAX_ACCOUNTS);
        let open = move || open_ledger(data.as_deref(), distribution, accounts);
        let (ledger, store, final_votes) = match tokio::task::spawn_blocking(open).await {
            Ok(opened) => opened?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        let engine = Engine::new(EngineParts {
            ledger,
            store,
            final_votes,
            representatives: config.representatives,
            online_weight_minimum: config.online_weight_minimum,
            events: events.clone(),
            outbound: outbound.clone(),
        });
        let shared = Arc::new(Shared {
            engine: Mutex::new(engine),
            peers: Mutex::new(PeerTable::new(config.max_peers)),
            events,
            outbound,
            node_key,
            dialect: config.dialect,
            peering,
            started: now(),
            connections: AtomicU64::new(1),
            due: Notify::new(),
            work: AsyncMutex::default(),
            stop: watch::channel(false).0,
            stopping: Arc::default(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(vote(Arc::clone(&shared)));
        tasks.spawn(peer::accept(peer_listener, Arc::clone(&shared)));
        tasks.spawn(peer::connect(config.peers, Arc::clone(&shared)));
        tasks.spawn(peer::announce(Arc::clone(&shared)));
        tasks.spawn(rpc::serve(rpc_listener, Arc::clone(&shared)));
        tasks.spawn(websocket::serve(websocket_listener, Arc::clone(&shared)));
        Ok(Self {
            faucet: Wallet::new(Arc::clone(&shared), DevKeys::faucet()),
            shared,
            rpc,
            websocket,
            tasks,
        })
    }

    /// Where peers connect, with the real port.
    #[must_use]
    pub fn peering_addr(&self) -> SocketAddr {
        self.shared.peering
    }

    /// This run's node id.
    #[must_use]
    pub fn node_id(&self) -> PublicKey {
        self.shared.node_key.public_key()
    }

    /// Tries to connect to a peer, once; configured peers are tried again and again instead.
    pub fn connect(&self, peer: SocketAddr) {
        self.shared.peers().note_address(peer);
    }

    /// How many peers are connected and greeted.
    #[must_use]
    pub fn peer_count(&self) -> usize {
        self.shared.peers().len()
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

    /// Weight of the votes for the leading block at a root under election; `None` without one.
    #[must_use]
    pub fn tally(&self, root: &Root) -> Option<Raw> {
        let tally = self.shared.engine().tally(root)?;
        Some(tally.leading)
    }

    /// Weights of all representatives, in raw.
    #[must_use]
    pub fn weights(&self) -> BTreeMap<Account, Raw> {
        self.shared.engine().ledger().weights().clone()
    }

    /// Weight that decides here now, in raw.
    #[must_use]
    pub fn quorum_delta(&self) -> Raw {
        self.shared.engine().quorum_delta()
    }

    /// Ends all tasks and closes all connections and the ledger.
    pub async fn stop(mut self) {
        self.shared.begin_stop();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Drop for DevNode {
    fn drop(&mut self) {
        self.shared.begin_stop();
    }
}

/// Lets local representatives vote when something is due, and looks at elections by the clock.
async fn vote(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.due.notified() => shared.engine().cast_votes(now()),
            _ = tick.tick() => shared.engine().tick(now()),
            () = shared.stopped() => return,
        }
        tokio::time::sleep(VOTE_PAUSE).await;
    }
}

type Opened = (Ledger, Option<Store>, Vec<(Root, BlockHash)>);

/// Reads the ledger of a folder, or makes a fresh one there or in memory.
fn open_ledger(
    data: Option<&std::path::Path>,
    distribution: Distribution,
    accounts: u32,
) -> Result<Opened, DevNodeError> {
    let timestamp = now().number() / 1000;
    let loaded = data.map(Store::open).transpose()?;
    let (mut store, content) = match loaded {
        Some(loaded) => (Some(loaded.store), loaded.content),
        None => (None, None),
    };
    // A ledger of the genesis block alone was cut off before its distribution was written.
    if let Some(content) = content.filter(|content| content.ledger.block_count() > 1) {
        return Ok((content.ledger, store, content.final_votes));
    }
    let mut ledger = Ledger::genesis(timestamp);
    if distribution == Distribution::Standard {
        let mut blocks =
            distribution::build(&mut ledger, timestamp).map_err(DevNodeError::Distribution)?;
        let more = holders::build(&mut ledger, accounts, timestamp);
        blocks.extend(more.map_err(DevNodeError::Distribution)?);
        if let Some(store) = &mut store {
            store.begin(&blocks, &ledger, timestamp)?;
        }
    }
    Ok((ledger, store, Vec::new()))
}

fn fresh_key() -> Result<PrivateKey, DevNodeError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(DevNodeError::Entropy)?;
    Ok(PrivateKey::from_bytes(bytes))
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
