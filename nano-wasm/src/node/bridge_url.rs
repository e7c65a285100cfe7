//! Where bridges are: their addresses, and the list that comes with the package.

use std::collections::BTreeMap;

use nano_core::Network;

/// Most bridges a person can name, and most of one network in the list.
const MOST_BRIDGES: usize = 16;
/// The list that comes with the package.
const LIST: &str = include_str!("../../../bridges.json");

/// Where a bridge is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BridgeUrl {
    /// Address of its WebSocket.
    pub(super) link: String,
    /// Where its HTTP side is, without a slash at the end.
    pub(super) origin: String,
}

/// Why a text names no bridge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BridgeUrlError {
    #[error(
        "{0:?} is no address of a bridge; it should look like https://bridge.example or wss://bridge.example/v1/link"
    )]
    Malformed(String),
    #[error("{0} bridges were given; at most 16 are of use")]
    TooMany(usize),
}

impl BridgeUrl {
    /// Reads an origin (`https://host`) or the address of the WebSocket (`wss://host/v1/link`).
    pub(super) fn parse(text: &str) -> Result<Self, BridgeUrlError> {
        let malformed = || BridgeUrlError::Malformed(text.chars().take(200).collect());
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(malformed)?;
        let (web, socket) = match scheme {
            "http" | "ws" => ("http", "ws"),
            "https" | "wss" => ("https", "wss"),
            _ => return Err(malformed()),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let odd = |c: char| c.is_whitespace() || c.is_control() || "?#@\\\"<>".contains(c);
        if host.is_empty() || rest.contains(odd) {
            return Err(malformed());
        }
        let path = if path.is_empty() { "v1/link" } else { path };
        Ok(Self {
            link: format!("{socket}://{host}/{path}"),
            origin: format!("{web}://{host}"),
        })
    }

    /// The bridges of `network` in the list that comes with the package. Those of the dev network are
    /// three on one machine: of no use to whoever was given none of them.
    pub(super) fn listed(network: Network, given: &[Self]) -> Vec<Self> {
        // A test reads every entry.
        let lists: BTreeMap<String, Vec<String>> = serde_json::from_str(LIST).unwrap_or_default();
        let listed = lists.get(&network.to_string());
        let listed =
            listed.map_or_else(Vec::new, |texts| Self::parse_all(texts).unwrap_or_default());
        let apart = network == Network::Dev && !listed.iter().any(|one| given.contains(one));
        if apart { Vec::new() } else { listed }
    }

    /// Reads a list, dropping repetitions.
    pub(super) fn parse_all(texts: &[String]) -> Result<Vec<Self>, BridgeUrlError> {
        if texts.len() > MOST_BRIDGES {
            return Err(BridgeUrlError::TooMany(texts.len()));
        }
        let mut urls = Vec::new();
        for text in texts {
            let url = Self::parse(text)?;
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        Ok(urls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_and_its_socket_name_the_same_bridge() {
        let origin = BridgeUrl::parse("https://bridge.example").unwrap();
        assert_eq!(origin.link, "wss://bridge.example/v1/link");
        assert_eq!(
            BridgeUrl::parse("wss://bridge.example/v1/link"),
            Ok(origin.clone())
        );
        assert_eq!(BridgeUrl::parse("https://bridge.example/"), Ok(origin));
        let local = BridgeUrl::parse("http://127.0.0.1:7080").unwrap();
        assert_eq!(local.link, "ws://127.0.0.1:7080/v1/link");
        assert_eq!(local.origin, "http://127.0.0.1:7080");
    }

    #[test]
    fn what_is_no_address_of_a_bridge_is_refused() {
        for text in [
            "",
            "bridge.example",
            "ftp://x",
            "ws://",
            "http://a b",
            "https://u@h",
        ] {
            assert!(BridgeUrl::parse(text).is_err(), "{text}");
        }
        let many = vec!["http://a".to_string(); 17];
        assert_eq!(
            BridgeUrl::parse_all(&many),
            Err(BridgeUrlError::TooMany(17))
        );
    }

    #[test]
    fn the_list_can_be_read_and_that_of_dev_is_for_its_own_three() {
        let own = [BridgeUrl::parse("http://127.0.0.1:7080").unwrap()];
        let dev = BridgeUrl::listed(Network::Dev, &own);
        assert_eq!(dev.len(), 3);
        assert_eq!(BridgeUrl::listed(Network::Dev, &[]), []);
        assert_eq!(BridgeUrl::listed(Network::Live, &own), []);
    }
}
