//! From the page's wish to a node that can be driven: storage, identity, trust, slice.

use std::rc::Rc;

use nano_core::Network;
use nanonet::{Config, Identity, Input, MAX_TOLD, Node, PeerRecord, Rng};

use super::bridge_url::BridgeUrl;
use super::bridges::Bridges;
use super::browser;
use super::command::{Profile, StartOptions, StorageKind};
use super::driver::{Driver, Parts};
use super::page::Page;
use super::reply::Started;
use super::storage::{Database, IDENTITY, KNOWN, Storage};
use super::trust::Trust;
use crate::fault::Fault;

/// Longest name of a storage.
const LONGEST_NAME: usize = 64;

/// Makes the node and loads its slice. It makes no connection before [`Driver::run`].
pub(super) async fn start(
    page: &Page,
    options: StartOptions,
) -> Result<(Rc<Driver>, Started), Fault> {
    let network: Network = options
        .network
        .parse()
        .map_err(Fault::coded("bad-network"))?;
    let given = BridgeUrl::parse_all(&options.bridges).map_err(Fault::coded("bad-bridge"))?;
    let listed = if options.listed {
        BridgeUrl::listed(network, &given)
    } else {
        Vec::new()
    };
    let anchors = options
        .anchors
        .iter()
        .map(|text| text.parse())
        .collect::<Result<Vec<_>, _>>()
        .map_err(Fault::coded("bad-anchor"))?;
    if options.name.is_empty() || options.name.len() > LONGEST_NAME {
        return Err(Fault {
            code: "bad-name",
            message: format!("the name of a storage has 1 to {LONGEST_NAME} bytes"),
        });
    }
    let mut opened = Opened::at_start(options.storage_problem);
    if options.storage == StorageKind::IndexedDb {
        opened = opened
            .open(&format!("nanonet-{}-{network}", options.name))
            .await;
    }
    let term = opened.begin_term().await;
    let identity = opened.identity().await?;
    let entries = opened.entries().await;
    let known = opened.known().await;
    let Opened { database, problem } = opened;
    let all = [given.clone(), listed.clone()].concat();
    let (trust, weights_source) = Trust::find(network, anchors, database.as_deref(), &all).await?;
    let mut config = Config::browser(network, trust.weights.clone(), trust.anchors.clone());
    if options.profile == Profile::Small {
        config = config.small();
    }
    if let Some(links) = options.max_links {
        config.max_links = links;
    }
    if let Some(replicas) = options.replicas {
        config.replicas = replicas;
    }
    let started = Started {
        key: identity.node_key().to_string(),
        id: identity.node_id().to_string(),
        term,
        work_threshold: network.work_thresholds().ample().to_string(),
    };
    let now = browser::now();
    let mut node = Node::new(config, identity, browser::entropy()?, now);
    if !entries.is_empty() {
        node.handle_input(now, Input::Loaded { entries });
    }
    for records in known.chunks(MAX_TOLD) {
        node.handle_input(now, Input::Introduced(records.to_vec()));
    }
    let driver = Driver::new(Parts {
        page: page.clone(),
        node,
        network,
        bridges: Bridges::new(given, listed, now),
        storage: Storage::new(database, problem),
        trust,
        weights_source,
    });
    Ok((driver, started))
}

/// Storage while the node starts. What fails is left behind and the node begins anew in memory.
struct Opened {
    database: Option<Rc<Database>>,
    problem: Option<String>,
}

impl Opened {
    const fn at_start(problem: Option<String>) -> Self {
        Self {
            database: None,
            problem,
        }
    }

    async fn open(self, name: &str) -> Self {
        match Database::open(name).await {
            Ok(database) => Self {
                database: Some(Rc::new(database)),
                ..self
            },
            Err(error) => Self::at_start(Some(error.to_string())),
        }
    }

    /// Begins a term; 0 in memory, which is nobody else's.
    async fn begin_term(&mut self) -> u64 {
        if let Some(database) = self.database.clone() {
            match database.begin_term().await {
                Ok(term) => return term,
                Err(error) => *self = Self::at_start(Some(error.to_string())),
            }
        }
        0
    }

    /// The stored identity, or a new one, which is stored before it is used.
    async fn identity(&mut self) -> Result<Identity, Fault> {
        if let Some(database) = self.database.clone() {
            match database.meta(IDENTITY).await {
                Ok(Some(bytes)) => match Identity::from_bytes(&bytes) {
                    Ok(identity) => return Ok(identity),
                    Err(error) => self.problem = Some(format!("{error}; a new identity was made")),
                },
                Ok(None) => {}
                Err(error) => *self = Self::at_start(Some(error.to_string())),
            }
        }
        let identity = Identity::generate(&mut Rng::from_seed(browser::entropy()?));
        if let Some(database) = self.database.clone()
            && let Err(error) = database.set_meta(IDENTITY, &identity.to_bytes()).await
        {
            *self = Self::at_start(Some(error.to_string()));
        }
        Ok(identity)
    }

    /// Whom the node knew last.
    async fn known(&self) -> Vec<PeerRecord> {
        let Some(database) = &self.database else {
            return Vec::new();
        };
        let bytes = database.meta(KNOWN).await.ok().flatten();
        bytes.map_or_else(Vec::new, |bytes| PeerRecord::unpack(&bytes))
    }

    async fn entries(&mut self) -> Vec<nanonet::StoredEntry> {
        let Some(database) = self.database.clone() else {
            return Vec::new();
        };
        match database.entries().await {
            Ok(entries) => entries,
            Err(error) => {
                *self = Self::at_start(Some(error.to_string()));
                Vec::new()
            }
        }
    }
}
