//! How much of everything the book allows, by network, and which addresses belong together.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nano_core::Network;

/// Bounds and times of a [`super::Book`]; times in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Endpoints remembered. A heard one that finds the book full takes the place of the
    /// unconfigured one that failed most often, or is ignored.
    pub endpoints: usize,
    /// Endpoints that one channel may add and that were never reached: no gossip fills the book.
    pub per_gossip: usize,
    /// Channels dialled, attempts included. Configured endpoints count, but are dialled beyond it.
    pub channels: usize,
    /// Channels to configured endpoints, attempts included.
    pub configured: usize,
    /// Channels accepted, handshakes included.
    pub inbound: usize,
    /// Attempts at once; for configured endpoints once more as many.
    pub attempts: usize,
    /// Channels with one IP address, both directions. A full node allows four itself.
    pub per_address: usize,
    /// Channels with one subnet (IPv4 /24, IPv6 /64), both directions.
    pub per_subnet: usize,
    /// Channels kept open when enough voting weight is reachable: spare ones to ask.
    pub spare: usize,
    /// Whether loopback and private addresses may be learned and passed on.
    pub private: bool,
    /// Pause between two attempts at endpoints nobody configured, after a first burst of
    /// [`Limits::attempts`].
    pub pace: u64,
    /// First pause after a failed attempt at a configured endpoint, and the longest.
    pub configured_pauses: (u64, u64),
    /// The same for any other endpoint.
    pub other_pauses: (u64, u64),
    /// A channel that lasted this long was good: its endpoint's failures are forgotten.
    pub good: u64,
    /// Pause before an endpoint of another network is tried again, as long as full nodes exclude.
    pub foreign: u64,
    /// Pause before an endpoint is tried again whose node is connected by another one, or that was
    /// given up and hosted nobody.
    pub duplicate: u64,
    /// How long a channel may take to show its representatives before it can be given up for
    /// another endpoint, and the pause before one that hosted weight is tried again.
    pub grace: u64,
    /// Pause between two channels given up so.
    pub rotation: u64,
}

/// Failures in a row after which an endpoint that nobody configured is forgotten.
pub(super) const FORGOTTEN_AFTER: u32 = 8;

impl Limits {
    /// Those of a network. Full nodes of a development network share one machine, so that their
    /// addresses are private and alike.
    #[must_use]
    pub const fn of(network: Network) -> Self {
        let local = matches!(network, Network::Dev | Network::Beta);
        let dev = matches!(network, Network::Dev);
        Self {
            endpoints: 1024,
            per_gossip: 128,
            channels: 64,
            configured: 256,
            inbound: 64,
            attempts: 16,
            per_address: if dev { 256 } else { 4 },
            per_subnet: if local { 256 } else { 16 },
            spare: 8,
            private: local,
            pace: if dev { 50 } else { 250 },
            configured_pauses: (250, 60_000),
            other_pauses: if dev {
                (500, 60_000)
            } else {
                (5_000, 3_600_000)
            },
            good: 30_000,
            foreign: 3_600_000,
            duplicate: 600_000,
            grace: if dev { 5_000 } else { 30_000 },
            rotation: if dev { 1_000 } else { 10_000 },
        }
    }
}

/// The endpoint with an IPv4 address written as such, however it came.
pub(super) fn canonical(endpoint: SocketAddr) -> SocketAddr {
    SocketAddr::new(endpoint.ip().to_canonical(), endpoint.port())
}

/// Whether anything can listen there: no port 0, no address of nobody or of many.
pub(super) fn is_possible(endpoint: SocketAddr) -> bool {
    let ip = endpoint.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    endpoint.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

/// Whether the address means something to others: neither this machine nor a private network.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let benchmark = a == 198 && (b == 18 || b == 19);
    let reserved = a == 0 || a >= 240;
    !(ip.is_loopback()
        || ip.is_private()
        || ip.is_link_local()
        || ip.is_documentation()
        || shared
        || benchmark
        || reserved)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let documentation = ip.segments()[..2] == [0x2001, 0xdb8];
    !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || documentation)
}

/// The subnet whose addresses one party is likely to hold together.
pub(crate) fn subnet(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_impossible_endpoints_are_told_apart() {
        for text in [
            "127.0.0.1:1",
            "10.0.0.1:1",
            "192.168.1.1:1",
            "[::1]:1",
            "[fd00::1]:1",
        ] {
            let endpoint: SocketAddr = text.parse().unwrap();
            assert!(is_possible(endpoint) && !is_public(endpoint.ip()), "{text}");
        }
        for text in [
            "0.0.0.0:1",
            "255.255.255.255:1",
            "224.0.0.1:1",
            "1.1.1.1:0",
            "[::]:1",
        ] {
            assert!(!is_possible(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1:7075", "[2606::1]:7075"] {
            let endpoint: SocketAddr = text.parse().unwrap();
            assert!(is_possible(endpoint) && is_public(endpoint.ip()), "{text}");
        }
    }

    #[test]
    fn neighbours_share_a_subnet_and_strangers_do_not() {
        let subnet = |text: &str| super::subnet(text.parse().unwrap());
        assert_eq!(subnet("1.2.3.4"), subnet("1.2.3.200"));
        assert_ne!(subnet("1.2.3.4"), subnet("1.2.4.4"));
        assert_eq!(subnet("2606:1:2:3::1"), subnet("2606:1:2:3:ffff::9"));
        assert_ne!(subnet("2606:1:2:3::1"), subnet("2606:1:2:4::1"));
        let mapped = canonical("[::ffff:1.2.3.4]:7".parse().unwrap());
        assert_eq!(mapped, "1.2.3.4:7".parse().unwrap());
    }
}
