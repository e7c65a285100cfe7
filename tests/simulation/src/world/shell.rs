//! The shell of every node: it carries out what its node puts out.

use nano_core::{Block, Difficulty, Root, WorkNonce};
use nanonet::{
    Crypto, Event, Identity, Input, Output, RelayId, RelayState, ResolveFailure, ResolveOutcome,
    StoreKey, StoreOp, StoredEntry,
};

use super::{Answered, Happening, Heard, Move, Moved, Place, World};
use crate::ledger::Ledger;

/// Time the full nodes take.
const RESOLVE_MS: u64 = 60;
/// Time until a relayed block is confirmed.
const CONFIRM_MS: u64 = 400;

impl<C: Crypto> World<C> {
    pub(super) fn carry_out(&mut self, place: Place, output: Output) {
        match output {
            Output::Transmit {
                link,
                channel,
                bytes,
            } => self.transmit(place, link, channel, bytes),
            Output::Close { link, .. } => self.close(place, link),
            Output::Store(op) if !self.rules.keep_stores => {
                let (at, what) = (self.now, moved(&op));
                self.moves
                    .extend(what.map(|what| Moved { at, place, what }));
            }
            Output::Store(StoreOp::Put { key, bytes }) => {
                let entry = StoredEntry { key, bytes };
                self.members[place].store.insert(key.to_text(), entry);
            }
            Output::Store(StoreOp::Remove { key }) => {
                self.members[place].store.remove(&key.to_text());
            }
            Output::Signal(op) => self.signal(place, op),
            Output::Resolve {
                request,
                account,
                held,
            } => {
                self.resolves += 1;
                if self.faults.stranded.contains(&place) {
                    let outcome = ResolveOutcome::Failed(ResolveFailure::TooFewVotes);
                    self.soon(place, RESOLVE_MS, Input::Resolved { request, outcome });
                } else if let Ok(bridge) = Identity::from_bytes(&self.members[place].identity) {
                    let nothing = Ledger::new();
                    let known = if self.behind.contains(&place) {
                        &nothing
                    } else {
                        &self.ledger
                    };
                    let replayed = if self.faults.replaying.contains(&place) {
                        self.replayed(&account)
                    } else {
                        None
                    };
                    let outcome = match replayed {
                        Some(record) => ResolveOutcome::Found {
                            record: Box::new(record),
                            receivables: Vec::new(),
                        },
                        None => known.resolve(&bridge, self.now, &account, held),
                    };
                    self.soon(place, RESOLVE_MS, Input::Resolved { request, outcome });
                }
            }
            Output::Relay { request, block } => self.relay(place, request, *block),
            Output::FindWork { root, threshold } => self.find_work(place, root, threshold),
            Output::Event(event) => self.on_event(place, event),
        }
    }

    fn on_event(&mut self, place: Place, event: Event) {
        if matches!(event, Event::NeedBridge { .. }) && self.rules.redial {
            self.redial(place);
        }
        if let Event::Joined { nonce, .. } = &event {
            let identity = &mut self.members[place].identity;
            let stored = identity.len() - 8;
            identity[stored..].copy_from_slice(&nonce.number().to_le_bytes());
        }
        let at = self.now;
        let told = Answered { at, place, event };
        self.faults.hear(&told);
        let event = told.event;
        if let Event::News { id, hops, .. } = &event {
            let (id, hops) = (*id, *hops);
            self.news.push(Heard {
                at,
                place,
                id,
                hops,
            });
        }
        if matches!(event, Event::Message(_) | Event::Sent { .. }) {
            let event = event.clone();
            self.letters.push(Answered { at, place, event });
        }
        if matches!(event, Event::Answer { .. }) {
            self.answers.push_back(Answered {
                at,
                place,
                event: event.clone(),
            });
        }
        if self.rules.keep_events {
            self.members[place].events.push((at, event));
        }
    }

    /// Searches at once: what is simulated asks for little work.
    fn find_work(&mut self, place: Place, root: Root, threshold: Difficulty) {
        let mut nonces = (0..u64::MAX).map(WorkNonce::new);
        let good = |nonce: &WorkNonce| nonce.difficulty(&root) >= threshold;
        if !self.idle.contains(&place)
            && let Some(nonce) = nonces.find(good)
        {
            self.works_found += 1;
            self.soon(place, 0, Input::WorkFound { root, nonce });
        }
    }

    pub(super) fn relay(&mut self, place: Place, request: RelayId, block: Block) {
        let Some(account) = block.account() else {
            return;
        };
        let accepted = RelayState::Accepted { full_nodes: 2 };
        if self.faults.sinks.contains(&place) || self.faults.stranded.contains(&place) {
            if self.faults.stranded.contains(&place) {
                self.faults.hold_back(place, request, block);
            }
            let state = accepted;
            return self.soon(place, 20, Input::RelayProgress { request, state });
        }
        let state = match self.ledger.apply(block) {
            Ok(()) => accepted,
            Err(_) if let Some(winner) = self.ledger.in_place_of(&block) => {
                RelayState::Superseded { winner }
            }
            Err(refusal) => RelayState::Refused(refusal),
        };
        self.soon(place, 20, Input::RelayProgress { request, state });
        if matches!(state, RelayState::Accepted { .. }) {
            let state = RelayState::Confirmed;
            self.soon(place, CONFIRM_MS, Input::RelayProgress { request, state });
            if let Some(confirmed) = self.ledger.confirmed(&account) {
                self.soon(place, CONFIRM_MS, confirmed);
            }
        }
    }

    pub(super) fn soon(&mut self, place: Place, millis: u64, input: Input) {
        let starts = self.members[place].starts;
        let at = self.now.plus(millis);
        self.queue
            .push(at, Happening::Input(place, starts, Box::new(input)));
    }
}

/// What a change of storage says of an account's record.
const fn moved(op: &StoreOp) -> Option<Move> {
    match op {
        StoreOp::Put {
            key: StoreKey::Account(account),
            ..
        } => Some(Move::Kept(*account)),
        StoreOp::Remove {
            key: StoreKey::Account(account),
        } => Some(Move::Dropped(*account)),
        _ => None,
    }
}
