//! The other end of a channel, played by a test.

use nano_core::message::{Cookie, HandshakeResponse, Header, Message, NodeIdHandshake};
use nano_core::{Network, PrivateKey};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Reads the bridge's query.
pub(crate) async fn query(stream: &mut TcpStream) -> Cookie {
    let mut bytes = [0; Header::SIZE + 32];
    stream.read_exact(&mut bytes).await.unwrap();
    match Message::decode(&bytes).unwrap().1 {
        Message::NodeIdHandshake(handshake) => handshake.query.unwrap(),
        other => panic!("{other:?} instead of a query"),
    }
}

pub(crate) fn answer(cookie: &Cookie, network: Network) -> Message {
    let key = PrivateKey::from_bytes([8; 32]);
    let response = HandshakeResponse::sign(network, &key, cookie, [1; 32]);
    NodeIdHandshake::response_and_query(response, Cookie::from_bytes([2; 32])).into()
}

pub(crate) async fn send(stream: &mut TcpStream, message: Message) {
    let bytes = message.encode(Network::Dev).unwrap();
    // The bridge may have closed already, which is what some tests want.
    let _ = stream.write_all(&bytes).await;
}

/// A proper handshake; the channel is open after it.
pub(crate) async fn greet(stream: &mut TcpStream) {
    let cookie = query(stream).await;
    send(stream, answer(&cookie, Network::Dev)).await;
    let mut response = [0; Header::SIZE + 160];
    stream.read_exact(&mut response).await.unwrap();
}

/// The same with a node id of the test's choice; `None` when the bridge does not go through with it.
pub(crate) async fn greet_as(stream: &mut TcpStream, key: &PrivateKey) -> Option<()> {
    let mut bytes = [0; Header::SIZE + 32];
    stream.read_exact(&mut bytes).await.ok()?;
    let Message::NodeIdHandshake(handshake) = Message::decode(&bytes).ok()?.1 else {
        return None;
    };
    let response = HandshakeResponse::sign(Network::Dev, key, &handshake.query?, [1; 32]);
    let cookie = Cookie::from_bytes([2; 32]);
    let answer = NodeIdHandshake::response_and_query(response, cookie);
    send(stream, answer.into()).await;
    let mut response = [0; Header::SIZE + 160];
    stream.read_exact(&mut response).await.ok()?;
    Some(())
}

/// The next message of the bridge; `None` when it has closed.
pub(crate) async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> Option<Message> {
    let mut head = [0; Header::SIZE];
    stream.read_exact(&mut head).await.ok()?;
    let header = Header::parse(&head).unwrap();
    let mut payload = vec![0; header.payload_length().unwrap()];
    stream.read_exact(&mut payload).await.ok()?;
    Some(Message::parse(&header, &payload).unwrap())
}
