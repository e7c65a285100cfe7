//! Handshakes: a dialogue recorded with a full node, and messages made with fixed randomness.

use nano_core::message::{Cookie, HandshakeResponse, Message, NodeIdHandshake};
use nano_core::{BlockHash, Network, PrivateKey, PublicKey, Signature};
use serde::Deserialize;

use crate::report::Checks;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    dialogues: Vec<Dialogue>,
    deterministic: Vec<Deterministic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dialogue {
    #[serde(rename = "name")]
    _name: super::Note,
    client_private_key: String,
    client_node_id: PublicKey,
    client_node_id_text: String,
    server_node_id: PublicKey,
    genesis: BlockHash,
    messages: Vec<Recorded>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    from_: String,
    hex: String,
    extensions: String,
    cookie: Option<Cookie>,
    node_id: Option<PublicKey>,
    salt: Option<String>,
    genesis: Option<BlockHash>,
    signature: Option<Signature>,
    signed_bytes: Option<String>,
    accepted_by_node: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deterministic {
    network: Network,
    private_key: String,
    node_id: PublicKey,
    peer_cookie: Cookie,
    own_cookie: Cookie,
    salt: String,
    genesis: BlockHash,
    signature_v2: Signature,
    signature_v1: Signature,
    query: String,
    response_v2: String,
    query_and_response_v2: String,
    response_v1: String,
}

pub(crate) fn run(json: &str, checks: &mut Checks) -> serde_json::Result<()> {
    let data: Data = serde_json::from_str(json)?;
    checks.rows("dialogues", &data.dialogues, |checks, row| {
        checks.equal("genesis", Network::Dev.genesis_hash(), row.genesis);
        if let Some(key) = checks.ok("key", PrivateKey::from_hex(&row.client_private_key)) {
            check_dialogue(checks, row, &key);
        }
    });
    checks.rows("deterministic", &data.deterministic, |checks, row| {
        let key = checks.ok("key", PrivateKey::from_hex(&row.private_key));
        let salt = checks.ok("salt", read_salt(&row.salt));
        if let (Some(key), Some(salt)) = (key, salt) {
            check_deterministic(checks, row, &key, salt);
        }
    });
    Ok(())
}

/// Follows the messages: each side's answer is checked with the cookie of the other, and the
/// client's are made again.
fn check_dialogue(checks: &mut Checks, row: &Dialogue, key: &PrivateKey) {
    checks.equal("client", key.public_key(), row.client_node_id);
    let text = row.client_node_id.to_node_id_text();
    checks.equal("client's text", &text, &row.client_node_id_text);
    let (mut client_cookie, mut server_cookie) = (None, None);
    let mut answers = 0;
    for recorded in &row.messages {
        let from_client = recorded.from_ == "client";
        let Some(handshake) = check_recorded(checks, recorded) else {
            continue;
        };
        let (asked, own_id, id) = if from_client {
            (server_cookie, row.server_node_id, row.client_node_id)
        } else {
            (client_cookie, row.client_node_id, row.server_node_id)
        };
        if let (Some(_), Some(cookie)) = (&handshake.response, asked) {
            answers += 1;
            let verified = handshake.verify_response(Network::Dev, &own_id, &cookie);
            checks.equal("answer", verified, Ok(id));
            if from_client {
                check_answer_again(checks, recorded, key, &cookie);
            }
        }
        if let Some(cookie) = handshake.query {
            let cookies = if from_client {
                &mut client_cookie
            } else {
                &mut server_cookie
            };
            *cookies = Some(cookie);
        }
    }
    checks.equal("answers", answers, 2);
}

fn check_recorded(checks: &mut Checks, recorded: &Recorded) -> Option<NodeIdHandshake> {
    let bytes = checks.ok("hex", hex::decode(&recorded.hex))?;
    let (header, message) = checks.ok("message", Message::decode(&bytes))?;
    let extensions = format!("{:04x}", header.extensions);
    checks.equal("extensions", extensions, recorded.extensions.clone());
    check_bytes(
        checks,
        "written again",
        &message,
        header.network,
        &recorded.hex,
    );
    let Message::NodeIdHandshake(handshake) = message else {
        checks.fail("this is no handshake".to_owned());
        return None;
    };
    checks.equal("cookie", handshake.query, recorded.cookie);
    let answer = handshake.response.and_then(v2_fields);
    let id = answer.map(|(id, ..)| id);
    checks.equal("node id", id, recorded.node_id);
    let salt = answer.map(|(_, salt, ..)| hex::encode_upper(salt));
    checks.equal("salt", &salt, &recorded.salt);
    let genesis = answer.map(|(_, _, genesis, _)| genesis);
    checks.equal("genesis", genesis, recorded.genesis);
    let signature = answer.map(|(.., signature)| signature);
    checks.equal("signature", signature, recorded.signature);
    if let (Some((id, .., signature)), Some(signed)) = (answer, &recorded.signed_bytes) {
        let signed = checks.ok("signed bytes", hex::decode(signed))?;
        checks.equal("signed bytes", id.verify(&signed, &signature), Ok(()));
    }
    Some(handshake)
}

fn v2_fields(response: HandshakeResponse) -> Option<(PublicKey, [u8; 32], BlockHash, Signature)> {
    match response {
        HandshakeResponse::V2 {
            node_id,
            salt,
            genesis,
            signature,
        } => Some((node_id, salt, genesis, signature)),
        HandshakeResponse::V1 { .. } => None,
    }
}

fn check_answer_again(checks: &mut Checks, recorded: &Recorded, key: &PrivateKey, cookie: &Cookie) {
    checks.equal("full node's verdict", recorded.accepted_by_node, Some(true));
    let salt = recorded.salt.as_deref().unwrap_or_default();
    if let Some(salt) = checks.ok("salt", read_salt(salt)) {
        let response = HandshakeResponse::sign(Network::Dev, key, cookie, salt);
        let message = NodeIdHandshake::response(response).into();
        check_bytes(checks, "made again", &message, Network::Dev, &recorded.hex);
    }
}

fn check_deterministic(checks: &mut Checks, row: &Deterministic, key: &PrivateKey, salt: [u8; 32]) {
    checks.equal("node id", key.public_key(), row.node_id);
    checks.equal("genesis", row.network.genesis_hash(), row.genesis);
    let v2 = HandshakeResponse::sign(row.network, key, &row.peer_cookie, salt);
    let signature = v2_fields(v2).map(|(.., signature)| signature);
    checks.equal("signature v2", signature, Some(row.signature_v2));
    let signature = key.sign(row.peer_cookie.as_bytes());
    checks.equal("signature v1", signature, row.signature_v1);
    let v1 = HandshakeResponse::V1 {
        node_id: row.node_id,
        signature,
    };
    let query = NodeIdHandshake::query(row.own_cookie);
    let both = NodeIdHandshake::response_and_query(v2, row.own_cookie);
    for (what, handshake, hex) in [
        ("query", query, &row.query),
        (
            "response v2",
            NodeIdHandshake::response(v2),
            &row.response_v2,
        ),
        ("query and response v2", both, &row.query_and_response_v2),
        (
            "response v1",
            NodeIdHandshake::response(v1),
            &row.response_v1,
        ),
    ] {
        let message = Message::from(handshake);
        check_bytes(checks, what, &message, row.network, hex);
        let decoded = hex::decode(hex).unwrap_or_default();
        let decoded = Message::decode(&decoded).map(|(_, message)| message);
        checks.equal(what, decoded, Ok(message));
    }
}

fn check_bytes(checks: &mut Checks, what: &str, message: &Message, network: Network, hex: &str) {
    if let Some(bytes) = checks.ok(what, message.encode(network)) {
        checks.equal(what, hex::encode_upper(bytes).as_str(), hex);
    }
}

fn read_salt(text: &str) -> Result<[u8; 32], hex::FromHexError> {
    let mut salt = [0; 32];
    hex::decode_to_slice(text, &mut salt)?;
    Ok(salt)
}
