//! Whom to link with, and whom to give up: rules without state.
//!
//! Links are scarce, so each must earn its place. Nodes are sorted into *buckets* by how many
//! leading id bits they share with us; greedy routing reaches every place if there is a link into
//! every bucket that is not empty, and the nearest nodes know each other.
//!
//! Rules of a browser with `max_links` places:
//! - places for bridges are kept free (one below 8 links, else two), and no more bridges are taken;
//! - a browser's link is *near* (one of the nearest few, see [`Places::near`]), *lone* (the only
//!   one of its bucket), *poor* (its peer says it has fewer than two links to browsers), or
//!   *surplus*, in this order of worth;
//! - when all places are taken, the least worth goes: surplus before poor before lone before near;
//!   of surplus links one of the fullest bucket, the youngest first; of lone ones the one that
//!   shares most bits (fewest keys lie behind it). A newcomer that would itself be the least is
//!   refused;
//! - offers go to unlinked near nodes first, then into empty buckets, then, until one
//!   place, from 16 on half of them, is left for those who need us, into the emptiest bucket. In a
//!   bucket the node with the shortest expected round trip is chosen, of equals that whose further bits
//!   are most like ours: it chooses us for the same reasons, so both spend one place.
//!
//! Rules of a bridge: everyone is taken; when all places are taken the browser that is linked
//! longest and is not poor gives way, because it no longer needs an introduction.

use nano_core::UnixMillis;

use super::nearest::Nearest;
use crate::sorted::SortedMap;
use crate::{LinkId, NodeId, Role};

/// Round trips that differ by less are taken as equal.
const SAME_MS: u32 = 8;
/// Browsers linked below which a node counts as poor.
pub(crate) const POOR: u16 = 2;

/// A place that is taken, or shall be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seat {
    /// By which link; `None` for an offer on its way.
    pub(crate) link: Option<LinkId>,
    /// Whose.
    pub(crate) id: NodeId,
    /// Browser or bridge.
    pub(crate) role: Role,
    /// Since when.
    pub(crate) since: UnixMillis,
    /// Links to browsers it says it has.
    pub(crate) links: u16,
}

/// A node a link may be offered to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// Whose.
    pub(crate) id: NodeId,
    /// Milliseconds of the round trip that its coordinates let expect.
    pub(crate) round_trip: Option<u32>,
}

/// What to do with a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// There is room.
    Take,
    /// Take it and close this link.
    Replace(LinkId),
    /// Everyone here is worth more.
    Refuse,
}

/// The rules for one node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    us: NodeId,
    role: Role,
    max_links: usize,
}

impl Places {
    /// Rules for node `us` with `max_links` places.
    pub(crate) fn new(us: NodeId, role: Role, max_links: u16) -> Self {
        Self {
            us,
            role,
            max_links: usize::from(max_links.clamp(3, 4096)),
        }
    }

    /// Places kept for bridges.
    const fn for_bridges(&self) -> usize {
        if self.max_links < 8 { 1 } else { 2 }
    }

    /// Places for browsers.
    const fn for_browsers(&self) -> usize {
        if self.role.is_bridge_here() {
            self.max_links
        } else {
            self.max_links - self.for_bridges()
        }
    }

    /// Links to browsers up to which we make offers; the rest is left to those who need us. If
    /// everyone filled all places, everyone would refuse everyone.
    const fn for_own_offers(&self) -> usize {
        let all = self.for_browsers();
        if all < 16 { all - 1 } else { all / 2 }
    }

    /// How many of the nearest nodes are always wanted: two, six with 16 or more places.
    pub(crate) const fn near(&self) -> usize {
        if self.max_links < 16 { 2 } else { 6 }
    }

    /// Bits `id` shares with us: its bucket.
    pub(crate) fn bucket(&self, id: &NodeId) -> u16 {
        self.us.point().distance(&id.point()).shared_bits()
    }

    /// Whether `newcomer` gets a place among `seats`.
    pub(crate) fn admit(&self, seats: &[Seat], newcomer: &Seat) -> Admission {
        if self.role.is_bridge_here() {
            return self.admit_to_bridge(seats, newcomer);
        }
        let same_role = seats
            .iter()
            .filter(|seat| seat.role == newcomer.role)
            .count();
        if newcomer.role == Role::Bridge {
            return if same_role < self.for_bridges() {
                Admission::Take
            } else {
                Admission::Refuse
            };
        }
        if same_role < self.for_browsers() {
            return Admission::Take;
        }
        let mut browsers: Vec<Seat> = seats
            .iter()
            .filter(|seat| seat.role == Role::Browser)
            .copied()
            .collect();
        browsers.push(*newcomer);
        match self.least(&browsers).and_then(|seat| seat.link) {
            Some(link) if Some(link) != newcomer.link => Admission::Replace(link),
            _ => Admission::Refuse,
        }
    }

    fn admit_to_bridge(&self, seats: &[Seat], newcomer: &Seat) -> Admission {
        if seats.len() < self.max_links {
            return Admission::Take;
        }
        if newcomer.role == Role::Browser && newcomer.links >= POOR {
            return Admission::Refuse;
        }
        seats
            .iter()
            .filter(|seat| seat.role == Role::Browser && seat.links >= POOR)
            .min_by_key(|seat| (seat.since, seat.id))
            .and_then(|seat| seat.link)
            .map_or(Admission::Refuse, Admission::Replace)
    }

    /// The seat of least worth.
    fn least<'a>(&self, browsers: &'a [Seat]) -> Option<&'a Seat> {
        let near = self.nearest(browsers.iter().map(|seat| seat.id));
        let crowd = self.crowds(browsers.iter().map(|seat| seat.id));
        browsers.iter().min_by_key(|seat| {
            let bucket = self.bucket(&seat.id);
            let crowd = crowd.get(&bucket).copied().unwrap_or(0);
            let (class, fewer_first) = if near.contains(&seat.id) {
                (3, u16::MAX - bucket)
            } else if crowd < 2 {
                (2, u16::MAX - bucket)
            } else if seat.links < POOR {
                (1, u16::MAX - crowd)
            } else {
                (0, u16::MAX - crowd)
            };
            (class, fewer_first, u64::MAX - seat.since.number(), seat.id)
        })
    }

    /// Whom to make an offer, if anyone: `free` are known browsers that are neither linked nor
    /// about to be; `seats` includes offers on their way.
    pub(crate) fn next_offer(&self, seats: &[Seat], free: &[Candidate]) -> Option<NodeId> {
        if self.role.is_bridge_here() {
            return None;
        }
        let taken: Vec<NodeId> = seats
            .iter()
            .filter(|seat| seat.role == Role::Browser)
            .map(|seat| seat.id)
            .collect();
        let ids = free.iter().map(|candidate| candidate.id);
        let near = self.nearest(taken.iter().copied().chain(ids));
        let is_free = |id: &NodeId| free.iter().any(|candidate| candidate.id == *id);
        if let Some(near) = near.into_iter().find(is_free) {
            return Some(near);
        }
        let crowds = self.crowds(taken.iter().copied());
        let best = free.iter().min_by_key(|Candidate { id, round_trip }| {
            let bucket = self.bucket(id);
            let crowd = crowds.get(&bucket).copied().unwrap_or(0);
            let round_trip = round_trip.unwrap_or(u32::MAX) / SAME_MS;
            (crowd, bucket, round_trip, self.unlikeness(id))
        })?;
        let best = &best.id;
        let lone = !crowds.contains_key(&self.bucket(best));
        let room = taken.len() < self.for_own_offers();
        let newcomer = Seat {
            link: None,
            id: *best,
            role: Role::Browser,
            since: UnixMillis(u64::MAX),
            links: 0,
        };
        let worth_it = room || (lone && self.admit(seats, &newcomer) != Admission::Refuse);
        worth_it.then_some(*best)
    }

    /// The nearest few of `ids`, nearest first.
    fn nearest(&self, ids: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let mut nearest = Nearest::new(self.us.point(), self.near());
        for id in ids {
            nearest.offer(&id, id);
        }
        nearest.into_items()
    }

    fn distance(&self, id: &NodeId) -> crate::Distance {
        self.us.point().distance(&id.point())
    }

    /// Distance with the first differing bit cleared: how unlike ours the bits after it are.
    fn unlikeness(&self, id: &NodeId) -> [u8; 32] {
        let mut bytes = *self.distance(id).as_bytes();
        if let Some(first) = bytes.iter_mut().find(|byte| **byte != 0) {
            *first &= !(0x80 >> first.leading_zeros());
        }
        bytes
    }

    fn crowds(&self, ids: impl Iterator<Item = NodeId>) -> SortedMap<u16, u16> {
        let mut crowds = SortedMap::new();
        for id in ids {
            let crowd: &mut u16 = crowds.get_or_insert_with(self.bucket(&id), || 0);
            *crowd = crowd.saturating_add(1);
        }
        crowds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(first: u8) -> NodeId {
        let mut bytes = [0; 32];
        bytes[0] = first;
        NodeId::from_bytes(bytes)
    }

    fn seat(first: u8, role: Role) -> Seat {
        Seat {
            link: Some(LinkId(u64::from(first))),
            id: id(first),
            role,
            since: UnixMillis(u64::from(first)),
            links: 5,
        }
    }

    fn browsers(firsts: &[u8]) -> Vec<Seat> {
        firsts
            .iter()
            .map(|first| seat(*first, Role::Browser))
            .collect()
    }

    fn free(firsts: &[u8]) -> Vec<Candidate> {
        let candidate = |first: &u8| Candidate {
            id: id(*first),
            round_trip: None,
        };
        firsts.iter().map(candidate).collect()
    }

    fn rules() -> Places {
        Places::new(id(0), Role::Browser, 6)
    }

    #[test]
    fn a_place_is_kept_for_a_bridge() {
        let full = browsers(&[0x80, 0x40, 0x20, 0x10, 0x08]);
        assert_eq!(
            rules().admit(&full, &seat(0xC0, Role::Browser)),
            Admission::Refuse
        );
        assert_eq!(
            rules().admit(&full, &seat(0xC0, Role::Bridge)),
            Admission::Take
        );
        let mut with_bridge = full;
        with_bridge.push(seat(0xC0, Role::Bridge));
        assert_eq!(
            rules().admit(&with_bridge, &seat(0xC1, Role::Bridge)),
            Admission::Refuse
        );
    }

    #[test]
    fn a_nearer_node_takes_the_place_of_the_youngest_in_the_fullest_bucket() {
        let full = browsers(&[0x80, 0x90, 0xA0, 0x20, 0x10]);
        let newcomer = seat(0x01, Role::Browser);
        assert_eq!(
            rules().admit(&full, &newcomer),
            Admission::Replace(LinkId(0xA0))
        );
    }

    #[test]
    fn a_poor_peer_is_kept_before_a_rich_one() {
        let mut full = browsers(&[0x80, 0x90, 0xA0, 0x20, 0x10]);
        full[2].links = 1;
        let newcomer = seat(0x01, Role::Browser);
        assert_eq!(
            rules().admit(&full, &newcomer),
            Admission::Replace(LinkId(0x90))
        );
    }

    #[test]
    fn a_newcomer_of_a_full_bucket_is_refused() {
        let full = browsers(&[0x80, 0x90, 0x40, 0x20, 0x10]);
        assert_eq!(
            rules().admit(&full, &seat(0xA0, Role::Browser)),
            Admission::Refuse
        );
    }

    #[test]
    fn offers_go_near_then_into_empty_buckets_then_until_one_place_is_left() {
        let rules = rules();
        let seats = browsers(&[0x01, 0x02]);
        assert_eq!(
            rules.next_offer(&seats[..1], &free(&[0x02, 0x80])),
            Some(id(0x02))
        );
        assert_eq!(
            rules.next_offer(&seats, &free(&[0x40, 0x80])),
            Some(id(0x80))
        );
        let seats = browsers(&[0x01, 0x02, 0x80]);
        assert_eq!(rules.next_offer(&seats, &free(&[0x81])), Some(id(0x81)));
        let seats = browsers(&[0x01, 0x02, 0x80, 0x81]);
        assert_eq!(
            rules.next_offer(&seats, &free(&[0x82])),
            None,
            "one place is left for others"
        );
        assert_eq!(
            rules.next_offer(&seats, &free(&[0x40])),
            Some(id(0x40)),
            "an empty bucket"
        );
    }

    #[test]
    fn in_a_bucket_the_quickest_node_is_chosen_of_equals_that_with_bits_like_ours() {
        let seats = browsers(&[0x01, 0x02]);
        let mut free = free(&[0xF0, 0x84, 0x88]);
        assert_eq!(rules().next_offer(&seats, &free), Some(id(0x84)));
        for (candidate, round_trip) in free.iter_mut().zip([80, 200, 86]) {
            candidate.round_trip = Some(round_trip);
        }
        assert_eq!(rules().next_offer(&seats, &free), Some(id(0x88)));
    }

    #[test]
    fn a_full_bridge_lets_those_go_who_need_no_introduction() {
        let rules = Places::new(id(0), Role::Bridge, 3);
        let mut full = browsers(&[0x80, 0x40, 0x20]);
        full[2].links = 0;
        let mut newcomer = seat(0x10, Role::Browser);
        assert_eq!(rules.admit(&full, &newcomer), Admission::Refuse);
        newcomer.links = 0;
        assert_eq!(
            rules.admit(&full, &newcomer),
            Admission::Replace(LinkId(0x40))
        );
    }

    proptest! {
        #[test]
        fn links_never_exceed_the_places_and_the_nearest_two_stay(
            arrivals in proptest::collection::vec((any::<u8>(), any::<bool>()), 1..60),
        ) {
            let rules = rules();
            let mut seats: Vec<Seat> = Vec::new();
            let mut seen: Vec<u8> = Vec::new();
            for (n, (first, poor)) in arrivals.into_iter().enumerate() {
                if first == 0 || seats.iter().any(|seat| seat.id == id(first)) {
                    continue;
                }
                let newcomer = Seat {
                    since: UnixMillis(n as u64),
                    links: if poor { 0 } else { 4 },
                    ..seat(first, Role::Browser)
                };
                seen.push(first);
                match rules.admit(&seats, &newcomer) {
                    Admission::Take => seats.push(newcomer),
                    Admission::Replace(link) => {
                        seats.retain(|seat| seat.link != Some(link));
                        seats.push(newcomer);
                    }
                    Admission::Refuse => {}
                }
                prop_assert!(seats.len() <= 5);
            }
            seen.sort_unstable();
            seen.dedup();
            for nearest in seen.iter().take(2) {
                prop_assert!(seats.iter().any(|seat| seat.id == id(*nearest)));
            }
        }
    }
}
