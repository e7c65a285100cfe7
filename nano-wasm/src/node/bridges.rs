//! When to dial which bridge.
//!
//! A place is one bridge the person named. It is idle until some time, being dialled, or open.
//! Rules:
//! - dialling happens while bridges are *wanted*: from the start, when the node asks, when a
//!   bridge was lost, and when the browser comes online again; it ends once [`GOAL`] places (or
//!   all there are) are open, since a meshed node does without;
//! - a dial that is not open after [`DIAL_MS`] is given up;
//! - a place that failed or was lost rests twice as long each time, from half a second up to
//!   [`LONGEST_REST_MS`], spread by ±50 % so that tabs that lost a bridge together come back apart;
//! - while the browser is offline nothing is dialled.

use nano_core::UnixMillis;
use nanonet::LinkId;

/// Bridges linked at once, while bridges are wanted.
const GOAL: usize = 2;
/// Longest a dial may take, milliseconds.
const DIAL_MS: u64 = 10_000;
/// First rest after a failure, milliseconds.
const FIRST_REST_MS: u64 = 500;
/// Longest rest before the spreading, milliseconds.
const LONGEST_REST_MS: u64 = 30_000;
/// Most bridges a person can name.
const MOST_BRIDGES: usize = 16;

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

#[derive(Debug)]
struct Place {
    url: BridgeUrl,
    failures: u32,
    state: PlaceState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceState {
    /// Not before this time.
    Idle(UnixMillis),
    Dialling {
        link: LinkId,
        since: UnixMillis,
    },
    Open(LinkId),
}

/// All places.
#[derive(Debug)]
pub(super) struct Bridges {
    places: Vec<Place>,
    wanted: bool,
    online: bool,
}

impl Bridges {
    /// Wanted from the start.
    pub(super) fn new(urls: Vec<BridgeUrl>, now: UnixMillis) -> Self {
        let place = |url| Place {
            url,
            failures: 0,
            state: PlaceState::Idle(now),
        };
        Self {
            places: urls.into_iter().map(place).collect(),
            wanted: true,
            online: true,
        }
    }

    /// All bridges given at the start.
    pub(super) fn urls(&self) -> Vec<BridgeUrl> {
        self.places.iter().map(|place| place.url.clone()).collect()
    }

    /// The node needs a bridge.
    pub(super) fn want(&mut self) {
        self.wanted = true;
    }

    /// What the browser believes. Coming online, every rest ends.
    pub(super) fn set_online(&mut self, now: UnixMillis, online: bool) {
        self.online = online;
        if !online {
            return;
        }
        self.wanted = true;
        for place in &mut self.places {
            place.failures = 0;
            if let PlaceState::Idle(_) = place.state {
                place.state = PlaceState::Idle(now);
            }
        }
    }

    /// A bridge to dial now as link `link`; asked again until there is none. `dice` is random, so
    /// that not every tab begins with the first bridge of a list.
    pub(super) fn dial(&mut self, now: UnixMillis, link: LinkId, dice: u32) -> Option<BridgeUrl> {
        if !self.is_short() {
            return None;
        }
        let due: Vec<usize> = (0..self.places.len())
            .filter(|place| matches!(self.places[*place].state, PlaceState::Idle(at) if at <= now))
            .collect();
        let chosen = *due.get(usize::try_from(dice).unwrap_or(0) % due.len().max(1))?;
        let place = self.places.get_mut(chosen)?;
        place.state = PlaceState::Dialling { link, since: now };
        Some(place.url.clone())
    }

    /// The dialled link is open; says where it leads.
    pub(super) fn opened(&mut self, link: LinkId) -> Option<BridgeUrl> {
        let place = self.place(link)?;
        place.state = PlaceState::Open(link);
        place.failures = 0;
        let url = place.url.clone();
        if !self.is_short() {
            self.wanted = false;
        }
        Some(url)
    }

    /// The link was closed: by the node, which then knows why, or by anything else.
    pub(super) fn closed(&mut self, now: UnixMillis, link: LinkId, by_node: bool, dice: u32) {
        let Some(place) = self.place(link) else {
            return;
        };
        let rest = (FIRST_REST_MS << place.failures.min(6)).min(LONGEST_REST_MS);
        let spread = (rest * u64::from(dice)) >> 32;
        place.failures = place.failures.saturating_add(1);
        place.state = PlaceState::Idle(now.plus(rest / 2 + spread));
        if !by_node {
            self.wanted = true;
        }
    }

    /// A dial that has taken too long, to be closed.
    pub(super) fn overdue(&self, now: UnixMillis) -> Option<LinkId> {
        self.places.iter().find_map(|place| match place.state {
            PlaceState::Dialling { link, since } if since.plus(DIAL_MS) <= now => Some(link),
            _ => None,
        })
    }

    /// When [`Bridges::dial`] or [`Bridges::overdue`] can next say something else.
    pub(super) fn next_timeout(&self) -> Option<UnixMillis> {
        let short = self.is_short();
        self.places
            .iter()
            .filter_map(|place| match place.state {
                PlaceState::Idle(at) => short.then_some(at),
                PlaceState::Dialling { since, .. } => Some(since.plus(DIAL_MS)),
                PlaceState::Open(_) => None,
            })
            .min()
    }

    /// Whether more links to bridges are to be made.
    fn is_short(&self) -> bool {
        let busy = |place: &&Place| !matches!(place.state, PlaceState::Idle(_));
        let goal = GOAL.min(self.places.len());
        self.wanted && self.online && self.places.iter().filter(busy).count() < goal
    }

    fn place(&mut self, link: LinkId) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| match place.state {
            PlaceState::Dialling { link: own, .. } | PlaceState::Open(own) => own == link,
            PlaceState::Idle(_) => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis::new(1_000_000);
    const MIDDLE: u32 = u32::MAX / 2;

    fn bridges(count: u32) -> Bridges {
        let url = |n| BridgeUrl::parse(&format!("https://bridge{n}.example")).unwrap();
        Bridges::new((0..count).map(url).collect(), START)
    }

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
    fn two_bridges_are_dialled_and_no_third() {
        let mut bridges = bridges(3);
        assert!(bridges.dial(START, LinkId(1), 0).is_some());
        assert!(bridges.dial(START, LinkId(2), 0).is_some());
        assert_eq!(bridges.dial(START, LinkId(3), 0), None);
        bridges.opened(LinkId(1));
        bridges.opened(LinkId(2));
        assert_eq!(bridges.next_timeout(), None);
    }

    #[test]
    fn a_lost_bridge_is_dialled_again_after_a_rest_that_doubles() {
        let mut bridges = bridges(1);
        let mut now = START;
        let mut rests = Vec::new();
        for number in 1..=12 {
            assert!(bridges.dial(now, LinkId(number), 0).is_some());
            bridges.closed(now, LinkId(number), false, MIDDLE);
            assert_eq!(bridges.dial(now, LinkId(99), 0), None);
            let next = bridges.next_timeout().unwrap();
            rests.push(next.since(now).next_multiple_of(500));
            now = next;
        }
        assert_eq!(rests[..4], [500, 1_000, 2_000, 4_000]);
        assert_eq!(rests[11], 30_000);
    }

    #[test]
    fn an_open_bridge_forgets_earlier_failures() {
        let mut bridges = bridges(1);
        bridges.dial(START, LinkId(1), 0);
        bridges.closed(START, LinkId(1), false, MIDDLE);
        let now = bridges.next_timeout().unwrap();
        bridges.dial(now, LinkId(2), 0);
        bridges.opened(LinkId(2));
        bridges.closed(now, LinkId(2), false, MIDDLE);
        assert_eq!(bridges.next_timeout().unwrap().since(now), 499);
    }

    #[test]
    fn a_bridge_the_node_closed_rests_until_the_node_asks() {
        let mut bridges = bridges(1);
        bridges.dial(START, LinkId(1), 0);
        bridges.opened(LinkId(1));
        bridges.closed(START, LinkId(1), true, MIDDLE);
        let later = START.plus(60_000);
        assert_eq!(bridges.dial(later, LinkId(2), 0), None);
        bridges.want();
        assert!(bridges.dial(later, LinkId(2), 0).is_some());
    }

    #[test]
    fn nothing_is_dialled_offline_and_everything_at_once_when_online_again() {
        let mut bridges = bridges(1);
        bridges.dial(START, LinkId(1), 0);
        bridges.set_online(START, false);
        bridges.closed(START, LinkId(1), false, MIDDLE);
        assert_eq!(bridges.dial(START.plus(60_000), LinkId(2), 0), None);
        bridges.set_online(START, true);
        assert!(bridges.dial(START, LinkId(2), 0).is_some());
    }

    #[test]
    fn a_dial_without_an_end_is_given_up() {
        let mut bridges = bridges(1);
        bridges.dial(START, LinkId(1), 0);
        assert_eq!(bridges.overdue(START.plus(DIAL_MS - 1)), None);
        assert_eq!(bridges.next_timeout(), Some(START.plus(DIAL_MS)));
        assert_eq!(bridges.overdue(START.plus(DIAL_MS)), Some(LinkId(1)));
    }
}
