//! What the two ends of a session say to each other.

use serde::{Deserialize, Serialize};

use crate::PeerRecord;

/// What one end says to the other. Knowing the session's number proves having read its offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Signal {
    /// Random number of the session, chosen by the side that makes the offer.
    pub(super) session: u64,
    /// What is said.
    pub(super) say: Say,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Say {
    /// Connect with me.
    Offer {
        /// Who; needed to seal the answer.
        from: PeerRecord,
        /// Links to browsers it has.
        links: u16,
        /// Its description.
        sdp: String,
    },
    /// Here is my description.
    Answer {
        /// Links to browsers it has.
        links: u16,
        /// Its description.
        sdp: String,
    },
    /// Addresses that may work.
    Candidates(Vec<String>),
    /// No place, or not willing.
    Refuse,
}

/// The bytes of an offer, for [`crate::decoders`].
#[cfg(any(test, feature = "adversary"))]
pub(crate) fn sample_offer(from: PeerRecord) -> Vec<u8> {
    let sdp = "v=0".to_owned();
    let say = Say::Offer {
        from,
        links: 1,
        sdp,
    };
    postcard::to_allocvec(&Signal { session: 9, say }).unwrap_or_default()
}
