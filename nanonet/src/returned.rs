//! Own blocks that lost: handed back to their author, built anew when the person agrees.
//!
//! A block whose rival was proven can never be confirmed ([`crate::PublishState::Superseded`]), but
//! what it was to do may still be wanted. So it is *returned*: no longer sent, yet kept in storage
//! and listed ([`Node::returned`]) until one of these happens:
//! - the person agrees: the shell signs [`Node::rebuilt`] (the same transaction on the account's new
//!   frontier), finds work for it and publishes it; publishing any block of the account lets the
//!   returned ones go, because the person has seen the new state;
//! - the person lets it go ([`crate::Input::LetGo`]).
//!
//! Nothing is built or sent again by itself: the winner may be the very payment, made in another tab.
//!
//! Memory: [`MAX_RETURNED`] blocks; beyond it the oldest is let go.

use nano_core::{Account, Block, BlockHash, Raw, StateBlock};

use crate::publish::MAX_RETURNED;
use crate::{Crypto, Node, Output, StoreKey, StoreOp};

/// A block that lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returned {
    /// Its hash.
    pub hash: BlockHash,
    /// The block.
    pub block: Block,
    /// The block that was proven in its place.
    pub winner: BlockHash,
}

impl<C: Crypto> Node<C> {
    /// Own blocks that lost and wait for the person to decide, oldest first.
    pub fn returned(&self) -> impl Iterator<Item = &Returned> {
        self.publishing.returned.iter()
    }

    /// A returned block's transaction on the account's newest frontier, unsigned and without work:
    /// the same amount to or from the same side. `None` if there is no such block, the block before
    /// it is not known here (so neither is the amount), the account has too little, or what it
    /// receives was received.
    #[must_use]
    pub fn rebuilt(&self, lost: &BlockHash) -> Option<StateBlock> {
        let returned = self.returned().find(|returned| returned.hash == *lost)?;
        let Block::State(old) = &returned.block else {
            return None;
        };
        let held = self.slice.get(&old.account)?;
        let frontier = held.frontier()?;
        let before = balance_of(&frontier.record().lineage, &old.previous)?;
        let has = frontier.proven().balance;
        let balance = if old.balance < before {
            has.checked_sub(before.checked_sub(old.balance)?)?
        } else {
            if old.balance > before && held.has_received(&old.link.into()) {
                return None;
            }
            has.checked_add(old.balance.checked_sub(before)?)?
        };
        let (head, representative) = (frontier.record().hash(), old.representative);
        Some(StateBlock::unsigned(
            old.account,
            head,
            representative,
            balance,
            old.link,
        ))
    }

    /// A block of ours lost.
    pub(crate) fn hand_back(&mut self, returned: Returned) {
        let all = &mut self.publishing.returned;
        all.retain(|other| other.hash != returned.hash);
        all.push(returned);
        if all.len() > MAX_RETURNED {
            let oldest = all.remove(0).hash;
            self.forget_own(oldest);
        }
    }

    /// The person does not want a returned block any more.
    pub(crate) fn on_let_go(&mut self, hash: &BlockHash) {
        self.let_go(|returned| returned.hash == *hash);
    }

    /// The person goes on with an account.
    pub(crate) fn let_go_of(&mut self, account: &Account) {
        self.let_go(|returned| returned.block.account() == Some(*account));
    }

    fn let_go(&mut self, which: impl Fn(&Returned) -> bool) {
        let (gone, kept) = self.publishing.returned.iter().partition(|one| which(one));
        self.publishing.returned = kept;
        let gone: Vec<Returned> = gone;
        for returned in gone {
            self.forget_own(returned.hash);
        }
    }

    /// Takes an own block out of storage.
    pub(crate) fn forget_own(&mut self, hash: BlockHash) {
        let key = StoreKey::Pending(hash);
        self.outputs
            .push_back(Output::Store(StoreOp::Remove { key }));
    }
}

/// The balance after the block `hash`, if it is among `blocks`; an account without blocks has none.
fn balance_of(blocks: &[Block], hash: &BlockHash) -> Option<Raw> {
    if hash.is_zero() {
        return Some(Raw::ZERO);
    }
    let block = blocks.iter().find(|block| block.hash() == *hash)?;
    block.balance()
}
