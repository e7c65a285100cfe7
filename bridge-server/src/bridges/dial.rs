//! Links over TCP to the listed bridges, as the list changes.

use std::collections::BTreeMap;
use std::time::Duration;

use hickory_resolver::net::NetError;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::BridgeList;
use super::dns::DnsName;
use crate::backoff::Backoff;
use crate::metrics::Metrics;
use crate::shell::{self, LinkDoor};

/// Pause between two look-ups of a list in the DNS.
const LOOK_UP: Duration = Duration::from_secs(60 * 60);
/// First pause after a look-up that failed; it doubles up to [`LOOK_UP`].
const RETRY: Duration = Duration::from_secs(1);

/// Keeps `list` at what the DNS says. One that cannot be looked up stays what it was. Ends only by
/// being dropped.
pub(crate) async fn follow_dns(name: DnsName, list: watch::Sender<BridgeList>) {
    let mut backoff = Backoff::new(RETRY, LOOK_UP);
    loop {
        let found: Result<BridgeList, NetError> = name.look_up().await;
        let pause = match found {
            Ok(found) => {
                if found.is_empty() {
                    tracing::warn!(name = name.name, "the DNS lists no bridge under this name");
                }
                list.send_if_modified(|held| {
                    let new = *held != found;
                    *held = found;
                    new
                });
                backoff.reset();
                LOOK_UP
            }
            Err(error) => {
                tracing::warn!(name = name.name, %error, "the list of bridges was not looked up");
                backoff.pause()
            }
        };
        sleep(pause).await;
    }
}

/// Keeps a link to each listed bridge that takes one, except those of `dialled`, which the operator
/// named besides. Ends only by being dropped, and all its dialling with it.
pub async fn dial_listed(
    mut list: watch::Receiver<BridgeList>,
    dialled: Vec<String>,
    door: LinkDoor,
    metrics: Metrics,
) {
    let mut running: BTreeMap<String, Dialling> = BTreeMap::new();
    loop {
        let wanted: Vec<String> = list
            .borrow_and_update()
            .iter()
            .filter_map(|one| one.tcp())
            .collect();
        running.retain(|address, _| wanted.contains(address));
        for address in wanted.into_iter().filter(|one| !dialled.contains(one)) {
            running.entry(address).or_insert_with_key(|address| {
                let dial = shell::dial_forever(address.clone(), door.clone(), metrics.clone());
                Dialling(tokio::spawn(dial).abort_handle())
            });
        }
        if list.changed().await.is_err() {
            // Nobody will change it any more: what is dialled stays.
            std::future::pending::<()>().await;
        }
    }
}

/// Ends with its place in the table.
struct Dialling(AbortHandle);

impl Drop for Dialling {
    fn drop(&mut self) {
        self.0.abort();
    }
}
