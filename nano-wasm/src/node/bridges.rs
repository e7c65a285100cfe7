//! When to dial which bridge.
//!
//! A place is one bridge: *given* by the person, or a *reserve*: of the list that comes with the
//! package, told by others, or remembered. It is idle until some time, being dialled, or open.
//! Rules:
//! - dialling happens while bridges are *wanted*: from the start, when the node asks, when a
//!   bridge was lost, and when the browser comes online again; it ends once [`GOAL`] given places
//!   (or all there are) are open, since a meshed node does without;
//! - reserves are dialled only while no bridge is open and none is being dialled;
//! - a dial that is not open after [`DIAL_MS`] is given up;
//! - a place that failed, or was lost within [`GOOD_MS`], rests twice as long each time, from half a
//!   second up to [`LONGEST_REST_MS`], or [`LAZY_REST_MS`] while the node can do without, spread by
//!   ±50 % so that tabs that lost a bridge together come back apart;
//! - a place whose WebSocket failed twice is asked over HTTP whom it knows, once per
//!   [`ASK_AGAIN_MS`], while no bridge is open;
//! - while the browser is offline nothing is dialled.
//!
//! Limits: 16 given, as many listed and [`MOST_TOLD`] told; of those the one that failed
//! most gives way to a new one.

use nano_core::UnixMillis;
use nanonet::LinkId;

use super::bridge_url::BridgeUrl;

/// Bridges linked at once, while bridges are wanted.
const GOAL: usize = 2;
/// Longest a dial may take, milliseconds.
const DIAL_MS: u64 = 10_000;
/// First rest after a failure, milliseconds.
const FIRST_REST_MS: u64 = 500;
/// Longest rest before the spreading, milliseconds.
const LONGEST_REST_MS: u64 = 30_000;
/// The same while the node can do without a bridge.
const LAZY_REST_MS: u64 = 300_000;
/// A link that lasted so long was good, milliseconds: what failed before is forgotten.
const GOOD_MS: u64 = 60_000;
/// Failures after which a place is asked over HTTP.
const ASK_AFTER: u32 = 2;
/// Least milliseconds between two such questions to one place.
const ASK_AGAIN_MS: u64 = 60_000;
/// Most bridges kept that others told of.
const MOST_TOLD: usize = 16;

/// Why a place is here, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Given,
    Listed,
    Told,
}

#[derive(Debug)]
struct Place {
    url: BridgeUrl,
    source: Source,
    failures: u32,
    asked: Option<UnixMillis>,
    state: PlaceState,
}

impl Place {
    const fn new(url: BridgeUrl, source: Source, now: UnixMillis) -> Self {
        Self {
            url,
            source,
            failures: 0,
            asked: None,
            state: PlaceState::Idle(now),
        }
    }

    const fn is_idle(&self) -> bool {
        matches!(self.state, PlaceState::Idle(_))
    }

    const fn is_open(&self) -> bool {
        matches!(self.state, PlaceState::Open { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlaceState {
    /// Not before this time.
    Idle(UnixMillis),
    Dialling {
        link: LinkId,
        since: UnixMillis,
    },
    Open {
        link: LinkId,
        since: UnixMillis,
    },
}

/// Where an open link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) url: BridgeUrl,
    /// Whether the person named it.
    pub(super) given: bool,
}

/// All places.
#[derive(Debug)]
pub(super) struct Bridges {
    places: Vec<Place>,
    wanted: bool,
    /// Whether the node can not do without.
    urgent: bool,
    online: bool,
    /// Whether the person was told that there is none to reach.
    complained: bool,
}

impl Bridges {
    /// Wanted from the start.
    pub(super) fn new(given: Vec<BridgeUrl>, listed: Vec<BridgeUrl>, now: UnixMillis) -> Self {
        let mut places: Vec<Place> = Vec::new();
        let given = given.into_iter().map(|url| (url, Source::Given));
        let listed = listed.into_iter().map(|url| (url, Source::Listed));
        for (url, source) in given.chain(listed) {
            if places.iter().all(|place| place.url != url) {
                places.push(Place::new(url, source, now));
            }
        }
        Self {
            places,
            wanted: true,
            urgent: true,
            online: true,
            complained: false,
        }
    }

    /// All bridges known, those given first.
    pub(super) fn urls(&self) -> Vec<BridgeUrl> {
        self.places.iter().map(|place| place.url.clone()).collect()
    }

    /// Others told of a bridge at this web address.
    pub(super) fn learn(&mut self, now: UnixMillis, address: &str) {
        let Ok(BridgeUrl { origin, .. }) = BridgeUrl::parse(address) else {
            return;
        };
        // Whatever path somebody else wrote, a bridge's links are in one place.
        let Ok(url) = BridgeUrl::parse(&origin) else {
            return;
        };
        if self.places.iter().any(|place| place.url == url) {
            return;
        }
        let told = |place: &&Place| place.source == Source::Told;
        if self.places.iter().filter(told).count() >= MOST_TOLD {
            let idle = self.places.iter().enumerate();
            let idle = idle.filter(|(_, place)| place.source == Source::Told && place.is_idle());
            match idle.max_by_key(|(_, place)| place.failures) {
                Some((worst, place)) if place.failures > 0 => drop(self.places.remove(worst)),
                _ => return,
            }
        }
        self.places.push(Place::new(url, Source::Told, now));
    }

    /// The node needs a bridge.
    pub(super) fn want(&mut self, now: UnixMillis, urgent: bool) {
        self.wanted = true;
        self.urgent = urgent;
        if urgent {
            let latest = now.plus(LONGEST_REST_MS);
            for place in &mut self.places {
                if let PlaceState::Idle(at) = &mut place.state {
                    *at = latest.min(*at);
                }
            }
        }
    }

    /// Whether the person is to be told, once, that no bridge can be reached and no other is known.
    pub(super) fn complains(&mut self) -> bool {
        let hopeless = self.places.iter().all(|place| {
            place.source == Source::Given && place.is_idle() && place.failures >= ASK_AFTER
        });
        hopeless && self.online && !std::mem::replace(&mut self.complained, true)
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
        let due = |place: &Place| matches!(place.state, PlaceState::Idle(at) if at <= now);
        let of = |wanted: fn(&Place) -> bool| -> Vec<usize> {
            (0..self.places.len())
                .filter(|at| {
                    let place = &self.places[*at];
                    due(place) && self.may_dial(place) && wanted(place)
                })
                .collect()
        };
        let mut choice = of(|place| place.source == Source::Given);
        if choice.is_empty() {
            choice = of(|place| place.source != Source::Given);
        }
        let chosen = *choice.get(usize::try_from(dice).unwrap_or(0) % choice.len().max(1))?;
        let place = self.places.get_mut(chosen)?;
        place.state = PlaceState::Dialling { link, since: now };
        Some(place.url.clone())
    }

    /// The dialled link is open; says where it leads.
    pub(super) fn opened(&mut self, now: UnixMillis, link: LinkId) -> Option<Reached> {
        let place = self.place(link)?;
        place.state = PlaceState::Open { link, since: now };
        let url = place.url.clone();
        let given = place.source == Source::Given;
        self.urgent = false;
        self.complained = false;
        if self.busy() >= self.goal() {
            self.wanted = false;
        }
        Some(Reached { url, given })
    }

    /// The link was closed: by the node, which then knows why, or by anything else.
    pub(super) fn closed(&mut self, now: UnixMillis, link: LinkId, by_node: bool, dice: u32) {
        let longest = if self.urgent {
            LONGEST_REST_MS
        } else {
            LAZY_REST_MS
        };
        let Some(place) = self.place(link) else {
            return;
        };
        if matches!(place.state, PlaceState::Open { since, .. } if now.since(since) >= GOOD_MS) {
            place.failures = 0;
        }
        let rest = (FIRST_REST_MS << place.failures.min(10)).min(longest);
        let spread = (rest * u64::from(dice)) >> 32;
        place.failures = place.failures.saturating_add(1);
        place.state = PlaceState::Idle(now.plus(rest / 2 + spread));
        if !by_node {
            self.wanted = true;
        }
    }

    /// A bridge whose WebSocket fails, to be asked over HTTP whom it knows; asked again until there is
    /// none.
    pub(super) fn ask(&mut self, now: UnixMillis) -> Option<BridgeUrl> {
        if !self.online || self.places.iter().any(|place| place.is_open()) {
            return None;
        }
        let due = |place: &&mut Place| {
            let rested = place
                .asked
                .is_none_or(|asked| now.since(asked) >= ASK_AGAIN_MS);
            place.is_idle() && place.failures >= ASK_AFTER && rested
        };
        let place = self.places.iter_mut().find(due)?;
        place.asked = Some(now);
        Some(place.url.clone())
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
        self.places
            .iter()
            .filter_map(|place| match place.state {
                PlaceState::Idle(at) => self.may_dial(place).then_some(at),
                PlaceState::Dialling { since, .. } => Some(since.plus(DIAL_MS)),
                PlaceState::Open { .. } => None,
            })
            .min()
    }

    /// Links to bridges that are wanted: as many as were given, up to [`GOAL`], at least one.
    fn goal(&self) -> usize {
        let given = self
            .places
            .iter()
            .filter(|place| place.source == Source::Given);
        given.count().clamp(1, GOAL)
    }

    fn busy(&self) -> usize {
        self.places.iter().filter(|place| !place.is_idle()).count()
    }

    /// Whether a place of this kind may be dialled now.
    fn may_dial(&self, place: &Place) -> bool {
        let most = if place.source == Source::Given {
            self.goal()
        } else {
            1
        };
        self.wanted && self.online && self.busy() < most
    }

    fn place(&mut self, link: LinkId) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| match place.state {
            PlaceState::Dialling { link: own, .. } | PlaceState::Open { link: own, .. } => {
                own == link
            }
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
        Bridges::new((0..count).map(url).collect(), Vec::new(), START)
    }

    #[test]
    fn two_bridges_are_dialled_and_no_third() {
        let mut bridges = bridges(3);
        assert!(bridges.dial(START, LinkId(1), 0).is_some());
        assert!(bridges.dial(START, LinkId(2), 0).is_some());
        assert_eq!(bridges.dial(START, LinkId(3), 0), None);
        bridges.opened(START, LinkId(1));
        bridges.opened(START, LinkId(2));
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
    fn a_bridge_that_lasted_forgets_earlier_failures_and_one_that_did_not_goes_on() {
        let mut bridges = bridges(1);
        bridges.dial(START, LinkId(1), 0);
        bridges.closed(START, LinkId(1), false, MIDDLE);
        let now = bridges.next_timeout().unwrap();
        bridges.dial(now, LinkId(2), 0);
        bridges.opened(now, LinkId(2));
        bridges.closed(now, LinkId(2), false, MIDDLE);
        let next = bridges.next_timeout().unwrap();
        assert_eq!(next.since(now), 999);
        bridges.dial(next, LinkId(3), 0);
        bridges.opened(next, LinkId(3));
        let now = next.plus(GOOD_MS);
        bridges.closed(now, LinkId(3), false, MIDDLE);
        assert_eq!(bridges.next_timeout().unwrap().since(now), 499);
    }

    #[test]
    fn reserves_are_dialled_only_while_nothing_else_is_open_or_under_way() {
        let mut bridges = bridges(1);
        bridges.learn(START, "http://told.example:9/elsewhere");
        bridges.learn(START, "ws://bridge0.example");
        assert_eq!(bridges.urls().len(), 3);
        assert!(
            bridges
                .dial(START, LinkId(1), 7)
                .unwrap()
                .link
                .contains("bridge0")
        );
        assert_eq!(bridges.dial(START, LinkId(2), 0), None);
        bridges.closed(START, LinkId(1), false, MIDDLE);
        let told = bridges.dial(START, LinkId(2), 0).unwrap();
        assert_eq!(told.link, "ws://told.example:9/v1/link");
        let reached = bridges.opened(START, LinkId(2)).unwrap();
        assert!(!reached.given);
        assert_eq!(bridges.dial(START.plus(60_000), LinkId(3), 0), None);
        bridges.closed(START, LinkId(2), false, MIDDLE);
        let at = bridges.next_timeout().unwrap();
        let again = bridges.dial(at, LinkId(3), 0);
        assert!(again.is_some());
    }

    #[test]
    fn of_many_told_the_one_that_failed_most_gives_way() {
        let mut bridges = bridges(0);
        for number in 0..MOST_TOLD {
            bridges.learn(START, &format!("http://told{number}"));
        }
        bridges.learn(START, "http://late");
        assert_eq!(bridges.urls().len(), MOST_TOLD, "none has failed");
        let failing = bridges.dial(START, LinkId(1), 3).unwrap();
        bridges.closed(START, LinkId(1), false, MIDDLE);
        bridges.learn(START, "http://late");
        let urls = bridges.urls();
        assert_eq!(urls.len(), MOST_TOLD);
        assert!(!urls.contains(&failing) && urls.iter().any(|url| url.origin == "http://late"));
    }

    #[test]
    fn rests_are_longer_while_the_node_can_do_without() {
        let mut bridges = bridges(1);
        bridges.want(START, false);
        let mut now = START;
        for number in 1..=14 {
            bridges.dial(now, LinkId(number), 0);
            bridges.closed(now, LinkId(number), false, MIDDLE);
            now = bridges.next_timeout().unwrap();
        }
        bridges.dial(now, LinkId(20), 0);
        bridges.closed(now, LinkId(20), false, MIDDLE);
        let rest = bridges.next_timeout().unwrap().since(now);
        assert!(rest.abs_diff(LAZY_REST_MS) <= 1, "{rest}");
        bridges.want(now, true);
        assert_eq!(bridges.next_timeout().unwrap().since(now), LONGEST_REST_MS);
    }

    #[test]
    fn a_bridge_is_asked_over_http_after_two_failures_and_not_often() {
        let mut bridges = bridges(1);
        let mut now = START;
        for number in 1..=2 {
            assert_eq!(bridges.ask(now), None);
            bridges.dial(now, LinkId(number), 0);
            bridges.closed(now, LinkId(number), false, MIDDLE);
            now = bridges.next_timeout().unwrap();
        }
        assert!(bridges.ask(now).is_some());
        assert_eq!(bridges.ask(now), None);
        assert!(bridges.ask(now.plus(ASK_AGAIN_MS)).is_some());
        bridges.dial(now, LinkId(3), 0);
        bridges.opened(now, LinkId(3));
        assert_eq!(bridges.ask(now.plus(2 * ASK_AGAIN_MS)), None);
    }

    #[test]
    fn the_person_is_told_once_when_no_bridge_is_left_to_try() {
        let mut bridges = bridges(1);
        assert!(!bridges.complains(), "it was not tried");
        for number in 1..=2 {
            let now = bridges.next_timeout().unwrap();
            bridges.dial(now, LinkId(number), 0);
            bridges.closed(now, LinkId(number), false, MIDDLE);
        }
        assert!(bridges.complains());
        assert!(!bridges.complains());
        bridges.complained = false;
        bridges.learn(START, "http://told");
        assert!(!bridges.complains());
    }

    #[test]
    fn a_bridge_the_node_closed_rests_until_the_node_asks() {
        let mut bridges = bridges(1);
        bridges.dial(START, LinkId(1), 0);
        bridges.opened(START, LinkId(1));
        bridges.closed(START, LinkId(1), true, MIDDLE);
        let later = START.plus(60_000);
        assert_eq!(bridges.dial(later, LinkId(2), 0), None);
        bridges.want(later, true);
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
