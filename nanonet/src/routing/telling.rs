//! What linked nodes tell each other about whom they are linked with.
//!
//! - a new link is told the peers most useful to it: those nearest to it, and one for each bucket
//!   around it;
//! - from then on only *news*: a link came up or is gone. Each peer hears the news that concern
//!   it: of nodes that lie nearer to it than we do, and within our own neighbourhood of every node
//!   of that neighbourhood, so that neighbours know their neighbours' neighbours. Bridges tell each
//!   other of everybody, because they introduce those who know nobody yet, and each browser of the
//!   [`NEAREST_TOLD`] nearest to it;
//! - when a node becomes poor in links, or is no longer, everyone hears it;
//! - first-hand only: what others said is not passed on, so nobody who is gone lives on as a rumour.
//!
//! News go out at most once per [`TELL_MS`]. Memory: [`MAX_NEWS`] of them wait, more are not told;
//! what a peer misses for that is found by its next look-up.

use nano_core::UnixMillis;

use super::contact::Who;
use super::places::POOR;
use crate::Crypto;
use crate::timers::Timer;
use crate::wire::{MAX_PEERS, Message, Neighbours, fitting_peers};
use crate::{Node, NodeId, Role};

/// Least time between two times that news go out.
pub(crate) const TELL_MS: u64 = 1_000;
/// Most news that wait.
pub(crate) const MAX_NEWS: usize = 64;
/// A bridge tells a browser only of the so many nearest to it.
const NEAREST_TOLD: usize = 16;
/// Our neighbourhood, we included: the nearest nodes known, which hear of each other.
const CIRCLE: usize = 12;

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

impl<C: Crypto> Node<C> {
    /// A link came up, or is gone.
    pub(crate) fn add_news(&mut self, who: &Who, up: bool) {
        if self.telling.news.len() < MAX_NEWS {
            let who = who.clone();
            self.telling.news.push(News { who, up });
        }
        let soon = self.telling.told.plus(TELL_MS).max(self.now);
        self.timers.set_by(Timer::Membership, soon);
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
        let mut due = Vec::new();
        for (link, _, who) in self.table.up_links() {
            let (mut up_now, mut gone) = (Vec::new(), Vec::new());
            for News { who: of, up } in &news {
                // What has changed again since is told by the later news.
                let linked = self.table.link_to(&of.id).is_some();
                if linked != *up {
                    continue;
                }
                if of.id == who.id {
                    up_now = self.name_peers(&who.id.point(), &[]);
                    break;
                }
                if !self.concerns(who, of) {
                    continue;
                }
                if *up {
                    up_now.push(of);
                } else if gone.len() < MAX_PEERS {
                    gone.push(of.id);
                }
            }
            if turned || !up_now.is_empty() || !gone.is_empty() {
                let peers = fitting_peers(&up_now);
                due.push((link, Neighbours { links, peers, gone }));
            }
        }
        for (link, said) in due {
            self.send(link, &Message::Neighbours(said));
        }
    }

    /// Whether news of `of` concern peer `who`.
    fn concerns(&self, who: &Who, of: &Who) -> bool {
        if self.config.role.is_bridge_here() {
            return who.record.role == Role::Bridge || self.is_near(who, &of.id);
        }
        if who.record.role == Role::Bridge {
            return false;
        }
        let point = who.id.point();
        let bits = |id: &NodeId| point.distance(&id.point()).shared_bits();
        let neighbours = |id| self.is_among_nearest(&self.id.point(), id, CIRCLE);
        of.record.role == Role::Bridge
            || bits(&of.id) > bits(&self.id)
            || (neighbours(&of.id) && neighbours(&who.id))
    }

    /// Whether `id` is one of the few nearest to `who` among those linked here.
    fn is_near(&self, who: &Who, id: &NodeId) -> bool {
        let point = who.id.point();
        let limit = point.distance(&id.point());
        let nearer = self.table.up_links().filter(|(_, _, other)| {
            other.id != who.id && point.distance(&other.id.point()) < limit
        });
        nearer.take(NEAREST_TOLD).count() < NEAREST_TOLD
    }
}
