//! A list of bridges out of the DNS: the TXT records of a name, each `nanonet-bridge=URL`.
//!
//! So that an operator of many pages can change the list without touching any. Nothing rests on
//! the answer being true: a false one costs connections to whoever is named there, and they have to
//! introduce themselves. Records with another text belong to somebody else and are passed over;
//! so is an entry that is no web address. At most [`super::list::MAX_LISTED`] are taken.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};

use super::list::{BridgeList, MAX_LISTED, WebAddress};

/// What such a record begins with.
pub const PREFIX: &str = "nanonet-bridge=";
/// Longest wait for one answer of a server.
const TIME_OUT: Duration = Duration::from_secs(5);

/// Whom to ask for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsName {
    /// The name whose TXT records are the list.
    pub name: String,
    /// The server to ask; `None` = those of the system.
    pub server: Option<SocketAddr>,
}

impl DnsName {
    /// Looks the list up.
    ///
    /// # Errors
    /// When the system has no configuration, or no server answers, or the name has no such record.
    pub async fn look_up(&self) -> Result<BridgeList, NetError> {
        let resolver = self.resolver()?;
        let found = resolver.txt_lookup(self.name.as_str()).await?;
        let texts = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::TXT(text) => {
                    let parts: Vec<&[u8]> = text.txt_data.iter().map(AsRef::as_ref).collect();
                    String::from_utf8(parts.concat()).ok()
                }
                _ => None,
            });
        Ok(read(texts))
    }

    fn resolver(&self) -> Result<TokioResolver, NetError> {
        let mut builder = match self.server {
            None => Resolver::builder_tokio()?,
            Some(server) => {
                let mut ways = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for way in &mut ways {
                    way.port = server.port();
                }
                let one = NameServerConfig::new(server.ip(), true, ways.to_vec());
                let config = ResolverConfig::from_parts(None, Vec::new(), vec![one]);
                Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        builder.options_mut().timeout = TIME_OUT;
        builder.build()
    }
}

/// The bridges that these texts name.
fn read(texts: impl Iterator<Item = String>) -> BridgeList {
    let named = texts.filter_map(|text| {
        let address = text.strip_prefix(PREFIX)?;
        match WebAddress::parse(address) {
            Ok(address) => Some(address.as_str().to_owned()),
            Err(error) => {
                tracing::warn!(%error, "a TXT record names no bridge");
                None
            }
        }
    });
    let named: Vec<String> = named.take(MAX_LISTED).collect();
    BridgeList::of(named.iter().map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_are_passed_over_and_the_list_is_bounded() {
        let texts = [
            "v=spf1 -all",
            "nanonet-bridge=https://a.example",
            "nanonet-bridge=b",
        ];
        let list = read(texts.iter().map(|text| (*text).to_owned()));
        let found: Vec<&str> = list.iter().map(WebAddress::as_str).collect();
        assert_eq!(found, ["https://a.example"]);
        let many = (0..40).map(|n| format!("{PREFIX}http://a{n}"));
        assert_eq!(read(many).iter().count(), MAX_LISTED);
    }
}
