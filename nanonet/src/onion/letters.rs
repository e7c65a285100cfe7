//! Letters in a node: what came is taken and acknowledged, what is due is sent over the paths.

use super::IDLE_MS;
use super::letter::{Ack, Address, Hello, Letter, Parcel};
use super::post::{ACK_MS, LOOK_UP_AGAIN_MS, PATHS, Received, SendFailure};
use super::relay::Payload;
use super::route::{Circuit, Hop};
use super::talk::{Path, Talk};
use crate::{Bug, Crypto, Event, Node, NodeId, NodeKey};

impl<C: Crypto> Node<C> {
    pub(super) fn on_payload(&mut self, payload: Payload) {
        match Parcel::from_bytes(&payload.bytes) {
            Some(Parcel::Loop(number)) => {
                if number == payload.circuit.0
                    && let Some(way) = self.post.loops.remove(&number)
                {
                    let millis = self.now.since(way.sent);
                    self.post.ranks.good(self.now, &way.relays, millis);
                    self.post_soon();
                }
            }
            Some(Parcel::Letter(letter)) => self.on_letter(&payload, letter),
            None => self.counters.refuse("letter-malformed"),
        }
    }

    fn on_letter(&mut self, payload: &Payload, letter: Letter) {
        let circuit = payload.circuit.0;
        let from = match &letter.hello {
            Some(hello) if hello.holds(&payload.binding) => Some(hello.from),
            Some(_) => {
                return self.counters.refuse("letter-not-signed");
            }
            None => self.post.sender_over(circuit),
        };
        let Some(from) = from.filter(|from| *from != self.identity.node_key()) else {
            return self.counters.refuse("letter-of-nobody");
        };
        let twice = self.has_bug(Bug::DeliversTwice);
        let now = self.now;
        self.post.active = true;
        let Some(talk) = self.talk_with(from) else {
            return self.counters.refuse("too-many-talks");
        };
        let new = letter.hello.is_some();
        if let Some(hello) = letter.hello {
            if !talk.begin(hello.session) {
                return self.counters.refuse("letter-of-old-session");
            }
            // Who has no door just now is reached as before.
            if !hello.address.doors.is_empty() || talk.address.is_none() {
                talk.address = Some(hello.address);
            }
        }
        talk.used = now;
        talk.hear(circuit, new);
        let mut confirmed: Vec<(Vec<NodeId>, u64)> = Vec::new();
        let mut done = Vec::new();
        if let Some(ack) = &letter.ack {
            done = talk.acknowledged(ack);
            for path in &mut talk.paths {
                if ack.heard.contains(&path.circuit.end().0) {
                    path.heard = true;
                    if let Some(since) = path.unheard_since.take() {
                        confirmed.push((path.relays.clone(), now.since(since)));
                    }
                }
            }
            for (_, millis) in &confirmed {
                talk.measured(*millis);
            }
        }
        let mut whole = Vec::new();
        if !letter.parts.is_empty() {
            let due = now.plus(ACK_MS);
            talk.ack_due = Some(talk.ack_due.map_or(due, |before| before.min(due)));
            for part in letter.parts {
                whole.extend(talk.take(now, part));
            }
        }
        for (relays, millis) in confirmed {
            // Half of the way was the other side's.
            self.post.ranks.good(now, &relays, millis / 2);
        }
        for request in done {
            let result = Ok(());
            self.event(Event::Sent { request, result });
        }
        for message in whole {
            if !self.post.take_name(from, message.name) {
                continue;
            }
            let received = Received {
                from,
                name: message.name,
                body: message.body,
            };
            if twice {
                self.event(Event::Message(Box::new(received.clone())));
            }
            self.event(Event::Message(Box::new(received)));
        }
        self.post_soon();
    }

    /// Sends what is due to one key.
    pub(super) fn drive(&mut self, key: NodeKey, talk: &mut Talk) {
        let refused = talk.is_refused();
        for request in talk.overdue(self.now) {
            let error = if refused {
                SendFailure::InboxFull
            } else if talk.address.is_some() && talk.paths.is_empty() {
                SendFailure::NoRoute
            } else {
                SendFailure::Unanswered
            };
            self.failed(request, error);
        }
        self.retire_paths(talk);
        let (mut due, again) = talk.due_parts(self.now);
        if !again && talk.must_wait() {
            due.clear();
        }
        let ack_is_due = talk.ack_due.is_some_and(|at| at <= self.now);
        if due.is_empty() && !ack_is_due {
            return;
        }
        let reachable = |address: &Address| !address.doors.is_empty();
        let lookup_due = self.now.since(talk.looked_up) >= LOOK_UP_AGAIN_MS;
        let Some(address) = talk.address.clone().filter(reachable) else {
            if lookup_due {
                self.start_lookup_of(key, talk, 0);
            }
            return;
        };
        if again && lookup_due {
            // Its doors may be others by now.
            self.start_lookup_of(key, talk, talk.record);
        }
        // Before anything was acknowledged only the first part goes out, and a circuit that may not be
        // set up carries nothing.
        if !talk.is_established() {
            due.truncate(1);
        }
        let ack = talk.ack(self.now);
        let mut sent = Vec::new();
        for place in 0..talk.paths.len() {
            sent = self.write(talk, place, ack.clone(), &due);
        }
        while talk.paths.len() < PATHS {
            match self.open_path(key, talk, &address, ack.clone(), &due) {
                // What went over one is under way.
                Some(parts) if parts.len() >= sent.len() => sent = parts,
                Some(_) => {}
                None => break,
            }
        }
        for number in sent {
            talk.sent(number, self.now);
        }
        talk.used = self.now;
        if talk.paths.is_empty() && lookup_due && !again {
            // Its record names doors that its letter may not have named.
            self.start_lookup_of(key, talk, 0);
        }
    }

    /// Looks up a record of a later number than `after`.
    fn start_lookup_of(&mut self, key: NodeKey, talk: &mut Talk, after: u64) {
        talk.looked_up = self.now;
        // A look-up may end at once, and then looks for the talk.
        let placeholder = Talk::new(self.now, talk.session, talk.relays);
        let real = std::mem::replace(talk, placeholder);
        self.post.talks.insert(key, real);
        self.start_lookup(None, key, after);
        if let Some(real) = self.post.talks.remove(&key) {
            *talk = real;
        }
    }

    /// Paths that have not brought a letter in time go, and so do those unused for so long that a hop
    /// may have forgotten them.
    fn retire_paths(&mut self, talk: &mut Talk) {
        let (wait, now) = (talk.wait(), self.now);
        let ranks = &mut self.post.ranks;
        talk.paths.retain(|path| {
            let late = path
                .unheard_since
                .is_some_and(|since| now.since(since) >= wait);
            if late {
                // The guard is judged by loops: it is not to blame for a recipient that is away.
                ranks.bad(now, path.relays.get(1..).unwrap_or_default());
            }
            let limit = if path.heard {
                IDLE_MS - IDLE_MS / 4
            } else {
                wait
            };
            !late && now.since(path.used) < limit
        });
    }

    /// Sends a letter over a path; the parts that fit.
    fn write(&mut self, talk: &mut Talk, place: usize, ack: Option<Ack>, due: &[u32]) -> Vec<u32> {
        let Some(path) = talk.paths.get(place) else {
            return Vec::new();
        };
        let room = path.circuit.room();
        let (letter, sent) = fill(talk, None, ack, due, room);
        let payload = Parcel::Letter(letter).to_bytes();
        let Some(path) = talk.paths.get_mut(place) else {
            return Vec::new();
        };
        let Ok(cell) = path.circuit.cell(self.now, &payload) else {
            return Vec::new();
        };
        self.post.note_made(self.now, &path.circuit);
        path.used = self.now;
        if !sent.is_empty() {
            path.unheard_since.get_or_insert(self.now);
        }
        let (first, number) = (path.circuit.first(), path.circuit.end().0);
        self.hand_first(first, cell, number, &payload);
        sent
    }

    /// Opens one more path, and sends a letter over it; the parts that fit, `None` if there is no way.
    fn open_path(
        &mut self,
        key: NodeKey,
        talk: &mut Talk,
        address: &Address,
        ack: Option<Ack>,
        due: &[u32],
    ) -> Option<Vec<u32>> {
        let to = Hop {
            id: address.id(&key),
            noise_key: address.noise_key,
        };
        if self.post.guards.is_empty() {
            self.choose();
        }
        let used: Vec<NodeId> = talk
            .paths
            .iter()
            .flat_map(|path| path.relays.iter().copied())
            .collect();
        let route = self.route(&to, &address.doors, talk.relays, &used)?;
        let relays = route[..route.len() - 1].iter().map(|hop| hop.id).collect();
        let circuit = Circuit::new(&route, &mut self.rng).ok()?;
        self.post.note_made(self.now, &circuit);
        let ours = Address {
            nonce: self.identity.nonce(),
            noise_key: self.identity.noise_key(),
            doors: self.doors_for_answers(&to.id),
        };
        let binding = circuit.binding();
        let hello = Hello::sign(&self.identity, &binding, talk.session, ours);
        let room = circuit.room();
        let (letter, sent) = fill(talk, Some(Box::new(hello)), ack, due, room);
        let payload = Parcel::Letter(letter).to_bytes();
        let mut path = Path {
            circuit,
            relays,
            used: self.now,
            unheard_since: (!sent.is_empty()).then_some(self.now),
            heard: false,
        };
        let cell = path.circuit.cell(self.now, &payload).ok()?;
        let (first, number) = (path.circuit.first(), path.circuit.end().0);
        talk.paths.push(path);
        self.hand_first(first, cell, number, &payload);
        Some(sent)
    }
}

/// A letter of at most `room` bytes, and the parts in it.
fn fill(
    talk: &Talk,
    hello: Option<Box<Hello>>,
    ack: Option<Ack>,
    due: &[u32],
    room: usize,
) -> (Letter, Vec<u32>) {
    let mut letter = Letter {
        hello,
        ack,
        parts: Vec::new(),
    };
    let mut sent = Vec::new();
    for number in due {
        let Some(part) = talk.part(*number) else {
            continue;
        };
        letter.parts.push(part);
        if Parcel::Letter(letter.clone()).to_bytes().len() > room {
            letter.parts.pop();
            break;
        }
        sent.push(*number);
    }
    (letter, sent)
}
