//! What private messages promise: each comes once, from who sent it, in its order, and comes if both
//! ends were there all the time.

use std::collections::BTreeMap;

use clap::ValueEnum;
use nano_core::UnixMillis;
use nanonet::{Bug, NodeKey};
use serde::Serialize;

use super::leaks::MARK;
use crate::world::Place;

/// How long both ends must have been there after it was sent.
pub const STAY_MS: u64 = 60_000;

/// A bug to be planted in every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Every message is delivered twice (`messages`).
    DeliversTwice,
    /// Every route has one relay, which sees both ends (`leaks`).
    ShortRoutes,
    /// Letters also go out unencrypted (`leaks`).
    WritesOpenly,
}

impl Plant {
    /// The bug in the node.
    #[must_use]
    pub const fn bug(self) -> Bug {
        match self {
            Self::DeliversTwice => Bug::DeliversTwice,
            Self::ShortRoutes => Bug::ShortRoutes,
            Self::WritesOpenly => Bug::WritesOpenly,
        }
    }
}

/// A message that was sent.
struct Sent {
    at: UnixMillis,
    from: Place,
    from_key: NodeKey,
    to: Place,
    /// When it came, each time.
    came: Vec<UnixMillis>,
    confirmed: bool,
}

/// What became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Messages whose ends were both there all the time.
    pub messages: u64,
    /// Those that came exactly once, as a share.
    pub delivered_once: f64,
    /// Those that came more than once.
    pub delivered_twice: u64,
    /// Those that did not come.
    pub missed: u64,
    /// Messages that came after a later one of the same sender and recipient.
    pub out_of_order: u64,
    /// Messages that nobody sent, or somebody else.
    pub invented: u64,
    /// Of those that came, those that their senders were told of.
    pub confirmed: f64,
    /// From sending to delivery, half of all.
    pub p50_ms: u64,
    /// The same for 99 of 100.
    pub p99_ms: u64,
}

/// Watches messages.
#[derive(Default)]
pub struct Checker {
    sent: Vec<Sent>,
    latest: BTreeMap<(Place, Place), usize>,
    out_of_order: u64,
    invented: u64,
}

impl Checker {
    /// The number that the next message will have.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.sent.len() as u64
    }

    /// A message is sent; its body.
    pub fn send(&mut self, at: UnixMillis, from: (Place, NodeKey), to: Place) -> Vec<u8> {
        let number = self.sent.len() as u64;
        self.sent.push(Sent {
            at,
            from: from.0,
            from_key: from.1,
            to,
            came: Vec::new(),
            confirmed: false,
        });
        [MARK, &number.to_be_bytes()].concat()
    }

    /// A message came.
    pub fn came(&mut self, at: UnixMillis, place: Place, from: NodeKey, body: &[u8]) {
        let number = body
            .strip_prefix(MARK)
            .and_then(|rest| rest.try_into().ok())
            .map(u64::from_be_bytes);
        let number = number.and_then(|number| usize::try_from(number).ok());
        let sent = number.and_then(|number| self.sent.get_mut(number));
        let (Some(number), Some(sent)) = (number, sent) else {
            self.invented += 1;
            return;
        };
        if sent.to != place || sent.from_key != from {
            self.invented += 1;
            return;
        }
        sent.came.push(at);
        if sent.came.len() == 1 {
            let latest = self.latest.entry((sent.from, place)).or_insert(number);
            self.out_of_order += u64::from(*latest > number);
            *latest = number.max(*latest);
        }
    }

    /// A sender was told that its message came.
    pub fn confirmed(&mut self, number: usize) {
        if let Some(sent) = self.sent.get_mut(number) {
            sent.confirmed = true;
        }
    }

    /// What became of all; `left` says when a place's node was gone.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    pub fn verdict(&self, left: impl Fn(Place) -> Option<UnixMillis>) -> Tally {
        let stayed = |place, at: UnixMillis| {
            left(place).is_none_or(|left: UnixMillis| left.since(at) >= STAY_MS)
        };
        let mut tally = Tally::default();
        let (mut once, mut confirmed, mut times) = (0_u64, 0_u64, Vec::new());
        for sent in &self.sent {
            tally.delivered_twice += u64::from(sent.came.len() > 1);
            if !stayed(sent.from, sent.at) || !stayed(sent.to, sent.at) {
                continue;
            }
            tally.messages += 1;
            once += u64::from(sent.came.len() == 1);
            confirmed += u64::from(sent.confirmed);
            match sent.came.first() {
                Some(at) => times.push(at.since(sent.at)),
                None => tally.missed += 1,
            }
        }
        times.sort_unstable();
        tally.delivered_once = once as f64 / tally.messages.max(1) as f64;
        tally.confirmed = confirmed as f64 / times.len().max(1) as f64;
        tally.out_of_order = self.out_of_order;
        tally.invented = self.invented;
        tally.p50_ms = crate::scenario::percentile(&times, 50);
        tally.p99_ms = crate::scenario::percentile(&times, 99);
        tally
    }
}
