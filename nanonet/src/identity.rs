//! Who a node is: its secret, what it signs, and how it introduces itself.
//!
//! An [`Identity`] is one 32-byte secret from which the signing key and the Noise key are derived,
//! and the nonce that places the node in the key space. The shell stores
//! [`Identity::to_bytes`] and gives it back at the next start, so a node keeps its place.
//!
//! A [`PeerRecord`] is how a node introduces itself, in handshakes and in lists of neighbours: its
//! keys, place, role and addresses, signed by the node key. A record read from the wire is only a
//! claim until [`PeerRecord::verify`] has said yes.
//!
//! Rules:
//! - everything the overlay signs goes through [`Identity::sign`], which puts
//!   `nanonet <purpose> v1` in front: a signature of one purpose is worth nothing for another, and
//!   none is a signature over a bare 32-byte value, which is what Nano's blocks and votes sign;
//! - the signing key is derived under its own name, so that even the secret of an account used
//!   here by mistake does not become a node key that signs for that account.

use nano_core::{Network, PrivateKey, PublicKey, Signature, SignatureError, UnixMillis};
use serde::{Deserialize, Serialize};
use x25519_dalek::StaticSecret;
use zeroize::Zeroizing;

use crate::id::{NodeId, NodeKey, NoiseKey, hash};
use crate::rng::Rng;

/// Version of the overlay protocol; nodes talk to nodes of the same version only.
pub const PROTOCOL_VERSION: u16 = 1;

/// Most addresses in a peer record.
pub const MAX_ADDRESSES: usize = 8;

/// Longest transport address, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 128;

/// First byte of a stored identity.
const STORED_VERSION: u8 = 1;

/// Bytes of a stored identity: version, secret, nonce.
const STORED_BYTES: usize = 1 + 32 + 8;

/// What a signature of the overlay is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A [`PeerRecord`].
    Peer,
    /// A bridge's statement of what it saw of an account.
    Sighting,
}

impl Purpose {
    /// The text in front of what is signed. No text is the start of another.
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Peer => b"nanonet peer v1",
            Self::Sighting => b"nanonet sighting v1",
        }
    }

    fn message(self, data: &[u8]) -> Vec<u8> {
        [self.prefix(), data].concat()
    }
}

impl NodeKey {
    /// Checks that the node with this key signed `data` for `purpose`; signatures that are not in
    /// canonical form, and keys that sign for nobody, are refused.
    ///
    /// # Errors
    /// Why the signature is refused.
    pub fn verify(
        &self,
        purpose: Purpose,
        data: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        PublicKey::from_bytes(*self.as_bytes()).verify_canonical(&purpose.message(data), signature)
    }
}

/// What a node does in the overlay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// A tab or another small device: hosts a slice.
    Browser,
    /// A bridge to full nodes.
    Bridge,
}

impl Role {
    const fn code(self) -> u8 {
        match self {
            Self::Browser => 0,
            Self::Bridge => 1,
        }
    }
}

/// The secret of a node. Wiped from memory when dropped; never printed.
pub struct Identity {
    secret: Zeroizing<[u8; 32]>,
    nonce: u64,
    signing: PrivateKey,
    noise: StaticSecret,
    node_key: NodeKey,
    noise_key: NoiseKey,
}

impl Identity {
    /// A new node with a place of its own.
    pub fn generate(rng: &mut Rng) -> Self {
        let secret = Zeroizing::new(rng.array());
        let nonce = rng.next_u64();
        Self::derive(secret, nonce)
    }

    fn derive(secret: Zeroizing<[u8; 32]>, nonce: u64) -> Self {
        let signing = Zeroizing::new(hash(&[b"nanonet node signing key v1", &*secret]));
        let signing = PrivateKey::from_bytes(*signing);
        let noise = Zeroizing::new(hash(&[b"nanonet node noise key v1", &*secret]));
        let noise = StaticSecret::from(*noise);
        Self {
            node_key: NodeKey::from_bytes(*signing.public_key().as_bytes()),
            noise_key: NoiseKey::from_bytes(*x25519_dalek::PublicKey::from(&noise).as_bytes()),
            secret,
            nonce,
            signing,
            noise,
        }
    }

    /// For storage: version byte 1, secret (32 bytes), nonce (u64 little-endian). Keep it secret:
    /// whoever has it is this node.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(STORED_BYTES));
        bytes.push(STORED_VERSION);
        bytes.extend_from_slice(&*self.secret);
        bytes.extend_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// Reads back [`Identity::to_bytes`].
    ///
    /// # Errors
    /// [`IdentityError`] for another length or version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let length = bytes.len();
        let (&version, rest) = bytes
            .split_first()
            .ok_or(IdentityError::Length { length })?;
        if version != STORED_VERSION {
            return Err(IdentityError::Version { version });
        }
        let (secret, nonce) = rest
            .split_first_chunk::<32>()
            .ok_or(IdentityError::Length { length })?;
        let nonce = nonce
            .try_into()
            .map_err(|_| IdentityError::Length { length })?;
        Ok(Self::derive(
            Zeroizing::new(*secret),
            u64::from_le_bytes(nonce),
        ))
    }

    /// The key that signs for this node.
    pub const fn node_key(&self) -> NodeKey {
        self.node_key
    }

    /// The key that handshakes prove and to which payloads are sealed.
    pub const fn noise_key(&self) -> NoiseKey {
        self.noise_key
    }

    /// The nonce that places this node.
    pub const fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Where this node lies.
    pub fn node_id(&self) -> NodeId {
        NodeId::new(&self.node_key, self.nonce)
    }

    /// Signs `nanonet <purpose> v1` ‖ `data`; [`NodeKey::verify`] checks it.
    pub fn sign(&self, purpose: Purpose, data: &[u8]) -> Signature {
        self.signing.sign(&purpose.message(data))
    }

    /// The record that introduces this node, signed.
    pub fn peer_record(
        &self,
        role: Role,
        network: Network,
        addresses: Addresses,
        issued_at: UnixMillis,
    ) -> PeerRecord {
        let mut record = PeerRecord {
            node_key: self.node_key,
            nonce: self.nonce,
            noise_key: self.noise_key,
            role,
            network,
            version: PROTOCOL_VERSION,
            addresses,
            issued_at,
            signature: Signature::from_bytes([0; 64]),
        };
        record.signature = self.sign(Purpose::Peer, &record.signed_bytes());
        record
    }

    /// The secret half of [`Identity::noise_key`].
    pub(crate) const fn noise_secret(&self) -> &StaticSecret {
        &self.noise
    }
}

/// Why stored bytes are not an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not 41 bytes.
    #[error("a stored identity has 41 bytes, this one {length}: storage is damaged")]
    Length {
        /// Bytes found.
        length: usize,
    },
    /// Written by a version that this one cannot read.
    #[error("the stored identity has version {version}, this program reads version 1")]
    Version {
        /// Version found.
        version: u8,
    },
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
        bytes
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

    fn record(identity: &Identity) -> PeerRecord {
        identity.peer_record(
            Role::Bridge,
            Network::Dev,
            addresses(&["ws://127.0.0.1:7080/v1/link"]),
            UnixMillis(1_700_000_000_000),
        )
    }

    #[test]
    fn a_stored_identity_is_the_same_node_again() {
        let before = identity(1);
        let after = Identity::from_bytes(&before.to_bytes()).unwrap();
        assert_eq!(after.node_key(), before.node_key());
        assert_eq!(after.noise_key(), before.noise_key());
        assert_eq!(after.node_id(), before.node_id());
    }

    #[test]
    fn a_damaged_stored_identity_is_refused() {
        let bytes = identity(1).to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(
                Identity::from_bytes(&bytes[..length]).err(),
                Some(IdentityError::Length { length })
            );
        }
        let mut other = bytes.to_vec();
        other.push(0);
        assert!(Identity::from_bytes(&other).is_err());
        other[0] = 2;
        assert_eq!(
            Identity::from_bytes(&other).err(),
            Some(IdentityError::Version { version: 2 })
        );
    }

    #[test]
    fn the_secret_of_an_account_does_not_become_a_node_key_of_that_account() {
        let account_secret = [9; 32];
        let identity = Identity::derive(Zeroizing::new(account_secret), 0);
        let account_key = PrivateKey::from_bytes(account_secret).public_key();
        assert_ne!(identity.node_key().as_bytes(), account_key.as_bytes());
    }

    #[test]
    fn a_signature_counts_for_its_purpose_its_data_and_its_key_only() {
        let (signer, other) = (identity(1), identity(2));
        let data = [3; 32];
        let signature = signer.sign(Purpose::Sighting, &data);
        let key = signer.node_key();
        assert_eq!(key.verify(Purpose::Sighting, &data, &signature), Ok(()));
        assert!(key.verify(Purpose::Peer, &data, &signature).is_err());
        assert!(key.verify(Purpose::Sighting, &[4; 32], &signature).is_err());
        let other = other.node_key();
        assert!(other.verify(Purpose::Sighting, &data, &signature).is_err());
    }

    #[test]
    fn a_signature_over_a_hash_is_no_signature_of_that_hash_on_nano() {
        let signer = identity(1);
        let hash = [3; 32];
        let signature = signer.sign(Purpose::Sighting, &hash);
        let key = PublicKey::from_bytes(*signer.node_key().as_bytes());
        assert!(key.verify(&hash, &signature).is_err());
    }

    #[test]
    fn no_purpose_is_the_start_of_another() {
        let all = [Purpose::Peer, Purpose::Sighting];
        for one in all {
            for other in all.into_iter().filter(|other| *other != one) {
                assert!(!other.prefix().starts_with(one.prefix()));
            }
        }
    }

    #[test]
    fn every_field_of_a_peer_record_is_under_its_signature() {
        let signer = identity(1);
        let good = record(&signer);
        assert_eq!(good.verify(), Ok(()));
        let changes: [fn(&mut PeerRecord); 8] = [
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

    proptest! {
        #[test]
        fn a_peer_record_survives_the_wire(
            seed: u8,
            nonce: u64,
            bridge: bool,
            texts in prop::collection::vec("[!-~]{1,128}", 0..=MAX_ADDRESSES),
            at: u64,
        ) {
            let signer = Identity::derive(Zeroizing::new([seed; 32]), nonce);
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
        fn any_bytes_are_a_record_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(record) = postcard::from_bytes::<PeerRecord>(&bytes) {
                prop_assert!(record.verify().is_err());
            }
        }

        #[test]
        fn any_bytes_are_an_identity_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            if let Ok(identity) = Identity::from_bytes(&bytes) {
                prop_assert_eq!(&identity.to_bytes()[..], &bytes[..]);
            }
        }
    }
}
