//! The cryptography of a node, as a provider that a simulation may replace.
//!
//! [`Noise`] is the only one of the product. A simulation of many thousands of nodes in one process
//! may leave out the encryption of links and check each signature once for everybody; everything
//! above stays the product's, and what a provider is asked is the same.

use std::sync::Arc;

use nano_core::{SignatureError, UnixMillis};

use crate::link::{Link, LinkEnd};
use crate::routing::contact::{Contact, Who};
use crate::slice::HeldFrontier;
use crate::{Identity, NoiseKey, PeerRecord, Rng, SealError, seal};

/// What a node asks of cryptography.
pub trait Crypto {
    /// One end of a link.
    type Link: LinkEnd;

    /// Checks a record's signature; see [`PeerRecord::verify`].
    ///
    /// # Errors
    /// Why the signature is refused.
    fn verify_peer(record: &PeerRecord) -> Result<(), SignatureError>;

    /// The contact that a record introduces; a provider may keep one for all who know it.
    #[must_use]
    fn contact(record: PeerRecord) -> Who {
        Contact::new(record)
    }

    /// What the record with these bytes, which has no sightings, is known to prove under the weight
    /// table of this date. The product remembers nothing: it meets a record once.
    #[must_use]
    fn recall(record: &[u8], table: UnixMillis) -> Option<Arc<HeldFrontier>> {
        let _ = (record, table);
        None
    }

    /// The record with these bytes was checked under the weight table of this date.
    fn remember(record: &[u8], table: UnixMillis, proven: &Arc<HeldFrontier>) {
        let _ = (record, table, proven);
    }

    /// Whether `check` says that something is signed; `name` stands for all that `check` looks at.
    fn check_news(name: &[u8; 32], check: &dyn Fn() -> bool) -> bool {
        let _ = name;
        check()
    }

    /// Seals `payload` for the node with this key; see [`seal`].
    ///
    /// # Errors
    /// As [`seal`] says.
    fn seal(
        recipient: &NoiseKey,
        context: &str,
        payload: &[u8],
        rng: &mut Rng,
    ) -> Result<Vec<u8>, SealError>;

    /// Opens what was sealed for `identity`; see [`Identity::open`].
    ///
    /// # Errors
    /// As [`Identity::open`] says.
    fn open(identity: &Identity, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// The product's: Noise links, every signature checked, X25519 with ChaCha20-Poly1305.
#[derive(Debug, Clone, Copy)]
pub struct Noise;

impl Crypto for Noise {
    type Link = Link;

    fn verify_peer(record: &PeerRecord) -> Result<(), SignatureError> {
        record.verify()
    }

    fn seal(
        recipient: &NoiseKey,
        context: &str,
        payload: &[u8],
        rng: &mut Rng,
    ) -> Result<Vec<u8>, SealError> {
        seal(recipient, context, payload, rng)
    }

    fn open(identity: &Identity, context: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        identity.open(context, sealed)
    }
}
