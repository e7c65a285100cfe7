//! What the page asks. TypeScript's side of these types is `js/protocol.ts`.
//!
//! A command is read in two steps: all fields that any command may have, then those that this one needs. A decoder of
//! its own for every command would be a twentieth of the node's code.

use nano_core::{Root, WorkNonce};
use serde::Deserialize;
use thiserror::Error;

use super::post::PostAsk;

/// One command. Those with an `id` are answered once, by a result or an error.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub(super) enum Command {
    Start(StartOptions),
    Status {
        id: u64,
    },
    Account {
        id: u64,
        address: String,
        fresh: bool,
        timeout_ms: u32,
    },
    Process {
        id: u64,
        block: serde_json::Value,
    },
    /// Which own blocks are not proven confirmed yet.
    Pending {
        id: u64,
    },
    Watch {
        id: u64,
        address: String,
    },
    Unwatch {
        id: u64,
        address: String,
    },
    /// Something of the registry of keys or of private messages.
    Post {
        id: u64,
        ask: PostAsk,
    },
    Stop {
        id: u64,
    },
    /// Nobody waits for the answer to this request any more.
    Cancel {
        request: u64,
    },
    /// The browser believes to be online, or not.
    Network {
        online: bool,
    },
    /// The page's pool found the nonce over this root.
    WorkFound {
        root: Root,
        nonce: WorkNonce,
    },
    LocalDescription {
        session: u64,
        sdp: String,
    },
    LocalCandidate {
        session: u64,
        candidate: String,
    },
    SessionFailed {
        session: u64,
    },
    /// Attached: the session's data channel.
    Channel {
        session: u64,
        offerer: bool,
    },
    /// Attached: its unordered data channel, after the other one.
    UnorderedChannel {
        session: u64,
    },
    /// The session's channel stays on the page and is open.
    ForwardOpen {
        session: u64,
        offerer: bool,
    },
    /// Attached: what it received.
    ForwardReceived {
        session: u64,
    },
    /// It has taken bytes.
    ForwardWritten {
        session: u64,
        bytes: u32,
    },
    ForwardClosed {
        session: u64,
    },
    /// How to alter answers from now on.
    #[cfg(feature = "adversary")]
    Tamper {
        id: u64,
        how: String,
    },
    /// What was seen of cells since the last time; what is seen is kept from the first time on.
    #[cfg(feature = "adversary")]
    Glimpses {
        id: u64,
    },
    /// How many cells per second a hop works off, beside the cipher alone.
    #[cfg(feature = "adversary")]
    MeasureCells {
        id: u64,
    },
}

impl Command {
    /// The number to answer under.
    pub(super) const fn id(&self) -> Option<u64> {
        match self {
            Self::Start(StartOptions { id, .. })
            | Self::Status { id }
            | Self::Account { id, .. }
            | Self::Process { id, .. }
            | Self::Pending { id }
            | Self::Watch { id, .. }
            | Self::Unwatch { id, .. }
            | Self::Post { id, .. }
            | Self::Stop { id } => Some(*id),
            #[cfg(feature = "adversary")]
            Self::Tamper { id, .. } | Self::Glimpses { id } | Self::MeasureCells { id } => {
                Some(*id)
            }
            _ => None,
        }
    }
}

/// How the node is started.
#[derive(Debug)]
pub(super) struct StartOptions {
    pub(super) id: u64,
    pub(super) network: String,
    pub(super) storage: StorageKind,
    /// Why the page asks for less storage than the person wanted.
    pub(super) storage_problem: Option<String>,
    pub(super) name: String,
    pub(super) bridges: Vec<String>,
    /// Whether the bridges of the list that comes with the package stand behind them.
    pub(super) listed: bool,
    pub(super) anchors: Vec<String>,
    pub(super) profile: Profile,
    pub(super) max_links: Option<u16>,
    pub(super) replicas: Option<u8>,
}

/// How much the node may take of its device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Profile {
    /// What a browser does.
    #[default]
    Usual,
    /// What a small device does.
    Small,
}

/// Where identity and slice are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StorageKind {
    IndexedDb,
    Memory,
}

/// The word by which a command is told.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Start,
    Status,
    Account,
    Process,
    Pending,
    Watch,
    Unwatch,
    Post,
    Stop,
    Cancel,
    Network,
    WorkFound,
    LocalDescription,
    LocalCandidate,
    SessionFailed,
    Channel,
    UnorderedChannel,
    ForwardOpen,
    ForwardReceived,
    ForwardWritten,
    ForwardClosed,
    #[cfg(feature = "adversary")]
    Tamper,
    #[cfg(feature = "adversary")]
    Glimpses,
    #[cfg(feature = "adversary")]
    MeasureCells,
}

/// Everything that a command may say.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(rename = "type")]
    kind: Kind,
    id: Option<u64>,
    address: Option<String>,
    anchors: Option<Vec<String>>,
    ask: Option<PostAsk>,
    block: Option<serde_json::Value>,
    bridges: Option<Vec<String>>,
    bytes: Option<u32>,
    candidate: Option<String>,
    fresh: Option<bool>,
    listed: Option<bool>,
    max_links: Option<u16>,
    name: Option<String>,
    network: Option<String>,
    nonce: Option<WorkNonce>,
    offerer: Option<bool>,
    online: Option<bool>,
    profile: Option<Profile>,
    replicas: Option<u8>,
    request: Option<u64>,
    root: Option<Root>,
    sdp: Option<String>,
    session: Option<u64>,
    storage: Option<StorageKind>,
    storage_problem: Option<String>,
    timeout_ms: Option<u32>,
    #[cfg(feature = "adversary")]
    how: Option<String>,
}

/// A command lacks a field.
#[derive(Debug, Error)]
#[error("its field \"{0}\" is missing")]
struct Missing(&'static str);

/// A field that this command needs.
fn given<T>(field: Option<T>, name: &'static str) -> Result<T, Missing> {
    field.ok_or(Missing(name))
}

impl TryFrom<Fields> for Command {
    type Error = Missing;

    fn try_from(said: Fields) -> Result<Self, Missing> {
        let id = given(said.id, "id");
        let session = given(said.session, "session");
        Ok(match said.kind {
            Kind::Start => Self::Start(StartOptions {
                id: id?,
                network: given(said.network, "network")?,
                storage: given(said.storage, "storage")?,
                storage_problem: said.storage_problem,
                name: given(said.name, "name")?,
                bridges: given(said.bridges, "bridges")?,
                listed: given(said.listed, "listed")?,
                anchors: given(said.anchors, "anchors")?,
                profile: said.profile.unwrap_or_default(),
                max_links: said.max_links,
                replicas: said.replicas,
            }),
            Kind::Status => Self::Status { id: id? },
            Kind::Account => Self::Account {
                id: id?,
                address: given(said.address, "address")?,
                fresh: given(said.fresh, "fresh")?,
                timeout_ms: given(said.timeout_ms, "timeoutMs")?,
            },
            Kind::Process => Self::Process {
                id: id?,
                block: given(said.block, "block")?,
            },
            Kind::Pending => Self::Pending { id: id? },
            Kind::Watch => Self::Watch {
                id: id?,
                address: given(said.address, "address")?,
            },
            Kind::Unwatch => Self::Unwatch {
                id: id?,
                address: given(said.address, "address")?,
            },
            Kind::Post => Self::Post {
                id: id?,
                ask: given(said.ask, "ask")?,
            },
            Kind::Stop => Self::Stop { id: id? },
            Kind::Cancel => Self::Cancel {
                request: given(said.request, "request")?,
            },
            Kind::Network => Self::Network {
                online: given(said.online, "online")?,
            },
            Kind::WorkFound => Self::WorkFound {
                root: given(said.root, "root")?,
                nonce: given(said.nonce, "nonce")?,
            },
            Kind::LocalDescription => Self::LocalDescription {
                session: session?,
                sdp: given(said.sdp, "sdp")?,
            },
            Kind::LocalCandidate => Self::LocalCandidate {
                session: session?,
                candidate: given(said.candidate, "candidate")?,
            },
            Kind::SessionFailed => Self::SessionFailed { session: session? },
            Kind::Channel => Self::Channel {
                session: session?,
                offerer: given(said.offerer, "offerer")?,
            },
            Kind::UnorderedChannel => Self::UnorderedChannel { session: session? },
            Kind::ForwardOpen => Self::ForwardOpen {
                session: session?,
                offerer: given(said.offerer, "offerer")?,
            },
            Kind::ForwardReceived => Self::ForwardReceived { session: session? },
            Kind::ForwardWritten => Self::ForwardWritten {
                session: session?,
                bytes: given(said.bytes, "bytes")?,
            },
            Kind::ForwardClosed => Self::ForwardClosed { session: session? },
            #[cfg(feature = "adversary")]
            Kind::Tamper => Self::Tamper {
                id: id?,
                how: given(said.how, "how")?,
            },
            #[cfg(feature = "adversary")]
            Kind::Glimpses => Self::Glimpses { id: id? },
            #[cfg(feature = "adversary")]
            Kind::MeasureCells => Self::MeasureCells { id: id? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_without_the_optional_settings_is_understood() {
        let json = r#"{"type":"start","id":1,"network":"dev","storage":"indexeddb","name":"default","bridges":["http://127.0.0.1:7080"],"listed":true,"anchors":[]}"#;
        let command: Command = serde_json::from_str(json).unwrap();
        assert_eq!(command.id(), Some(1));
        assert!(matches!(
            command,
            Command::Start(StartOptions {
                storage: StorageKind::IndexedDb,
                max_links: None,
                ..
            })
        ));
    }

    #[test]
    fn names_are_those_of_typescript() {
        let json = r#"{"type":"account","id":7,"address":"nano_1","fresh":true,"timeoutMs":500}"#;
        let command: Command = serde_json::from_str(json).unwrap();
        assert!(matches!(
            command,
            Command::Account {
                timeout_ms: 500,
                fresh: true,
                ..
            }
        ));
        let json = r#"{"type":"post","id":8,"ask":{"type":"send","to":"key_1","name":"0a","text":"hi","timeoutMs":500}}"#;
        let command: Command = serde_json::from_str(json).unwrap();
        assert_eq!(command.id(), Some(8));
        let json = r#"{"type":"forwardWritten","session":3,"bytes":9}"#;
        let command: Command = serde_json::from_str(json).unwrap();
        assert_eq!(command.id(), None);
    }

    #[test]
    fn found_work_is_understood_as_the_pool_writes_it() {
        let root = "01".repeat(32);
        let json = format!(r#"{{"type":"workFound","root":"{root}","nonce":"00000000000000ff"}}"#);
        let command: Command = serde_json::from_str(&json).unwrap();
        assert!(matches!(
            command,
            Command::WorkFound { root, nonce }
                if root == Root::from_bytes([1; 32]) && nonce == WorkNonce::new(255)
        ));
    }

    #[test]
    fn a_command_that_lacks_a_field_names_it() {
        let error = serde_json::from_str::<Command>(r#"{"type":"watch","id":1}"#).unwrap_err();
        assert!(error.to_string().contains("\"address\""), "{error}");
    }

    #[test]
    fn an_unknown_command_is_an_error() {
        assert!(serde_json::from_str::<Command>(r#"{"type":"reboot","id":1}"#).is_err());
    }
}
