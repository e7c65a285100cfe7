//! The one state of a node: ledger, store, elections, behind one lock.
//!
//! Everything that happens is a call into [`Engine`]; what others should know of it leaves by two
//! broadcast channels. The order is always: check, write to the store, tell. When the store fails
//! once, the engine takes and decides nothing more, because a final vote that is not on disk must
//! not be sent.

mod elect;
mod unchecked;
mod vote;

use std::collections::BTreeMap;
use std::sync::Arc;

use nano_core::{Account, Block, BlockHash, PrivateKey, Raw, Root, UnixMillis};
use tokio::sync::broadcast;

use crate::events::{AddedBlock, Event, Outbound};
use crate::ledger::{Entry, Ledger, ProcessError};
use crate::store::Store;
use crate::voting::{Elections, Online, VoteCache};

use unchecked::Unchecked;

/// How many unconfirmed accounts one scan looks at.
const SCAN: usize = 256;

/// Why a block was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The work does not even reach the lowest threshold.
    #[error("block {0} carries less work than any block needs; compute work first")]
    EntryWork(BlockHash),
    /// The ledger refused it.
    #[error(transparent)]
    Refused(#[from] ProcessError),
    /// The store failed, now or earlier; the node takes nothing more.
    #[error(
        "the ledger could not be written ({0}); the node takes no more blocks, look at the disk"
    )]
    Storage(String),
}

impl SubmitError {
    /// The text that a full node's RPC `process` answers.
    #[must_use]
    pub const fn rpc_text(&self) -> &'static str {
        match self {
            Self::EntryWork(_) => "Block work is less than threshold",
            Self::Refused(reason) => reason.rpc_text(),
            Self::Storage(_) => "Error processing block",
        }
    }
}

/// What an engine begins with.
pub(crate) struct EngineParts {
    pub(crate) ledger: Ledger,
    pub(crate) store: Option<Store>,
    pub(crate) final_votes: Vec<(Root, BlockHash)>,
    pub(crate) representatives: Vec<PrivateKey>,
    pub(crate) online_weight_minimum: Raw,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) outbound: broadcast::Sender<Outbound>,
}

/// Ledger, store and elections of one node.
#[derive(Debug)]
pub(crate) struct Engine {
    ledger: Ledger,
    store: Option<Store>,
    failure: Option<String>,
    elections: Elections,
    early_votes: VoteCache,
    online: Online,
    /// The hash each root's final vote was given for, until the root is confirmed.
    final_votes: BTreeMap<Root, BlockHash>,
    representatives: Arc<Vec<PrivateKey>>,
    online_weight_minimum: Raw,
    unchecked: Unchecked,
    /// Accounts whose next election may start; emptied before any call returns.
    ripe: Vec<Account>,
    scan_from: Account,
    events: broadcast::Sender<Event>,
    outbound: broadcast::Sender<Outbound>,
}

impl Engine {
    pub(crate) fn new(parts: EngineParts) -> Self {
        Self {
            ledger: parts.ledger,
            store: parts.store,
            failure: None,
            elections: Elections::default(),
            early_votes: VoteCache::default(),
            online: Online::default(),
            final_votes: parts.final_votes.into_iter().collect(),
            representatives: Arc::new(parts.representatives),
            online_weight_minimum: parts.online_weight_minimum,
            unchecked: Unchecked::default(),
            ripe: Vec::new(),
            scan_from: Account::ZERO,
            events: parts.events,
            outbound: parts.outbound,
        }
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) const fn elections(&self) -> &Elections {
        &self.elections
    }

    pub(crate) const fn unchecked_count(&self) -> usize {
        self.unchecked.count()
    }

    /// Takes a block of a peer or client: into the ledger and to the vote, or aside if something
    /// before it is missing, or into the election if it competes with another.
    ///
    /// # Errors
    /// [`SubmitError`]; a block that was put aside or entered an election as a fork is one, too.
    pub(crate) fn submit(
        &mut self,
        block: Block,
        now: UnixMillis,
    ) -> Result<BlockHash, SubmitError> {
        let result = self.submit_one(block, now);
        let mut arrived: Vec<[u8; 32]> = Vec::new();
        if let Ok(hash) = &result {
            self.note_arrival(*hash, &mut arrived);
        }
        while let Some(arrival) = arrived.pop() {
            for block in self.unchecked.take(&arrival) {
                if let Ok(hash) = self.submit_one(block, now) {
                    self.note_arrival(hash, &mut arrived);
                }
            }
        }
        self.start_ripe(now);
        result
    }

    /// What waiting blocks may have waited for: this block, or a send to that account.
    fn note_arrival(&self, hash: BlockHash, arrived: &mut Vec<[u8; 32]>) {
        arrived.push(*hash.as_bytes());
        if let Some(destination) = self.ledger.entry(&hash).and_then(Entry::destination) {
            arrived.push(*destination.as_bytes());
        }
    }

    fn submit_one(&mut self, block: Block, now: UnixMillis) -> Result<BlockHash, SubmitError> {
        self.require_store()?;
        if !Ledger::passes_entry_work(&block) {
            return Err(SubmitError::EntryWork(block.hash()));
        }
        let seconds = now.number() / 1000;
        let hash = self
            .ledger
            .process(block, seconds)
            .inspect_err(|reason| match reason {
                ProcessError::GapPrevious {
                    previous: needed, ..
                }
                | ProcessError::GapSource {
                    source_block: needed,
                    ..
                } => {
                    self.unchecked.put(*needed.as_bytes(), block);
                }
                ProcessError::GapEpochOpenPending { account, .. } => {
                    self.unchecked.put(*account.as_bytes(), block);
                }
                ProcessError::Fork(_) => self.compete(block, now),
                ProcessError::Old(hash) => self.ripen(hash),
                _ => {}
            })?;
        self.write(|store| store.add([(&block, seconds)]))?;
        self.tell_added(hash);
        self.ripen(&hash);
        Ok(hash)
    }

    fn tell_added(&self, hash: BlockHash) {
        if let Some(entry) = self.ledger.entry(&hash) {
            let is_state = matches!(entry.block, Block::State(_));
            self.tell(Event::BlockAdded(Arc::new(AddedBlock {
                hash,
                block: entry.block,
                subtype: is_state.then(|| entry.subtype()),
            })));
        }
    }

    /// Writes to the store, if there is one; its failure is final.
    fn write(
        &mut self,
        step: impl FnOnce(&mut Store) -> rusqlite::Result<()>,
    ) -> Result<(), SubmitError> {
        self.require_store()?;
        let Some(store) = &mut self.store else {
            return Ok(());
        };
        step(store).map_err(|reason| {
            let reason = reason.to_string();
            tracing::error!(%reason, "the ledger could not be written; no more blocks are taken");
            self.failure = Some(reason.clone());
            SubmitError::Storage(reason)
        })
    }

    fn require_store(&self) -> Result<(), SubmitError> {
        match &self.failure {
            Some(reason) => Err(SubmitError::Storage(reason.clone())),
            None => Ok(()),
        }
    }

    fn tell(&self, event: Event) {
        // No receiver is no fault: nobody is listening just now.
        let _ = self.events.send(event);
    }

    fn send(&self, message: Outbound) {
        let _ = self.outbound.send(message);
    }

    /// Starts elections that could not start earlier: after a restart, for lack of room, or
    /// because what they stood on was confirmed unnoticed. Looks at a part of the accounts.
    fn scan_unconfirmed(&mut self) {
        let accounts: Vec<Account> = self
            .ledger
            .unconfirmed_accounts(self.scan_from)
            .take(SCAN)
            .collect();
        self.scan_from = match accounts.last() {
            Some(last) if accounts.len() == SCAN => *last,
            _ => Account::ZERO,
        };
        self.ripe.extend(accounts);
    }
}
