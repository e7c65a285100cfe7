//! Over whom our circuits lead: guards, doors, and nodes in the middle.

use super::letter::ANSWER_DOORS;
use super::post::{GUARDS, SPARE_BRIDGES, USUAL_RELAYS};
use super::ranks::POOR;
use super::route::Hop;
use crate::registry::{Door, KeyRecord, MAX_DOORS, Route};
use crate::{Bug, Crypto, Node, NodeId, Role};

impl<C: Crypto> Node<C> {
    /// Linked nodes that may be guards or doors, best first.
    pub(super) fn contacts(&self) -> Vec<(u16, Hop)> {
        let links = self.table.up_links();
        let contacts = links
            .filter(|(_, peer, who)| !peer.leaf || who.record.role == Role::Bridge)
            .map(|(_, _, who)| {
                let rank = self.post.ranks.of(&who.id).reliability;
                let spared = match who.record.role {
                    Role::Bridge => SPARE_BRIDGES,
                    Role::Browser => 0,
                };
                let hop = Hop {
                    id: who.id,
                    noise_key: who.record.noise_key,
                };
                (rank.saturating_sub(spared), hop)
            });
        in_order(contacts)
    }

    /// Chooses guards and doors anew where one is gone or does not relay.
    pub(super) fn choose(&mut self) {
        let contacts = self.contacts();
        let (ranks, table) = (&self.post.ranks, &self.table);
        let good = |id: &NodeId| table.link_to(id).is_some() && ranks.of(id).reliability >= POOR;
        let mut guards = std::mem::take(&mut self.post.guards);
        let mut doors = std::mem::take(&mut self.post.doors);
        guards.retain(good);
        doors.retain(good);
        // With few links one node has to be both.
        let apart = contacts.len() >= 2 * GUARDS;
        let fill = |chosen: &mut Vec<NodeId>, others: &[NodeId], most: usize, proven: bool| {
            for (_, hop) in &contacts {
                let taken = chosen.contains(&hop.id) || (apart && others.contains(&hop.id));
                let known = !proven || ranks.of(&hop.id).proven;
                if chosen.len() < most && !taken && known {
                    chosen.push(hop.id);
                }
            }
        };
        // Doors are told to others, so only those that were seen to relay.
        fill(&mut guards, &doors, GUARDS, true);
        fill(&mut doors, &guards, MAX_DOORS, true);
        if guards.is_empty() {
            fill(&mut guards, &doors, 1, false);
        }
        self.post.guards = guards;
        self.post.doors = doors;
    }

    /// Through whom we are reached.
    pub(crate) fn own_doors(&self) -> Vec<Door> {
        let doors = self.post.doors.iter();
        doors
            .filter_map(|id| self.linked_hop(id))
            .map(|hop| Door {
                id: hop.id,
                noise_key: hop.noise_key,
            })
            .collect()
    }

    /// Through whom an answer of `to` reaches us: our doors, or, as long as no node was seen to relay, linked
    /// nodes, guards last.
    pub(super) fn doors_for_answers(&self, to: &NodeId) -> Vec<Door> {
        let mut doors = self.own_doors();
        doors.retain(|door| door.id != *to);
        if doors.is_empty() {
            let contacts = self.contacts().into_iter().map(|(_, hop)| hop);
            let (guards, others): (Vec<Hop>, Vec<Hop>) = contacts
                .filter(|hop| hop.id != *to)
                .partition(|hop| self.post.guards.contains(&hop.id));
            doors.extend(others.into_iter().chain(guards).map(|hop| Door {
                id: hop.id,
                noise_key: hop.noise_key,
            }));
        }
        doors.truncate(ANSWER_DOORS);
        doors
    }

    pub(super) fn linked_hop(&self, id: &NodeId) -> Option<Hop> {
        let peer = self.table.get(self.table.link_to(id)?)?;
        let who = peer.who.as_ref()?;
        Some(Hop {
            id: who.id,
            noise_key: who.record.noise_key,
        })
    }

    pub(super) fn ourselves(&self) -> Hop {
        Hop {
            id: self.id,
            noise_key: self.identity.noise_key(),
        }
    }

    /// A node that may stand in the middle of a route: the best of a few chosen by chance.
    pub(super) fn middle(&mut self, avoid: &[NodeId]) -> Option<Hop> {
        let chance = self.rng.next_u64();
        let known = self.known.certain(self.now);
        let linked = self.table.up_links().map(|(_, _, who)| who);
        let all: Vec<Hop> = known
            .chain(linked)
            .filter(|who| !avoid.contains(&who.id) && who.id != self.id)
            .map(|who| Hop {
                id: who.id,
                noise_key: who.record.noise_key,
            })
            .collect();
        // A start by chance, then every so-manyth: eight to choose from.
        let count = all.len();
        let start = usize::try_from(chance % (count.max(1) as u64)).unwrap_or(0);
        let step = (count / 8).max(1);
        let drawn = (0..count.min(8)).map(|place| all[(start + place * step) % count]);
        drawn.max_by_key(|hop| self.post.ranks.of(&hop.id).reliability)
    }

    /// A route to a node, relays first: a guard, nodes in the middle, a door of the recipient. Relays in
    /// `avoid` are left out, but for a guard or a door if there is no other.
    pub(super) fn route(
        &mut self,
        to: &Hop,
        doors: &[Door],
        relays: usize,
        avoid: &[NodeId],
    ) -> Option<Vec<Hop>> {
        let (guard, door) = self.ends_of_route(to, doors, relays, avoid)?;
        let mut avoid: Vec<NodeId> = avoid.to_vec();
        avoid.extend([self.id, to.id, door.id]);
        avoid.extend(guard.map(|guard| guard.id));
        let mut route: Vec<Hop> = guard.into_iter().collect();
        while route.len() + 1 < relays {
            let middle = self.middle(&avoid)?;
            avoid.push(middle.id);
            route.push(middle);
        }
        route.push(door);
        if self.has_bug(Bug::ShortRoutes) {
            route.truncate(1);
        }
        route.push(*to);
        Some(route)
    }

    /// First and last relay of a route: the best two of those apart from each other that share least with
    /// `avoid`. With one relay there is but the last.
    fn ends_of_route(
        &self,
        to: &Hop,
        doors: &[Door],
        relays: usize,
        avoid: &[NodeId],
    ) -> Option<(Option<Hop>, Hop)> {
        let guards: Vec<Option<Hop>> = match relays {
            1 => vec![None],
            _ => {
                let guards = self.post.guards.iter().filter(|id| **id != to.id);
                guards
                    .filter_map(|id| self.linked_hop(id))
                    .map(Some)
                    .collect()
            }
        };
        let doors = doors.iter().map(|door| Hop::from(*door));
        let doors: Vec<Hop> = doors
            .filter(|door| door.id != to.id && door.id != self.id)
            .collect();
        let pairs = guards.iter().flat_map(|guard| {
            let apart = doors
                .iter()
                .filter(|door| guard.is_none_or(|guard| guard.id != door.id));
            apart.map(|door| (*guard, *door))
        });
        pairs.max_by_key(|(guard, door)| {
            let both = guard.iter().chain([door]);
            let new = both.clone().filter(|hop| !avoid.contains(&hop.id)).count();
            let scores = both.map(|hop| u32::from(self.post.ranks.of(&hop.id).reliability));
            (new, scores.sum::<u32>())
        })
    }

    /// Ways to a node, best first, as they would be taken now.
    pub(crate) fn routes_to(&mut self, record: &KeyRecord) -> Vec<Route> {
        self.post.active = true;
        if self.post.guards.is_empty() {
            self.choose();
        }
        let to = Hop {
            id: record.node_id(),
            noise_key: record.noise_key,
        };
        let mut used = Vec::new();
        let mut routes: Vec<(u16, Route)> = Vec::new();
        for _ in 0..GUARDS {
            let Some(hops) = self.route(&to, &record.doors, usize::from(USUAL_RELAYS), &used)
            else {
                break;
            };
            let hops: Vec<NodeId> = hops[..hops.len() - 1].iter().map(|hop| hop.id).collect();
            used.extend(&hops);
            let ranks: Vec<_> = hops.iter().map(|id| self.post.ranks.of(id)).collect();
            let reliability = ranks.iter().fold(1_000_u32, |all, rank| {
                all * u32::from(rank.reliability) / 1_000
            });
            let measured = ranks.iter().all(|rank| rank.latency_ms > 0);
            let latency: u32 = ranks.iter().map(|rank| rank.latency_ms).sum();
            let reliability = u16::try_from(reliability).unwrap_or(0);
            routes.push((
                reliability,
                Route {
                    hops,
                    latency_ms: if measured { latency } else { 0 },
                    reliability,
                },
            ));
        }
        let routes = in_order(routes.into_iter()).into_iter();
        routes.map(|(_, route)| route).collect()
    }
}

/// The few items, the highest number first; of equals, in their order.
fn in_order<T>(items: impl Iterator<Item = (u16, T)>) -> Vec<(u16, T)> {
    let mut sorted: Vec<(u16, T)> = Vec::new();
    for item in items {
        let place = sorted.partition_point(|other| other.0 >= item.0);
        sorted.insert(place, item);
    }
    sorted
}
