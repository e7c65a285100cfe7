//! Handshake responses are refused for the reason they deserve. Recorded dialogues are checked in
//! the `vectors` crate.

use nano_core::message::{Cookie, HandshakeError, HandshakeResponse, NodeIdHandshake};
use nano_core::{Network, PrivateKey};

#[test]
fn a_response_is_refused_for_the_reason_it_deserves() {
    let key = PrivateKey::from_bytes([9; 32]);
    let cookie = Cookie::from_bytes([1; 32]);
    let response = HandshakeResponse::sign(Network::Dev, &key, &cookie, [2; 32]);
    let other = PrivateKey::from_bytes([8; 32]).public_key();

    assert_eq!(
        response.verify(Network::Dev, &other, &cookie),
        Ok(key.public_key())
    );
    assert_eq!(
        response.verify(Network::Dev, &key.public_key(), &cookie),
        Err(HandshakeError::OwnId)
    );
    assert_eq!(
        response.verify(Network::Live, &other, &cookie),
        Err(HandshakeError::WrongGenesis(Network::Dev.genesis_hash()))
    );
    assert!(matches!(
        response.verify(Network::Dev, &other, &Cookie::from_bytes([3; 32])),
        Err(HandshakeError::BadSignature(_))
    ));
    assert_eq!(
        NodeIdHandshake::query(cookie).verify_response(Network::Dev, &other, &cookie),
        Err(HandshakeError::NoResponse)
    );
}

#[test]
fn the_old_form_of_a_response_is_refused() {
    let key = PrivateKey::from_bytes([9; 32]);
    let cookie = Cookie::from_bytes([1; 32]);
    let old = HandshakeResponse::V1 {
        node_id: key.public_key(),
        signature: key.sign(cookie.as_bytes()),
    };
    let other = PrivateKey::from_bytes([8; 32]).public_key();
    assert_eq!(old.node_id(), key.public_key());
    assert_eq!(
        old.verify(Network::Dev, &other, &cookie),
        Err(HandshakeError::OldVersion)
    );
}
