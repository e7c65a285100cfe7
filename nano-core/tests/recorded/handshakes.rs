//! Handshakes: one recorded with a full node, and fixed ones of every network.

use crate::support::{bytes, text, vectors};
use nano_core::message::{Cookie, HandshakeError, HandshakeResponse, Message, NodeIdHandshake};
use nano_core::{Network, PrivateKey, PublicKey};

fn handshake(message: &[u8]) -> NodeIdHandshake {
    match Message::decode(message).unwrap().1 {
        Message::NodeIdHandshake(handshake) => handshake,
        other => panic!("{other:?}"),
    }
}

fn cookie(row: &serde_json::Value, field: &str) -> Cookie {
    text(row, field).parse().unwrap()
}

#[test]
fn the_recorded_dialogue_verifies_and_is_reproduced_byte_for_byte() {
    for dialogue in vectors("handshake")["dialogues"].as_array().unwrap() {
        let key = PrivateKey::from_hex(text(dialogue, "client_private_key")).unwrap();
        assert_eq!(
            key.public_key().to_string(),
            text(dialogue, "client_node_id")
        );
        let messages = dialogue["messages"].as_array().unwrap();
        let own_cookie = cookie(&messages[0], "cookie");

        let query = Message::from(NodeIdHandshake::query(own_cookie));
        assert_eq!(
            query.encode(Network::Dev).unwrap(),
            bytes(&messages[0], "hex")
        );

        let answer = handshake(&bytes(&messages[1], "hex"));
        let server = answer.verify_response(Network::Dev, &key.public_key(), &own_cookie);
        assert_eq!(
            server.unwrap().to_string(),
            text(dialogue, "server_node_id")
        );
        let server_cookie = answer.query.unwrap();
        assert_eq!(server_cookie, cookie(&messages[1], "cookie"));

        let salt: PublicKey = text(&messages[2], "salt").parse().unwrap();
        let response =
            HandshakeResponse::sign(Network::Dev, &key, &server_cookie, *salt.as_bytes());
        let last = Message::from(NodeIdHandshake::response(response));
        assert_eq!(
            last.encode(Network::Dev).unwrap(),
            bytes(&messages[2], "hex")
        );
    }
}

#[test]
fn fixed_keys_give_the_fixed_messages_of_every_network() {
    for row in vectors("handshake")["deterministic"].as_array().unwrap() {
        let network: Network = text(row, "network").parse().unwrap();
        let key = PrivateKey::from_hex(text(row, "private_key")).unwrap();
        let own_cookie = cookie(row, "own_cookie");
        let peer_cookie = cookie(row, "peer_cookie");
        let salt: PublicKey = text(row, "salt").parse().unwrap();
        let response = HandshakeResponse::sign(network, &key, &peer_cookie, *salt.as_bytes());
        for (message, field) in [
            (NodeIdHandshake::query(own_cookie), "query"),
            (NodeIdHandshake::response(response), "response_v2"),
            (
                NodeIdHandshake::response_and_query(response, own_cookie),
                "query_and_response_v2",
            ),
        ] {
            let expected = bytes(row, field);
            assert_eq!(Message::from(message).encode(network).unwrap(), expected);
            assert_eq!(handshake(&expected), message);
        }

        let old = bytes(row, "response_v1");
        let parsed = handshake(&old);
        assert_eq!(Message::from(parsed).encode(network).unwrap(), old);
        let nobody = PublicKey::ZERO;
        assert_eq!(
            parsed.verify_response(network, &nobody, &peer_cookie),
            Err(HandshakeError::OldVersion)
        );
    }
}

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
