//! News on its way, and ids of news packed as bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Bytes;
use crate::gossip::NewsId;

/// A piece of news with what its receiver is to do; see [`crate::gossip`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pushed {
    /// Serve all that share so many bits with you.
    pub(crate) depth: u8,
    /// Which of several who are to serve them.
    pub(crate) rank: u8,
    /// Links it came over to the sender.
    pub(crate) hops: u8,
    /// The news; read only once it is looked at, so that the one who brought it is refused by
    /// its own reason.
    pub(crate) body: Bytes,
}

/// Ids in eight bytes each.
pub(crate) mod ids {
    use super::{Bytes, Deserialize as _, Deserializer, NewsId, Serialize as _, Serializer};

    pub(crate) fn serialize<S: Serializer>(ids: &[NewsId], out: S) -> Result<S::Ok, S::Error> {
        let bytes = ids.iter().flat_map(|id| id.0.to_be_bytes()).collect();
        Bytes(bytes).serialize(out)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<NewsId>, D::Error> {
        let bytes = Bytes::deserialize(from)?;
        let (ids, rest) = bytes.0.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(serde::de::Error::custom("ids have eight bytes each"));
        }
        Ok(ids
            .iter()
            .map(|id| NewsId(u64::from_be_bytes(*id)))
            .collect())
    }
}
