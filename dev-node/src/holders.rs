//! Thousands of accounts for a fresh ledger, made quickly: each is paid by the genesis account and
//! opened with one block.
//!
//! Hashes depend on neither signatures nor work, so the whole chain of sends is laid out first;
//! then all processors sign and search, and at the end every block goes through the ledger's
//! checks like any other. The same blocks at every fresh start.

use std::num::NonZero;
use std::sync::atomic::AtomicBool;

use nano_core::{
    Account, Block, BlockHash, BlockKind, Difficulty, Epoch, PrivateKey, Raw, StateBlock,
};

use crate::DevKeys;
use crate::ledger::{Ledger, ProcessError};
use crate::work;

/// What an account gets at least, and the step between accounts: a hundredth of an XNO. A hundred
/// thousand accounts fit into what the standard distribution leaves on the genesis account.
const UNIT: u128 = Raw::NANO.number() / 100;
/// Amounts repeat after so many accounts.
const AMOUNTS: u32 = 997;

/// A block without signature and work, and what it needs for them.
struct Draft {
    block: StateBlock,
    key: PrivateKey,
    needed: Difficulty,
}

/// Opens `count` accounts, [`DevKeys::holder`] from 0 on, and confirms all of it; gives the blocks
/// in order. The genesis account has to be at epoch 2 and to hold enough.
///
/// # Errors
/// [`ProcessError`] when a block does not fit, which would be a fault of this file.
pub(crate) fn build(
    ledger: &mut Ledger,
    count: u32,
    local_timestamp: u64,
) -> Result<Vec<Block>, ProcessError> {
    let drafts = draft(ledger, count);
    let blocks = finish(&drafts);
    for block in &blocks {
        let hash = ledger.process(*block, local_timestamp)?;
        ledger.confirm(&hash);
    }
    Ok(blocks)
}

fn draft(ledger: &Ledger, count: u32) -> Vec<Draft> {
    let genesis = DevKeys::genesis();
    let payer = genesis.account();
    let (mut previous, representative, mut balance) = ledger
        .account(&payer)
        .zip(ledger.head(&payer))
        .map_or((BlockHash::ZERO, payer, Raw::ZERO), |(info, head)| {
            (info.head, head.representative, head.balance)
        });
    let thresholds = Ledger::NETWORK.work_thresholds();
    let needed = |kind| thresholds.required(Some(Epoch::Two), kind);
    let representatives: Vec<Account> = DevKeys::representatives()
        .iter()
        .map(PrivateKey::account)
        .collect();
    let mut drafts = Vec::new();
    for (index, holder_representative) in (0..count).zip(representatives.iter().cycle()) {
        let key = DevKeys::holder(index);
        let amount = Raw::new(u128::from(1 + index % AMOUNTS) * UNIT);
        balance = balance.checked_sub(amount).unwrap_or_default();
        let send = StateBlock::unsigned(
            payer,
            previous,
            representative,
            balance,
            key.account().into(),
        );
        previous = Block::State(send).hash();
        let open = StateBlock::unsigned(
            key.account(),
            BlockHash::ZERO,
            *holder_representative,
            amount,
            previous.into(),
        );
        drafts.push(Draft {
            block: send,
            key: genesis.clone(),
            needed: needed(BlockKind::Send),
        });
        drafts.push(Draft {
            block: open,
            key,
            needed: needed(BlockKind::Open),
        });
    }
    drafts
}

/// Signs and searches work on all processors.
fn finish(drafts: &[Draft]) -> Vec<Block> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = drafts.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let running: Vec<_> = drafts
            .chunks(part)
            .map(|part| scope.spawn(|| part.iter().map(Draft::finish).collect::<Vec<Block>>()))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(blocks) => blocks,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}

impl Draft {
    fn finish(&self) -> Block {
        let root = Block::State(self.block).root();
        let nonce = work::find(&root, self.needed, &AtomicBool::new(false));
        let block = self.block.sign(&self.key);
        block.with_work(nonce.unwrap_or_default()).into()
    }
}
