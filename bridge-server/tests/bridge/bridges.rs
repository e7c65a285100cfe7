//! How bridges learn of each other, and how browsers hear of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bridge_server::bridges::dns::{DnsName, PREFIX};
use bridge_server::bridges::read;
use bridge_server::cli::RunOptions;
use bridge_server::run::Bridge;
use hickory_server::Server;
use hickory_server::net::runtime::TokioRuntimeProvider;
use hickory_server::proto::rr::rdata::TXT;
use hickory_server::proto::rr::{Name, RData, Record};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use nanonet::gossip::News;
use nanonet::{Event, Input, PeerRecord, Role};
use serde_json::{Value, json};

use crate::common::{Client, bridge, linked, options, until};

/// The introductions that a bridge serves, read and verified.
async fn served(bridge: &Bridge, what: &str) -> Vec<PeerRecord> {
    let url = format!("http://{}/v1/{what}", bridge.address());
    let response = reqwest::get(url).await.unwrap();
    let anyone = &response.headers()["access-control-allow-origin"];
    assert_eq!(anyone, "*", "pages from elsewhere read it");
    let records = read(&response.bytes().await.unwrap()).unwrap();
    for record in &records {
        assert_eq!(record.verify(), Ok(()));
    }
    records
}

fn web(bridge: &Bridge) -> String {
    format!("http://{}", bridge.address())
}

/// Waits until a bridge serves the introduction of another.
async fn knows(bridge: &Bridge, other: &Bridge) {
    let address = web(other);
    until("the other bridge's introduction", async || {
        let mut records = served(bridge, "bridges").await.into_iter();
        let names =
            |record: &PeerRecord| record.addresses.iter().any(|one| one.as_str() == address);
        records.any(|record| names(&record)).then_some(())
    })
    .await;
}

/// A DNS server whose one name has these texts.
async fn dns(name: &str, texts: &[&str]) -> (Server<Catalog>, SocketAddr) {
    let origin = Name::from_ascii("bridges.test.").unwrap();
    let mut zone = InMemoryZoneHandler::<TokioRuntimeProvider>::empty(
        origin.clone(),
        ZoneType::Primary,
        AxfrPolicy::Deny,
    );
    let name = Name::from_ascii(name).unwrap();
    for text in texts {
        let text = RData::TXT(TXT::new(vec![(*text).to_owned()]));
        zone.upsert_mut(Record::from_rdata(name.clone(), 60, text), 1);
    }
    let mut catalog = Catalog::new();
    catalog.upsert(origin.into(), vec![Arc::new(zone)]);
    let socket = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
    let socket = socket.await.unwrap();
    let address = socket.local_addr().unwrap();
    let mut server = Server::new(catalog);
    server.register_socket(socket);
    (server, address)
}

#[tokio::test]
async fn linked_bridges_serve_each_others_signed_introductions() {
    let first = bridge(options()).await;
    let own = served(&first, "bridges").await;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].role, Role::Bridge);
    let second = bridge(RunOptions {
        bridge: vec![first.address().to_string()],
        ..options()
    })
    .await;
    linked(&second).await;
    knows(&first, &second).await;
    knows(&second, &first).await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_bridge_begins_with_a_file_links_to_those_listed_and_remembers_them() {
    let (first, folder) = (bridge(options()).await, tempfile::tempdir().unwrap());
    let list = folder.path().join("bridges.json");
    std::fs::write(&list, json!({ "dev": [web(&first)] }).to_string()).unwrap();
    let data = folder.path().join("data");
    let second = bridge(RunOptions {
        bridge_list: Some(list),
        data: Some(data.clone()),
        ..options()
    })
    .await;
    linked(&second).await;
    knows(&second, &first).await;
    let address = web(&first);
    first.stop().await;
    second.stop().await;
    let again = bridge(RunOptions {
        data: Some(data),
        ..options()
    })
    .await;
    until("what was remembered", async || {
        let records = served(&again, "bridges").await;
        let mut addresses = records.iter().flat_map(|record| record.addresses.iter());
        addresses.any(|one| one.as_str() == address).then_some(())
    })
    .await;
    again.stop().await;
}

#[tokio::test]
async fn the_dns_names_a_bridge_and_that_one_names_another() {
    let first = bridge(options()).await;
    let second = bridge(RunOptions {
        bridge: vec![first.address().to_string()],
        ..options()
    })
    .await;
    knows(&first, &second).await;
    let entry = format!("{PREFIX}{}", web(&first));
    let (server, address) = dns("_nanonet.bridges.test.", &["v=spf1 -all", &entry]).await;
    let third = bridge(RunOptions {
        bridge_dns: Some("_nanonet.bridges.test.".into()),
        dns_server: Some(address),
        ..options()
    })
    .await;
    linked(&third).await;
    knows(&third, &second).await;
    let unknown = DnsName {
        name: "elsewhere.bridges.test.".into(),
        server: Some(address),
    };
    assert!(unknown.look_up().await.is_err());
    for bridge in [first, second, third] {
        bridge.stop().await;
    }
    drop(server);
}

#[tokio::test]
async fn a_browser_hears_of_another_bridge_over_its_link_and_in_news() {
    let first = bridge(options()).await;
    let second = bridge(RunOptions {
        bridge: vec![first.address().to_string()],
        ..options()
    })
    .await;
    knows(&first, &second).await;
    let address = web(&second);
    let names = |record: &PeerRecord| record.addresses.iter().any(|one| one.as_str() == address);
    let mut client = Client::link(&first, 60).await;
    client
        .until("a bridge found over the link", |event| match event {
            Event::BridgeFound(record) if names(record) => Some(()),
            _ => None,
        })
        .await;
    let own = served(&second, "bridges").await;
    let newer = own.into_iter().find(|record| names(record)).unwrap();
    // What is told again after half an hour, told now.
    let tell = nanonet::gossip::Tell::Bridge(Box::new(newer));
    first.node().input(Input::Tell(Box::new(tell))).await;
    client
        .until("news of a bridge", |event| match event {
            Event::News { news, .. } => match news.as_ref() {
                News::Bridge(said) if names(&said.what) => Some(()),
                _ => None,
            },
            _ => None,
        })
        .await;
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn browsers_that_are_linked_are_served_as_peers_and_a_forged_one_is_none() {
    let first = bridge(options()).await;
    let client = Client::link(&first, 61).await;
    let peers = until("a peer", async || {
        let peers = served(&first, "peers").await;
        (!peers.is_empty()).then_some(peers)
    })
    .await;
    assert_eq!(peers.len(), 1);
    assert_eq!(peers[0].role, Role::Browser);
    // A bridge elsewhere that is handed it over HTTP knows it; an altered one it does not.
    let second = bridge(options()).await;
    let mut forged = peers[0].clone();
    forged.nonce ^= 1;
    second.node().input(Input::Introduced(vec![forged])).await;
    assert!(served(&second, "peers").await.is_empty());
    second.node().input(Input::Introduced(peers)).await;
    assert_eq!(served(&second, "peers").await.len(), 1);
    drop(client);
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_bridge_without_a_public_address_names_others_only() {
    let live = RunOptions {
        listen: Some("127.0.0.1:0".parse().unwrap()),
        network: Some(nano_core::Network::Live),
        peer: vec!["127.0.0.1:9".into()],
        ..RunOptions::default()
    };
    let start = async |options: RunOptions| {
        let config = bridge_server::config::Config::resolve(options).unwrap();
        Bridge::start(config).await.unwrap()
    };
    let silent = start(live.clone()).await;
    assert!(served(&silent, "bridges").await.is_empty());
    let told = start(RunOptions {
        public_address: vec!["https://bridge.example".into()],
        ..live
    })
    .await;
    let own = served(&told, "bridges").await;
    let address = own[0].addresses.iter().next().unwrap();
    assert_eq!(address.as_str(), "https://bridge.example");
    let answer: Value = reqwest::get(format!("{}/v1/bridges", web(&told)))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["network"], "live");
    assert_eq!(
        answer["bridges"][0]["addresses"][0],
        "https://bridge.example"
    );
    silent.stop().await;
    told.stop().await;
}

#[test]
fn a_list_that_cannot_be_read_is_named() {
    let options = RunOptions {
        bridge_list: Some(Path::new("/nowhere/bridges.json").to_owned()),
        ..options()
    };
    let error = bridge_server::config::Config::resolve(options).unwrap_err();
    assert!(
        error.to_string().contains("/nowhere/bridges.json"),
        "{error}"
    );
}
