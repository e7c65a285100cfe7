//! What is under way between us and one other key: messages that are not acknowledged yet, paths to
//! it, and what came from it.
//!
//! A message with its name in front (8, least significant byte first) is cut into parts, numbered in one
//! sequence per session. A part is sent over both paths
//! at once, and again over others when it was not acknowledged in time ([`Talk::wait`]); at most as
//! many are on their way as the other side has room for ([`WINDOW`]). Parts are taken in any order and
//! messages delivered in theirs, once each.

use std::collections::VecDeque;

use nano_core::UnixMillis;

use super::letter::{Ack, Address, MAX_HEARD, Part};
use super::route::Circuit;
use crate::governance::Setting;
use crate::sorted::SortedMap;
use crate::wire::Bytes;
use crate::{NodeId, RequestId};

/// Most parts on their way, and kept out of order.
pub(crate) const WINDOW: u32 = 32;
/// Longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 8 * 1024;
/// Bytes of a message's name.
const NAME_BYTES: usize = 8;
/// Most messages to one key that are not acknowledged.
pub(crate) const MAX_WAITING: usize = 64;
/// Bytes of a part: what the first cell of a circuit of five relays leaves for it.
const PART_BYTES: usize = 80;
/// The same of a circuit of at most three.
const LONG_PART_BYTES: usize = 230;
/// Wait for an acknowledgement before any was measured.
const FIRST_WAIT_MS: u64 = 2_500;
const LEAST_WAIT_MS: u64 = 900;
const MOST_WAIT_MS: u64 = 8_000;
/// How long it takes until a key that has sent a burst may send one more.
const PER_MESSAGE_MS: u64 = 500;
/// Circuits of the other side that are remembered.
const THEIR_CIRCUITS: usize = 8;

/// A path to the other side.
pub(crate) struct Path {
    pub(crate) circuit: Circuit,
    /// The relays, first to last.
    pub(crate) relays: Vec<NodeId>,
    /// When something was last sent over it.
    pub(crate) used: UnixMillis,
    /// The first letter sent over it that was not told to have come.
    pub(crate) unheard_since: Option<UnixMillis>,
    /// Whether a letter was ever told to have come over it.
    pub(crate) heard: bool,
}

/// A part that was not acknowledged.
pub(crate) struct Outgoing {
    number: u32,
    last: bool,
    bytes: Vec<u8>,
    request: RequestId,
    until: UnixMillis,
    sent: Option<UnixMillis>,
    tries: u32,
    acked: bool,
}

/// A message received whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Its name.
    pub(crate) name: u64,
    /// What it says.
    pub(crate) body: Vec<u8>,
}

/// What is under way with one key.
pub(crate) struct Talk {
    pub(crate) address: Option<Address>,
    /// The sequence number of the record the address is from; 0 if it is from a letter.
    pub(crate) record: u64,
    /// When the key was looked up last.
    pub(crate) looked_up: UnixMillis,
    pub(crate) session: u64,
    pub(crate) relays: usize,
    pub(crate) paths: Vec<Path>,
    pub(crate) used: UnixMillis,
    out: VecDeque<Outgoing>,
    next_number: u32,
    room: u32,
    round_trip: u64,
    /// The other side's session, and where we are in it.
    pub(crate) their_session: u64,
    next_in: u32,
    early: SortedMap<u32, Part>,
    assembling: Vec<u8>,
    pub(crate) heard: Vec<u64>,
    pub(crate) their_circuits: Vec<u64>,
    pub(crate) ack_due: Option<UnixMillis>,
    /// Messages that the key may send in a burst.
    pub(crate) burst: u32,
    allowed_from: u64,
}

impl Talk {
    /// Nothing was said yet.
    pub(crate) fn new(now: UnixMillis, session: u64, relays: usize) -> Self {
        Self {
            address: None,
            record: 0,
            looked_up: UnixMillis(0),
            session,
            relays,
            paths: Vec::new(),
            used: now,
            out: VecDeque::new(),
            next_number: 0,
            room: WINDOW,
            round_trip: 0,
            their_session: 0,
            next_in: 0,
            early: SortedMap::new(),
            assembling: Vec::new(),
            heard: Vec::new(),
            their_circuits: Vec::new(),
            ack_due: None,
            burst: Setting::MessageBurst.shipped(),
            allowed_from: 0,
        }
    }

    /// Whether anything of ours waits for an acknowledgement.
    pub(crate) fn is_idle(&self) -> bool {
        self.out.is_empty() && self.ack_due.is_none()
    }

    /// Whether the other side has said that it takes no more.
    pub(crate) const fn is_refused(&self) -> bool {
        self.room == 0
    }

    /// Messages that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.out.iter().filter(|part| part.last).count()
    }

    /// Enters a message.
    pub(crate) fn add(&mut self, request: RequestId, name: u64, body: &[u8], until: UnixMillis) {
        let bytes = [&name.to_le_bytes(), body].concat();
        let size = if self.relays <= 3 {
            LONG_PART_BYTES
        } else {
            PART_BYTES
        };
        let count = bytes.len().div_ceil(size).max(1);
        for place in 0..count {
            let part = &bytes[place * size..bytes.len().min((place + 1) * size)];
            self.out.push_back(Outgoing {
                number: self.next_number,
                last: place + 1 == count,
                bytes: part.to_vec(),
                request,
                until,
                sent: None,
                tries: 0,
                acked: false,
            });
            self.next_number += 1;
        }
    }

    /// How long an acknowledgement is waited for.
    pub(crate) fn wait(&self) -> u64 {
        match self.round_trip {
            0 => FIRST_WAIT_MS,
            trip => (2 * trip).clamp(LEAST_WAIT_MS, MOST_WAIT_MS),
        }
    }

    fn due(&self, part: &Outgoing, now: UnixMillis) -> bool {
        let wait = self.wait() << part.tries.saturating_sub(1).min(3);
        !part.acked && part.sent.is_none_or(|sent| now.since(sent) >= wait)
    }

    /// The numbers of parts that are to be sent now, and whether one of them goes again.
    pub(crate) fn due_parts(&self, now: UnixMillis) -> (Vec<u32>, bool) {
        let first = self.out.front().map_or(0, |part| part.number);
        let window = self.room.clamp(1, WINDOW);
        let due = self
            .out
            .iter()
            .filter(|part| part.number < first.saturating_add(window) && self.due(part, now));
        let again = due.clone().any(|part| part.tries > 0);
        (due.map(|part| part.number).collect(), again)
    }

    /// A part as it is sent.
    pub(crate) fn part(&self, number: u32) -> Option<Part> {
        let base = self.out.front()?.number;
        let part = self.out.iter().find(|part| part.number == number)?;
        Some(Part {
            number,
            base,
            last: part.last,
            bytes: Bytes(part.bytes.clone()),
        })
    }

    /// A part went out.
    pub(crate) fn sent(&mut self, number: u32, now: UnixMillis) {
        if let Some(part) = self.out.iter_mut().find(|part| part.number == number) {
            part.sent = Some(now);
            part.tries += 1;
        }
    }

    /// Everything that was sent is to be sent again at once.
    pub(crate) fn send_again(&mut self) {
        for part in &mut self.out {
            part.sent = None;
        }
    }

    /// Whether a letter of ours was told to have come over a path that is there.
    pub(crate) fn is_established(&self) -> bool {
        self.paths.iter().any(|path| path.heard)
    }

    /// Whether what was not sent yet has to wait until it is known that a circuit was set up.
    pub(crate) fn must_wait(&self) -> bool {
        let under_way = |part: &Outgoing| part.sent.is_some() && !part.acked;
        !self.is_established() && self.out.iter().any(under_way)
    }

    /// When something is to be done next.
    pub(crate) fn next(&self, now: UnixMillis) -> Option<UnixMillis> {
        let waits = self.must_wait();
        let parts = self.out.iter().filter(|part| !part.acked);
        let parts = parts.filter(|part| part.sent.is_some() || !waits);
        let parts = parts.take(WINDOW as usize).map(|part| {
            let wait = self.wait() << part.tries.saturating_sub(1).min(3);
            part.sent
                .map_or(now, |sent| sent.plus(wait))
                .min(part.until)
        });
        parts.chain(self.ack_due).min()
    }

    /// Messages whose time is over; all of their parts are forgotten.
    pub(crate) fn overdue(&mut self, now: UnixMillis) -> Vec<RequestId> {
        self.give_up(|part| part.until <= now)
    }

    /// All messages are forgotten.
    pub(crate) fn fail_all(&mut self) -> Vec<RequestId> {
        self.give_up(|_| true)
    }

    fn give_up(&mut self, which: impl Fn(&Outgoing) -> bool) -> Vec<RequestId> {
        let over = self.out.iter().filter(|part| part.last && which(part));
        let over: Vec<RequestId> = over.map(|part| part.request).collect();
        self.out.retain(|part| !over.contains(&part.request));
        over
    }

    /// The other side tells what it has; the messages that it has whole.
    pub(crate) fn acknowledged(&mut self, ack: &Ack) -> Vec<RequestId> {
        if ack.session != self.session {
            return Vec::new();
        }
        self.room = u32::from(ack.room);
        for part in &mut self.out {
            let beyond = part.number.checked_sub(ack.next.saturating_add(1));
            let marked = beyond.is_some_and(|bit| bit < 64 && ack.bits >> bit & 1 == 1);
            part.acked |= part.number < ack.next || marked;
        }
        let mut done = Vec::new();
        while self.out.front().is_some_and(|part| part.acked) {
            let part = self.out.pop_front().filter(|part| part.last);
            done.extend(part.map(|part| part.request));
        }
        done
    }

    /// A letter of ours was told to have come after so long.
    pub(crate) fn measured(&mut self, millis: u64) {
        self.round_trip = match self.round_trip {
            0 => millis,
            before => (before * 3 + millis) / 4,
        };
    }

    /// The other side's letter came over this circuit; whether it is news to tell.
    pub(crate) fn hear(&mut self, circuit: u64, new: bool) {
        if new && !self.their_circuits.contains(&circuit) {
            if self.their_circuits.len() >= THEIR_CIRCUITS {
                self.their_circuits.remove(0);
            }
            self.their_circuits.push(circuit);
        }
        if !self.heard.contains(&circuit) {
            if self.heard.len() >= MAX_HEARD {
                self.heard.remove(0);
            }
            self.heard.push(circuit);
        }
    }

    /// The other side begins a session; false if it is one before the last.
    pub(crate) fn begin(&mut self, session: u64) -> bool {
        if session > self.their_session {
            self.their_session = session;
            self.next_in = 0;
            self.early = SortedMap::new();
            self.assembling.clear();
        }
        session == self.their_session
    }

    /// A part came. What it completes, in order. `limited`: only as many as a key may send.
    pub(crate) fn take(&mut self, now: UnixMillis, part: Part) -> Vec<Whole> {
        if part.base > self.next_in {
            self.next_in = part.base;
            self.assembling.clear();
            self.early.retain(|number, _| *number >= part.base);
        }
        let ahead = part.number.checked_sub(self.next_in);
        if ahead.is_some_and(|ahead| ahead < WINDOW) && self.may_take(now) {
            self.early.insert(part.number, part);
        }
        let mut whole = Vec::new();
        while let Some(part) = self.early.remove(&self.next_in) {
            self.next_in = self.next_in.saturating_add(1);
            self.assembling.extend_from_slice(&part.bytes.0);
            if self.assembling.len() > NAME_BYTES + MAX_MESSAGE_BYTES {
                // No honest sender makes one so long.
                self.assembling.clear();
            } else if part.last {
                let bytes = std::mem::take(&mut self.assembling);
                // Without a name it is of no honest sender either.
                whole.extend(bytes.split_first_chunk().map(|(name, body)| Whole {
                    name: u64::from_le_bytes(*name),
                    body: body.to_vec(),
                }));
                self.allowed_from = self.allowed_from.max(now.0) + PER_MESSAGE_MS;
            }
        }
        whole
    }

    fn may_take(&self, now: UnixMillis) -> bool {
        self.allowed_from <= now.0 + u64::from(self.burst) * PER_MESSAGE_MS
    }

    /// What we have of the other side's, to be told it.
    pub(crate) fn ack(&mut self, now: UnixMillis) -> Option<Ack> {
        if self.their_session == 0 || (self.heard.is_empty() && self.ack_due.is_none()) {
            return None;
        }
        let mut bits = 0;
        for number in self.early.keys() {
            let bit = number.saturating_sub(self.next_in.saturating_add(1));
            bits |= 1_u64.checked_shl(bit).unwrap_or(0);
        }
        let room = if self.may_take(now) { WINDOW } else { 0 };
        self.ack_due = None;
        Some(Ack {
            session: self.their_session,
            next: self.next_in,
            bits,
            room: u16::try_from(room).unwrap_or(0),
            heard: std::mem::take(&mut self.heard),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);
    const LATER: UnixMillis = UnixMillis(1_060_000);

    fn pair() -> (Talk, Talk) {
        let (mut a, mut b) = (Talk::new(NOW, 7, 3), Talk::new(NOW, 8, 3));
        assert!(a.begin(8) && b.begin(7));
        (a, b)
    }

    fn parts(talk: &Talk) -> Vec<Part> {
        let (numbers, _) = talk.due_parts(NOW);
        numbers
            .iter()
            .filter_map(|number| talk.part(*number))
            .collect()
    }

    #[test]
    fn messages_in_parts_come_whole_once_and_in_order_however_the_parts_come() {
        let (mut a, mut b) = pair();
        let long = vec![3; 1_000];
        a.add(RequestId(1), 7, &long, LATER);
        a.add(RequestId(2), 7, b"short", LATER);
        a.add(RequestId(3), 7, b"", LATER);
        let mut parts = parts(&a);
        parts.reverse();
        let again = parts.clone();
        let mut got = Vec::new();
        for part in parts.into_iter().chain(again) {
            got.extend(b.take(NOW, part).into_iter().map(|whole| whole.body));
        }
        assert_eq!(got, [long, b"short".to_vec(), Vec::new()]);
        b.ack_due = Some(NOW);
        let ack = b.ack(NOW).unwrap();
        assert_eq!(
            a.acknowledged(&ack),
            [RequestId(1), RequestId(2), RequestId(3)]
        );
        assert!(a.is_idle());
    }

    #[test]
    fn what_is_not_acknowledged_is_due_again_and_in_the_end_given_up() {
        let (mut a, mut b) = pair();
        a.add(RequestId(1), 7, b"one", LATER);
        a.sent(0, NOW);
        assert_eq!(a.due_parts(NOW), (Vec::new(), false));
        let again = NOW.plus(a.wait());
        assert_eq!(a.due_parts(again), (vec![0], true));
        assert_eq!(a.overdue(LATER), [RequestId(1)]);
        // Who never got the first one is told not to wait for it.
        a.add(RequestId(2), 7, b"two", LATER);
        let whole = b.take(NOW, a.part(1).unwrap());
        assert_eq!(whole[0].body, b"two");
    }

    #[test]
    fn who_floods_is_told_that_there_is_no_room_and_served_again_later() {
        let (mut a, mut b) = pair();
        let mut taken = 0;
        for number in 0..200 {
            a.add(RequestId(number), 7, b"x", LATER);
            for part in parts(&a) {
                taken += b.take(NOW, part).len();
            }
            b.ack_due = Some(NOW);
            let ack = b.ack(NOW).unwrap();
            a.acknowledged(&ack);
        }
        assert!((60..=64).contains(&taken), "{taken}");
        assert!(a.is_refused());
        b.ack_due = Some(LATER);
        assert!(b.ack(LATER).unwrap().room > 0);
    }

    #[test]
    fn a_session_before_the_last_is_refused() {
        let (_, mut b) = pair();
        assert!(b.begin(9));
        assert!(!b.begin(7));
    }

    #[test]
    fn no_more_than_a_window_is_on_its_way() {
        let (mut a, _) = pair();
        for number in 0..100 {
            a.add(RequestId(number), 7, b"x", LATER);
        }
        assert_eq!(parts(&a).len(), WINDOW as usize);
    }
}
