//! The table of blocks being relayed, and what is done with each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nano_core::{Block, BlockHash, Difficulty, Network, Root};
use nanonet::{Input, RelayId, RelayRefusal, RelayState, Rng};
use tokio::time::Instant;

use super::limits::{self, Senders};
use super::looks::{Look, Looks, Previous};
use super::{ASKERS, AT_ONCE, BREATH, Parts, RIVALS, check, outlet};
use crate::clock;
use crate::full_node::{ChannelId, Live};
use crate::live::Confirmation;
use crate::metrics;
use crate::shell::RelayJob;
use crate::store::Write;

/// Longest pause between two publishes (full nodes: 60 s).
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Said where nothing can be published.
const NO_FULL_NODE: RelayState = RelayState::Refused(RelayRefusal::NoFullNode);

struct Pending {
    block: Block,
    askers: Vec<RelayId>,
    /// Most full nodes it was sent to at once.
    full_nodes: u16,
    /// Whether the last publish reached nobody.
    is_unsent: bool,
    /// Whether it was found in storage: somebody relies on it, told or not.
    is_stored: bool,
    publish_at: Instant,
    pause: Duration,
    give_up_at: Instant,
}

impl Pending {
    fn due_at(&self) -> Instant {
        self.publish_at.min(self.give_up_at)
    }

    fn work(&self) -> Difficulty {
        work(&self.block)
    }
}

fn work(block: &Block) -> Difficulty {
    block.work().difficulty(&block.root())
}

/// The relay.
pub(super) struct Relay {
    pub(super) parts: Parts,
    pending: BTreeMap<BlockHash, Pending>,
    senders: Senders,
    pub(super) looks: Looks,
    rng: Rng,
    first_pause: Duration,
    /// Nothing that is due goes out before.
    breath: Instant,
}

impl Relay {
    pub(super) fn new(parts: Parts) -> Self {
        let first_pause = match parts.network {
            Network::Dev => Duration::from_secs(1),
            Network::Live | Network::Beta | Network::Test => Duration::from_secs(3),
        };
        Self {
            parts,
            pending: BTreeMap::new(),
            senders: Senders::new(),
            looks: Looks::default(),
            // Only spreads load: a system without randomness fails at the first handshake.
            rng: Rng::from_seed(clock::random().unwrap_or_default()),
            first_pause,
            breath: Instant::now(),
        }
    }

    /// When something is due.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let next = self.pending.values().map(Pending::due_at).min();
        next.map(|next| next.max(self.breath))
    }

    /// Whether something reached nobody.
    pub(super) fn is_unsent(&self) -> bool {
        self.pending.values().any(|pending| pending.is_unsent)
    }

    pub(super) async fn accept(&mut self, job: RelayJob) {
        let RelayJob { request, block } = job;
        let Some(asker) = request else {
            return self.resume(block).await;
        };
        let hash = block.hash();
        if let Some(winner) = self.parts.decided.winner(&block.root()) {
            return self.tell(&[asker], outcome(hash, winner)).await;
        }
        if let Some(pending) = self.pending.get_mut(&hash) {
            let full_nodes = pending.full_nodes;
            if pending.askers.len() < ASKERS {
                pending.askers.push(asker);
            }
            if full_nodes == 0 {
                // It says what comes of it.
                return self.publish(hash).await;
            }
            let state = RelayState::Accepted { full_nodes };
            return self.tell(&[asker], state).await;
        }
        if self.looks.join(&hash, asker) {
            return;
        }
        match self.admit(&block) {
            Err(refusal) => self.refuse(&[asker], refusal).await,
            Ok(doublings) => {
                let askers = vec![asker];
                self.look(Look {
                    block,
                    askers,
                    doublings,
                })
                .await;
            }
        }
    }

    /// Goes on with a block of an earlier run.
    async fn resume(&mut self, block: Block) {
        let hash = block.hash();
        if let Some(pending) = self.pending.get_mut(&hash) {
            pending.is_stored = true;
            return;
        }
        // Handed in again just now.
        let askers = self.looks.take(&hash).map(|look| look.askers);
        let askers = askers.unwrap_or_default();
        if let Some(winner) = self.parts.decided.winner(&block.root()) {
            self.forget(hash).await;
            self.decided(hash, &askers, winner).await;
            return self.release(hash, (winner == hash).then_some(block)).await;
        }
        let refused = match check::check(&block, self.parts.network) {
            Ok(()) if self.make_room(work(&block)).await => None,
            Ok(()) => Some(RelayRefusal::Busy),
            Err(refusal) => Some(refusal),
        };
        if let Some(refusal) = refused {
            self.forget(hash).await;
            self.refuse(&askers, refusal).await;
            return self.release(hash, None).await;
        }
        self.start(block, askers, true).await;
        self.release(hash, Some(block)).await;
    }

    /// Whether there is a place for a new block; gives back how often its work has to be doubled.
    fn admit(&mut self, block: &Block) -> Result<u32, RelayRefusal> {
        check::check(block, self.parts.network)?;
        let (root, reached) = (block.root(), work(block));
        let rivals = self.pending.values();
        let rivals = rivals.filter(|pending| pending.block.root() == root);
        let rivals = rivals.count() + self.looks.at(&root);
        let taken = self.pending.len() + self.looks.len();
        let has_place = taken < self.parts.limits.pending || self.weaker(reached).is_some();
        if rivals >= RIVALS || self.looks.is_full() || !has_place {
            return Err(RelayRefusal::Busy);
        }
        let needed = self.parts.network.work_thresholds().entry_of(block);
        let sender = block.account().unwrap_or_default();
        let doublings = self.senders.admit(sender, reached, needed, clock::now());
        doublings.ok_or(RelayRefusal::Busy)
    }

    /// The pending block with the least work, if that is less than this.
    fn weaker(&self, reached: Difficulty) -> Option<BlockHash> {
        let least = self.pending.iter();
        let (hash, least) = least.min_by_key(|(_, pending)| pending.work())?;
        (least.work() < reached).then_some(*hash)
    }

    /// Gives away the place of the weakest when all are taken; false when none is weaker.
    async fn make_room(&mut self, reached: Difficulty) -> bool {
        if self.pending.len() < self.parts.limits.pending {
            return true;
        }
        let Some(hash) = self.weaker(reached) else {
            return false;
        };
        self.end(hash, RelayState::GivenUp, "displaced").await;
        true
    }

    /// Looks for the block that this one builds on, unless that is at hand.
    async fn look(&mut self, look: Look) {
        let Some(previous) = look.block.previous() else {
            self.begin(look, None).await;
            return;
        };
        if let Some(before) = self.at_hand(&previous) {
            self.begin(look, Some(before)).await;
        } else if self.looks.contains(&previous) {
            self.looks.wait(look);
        } else {
            let was_met = self.parts.roots.get(&previous).is_some();
            let asker = self.parts.asker.clone();
            self.looks.ask(look, previous, was_met, asker);
        }
    }

    fn at_hand(&self, hash: &BlockHash) -> Option<Block> {
        let relayed = self.pending.get(hash).map(|pending| pending.block);
        relayed.or_else(|| self.parts.roots.block(hash))
    }

    /// A look has its answer.
    pub(super) async fn looked(&mut self, hash: BlockHash, previous: Previous) {
        let Some(look) = self.looks.take(&hash) else {
            return;
        };
        let block = look.block;
        let begun = match (previous, block.previous()) {
            (Previous::Found(before), _) => self.begin(look, Some(*before)).await,
            (Previous::Missing, Some(previous)) => {
                // It may have been handed in meanwhile.
                if self.looks.contains(&previous) {
                    return self.looks.wait(look);
                }
                let before = self.at_hand(&previous);
                match before {
                    Some(before) => self.begin(look, Some(before)).await,
                    None => {
                        self.refuse(&look.askers, RelayRefusal::NotOnFrontier).await;
                        false
                    }
                }
            }
            (Previous::Missing | Previous::Unsaid, _) => self.begin(look, None).await,
        };
        self.release(hash, begun.then_some(block)).await;
    }

    /// What waited for a block goes on, or not where that one went nowhere.
    async fn release(&mut self, hash: BlockHash, block: Option<Block>) {
        let mut left = vec![(hash, block)];
        while let Some((hash, before)) = left.pop() {
            for look in self.looks.after(&hash) {
                let block = look.block;
                let begun = if before.is_some() {
                    self.begin(look, before).await
                } else {
                    self.refuse(&look.askers, RelayRefusal::NotOnFrontier).await;
                    false
                };
                left.push((block.hash(), begun.then_some(block)));
            }
        }
    }

    /// Starts a block of which all is known; whether others may build on it.
    async fn begin(&mut self, look: Look, before: Option<Block>) -> bool {
        let Look {
            block,
            askers,
            doublings,
        } = look;
        let hash = block.hash();
        if let Some(winner) = self.parts.decided.winner(&block.root()) {
            self.decided(hash, &askers, winner).await;
            return winner == hash;
        }
        let reached = work(&block);
        let needed = check::needed(&block, before.as_ref(), self.parts.network);
        if reached < needed {
            self.refuse(&askers, RelayRefusal::WorkTooLow).await;
            return false;
        }
        if !limits::pays(reached, needed, doublings) || !self.make_room(reached).await {
            self.refuse(&askers, RelayRefusal::Busy).await;
            return false;
        }
        self.start(block, askers, false).await;
        self.pending.contains_key(&hash)
    }

    /// The root of a block was decided before it could be published.
    async fn decided(&self, hash: BlockHash, askers: &[RelayId], winner: BlockHash) {
        metrics::count(&self.parts.metrics.relayed, kind(hash, winner));
        self.tell(askers, outcome(hash, winner)).await;
    }

    async fn refuse(&self, askers: &[RelayId], refusal: RelayRefusal) {
        metrics::count(&self.parts.metrics.relayed, refusal.code());
        self.tell(askers, RelayState::Refused(refusal)).await;
    }

    /// Stores a block and publishes it the first time.
    async fn start(&mut self, block: Block, askers: Vec<RelayId>, is_stored: bool) {
        let hash = block.hash();
        if !is_stored {
            let pending = Write::PutPending {
                hash: *hash.as_bytes(),
                block: block.serialized_typed(),
                since: clock::now(),
            };
            // Refused by a full disk it is published all the same: its owner keeps it, too.
            if let Err(error) = self.parts.store.write(pending).await {
                tracing::error!(%error, %hash, "a pending block was not stored");
            }
        }
        let now = Instant::now();
        self.pending.insert(
            hash,
            Pending {
                block,
                askers,
                full_nodes: 0,
                is_unsent: true,
                is_stored,
                publish_at: now,
                pause: self.first_pause,
                give_up_at: now + self.parts.limits.give_up,
            },
        );
        // Many of an earlier run come at once: they wait until they are due.
        if !is_stored {
            self.publish(hash).await;
        }
    }

    /// Publishes what its pause is over, and gives up what is too old.
    pub(super) async fn due(&mut self) {
        let now = Instant::now();
        let due = self.pending.iter();
        let due = due.filter(|(_, pending)| pending.due_at() <= now);
        let mut due: Vec<_> = due
            .map(|(hash, pending)| (pending.due_at(), *hash))
            .collect();
        due.sort_unstable();
        if due.len() > AT_ONCE {
            due.truncate(AT_ONCE);
            self.breath = now + BREATH;
        }
        for (_, hash) in due {
            let Some(pending) = self.pending.get(&hash) else {
                continue;
            };
            if pending.give_up_at <= now {
                self.end(hash, RelayState::GivenUp, "given-up").await;
            } else {
                self.publish(hash).await;
            }
        }
    }

    /// A channel was opened or has ended: what reached nobody is due.
    pub(super) fn send_unsent(&mut self) {
        if self.parts.full_nodes.channels().is_empty() {
            return;
        }
        let now = Instant::now();
        let unsent = self.pending.values_mut();
        for pending in unsent.filter(|pending| pending.is_unsent) {
            pending.publish_at = pending.publish_at.min(now);
        }
    }

    async fn publish(&mut self, hash: BlockHash) {
        let Some(pending) = self.pending.get_mut(&hash) else {
            return;
        };
        let (block, now) = (pending.block, Instant::now());
        let weights = self.parts.weights.current();
        let sent = outlet::publish(&self.parts.full_nodes, &weights, block, &mut self.rng);
        pending.is_unsent = sent == 0;
        if pending.is_unsent {
            // Nobody got it, so nobody is spared by a longer pause.
            pending.publish_at = now + self.first_pause;
            if pending.full_nodes > 0 {
                return;
            }
            // Never out: whoever handed it in can try another bridge.
            if !pending.is_stored {
                return self.end(hash, NO_FULL_NODE, "no-full-node").await;
            }
            let askers = std::mem::take(&mut pending.askers);
            return self.tell(&askers, NO_FULL_NODE).await;
        }
        pending.publish_at = now + pending.pause;
        pending.pause = (pending.pause * 2).min(LONGEST_PAUSE);
        let told = (sent > pending.full_nodes).then(|| pending.askers.clone());
        pending.full_nodes = pending.full_nodes.max(sent);
        // The live stream watches for its votes and asks for them.
        let block = Box::new(block);
        if self
            .parts
            .live
            .try_send(Live::Block {
                channel: ChannelId::NONE,
                block,
            })
            .is_err()
        {
            metrics::count(&self.parts.metrics.live_dropped, "stream-behind");
        }
        if let Some(askers) = told {
            self.tell(&askers, RelayState::Accepted { full_nodes: sent })
                .await;
        }
    }

    /// A root is decided: tells who waits for a block of it.
    pub(super) async fn settle(&mut self, note: Confirmation) {
        let decided: Vec<BlockHash> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.block.root() == note.root)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in decided {
            let state = outcome(hash, note.hash);
            self.end(hash, state, kind(hash, note.hash)).await;
        }
    }

    /// Some confirmations were not heard: looks which of them matter here.
    pub(super) async fn catch_up(&mut self) {
        let roots: BTreeSet<Root> = self
            .pending
            .values()
            .map(|pending| pending.block.root())
            .collect();
        for root in roots {
            if let Some(hash) = self.parts.decided.winner(&root) {
                self.settle(Confirmation { hash, root }).await;
            }
        }
    }

    async fn end(&mut self, hash: BlockHash, state: RelayState, kind: &'static str) {
        metrics::count(&self.parts.metrics.relayed, kind);
        let askers = self
            .pending
            .remove(&hash)
            .map(|pending| pending.askers)
            .unwrap_or_default();
        self.forget(hash).await;
        self.tell(&askers, state).await;
    }

    async fn forget(&self, hash: BlockHash) {
        // A stopping store takes nothing more; the block is looked at again after the restart.
        let _ = self
            .parts
            .store
            .write(Write::RemovePending {
                hash: *hash.as_bytes(),
            })
            .await;
    }

    async fn tell(&self, askers: &[RelayId], state: RelayState) {
        for request in askers {
            self.parts
                .node
                .input(Input::RelayProgress {
                    request: *request,
                    state,
                })
                .await;
        }
    }
}

/// The same as it is counted.
fn kind(hash: BlockHash, winner: BlockHash) -> &'static str {
    if winner == hash {
        "confirmed"
    } else {
        "superseded"
    }
}

/// What became of `hash` once `winner` is confirmed at its root.
fn outcome(hash: BlockHash, winner: BlockHash) -> RelayState {
    if winner == hash {
        RelayState::Confirmed
    } else {
        RelayState::Superseded { winner }
    }
}
