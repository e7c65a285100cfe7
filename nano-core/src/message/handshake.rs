//! node_id_handshake: how two peers show each other which network and key they are.
//!
//! The one who connects sends a query, 32 random bytes (the *cookie*). The other answers with a
//! response to that cookie and a query of its own; a response to that completes the handshake. A
//! query comes before a response in one message.
//!
//! | response v1 | response v2 | field |
//! |---|---|---|
//! | 0..32 | 0..32 | node id, a public key |
//! | | 32..64 | salt, random |
//! | | 64..96 | genesis hash of the sender's network |
//! | 32..96 | 96..160 | signature |
//!
//! Signed are, as they stand, the cookie that was received (v1), or cookie, salt and genesis (v2).
//! Nodes of today all speak v2; [`NodeIdHandshake::verify_response`] accepts nothing else.

use super::MessageError;
use super::header::{Header, MessageType, handshake_extensions};
use crate::bytes::{bytes_accessors, bytes_hex_text, bytes_serde};
use crate::cursor::Cursor;
use crate::{BlockHash, Network, PrivateKey, PublicKey, Signature, SignatureError};

/// 32 random bytes a peer has to sign. Draw a new one for each connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cookie([u8; 32]);

bytes_accessors!(Cookie, 32);
bytes_hex_text!(Cookie);
bytes_serde!(Cookie);

/// The answer to a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeResponse {
    /// The old form, which binds neither network nor salt.
    V1 {
        /// Who answers.
        node_id: PublicKey,
        /// Over the cookie.
        signature: Signature,
    },
    /// The form of today.
    V2 {
        /// Who answers.
        node_id: PublicKey,
        /// Random, so that the signer decides part of what is signed.
        salt: [u8; 32],
        /// The network of the one who answers.
        genesis: BlockHash,
        /// Over cookie, salt and genesis.
        signature: Signature,
    },
}

/// A handshake message: query, response, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeIdHandshake {
    /// The cookie the receiver has to sign.
    pub query: Option<Cookie>,
    /// The answer to the receiver's cookie.
    pub response: Option<HandshakeResponse>,
    /// The v2 flag. Beside a query it says that the sender understands v2; it has to fit the
    /// response where there is one.
    pub v2: bool,
}

/// Why a handshake response does not show who the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// There is no response in the message.
    #[error("the peer did not answer the handshake's query")]
    NoResponse,
    /// A response of version 1.
    #[error("the peer answered the handshake in version 1; version 2 is needed")]
    OldVersion,
    /// The peer has our own node id: a connection to ourselves.
    #[error("the peer has our own node id; this is a connection to ourselves")]
    OwnId,
    /// The peer is on another network.
    #[error("the peer's genesis is {0}; it belongs to another network")]
    WrongGenesis(BlockHash),
    /// The signature does not hold.
    #[error("the peer's handshake is not signed by its node id: {0}")]
    BadSignature(SignatureError),
}

impl HandshakeResponse {
    /// Answers `cookie`, as received in the peer's query. `salt` has to be random.
    #[must_use]
    pub fn sign(network: Network, key: &PrivateKey, cookie: &Cookie, salt: [u8; 32]) -> Self {
        let genesis = network.genesis_hash();
        Self::V2 {
            node_id: key.public_key(),
            salt,
            genesis,
            signature: key.sign(&signed_bytes(cookie, &salt, &genesis)),
        }
    }

    /// The node id the response claims, not checked.
    #[must_use]
    pub const fn node_id(&self) -> PublicKey {
        match self {
            Self::V1 { node_id, .. } | Self::V2 { node_id, .. } => *node_id,
        }
    }

    /// Checks the response to `cookie`, which has to be the one sent to this very peer, and tells
    /// the peer's node id. `own_id` is our node id on this network.
    ///
    /// # Errors
    /// Any [`HandshakeError`] but [`HandshakeError::NoResponse`].
    pub fn verify(
        &self,
        network: Network,
        own_id: &PublicKey,
        cookie: &Cookie,
    ) -> Result<PublicKey, HandshakeError> {
        let Self::V2 {
            node_id,
            salt,
            genesis,
            signature,
        } = self
        else {
            return Err(HandshakeError::OldVersion);
        };
        if node_id == own_id {
            return Err(HandshakeError::OwnId);
        }
        if *genesis != network.genesis_hash() {
            return Err(HandshakeError::WrongGenesis(*genesis));
        }
        node_id
            .verify(&signed_bytes(cookie, salt, genesis), signature)
            .map_err(HandshakeError::BadSignature)?;
        Ok(*node_id)
    }
}

fn signed_bytes(cookie: &Cookie, salt: &[u8; 32], genesis: &BlockHash) -> [u8; 96] {
    let mut bytes = [0; 96];
    bytes[..32].copy_from_slice(cookie.as_bytes());
    bytes[32..64].copy_from_slice(salt);
    bytes[64..].copy_from_slice(genesis.as_bytes());
    bytes
}

impl NodeIdHandshake {
    /// The first message of the one who connects.
    #[must_use]
    pub const fn query(cookie: Cookie) -> Self {
        Self {
            query: Some(cookie),
            response: None,
            v2: true,
        }
    }

    /// The message that completes a handshake.
    #[must_use]
    pub const fn response(response: HandshakeResponse) -> Self {
        Self {
            query: None,
            v2: matches!(response, HandshakeResponse::V2 { .. }),
            response: Some(response),
        }
    }

    /// The message of the one who was connected to: an answer and a query of its own.
    #[must_use]
    pub const fn response_and_query(response: HandshakeResponse, cookie: Cookie) -> Self {
        Self {
            query: Some(cookie),
            ..Self::response(response)
        }
    }

    /// Checks the response in this message; see [`HandshakeResponse::verify`].
    ///
    /// # Errors
    /// Any [`HandshakeError`].
    pub fn verify_response(
        &self,
        network: Network,
        own_id: &PublicKey,
        cookie: &Cookie,
    ) -> Result<PublicKey, HandshakeError> {
        self.response
            .as_ref()
            .ok_or(HandshakeError::NoResponse)?
            .verify(network, own_id, cookie)
    }

    pub(super) fn parse(header: &Header, payload: &[u8]) -> Result<Self, MessageError> {
        if !header.has_query() && !header.has_response() {
            return Err(MessageError::EmptyHandshake);
        }
        let mut cursor = Cursor::new(payload);
        let short = MessageError::PayloadLength {
            message_type: MessageType::NodeIdHandshake,
            expected: header.payload_length()?,
            found: payload.len(),
        };
        let query = if header.has_query() {
            Some(Cookie(cursor.array().ok_or(short)?))
        } else {
            None
        };
        let response = if header.has_response() {
            Some(read_response(&mut cursor, header.is_handshake_v2()).ok_or(short)?)
        } else {
            None
        };
        Ok(Self {
            query,
            response,
            v2: header.is_handshake_v2(),
        })
    }

    pub(super) fn write(&self, payload: &mut Vec<u8>) -> Result<u16, MessageError> {
        if self.query.is_none() && self.response.is_none() {
            return Err(MessageError::EmptyHandshake);
        }
        if let Some(cookie) = &self.query {
            payload.extend(cookie.as_bytes());
        }
        match &self.response {
            Some(HandshakeResponse::V1 { node_id, signature }) if !self.v2 => {
                payload.extend(node_id.as_bytes());
                payload.extend(signature.as_bytes());
            }
            Some(HandshakeResponse::V2 {
                node_id,
                salt,
                genesis,
                signature,
            }) if self.v2 => {
                payload.extend(node_id.as_bytes());
                payload.extend(salt);
                payload.extend(genesis.as_bytes());
                payload.extend(signature.as_bytes());
            }
            Some(_) => return Err(MessageError::HandshakeVersion),
            None => {}
        }
        Ok(handshake_extensions(
            self.query.is_some(),
            self.response.is_some(),
            self.v2,
        ))
    }
}

fn read_response(cursor: &mut Cursor<'_>, v2: bool) -> Option<HandshakeResponse> {
    let node_id = PublicKey::from_bytes(cursor.array()?);
    Some(if v2 {
        HandshakeResponse::V2 {
            node_id,
            salt: cursor.array()?,
            genesis: BlockHash::from_bytes(cursor.array()?),
            signature: Signature::from_bytes(cursor.array()?),
        }
    } else {
        HandshakeResponse::V1 {
            node_id,
            signature: Signature::from_bytes(cursor.array()?),
        }
    })
}
