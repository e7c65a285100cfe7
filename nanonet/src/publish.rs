//! Own blocks until they are proven confirmed, and a bridge's relays.
//!
//! States of a block of the person's own: *pending* (durably stored, sent and sent again), then
//! *confirmed* (a proof of it, or of a block after it, is held) and gone, or *superseded* (a proof of
//! another block in its place is held) and handed back to the person ([`crate::returned`]).
//!
//! Rules:
//! - a block is checked (state block, signature, work) and stored before it is first sent: a tab
//!   that crashes in between finds it again and does not build a rival on the same frontier;
//! - another block in the place of a pending one (same root) is refused: two of them are a fork
//!   of one's own account, and only a proof says which one is to be built on;
//! - it goes to up to [`BRIDGES`] bridges, linked ones first, then known ones through peers, and
//!   again after 5 seconds, doubled up to five minutes, until a proof is seen; each time the
//!   account is also asked for, because the proof may have come while nobody was listening;
//! - its account is watched while it is pending;
//! - a bridge's word (refused, given up, superseded) is told to the person and does not end the
//!   sending: fork choice is voting weight, so only a proof makes a tab forget a payment. "Superseded"
//!   makes it fetch that proof. Of several bridges asked, passing refusals of one say nothing new
//!   after another has accepted;
//! - a bridge checks signature, work and kind of a block before it reaches the shell.
//!
//! Limits: [`MAX_PENDING`] own blocks; [`MAX_RELAYS`] relays, the oldest forgotten first.

use nano_core::{Account, Block, BlockHash, Root};

use crate::Crypto;
use crate::query::answering::covers;
use crate::returned::Returned;
use crate::routing::contact::Who;
use crate::routing::forward::{Own, Upstream};
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Ask, Failure, Reply, Target};
use crate::{
    AccountRecord, Defence, Event, GetOptions, Node, NodeId, Output, PublishState,
    ReceivableRecord, Record, RelayId, RelayRefusal, RelayState, RequestId, Role, StoreKey,
    StoreOp, StoredEntry,
};

/// Most own blocks at a time.
pub(crate) const MAX_PENDING: usize = 32;
/// Most blocks that lost and wait for the person.
pub(crate) const MAX_RETURNED: usize = 32;
/// Most relays remembered by a bridge.
pub(crate) const MAX_RELAYS: usize = 1024;
/// Bridges a block is sent to each time.
const BRIDGES: usize = 2;
/// First time until a block is sent again.
const FIRST_AGAIN_MS: u64 = 5_000;
/// Longest time until a block is sent again.
const LONGEST_AGAIN_MS: u64 = 300_000;

#[derive(Debug)]
struct Pending {
    request: Option<RequestId>,
    block: Block,
    again_ms: u64,
    sent_to: u8,
    accepted: bool,
}

#[derive(Debug)]
struct Relay {
    upstream: Upstream,
    request: u64,
}

/// Own blocks and relays.
#[derive(Debug, Default)]
pub(crate) struct Publishing {
    pending: SortedMap<BlockHash, Pending>,
    pub(crate) returned: Vec<Returned>,
    relays: SortedMap<RelayId, Relay>,
    pub(crate) last_relay: u64,
}

impl Publishing {
    /// Own blocks that are not proven yet.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many blocks wait for the person, and how many relays are remembered.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) const fn sizes(&self) -> [usize; 2] {
        [self.returned.len(), self.relays.len()]
    }

    fn holds_root(&self, root: &Root) -> bool {
        let mut pending = self.pending.values();
        pending.any(|pending| pending.block.root() == *root)
    }
}

impl<C: Crypto> Node<C> {
    /// The person publishes a block.
    pub(crate) fn on_publish(&mut self, request: RequestId, block: Block) {
        let hash = block.hash();
        let request = Some(request);
        if let Err(refusal) = self.check_block(&block) {
            return self.publish_event(request, hash, PublishState::Invalid(refusal));
        }
        if let Some(pending) = self.publishing.pending.get_mut(&hash) {
            pending.request = request;
            return self.send_pending(hash);
        }
        if self.publishing.pending.len() >= MAX_PENDING {
            return self.publish_event(request, hash, PublishState::TooManyPending);
        }
        if self.publishing.holds_root(&block.root()) && !self.lacks(Defence::Rivals) {
            return self.publish_event(request, hash, PublishState::Rival);
        }
        let op = StoreOp::Put {
            key: StoreKey::Pending(hash),
            bytes: block.serialized_typed(),
        };
        self.outputs.push_back(Output::Store(op));
        if let Some(account) = block.account() {
            self.let_go_of(&account);
        }
        self.start_pending(request, block);
    }

    fn start_pending(&mut self, request: Option<RequestId>, block: Block) {
        let hash = block.hash();
        if let Some(account) = block.account() {
            self.start_watch(account);
        }
        let pending = Pending {
            request,
            block,
            again_ms: FIRST_AGAIN_MS,
            sent_to: 0,
            accepted: false,
        };
        self.publishing.pending.insert(hash, pending);
        self.send_pending(hash);
        self.status_changed();
    }

    /// Own blocks that are not proven confirmed yet, by hash.
    pub fn pending(&self) -> impl Iterator<Item = (BlockHash, &Block)> {
        let pending = self.publishing.pending.iter();
        pending.map(|(hash, pending)| (*hash, &pending.block))
    }

    /// What storage held at the start.
    pub(crate) fn on_loaded(&mut self, entries: Vec<StoredEntry>) {
        let mut records = Vec::new();
        for entry in entries {
            let StoreKey::Pending(hash) = entry.key else {
                records.push(entry);
                continue;
            };
            let block = Block::parse_typed(&entry.bytes).ok();
            let block =
                block.filter(|block| block.hash() == hash && self.check_block(block).is_ok());
            match block {
                Some(block) if self.publishing.pending.len() < MAX_PENDING => {
                    self.start_pending(None, block);
                }
                Some(_) => {}
                None => {
                    self.blame(None, "damaged-entry");
                    let key = entry.key;
                    self.outputs
                        .push_back(Output::Store(StoreOp::Remove { key }));
                }
            }
        }
        let report = self.slice.load(self.now, records, &self.config.weights);
        for _ in 0..report.damaged {
            self.blame(None, "damaged-entry");
        }
        let pending: Vec<BlockHash> = self.publishing.pending.keys().copied().collect();
        for hash in pending {
            self.check_pending_block(&hash);
        }
        self.status_changed();
    }

    /// Whether a block can be accepted by the network at all.
    pub(crate) fn check_block(&self, block: &Block) -> Result<(), RelayRefusal> {
        let Block::State(state) = block else {
            return Err(RelayRefusal::LegacyBlock);
        };
        let signed = block.verify(&state.account.public_key()).is_ok();
        if !signed {
            return Err(RelayRefusal::BadSignature);
        }
        let needed = self.config.network.work_thresholds().entry_of(block);
        if block.work().difficulty(&block.root()) < needed {
            return Err(RelayRefusal::WorkTooLow);
        }
        Ok(())
    }

    /// Sends a pending block to bridges and sets the time to do it again.
    fn send_pending(&mut self, hash: BlockHash) {
        let bridges = self.publish_bridges();
        let Some(pending) = self.publishing.pending.get_mut(&hash) else {
            return;
        };
        let again = self.now.plus(pending.again_ms);
        let (request, block) = (pending.request, pending.block);
        if bridges.is_empty() {
            self.timers.set(Timer::Publish(hash), again);
            return self.publish_event(request, hash, PublishState::Waiting);
        }
        pending.again_ms = (pending.again_ms * 2).min(LONGEST_AGAIN_MS);
        pending.sent_to = u8::try_from(bridges.len()).unwrap_or(u8::MAX);
        let state = PublishState::Sent {
            bridges: pending.sent_to,
        };
        self.timers.set(Timer::Publish(hash), again);
        self.publish_event(request, hash, state);
        for bridge in bridges {
            let body = Ask::Publish(Box::new(block));
            self.ask(Own::Publish(hash), Target::Exactly(bridge), body);
        }
    }

    /// Bridges to publish through: linked ones first, then known ones.
    fn publish_bridges(&self) -> Vec<NodeId> {
        let mut bridges = Vec::new();
        let mut offer = |who: &Who| {
            if who.record.role == Role::Bridge && !bridges.contains(&who.id) {
                bridges.push(who.id);
            }
        };
        self.table.up_links().for_each(|(_, _, who)| offer(who));
        self.known.iter().for_each(offer);
        let most = if self.lacks(Defence::SecondBridge) {
            1
        } else {
            BRIDGES
        };
        bridges.truncate(most);
        bridges
    }

    /// It is time to send a block again.
    pub(crate) fn on_publish_timer(&mut self, hash: BlockHash) {
        let Some(pending) = self.publishing.pending.get(&hash) else {
            return;
        };
        let account = pending.block.account();
        self.send_pending(hash);
        if let Some(account) = account {
            let options = GetOptions {
                fresh: true,
                ..GetOptions::default()
            };
            self.start_question(None, account, options);
        }
    }

    /// A bridge is linked: what waited goes out now.
    pub(crate) fn publish_again_soon(&mut self) {
        let waiting: Vec<BlockHash> = self.publishing.pending.keys().copied().collect();
        for hash in waiting {
            self.timers.set_by(Timer::Publish(hash), self.now.plus(50));
        }
    }

    /// A bridge tells what became of a block of ours.
    pub(crate) fn on_publish_reply(&mut self, hash: BlockHash, body: &Reply) {
        let Some(pending) = self.publishing.pending.get_mut(&hash) else {
            return;
        };
        let request = pending.request;
        let Reply::Progress(state) = body else {
            // Nobody on the way could reach this bridge.
            pending.sent_to = pending.sent_to.saturating_sub(1);
            if pending.sent_to == 0 && !pending.accepted {
                self.publish_event(request, hash, PublishState::Waiting);
            }
            return;
        };
        match state {
            RelayState::Accepted { full_nodes } => {
                pending.accepted = true;
                let full_nodes = *full_nodes;
                self.publish_event(request, hash, PublishState::Accepted { full_nodes });
            }
            RelayState::Refused(refusal) => {
                if !(pending.accepted && refusal.is_passing()) {
                    self.publish_event(request, hash, PublishState::Refused(*refusal));
                }
            }
            RelayState::GivenUp => {
                pending.accepted = false;
                self.publish_event(request, hash, PublishState::GivenUp);
            }
            // The proof itself is what counts; fetch it if it is not pushed.
            RelayState::Confirmed | RelayState::Superseded { .. } => {
                self.timers.set_by(Timer::Publish(hash), self.now.plus(500));
            }
        }
    }

    /// A record of `account` was offered: is a block of ours proven or ruled out by it?
    pub(crate) fn check_pending(&mut self, account: &Account) {
        let pending: Vec<BlockHash> = self
            .publishing
            .pending
            .iter()
            .filter(|(_, pending)| pending.block.account() == Some(*account))
            .map(|(hash, _)| *hash)
            .collect();
        for hash in pending {
            self.check_pending_block(&hash);
        }
    }

    fn check_pending_block(&mut self, hash: &BlockHash) {
        let Some(pending) = self.publishing.pending.get(hash) else {
            return;
        };
        let previous = pending.block.previous().unwrap_or(BlockHash::ZERO);
        let held = pending.block.account();
        let Some(held) = held.and_then(|account| self.slice.get(&account)) else {
            return;
        };
        let state = if covers(held, hash) {
            PublishState::Confirmed
        } else if let Some(winner) = held.after(&previous) {
            PublishState::Superseded { winner }
        } else {
            return;
        };
        let (request, block) = (pending.request, pending.block);
        self.publishing.pending.remove(hash);
        self.timers.clear(Timer::Publish(*hash));
        if let PublishState::Superseded { winner } = state {
            let hash = *hash;
            self.hand_back(Returned {
                hash,
                block,
                winner,
            });
        } else {
            self.forget_own(*hash);
        }
        self.publish_event(request, *hash, state);
        self.status_changed();
    }

    fn publish_event(&mut self, request: Option<RequestId>, hash: BlockHash, state: PublishState) {
        self.event(Event::Publish {
            request,
            hash,
            state,
        });
    }

    /// Bridge: a block to be published.
    pub(crate) fn serve_publish(&mut self, upstream: Upstream, request: u64, block: Block) {
        if !self.config.role.is_bridge_here() {
            let (why, budget) = (Failure::Refused, 0);
            return self.reply(upstream, request, Reply::Failed { why, budget });
        }
        if let Err(refusal) = self.check_block(&block) {
            self.counters.refuse(refusal.code());
            let state = RelayState::Refused(refusal);
            return self.reply(upstream, request, Reply::Progress(state));
        }
        let publishing = &mut self.publishing;
        publishing.last_relay += 1;
        let id = RelayId(publishing.last_relay);
        publishing.relays.insert(id, Relay { upstream, request });
        if publishing.relays.len() > MAX_RELAYS {
            publishing.relays.pop_first();
        }
        self.outputs.push_back(Output::Relay {
            request: id,
            block: Box::new(block),
        });
    }

    /// Bridge: the shell tells what became of a block.
    pub(crate) fn on_relay_progress(&mut self, id: RelayId, state: RelayState) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let Some(relay) = self.publishing.relays.get(&id) else {
            return;
        };
        let (upstream, request) = (relay.upstream, relay.request);
        if !matches!(state, RelayState::Accepted { .. }) {
            // Nothing comes after any other state.
            self.publishing.relays.remove(&id);
        }
        self.reply(upstream, request, Reply::Progress(state));
    }

    /// Bridge: a block was confirmed on the live stream.
    pub(crate) fn on_confirmed(
        &mut self,
        record: AccountRecord,
        receivable: Option<Box<ReceivableRecord>>,
    ) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let account = record.account();
        self.keep_own(&account, vec![Record::Account(Box::new(record))]);
        if let Some(receivable) = receivable {
            let destination = receivable.destination();
            self.keep_own(&destination, vec![Record::Receivable(receivable)]);
        }
    }
}
