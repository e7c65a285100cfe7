//! What the tests over real sockets share: a bridge with its development network, a nanonet node
//! over WebSocket, and waiting for conditions with a deadline.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bridge_server::cli::RunOptions;
use bridge_server::clock;
use bridge_server::config::Config;
use bridge_server::run::Bridge;
use dev_node::{DevNode, DevNodeConfig, Dialect};
use futures_util::{SinkExt, StreamExt};
use nano_core::{
    Account, Block, BlockHash, Link, Network, PrivateKey, Raw, StateBlock, WeightTable, WorkNonce,
};
use nanonet::{
    Channel, Event, Identity, Input, LinkId, LinkOrigin, Node, Output, RequestId, Rng, Role,
    Transport,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// The longest any condition may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Which full node the development nodes of this program talk like.
pub(crate) fn dialect() -> Dialect {
    match env!("CARGO_CRATE_NAME") {
        "bridge_cpp" => Dialect::Cpp,
        _ => Dialect::Rs,
    }
}

/// What every development node of this program is started with, in its dialect.
pub(crate) fn dev_config() -> DevNodeConfig {
    DevNodeConfig {
        dialect: dialect(),
        ..DevNodeConfig::default()
    }
}

/// A development node.
pub(crate) async fn dev_node() -> DevNode {
    DevNode::start(dev_config()).await.unwrap()
}

/// Options of a bridge beside development nodes of its own process, with their weights in a file
/// of `folder`, so that it knows them by the peer protocol alone.
pub(crate) fn options_beside(nodes: &[DevNode], folder: &Path) -> RunOptions {
    let weights = nodes[0].weights();
    let total = weights.values().map(|weight| weight.number()).sum();
    let table = WeightTable {
        network: Network::Dev,
        as_of: clock::now(),
        online_weight: Raw::new(total),
        minimum: Raw::new(1),
        weights,
    };
    let file = folder.join("weights.json");
    std::fs::write(&file, serde_json::to_vec(&table).unwrap()).unwrap();
    RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        peer: nodes
            .iter()
            .map(|node| node.peering_addr().to_string())
            .collect(),
        weights: Some(file),
        ..RunOptions::default()
    }
}

/// A bridge and the development node it knows by the peer protocol alone.
pub(crate) async fn bridge_and_node() -> (Bridge, DevNode) {
    let dev = dev_node().await;
    let folder = tempfile::tempdir().unwrap();
    let options = options_beside(std::slice::from_ref(&dev), folder.path());
    (bridge(options).await, dev)
}

/// Options of a bridge beside a full node of its own, as operators run it: its weights come by RPC.
pub(crate) fn with_rpc(dev: &DevNode) -> RunOptions {
    RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        peer: vec![dev.peering_addr().to_string()],
        rpc: Some(format!("http://{}", dev.rpc_addr())),
        ..RunOptions::default()
    }
}

/// Options of a bridge on a free port with a development network inside.
pub(crate) fn options() -> RunOptions {
    RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        embedded_devnet: true,
        dialect: Some(dialect()),
        ..RunOptions::default()
    }
}

/// A bridge that reaches all voting weight.
pub(crate) async fn bridge(options: RunOptions) -> Bridge {
    let bridge = Bridge::start(Config::resolve(options).unwrap())
        .await
        .unwrap();
    reach_all(&bridge).await;
    bridge
}

/// Waits until the bridge is linked to another one.
pub(crate) async fn linked(bridge: &Bridge) {
    until("the link to the other bridge", async || {
        let status = bridge.node().status().await?;
        let mut links = status.links.iter();
        links.any(|link| link.role == Role::Bridge).then_some(())
    })
    .await;
}

/// Waits until every representative of the table is known behind a channel.
pub(crate) async fn reach_all(bridge: &Bridge) {
    let mut changes = bridge.full_nodes().changes();
    let all = bridge.weights().current().total();
    timeout(DEADLINE, async {
        while bridge.full_nodes().reachable_weight() < all {
            changes.changed().await.unwrap();
        }
    })
    .await
    .expect("not all representatives were found");
}

/// Waits for a condition that has no news of its own, looking again and again.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Serves HTTP on a free port until the test ends.
pub(crate) async fn serve(router: axum::Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A browser's node, driven over a real WebSocket.
pub(crate) struct Client {
    node: Node,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
}

const LINK: LinkId = LinkId(1);

impl Client {
    /// A node linked to the bridge.
    pub(crate) async fn link(bridge: &Bridge, seed: u8) -> Self {
        let table = bridge.weights().current().as_ref().clone();
        let anchors = vec![bridge.node().status().await.unwrap().key];
        let config = nanonet::Config::browser(table.network, table, anchors);
        let identity = Identity::generate(&mut Rng::from_seed([seed; 32]));
        let node = Node::new(config, identity, [seed; 32], clock::now());
        let url = format!("ws://{}/v1/link", bridge.address());
        let (socket, _) = connect_async(url).await.unwrap();
        let mut client = Self {
            node,
            socket,
            next: 1,
        };
        client.input(Input::LinkOpened {
            link: LINK,
            origin: LinkOrigin::Dialled,
            transport: Transport::WebSocket,
        });
        client
            .until("link up", |event| {
                matches!(event, Event::LinkUp { .. }).then_some(())
            })
            .await;
        client
    }

    fn input(&mut self, input: Input) {
        self.node.handle_input(clock::now(), input);
    }

    /// Asks for an account and waits for the answer.
    pub(crate) async fn get(
        &mut self,
        account: Account,
        fresh: bool,
    ) -> Result<Box<nanonet::AccountAnswer>, nanonet::GetError> {
        let request = RequestId(self.next);
        self.next += 1;
        let options = nanonet::GetOptions {
            fresh,
            deadline_ms: 20_000,
        };
        self.input(Input::Get {
            request,
            account,
            options,
        });
        self.until("answer", |event| match event {
            Event::Answer {
                request: answered,
                result,
            } if *answered == request => Some(result.clone()),
            _ => None,
        })
        .await
    }

    /// Publishes a block and waits for `state` to say yes.
    pub(crate) async fn publish<T>(
        &mut self,
        block: Block,
        mut state: impl FnMut(nanonet::PublishState) -> Option<T>,
    ) -> T {
        let request = RequestId(self.next);
        self.next += 1;
        let hash = block.hash();
        self.input(Input::Publish {
            request,
            block: Box::new(block),
        });
        self.until("publish state", |event| match event {
            Event::Publish {
                hash: about,
                state: now,
                ..
            } if *about == hash => state(*now),
            _ => None,
        })
        .await
    }

    /// Drives the node until an event is the right one.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut right: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            while let Some(output) = self.node.poll_output() {
                match output {
                    Output::Transmit { bytes, .. } => {
                        let size = u32::try_from(bytes.len()).unwrap();
                        self.socket
                            .send(Message::Binary(bytes.into()))
                            .await
                            .unwrap();
                        self.input(Input::LinkWritten {
                            link: LINK,
                            bytes: size,
                        });
                    }
                    Output::Event(event) => {
                        if let Some(found) = right(&event) {
                            return found;
                        }
                    }
                    Output::Close { reason, .. } => {
                        panic!("waiting for {what}: closed: {reason:?}")
                    }
                    _ => {}
                }
            }
            assert!(Instant::now() < deadline, "waited too long for: {what}");
            let pause = self
                .node
                .next_timeout()
                .map_or(1_000, |at| at.since(clock::now()));
            let wake = (Instant::now() + Duration::from_millis(pause)).min(deadline);
            match timeout_at(wake, self.socket.next()).await {
                Ok(Some(Ok(Message::Binary(bytes)))) => {
                    self.input(Input::LinkReceived {
                        link: LINK,
                        channel: Channel::Ordered,
                        bytes: bytes.into(),
                    });
                }
                Ok(Some(Ok(_))) => {}
                Ok(other) => panic!("waiting for {what}: the bridge closed: {other:?}"),
                Err(_) => self.input(Input::Timeout),
            }
        }
    }
}

/// A signed state block with work that is always enough on the dev network.
pub(crate) fn state_block(
    key: &PrivateKey,
    previous: BlockHash,
    representative: Account,
    balance: Raw,
    link: Link,
) -> Block {
    let block =
        StateBlock::unsigned(key.account(), previous, representative, balance, link).sign(key);
    let root = block.root();
    let enough = nano_core::Network::Dev.work_thresholds().ample();
    let work = (0..u64::MAX)
        .map(WorkNonce::new)
        .find(|work| work.difficulty(&root) >= enough)
        .unwrap();
    block.with_work(work).into()
}
