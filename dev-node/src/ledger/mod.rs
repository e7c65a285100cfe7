//! The ledger: every block of every account, with all of Nano's rules, for the dev network.
//!
//! States of a block: unknown, in the ledger unconfirmed, in the ledger confirmed. Rules:
//! * a block enters only by [`Ledger::process`], which is complete (signature, place, amount,
//!   epoch, work);
//! * a block leaves only by [`Ledger::roll_back`], which takes everything built on it along and
//!   refuses confirmed blocks;
//! * confirming a block confirms all its ancestors: its chain back and the sources of its receives.
//!
//! Weight of a representative = sum of the balances of accounts whose newest block names it,
//! confirmed or not; sent but not yet received money counts for nobody.
//!
//! Source of the rules: `nano/secure/ledger.cpp` of nano-node V28; the recorded verdicts of a full
//! node are replayed in the tests.

mod confirm;
mod entry;
mod error;
mod process;
mod query;
mod rollback;

use std::collections::{BTreeMap, BTreeSet};

use nano_core::{Account, BlockHash, BlockKind, Network, Raw};

pub use entry::{AccountInfo, Entry, ReceivableInfo};
pub use error::ProcessError;
pub use rollback::RollbackError;

/// The dev network's ledger, all in memory.
#[derive(Clone, Debug)]
pub struct Ledger {
    entries: BTreeMap<BlockHash, Entry>,
    accounts: BTreeMap<Account, AccountInfo>,
    receivable: BTreeMap<(Account, BlockHash), ReceivableInfo>,
    /// Send → the receive that took it.
    received_by: BTreeMap<BlockHash, BlockHash>,
    weights: BTreeMap<Account, Raw>,
    /// Accounts with at least one unconfirmed block.
    unconfirmed: BTreeSet<Account>,
    cemented: u64,
}

impl Ledger {
    /// The network whose rules hold here.
    pub const NETWORK: Network = Network::Dev;

    /// A ledger of the genesis block alone, which is confirmed.
    #[must_use]
    pub fn genesis(local_timestamp: u64) -> Self {
        let block = Self::NETWORK.genesis_block();
        let account = Self::NETWORK.genesis_account();
        let hash = block.hash();
        let entry = Entry {
            block,
            account,
            height: 1,
            balance: Raw::MAX,
            amount: Raw::MAX,
            kind: BlockKind::Open,
            epoch: None,
            representative: account,
            representative_block: hash,
            successor: None,
            local_timestamp,
        };
        let info = AccountInfo {
            head: hash,
            open_block: hash,
            block_count: 1,
            modified: local_timestamp,
            confirmation_height: 1,
            confirmation_frontier: hash,
        };
        Self {
            entries: BTreeMap::from([(hash, entry)]),
            accounts: BTreeMap::from([(account, info)]),
            receivable: BTreeMap::new(),
            received_by: BTreeMap::new(),
            weights: BTreeMap::from([(account, Raw::MAX)]),
            unconfirmed: BTreeSet::new(),
            cemented: 1,
        }
    }

    /// Moves weight: `minus` away from one representative, `plus` to another (or the same).
    fn move_weight(&mut self, from: Option<(Account, Raw)>, to: Option<(Account, Raw)>) {
        if let Some((account, minus)) = from {
            let left = self
                .weight(&account)
                .number()
                .saturating_sub(minus.number());
            self.set_weight(account, left);
        }
        if let Some((account, plus)) = to {
            // Never above the supply: weights are sums of balances.
            let sum = self.weight(&account).number().saturating_add(plus.number());
            self.set_weight(account, sum);
        }
    }

    fn set_weight(&mut self, account: Account, weight: u128) {
        if weight == 0 {
            self.weights.remove(&account);
        } else {
            self.weights.insert(account, Raw::new(weight));
        }
    }
}
