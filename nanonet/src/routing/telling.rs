//! What linked nodes tell each other about whom they are linked with.
//!
//! - a new link is told the peers most useful to it: those nearest to it, and one for each bucket
//!   around it; by a bridge also other bridges;
//! - from then on only *news*: a link came up or is gone. Only neighbours hear them: within our
//!   *circle*, the [`CIRCLE`] nearest nodes known, everyone linked hears of everyone, so that neighbours
//!   know their neighbours' neighbours; who is further away learns of others from look-ups. Bridges
//!   tell each other of bridges and, while they have few links, of everybody, because they introduce
//!   those who know nobody yet; browsers they tell only of the [`NEAREST_TOLD`] nearest to what is new;
//! - when a node becomes poor in links, or is no longer, everyone hears it;
//! - first-hand only: what others said is not passed on, so nobody who is gone lives on as a rumour.
//!
//! News go out at most once per [`TELL_MS`]. Memory: [`MAX_NEWS`] of them wait, more are not told;
//! what a peer misses for that is found by its next look-up.

use nano_core::UnixMillis;

use super::contact::{Placed, Who};
use super::nearest::Nearest;
use super::places::POOR;
use crate::Crypto;
use crate::sorted::SortedMap;
use crate::wire::{MAX_PEERS, Message, Neighbours, fitting_peers};
use crate::{LinkId, Node, NodeId, Role};

/// Least time between two times that news go out.
pub(crate) const TELL_MS: u64 = 1_000;
/// Most news that wait.
pub(crate) const MAX_NEWS: usize = 64;
/// A bridge tells only the so many browsers nearest to it of a new one.
const NEAREST_TOLD: usize = 16;
/// Other bridges that a bridge names to a new link.
const BRIDGES_TOLD: usize = 4;
/// Links of a bridge up to which it tells other bridges of all of them.
const FEW: usize = 64;
/// Our neighbourhood: the nearest nodes known, which hear of each other.
pub(crate) const CIRCLE: usize = 16;

/// A link came up or is gone.
#[derive(Debug)]
struct News {
    who: Who,
    up: bool,
}

/// News that wait, and whether peers think us poor.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    news: Vec<News>,
    told: UnixMillis,
    said_rich: bool,
}

/// What one peer is told.
#[derive(Default)]
struct Told {
    up: Vec<Placed>,
    gone: Vec<NodeId>,
}

impl<C: Crypto> Node<C> {
    /// A link came up, or is gone.
    pub(crate) fn add_news(&mut self, who: &Who, up: bool) {
        if self.telling.news.len() < MAX_NEWS {
            let who = who.clone();
            self.telling.news.push(News { who, up });
        }
        self.membership_by(self.telling.told.plus(TELL_MS));
    }

    /// Everyone has heard all there is to hear.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) fn settle_telling(&mut self) {
        self.telling.told = self.now;
        self.telling.said_rich = self.table.count_of(Role::Browser) >= usize::from(POOR);
    }

    /// Tells the news that wait, if the last are long enough ago.
    pub(crate) fn tell_news(&mut self) {
        let rich = self.table.count_of(Role::Browser) >= usize::from(POOR);
        let turned = rich != self.telling.said_rich;
        let nothing = self.telling.news.is_empty() && !turned;
        if nothing || self.now.since(self.telling.told) < TELL_MS {
            return;
        }
        self.telling.told = self.now;
        self.telling.said_rich = rich;
        let mut due: SortedMap<LinkId, Told> = SortedMap::new();
        if turned {
            for (link, ..) in self.table.up_links() {
                due.insert(link, Told::default());
            }
        }
        for news in std::mem::take(&mut self.telling.news) {
            self.distribute(&news, &mut due);
        }
        let (links, at) = (self.browser_links(), self.at);
        while let Some((link, Told { up, gone })) = due.pop_first() {
            let peers = fitting_peers(&up);
            let said = Neighbours {
                links,
                at,
                peers,
                gone,
            };
            self.send(link, &Message::Neighbours(said));
        }
    }

    /// Bridge: the first linked bridges besides `who`, so that whoever joins knows more than one.
    fn other_bridges(&self, who: &Who) -> Vec<Placed> {
        if !self.config.role.is_bridge_here() {
            return Vec::new();
        }
        let others = self.table.named().filter(|Placed { who: other, .. }| {
            other.record.role == Role::Bridge && other.id != who.id
        });
        others.take(BRIDGES_TOLD).collect()
    }

    /// Enters one piece of news for everyone whom it concerns.
    fn distribute(&self, News { who, up }: &News, due: &mut SortedMap<LinkId, Told>) {
        // What has changed again since is told by the later news.
        let link = self.table.link_to(&who.id);
        if link.is_some() != *up {
            return;
        }
        if let Some(link) = link {
            let mut named = self.other_bridges(who);
            named.extend(self.name_peers(&who.id.point(), Vec::new()));
            due.get_or_insert_with(link, Told::default).up = named;
        }
        let at = link
            .and_then(|link| self.table.get(link))
            .map(|peer| peer.at);
        for other in self.concerned(who) {
            if Some(other) == link {
                continue;
            }
            let told = due.get_or_insert_with(other, Told::default);
            if *up {
                let (who, at) = (who.clone(), at.unwrap_or_default());
                told.up.push(Placed { who, at });
            } else if told.gone.len() < MAX_PEERS {
                told.gone.push(who.id);
            }
        }
    }

    /// Links whose peers news of `of` concern.
    fn concerned(&self, of: &Who) -> Vec<LinkId> {
        let links = self.table.up_links();
        if self.config.role.is_bridge_here() {
            let everybody = of.record.role == Role::Bridge || self.table.count() <= FEW;
            let mut near = Nearest::new(of.id.point(), NEAREST_TOLD);
            let mut concerned = Vec::new();
            for (link, _, who) in links {
                if who.record.role == Role::Browser {
                    near.offer(&who.id, link);
                } else if everybody {
                    concerned.push(link);
                }
            }
            concerned.extend(near.into_items());
            return concerned;
        }
        let us = self.id.point();
        let circle = self.nearest_browsers(&us, CIRCLE + 1);
        let edge = circle.last().map(|id| us.distance(&id.point()));
        let is_near = |id: &NodeId| {
            circle.len() <= CIRCLE || edge.is_none_or(|edge| us.distance(&id.point()) <= edge)
        };
        if of.record.role == Role::Browser && !is_near(&of.id) {
            return Vec::new();
        }
        links
            .filter(|(_, _, who)| who.record.role == Role::Browser && is_near(&who.id))
            .map(|(link, ..)| link)
            .collect()
    }
}
