//! What goes out over an unordered channel: parts that wait, parts on their way, and when they go
//! again.

use std::collections::VecDeque;

use nano_core::UnixMillis;

use super::form::Part;
use super::window::{extend, low};
use super::{FIRST_TRIP_MS, MAX_FLYING, MAX_RESENDS, MAX_WAIT_MS, PART, SLACK_MS, SPAN};
use crate::link::class::{Class, MESSAGE_COST};
use crate::link::error::{LinkError, SendError};
use crate::link::outgoing::size;
use crate::link::rtt::RoundTrip;

/// A part that is not acknowledged.
#[derive(Debug)]
struct Slot {
    bytes: Vec<u8>,
    index: u8,
    count: u8,
    /// How often it was sent.
    sent: u8,
    /// When it was sent last.
    sent_at: UnixMillis,
    /// When it goes again; `None` before the first time and while it shall go now.
    again_at: Option<UnixMillis>,
}

impl Slot {
    fn cost(&self) -> u32 {
        size(self.bytes.len()) + MESSAGE_COST
    }
}

/// Everything that is not acknowledged.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// By number; what is acknowledged or given up is empty.
    slots: VecDeque<Option<Slot>>,
    /// Number of the first slot.
    first: u64,
    /// Slots before this one have been sent.
    unsent: usize,
    /// Bytes of all slots with their cost.
    queued: u32,
    /// Messages acknowledged and not told yet.
    acked: VecDeque<u32>,
}

impl Outbox {
    pub(super) const fn queued(&self) -> u32 {
        self.queued
    }

    /// Takes a message of 1 byte to [`super::MAX_PARTS`] parts; gives the number of the first.
    pub(super) fn push(&mut self, message: Vec<u8>) -> Result<u32, SendError> {
        let count = message.len().div_ceil(PART);
        let cost = size(message.len()) + MESSAGE_COST * size(count);
        if self.queued + cost > Class::Query.queue_limit() {
            return Err(SendError::Full {
                class: Class::Query,
            });
        }
        self.queued += cost;
        let number = low(self.first + self.slots.len() as u64);
        let count = u8::try_from(count).unwrap_or(u8::MAX);
        let slot = |index, bytes| {
            Some(Slot {
                bytes,
                index,
                count,
                sent: 0,
                sent_at: UnixMillis::new(0),
                again_at: None,
            })
        };
        if count == 1 {
            self.slots.push_back(slot(0, message));
        } else {
            for (index, bytes) in (0..count).zip(message.chunks(PART)) {
                self.slots.push_back(slot(index, bytes.to_vec()));
            }
        }
        Ok(number)
    }

    /// The peer has a part.
    pub(super) fn acked(
        &mut self,
        now: UnixMillis,
        number: u32,
        trip: &mut RoundTrip,
    ) -> Result<(), LinkError> {
        let next = self.first + self.unsent as u64;
        // What was acknowledged or given up before is of no interest.
        let Some(number) = extend(number, next) else {
            return Err(LinkError::BadAck);
        };
        if number >= next {
            return Err(LinkError::BadAck);
        }
        let Some(at) = number
            .checked_sub(self.first)
            .and_then(|at| usize::try_from(at).ok())
        else {
            return Ok(());
        };
        let Some(slot) = self.slots.get_mut(at).and_then(Option::take) else {
            return Ok(());
        };
        self.queued -= slot.cost();
        if slot.sent == 1 {
            // Of a part that was sent again nobody knows which sending was acknowledged (Karn).
            trip.sample(slot.sent_at, now);
        }
        let message = self.message(at, &slot);
        if self.slots.range(message).all(Option::is_none) {
            let first = number - u64::from(slot.index);
            self.acked.push_back(low(first));
        }
        self.forget_front();
        Ok(())
    }

    /// The slots of the message that `slot`, at `at`, belongs to.
    fn message(&self, at: usize, slot: &Slot) -> std::ops::Range<usize> {
        let (index, count) = (usize::from(slot.index), usize::from(slot.count));
        let end = (at + count - index).min(self.slots.len());
        at.saturating_sub(index)..end
    }

    fn forget_front(&mut self) {
        while self.unsent > 0 && self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.first += 1;
            self.unsent -= 1;
        }
        if self.slots.is_empty() {
            // A link that asks now and then shall not hold the memory of its busiest moment.
            self.slots = VecDeque::new();
        }
    }

    pub(super) fn next_acked(&mut self) -> Option<u32> {
        self.acked.pop_front()
    }

    /// The part that goes out next, and whether it was sent before.
    pub(super) fn next_part(
        &mut self,
        now: UnixMillis,
        trip: &RoundTrip,
    ) -> Option<(Part<'_>, bool)> {
        let at = self.next_slot()?;
        let number = low(self.first + at as u64);
        let slot = self.slots.get_mut(at)?.as_mut()?;
        slot.again_at = Some(now.plus(wait(trip, slot.sent)));
        slot.sent += 1;
        slot.sent_at = now;
        let part = Part {
            number,
            index: slot.index,
            count: slot.count,
            bytes: &slot.bytes,
        };
        Some((part, slot.sent > 1))
    }

    /// Where the part is that goes next: one that shall go again, else the next that waits.
    fn next_slot(&mut self) -> Option<usize> {
        let mut flying = 0;
        for (at, slot) in self.slots.range(..self.unsent).enumerate() {
            match slot {
                Some(slot) if slot.again_at.is_none() => return Some(at),
                Some(_) => flying += 1,
                None => {}
            }
        }
        let at = self.unsent;
        if flying >= MAX_FLYING || at as u64 >= SPAN || at >= self.slots.len() {
            return None;
        }
        self.unsent += 1;
        Some(at)
    }

    pub(super) fn next_timeout(&self) -> Option<UnixMillis> {
        let sent = self.slots.range(..self.unsent).flatten();
        sent.filter_map(|slot| slot.again_at).min()
    }

    /// Marks what shall go again; gives how many messages were given up.
    pub(super) fn handle_timeout(&mut self, now: UnixMillis) -> u32 {
        let mut given_up = 0;
        for at in 0..self.unsent {
            let Some(Some(slot)) = self.slots.get_mut(at) else {
                continue;
            };
            if slot.again_at.is_none_or(|due| due > now) {
                continue;
            }
            slot.again_at = None;
            if slot.sent > MAX_RESENDS {
                given_up += 1;
                self.give_up(at);
            }
        }
        self.forget_front();
        given_up
    }

    /// Forgets every part of the message at `at`.
    fn give_up(&mut self, at: usize) {
        let Some(Some(slot)) = self.slots.get(at) else {
            return;
        };
        let message = self.message(at, slot);
        // What of it was never sent counts as sent, so that nothing is left to be sent.
        self.unsent = self.unsent.max(message.end);
        for slot in self.slots.range_mut(message) {
            if let Some(slot) = slot.take() {
                self.queued -= slot.cost();
            }
        }
    }

    /// Forgets everything; gives how many messages that were.
    pub(super) fn abandon(&mut self) -> u32 {
        let mut given_up = 0;
        for at in 0..self.slots.len() {
            if matches!(self.slots.get(at), Some(Some(_))) {
                given_up += 1;
                self.give_up(at);
            }
        }
        self.forget_front();
        given_up
    }
}

/// How long an acknowledgement is waited for after a part was sent `before` times already.
fn wait(trip: &RoundTrip, before: u8) -> u64 {
    let trip = trip.smoothed_ms().map_or(FIRST_TRIP_MS, u64::from);
    let first = (2 * trip + SLACK_MS).min(MAX_WAIT_MS);
    (first << u32::from(before)).min(MAX_WAIT_MS)
}
