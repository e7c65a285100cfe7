//! Checking a block against the ledger and putting it in.
//!
//! The order of the checks is the full node's, because it decides which error a block with
//! several faults gets. Nothing changes unless every check passed.

use nano_core::{
    Account, Block, BlockHash, BlockKind, ChangeBlock, Epoch, OpenBlock, PublicKey, Raw,
    ReceiveBlock, SendBlock, StateBlock,
};

use super::{AccountInfo, Entry, Ledger, ProcessError, ReceivableInfo};

/// What a checked block does to its account.
struct Effect {
    account: Account,
    kind: BlockKind,
    epoch: Option<Epoch>,
    balance: Raw,
    amount: Raw,
    /// The representative that the block names, if it names one.
    representative: Option<Account>,
}

impl Ledger {
    /// Checks `block` completely and puts it in; gives its hash.
    ///
    /// # Errors
    /// [`ProcessError`] with the first reason against it; the ledger is unchanged then.
    pub fn process(
        &mut self,
        block: Block,
        local_timestamp: u64,
    ) -> Result<BlockHash, ProcessError> {
        let hash = block.hash();
        if self.contains(&hash) {
            return Err(ProcessError::Old(hash));
        }
        let effect = match &block {
            Block::State(state) => self.check_state(&block, state, hash),
            Block::Send(send) => self.check_send(&block, send, hash),
            Block::Receive(receive) => self.check_receive(&block, receive, hash),
            Block::Open(open) => self.check_open(&block, open, hash),
            Block::Change(change) => self.check_change(&block, change, hash),
        }?;
        self.apply(hash, block, &effect, local_timestamp);
        Ok(hash)
    }

    /// Whether a block's work is worth looking at it at all: the check on arrival, before the
    /// ledger is asked, as full nodes do it.
    #[must_use]
    pub fn passes_entry_work(block: &Block) -> bool {
        let needed = Self::NETWORK.work_thresholds().entry_of(block);
        block.work().difficulty(&block.root()) >= needed
    }

    fn check_state(
        &self,
        block: &Block,
        state: &StateBlock,
        hash: BlockHash,
    ) -> Result<Effect, ProcessError> {
        if let Some(epoch) = state.link.epoch() {
            let unchanged = if state.previous.is_zero() {
                state.balance == Raw::ZERO
            } else {
                let previous = self.entries.get(&state.previous);
                previous
                    .ok_or_else(|| self.epoch_link_after_gap(block, state, epoch, hash))?
                    .balance
                    == state.balance
            };
            if unchanged {
                return self.check_epoch(block, state, epoch, hash);
            }
        }
        verify(state.account.public_key(), block, hash)?;
        if state.account.is_zero() {
            return Err(ProcessError::OpenedBurnAccount(hash));
        }
        let (before, mut epoch) = match self.head(&state.account) {
            Some(head) => {
                if state.previous.is_zero() {
                    return Err(ProcessError::Fork(hash));
                }
                self.require_previous(state.previous, hash)?;
                if self.accounts.get(&state.account).map(|info| info.head) != Some(state.previous) {
                    return Err(ProcessError::Fork(hash));
                }
                (head.balance, head.epoch)
            }
            None => {
                if !state.previous.is_zero() {
                    return Err(gap_previous(hash, state.previous));
                }
                if state.link.is_zero() {
                    return Err(gap_source(hash, BlockHash::ZERO));
                }
                (Raw::ZERO, None)
            }
        };
        let (kind, amount) = if state.balance < before {
            let amount = before.checked_sub(state.balance).unwrap_or_default();
            (BlockKind::Send, amount)
        } else {
            let amount = state.balance.checked_sub(before).unwrap_or_default();
            if state.link.is_zero() {
                if amount != Raw::ZERO {
                    return Err(ProcessError::BalanceMismatch(hash));
                }
                (BlockKind::Change, amount)
            } else {
                let source = BlockHash::from(state.link);
                if !self.contains(&source) {
                    return Err(gap_source(hash, source));
                }
                let receivable = self
                    .receivable(&state.account, &source)
                    .ok_or(unreceivable(hash, source))?;
                if receivable.amount != amount {
                    return Err(ProcessError::BalanceMismatch(hash));
                }
                epoch = epoch.max(receivable.epoch);
                let first = state.previous.is_zero();
                let kind = if first {
                    BlockKind::Open
                } else {
                    BlockKind::Receive
                };
                (kind, amount)
            }
        };
        require_work(block, epoch, kind, hash)?;
        Ok(Effect {
            account: state.account,
            kind,
            epoch,
            balance: state.balance,
            amount,
            representative: Some(state.representative),
        })
    }

    /// The verdict on a block with an epoch link whose previous block is unknown: it may be an
    /// epoch block or a send to that number, so either signature makes it a gap.
    fn epoch_link_after_gap(
        &self,
        block: &Block,
        state: &StateBlock,
        epoch: Epoch,
        hash: BlockHash,
    ) -> ProcessError {
        verify(state.account.public_key(), block, hash)
            .or_else(|_| verify(Self::NETWORK.epoch_signer(epoch), block, hash))
            .map_or_else(|bad| bad, |()| gap_previous(hash, state.previous))
    }

    fn check_epoch(
        &self,
        block: &Block,
        state: &StateBlock,
        epoch: Epoch,
        hash: BlockHash,
    ) -> Result<Effect, ProcessError> {
        verify(Self::NETWORK.epoch_signer(epoch), block, hash)?;
        if state.account.is_zero() {
            return Err(ProcessError::OpenedBurnAccount(hash));
        }
        let before = match self.accounts.get(&state.account) {
            Some(info) => {
                if state.previous != info.head {
                    return Err(ProcessError::Fork(hash));
                }
                let head = self
                    .entries
                    .get(&info.head)
                    .ok_or(gap_previous(hash, info.head))?;
                if state.representative != head.representative {
                    return Err(ProcessError::RepresentativeMismatch(hash));
                }
                let follows = match epoch {
                    Epoch::One => head.epoch.is_none(),
                    Epoch::Two => head.epoch == Some(Epoch::One),
                };
                if !follows {
                    return Err(ProcessError::BlockPosition(hash));
                }
                head.balance
            }
            None => {
                if !state.representative.is_zero() {
                    return Err(ProcessError::RepresentativeMismatch(hash));
                }
                if self.receivable_of(&state.account).next().is_none() {
                    let account = state.account;
                    return Err(ProcessError::GapEpochOpenPending {
                        block: hash,
                        account,
                    });
                }
                Raw::ZERO
            }
        };
        if state.balance != before {
            return Err(ProcessError::BalanceMismatch(hash));
        }
        require_work(block, Some(epoch), BlockKind::Epoch(epoch), hash)?;
        Ok(Effect {
            account: state.account,
            kind: BlockKind::Epoch(epoch),
            epoch: Some(epoch),
            balance: before,
            amount: Raw::ZERO,
            representative: Some(state.representative),
        })
    }

    fn check_send(
        &self,
        block: &Block,
        send: &SendBlock,
        hash: BlockHash,
    ) -> Result<Effect, ProcessError> {
        let head = self.legacy_head(block, send.previous, hash)?;
        require_work(block, None, BlockKind::Send, hash)?;
        let amount = head
            .balance
            .checked_sub(send.balance)
            .ok_or(ProcessError::NegativeSpend(hash))?;
        Ok(Effect {
            account: head.account,
            kind: BlockKind::Send,
            epoch: None,
            balance: send.balance,
            amount,
            representative: None,
        })
    }

    fn check_receive(
        &self,
        block: &Block,
        receive: &ReceiveBlock,
        hash: BlockHash,
    ) -> Result<Effect, ProcessError> {
        let head = self.legacy_head(block, receive.previous, hash)?;
        let amount = self.legacy_receivable(&head.account, receive.source, hash)?;
        require_work(block, None, BlockKind::Receive, hash)?;
        let balance = head
            .balance
            .checked_add(amount)
            .ok_or(ProcessError::BalanceMismatch(hash))?;
        Ok(Effect {
            account: head.account,
            kind: BlockKind::Receive,
            epoch: None,
            balance,
            amount,
            representative: None,
        })
    }

    fn check_change(
        &self,
        block: &Block,
        change: &ChangeBlock,
        hash: BlockHash,
    ) -> Result<Effect, ProcessError> {
        let head = self.legacy_head(block, change.previous, hash)?;
        require_work(block, None, BlockKind::Change, hash)?;
        Ok(Effect {
            account: head.account,
            kind: BlockKind::Change,
            epoch: None,
            balance: head.balance,
            amount: Raw::ZERO,
            representative: Some(change.representative),
        })
    }

    fn check_open(
        &self,
        block: &Block,
        open: &OpenBlock,
        hash: BlockHash,
    ) -> Result<Effect, ProcessError> {
        verify(open.account.public_key(), block, hash)?;
        if !self.contains(&open.source) {
            return Err(gap_source(hash, open.source));
        }
        if self.accounts.contains_key(&open.account) {
            return Err(ProcessError::Fork(hash));
        }
        let amount = self.legacy_pending(&open.account, open.source, hash)?;
        if open.account.is_zero() {
            return Err(ProcessError::OpenedBurnAccount(hash));
        }
        require_work(block, None, BlockKind::Open, hash)?;
        Ok(Effect {
            account: open.account,
            kind: BlockKind::Open,
            epoch: None,
            balance: amount,
            amount,
            representative: Some(open.representative),
        })
    }

    /// The block that a legacy block follows: known, legacy itself, newest of its account, whose
    /// key signed.
    fn legacy_head(
        &self,
        block: &Block,
        previous: BlockHash,
        hash: BlockHash,
    ) -> Result<&Entry, ProcessError> {
        let head = self.require_previous(previous, hash)?;
        if matches!(head.block, Block::State(_)) {
            return Err(ProcessError::BlockPosition(hash));
        }
        if head.successor.is_some() {
            return Err(ProcessError::Fork(hash));
        }
        verify(head.account.public_key(), block, hash)?;
        Ok(head)
    }

    fn legacy_receivable(
        &self,
        account: &Account,
        source: BlockHash,
        hash: BlockHash,
    ) -> Result<Raw, ProcessError> {
        if !self.contains(&source) {
            return Err(gap_source(hash, source));
        }
        self.legacy_pending(account, source, hash)
    }

    /// The amount of a send that a legacy block may take: one from epoch 0.
    fn legacy_pending(
        &self,
        account: &Account,
        source: BlockHash,
        hash: BlockHash,
    ) -> Result<Raw, ProcessError> {
        self.receivable(account, &source)
            .filter(|receivable| receivable.epoch.is_none())
            .map(|receivable| receivable.amount)
            .ok_or(unreceivable(hash, source))
    }

    fn require_previous(
        &self,
        previous: BlockHash,
        hash: BlockHash,
    ) -> Result<&Entry, ProcessError> {
        self.entries
            .get(&previous)
            .ok_or(gap_previous(hash, previous))
    }

    fn apply(&mut self, hash: BlockHash, block: Block, effect: &Effect, local_timestamp: u64) {
        let info = self.accounts.get(&effect.account).copied();
        let before = info
            .and_then(|info| self.entries.get_mut(&info.head))
            .map(|head| {
                head.successor = Some(hash);
                (head.representative, head.balance, head.representative_block)
            });
        let (representative, representative_block) = match (effect.representative, before) {
            (Some(named), _) => (named, hash),
            (None, Some((representative, _, by))) => (representative, by),
            (None, None) => (Account::ZERO, hash),
        };
        self.move_weight(
            before.map(|(representative, balance, _)| (representative, balance)),
            Some((representative, effect.balance)),
        );
        let entry = Entry {
            block,
            account: effect.account,
            height: info.map_or(1, |info| info.block_count + 1),
            balance: effect.balance,
            amount: effect.amount,
            kind: effect.kind,
            epoch: effect.epoch,
            representative,
            representative_block,
            successor: None,
            local_timestamp,
        };
        if let Some(destination) = entry.destination() {
            let receivable = ReceivableInfo {
                source: entry.account,
                amount: entry.amount,
                epoch: entry.epoch,
            };
            self.receivable.insert((destination, hash), receivable);
        }
        if let Some(source) = entry.source() {
            self.receivable.remove(&(entry.account, source));
            self.received_by.insert(source, hash);
        }
        let info = AccountInfo {
            head: hash,
            open_block: info.map_or(hash, |info| info.open_block),
            block_count: entry.height,
            modified: local_timestamp,
            confirmation_height: info.map_or(0, |info| info.confirmation_height),
            confirmation_frontier: info.map_or(BlockHash::ZERO, |info| info.confirmation_frontier),
        };
        self.accounts.insert(effect.account, info);
        self.unconfirmed.insert(effect.account);
        self.entries.insert(hash, entry);
    }
}

fn require_work(
    block: &Block,
    epoch: Option<Epoch>,
    kind: BlockKind,
    hash: BlockHash,
) -> Result<(), ProcessError> {
    let needed = Ledger::NETWORK.work_thresholds().required(epoch, kind);
    if block.work().difficulty(&block.root()) < needed {
        return Err(ProcessError::InsufficientWork(hash));
    }
    Ok(())
}

fn verify(key: PublicKey, block: &Block, hash: BlockHash) -> Result<(), ProcessError> {
    key.verify(hash.as_bytes(), block.signature())
        .map_err(|_| ProcessError::BadSignature(hash))
}

const fn gap_previous(block: BlockHash, previous: BlockHash) -> ProcessError {
    ProcessError::GapPrevious { block, previous }
}

const fn gap_source(block: BlockHash, source_block: BlockHash) -> ProcessError {
    ProcessError::GapSource {
        block,
        source_block,
    }
}

const fn unreceivable(block: BlockHash, source_block: BlockHash) -> ProcessError {
    ProcessError::Unreceivable {
        block,
        source_block,
    }
}
