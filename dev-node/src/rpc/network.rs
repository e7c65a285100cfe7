//! Actions about representatives, elections and peers.

use std::net::SocketAddr;

use nano_core::{Account, Raw, Root, message::Telemetry};
use serde_json::{Map, Value, json};

use super::request::{Refusal, Request, parse_account};
use crate::ledger::Ledger;
use crate::node::Shared;

pub(super) fn confirmation_quorum(shared: &Shared, request: &Request) -> Value {
    let peers = shared.peers().representatives();
    let engine = shared.engine();
    let ledger = engine.ledger();
    let rows: Vec<(Account, SocketAddr, Raw)> = peers
        .into_iter()
        .map(|(who, at)| (who, at, ledger.weight(&who)))
        .collect();
    let connected = rows.iter().fold(Raw::ZERO, |sum, (_, _, weight)| {
        sum.checked_add(*weight).unwrap_or(Raw::MAX)
    });
    let mut fields = Map::from_iter([
        ("quorum_delta".to_owned(), json!(engine.quorum_delta())),
        ("online_weight_quorum_percent".to_owned(), json!("67")),
        (
            "online_weight_minimum".to_owned(),
            json!(engine.online_weight_minimum()),
        ),
        (
            "online_stake_total".to_owned(),
            json!(engine.online_weight()),
        ),
        (
            "trended_stake_total".to_owned(),
            json!(engine.trended_weight()),
        ),
        ("peers_stake_total".to_owned(), json!(connected)),
    ]);
    if request.flag("peer_details") {
        let peers = rows
            .iter()
            .map(|(who, at, weight)| json!({ "account": who, "ip": mapped(*at), "weight": weight }))
            .collect();
        fields.insert("peers".to_owned(), peers);
    }
    Value::Object(fields)
}

pub(super) fn confirmation_info(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    // Qualified root: root, then previous. The root alone names the election.
    let text = request.text("root")?;
    let root: Root = text
        .get(..64)
        .filter(|_| text.len() == 128)
        .and_then(|half| half.parse().ok())
        .ok_or_else(|| Refusal::new("Invalid root hash"))?;
    let engine = shared.engine();
    let not_found = || Refusal::new("Active confirmation not found");
    let tally = engine.tally(&root).ok_or_else(not_found)?;
    let election = engine.elections().get(&root).ok_or_else(not_found)?;
    let with_contents = request.flag_or("contents", true);
    let with_representatives = request.flag("representatives");
    let mut blocks = Map::new();
    for (hash, block) in &election.candidates {
        let weight = tally.by_block.get(hash).copied().unwrap_or_default();
        let mut fields = Map::from_iter([("tally".to_owned(), json!(weight))]);
        if with_contents {
            let contents = if request.flag("json_block") {
                block.to_json()
            } else {
                let text = serde_json::to_string_pretty(&block.to_json());
                Value::String(text.unwrap_or_default())
            };
            fields.insert("contents".to_owned(), contents);
        }
        if with_representatives {
            let voters = |only_final: bool| -> Value {
                let votes = election
                    .votes()
                    .iter()
                    .filter(|(_, (voted, time))| voted == hash && (!only_final || time.is_final()));
                let rows =
                    votes.map(|(who, _)| (who.to_string(), json!(engine.ledger().weight(who))));
                Value::Object(rows.collect())
            };
            fields.insert("representatives".to_owned(), voters(false));
            fields.insert("representatives_final".to_owned(), voters(true));
        }
        blocks.insert(hash.to_string(), Value::Object(fields));
    }
    Ok(json!({
        "announcements": election.requests.to_string(),
        "voters": election.votes().len().to_string(),
        "last_winner": election.winner,
        "total_tally": tally.total,
        "final_tally": tally.leader_final,
        "blocks": blocks,
    }))
}

pub(super) fn representatives(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let count = request.count("count")?.unwrap_or(usize::MAX);
    let engine = shared.engine();
    let weights = engine.ledger().weights();
    let mut rows: Vec<(&Account, &Raw)> = weights.iter().collect();
    if request.flag("sorting") {
        rows.sort_by_key(|(_, weight)| std::cmp::Reverse(**weight));
    }
    rows.truncate(count);
    let rows = rows
        .into_iter()
        .map(|(who, weight)| (who.to_string(), json!(weight)));
    Ok(json!({ "representatives": Value::Object(rows.collect()) }))
}

pub(super) fn representatives_online(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let wanted = match request.get("accounts") {
        Some(_) => Some(
            request
                .texts("accounts")?
                .into_iter()
                .map(parse_account)
                .collect::<Result<Vec<Account>, Refusal>>()?,
        ),
        None => None,
    };
    let online = shared.engine().online_representatives();
    let online = online
        .into_iter()
        .filter(|(who, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(who)));
    let representatives: Value = if request.flag("weight") {
        let rows = online.map(|(who, weight)| (who.to_string(), json!({ "weight": weight })));
        Value::Object(rows.collect())
    } else {
        online.map(|(who, _)| json!(who)).collect()
    };
    Ok(json!({ "representatives": representatives }))
}

/// What is neither on the genesis account nor burned.
pub(super) fn available_supply(shared: &Shared) -> Value {
    let engine = shared.engine();
    let ledger = engine.ledger();
    let burned = ledger
        .receivable_of(&Account::ZERO)
        .fold(0_u128, |sum, (_, info)| {
            sum.saturating_add(info.amount.number())
        });
    let genesis = ledger.balance(&Ledger::NETWORK.genesis_account()).number();
    let available = u128::MAX.saturating_sub(genesis).saturating_sub(burned);
    json!({ "available": available.to_string() })
}

/// This node's telemetry; with `raw` that of every peer that sent some; with `address` and `port`
/// that of one peer.
pub(super) fn telemetry(shared: &Shared, request: &Request) -> Result<Value, Refusal> {
    let peers = shared.peers().telemetry();
    if let (Some(address), Some(port)) = (request.optional_text("address"), request.get("port")) {
        let port = match port {
            Value::String(text) => text.clone(),
            number => number.to_string(),
        };
        let found = peers.iter().find(|(at, _)| {
            let (ip, own_port) = split(*at);
            own_port == port && (ip == address || at.ip().to_string() == address)
        });
        let (_, telemetry) = found.ok_or_else(|| Refusal::new("Peer not found"))?;
        return Ok(Value::Object(telemetry_fields(telemetry)));
    }
    if request.flag("raw") {
        let metrics: Value = peers
            .iter()
            .map(|(at, telemetry)| {
                let mut fields = telemetry_fields(telemetry);
                let (ip, port) = split(*at);
                fields.insert("address".to_owned(), Value::String(ip));
                fields.insert("port".to_owned(), Value::String(port));
                Value::Object(fields)
            })
            .collect();
        return Ok(json!({ "metrics": metrics }));
    }
    Ok(Value::Object(telemetry_fields(&shared.telemetry())))
}

/// A telemetry record by its RPC names.
pub(crate) fn telemetry_fields(telemetry: &Telemetry) -> Map<String, Value> {
    let node_id = telemetry.node_id.to_node_id_text();
    [
        ("block_count", telemetry.block_count.to_string()),
        ("cemented_count", telemetry.cemented_count.to_string()),
        ("unchecked_count", telemetry.unchecked_count.to_string()),
        ("account_count", telemetry.account_count.to_string()),
        ("bandwidth_cap", telemetry.bandwidth_cap.to_string()),
        ("uptime", telemetry.uptime.to_string()),
        ("peer_count", telemetry.peer_count.to_string()),
        ("protocol_version", telemetry.protocol_version.to_string()),
        ("genesis_block", telemetry.genesis.to_string()),
        ("major_version", telemetry.major_version.to_string()),
        ("minor_version", telemetry.minor_version.to_string()),
        ("patch_version", telemetry.patch_version.to_string()),
        (
            "pre_release_version",
            telemetry.pre_release_version.to_string(),
        ),
        ("maker", telemetry.maker.to_string()),
        ("timestamp", telemetry.timestamp.number().to_string()),
        ("active_difficulty", telemetry.active_difficulty.to_string()),
        ("signature", telemetry.signature.to_string()),
        ("node_id", node_id),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), Value::String(text)))
    .collect()
}

pub(super) fn peers(shared: &Shared, request: &Request) -> Value {
    let details = request.flag("peer_details");
    let rows = shared.peers().list().into_iter().map(|peer| {
        let version = peer.protocol_version.to_string();
        let value = if details {
            json!({
                "protocol_version": version,
                "node_id": peer.node_id.to_node_id_text(),
                "type": "tcp",
                "peering": mapped(peer.peering.unwrap_or(peer.remote)),
            })
        } else {
            Value::String(version)
        };
        (mapped(peer.remote), value)
    });
    json!({ "peers": Value::Object(rows.collect()) })
}

/// An address as full nodes write it: IPv4 inside IPv6, in brackets.
fn mapped(address: SocketAddr) -> String {
    let (ip, port) = split(address);
    format!("[{ip}]:{port}")
}

/// IP (IPv4 as `::ffff:a.b.c.d`) and port.
pub(crate) fn split(address: SocketAddr) -> (String, String) {
    let ip = match address {
        SocketAddr::V4(address) => address.ip().to_ipv6_mapped(),
        SocketAddr::V6(address) => *address.ip(),
    };
    (ip.to_string(), address.port().to_string())
}
