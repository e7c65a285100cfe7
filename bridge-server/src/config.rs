//! Configuration of `run`: options of the command line and the file made into one checked value.
//!
//! A [`Config`] that exists is consistent: contradictions are refused here, with a message that
//! names the option, before anything is opened or connected.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use dev_node::Dialect;
use nano_core::{Network, Raw};
use nanonet::gossip::Parameter;
use nanonet::governance::Setting;
use nanonet::{Addresses, NodeKey};

use crate::bridges::dns::DnsName;
use crate::bridges::{BridgeList, ListError, WebAddress, list};
use crate::cli::RunOptions;
use crate::relay;

/// Port of the bridge when none is given.
pub const DEFAULT_PORT: u16 = 7080;
/// Copies of a fresh record when none are given (design: k = 16).
pub const DEFAULT_REPLICAS: u8 = 16;
/// Links when no limit is given.
pub const DEFAULT_MAX_LINKS: u16 = 4096;
/// Accounts per second of the backfill when none are given, where there is one.
pub const DEFAULT_BACKFILL: u32 = 5;
/// Full nodes and bridges that may be configured; more is surely a mistake.
pub const MAX_PEERS: usize = 256;
/// Anchors that may be configured; their offers are compared all together.
pub const MAX_ANCHORS: usize = nanonet::weights::MAX_OFFERS;
/// Longest configuration file in bytes.
pub const MAX_CONFIG_BYTES: u64 = 256 * 1024;

/// A checked configuration of `run`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Nano network.
    pub network: Network,
    /// Where the one port listens.
    pub listen: SocketAddr,
    /// Full nodes, `host:port`, without repetitions.
    pub peers: Vec<String>,
    /// Where full nodes are accepted; `None` = nowhere.
    pub peer_listen: Option<SocketAddr>,
    /// Other bridges, `host:port`, without repetitions.
    pub bridges: Vec<String>,
    /// Where browsers and other bridges reach this one.
    pub public: Vec<WebAddress>,
    /// The same as its introduction carries them.
    pub addresses: Addresses,
    /// Where the list of bridges to begin with comes from.
    pub list: ListFrom,
    /// Folder for identity and records; `None` = memory.
    pub data: Option<PathBuf>,
    /// Folder of the page; `None` = an explanation is served.
    pub www: Option<PathBuf>,
    /// Where representative weights come from.
    pub weights: WeightsFrom,
    /// A full node's RPC.
    pub rpc: Option<RpcUrl>,
    /// A full node's WebSocket.
    pub ws: Option<WsUrl>,
    /// Bridges whose weights count, without repetitions.
    pub anchors: Vec<Anchor>,
    /// Settings of the network that it endorses.
    pub endorsed: Vec<Parameter>,
    /// Least weight a quorum is computed from; `None` = the network's default.
    pub minimum: Option<Raw>,
    /// Copies of each fresh record.
    pub replicas: u8,
    /// Most links at once.
    pub max_links: u16,
    /// Whether a development node runs in this process.
    pub embedded_devnet: bool,
    /// Which full node that one talks like.
    pub dialect: Dialect,
    /// Accounts its fresh ledger is filled with.
    pub accounts: u32,
    /// Accounts per second that are walked through in the background; 0 = none.
    pub backfill: u32,
    /// Bounds of the relay; no option changes them.
    pub relay: relay::Limits,
}

/// Where the list of bridges comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListFrom {
    /// This program or a file; without our own addresses.
    Fixed(BridgeList),
    /// The DNS, asked again and again.
    Dns(DnsName),
}

/// Where the weight table comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsFrom {
    /// The table compiled in for the live network.
    LiveSnapshot,
    /// A JSON file read once at start.
    File(PathBuf),
    /// A full node's RPC, asked repeatedly (dev network only).
    Rpc(RpcUrl),
    /// The development node in this process, asked repeatedly.
    Embedded,
}

/// Plain `http://…` URL of a full node's RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcUrl(pub String);

/// Plain `ws://…` URL of a full node's WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WsUrl(pub String);

/// A bridge whose word on weights counts as one of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Its node key.
    pub key: NodeKey,
    /// Its web address without a path.
    pub url: String,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error(
        "cannot read the configuration file {path}: {source}; check the path and its permissions"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a small text file.
    #[error("the configuration file {path} has {size} bytes; at most {MAX_CONFIG_BYTES} are read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The file is not TOML, or has an unknown key or a value of the wrong kind.
    #[error("the configuration file {path} is wrong: {message}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// Place and reason, naming the key.
        message: String,
    },
    /// `--peer` or `--bridge` is not `host:port`.
    #[error("{option} {value:?} is not host:port; write for example 127.0.0.1:44000")]
    Address {
        /// The option.
        option: &'static str,
        /// What was given.
        value: String,
    },
    /// More addresses than could be meant.
    #[error("{option} is given {count} times; at most {most} are allowed")]
    TooMany {
        /// The option.
        option: &'static str,
        /// How often.
        count: usize,
        /// How often it may be.
        most: usize,
    },
    /// `--rpc` is not a plain http URL.
    #[error("--rpc {value:?} is not a plain http URL; write for example http://127.0.0.1:45000")]
    Rpc {
        /// What was given.
        value: String,
    },
    /// `--ws` is not a plain ws URL.
    #[error("--ws {value:?} is not a plain ws URL; write for example ws://127.0.0.1:47000")]
    Ws {
        /// What was given.
        value: String,
    },
    /// `--endorse` is no setting within its bounds.
    #[error(
        "--endorse {value:?} is no setting of the network within its bounds; write for example message-burst=80"
    )]
    Endorse {
        /// As given.
        value: String,
    },
    /// `--anchor` is not `KEY@URL`.
    #[error(
        "--anchor {value:?} is not KEY@URL; write for example key_…@http://bridge.example:7080"
    )]
    Anchor {
        /// What was given.
        value: String,
    },
    /// `--public-address`, or the list of bridges.
    #[error(transparent)]
    List(#[from] ListError),
    /// More public addresses than an introduction has room for.
    #[error("--public-address: {0}")]
    Addresses(#[from] nanonet::AddressesError),
    /// Options that contradict each other.
    #[error("{0}")]
    Conflict(&'static str),
    /// `--www` or `--data` names something that is not a folder.
    #[error("{option} {path} is not a folder; {advice}")]
    NotAFolder {
        /// The option.
        option: &'static str,
        /// What was given.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// A number outside of its range.
    #[error("{option} must be at least 1")]
    Zero {
        /// The option.
        option: &'static str,
    },
}

impl Config {
    /// Merges command line and file and checks the result. Reads the file and looks at folders;
    /// changes nothing.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn resolve(options: RunOptions) -> Result<Self, ConfigError> {
        let options = match options.config.clone() {
            Some(path) => options.over(read_file(&path)?),
            None => options,
        };
        let network = options.network.unwrap_or(Network::Dev);
        if options.embedded_devnet && network != Network::Dev {
            return Err(ConfigError::Conflict(
                "--embedded-devnet starts a development network; leave it out or use --network dev",
            ));
        }
        let other_node = options.rpc.is_some() || options.ws.is_some();
        if options.embedded_devnet && (other_node || options.weights.is_some()) {
            return Err(ConfigError::Conflict(
                "--embedded-devnet is the full node itself; leave out --rpc, --ws and --weights",
            ));
        }
        if !options.embedded_devnet && (options.dialect.is_some() || options.accounts.is_some()) {
            return Err(ConfigError::Conflict(
                "--dialect and --accounts are about --embedded-devnet; add it, or leave them out",
            ));
        }
        if options.replicas == Some(0) {
            return Err(ConfigError::Zero {
                option: "--replicas",
            });
        }
        if options.max_links == Some(0) {
            return Err(ConfigError::Zero {
                option: "--max-links",
            });
        }
        let mut peers = addresses("--peer", &options.peer)?;
        if peers.is_empty() && !options.embedded_devnet {
            let name = network.preconfigured_peer();
            peers.extend(name.map(|name| format!("{name}:{}", network.peering_port())));
            if peers.is_empty() {
                return Err(ConfigError::Conflict(
                    "no full node to peer with: the dev network has no public peers; give \
                     --peer HOST:PORT or --embedded-devnet",
                ));
            }
        }
        if let Some(www) = options.www.as_deref().filter(|path| !path.is_dir()) {
            return Err(ConfigError::NotAFolder {
                option: "--www",
                path: www.to_path_buf(),
                advice: "build the page first (npm start does), or leave the option out",
            });
        }
        if let Some(data) = options
            .data
            .as_deref()
            .filter(|path| path.exists() && !path.is_dir())
        {
            return Err(ConfigError::NotAFolder {
                option: "--data",
                path: data.to_path_buf(),
                advice: "name a folder; it is created when it does not exist",
            });
        }
        let listen = options
            .listen
            .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)));
        let public = options.public_address.iter();
        let public = public.map(|text| WebAddress::parse(text));
        let mut config = Self {
            network,
            listen,
            public: public.collect::<Result<_, _>>()?,
            addresses: Addresses::default(),
            list: ListFrom::Fixed(BridgeList::default()),
            peers,
            peer_listen: options.peer_listen,
            bridges: addresses("--bridge", &options.bridge)?,
            weights: weights_from(network, &options)?,
            rpc: options.rpc.as_deref().map(rpc_url).transpose()?,
            ws: options.ws.as_deref().map(ws_url).transpose()?,
            anchors: anchors(&options.anchor)?,
            endorsed: endorsed(&options.endorse)?,
            minimum: options.online_weight_minimum.map(whole_nano),
            data: options.data.clone(),
            www: options.www.clone(),
            replicas: options.replicas.unwrap_or(DEFAULT_REPLICAS),
            max_links: options.max_links.unwrap_or(DEFAULT_MAX_LINKS),
            embedded_devnet: options.embedded_devnet,
            dialect: options.dialect.unwrap_or_default(),
            accounts: options.accounts.unwrap_or(0),
            backfill: options.backfill.unwrap_or(match network {
                // Tests and benchmarks count what reaches full nodes.
                Network::Dev => 0,
                _ => DEFAULT_BACKFILL,
            }),
            relay: relay::Limits::DEFAULT,
        };
        config.listens_at(listen)?;
        config.list = list_from(&options, network, &config.public)?;
        Ok(config)
    }
}

impl Config {
    /// What follows from the address that is really listened at: without another one it is the
    /// public address on the dev network, if it is one host's.
    ///
    /// # Errors
    /// Never for an address that a socket is bound to.
    pub fn listens_at(&mut self, address: SocketAddr) -> Result<(), ConfigError> {
        let is_real = address.port() != 0 && !address.ip().is_unspecified();
        if self.public.is_empty() && self.network == Network::Dev && is_real {
            self.public
                .push(WebAddress::parse(&format!("http://{address}"))?);
        }
        self.addresses = list::addresses(&self.public)?;
        Ok(())
    }
}

fn list_from(
    options: &RunOptions,
    network: Network,
    own: &[WebAddress],
) -> Result<ListFrom, ConfigError> {
    match (&options.bridge_list, &options.bridge_dns) {
        (Some(_), Some(_)) => Err(ConfigError::Conflict(
            "--bridge-list and --bridge-dns both replace the list of bridges; give one of them",
        )),
        (_, None) if options.dns_server.is_some() => Err(ConfigError::Conflict(
            "--dns-server is about --bridge-dns; add it, or leave it out",
        )),
        (Some(file), None) => {
            let list = BridgeList::from_file(file, network)?;
            Ok(ListFrom::Fixed(list.without(own)))
        }
        (None, Some(name)) => Ok(ListFrom::Dns(DnsName {
            name: name.clone(),
            server: options.dns_server,
        })),
        (None, None) => {
            let list = BridgeList::built_in(network, own)?;
            Ok(ListFrom::Fixed(list.without(own)))
        }
    }
}

fn weights_from(network: Network, options: &RunOptions) -> Result<WeightsFrom, ConfigError> {
    match (network, &options.weights, &options.rpc) {
        (_, Some(file), _) => Ok(WeightsFrom::File(file.clone())),
        // A single bridge must not be able to set weights where they are worth money: elsewhere
        // the RPC's weights are only this bridge's offer to others.
        (Network::Dev, None, Some(rpc)) => Ok(WeightsFrom::Rpc(rpc_url(rpc)?)),
        (Network::Live, None, _) => Ok(WeightsFrom::LiveSnapshot),
        (_, None, None) if options.embedded_devnet => Ok(WeightsFrom::Embedded),
        (_, None, _) => Err(ConfigError::Conflict(
            "no weight table: this network has none compiled in; give --weights FILE (the command \
             `weights` makes one out of a full node's RPC), or on the dev network --rpc URL",
        )),
    }
}

/// Whole nano in raw. Fits: 2^64 times 10^30 is cut to all there is.
pub fn whole_nano(nano: u64) -> Raw {
    Raw::new(u128::from(nano).saturating_mul(Raw::NANO.number()))
}

/// Reads `ws://…`.
fn ws_url(value: &str) -> Result<WsUrl, ConfigError> {
    match reqwest::Url::parse(value) {
        Ok(url) if url.scheme() == "ws" && url.has_host() => Ok(WsUrl(url.into())),
        _ => Err(ConfigError::Ws {
            value: value.to_owned(),
        }),
    }
}

/// Reads settings that are endorsed; each must be one that nodes can take.
fn endorsed(given: &[String]) -> Result<Vec<Parameter>, ConfigError> {
    let read = |text: &String| {
        let (name, value) = text.split_once('=')?;
        let setting = Setting::of(name)?;
        let (least, most) = setting.bounds();
        let value: u32 = value.parse().ok()?;
        (least..=most).contains(&value).then(|| Parameter {
            name: setting.name().to_owned(),
            value: value.to_string().into_bytes(),
        })
    };
    let read = |text: &String| {
        read(text).ok_or_else(|| ConfigError::Endorse {
            value: text.clone(),
        })
    };
    given.iter().map(read).collect()
}

fn anchors(given: &[String]) -> Result<Vec<Anchor>, ConfigError> {
    if given.len() > MAX_ANCHORS {
        return Err(ConfigError::TooMany {
            option: "--anchor",
            count: given.len(),
            most: MAX_ANCHORS,
        });
    }
    let mut kept: Vec<Anchor> = Vec::new();
    for value in given {
        let wrong = || ConfigError::Anchor {
            value: value.clone(),
        };
        let (key, url) = value.split_once('@').ok_or_else(wrong)?;
        let key: NodeKey = key.parse().map_err(|_| wrong())?;
        let RpcUrl(url) = rpc_url(url).map_err(|_| wrong())?;
        let url = url.trim_end_matches('/').to_owned();
        if !kept.iter().any(|anchor| anchor.key == key) {
            kept.push(Anchor { key, url });
        }
    }
    Ok(kept)
}

/// Reads `http://…`.
///
/// # Errors
/// [`ConfigError::Rpc`] for anything else.
pub fn rpc_url(value: &str) -> Result<RpcUrl, ConfigError> {
    match reqwest::Url::parse(value) {
        Ok(url) if url.scheme() == "http" && url.has_host() => Ok(RpcUrl(url.into())),
        _ => Err(ConfigError::Rpc {
            value: value.to_owned(),
        }),
    }
}

fn addresses(option: &'static str, given: &[String]) -> Result<Vec<String>, ConfigError> {
    if given.len() > MAX_PEERS {
        return Err(ConfigError::TooMany {
            option,
            count: given.len(),
            most: MAX_PEERS,
        });
    }
    let mut kept = Vec::new();
    for value in given {
        let valid = value.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty()
                && host.len() <= 255
                && !host.contains(char::is_whitespace)
                && port.parse::<u16>().is_ok_and(|port| port != 0)
        });
        if !valid {
            return Err(ConfigError::Address {
                option,
                value: value.clone(),
            });
        }
        if !kept.contains(value) {
            kept.push(value.clone());
        }
    }
    Ok(kept)
}

fn read_file(path: &Path) -> Result<RunOptions, ConfigError> {
    let read = |source| ConfigError::Read {
        path: path.to_path_buf(),
        source,
    };
    let size = std::fs::metadata(path).map_err(read)?.len();
    if size > MAX_CONFIG_BYTES {
        return Err(ConfigError::TooLarge {
            path: path.to_path_buf(),
            size,
        });
    }
    let text = std::fs::read_to_string(path).map_err(read)?;
    toml::from_str(&text).map_err(|error| ConfigError::Toml {
        path: path.to_path_buf(),
        message: error.to_string().trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests;
