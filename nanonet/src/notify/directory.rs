//! Which bridges keep notifications, and which of them keep those of a tag.
//!
//! An anchor signs the list of the bridges that it reaches ([`Directory`]), with a version that grows; of two
//! the newer counts. The key space of tags is cut into 256 [`Region`]s. A region's notifications belong on the
//! [`ANCHORS`] nearest anchor bridges of the directory and the [`OTHERS`] nearest others (XOR of the region's
//! place and the hash of the bridge's key, which stays when its id moves); where there are fewer of a kind the
//! other kind stands in. Those who cannot take any more are passed over for the next ([`Places::order`]).

use nano_core::{Network, Signature, UnixMillis};
use serde::{Deserialize, Serialize};

use super::keys::Tag;
use crate::id::{Point, hash};
use crate::{Identity, NodeKey, PeerRecord, Purpose, Role};

/// Anchor bridges that keep a notification.
pub const ANCHORS: usize = 3;
/// Other bridges that keep it.
pub const OTHERS: usize = 2;
/// Bridges that keep it in all.
pub const COPIES: usize = ANCHORS + OTHERS;
/// Receipts that a sender waits for, where there are so many bridges.
pub const RECEIPTS: usize = 3;
/// Most bridges in a directory.
pub const MAX_BRIDGES: usize = 64;

/// A part of the key space of tags: those whose place begins with these eight bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Region(pub u8);

impl Region {
    /// The region of a tag.
    #[must_use]
    pub fn of(tag: &Tag) -> Self {
        let [first, ..] = *tag.point().as_bytes();
        Self(first)
    }

    /// Its middle.
    fn point(self) -> Point {
        let mut bytes = [0; 32];
        (bytes[0], bytes[1]) = (self.0, 0x80);
        Point::from_bytes(bytes)
    }
}

/// The bridges that an anchor reaches, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Grows with every change: Unix milliseconds of when it was made.
    pub version: u64,
    /// The bridges, in the order of their keys, at most [`MAX_BRIDGES`].
    pub bridges: Vec<PeerRecord>,
    /// The anchor that signs.
    pub signer: NodeKey,
    /// Over network, version and the records' bytes.
    pub signature: Signature,
}

impl Directory {
    /// Signs a list. Bridges beyond the limit are left out.
    #[must_use]
    pub fn sign(
        identity: &Identity,
        network: Network,
        now: UnixMillis,
        mut bridges: Vec<PeerRecord>,
    ) -> Self {
        bridges.sort_by_key(|bridge| bridge.node_key);
        bridges.dedup_by_key(|bridge| bridge.node_key);
        bridges.truncate(MAX_BRIDGES);
        let version = now.number();
        let data = signed(network, version, &bridges);
        Self {
            version,
            bridges,
            signer: identity.node_key(),
            signature: identity.sign(Purpose::Directory, &data),
        }
    }

    /// Whether it is the signer's, and every record in it its bridge's.
    #[must_use]
    pub fn holds(&self, network: Network, now: UnixMillis) -> bool {
        let ordered = self
            .bridges
            .is_sorted_by(|one, next| one.node_key < next.node_key);
        ordered
            && self.bridges.len() <= MAX_BRIDGES
            && self.version <= now.plus(crate::CLOCK_SKEW_MS).number()
            && self.bridges.iter().all(|bridge| {
                bridge.role == Role::Bridge && bridge.network == network && bridge.verify().is_ok()
            })
            && self
                .signer
                .verify(
                    Purpose::Directory,
                    &signed(network, self.version, &self.bridges),
                    &self.signature,
                )
                .is_ok()
    }

    /// Its bytes, for storage.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads [`Directory::to_bytes`]; `None` for anything else. What it says is to be verified.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (directory, rest) = postcard::take_from_bytes(bytes).ok()?;
        rest.is_empty().then_some(directory)
    }

    /// Who is listed.
    pub fn keys(&self) -> impl Iterator<Item = NodeKey> {
        self.bridges.iter().map(|bridge| bridge.node_key)
    }
}

fn signed(network: Network, version: u64, bridges: &[PeerRecord]) -> Vec<u8> {
    let mut bytes = network.id().to_vec();
    bytes.extend_from_slice(&version.to_be_bytes());
    for bridge in bridges {
        bytes.extend_from_slice(&hash(&[&bridge.to_bytes()]));
    }
    bytes
}

/// The directory in force and whom this node counts as anchors.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Keys of anchors. None: everybody listed counts as one, and every bridge may sign.
    anchors: Vec<NodeKey>,
    directory: Option<Directory>,
    /// Where each listed bridge lies, in the directory's order, and whether it is an anchor.
    listed: Vec<(NodeKey, Point, bool)>,
}

impl Places {
    /// With these anchors and no directory yet.
    #[must_use]
    pub fn new(anchors: Vec<NodeKey>) -> Self {
        Self {
            anchors,
            ..Self::default()
        }
    }

    /// Others count as anchors from now on.
    pub fn set_anchors(&mut self, anchors: Vec<NodeKey>) {
        self.anchors = anchors;
        self.list();
    }

    /// Whether a bridge counts as an anchor here.
    #[must_use]
    pub fn is_anchor(&self, key: &NodeKey) -> bool {
        self.anchors.is_empty() || self.anchors.contains(key)
    }

    /// Takes a directory that is newer than the one in force, if an anchor signed it; true if it did.
    pub fn take(&mut self, directory: Directory, network: Network, now: UnixMillis) -> bool {
        let newer = directory.version > self.version();
        if !newer || !self.is_anchor(&directory.signer) || !directory.holds(network, now) {
            return false;
        }
        self.directory = Some(directory);
        self.list();
        true
    }

    fn list(&mut self) {
        let keys: Vec<NodeKey> = self.directory.iter().flat_map(Directory::keys).collect();
        let place =
            |key: &NodeKey| Point::from_bytes(hash(&[b"nanonet notify place", key.as_bytes()]));
        self.listed = keys
            .into_iter()
            .map(|key| (key, place(&key), self.is_anchor(&key)))
            .collect();
    }

    /// The directory in force.
    #[must_use]
    pub const fn directory(&self) -> Option<&Directory> {
        self.directory.as_ref()
    }

    /// Its version; 0 without one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.directory
            .as_ref()
            .map_or(0, |directory| directory.version)
    }

    /// Whether a bridge is listed.
    #[must_use]
    pub fn lists(&self, key: &NodeKey) -> bool {
        self.listed.iter().any(|(listed, ..)| listed == key)
    }

    /// Listed bridges.
    pub fn listed(&self) -> impl Iterator<Item = NodeKey> {
        self.listed.iter().map(|(key, ..)| *key)
    }

    /// Receipts that a put needs: three, or all bridges where there are fewer.
    #[must_use]
    pub fn receipts(&self) -> usize {
        RECEIPTS.min(self.listed.len())
    }

    /// All listed bridges in the order in which they are to keep the notifications of a region: the nearest
    /// anchors and others first, then everybody else by distance.
    #[must_use]
    pub fn order(&self, region: Region) -> Vec<NodeKey> {
        let point = region.point();
        let mut by_distance = self.listed.clone();
        by_distance.sort_by_cached_key(|(_, place, _)| point.distance(place));
        type Listed<'a> = Vec<&'a (NodeKey, Point, bool)>;
        let (anchors, others): (Listed<'_>, Listed<'_>) =
            by_distance.iter().partition(|(.., anchor)| *anchor);
        let first = anchors.iter().take(ANCHORS);
        let mut order: Vec<NodeKey> = first
            .chain(others.iter().take(OTHERS))
            .map(|(key, ..)| *key)
            .collect();
        for (key, ..) in by_distance {
            if !order.contains(&key) {
                order.push(key);
            }
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Addresses, Rng};

    fn identity(number: u8) -> Identity {
        Identity::generate(&mut Rng::from_seed([number; 32]))
    }

    fn records(count: u8) -> Vec<PeerRecord> {
        (0..count)
            .map(|number| {
                let addresses = Addresses::default();
                identity(number).peer_record(Role::Bridge, Network::Dev, addresses, UnixMillis(1))
            })
            .collect()
    }

    #[test]
    fn three_anchors_and_two_others_come_first_each_the_nearest_of_its_kind() {
        let anchors: Vec<NodeKey> = (0..6).map(|n| identity(n).node_key()).collect();
        let mut places = Places::new(anchors.clone());
        let directory = Directory::sign(&identity(0), Network::Dev, UnixMillis(5), records(12));
        assert!(places.take(directory, Network::Dev, UnixMillis(5)));
        for region in 0..=255 {
            let order = places.order(Region(region));
            assert_eq!(order.len(), 12);
            assert!(order[..ANCHORS].iter().all(|key| anchors.contains(key)));
            assert!(
                !order[ANCHORS..COPIES]
                    .iter()
                    .any(|key| anchors.contains(key))
            );
        }
    }

    #[test]
    fn only_a_newer_directory_of_an_anchor_is_taken() {
        let mut places = Places::new(vec![identity(0).node_key()]);
        let sign =
            |by: u8, at| Directory::sign(&identity(by), Network::Dev, UnixMillis(at), records(3));
        let now = UnixMillis(1_000);
        assert!(!places.take(sign(1, 7), Network::Dev, now), "no anchor");
        assert!(
            !places.take(sign(0, 7), Network::Live, now),
            "other network"
        );
        assert!(
            !places.take(sign(0, 1_000_000), Network::Dev, now),
            "future"
        );
        let mut altered = sign(0, 7);
        altered.bridges.pop();
        assert!(!places.take(altered, Network::Dev, now));
        assert!(places.take(sign(0, 7), Network::Dev, now));
        assert!(!places.take(sign(0, 7), Network::Dev, now), "not newer");
        assert!(places.take(sign(0, 8), Network::Dev, now));
    }
}
