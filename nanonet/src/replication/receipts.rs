//! Seeing to it that a new record gets to its holders, whoever of them keeps silent.
//!
//! A put ends at the first holder it meets, which passes the record on to all others. That one may
//! swallow it, or know too few others. So a bridge sends each put over several *paths*, one after
//! another and each over another link, until [`RECEIPTS`] of them were acknowledged by a holder:
//! the holder that a later path meets has the record already if an earlier path did its work, and
//! then only names it to the others.
//!
//! States of a put: *open* (a path starts every [`NEXT_MS`], from the third on every [`LATER_MS`]),
//! gone (enough receipts, [`MAX_PATHS`] paths, or no link left).
//!
//! Memory: [`MAX_OPEN`] puts; beyond that the oldest is gone, and left to [`super::walk`].

use crate::routing::forward::Own;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Ask, Reply, Target};
use crate::{Crypto, LinkId, Node, Point};

/// Holders that are to acknowledge a put.
const RECEIPTS: usize = 3;
/// Most paths of a put.
const MAX_PATHS: usize = 7;
/// Time from one path to the next: an earlier one's work is done by then.
const NEXT_MS: u64 = 400;
/// The same where receipts are missing.
const LATER_MS: u64 = 1_000;
/// Most puts that are open.
const MAX_OPEN: usize = 256;

/// A put that is open.
struct Open {
    point: Point,
    body: Ask,
    /// First links of its paths.
    tried: Vec<LinkId>,
    receipts: usize,
}

/// Puts that are open, by number.
#[derive(Default)]
pub(super) struct Receipts {
    open: SortedMap<u64, Open>,
    last: u64,
}

impl std::fmt::Debug for Receipts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipts")
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

impl<C: Crypto> Node<C> {
    /// Sends a put to the holders of `point`, over as many paths as it takes.
    pub(super) fn put_for_sure(&mut self, point: Point, body: Ask) {
        let receipts = &mut self.replication.receipts;
        if receipts.open.len() >= MAX_OPEN
            && let Some((oldest, _)) = receipts.open.pop_first()
        {
            self.timers.clear(Timer::Put(oldest));
        }
        let receipts = &mut self.replication.receipts;
        receipts.last += 1;
        let number = receipts.last;
        let open = Open {
            point,
            body,
            tried: Vec::new(),
            receipts: 0,
        };
        receipts.open.insert(number, open);
        self.on_put_timer(number);
    }

    /// The next path of a put.
    pub(crate) fn on_put_timer(&mut self, number: u64) {
        let Some(open) = self.replication.receipts.open.get(&number) else {
            return;
        };
        let paths = open.tried.len();
        if open.receipts >= RECEIPTS || paths >= MAX_PATHS {
            self.replication.receipts.open.remove(&number);
            return;
        }
        let (target, body, tried) = (
            Target::Near(open.point),
            open.body.clone(),
            open.tried.clone(),
        );
        let link = self.ask_over(Own::Put(Some(number)), target, body, &tried);
        let Some(open) = self.replication.receipts.open.get_mut(&number) else {
            return;
        };
        let Some(link) = link else {
            // It ended here.
            self.replication.receipts.open.remove(&number);
            return;
        };
        open.tried.push(link);
        let wait = if paths + 1 < RECEIPTS {
            NEXT_MS
        } else {
            LATER_MS
        };
        self.timers.set(Timer::Put(number), self.now.plus(wait));
    }

    /// What became of a path.
    pub(crate) fn on_put_reply(&mut self, number: Option<u64>, body: &Reply) {
        let open = number.and_then(|number| self.replication.receipts.open.get_mut(&number));
        if let Some(open) = open
            && matches!(body, Reply::Stored(_))
        {
            open.receipts += 1;
        }
    }
}
