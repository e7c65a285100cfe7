//! Catching up with a peer: compare frontiers, pull the chains that differ, ask for votes on their
//! heads. A pull is a hint only; what it brings goes through the ledger's checks and the vote.
//!
//! Bounds: at most [`MAX_OPEN`] questions are open per connection, [`MAX_WANTED`] accounts wait;
//! the rest is found again in the next round, which begins when this one is through and the peer
//! gives a sign of life.

use std::collections::{BTreeMap, VecDeque};

use nano_core::message::{
    AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, Frontier, Message, PullTarget,
};
use nano_core::{Account, Block, BlockHash, UnixMillis};

use crate::node::Shared;

/// Most open questions, well below what peers drop.
const MAX_OPEN: usize = 8;
/// Most accounts waiting to be pulled.
const MAX_WANTED: usize = 4096;
/// Keepalives between two rounds (one comes each second on the dev network).
const ROUND: u32 = 3;

/// The state of catching up with one peer.
#[derive(Debug)]
pub(super) struct CatchUp {
    next_id: u64,
    open: BTreeMap<u64, Wanted>,
    wanted: VecDeque<Frontier>,
    idle: u32,
}

/// What an open question is about.
#[derive(Clone, Copy, Debug)]
enum Wanted {
    Frontiers,
    Blocks(Frontier),
}

impl CatchUp {
    pub(super) const fn new(connection: u64) -> Self {
        Self {
            // Ids of different connections differ, which makes captures readable.
            next_id: connection << 32,
            open: BTreeMap::new(),
            wanted: VecDeque::new(),
            idle: 0,
        }
    }

    /// The first questions.
    pub(super) fn begin(&mut self) -> Vec<Message> {
        vec![self.frontiers(Account::ZERO)]
    }

    /// The questions of a new round, if one is due; a sign of life came.
    pub(super) fn again(&mut self) -> Vec<Message> {
        self.idle += 1;
        if self.idle < ROUND {
            return Vec::new();
        }
        // Whatever is open after so long was dropped by the peer.
        self.idle = 0;
        self.open.clear();
        self.begin()
    }

    /// Takes an answer; gives the next questions.
    pub(super) fn answered(
        &mut self,
        shared: &Shared,
        ack: AscPullAck,
        now: UnixMillis,
    ) -> Vec<Message> {
        let Some(question) = self.open.remove(&ack.id) else {
            return Vec::new();
        };
        self.idle = 0;
        let mut next = Vec::new();
        match (question, ack.answer) {
            (Wanted::Frontiers, AscPullAnswer::Frontiers(frontiers)) => {
                next.extend(self.compare(shared, &frontiers));
            }
            (Wanted::Blocks(frontier), AscPullAnswer::Blocks(blocks)) => {
                self.take_blocks(shared, frontier, &blocks, now);
            }
            _ => {}
        }
        while self.open.len() < MAX_OPEN {
            let Some(frontier) = self.wanted.pop_front() else {
                break;
            };
            next.extend(self.pull(shared, frontier));
        }
        next
    }

    /// Notes accounts whose head is unknown here, and asks for the next page.
    fn compare(&mut self, shared: &Shared, frontiers: &[Frontier]) -> Option<Message> {
        let engine = shared.engine();
        for frontier in frontiers {
            if self.wanted.len() < MAX_WANTED && !engine.ledger().contains(&frontier.hash) {
                self.wanted.push_back(*frontier);
            }
        }
        drop(engine);
        let is_full = frontiers.len() >= usize::from(AscPullReq::MAX_FRONTIERS);
        let last = frontiers.last().filter(|_| is_full)?;
        Some(self.frontiers(after(last.account)?))
    }

    fn take_blocks(
        &mut self,
        shared: &Shared,
        frontier: Frontier,
        blocks: &[Block],
        now: UnixMillis,
    ) {
        let mut engine = shared.engine();
        let mut progress = false;
        for block in blocks {
            progress |= engine.submit(*block, now).is_ok();
        }
        if engine.ledger().contains(&frontier.hash) {
            // Votes on the head decide the whole chain behind it.
            engine.request_confirmation(&frontier.hash, now);
        } else if progress {
            self.wanted.push_back(frontier);
        }
    }

    fn pull(&mut self, shared: &Shared, frontier: Frontier) -> Option<Message> {
        let engine = shared.engine();
        if engine.ledger().contains(&frontier.hash) {
            return None;
        }
        let head: Option<BlockHash> = engine
            .ledger()
            .account(&frontier.account)
            .map(|info| info.head);
        drop(engine);
        let start = head.map_or(PullTarget::Account(frontier.account), PullTarget::Block);
        let count = AscPullReq::MAX_BLOCKS;
        let question = AscPullQuestion::Blocks { start, count };
        Some(self.ask(Wanted::Blocks(frontier), question))
    }

    fn frontiers(&mut self, start: Account) -> Message {
        let count = AscPullReq::MAX_FRONTIERS;
        self.ask(
            Wanted::Frontiers,
            AscPullQuestion::Frontiers { start, count },
        )
    }

    fn ask(&mut self, wanted: Wanted, question: AscPullQuestion) -> Message {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.open.insert(id, wanted);
        AscPullReq { id, question }.into()
    }
}

/// The account after this one in order of keys.
fn after(account: Account) -> Option<Account> {
    let mut bytes = *account.as_bytes();
    for byte in bytes.iter_mut().rev() {
        let (next, overflow) = byte.overflowing_add(1);
        *byte = next;
        if !overflow {
            return Some(Account::from_bytes(bytes));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_after_another_is_the_next_number() {
        let mut bytes = [0; 32];
        bytes[31] = 0xFF;
        let mut next = [0; 32];
        next[30] = 1;
        assert_eq!(
            after(Account::from_bytes(bytes)),
            Some(Account::from_bytes(next))
        );
        assert_eq!(after(Account::from_bytes([0xFF; 32])), None);
    }
}
