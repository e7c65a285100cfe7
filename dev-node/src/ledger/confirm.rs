//! Confirming ("cementing") blocks with all their ancestors.

use nano_core::BlockHash;

use super::Ledger;

impl Ledger {
    /// Confirms a block and everything it stands on. Gives the blocks that were not confirmed
    /// before, each after those it depends on; empty when the block is unknown or confirmed.
    pub fn confirm(&mut self, hash: &BlockHash) -> Vec<BlockHash> {
        let mut confirmed = Vec::new();
        let mut wanted = vec![*hash];
        while let Some(target) = wanted.last() {
            // The oldest unconfirmed block of the target's account must come first.
            let next = self
                .entries
                .get(target)
                .filter(|entry| !self.is_entry_confirmed(entry))
                .and_then(|entry| self.first_unconfirmed(&entry.account))
                .and_then(|next| Some((next, self.entries.get(&next)?)));
            let Some((next, entry)) = next else {
                wanted.pop();
                continue;
            };
            let missing_source = entry.source().filter(|source| {
                self.entries
                    .get(source)
                    .is_some_and(|source| !self.is_entry_confirmed(source))
            });
            if let Some(source) = missing_source {
                wanted.push(source);
                continue;
            }
            let (account, height) = (entry.account, entry.height);
            let Some(info) = self.accounts.get_mut(&account) else {
                wanted.pop();
                continue;
            };
            info.confirmation_height = height;
            info.confirmation_frontier = next;
            if info.block_count == height {
                self.unconfirmed.remove(&account);
            }
            self.cemented += 1;
            confirmed.push(next);
        }
        confirmed
    }
}
