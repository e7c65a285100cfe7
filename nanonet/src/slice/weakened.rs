//! What only a node does in which a bug was planted, or from which a defence was taken
//! ([`crate::Bug`], [`crate::Defence`]).

use std::sync::Arc;

use nano_core::proof::ProvenFrontier;
use nano_core::{Account, Raw, WeightTable};

use super::held::HeldFrontier;
use super::offer::chain_of;
use super::{Outcome, Slice};
use crate::{AccountKey, AccountRecord};

impl Slice {
    /// Keeps a record as if its proof held.
    pub(crate) fn keep_unproven(
        &mut self,
        account: Account,
        record: AccountRecord,
        weights: &WeightTable,
    ) -> Option<Outcome> {
        let (block, chain) = chain_of(&record).ok()?;
        let proven = ProvenFrontier {
            account,
            hash: record.hash(),
            previous: block.previous()?,
            block,
            balance: block.balance().unwrap_or(Raw::ZERO),
            representative: account,
            weight: Raw::ZERO,
            threshold: Raw::ZERO,
            votes: Vec::new(),
        };
        let frontier = HeldFrontier::new(record, proven, weights.as_of, chain);
        Some(self.keep(account, Arc::new(frontier)))
    }

    /// Forgets what is held of an account's chain.
    pub(crate) fn forget(&mut self, account: &Account) {
        self.drop_account(&AccountKey::new(account));
    }

    /// Forgets every account.
    pub(crate) fn forget_all(&mut self) {
        let all: Vec<Account> = self.accounts_after(None).map(|(_, of)| *of).collect();
        for account in all {
            self.forget(&account);
        }
    }
}
