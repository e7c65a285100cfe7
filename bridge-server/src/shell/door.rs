//! Where links enter: places, numbers, and the two halves of a link's byte stream.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use nanonet::{Channel, Input, LinkId, LinkOrigin, Transport};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::node::Command;
use crate::metrics::{self, Metrics};

/// Frames that may wait for one link's writer. The node's send credit bounds their bytes; this
/// bounds their number, should most be tiny.
const FRAMES: usize = 4096;

/// Gives new transports a place and a number. Cloning shares the places.
#[derive(Clone, Debug)]
pub struct LinkDoor {
    commands: mpsc::Sender<Command>,
    next: Arc<AtomicU64>,
    places: Arc<Semaphore>,
    metrics: Metrics,
}

impl LinkDoor {
    /// A door to the node behind `commands`, with `places` links at once.
    pub(super) fn new(commands: mpsc::Sender<Command>, places: u16, metrics: Metrics) -> Self {
        Self {
            commands,
            next: Arc::new(AtomicU64::new(1)),
            places: Arc::new(Semaphore::new(usize::from(places))),
            metrics,
        }
    }

    /// Announces an open transport to the node, with the other side's address if it opened it.
    /// `None` when all places are taken or the node has stopped; the transport is then to be closed.
    pub async fn open(
        &self,
        origin: LinkOrigin,
        transport: Transport,
        address: Option<IpAddr>,
    ) -> Option<Ends> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            metrics::count(&self.metrics.links_closed, "no-place");
            return None;
        };
        let link = LinkId(self.next.fetch_add(1, Ordering::Relaxed));
        let (frames, outgoing) = mpsc::channel(FRAMES);
        let opened = Command::Open {
            link,
            origin,
            transport,
            address,
            frames,
        };
        self.commands.send(opened).await.ok()?;
        self.metrics.links.inc();
        let guard = Arc::new(Guard {
            link,
            commands: self.commands.clone(),
            metrics: self.metrics.clone(),
            _place: place,
        });
        Some(Ends {
            outgoing: Outgoing {
                frames: outgoing,
                guard: Arc::clone(&guard),
            },
            incoming: Incoming { guard },
        })
    }
}

/// Both halves of one link.
#[derive(Debug)]
pub struct Ends {
    outgoing: Outgoing,
    incoming: Incoming,
}

impl Ends {
    /// Takes the halves apart; the link ends when both are dropped.
    #[must_use]
    pub fn split(self) -> (Outgoing, Incoming) {
        (self.outgoing, self.incoming)
    }
}

/// Frames from the node to the transport.
#[derive(Debug)]
pub struct Outgoing {
    frames: mpsc::Receiver<Vec<u8>>,
    guard: Arc<Guard>,
}

impl Outgoing {
    /// The next frame to write; `None` once the node closed the link and all is written.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        self.frames.recv().await
    }

    /// Tells the node that the transport has really taken a frame of `size` bytes.
    pub async fn written(&self, size: usize) {
        let bytes = u32::try_from(size).unwrap_or(u32::MAX);
        self.guard.metrics.link_bytes_out.inc_by(u64::from(bytes));
        let input = Input::LinkWritten {
            link: self.guard.link,
            bytes,
        };
        // A node that has stopped needs no report.
        let _ = self.guard.commands.send(Command::Input(input)).await;
    }
}

/// Frames from the transport to the node.
#[derive(Debug)]
pub struct Incoming {
    guard: Arc<Guard>,
}

impl Incoming {
    /// Hands a received frame to the node; waits while the node is behind. False when the node
    /// has stopped.
    pub async fn received(&self, bytes: Vec<u8>) -> bool {
        self.guard
            .metrics
            .link_bytes_in
            .inc_by(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let input = Input::LinkReceived {
            link: self.guard.link,
            channel: Channel::Ordered,
            bytes,
        };
        self.guard
            .commands
            .send(Command::Input(input))
            .await
            .is_ok()
    }
}

/// Tells the node when both halves are gone, and frees the place.
#[derive(Debug)]
struct Guard {
    link: LinkId,
    commands: mpsc::Sender<Command>,
    metrics: Metrics,
    _place: OwnedSemaphorePermit,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.metrics.links.dec();
        let closed = Command::Input(Input::LinkClosed { link: self.link });
        if let Err(mpsc::error::TrySendError::Full(closed)) = self.commands.try_send(closed) {
            // The queue is full: the news must not get lost, and a destructor cannot wait.
            if let Ok(runtime) = Handle::try_current() {
                let commands = self.commands.clone();
                runtime.spawn(async move { commands.send(closed).await.ok() });
            }
        }
    }
}
