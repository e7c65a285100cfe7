//! The task that owns the overlay's state machine.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use nano_core::{Account, Block, BlockHash, UnixMillis};
use nanonet::{
    AccountAnswer, CloseReason, Event, GetError, GetOptions, Input, LinkId, LinkOrigin, Node,
    NodeId, Output, PeerRecord, RelayId, RelayRefusal, RelayState, RequestId, ResolveFailure,
    ResolveId, ResolveOutcome, Role, Status, StoreKey, StoreOp, Transport,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::LinkDoor;
use super::join::Search;
use crate::bridges::Directory;
use crate::clock;
use crate::metrics::{self, Metrics};
use crate::store::{Store, Write};

/// Commands that may wait for the node task.
const COMMANDS: usize = 1024;
/// Commands handled before outputs are carried out; keeps answers prompt under load.
const BURST: usize = 64;
/// Longest sleep without looking at the clock: a wall clock set back must not stop the node.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// What other tasks say to the node task.
#[expect(
    clippy::large_enum_variant,
    reason = "inputs are most of the traffic: an allocation for each would cost more than the room"
)]
#[derive(Debug)]
pub(super) enum Command {
    /// A new transport, and where its outgoing frames go.
    Open {
        link: LinkId,
        origin: LinkOrigin,
        transport: Transport,
        address: Option<IpAddr>,
        frames: mpsc::Sender<Vec<u8>>,
    },
    /// Anything else that happened.
    Input(Input),
    /// Somebody wants to know how the node is.
    Status(oneshot::Sender<Status>),
    /// Somebody wants to know which frontiers are held.
    Held(Vec<Account>, oneshot::Sender<Vec<Option<BlockHash>>>),
    /// Somebody asks for an account.
    Get(
        Account,
        GetOptions,
        oneshot::Sender<Result<Box<AccountAnswer>, GetError>>,
    ),
    /// Somebody wants to know how we and the browsers known introduce themselves.
    Introductions(oneshot::Sender<Introductions>),
    /// Carry out what is left, make it durable, and end.
    Stop(oneshot::Sender<()>),
}

/// How this bridge introduces itself, and the browsers that it knows.
pub type Introductions = (PeerRecord, Vec<PeerRecord>);

/// An account the full nodes are to be asked about.
#[derive(Clone, Debug)]
pub struct ResolveJob {
    /// The node's number; the answer is `Input::Resolved`.
    pub request: ResolveId,
    /// Whose state.
    pub account: Account,
    /// The frontier the asker holds.
    pub held: Option<BlockHash>,
}

/// A block to be published.
#[derive(Clone, Debug)]
pub struct RelayJob {
    /// The node's number; the answers are `Input::RelayProgress`. `None` for a block of an
    /// earlier run, found in storage.
    pub request: Option<RelayId>,
    /// The block.
    pub block: Block,
}

/// What the node task needs.
#[derive(Debug)]
pub struct NodeParts {
    /// Durable storage.
    pub store: Store,
    /// Where questions to full nodes go; a full queue answers "busy".
    pub resolves: mpsc::Sender<ResolveJob>,
    /// Where transactions go; a full queue answers "busy".
    pub relays: mpsc::Sender<RelayJob>,
    /// The metrics.
    pub metrics: Metrics,
    /// The bridges known.
    pub directory: Directory,
    /// Links at once.
    pub places: u16,
}

/// Handle to the node task; cloning shares it.
#[derive(Clone, Debug)]
pub struct NodeHandle {
    commands: mpsc::Sender<Command>,
}

impl NodeHandle {
    /// Hands in an input; waits while the node is behind. False when it has stopped.
    pub async fn input(&self, input: Input) -> bool {
        self.commands.send(Command::Input(input)).await.is_ok()
    }

    /// The node's status; `None` when it has stopped.
    pub async fn status(&self) -> Option<Status> {
        let (answer, wait) = oneshot::channel();
        self.commands.send(Command::Status(answer)).await.ok()?;
        wait.await.ok()
    }

    /// The frontiers held of these accounts, in their order; `None` when it has stopped.
    pub async fn held(&self, accounts: Vec<Account>) -> Option<Vec<Option<BlockHash>>> {
        let (answer, wait) = oneshot::channel();
        self.commands
            .send(Command::Held(accounts, answer))
            .await
            .ok()?;
        wait.await.ok()
    }

    /// A checked answer about an account, or why there is none; `None` when the node has stopped.
    pub async fn get(
        &self,
        account: Account,
        options: GetOptions,
    ) -> Option<Result<Box<AccountAnswer>, GetError>> {
        let (answer, wait) = oneshot::channel();
        let command = Command::Get(account, options, answer);
        self.commands.send(command).await.ok()?;
        wait.await.ok()
    }

    /// How this bridge and the browsers it knows, [`nanonet::MAX_TOLD`] at most, introduce
    /// themselves; `None` when it has stopped.
    pub async fn introductions(&self) -> Option<Introductions> {
        let (answer, wait) = oneshot::channel();
        let command = Command::Introductions(answer);
        self.commands.send(command).await.ok()?;
        wait.await.ok()
    }

    /// Ends the node after its durable changes are on disk.
    pub async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Stop(done)).await.is_ok() {
            // An error means that it has already ended.
            let _ = wait.await;
        }
    }
}

/// Starts the task.
#[must_use]
pub fn start(node: Node, parts: NodeParts) -> (NodeHandle, LinkDoor, JoinHandle<()>) {
    let (commands, queue) = mpsc::channel(COMMANDS);
    let door = LinkDoor::new(commands.clone(), parts.places, parts.metrics.clone());
    let task = Task {
        node,
        parts,
        links: BTreeMap::new(),
        search: Search::new(&commands),
        asked: BTreeMap::new(),
        next_request: 0,
        last: clock::now(),
    };
    let join = tokio::spawn(task.run(queue));
    (NodeHandle { commands }, door, join)
}

struct Task {
    node: Node,
    parts: NodeParts,
    links: BTreeMap<LinkId, mpsc::Sender<Vec<u8>>>,
    search: Search,
    /// Who waits for the answer to a question; the node bounds how many are open.
    asked: BTreeMap<RequestId, oneshot::Sender<Result<Box<AccountAnswer>, GetError>>>,
    next_request: u64,
    last: UnixMillis,
}

impl Task {
    async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        if super::cells::are_logged() {
            self.node.watch_cells();
        }
        self.drain().await;
        loop {
            let now = self.now();
            let pause = self.node.next_timeout().map_or(LONGEST_SLEEP, |at| {
                Duration::from_millis(at.0.saturating_sub(now.0)).min(LONGEST_SLEEP)
            });
            let stop = tokio::select! {
                command = queue.recv() => match command {
                    Some(first) => self.commands(first, &mut queue),
                    None => return,
                },
                () = tokio::time::sleep(pause) => {
                    self.input(Input::Timeout);
                    None
                }
            };
            self.drain().await;
            if let Some(done) = stop {
                // The storage counts and logs its own failures; the stop goes on.
                let _ = self.parts.store.sync().await;
                let _ = done.send(());
                return;
            }
        }
    }

    /// Now, never earlier than before: the node wants time that does not run backwards.
    fn now(&mut self) -> UnixMillis {
        self.last = self.last.max(clock::now());
        self.last
    }

    fn input(&mut self, input: Input) {
        let now = self.now();
        self.node.handle_input(now, input);
    }

    /// Handles `first` and some of what waits behind it; gives back who asked for the end.
    fn commands(
        &mut self,
        first: Command,
        queue: &mut mpsc::Receiver<Command>,
    ) -> Option<oneshot::Sender<()>> {
        let mut next = Some(first);
        let mut left = BURST;
        while let Some(command) = next {
            match command {
                Command::Open {
                    link,
                    origin,
                    transport,
                    address,
                    frames,
                } => {
                    self.links.insert(link, frames);
                    self.input(Input::LinkOpened {
                        link,
                        origin,
                        transport,
                    });
                    if let Some(address) = address {
                        self.input(Input::LinkAddress { link, address });
                    }
                }
                Command::Input(input) => {
                    if let Input::LinkClosed { link } = &input {
                        self.links.remove(link);
                    }
                    self.input(input);
                }
                // Whoever asked may have gone.
                Command::Status(answer) => drop(answer.send(self.node.status())),
                Command::Held(accounts, answer) => {
                    let held = accounts.iter().map(|account| self.node.held(account));
                    drop(answer.send(held.collect()));
                }
                Command::Get(account, options, answer) => {
                    let request = RequestId(self.next_request);
                    self.next_request += 1;
                    self.asked.insert(request, answer);
                    self.input(Input::Get {
                        request,
                        account,
                        options,
                    });
                }
                Command::Introductions(answer) => {
                    let browsers = self.node.introductions(Role::Browser);
                    drop(answer.send((self.node.record().clone(), browsers)));
                }
                Command::Stop(done) => return Some(done),
            }
            left -= 1;
            next = if left > 0 {
                queue.try_recv().ok()
            } else {
                None
            };
        }
        None
    }

    /// Carries out everything the node asks for.
    async fn drain(&mut self) {
        super::cells::log(&mut self.node);
        while let Some(output) = self.node.poll_output() {
            match output {
                // Its transports have the ordered channel alone.
                Output::Transmit { link, bytes, .. } => self.transmit(link, bytes),
                Output::Close { link, reason } => self.close(link, reason),
                Output::Store(op) => self.store(op).await,
                Output::Resolve {
                    request,
                    account,
                    held,
                } => {
                    let job = ResolveJob {
                        request,
                        account,
                        held,
                    };
                    if self.parts.resolves.try_send(job).is_err() {
                        let outcome = ResolveOutcome::Failed(ResolveFailure::Busy);
                        self.input(Input::Resolved { request, outcome });
                    }
                }
                Output::Relay { request, block } => {
                    let job = RelayJob {
                        request: Some(request),
                        block: *block,
                    };
                    if self.parts.relays.try_send(job).is_err() {
                        let state = RelayState::Refused(RelayRefusal::Busy);
                        self.input(Input::RelayProgress { request, state });
                    }
                }
                Output::FindWork { root, threshold } => self.search.begin(root, threshold),
                Output::Event(Event::Answer { request, result }) => {
                    if let Some(answer) = self.asked.remove(&request) {
                        drop(answer.send(result));
                    }
                }
                Output::Event(Event::Joined { id, .. }) => self.joined(id).await,
                Output::Event(Event::BridgeFound(record)) => self.found(*record).await,
                Output::Event(event) => self.event(event),
                // A bridge has no RTCPeerConnection of its own; the node asks for none.
                Output::Signal(op) => tracing::warn!(?op, "signaling asked of a bridge"),
            }
        }
    }

    /// The node's place is paid for: kept, so that the next start need not search again.
    async fn joined(&mut self, id: NodeId) {
        self.search.done();
        let value = self.node.identity_bytes().to_vec();
        let name = Store::IDENTITY;
        match self.parts.store.write(Write::Meta { name, value }).await {
            Ok(()) => tracing::info!(%id, "join work found: the bridge has its place"),
            Err(error) => {
                self.parts.metrics.storage_errors.inc();
                tracing::error!(%error, "join work was found and not stored");
            }
        }
    }

    /// A bridge introduced itself, or somebody named it.
    async fn found(&mut self, record: PeerRecord) {
        self.parts.directory.note(record);
        let value = self.parts.directory.to_bytes();
        let name = Store::BRIDGES;
        if let Err(error) = self.parts.store.write(Write::Meta { name, value }).await {
            self.parts.metrics.storage_errors.inc();
            tracing::error!(%error, "the bridges known were not stored");
        }
    }

    fn transmit(&mut self, link: LinkId, bytes: Vec<u8>) {
        let Some(frames) = self.links.get(&link) else {
            return;
        };
        if frames.try_send(bytes).is_err() {
            // More frames wait than the writer may ever owe, or the writer is gone.
            self.links.remove(&link);
            metrics::count(&self.parts.metrics.links_closed, "not-taken");
            self.input(Input::LinkClosed { link });
        }
    }

    fn close(&mut self, link: LinkId, reason: CloseReason) {
        // Without its sender the writer drains what waits and ends the transport.
        if self.links.remove(&link).is_some() {
            metrics::count(&self.parts.metrics.links_closed, reason.code());
        }
    }

    async fn store(&mut self, op: StoreOp) {
        let (write, pending) = match op {
            StoreOp::Put { key, bytes } => {
                let pending = matches!(key, StoreKey::Pending(_));
                (
                    Write::PutRecord {
                        key: key.to_text(),
                        value: bytes,
                    },
                    pending,
                )
            }
            StoreOp::Remove { key } => (Write::RemoveRecord { key: key.to_text() }, false),
        };
        if let Err(error) = self.parts.store.write(write).await {
            self.parts.metrics.storage_errors.inc();
            tracing::error!(%error, "a record was not stored");
        } else if pending {
            // A block of our own is durable before it leaves.
            let _ = self.parts.store.sync().await;
        }
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::StatusChanged => self.gauges(),
            Event::Refused { reason, .. } => tracing::debug!(reason, "a record was refused"),
            Event::PeerDropped { peer, reason } => {
                tracing::info!(%peer, reason = reason.code(), "a peer at fault was dropped");
            }
            Event::Conflict { account, diverged } => {
                tracing::warn!(%account, diverged, "two proven frontiers of one account");
            }
            Event::BridgesDiffer {
                account,
                earlier,
                later,
            } => {
                tracing::warn!(%account, %earlier, %later, "one bridge states less than another did")
            }
            other => tracing::debug!(?other, "event"),
        }
    }

    fn gauges(&self) {
        let status = self.node.status();
        let metrics = &self.parts.metrics;
        metrics
            .records
            .set(i64::from(status.records) + i64::from(status.receivables));
        for (reason, count) in status.refused {
            metrics::set(
                &metrics.refused,
                reason,
                i64::try_from(count).unwrap_or(i64::MAX),
            );
        }
    }
}
