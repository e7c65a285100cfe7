//! What keepalives say, and what telemetry says.

use std::net::{Ipv6Addr, SocketAddr};

use nano_core::message::{Keepalive, PROTOCOL_VERSION, PeerEndpoint, Telemetry};
use nano_core::{Difficulty, Signature};

use crate::ledger::Ledger;
use crate::node::{Shared, now};

/// "Maker" of telemetry: the numbers up to 3 belong to known node programs.
const MAKER: u8 = 0x7e;

/// The keepalive of a round: each fourth announces where this node listens, the others name up
/// to eight peers, a different part of them each time.
pub(super) fn next(shared: &Shared, round: u64) -> Keepalive {
    let mut keepalive = Keepalive::EMPTY;
    if round % 4 == 1 {
        keepalive.peers[0] = PeerEndpoint {
            address: Ipv6Addr::UNSPECIFIED,
            port: shared.peering().port(),
        };
        return keepalive;
    }
    let listening = shared.peers().listening();
    if listening.is_empty() {
        return keepalive;
    }
    let skip = usize::try_from(round).unwrap_or(0) % listening.len();
    for (place, address) in keepalive
        .peers
        .iter_mut()
        .zip(listening.iter().cycle().skip(skip).take(listening.len()))
    {
        *place = endpoint(*address);
    }
    keepalive
}

fn endpoint(address: SocketAddr) -> PeerEndpoint {
    let ip = match address {
        SocketAddr::V4(address) => address.ip().to_ipv6_mapped(),
        SocketAddr::V6(address) => *address.ip(),
    };
    PeerEndpoint {
        address: ip,
        port: address.port(),
    }
}

/// What this node says about itself now, signed.
pub(crate) fn telemetry(shared: &Shared) -> Telemetry {
    let peer_count = shared.peers().len();
    let engine = shared.engine();
    let ledger = engine.ledger();
    let now = now();
    let number = |text: &str| text.parse().unwrap_or(0);
    let unsigned = Telemetry {
        signature: Signature::ZERO,
        node_id: shared.node_key().public_key(),
        block_count: ledger.block_count(),
        cemented_count: ledger.cemented_count(),
        unchecked_count: engine.unchecked_count() as u64,
        account_count: ledger.account_count(),
        bandwidth_cap: 0,
        peer_count: u32::try_from(peer_count).unwrap_or(u32::MAX),
        protocol_version: PROTOCOL_VERSION,
        uptime: now.since(shared.started()) / 1000,
        genesis: Ledger::NETWORK.genesis_hash(),
        major_version: number(env!("CARGO_PKG_VERSION_MAJOR")),
        minor_version: number(env!("CARGO_PKG_VERSION_MINOR")),
        patch_version: number(env!("CARGO_PKG_VERSION_PATCH")),
        pre_release_version: 0,
        maker: MAKER,
        timestamp: now,
        active_difficulty: active_difficulty(),
        unknown: Vec::new(),
    };
    drop(engine);
    unsigned.sign(shared.node_key())
}

const fn active_difficulty() -> Difficulty {
    Ledger::NETWORK.work_thresholds().epoch_2_send
}
