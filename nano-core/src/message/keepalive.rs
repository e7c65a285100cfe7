//! keepalive: up to eight endpoints of peers, and a sign of life.
//!
//! Payload: eight times an IPv6 address (16 bytes; IPv4 as `::ffff:a.b.c.d`) and a port
//! (little-endian). Unused places are zero. An entry 0 with address `::` and a port announces the
//! sender's own listening port: never send that unless inbound connections are really served.

use core::net::Ipv6Addr;

use crate::cursor::Cursor;

const PEERS: usize = 8;

/// Where a peer listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerEndpoint {
    /// IPv6, or IPv4 mapped into it.
    pub address: Ipv6Addr,
    /// TCP port; 0 in an unused place.
    pub port: u16,
}

impl PeerEndpoint {
    /// An unused place.
    pub const UNUSED: Self = Self {
        address: Ipv6Addr::UNSPECIFIED,
        port: 0,
    };
}

/// Eight places for endpoints of peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// The places; unused ones are [`PeerEndpoint::UNUSED`].
    pub peers: [PeerEndpoint; PEERS],
}

impl Keepalive {
    /// A mere sign of life: no endpoint, and no claim to listen anywhere.
    pub const EMPTY: Self = Self {
        peers: [PeerEndpoint::UNUSED; PEERS],
    };

    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(payload);
        let mut peers = [PeerEndpoint::UNUSED; PEERS];
        for peer in &mut peers {
            peer.address = Ipv6Addr::from(cursor.array::<16>()?);
            peer.port = u16::from_le_bytes(cursor.array()?);
        }
        Some(Self { peers })
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) {
        for peer in &self.peers {
            payload.extend(peer.address.octets());
            payload.extend(peer.port.to_le_bytes());
        }
    }
}
