//! One connection after its greeting: a reader, a writer, and a worker that answers questions.
//!
//! Bounds, as in full nodes: 16 `asc_pull` requests and 128 `confirm_req` wait, more are dropped
//! without a word; 128 messages wait to be written, of which questions' answers may take 32; a
//! peer too slow for the flood of blocks and votes loses the oldest of them. A second handshake is
//! ignored, dead bootstrap messages are ignored; what a malformed message does is the dialect's.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use nano_core::message::{
    AscPullReq, ConfirmAck, ConfirmReq, Header, Keepalive, Message, Publish, RequestedBlock,
};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{broadcast, mpsc};

use super::catch_up::CatchUp;
use super::framing::{self, ReadError};
use super::handshake::Greeted;
use super::{answer, keepalive};
use crate::events::{Event, Outbound};
use crate::ledger::Ledger;
use crate::node::{Shared, now};

/// A write that takes so long ends the connection.
const WRITE: Duration = Duration::from_secs(15);
const KEEPALIVE: Duration = Duration::from_secs(1);
const QUEUE: usize = 128;
const ANSWERS: usize = 32;
const PULL_REQUESTS: usize = 16;
const VOTE_REQUESTS: usize = 128;

/// Runs a greeted connection to its end.
pub(super) async fn run(
    stream: TcpStream,
    remote: SocketAddr,
    peering: Option<SocketAddr>,
    greeted: Greeted,
    shared: Arc<Shared>,
) {
    let connection = shared.next_connection();
    let Greeted {
        node_id,
        protocol_version,
    } = greeted;
    let added = shared
        .peers()
        .add(connection, remote, peering, node_id, protocol_version);
    if let Err(reason) = added {
        tracing::debug!(%remote, %reason, "peer refused");
        return;
    }
    let (read, write) = stream.into_split();
    let (queue, queued) = mpsc::channel(QUEUE);
    let (pulls, pull_requests) = mpsc::channel(PULL_REQUESTS);
    let (questions, vote_requests) = mpsc::channel(VOTE_REQUESTS);
    let outbound = shared.outbound.subscribe();
    let reader = Reader {
        shared: Arc::clone(&shared),
        connection,
        greeted,
        queue: queue.clone(),
        pulls,
        questions,
        catch_up: CatchUp::new(connection),
    };
    tokio::select! {
        reason = reader.run(read) => tracing::debug!(%remote, %reason, "peer gone"),
        reason = write_all(write, queued, outbound, connection, &shared) => {
            tracing::debug!(%remote, ?reason, "peer gone");
        }
        () = work(&shared, pull_requests, vote_requests, queue) => {}
        () = shared.stopped() => {}
    }
    shared.peers().remove(connection);
}

struct Reader {
    shared: Arc<Shared>,
    connection: u64,
    greeted: Greeted,
    queue: mpsc::Sender<Vec<u8>>,
    pulls: mpsc::Sender<AscPullReq>,
    questions: mpsc::Sender<ConfirmReq>,
    catch_up: CatchUp,
}

impl Reader {
    async fn run(mut self, mut stream: OwnedReadHalf) -> ReadError {
        let questions = self.catch_up.begin();
        self.send_all(questions);
        let dialect = self.shared.dialect();
        loop {
            match framing::read(&mut stream, dialect.idle(), dialect).await {
                Ok(Some((header, message))) => self.handle(&header, message),
                Ok(None) => {}
                Err(reason) => return reason,
            }
        }
    }

    fn handle(&mut self, header: &Header, message: Message) {
        match message {
            Message::Keepalive(keepalive) => self.keepalive(&keepalive),
            Message::Publish(publish) => self.publish(&publish),
            // A full queue drops the request: the peer asks too fast.
            Message::ConfirmReq(request) => {
                let _ = self.questions.try_send(request);
            }
            Message::AscPullReq(request) => {
                let _ = self.pulls.try_send(request);
            }
            Message::ConfirmAck(ack) => self.vote(ack),
            Message::TelemetryAck(ack) => {
                let Some(telemetry) = ack.telemetry else {
                    return;
                };
                let is_own = telemetry.node_id == self.greeted.node_id;
                let is_ours = telemetry.genesis == Ledger::NETWORK.genesis_hash();
                if is_own && is_ours && telemetry.verify().is_ok() {
                    let telemetry = Arc::new(telemetry);
                    let mut peers = self.shared.peers();
                    peers.note_telemetry(self.connection, Arc::clone(&telemetry));
                    let remote = peers.remote(self.connection);
                    drop(peers);
                    if let Some(remote) = remote {
                        self.shared.tell(Event::Telemetry(telemetry, remote));
                    }
                }
            }
            Message::AscPullAck(ack) => {
                let next = self.catch_up.answered(&self.shared, ack, now());
                self.shared.wake();
                self.send_all(next);
            }
            // Answered by pushing telemetry anyway; greeted already; dead since V28.
            Message::TelemetryReq | Message::NodeIdHandshake(_) | Message::LegacyBootstrap(_) => {
                tracing::trace!(kind = %header.message_type, "ignored");
            }
        }
    }

    fn keepalive(&mut self, keepalive: &Keepalive) {
        let mut peers = self.shared.peers();
        for (place, endpoint) in keepalive.peers.iter().enumerate() {
            if endpoint.port == 0 {
                continue;
            }
            if endpoint.address.is_unspecified() {
                if place == 0 {
                    peers.note_listening(self.connection, endpoint.port);
                }
                continue;
            }
            let ip = endpoint
                .address
                .to_ipv4_mapped()
                .map_or(IpAddr::V6(endpoint.address), IpAddr::V4);
            peers.note_address(SocketAddr::new(ip, endpoint.port));
        }
        drop(peers);
        let next = self.catch_up.again();
        self.send_all(next);
    }

    fn publish(&mut self, publish: &Publish) {
        // Nodes drop work below the entry threshold silently, and answer no publish at all.
        match self.shared.submit(publish.block) {
            Ok(hash) => tracing::trace!(%hash, "block from peer"),
            Err(reason) => tracing::trace!(%reason, "block from peer refused"),
        }
    }

    fn vote(&mut self, ack: ConfirmAck) {
        let Some((vote, rebroadcast)) = answer::checked_vote(ack) else {
            return;
        };
        if !rebroadcast {
            let mut peers = self.shared.peers();
            peers.note_representative(self.connection, vote.representative);
        }
        self.shared
            .engine()
            .receive_vote(vote, self.connection, now());
        self.shared.wake();
    }

    fn send_all(&self, messages: Vec<Message>) {
        for message in messages {
            if let Some(bytes) = framing::encode(&message, self.shared.dialect()) {
                let _ = self.queue.try_send(bytes);
            }
        }
    }
}

/// Answers questions in turn.
async fn work(
    shared: &Shared,
    mut pulls: mpsc::Receiver<AscPullReq>,
    mut questions: mpsc::Receiver<ConfirmReq>,
    queue: mpsc::Sender<Vec<u8>>,
) {
    loop {
        let answers = tokio::select! {
            Some(request) = pulls.recv() => vec![answer::pull(shared, &request)],
            Some(request) = questions.recv() => answer::votes(shared, &request),
            else => return,
        };
        for message in answers {
            let waiting = QUEUE.saturating_sub(queue.capacity());
            if waiting >= ANSWERS {
                // The peer does not read its answers: wait until it does, so that the request
                // queues fill and drop what it asks meanwhile.
                let Ok(permit) = queue.reserve().await else {
                    return;
                };
                drop(permit);
            }
            if let Some(bytes) = framing::encode(&message, shared.dialect())
                && queue.send(bytes).await.is_err()
            {
                return;
            }
        }
    }
}

/// Writes what is queued, what goes to all peers, and a keepalive each second.
async fn write_all(
    mut stream: OwnedWriteHalf,
    mut queued: mpsc::Receiver<Vec<u8>>,
    mut outbound: broadcast::Receiver<Outbound>,
    connection: u64,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut keepalive = tokio::time::interval(KEEPALIVE);
    let mut round = 0_u64;
    loop {
        let bytes = tokio::select! {
            queued = queued.recv() => match queued {
                Some(bytes) => Some(bytes),
                None => return Ok(()),
            },
            message = outbound.recv() => match message {
                Ok(message) => outbound_message(message, connection)
                    .and_then(|message| framing::encode(&message, shared.dialect())),
                Err(broadcast::error::RecvError::Lagged(lost)) => {
                    tracing::debug!(lost, "a slow peer missed messages");
                    None
                }
                Err(broadcast::error::RecvError::Closed) => return Ok(()),
            },
            _ = keepalive.tick() => {
                round += 1;
                framing::encode(&keepalive::next(shared, round).into(), shared.dialect())
            }
        };
        if let Some(bytes) = bytes {
            tokio::time::timeout(WRITE, stream.write_all(&bytes))
                .await
                .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
        }
    }
}

fn outbound_message(message: Outbound, connection: u64) -> Option<Message> {
    let message = match message {
        Outbound::Block(block) => Publish {
            block: *block,
            originator: false,
        }
        .into(),
        Outbound::Vote { except, .. } if except == Some(connection) => return None,
        Outbound::Vote {
            vote, rebroadcast, ..
        } => ConfirmAck {
            vote: Arc::unwrap_or_clone(vote),
            rebroadcast,
        }
        .into(),
        Outbound::Request(pairs) => {
            let blocks = pairs
                .iter()
                .map(|(hash, root)| RequestedBlock {
                    hash: *hash,
                    root: *root,
                })
                .collect();
            ConfirmReq { blocks }.into()
        }
        Outbound::Telemetry(telemetry) => nano_core::message::TelemetryAck {
            telemetry: Some(Arc::unwrap_or_clone(telemetry)),
        }
        .into(),
    };
    Some(message)
}
