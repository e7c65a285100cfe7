//! Questions to full nodes: which one is asked, for how long, who is asked next, and how requests
//! for votes are put together.
//!
//! | part | what it is |
//! |---|---|
//! | `question` | what is asked, and whether an answer fits it |
//! | `pull` | one question to as many full nodes as it takes: time-outs, retries, hedges |
//! | `listing` | the list of all accounts |
//! | `timing` | who is quick and truthful |
//! | `desk` | which requests for votes leave together, and when |
//! | `ballot` | one list of blocks put to all representatives at once |
//! | `count` | what their votes say: for, silent, later block, rival |
//!
//! Nothing that comes back is believed: it is a hint for [`crate::prove`], or a vote whose
//! signature holds. There are three priorities ([`Priority`]); who waits always goes first.

mod ballot;
mod count;
mod desk;
mod listing;
mod pull;
mod question;
mod timing;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nano_core::message::{AccountInfo, RequestedBlock};
use nano_core::{Account, Block, BlockHash};

pub use count::{Ballot, Item, Rival};
use desk::Desk;
pub use listing::{Listed, Listing};
use pull::Told;
pub(crate) use question::may_be_signed;
use question::{Question, Reply};
use timing::Timings;

use crate::coalesce::Coalesce;
use crate::full_node::{AskError, ChannelId, FullNodes};
use crate::metrics::{self, Metrics};
use crate::prove::Roots;
use crate::recent::Recent;
use crate::weights::Weights;

/// How soon something is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody waits: asked at once, taking along what else is waiting to leave.
    Waiting,
    /// Nobody waits: requests for votes linger [`Priority::BACKGROUND_LINGER`] for company, and as
    /// long again whenever some comes.
    Background,
    /// Any time will do: they linger [`Priority::SPARE_LINGER`], on a dev network
    /// [`Priority::DEV_SPARE_LINGER`].
    Spare,
}

impl Priority {
    /// How long a request for votes of the background waits for others to leave with.
    pub const BACKGROUND_LINGER: Duration = Duration::from_millis(50);
    /// The same for what has time.
    pub const SPARE_LINGER: Duration = Duration::from_secs(10);
    /// The same on a dev network.
    pub const DEV_SPARE_LINGER: Duration = Duration::from_secs(1);

    const fn waits(self) -> bool {
        matches!(self, Self::Waiting)
    }

    const fn linger(self, hurries: bool) -> Duration {
        match self {
            Self::Waiting => Duration::ZERO,
            Self::Background => Self::BACKGROUND_LINGER,
            Self::Spare if hurries => Self::DEV_SPARE_LINGER,
            Self::Spare => Self::SPARE_LINGER,
        }
    }
}

/// Asks full nodes at one priority; cloning shares everything.
#[derive(Clone, Debug)]
pub struct Asker {
    inner: Arc<Inner>,
    priority: Priority,
}

#[derive(Debug)]
struct Inner {
    full_nodes: FullNodes,
    weights: Weights,
    roots: Roots,
    metrics: Metrics,
    timings: Mutex<Timings>,
    background: Mutex<pull::Background>,
    /// By whether somebody waits.
    running: Coalesce<(bool, Question), Result<Told, AskError>>,
    unknown: Mutex<Recent<Question, AskError>>,
    desk: Desk,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks can be left half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A full node's word on an account, and whose word it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// What it says; its `confirmed_frontier` is zero where nobody asked knows a confirmed block.
    pub info: AccountInfo,
    /// Who says so; `None` when several agree that there is nothing.
    pub by: Option<ChannelId>,
}

impl Asker {
    /// Asks over these channels, with [`Priority::Waiting`]. Blocks that come by are remembered in
    /// `roots`.
    #[must_use]
    pub fn new(full_nodes: FullNodes, weights: Weights, roots: Roots, metrics: Metrics) -> Self {
        let desk = Desk::new(weights.current().network);
        let inner = Inner {
            full_nodes,
            weights,
            roots,
            metrics,
            timings: Mutex::default(),
            background: Mutex::default(),
            running: Coalesce::new(pull::OPEN),
            unknown: Mutex::new(Recent::new(pull::UNKNOWN, pull::UNKNOWN_MS)),
            desk,
        };
        Self {
            inner: Arc::new(inner),
            priority: Priority::Waiting,
        }
    }

    /// The same with another priority.
    #[must_use]
    pub fn at(&self, priority: Priority) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            priority,
        }
    }

    /// A full node's word on an account: a hint, nothing in it is proven. When one says that it
    /// knows no confirmed block, others are asked before that is passed on.
    ///
    /// # Errors
    /// When nobody answered.
    pub async fn account_info(&self, account: Account) -> Result<Word, AskError> {
        let question = Question::Account(account);
        word(account, self.inner.ask(question, self.priority).await)
    }

    /// As [`Asker::account_info`], from full nodes that are not among `not`.
    ///
    /// # Errors
    /// When nobody answered, or there is nobody else to ask.
    pub async fn other_account_info(
        &self,
        account: Account,
        not: &BTreeSet<ChannelId>,
    ) -> Result<Word, AskError> {
        let question = Question::Account(account);
        let told = self.inner.ask_others(question, self.priority, not).await;
        word(account, told)
    }

    /// Notes that what this full node said turned out to be old or untrue.
    pub fn blame(&self, channel: ChannelId) {
        metrics::count(&self.inner.metrics.full_node_asks, "outdated");
        lock(&self.inner.timings).failed(channel);
    }

    /// The account of a block, as full nodes say.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn account_of(&self, block: BlockHash) -> Result<Account, AskError> {
        let question = Question::AccountOf(block);
        match self.inner.ask(question, self.priority).await?.reply {
            Reply::Info(info) => Ok(info.account),
            Reply::Blocks(_) => Err(AskError::Wrong),
        }
    }

    /// One block by its hash: one that was met lately, or a full node's.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn block(&self, hash: BlockHash) -> Result<Block, AskError> {
        if let Some(block) = self.inner.roots.block(&hash) {
            return Ok(block);
        }
        let blocks = self.blocks(hash, 1).await?;
        blocks.first().copied().ok_or(AskError::Wrong)
    }

    /// Up to `count` (1 to 128) blocks upwards from `start`, which is the first of them; each
    /// follows the one before. Not empty.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn blocks(&self, start: BlockHash, count: u8) -> Result<Vec<Block>, AskError> {
        let (blocks, _) = self.blocks_by(start, count).await?;
        Ok(blocks)
    }

    /// The same, and who said so.
    ///
    /// # Errors
    /// When nobody who answered knows the block.
    pub async fn blocks_by(
        &self,
        start: BlockHash,
        count: u8,
    ) -> Result<(Vec<Block>, ChannelId), AskError> {
        self.chain(Question::Blocks(start, count)).await
    }

    /// Up to `count` (1 to 128) blocks upwards from the first block of `account`. Not empty.
    ///
    /// # Errors
    /// When nobody who answered knows the account.
    pub async fn first_blocks(&self, account: Account, count: u8) -> Result<Vec<Block>, AskError> {
        let (blocks, _) = self.chain(Question::FirstBlocks(account, count)).await?;
        Ok(blocks)
    }

    async fn chain(&self, question: Question) -> Result<(Vec<Block>, ChannelId), AskError> {
        let told = self.inner.ask(question, self.priority).await?;
        match told.reply {
            Reply::Blocks(blocks) => {
                for block in &blocks {
                    self.inner.roots.learn_signed(block);
                }
                Ok((blocks, told.by))
            }
            Reply::Info(_) => Err(AskError::Wrong),
        }
    }

    /// Sets blocks that every representative knows as confirmed. The first is asked for along with
    /// every list from now on, to tell answers by; of the others two at a time where accounts
    /// never opened are asked about.
    pub fn mark(&self, witnesses: Vec<RequestedBlock>) {
        self.inner.desk.mark(witnesses);
    }

    /// What the representatives say of one item; it may leave together with others, which is not
    /// seen from here. `None` when the bridge stops.
    pub async fn ballot(&self, item: Item) -> Option<Arc<Ballot>> {
        desk::ask(&self.inner, item, self.priority).await
    }
}

fn word(account: Account, told: Result<Told, AskError>) -> Result<Word, AskError> {
    let nothing = AccountInfo {
        account,
        ..AccountInfo::default()
    };
    match told {
        Ok(Told {
            reply: Reply::Info(info),
            by,
        }) => Ok(Word { info, by: Some(by) }),
        Ok(_) => Err(AskError::Wrong),
        Err(AskError::Unknown { .. }) => Ok(Word {
            info: nothing,
            by: None,
        }),
        Err(error) => Err(error),
    }
}
