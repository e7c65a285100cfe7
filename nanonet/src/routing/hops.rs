//! Which link a request takes next.
//!
//! The target itself; then a peer that names the target; then browsers by what their links are worth
//! ([`super::worth`]), those that bring it no nearer last; bridges only when no browser is left. A
//! bridge asks other bridges before browsers where one node is looked for, because they know the most.
//!
//! Look-ups of nodes and puts go only to links nearer to the target than we are, and end here when there
//! is none; questions and messages to one node may also step aside, which is what finds a way when the
//! links are too few for greedy routing.

use std::cmp::Reverse;

use nano_core::Account;

use super::forward::{MAX_TRIES, Passing, Upstream};
use super::nearest::Nearest;
use super::table::{Hop, Turn};
use super::worth::Closeness;
use crate::link::LinkEnd;
use crate::wire::{Ask, Target};
use crate::{AccountKey, AnswerSource, Crypto, Distance, LinkId, Node, NodeId, Point, Role};

/// Nodes nearest to a place that surely hold what lies there, of the 16 that do.
const HOLDERS: usize = 12;
/// How long an acknowledged request is waited for besides the time its further way takes.
const PATIENCE_MS: u64 = 250;
/// What each bit that is left to gain adds to that.
const PER_BIT_MS: u64 = 60;
/// How long an acknowledgement is waited for besides twice the round trip.
const ACK_SLACK_MS: u64 = 30;
/// The round trip of a link nobody has measured.
const UNMEASURED_MS: u32 = 200;

/// What links bring a request for one target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gains {
    us: Closeness,
    reach: Closeness,
}

impl Gains {
    /// When a link's turn comes among those of one [`Turn`]: the one worth most first.
    pub(crate) fn of<E: LinkEnd>(&self, hop: &Hop<'_, E>) -> Reverse<u64> {
        let gained = Closeness::of(&hop.distance).gained(self.us, self.reach);
        let peer = (gained > 0).then(|| hop.peer()).flatten();
        Reverse(peer.map_or(0, |peer| peer.share.worth(gained, peer.link.rtt_ms())))
    }
}

impl<C: Crypto> Node<C> {
    /// What links bring a request for what lies at `target`; `nearest`: only the nearest node will do.
    pub(crate) fn gains(&self, target: &Point, nearest: bool) -> Gains {
        Gains {
            us: Closeness::of(&target.distance(&self.id.point())),
            reach: if nearest { Closeness::MAX } else { self.reach },
        }
    }

    /// How close a node has to be to a place to hold what lies there, as densely as nodes lie around us.
    pub(crate) fn look_at_reach(&mut self) {
        let us = self.id.point();
        let holders = HOLDERS.min(usize::from(self.config.replicas)) + 1;
        let mut nearest = Nearest::new(us, holders);
        for (_, peer, who) in self.table.up_links() {
            if !peer.leaf && who.record.role == Role::Browser {
                nearest.offer(&who.id, who.id);
            }
        }
        for who in self.known.iter() {
            if who.record.role == Role::Browser {
                nearest.offer(&who.id, who.id);
            }
        }
        let edge = nearest.into_items().get(holders - 1).copied();
        self.reach = edge.map_or(Closeness::MIN, |edge| {
            Closeness::of(&us.distance(&edge.point()))
        });
    }

    /// Whether an answer is of one who shall hold the records of `account`, or may think so, as far as can
    /// be told from how densely nodes lie around us: twice as far as a holder's distance is allowed.
    pub(crate) fn is_in_reach(&self, source: &AnswerSource, account: &Account) -> bool {
        let AnswerSource::Peer { id, .. } = source else {
            return true;
        };
        self.may_reach(&AccountKey::new(account).point(), id)
    }

    /// Whether `id` may be one of those who hold what lies at `point`, judged by density alone. Of places
    /// further away we know too few nodes to count who is nearer.
    pub(crate) fn may_reach(&self, point: &Point, id: &NodeId) -> bool {
        self.tells_no_density()
            || Closeness::of(&point.distance(&id.point())) >= self.reach.one_bit_less()
    }

    /// Whether we are one of those who hold what lies at `point` in all likelihood.
    pub(crate) fn surely_reaches(&self, point: &Point) -> bool {
        self.tells_no_density() || Closeness::of(&point.distance(&self.id.point())) >= self.reach
    }

    /// Whether a node with this id would be one of those near us, all of whom we know.
    pub(crate) fn would_know(&self, id: &NodeId) -> bool {
        self.config.role == Role::Browser
            && self.reach > Closeness::MIN
            && Closeness::of(&self.id.point().distance(&id.point())).one_bit_less() >= self.reach
    }

    /// Whether we are linked with a node, or heard of it.
    pub(crate) fn knows(&self, id: &NodeId) -> bool {
        self.table.link_to(id).is_some() || self.known.has(id)
    }

    /// Whether a record has so few holders that the distance of that many nodes says nothing of density.
    fn tells_no_density(&self) -> bool {
        usize::from(self.config.replicas) < HOLDERS
    }

    /// How long to wait for the acknowledgement of a link.
    pub(crate) fn ack_patience(&self, link: LinkId) -> u64 {
        let round_trip = self.table.get(link).and_then(|peer| peer.link.rtt_ms());
        2 * u64::from(round_trip.unwrap_or(UNMEASURED_MS)) + ACK_SLACK_MS
    }

    /// How long to wait for the answer of a link that has acknowledged a request: long enough for the
    /// nodes further on to wait for theirs, who have less far to go, and to try another.
    pub(crate) fn patience(&self, link: LinkId, target: &Target, ask: &Ask) -> u64 {
        match ask {
            Ask::Put { .. } | Ask::Headers { .. } | Ask::Register(_) => 3_000,
            Ask::Pull { .. } | Ask::Compare { .. } | Ask::Publish(_) => 6_000,
            Ask::Resolve { .. } => 20_000,
            Ask::FindNearest | Ask::Signal { .. } | Ask::FindKey { .. } | Ask::FindServices(_) => {
                1_500
            }
            Ask::Get { .. } | Ask::Cell(_) => {
                let peer = self.table.get(link);
                let distance = peer.and_then(|peer| peer.who.as_ref());
                let distance = distance.map(|who| target.point().distance(&who.id.point()));
                let close = distance.map_or(Closeness::MIN, |distance| Closeness::of(&distance));
                let left = u64::from(self.reach.gained(close, Closeness::MAX)) / 256;
                let round_trip = peer.and_then(|peer| peer.link.rtt_ms());
                let round_trip = u64::from(round_trip.unwrap_or(UNMEASURED_MS));
                2 * round_trip + PATIENCE_MS + PER_BIT_MS * left
            }
        }
    }

    /// The link a request takes next, if any is worth trying.
    pub(crate) fn next_link(&self, passing: &Passing) -> Option<LinkId> {
        let request = &passing.request;
        let from = match passing.upstream {
            Upstream::Link(link) => Some(link),
            Upstream::Own(_) => None,
        };
        let own = from.is_none();
        let tries = passing.tried.len();
        if request.hops_left == 0 || request.budget == 0 || (tries >= MAX_TRIES && !own) {
            return None;
        }
        let target = request.target.point();
        let greedy = matches!(request.target, Target::Near(_))
            && matches!(
                request.body,
                Ask::FindNearest | Ask::Put { .. } | Ask::Headers { .. } | Ask::Register(_)
            );
        let find = matches!(request.body, Ask::FindNearest);
        // A bridge is no place for replicas, and who looks for its own neighbours is not its own
        // nearest node: both pass on to anyone.
        let limit = if self.config.role.is_bridge_here() || (find && own) {
            Distance::MAX
        } else {
            target.distance(&self.id.point())
        };
        let exactly = match &request.target {
            Target::Exactly(id) => Some(id),
            Target::Near(_) => None,
        };
        let by_bridge = self.config.role.is_bridge_here();
        let gains = self.gains(&target, !matches!(request.body, Ask::Get { .. }));
        let next = self.table.next(&target, |hop| {
            let Hop {
                link,
                role,
                distance,
                ..
            } = *hop;
            let elsewhere = passing.only.is_some_and(|only| only != link);
            if Some(link) == from || elsewhere || passing.tried.contains(&link) {
                return None;
            }
            if role == Role::Bridge && request.body.is_for_browsers() {
                return None;
            }
            // The one who looks for its neighbours is linked with some of them.
            let asker = find && distance.shared_bits() == 256;
            let nearer = role == Role::Browser && distance < limit;
            let only_way = role == Role::Bridge && own && tries == 0;
            if asker || (greedy && !nearer && !only_way) {
                return None;
            }
            let listed = exactly.is_some_and(|id| self.known.is_listed_by(link, id));
            let turn = match role {
                _ if listed => Turn::Listed,
                Role::Bridge if by_bridge && exactly.is_some() => Turn::Knowing,
                Role::Browser => Turn::Browser,
                Role::Bridge => Turn::Bridge,
            };
            Some((turn, gains.of(hop)))
        });
        next.map(|(link, _)| link)
    }
}
