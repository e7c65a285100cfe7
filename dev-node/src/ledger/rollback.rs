//! Taking unconfirmed blocks out again, when a fork lost its election.

use nano_core::{BlockHash, BlockKind};

use super::{Entry, Ledger, ReceivableInfo};

/// Why blocks stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// A confirmed block would have to go; the network has decided for it.
    #[error("block {0} is confirmed and stays; the block against it can never win")]
    Confirmed(BlockHash),
}

impl Ledger {
    /// Removes a block with everything that was built on it: its successors, and receives of what
    /// they sent, in whatever account. Gives the removed blocks, newest first; empty when the
    /// block is unknown. On an error nothing has changed.
    ///
    /// # Errors
    /// [`RollbackError::Confirmed`] when one of them is confirmed.
    pub fn roll_back(
        &mut self,
        hash: &BlockHash,
    ) -> Result<Vec<(BlockHash, Entry)>, RollbackError> {
        // A block is confirmed only after all it stands on, so one look at the target is enough:
        // nothing above an unconfirmed block can be confirmed.
        if self.is_confirmed(hash) {
            return Err(RollbackError::Confirmed(*hash));
        }
        let mut removed = Vec::new();
        let mut wanted = vec![*hash];
        while let Some(target) = wanted.last() {
            let Some(entry) = self.entries.get(target) else {
                wanted.pop();
                continue;
            };
            let Some(info) = self.accounts.get(&entry.account) else {
                wanted.pop();
                continue;
            };
            let head = info.head;
            // What the newest block sent may have been received: that receive goes first.
            if let Some(receive) = self.received_by.get(&head) {
                wanted.push(*receive);
                continue;
            }
            if let Some(entry) = self.remove_head(head) {
                removed.push((head, entry));
            } else {
                wanted.pop();
            }
        }
        Ok(removed)
    }

    /// Undoes the newest block of an account.
    fn remove_head(&mut self, head: BlockHash) -> Option<Entry> {
        let entry = self.entries.remove(&head)?;
        let before = entry.block.previous().and_then(|previous| {
            let below = self.entries.get_mut(&previous)?;
            below.successor = None;
            Some((previous, below.clone()))
        });
        self.move_weight(
            Some((entry.representative, entry.balance)),
            before
                .as_ref()
                .map(|(_, below)| (below.representative, below.balance)),
        );
        match entry.kind {
            BlockKind::Send => {
                if let Some(destination) = entry.destination() {
                    self.receivable.remove(&(destination, head));
                }
            }
            BlockKind::Open | BlockKind::Receive => {
                if let Some(source) = entry.source() {
                    self.received_by.remove(&source);
                    if let Some(send) = self.entries.get(&source) {
                        let info = ReceivableInfo {
                            source: send.account,
                            amount: send.amount,
                            epoch: send.epoch,
                        };
                        self.receivable.insert((entry.account, source), info);
                    }
                }
            }
            BlockKind::Change | BlockKind::Epoch(_) => {}
        }
        match before {
            Some((previous, below)) => {
                if let Some(info) = self.accounts.get_mut(&entry.account) {
                    info.head = previous;
                    info.block_count = below.height;
                    info.modified = below.local_timestamp;
                    if info.confirmation_height == info.block_count {
                        self.unconfirmed.remove(&entry.account);
                    }
                }
            }
            None => {
                self.accounts.remove(&entry.account);
                self.unconfirmed.remove(&entry.account);
            }
        }
        Some(entry)
    }
}
