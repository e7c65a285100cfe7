//! The peers connected now, and where others may be found.
//!
//! Bounds: as many peers as the configuration says; [`MAX_KNOWN`] addresses heard of, more are
//! ignored; [`MAX_REPRESENTATIVES`] representatives noted per peer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use nano_core::message::Telemetry;
use nano_core::{Account, PublicKey};

/// Most addresses of possible peers.
const MAX_KNOWN: usize = 256;
/// Most representatives noted per peer.
const MAX_REPRESENTATIVES: usize = 64;

/// A connected peer.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) remote: SocketAddr,
    /// Where it listens, if it said so or we connected there.
    pub(crate) peering: Option<SocketAddr>,
    pub(crate) node_id: PublicKey,
    pub(crate) protocol_version: u8,
    pub(crate) telemetry: Option<Arc<Telemetry>>,
    representatives: BTreeSet<Account>,
}

/// Peers by connection number, and addresses to try.
#[derive(Debug)]
pub(crate) struct PeerTable {
    peers: BTreeMap<u64, Peer>,
    known: BTreeSet<SocketAddr>,
    max_peers: usize,
}

/// Why a connection is not kept after its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error("this node id is connected from the same address already")]
    Duplicate,
    #[error("there are too many peers")]
    Full,
}

impl PeerTable {
    pub(crate) fn new(max_peers: usize) -> Self {
        Self {
            peers: BTreeMap::new(),
            known: BTreeSet::new(),
            max_peers,
        }
    }

    /// Enters a peer that completed its handshake.
    pub(super) fn add(
        &mut self,
        connection: u64,
        remote: SocketAddr,
        peering: Option<SocketAddr>,
        node_id: PublicKey,
        protocol_version: u8,
    ) -> Result<(), Refused> {
        if self.peers.len() >= self.max_peers {
            return Err(Refused::Full);
        }
        let is_duplicate = self
            .peers
            .values()
            .any(|peer| peer.node_id == node_id && peer.remote.ip() == remote.ip());
        if is_duplicate {
            return Err(Refused::Duplicate);
        }
        let peer = Peer {
            remote,
            peering,
            node_id,
            protocol_version,
            telemetry: None,
            representatives: BTreeSet::new(),
        };
        self.peers.insert(connection, peer);
        Ok(())
    }

    pub(super) fn remote(&self, connection: u64) -> Option<SocketAddr> {
        self.peers.get(&connection).map(|peer| peer.remote)
    }

    pub(super) fn remove(&mut self, connection: u64) {
        self.peers.remove(&connection);
    }

    /// Notes where a peer says it listens: its own address with that port.
    pub(super) fn note_listening(&mut self, connection: u64, port: u16) {
        if let Some(peer) = self.peers.get_mut(&connection) {
            peer.peering = Some(SocketAddr::new(peer.remote.ip(), port));
        }
    }

    pub(super) fn note_telemetry(&mut self, connection: u64, telemetry: Arc<Telemetry>) {
        if let Some(peer) = self.peers.get_mut(&connection) {
            peer.telemetry = Some(telemetry);
        }
    }

    /// Notes that a representative's own vote came over this connection.
    pub(super) fn note_representative(&mut self, connection: u64, who: Account) {
        if let Some(peer) = self.peers.get_mut(&connection)
            && peer.representatives.len() < MAX_REPRESENTATIVES
        {
            peer.representatives.insert(who);
        }
    }

    /// Notes an address at which a node may listen.
    pub(crate) fn note_address(&mut self, address: SocketAddr) {
        if self.known.len() < MAX_KNOWN {
            self.known.insert(address);
        }
    }

    pub(super) fn forget_address(&mut self, address: &SocketAddr) {
        self.known.remove(address);
    }

    /// Addresses heard of that no connected peer listens at.
    pub(super) fn addresses_to_try(&self) -> Vec<SocketAddr> {
        let connected: BTreeSet<SocketAddr> = self
            .peers
            .values()
            .filter_map(|peer| peer.peering)
            .collect();
        self.known.difference(&connected).copied().collect()
    }

    /// Whether a peer that listens at this address is connected.
    pub(super) fn is_connected(&self, address: &SocketAddr) -> bool {
        self.peers
            .values()
            .any(|peer| peer.peering.as_ref() == Some(address))
    }

    /// Where connected peers listen.
    pub(super) fn listening(&self) -> Vec<SocketAddr> {
        self.peers
            .values()
            .filter_map(|peer| peer.peering)
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }

    pub(crate) fn list(&self) -> Vec<Peer> {
        self.peers.values().cloned().collect()
    }

    /// The newest telemetry of every peer that sent some.
    pub(crate) fn telemetry(&self) -> Vec<(SocketAddr, Arc<Telemetry>)> {
        self.peers
            .values()
            .filter_map(|peer| Some((peer.remote, Arc::clone(peer.telemetry.as_ref()?))))
            .collect()
    }

    /// Representatives that were heard directly, with the peer that hosts them.
    pub(crate) fn representatives(&self) -> BTreeMap<Account, SocketAddr> {
        self.peers
            .values()
            .flat_map(|peer| peer.representatives.iter().map(|who| (*who, peer.remote)))
            .collect()
    }
}
