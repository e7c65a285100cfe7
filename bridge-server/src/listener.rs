//! The one port: accepts connections and tells overlay links from HTTP by their first byte.
//!
//! A link between bridges begins with byte 0 (see [`crate::shell::PREFIX`]); no HTTP request does.
//! Connections are bounded in number; one that says nothing, or sends its request headers too
//! slowly, is cut off.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tower_http::add_extension::AddExtension;

use crate::http::CameFrom;
use crate::metrics::{self, Metrics};
use crate::shell::{self, LinkDoor};

/// Connections at once beyond the places of links: requests for files and API.
const EXTRA_CONNECTIONS: usize = 512;
/// Longest wait for the first byte, and for the headers of a request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long open requests may still run when the bridge stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// What the listener hands connections to.
#[derive(Clone, Debug)]
pub struct Hall {
    /// The HTTP routes.
    pub router: Router,
    /// Where links enter.
    pub door: LinkDoor,
    /// Links at once.
    pub places: u16,
    /// The metrics.
    pub metrics: Metrics,
}

/// Serves until `stop` becomes true; then lets open requests finish for at most three seconds.
pub async fn serve(listener: TcpListener, hall: Hall, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(usize::from(hall.places) + EXTRA_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // A dropped sender means the same as true.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Most likely out of descriptors: wait for some to come back.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            metrics::count(&hall.metrics.links_closed, "too-many-connections");
            continue;
        };
        let (hall, watcher, mut stop) = (hall.clone(), graceful.watcher(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = connection(stream, hall, watcher) => {}
                () = async {
                    let _ = stop.wait_for(|stop| *stop).await;
                    sleep(FAREWELL).await;
                } => {}
            }
            drop(slot);
        });
    }
    drop(listener);
    // Idle keep-alive connections end at once; the rest when done or when time is up.
    let _ = timeout(FAREWELL, graceful.shutdown()).await;
}

async fn connection(stream: TcpStream, hall: Hall, watcher: Watcher) {
    let mut first = [0; 1];
    match timeout(PATIENCE, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == shell::PREFIX[0] => {
            shell::accept(stream, hall.door, hall.metrics).await;
        }
        Ok(Ok(1)) => {
            shell::prepare(&stream);
            let mut builder = Builder::new(TokioExecutor::new()).http1_only();
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE);
            let from = CameFrom(stream.peer_addr().ok().map(|peer| peer.ip()));
            let service = TowerToHyperService::new(AddExtension::new(hall.router, from));
            let serving = builder
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .into_owned();
            if let Err(error) = watcher.watch(serving).await {
                tracing::debug!(%error, "a connection ended early");
            }
        }
        _ => metrics::count(&hall.metrics.links_closed, "said-nothing"),
    }
}
