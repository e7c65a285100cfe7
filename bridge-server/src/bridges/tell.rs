//! Telling everyone, in news, which bridges there are.
//!
//! A bridge vouches for itself and for the bridges that it is linked with: their introductions were
//! verified, and somebody answers there. Each introduction is told when it is new and again every
//! [`EVERY`], for those who came since.

use std::collections::BTreeMap;
use std::time::Duration;

use nanonet::gossip::{Parameter, Tell};
use nanonet::{Input, NodeKey, PeerRecord, Role};
use tokio::time::{Instant, interval, timeout};

use super::Directory;
use crate::shell::NodeHandle;

/// Time between two tellings of one introduction.
pub(super) const EVERY: Duration = Duration::from_secs(30 * 60);
/// Longest pause between two looks at who is linked.
const LOOK: Duration = Duration::from_secs(60);

/// Endorses settings of the network again and again, for those who came since. Ends when the node has.
pub async fn endorse_all(settings: Vec<Parameter>, node: NodeHandle) {
    if settings.is_empty() {
        return;
    }
    let mut next = interval(EVERY);
    loop {
        next.tick().await;
        for setting in &settings {
            let tell = Tell::Parameter(setting.clone());
            if !node.input(Input::Tell(Box::new(tell))).await {
                return;
            }
        }
    }
}

/// Tells again and again. Ends when the node has.
pub async fn tell_all(directory: Directory, node: NodeHandle) {
    let mut changes = directory.changes();
    let mut told: BTreeMap<NodeKey, (u64, Instant)> = BTreeMap::new();
    loop {
        let (Some(status), Some((own, _))) = (node.status().await, node.introductions().await)
        else {
            return;
        };
        let linked = status.links.iter().filter(|link| link.role == Role::Bridge);
        let linked: Vec<NodeKey> = linked.map(|link| link.key).collect();
        let mut records: Vec<PeerRecord> = directory.all();
        records.retain(|record| linked.contains(&record.node_key));
        records.push(own);
        told.retain(|_, (_, at)| at.elapsed() < EVERY);
        for record in records {
            let (key, issued) = (record.node_key, record.issued_at.0);
            let lately = told.get(&key).is_some_and(|(before, _)| *before >= issued);
            if record.addresses.is_empty() || lately {
                continue;
            }
            told.insert(key, (issued, Instant::now()));
            let tell = Tell::Bridge(Box::new(record));
            if !node.input(Input::Tell(Box::new(tell))).await {
                return;
            }
        }
        // Sooner if one is new.
        let _ = timeout(LOOK, changes.changed()).await;
    }
}
