//! What linked nodes tell each other about whom they are linked with.
//!
//! - a new link is told at once the peers most useful to it: those nearest to it, and one for each
//!   bucket around it;
//! - from then on only *news*: a link came up or is gone. Each peer hears the news that concern
//!   it: of nodes that lie nearer to it than we do, and within our own neighbourhood of every node
//!   of that neighbourhood, so that neighbours know their neighbours' neighbours. Bridges tell each
//!   other of everybody, because they introduce those who know nobody yet;
//! - when a node becomes poor in links, or is no longer, everyone hears it;
//! - first-hand only: what others said is not passed on, so nobody who is gone lives on as a rumour.
//!
//! News go out at most once per [`TELL_MS`]. Memory: [`MAX_NEWS`] of them wait, the oldest are
//! forgotten first; what a peer has missed for that is found by its next look-up.

use nano_core::UnixMillis;

use super::contact::Who;
use super::nearest::Nearest;
use super::places::POOR;
use crate::Crypto;
use crate::timers::Timer;
use crate::wire::{MAX_PEERS, Message, Neighbours, fitting_peers};
use crate::{LinkId, Node, NodeId, Role};

/// Least time between two times that news go out.
pub(crate) const TELL_MS: u64 = 1_000;
/// Most news that wait.
pub(crate) const MAX_NEWS: usize = 64;
/// Neighbours of ours that hear of each other.
const CIRCLE: usize = 8;
/// A peer hears of a newcomer only if it is one of so many nearest to it.
const NEAREST_TOLD: usize = 16;

/// What happened to a link.
#[derive(Debug)]
enum News {
    Up(Who),
    Gone(NodeId, Role),
}

/// News that wait, and whether peers think us poor.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    news: Vec<News>,
    told: UnixMillis,
    said_rich: bool,
}

impl<C: Crypto> Node<C> {
    /// A link came up: its peer is told whom we are linked with, others of it.
    pub(crate) fn tell_up(&mut self, link: LinkId, who: &Who) {
        let peers = self.name_peers(&who.id.point(), std::iter::empty());
        let peers = fitting_peers(peers.into_iter().map(|who| who.record.clone()));
        self.say_neighbours(
            link,
            Neighbours {
                links: self.browser_links(),
                peers,
                gone: Vec::new(),
            },
        );
        self.add_news(News::Up(who.clone()));
    }

    /// A link is gone.
    pub(crate) fn tell_gone(&mut self, who: &Who) {
        self.add_news(News::Gone(who.id, who.record.role));
    }

    fn add_news(&mut self, news: News) {
        if self.telling.news.len() >= MAX_NEWS {
            self.telling.news.remove(0);
        }
        self.telling.news.push(news);
        let soon = self.telling.told.plus(TELL_MS).max(self.now);
        self.timers.set_by(Timer::Membership, soon);
    }

    fn say_neighbours(&mut self, link: LinkId, said: Neighbours) {
        self.send(link, &Message::Neighbours(said));
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
        let news = std::mem::take(&mut self.telling.news);
        let links = self.browser_links();
        let mut circle = Nearest::new(self.id.point(), CIRCLE);
        for (_, _, who) in self.table.up_links() {
            if who.record.role == Role::Browser {
                circle.offer(&who.id, who.id);
            }
        }
        let circle = circle.into_items();
        let mut due = Vec::new();
        for (link, _, who) in self.table.up_links() {
            let mut said = Neighbours {
                links,
                peers: Vec::new(),
                gone: Vec::new(),
            };
            for news in &news {
                match news {
                    News::Up(of) if self.concerns(who, &of.id, of.record.role, &circle) => {
                        let still = self.table.link_to(&of.id).is_some();
                        if still && said.peers.len() < MAX_PEERS && self.is_near(who, &of.id) {
                            said.peers.push(of.record.clone());
                        }
                    }
                    News::Gone(id, role) if self.concerns(who, id, *role, &circle) => {
                        if self.table.link_to(id).is_none() && said.gone.len() < MAX_PEERS {
                            said.gone.push(*id);
                        }
                    }
                    News::Up(_) | News::Gone(..) => {}
                }
            }
            if turned || !said.peers.is_empty() || !said.gone.is_empty() {
                said.peers = fitting_peers(said.peers);
                due.push((link, said));
            }
        }
        for (link, said) in due {
            self.say_neighbours(link, said);
        }
    }

    /// Whether news of `id` concern peer `who`.
    fn concerns(&self, who: &Who, id: &NodeId, role: Role, circle: &[NodeId]) -> bool {
        if who.id == *id {
            return false;
        }
        if who.record.role == Role::Bridge {
            return self.config.role.is_bridge_here();
        }
        if role == Role::Bridge {
            return true;
        }
        let point = who.id.point();
        let nearer = point.distance(&id.point()).shared_bits()
            > point.distance(&self.id.point()).shared_bits();
        nearer
            || self.config.role.is_bridge_here()
            || (circle.contains(id) && circle.contains(&who.id))
    }

    /// Whether `id` is one of the few nearest to `who` among those linked here.
    fn is_near(&self, who: &Who, id: &NodeId) -> bool {
        let point = who.id.point();
        let limit = point.distance(&id.point());
        let nearer = self.table.up_links().filter(|(_, _, other)| {
            other.id != who.id && point.distance(&other.id.point()) < limit
        });
        who.record.role == Role::Bridge || nearer.take(NEAREST_TOLD).count() < NEAREST_TOLD
    }
}
