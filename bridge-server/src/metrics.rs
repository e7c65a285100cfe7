//! What the bridge counts, served at `/metrics` in Prometheus' text form.
//!
//! Counters of messages to full nodes are increased where bytes are handed to the socket. They are
//! two families: `full_node_requests` are questions about accounts and published blocks, so a
//! question that the nanonet answered alone leaves it still; `full_node_upkeep` is what a channel
//! costs by itself (handshake, keepalive, asking for representatives). Nothing in a label names a
//! person: no address, no account.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// One label, named `kind`, with a value out of a fixed list in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Kind {
    kind: &'static str,
}

/// Counter with one `kind` label.
pub type ByKind = Family<Kind, Counter>;

/// All metrics of one bridge; cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Questions and blocks written to full nodes, by kind.
    pub full_node_requests: ByKind,
    /// Messages written to full nodes to keep channels useful, by kind.
    pub full_node_upkeep: ByKind,
    /// Messages received from full nodes, by kind.
    pub full_node_messages: ByKind,
    /// Ends of full-node channels, by reason.
    pub full_node_closed: ByKind,
    /// Steps of handshakes with full nodes, and look-ups of names before them, by step.
    pub full_node_handshake: ByKind,
    /// Endpoints named by full nodes' keepalives, by what became of them.
    pub full_node_gossip: ByKind,
    /// Endpoints of full nodes known now.
    pub full_node_endpoints: Gauge,
    /// What became of questions to full nodes beyond a plain answer, by kind.
    pub full_node_asks: ByKind,
    /// Full-node channels open now.
    pub full_node_channels: Gauge,
    /// Parts per million of the table's weight reachable over open channels.
    pub weight_reachable_ppm: Gauge,
    /// Parts per million of the online weight (or its minimum) reachable over open channels.
    pub weight_online_ppm: Gauge,
    /// Proofs asked for, by outcome.
    pub proofs: ByKind,
    /// Two quorum certificates for one root.
    pub alarms: Counter,
    /// Proofs to be dated or strengthened later, by outcome.
    pub renewals: ByKind,
    /// Blocks seen confirmed in the live stream.
    pub live_confirmed: Counter,
    /// Roots with blocks that are being voted on now.
    pub live_open: Gauge,
    /// Forks seen: opened, representatives that voted for both sides, roots decided twice.
    pub live_forks: ByKind,
    /// Live entries dropped, by reason.
    pub live_dropped: ByKind,
    /// Questions to a full node's RPC, by outcome.
    pub rpc_requests: ByKind,
    /// Frames and connections of a full node's WebSocket, by kind.
    pub events: ByKind,
    /// Requests to the facade of a full node's RPC, by outcome.
    pub facade_requests: ByKind,
    /// Attempts to renew the weight table by anchors, by outcome.
    pub weights_refresh: ByKind,
    /// Transactions relayed, by outcome.
    pub relayed: ByKind,
    /// Accounts of the own share that are kept, parts per million.
    pub backfill_coverage_ppm: Gauge,
    /// Keys of the own share passed in this round, parts per million.
    pub backfill_passed_ppm: Gauge,
    /// Accounts kept in this round.
    pub backfill_kept: Gauge,
    /// Overlay links open now.
    pub links: Gauge,
    /// Overlay links refused or closed by the shell, by reason.
    pub links_closed: ByKind,
    /// Records held now.
    pub records: Gauge,
    /// Bytes received over overlay links.
    pub link_bytes_in: Counter,
    /// Bytes sent over overlay links.
    pub link_bytes_out: Counter,
    /// Answers refused by the overlay, by reason.
    pub refused: Family<Kind, Gauge>,
    /// HTTP requests, by path group.
    pub http_requests: ByKind,
    /// Age of the weight table in seconds.
    pub weights_age_seconds: Gauge<i64>,
    /// Failures of the storage.
    pub storage_errors: Counter<u64, AtomicU64>,
}

/// Counts one more of `kind`.
pub fn count(family: &ByKind, kind: &'static str) {
    family.get_or_create(&Kind { kind }).inc();
}

/// The count of `kind` so far.
pub fn counted(family: &ByKind, kind: &'static str) -> u64 {
    family.get_or_create(&Kind { kind }).get()
}

/// Sets a gauge of `kind`.
pub fn set(family: &Family<Kind, Gauge>, kind: &'static str, value: i64) {
    family.get_or_create(&Kind { kind }).set(value);
}

impl Metrics {
    /// The text served at `/metrics`; `None` when it cannot be written, which only a lack of
    /// memory explains.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry()).ok()?;
        Some(out)
    }

    fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("nanonet");
        all.register(
            "full_node_requests",
            "Questions about accounts and blocks written to full nodes, by kind",
            self.full_node_requests.clone(),
        );
        all.register(
            "full_node_upkeep",
            "Handshakes, keepalives and searches for representatives written to full nodes",
            self.full_node_upkeep.clone(),
        );
        all.register(
            "full_node_messages",
            "Messages received from full nodes, by kind",
            self.full_node_messages.clone(),
        );
        all.register(
            "full_node_closed",
            "Ends of full-node channels, by reason",
            self.full_node_closed.clone(),
        );
        all.register(
            "full_node_handshake",
            "Steps of handshakes with full nodes, by step",
            self.full_node_handshake.clone(),
        );
        all.register(
            "full_node_gossip",
            "Endpoints named by full nodes, by what became of them",
            self.full_node_gossip.clone(),
        );
        all.register(
            "full_node_endpoints",
            "Endpoints of full nodes known now",
            self.full_node_endpoints.clone(),
        );
        all.register(
            "full_node_asks",
            "Questions hedged, wrongly or not answered, asked again, and the like",
            self.full_node_asks.clone(),
        );
        all.register(
            "full_node_channels",
            "Full-node channels open now",
            self.full_node_channels.clone(),
        );
        all.register(
            "weight_reachable_ppm",
            "Voting weight reachable over open channels, parts per million of the table",
            self.weight_reachable_ppm.clone(),
        );
        all.register(
            "weight_online_ppm",
            "Voting weight reachable over open channels, parts per million of the online weight",
            self.weight_online_ppm.clone(),
        );
        all.register(
            "proofs",
            "Proofs asked for, by outcome",
            self.proofs.clone(),
        );
        all.register(
            "alarms",
            "Two quorum certificates for one root",
            self.alarms.clone(),
        );
        all.register(
            "renewals",
            "Proofs to be dated or strengthened later, by outcome",
            self.renewals.clone(),
        );
        all.register(
            "live_confirmed",
            "Blocks seen confirmed in the live stream",
            self.live_confirmed.clone(),
        );
        all.register(
            "live_open",
            "Roots with blocks that are being voted on now",
            self.live_open.clone(),
        );
        all.register(
            "live_forks",
            "Forks seen: opened, final votes for both sides, roots decided twice",
            self.live_forks.clone(),
        );
        all.register(
            "live_dropped",
            "Blocks and votes of the live stream dropped, by reason",
            self.live_dropped.clone(),
        );
        all.register(
            "rpc_requests",
            "Questions to a full node's RPC, by outcome",
            self.rpc_requests.clone(),
        );
        all.register(
            "facade_requests",
            "Requests to the facade of a full node's RPC, by outcome",
            self.facade_requests.clone(),
        );
        all.register(
            "events",
            "Frames and connections of a full node's WebSocket, by kind",
            self.events.clone(),
        );
        all.register(
            "weights_refresh",
            "Attempts to renew the weight table by anchors, by outcome",
            self.weights_refresh.clone(),
        );
        all.register(
            "relayed",
            "Transactions relayed, by outcome",
            self.relayed.clone(),
        );
        all.register(
            "backfill_coverage_ppm",
            "Accounts of this bridge's share that are kept, parts per million",
            self.backfill_coverage_ppm.clone(),
        );
        all.register(
            "backfill_passed_ppm",
            "Keys of this bridge's share passed in this round, parts per million",
            self.backfill_passed_ppm.clone(),
        );
        all.register(
            "backfill_kept",
            "Accounts kept in this round",
            self.backfill_kept.clone(),
        );
        all.register("links", "Overlay links open now", self.links.clone());
        all.register(
            "links_closed",
            "Overlay links refused or closed, by reason",
            self.links_closed.clone(),
        );
        all.register("records", "Records held now", self.records.clone());
        all.register(
            "link_bytes_in",
            "Bytes received over overlay links",
            self.link_bytes_in.clone(),
        );
        all.register(
            "link_bytes_out",
            "Bytes sent over overlay links",
            self.link_bytes_out.clone(),
        );
        all.register(
            "refused",
            "Answers refused by the overlay, by reason",
            self.refused.clone(),
        );
        all.register(
            "http_requests",
            "HTTP requests, by path group",
            self.http_requests.clone(),
        );
        all.register(
            "weights_age_seconds",
            "Age of the weight table",
            self.weights_age_seconds.clone(),
        );
        all.register(
            "storage_errors",
            "Failures of the storage",
            self.storage_errors.clone(),
        );
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_to_full_nodes_are_told_apart_by_kind() {
        let metrics = Metrics::default();
        count(&metrics.full_node_requests, "account_info");
        count(&metrics.full_node_requests, "account_info");
        count(&metrics.full_node_requests, "confirm_req");
        let text = metrics.text().unwrap();
        assert!(
            text.contains("nanonet_full_node_requests_total{kind=\"account_info\"} 2"),
            "{text}"
        );
        assert!(text.contains("nanonet_full_node_requests_total{kind=\"confirm_req\"} 1"));
    }
}
