//! The list of bridges to begin with: built in (`bridges.json` of this repository) or a file of the
//! same form, `{"live": [URL, …], "beta": […], "dev": […]}`.
//!
//! An entry is only a place to ask; who answers there has to introduce itself. Limits:
//! [`MAX_LISTED`] entries per network, [`MAX_LIST_BYTES`] of a file.

use std::fmt;
use std::path::{Path, PathBuf};

use nano_core::Network;
use nanonet::{Addresses, AddressesError, TransportAddress};
use serde::Deserialize;

/// Most bridges of one list; three to five are plenty.
pub const MAX_LISTED: usize = 16;
/// Largest file of a list, in bytes.
pub const MAX_LIST_BYTES: u64 = 64 * 1024;

/// The list that is compiled in.
const BUILT_IN: &str = include_str!("../../../bridges.json");

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The file could not be read.
    #[error("cannot read the list of bridges {path}: {source}; check the path and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Too large a file.
    #[error("the list of bridges {path} has {size} bytes; at most {MAX_LIST_BYTES} are read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Not the form of a list.
    #[error("a list of bridges looks like {{\"live\": [\"https://bridge.example\"]}}: {0}")]
    Form(serde_json::Error),
    /// An entry is no web address.
    #[error(
        "{0:?} is not the web address of a bridge; write for example https://bridge.example or http://192.0.2.1:7080"
    )]
    Address(String),
    /// More entries than are of use.
    #[error("{0} bridges are listed for one network; at most {MAX_LISTED} are")]
    TooMany(usize),
}

/// Where a bridge's web side is: `http` or `https`, a host, and a port if it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebAddress(String);

impl WebAddress {
    /// Reads `http://host:port` or `https://host`; a slash at the end may stand there.
    ///
    /// # Errors
    /// [`ListError::Address`] for anything else.
    pub fn parse(text: &str) -> Result<Self, ListError> {
        let wrong = || ListError::Address(text.chars().take(200).collect());
        let url = reqwest::Url::parse(text.trim()).map_err(|_| wrong())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !plain || url.as_str().len() > nanonet::MAX_ADDRESS_BYTES {
            return Err(wrong());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host:port` for an overlay link over TCP, which shares the port; `None` behind TLS, where
    /// whoever ends it takes only the web's protocols.
    #[must_use]
    pub fn tcp(&self) -> Option<String> {
        let host = self.0.strip_prefix("http://")?;
        let url = reqwest::Url::parse(&self.0).ok()?;
        match url.port() {
            Some(_) => Some(host.to_owned()),
            None => Some(format!("{host}:80")),
        }
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As the overlay's introduction carries them.
///
/// # Errors
/// More than an introduction has room for.
pub fn addresses(of: &[WebAddress]) -> Result<Addresses, AddressesError> {
    let texts = of
        .iter()
        .map(|address| TransportAddress::try_from(address.0.clone()));
    texts.collect::<Result<Vec<_>, _>>()?.try_into()
}

/// The bridges of one network, in the order of the list, without repetitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BridgeList(Vec<WebAddress>);

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Lists {
    live: Vec<String>,
    beta: Vec<String>,
    dev: Vec<String>,
}

impl BridgeList {
    /// The list that comes with this program. That of `dev` is for three bridges on one machine, so
    /// it is empty for a bridge that is not one of them (`own`): it would meet strangers' networks.
    ///
    /// # Errors
    /// Never for the file of this repository, which a test reads.
    pub fn built_in(network: Network, own: &[WebAddress]) -> Result<Self, ListError> {
        let list = Self::from_json(BUILT_IN, network)?;
        let apart = network == Network::Dev && !list.0.iter().any(|one| own.contains(one));
        Ok(if apart { Self::default() } else { list })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_file(path: &Path, network: Network) -> Result<Self, ListError> {
        let read = |source| ListError::Read {
            path: path.to_path_buf(),
            source,
        };
        let size = std::fs::metadata(path).map_err(read)?.len();
        if size > MAX_LIST_BYTES {
            return Err(ListError::TooLarge {
                path: path.to_path_buf(),
                size,
            });
        }
        Self::from_json(&std::fs::read_to_string(path).map_err(read)?, network)
    }

    /// Reads the text of such a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(text: &str, network: Network) -> Result<Self, ListError> {
        let lists: Lists = serde_json::from_str(text).map_err(ListError::Form)?;
        let texts = match network {
            Network::Live => lists.live,
            Network::Beta => lists.beta,
            Network::Dev => lists.dev,
            Network::Test => Vec::new(),
        };
        Self::of(texts.iter().map(String::as_str))
    }

    /// A list of these addresses.
    ///
    /// # Errors
    /// The first that is none, or too many.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Self, ListError> {
        let mut listed = Vec::new();
        for text in texts {
            let address = WebAddress::parse(text)?;
            if !listed.contains(&address) {
                listed.push(address);
            }
        }
        if listed.len() > MAX_LISTED {
            return Err(ListError::TooMany(listed.len()));
        }
        Ok(Self(listed))
    }

    /// One after another.
    pub fn iter(&self) -> std::slice::Iter<'_, WebAddress> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same without those of `own`.
    #[must_use]
    pub fn without(mut self, own: &[WebAddress]) -> Self {
        self.0.retain(|one| !own.contains(one));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web(text: &str) -> WebAddress {
        WebAddress::parse(text).unwrap()
    }

    #[test]
    fn the_built_in_list_has_three_for_dev_and_none_for_live_yet() {
        let own = [web("http://127.0.0.1:7081")];
        let dev = BridgeList::built_in(Network::Dev, &own).unwrap();
        assert_eq!(dev.iter().count(), 3);
        assert_eq!(dev.without(&own).iter().count(), 2);
        assert!(BridgeList::built_in(Network::Live, &[]).unwrap().is_empty());
    }

    #[test]
    fn a_dev_bridge_elsewhere_leaves_the_built_in_ones_alone() {
        let own = [web("http://127.0.0.1:9000")];
        assert!(BridgeList::built_in(Network::Dev, &own).unwrap().is_empty());
    }

    #[test]
    fn an_address_is_a_web_origin_and_nothing_else() {
        assert_eq!(
            web("https://bridge.example/").as_str(),
            "https://bridge.example"
        );
        assert_eq!(web("http://a:7080").tcp().as_deref(), Some("a:7080"));
        assert_eq!(web("http://a").tcp().as_deref(), Some("a:80"));
        assert_eq!(web("https://a:7080").tcp(), None);
        for text in [
            "",
            "a:1",
            "ws://a",
            "http://a/x",
            "http://u@a",
            "http://a?b",
            "http://a#b",
        ] {
            assert!(WebAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_bounded_and_says_what_is_wrong_with_it() {
        let dev = |text: &str| BridgeList::from_json(text, Network::Dev);
        assert!(matches!(dev("7"), Err(ListError::Form(_))));
        assert!(matches!(dev(r#"{"def": []}"#), Err(ListError::Form(_))));
        assert!(matches!(
            dev(r#"{"dev": ["a"]}"#),
            Err(ListError::Address(_))
        ));
        let same = dev(r#"{"dev": ["http://a", "http://a/"]}"#).unwrap();
        assert_eq!(same.iter().count(), 1);
        let many: Vec<String> = (0..17).map(|n| format!("http://a{n}")).collect();
        let many = many.iter().map(String::as_str);
        assert!(matches!(BridgeList::of(many), Err(ListError::TooMany(17))));
        let missing = BridgeList::from_file(Path::new("/nowhere/list.json"), Network::Dev);
        assert!(
            missing
                .unwrap_err()
                .to_string()
                .contains("/nowhere/list.json")
        );
    }
}
