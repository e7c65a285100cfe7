//! Reading the ledger.

use std::collections::BTreeMap;
use std::ops::Bound;

use nano_core::{Account, BlockHash, Raw, Root};

use super::{AccountInfo, Entry, Ledger, ReceivableInfo};

impl Ledger {
    /// A block with what is known about it.
    #[must_use]
    pub fn entry(&self, hash: &BlockHash) -> Option<&Entry> {
        self.entries.get(hash)
    }

    /// Whether the block is in the ledger.
    #[must_use]
    pub fn contains(&self, hash: &BlockHash) -> bool {
        self.entries.contains_key(hash)
    }

    /// The state of an account; `None` when it was never opened.
    #[must_use]
    pub fn account(&self, account: &Account) -> Option<&AccountInfo> {
        self.accounts.get(account)
    }

    /// The newest block of an account.
    #[must_use]
    pub fn head(&self, account: &Account) -> Option<&Entry> {
        self.entries.get(&self.accounts.get(account)?.head)
    }

    /// The newest confirmed block of an account.
    #[must_use]
    pub fn confirmed_head(&self, account: &Account) -> Option<&Entry> {
        self.entries
            .get(&self.accounts.get(account)?.confirmation_frontier)
    }

    /// The balance at the newest block; 0 for an account never opened.
    #[must_use]
    pub fn balance(&self, account: &Account) -> Raw {
        self.head(account)
            .map_or(Raw::default(), |head| head.balance)
    }

    /// Whether the block is in the ledger and confirmed.
    #[must_use]
    pub fn is_confirmed(&self, hash: &BlockHash) -> bool {
        self.entries
            .get(hash)
            .is_some_and(|entry| self.is_entry_confirmed(entry))
    }

    pub(super) fn is_entry_confirmed(&self, entry: &Entry) -> bool {
        self.accounts
            .get(&entry.account)
            .is_some_and(|info| entry.height <= info.confirmation_height)
    }

    /// The block standing at a root: what follows it as a block, else the first block of it as an
    /// account. The order in which a full node looks.
    #[must_use]
    pub fn block_at_root(&self, root: &Root) -> Option<BlockHash> {
        let before = self.entries.get(&BlockHash::from_bytes(*root.as_bytes()));
        if let Some(successor) = before.and_then(|entry| entry.successor) {
            return Some(successor);
        }
        self.accounts
            .get(&Account::from_bytes(*root.as_bytes()))
            .map(|info| info.open_block)
    }

    /// Blocks from `start` on towards the newest one of its account, at most `count`.
    pub fn ascending(&self, start: BlockHash, count: usize) -> impl Iterator<Item = &Entry> {
        let mut next = Some(start);
        std::iter::from_fn(move || {
            let entry = self.entries.get(&next?)?;
            next = entry.successor;
            Some(entry)
        })
        .take(count)
    }

    /// Blocks from `start` back towards the first one of its account, with their hashes.
    pub fn descending(&self, start: BlockHash) -> impl Iterator<Item = (BlockHash, &Entry)> {
        let mut next = Some(start);
        std::iter::from_fn(move || {
            let hash = next?;
            let entry = self.entries.get(&hash)?;
            next = entry.block.previous();
            Some((hash, entry))
        })
    }

    /// Accounts in order of their keys, from `start` on.
    pub fn accounts_from(&self, start: Account) -> impl Iterator<Item = (&Account, &AccountInfo)> {
        self.accounts.range(start..)
    }

    /// Receivable sends to an account, in order of their hashes.
    pub fn receivable_of(
        &self,
        account: &Account,
    ) -> impl Iterator<Item = (BlockHash, &ReceivableInfo)> {
        let from = (*account, BlockHash::ZERO);
        let to = (*account, BlockHash::from_bytes([0xFF; 32]));
        self.receivable
            .range((Bound::Included(from), Bound::Included(to)))
            .map(|((_, hash), info)| (*hash, info))
    }

    /// The receivable entry of a send, if it was not received yet.
    #[must_use]
    pub fn receivable(&self, account: &Account, send: &BlockHash) -> Option<&ReceivableInfo> {
        self.receivable.get(&(*account, *send))
    }

    /// The block that received a send.
    #[must_use]
    pub fn received_by(&self, send: &BlockHash) -> Option<BlockHash> {
        self.received_by.get(send).copied()
    }

    /// Weight of a representative.
    #[must_use]
    pub fn weight(&self, representative: &Account) -> Raw {
        self.weights
            .get(representative)
            .copied()
            .unwrap_or_default()
    }

    /// All weights above zero.
    #[must_use]
    pub const fn weights(&self) -> &BTreeMap<Account, Raw> {
        &self.weights
    }

    /// How many accounts name this representative.
    #[must_use]
    pub fn delegators(&self, representative: &Account) -> usize {
        self.accounts
            .values()
            .filter(|info| {
                self.entries
                    .get(&info.head)
                    .is_some_and(|head| head.representative == *representative)
            })
            .count()
    }

    /// Accounts that have unconfirmed blocks, from `start` on.
    pub fn unconfirmed_accounts(&self, start: Account) -> impl Iterator<Item = Account> {
        self.unconfirmed.range(start..).copied()
    }

    /// The oldest unconfirmed block of an account.
    #[must_use]
    pub fn first_unconfirmed(&self, account: &Account) -> Option<BlockHash> {
        let info = self.accounts.get(account)?;
        if info.confirmation_height == 0 {
            return Some(info.open_block);
        }
        self.entries.get(&info.confirmation_frontier)?.successor
    }

    /// Whether everything the block stands on is confirmed: its previous and its source.
    #[must_use]
    pub fn dependencies_confirmed(&self, entry: &Entry) -> bool {
        entry
            .block
            .previous()
            .into_iter()
            .chain(entry.source())
            .all(|hash| self.is_confirmed(&hash))
    }

    /// Number of blocks.
    #[must_use]
    pub fn block_count(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Number of confirmed blocks.
    #[must_use]
    pub const fn cemented_count(&self) -> u64 {
        self.cemented
    }

    /// Number of opened accounts.
    #[must_use]
    pub fn account_count(&self) -> u64 {
        self.accounts.len() as u64
    }
}
