//! How a node introduces itself.
//!
//! A [`PeerRecord`] tells a node's keys, place, role and addresses, signed by the node key; it
//! goes round in handshakes and in lists of neighbours. A record read from the wire is only a
//! claim until [`PeerRecord::verify`] has said yes. Its size is bounded by its types: at most
//! [`MAX_ADDRESSES`] addresses of [`MAX_ADDRESS_BYTES`] each and two statements of bridges, 1.5 KiB in
//! all.

use nano_core::{Network, Signature, SignatureError, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::diversity::SeenFrom;
use crate::id::{NodeId, NodeKey, NoiseKey};
use crate::identity::{Identity, Purpose};

/// Version of the overlay protocol; nodes talk to nodes of the same version only.
pub const PROTOCOL_VERSION: u16 = 1;

/// Most addresses in a peer record.
pub const MAX_ADDRESSES: usize = 8;

/// Longest transport address, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 128;

/// What a node does in the overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// A tab or another small device: hosts a slice.
    Browser,
    /// A bridge to full nodes.
    Bridge,
}

impl Role {
    /// Whether a node of this build that was given this role works as a bridge: never without the
    /// feature `bridge`. What only bridges do asks this first, so browsers are built without it.
    pub(crate) const fn is_bridge_here(self) -> bool {
        cfg!(feature = "bridge") && matches!(self, Self::Bridge)
    }

    const fn code(self) -> u8 {
        match self {
            Self::Browser => 0,
            Self::Bridge => 1,
        }
    }
}

/// Where a node can be dialled, as text: a WebSocket URL or a multiaddress such as
/// `/ip4/…/udp/…/certhash/…`. 1 to 128 printable ASCII characters without spaces; what it means
/// is for the shell to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TransportAddress(String);

impl TransportAddress {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TransportAddress {
    type Error = AddressesError;

    fn try_from(text: String) -> Result<Self, AddressesError> {
        if text.is_empty() || text.len() > MAX_ADDRESS_BYTES {
            return Err(AddressesError::Length { length: text.len() });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AddressesError::Character);
        }
        Ok(Self(text))
    }
}

impl From<TransportAddress> for String {
    fn from(address: TransportAddress) -> Self {
        address.0
    }
}

/// Up to [`MAX_ADDRESSES`] addresses of one node, best first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<TransportAddress>", into = "Vec<TransportAddress>")]
pub struct Addresses(Vec<TransportAddress>);

impl Addresses {
    /// One after another, best first.
    pub fn iter(&self) -> std::slice::Iter<'_, TransportAddress> {
        self.0.iter()
    }

    /// Whether there is none, as for a browser.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<TransportAddress>> for Addresses {
    type Error = AddressesError;

    fn try_from(addresses: Vec<TransportAddress>) -> Result<Self, AddressesError> {
        if addresses.len() > MAX_ADDRESSES {
            let count = addresses.len();
            return Err(AddressesError::Count { count });
        }
        Ok(Self(addresses))
    }
}

impl From<Addresses> for Vec<TransportAddress> {
    fn from(addresses: Addresses) -> Self {
        addresses.0
    }
}

/// Why addresses are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressesError {
    /// Empty or longer than [`MAX_ADDRESS_BYTES`].
    #[error("a transport address has 1 to 128 bytes, this one {length}")]
    Length {
        /// Bytes found.
        length: usize,
    },
    /// A space, a control character or something beyond ASCII.
    #[error("a transport address is printable ASCII without spaces; encode host names first")]
    Character,
    /// More than [`MAX_ADDRESSES`].
    #[error("a node has at most 8 addresses, this one {count}: leave some out")]
    Count {
        /// Addresses found.
        count: usize,
    },
}

/// How a node introduces itself; signed by its node key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerRecord {
    /// Who.
    pub node_key: NodeKey,
    /// Places the node, see [`NodeId::new`].
    pub nonce: u64,
    /// The key its handshakes prove and to which payloads for it are sealed.
    pub noise_key: NoiseKey,
    /// What it does.
    pub role: Role,
    /// Which Nano network it serves.
    #[serde(with = "network_bytes")]
    pub network: Network,
    /// Version of the overlay protocol it speaks, see [`PROTOCOL_VERSION`].
    pub version: u16,
    /// Where it can be dialled; none for a browser.
    pub addresses: Addresses,
    /// From where bridges saw it, see [`crate::SeenFrom`]; `None` where there are fewer.
    pub seen: [Option<Box<SeenFrom>>; 2],
    /// When it was signed, by the node's own clock: of two records of a node the newer counts.
    pub issued_at: UnixMillis,
    /// The node key's signature for [`Purpose::Peer`] over the fields above.
    pub signature: Signature,
}

impl PeerRecord {
    /// Where the node lies.
    pub fn node_id(&self) -> NodeId {
        NodeId::new(&self.node_key, self.nonce)
    }

    /// Checks the signature. Says nothing about whether the node can be reached, or how old the
    /// record is.
    ///
    /// # Errors
    /// Why the signature is refused.
    pub fn verify(&self) -> Result<(), SignatureError> {
        self.node_key
            .verify(Purpose::Peer, &self.signed_bytes(), &self.signature)
    }

    /// Its bytes, as [`PeerRecord::from_bytes`] reads them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads [`PeerRecord::to_bytes`]; `None` for anything else. What it says is to be verified.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (record, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(record)
    }

    /// Several in one piece, for storage.
    #[must_use]
    pub fn pack(records: &[Self]) -> Vec<u8> {
        postcard::to_allocvec(records).unwrap_or_default()
    }

    /// Reads [`PeerRecord::pack`]; none out of anything else. What they say is to be verified.
    #[must_use]
    pub fn unpack(bytes: &[u8]) -> Vec<Self> {
        postcard::from_bytes(bytes).unwrap_or_default()
    }

    /// What is signed: every field but the signature, fixed sizes first, numbers little-endian,
    /// then the count of addresses and each with its length. One record has one such form.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(self.node_key.as_bytes());
        bytes.extend_from_slice(&self.nonce.to_le_bytes());
        bytes.extend_from_slice(self.noise_key.as_bytes());
        bytes.push(self.role.code());
        bytes.extend_from_slice(&self.network.id());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.issued_at.0.to_le_bytes());
        // Neither count nor length can exceed one byte: see `MAX_ADDRESSES`, `MAX_ADDRESS_BYTES`.
        bytes.push(u8::try_from(self.addresses.0.len()).unwrap_or(u8::MAX));
        for address in &self.addresses.0 {
            bytes.push(u8::try_from(address.0.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(address.0.as_bytes());
        }
        for seen in &self.seen {
            bytes.push(u8::from(seen.is_some()));
            if let Some(seen) = seen {
                seen.write(&mut bytes);
            }
        }
        bytes
    }
}

impl Identity {
    /// The record that introduces this node, signed.
    pub fn peer_record(
        &self,
        role: Role,
        network: Network,
        addresses: Addresses,
        issued_at: UnixMillis,
    ) -> PeerRecord {
        let mut record = PeerRecord {
            node_key: self.node_key(),
            nonce: self.nonce(),
            noise_key: self.noise_key(),
            role,
            network,
            version: PROTOCOL_VERSION,
            addresses,
            seen: [None, None],
            issued_at,
            signature: Signature::from_bytes([0; 64]),
        };
        self.renew(&mut record, issued_at);
        record
    }

    /// Signs a record of this node anew, at its present place.
    pub(crate) fn renew(&self, record: &mut PeerRecord, issued_at: UnixMillis) {
        record.nonce = self.nonce();
        record.issued_at = issued_at;
        record.signature = self.sign(Purpose::Peer, &record.signed_bytes());
    }
}

/// A network on the wire: the two bytes that stand in the headers of Nano's own messages.
pub(crate) mod network_bytes {
    use nano_core::Network;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    /// The network with these two bytes.
    pub(crate) fn parse(id: [u8; 2]) -> Option<Network> {
        [Network::Live, Network::Beta, Network::Test, Network::Dev]
            .into_iter()
            .find(|network| network.id() == id)
    }

    pub(crate) fn serialize<S: Serializer>(
        network: &Network,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        network.id().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Network, D::Error> {
        let id = <[u8; 2]>::deserialize(deserializer)?;
        parse(id).ok_or_else(|| serde::de::Error::custom("no Nano network has this id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    fn identity(seed: u8) -> Identity {
        Identity::generate(&mut Rng::from_seed([seed; 32]))
    }

    fn addresses(texts: &[&str]) -> Addresses {
        let addresses: Vec<_> = texts
            .iter()
            .map(|text| TransportAddress::try_from((*text).to_owned()).unwrap())
            .collect();
        addresses.try_into().unwrap()
    }

    fn seen(by: u8, of: &Identity) -> Option<Box<SeenFrom>> {
        let key = of.node_key();
        let seen = SeenFrom::sign(&identity(by), &key, [by; 8], UnixMillis(7));
        Some(Box::new(seen))
    }

    fn record(identity: &Identity) -> PeerRecord {
        let mut record = identity.peer_record(
            Role::Bridge,
            Network::Dev,
            addresses(&["ws://127.0.0.1:7080/v1/link"]),
            UnixMillis(1_700_000_000_000),
        );
        record.seen = [seen(9, identity), None];
        let at = record.issued_at;
        identity.renew(&mut record, at);
        record
    }

    #[test]
    fn every_field_of_a_peer_record_is_under_its_signature() {
        let signer = identity(1);
        let good = record(&signer);
        assert_eq!(good.verify(), Ok(()));
        let changes: [fn(&mut PeerRecord); 9] = [
            |record| record.seen.swap(0, 1),
            |record| record.node_key = identity(2).node_key(),
            |record| record.nonce ^= 1,
            |record| record.noise_key = NoiseKey::from_bytes([1; 32]),
            |record| record.role = Role::Browser,
            |record| record.network = Network::Live,
            |record| record.version += 1,
            |record| record.addresses = Addresses::default(),
            |record| record.issued_at.0 += 1,
        ];
        for change in changes {
            let mut changed = good.clone();
            change(&mut changed);
            assert!(changed.verify().is_err(), "{changed:?}");
        }
    }

    #[test]
    fn addresses_beyond_the_limits_are_refused() {
        let address = |text: &str| TransportAddress::try_from(text.to_owned());
        assert!(address(&"a".repeat(MAX_ADDRESS_BYTES)).is_ok());
        let length = MAX_ADDRESS_BYTES + 1;
        assert_eq!(
            address(&"a".repeat(length)),
            Err(AddressesError::Length { length })
        );
        assert_eq!(address(""), Err(AddressesError::Length { length: 0 }));
        assert_eq!(address("ws://a b"), Err(AddressesError::Character));
        assert_eq!(address("ws://ä"), Err(AddressesError::Character));
        let nine = vec![address("ws://a").unwrap(); MAX_ADDRESSES + 1];
        assert_eq!(
            Addresses::try_from(nine.clone()),
            Err(AddressesError::Count { count: 9 })
        );
        // The same limits hold for what comes from the wire.
        let bytes = postcard::to_allocvec(&nine).unwrap();
        assert!(postcard::from_bytes::<Addresses>(&bytes).is_err());
    }

    #[test]
    fn the_largest_record_fits_a_handshake_message() {
        let longest = "a".repeat(MAX_ADDRESS_BYTES);
        let addresses = addresses(&[longest.as_str(); MAX_ADDRESSES]);
        let us = identity(1);
        let mut record =
            us.peer_record(Role::Bridge, Network::Live, addresses, UnixMillis(u64::MAX));
        record.seen = [seen(2, &us), seen(3, &us)];
        let bytes = postcard::to_allocvec(&record).unwrap();
        assert!(bytes.len() <= 1_470, "{}", bytes.len());
    }

    proptest! {
        #[test]
        fn a_peer_record_survives_the_wire(
            seed: u8,
            bridge: bool,
            texts in prop::collection::vec("[!-~]{1,128}", 0..=MAX_ADDRESSES),
            at: u64,
        ) {
            let signer = identity(seed);
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let role = if bridge { Role::Bridge } else { Role::Browser };
            let record =
                signer.peer_record(role, Network::Beta, addresses(&texts), UnixMillis(at));
            let bytes = postcard::to_allocvec(&record).unwrap();
            let read: PeerRecord = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(&read, &record);
            prop_assert_eq!(read.verify(), Ok(()));
        }

        #[test]
        fn an_altered_record_is_refused(place: usize, change in 1_u8..) {
            let record = record(&identity(1));
            let mut bytes = postcard::to_allocvec(&record).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= change;
            if let Ok(record) = postcard::from_bytes::<PeerRecord>(&bytes) {
                prop_assert!(record.verify().is_err());
            }
        }

        #[test]
        fn damaged_bytes_are_refused_or_read_the_same_again(
            damage in prop::collection::vec((any::<usize>(), any::<u8>()), 1..5),
            length: usize,
        ) {
            let mut bytes = postcard::to_allocvec(&record(&identity(1))).unwrap();
            for (place, byte) in damage {
                let place = place % bytes.len();
                bytes[place] = byte;
            }
            bytes.truncate(length % (2 * bytes.len()));
            if let Ok(record) = postcard::from_bytes::<PeerRecord>(&bytes) {
                let again = postcard::to_allocvec(&record).unwrap();
                prop_assert_eq!(postcard::from_bytes(&again), Ok(record));
            }
        }
    }
}
