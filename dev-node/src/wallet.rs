//! Moving money on a development node: builds, works, signs, processes, waits.

use std::sync::Arc;
use std::time::Duration;

use nano_core::{Account, Block, BlockHash, Link, PrivateKey, Raw, StateBlock};
use tokio::sync::Mutex;

use crate::engine::SubmitError;
use crate::ledger::Ledger;
use crate::node::Shared;
use crate::work;

/// How long a wallet waits for the votes.
const CONFIRMATION_TIME: Duration = Duration::from_secs(10);

/// Why a wallet could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// The account holds less than should be sent.
    #[error("{account} holds {balance} raw, less than the {amount} raw to send")]
    TooLittle {
        /// The account.
        account: Account,
        /// What it holds.
        balance: Raw,
        /// What should be sent.
        amount: Raw,
    },
    /// Nothing like that waits for this account.
    #[error("{send} is not receivable by {account}")]
    NotReceivable {
        /// The account.
        account: Account,
        /// The send that should be received.
        send: BlockHash,
    },
    /// The account has no block yet, so it has no representative to change.
    #[error("{0} was never opened; receive something first")]
    Unopened(Account),
    /// The ledger refused the block.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// The votes did not come in time, as when too few representatives are online.
    #[error(
        "{0} was not confirmed in time; are representatives with two thirds of the weight online?"
    )]
    NotConfirmed(BlockHash),
    /// The node stopped meanwhile.
    #[error("the node is stopping")]
    Stopped,
}

/// An account with its key on one node; every call ends when its block is confirmed. Clones share
/// one queue, so that concurrent calls never fork the account.
#[derive(Clone, Debug)]
pub struct Wallet {
    shared: Arc<Shared>,
    key: PrivateKey,
    queue: Arc<Mutex<()>>,
}

impl Wallet {
    pub(crate) fn new(shared: Arc<Shared>, key: PrivateKey) -> Self {
        Self {
            shared,
            key,
            queue: Arc::default(),
        }
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> Account {
        self.key.account()
    }

    /// Sends `amount` raw to `destination`; gives the confirmed send's hash.
    ///
    /// # Errors
    /// [`WalletError::TooLittle`], or that the block was not taken or not confirmed.
    pub async fn send(&self, destination: Account, amount: Raw) -> Result<BlockHash, WalletError> {
        let _turn = self.queue.lock().await;
        let (previous, representative, balance) = self.state()?;
        let left = balance
            .checked_sub(amount)
            .ok_or_else(|| WalletError::TooLittle {
                account: self.account(),
                balance,
                amount,
            })?;
        self.publish(previous, representative, left, destination.into())
            .await
    }

    /// Receives one send; opens the account if need be, with `representative` or itself as its
    /// representative.
    ///
    /// # Errors
    /// [`WalletError::NotReceivable`], or that the block was not taken or not confirmed.
    pub async fn receive(
        &self,
        send: BlockHash,
        representative: Option<Account>,
    ) -> Result<BlockHash, WalletError> {
        let _turn = self.queue.lock().await;
        let account = self.account();
        let amount = self
            .shared
            .engine()
            .ledger()
            .receivable(&account, &send)
            .map(|info| info.amount)
            .ok_or(WalletError::NotReceivable { account, send })?;
        let (previous, current, balance) =
            self.state()
                .unwrap_or((BlockHash::ZERO, account, Raw::ZERO));
        let balance = balance
            .checked_add(amount)
            .ok_or(WalletError::NotReceivable { account, send })?;
        self.publish(
            previous,
            representative.unwrap_or(current),
            balance,
            send.into(),
        )
        .await
    }

    /// Receives everything that waits for the account, in order of hashes.
    ///
    /// # Errors
    /// As [`Self::receive`]; what was received before the error stays.
    pub async fn receive_all(&self) -> Result<Vec<BlockHash>, WalletError> {
        let sends: Vec<_> = {
            let engine = self.shared.engine();
            let account = self.account();
            let receivable = engine.ledger().receivable_of(&account);
            receivable.map(|(send, _)| send).collect()
        };
        let mut received = Vec::with_capacity(sends.len());
        for send in sends {
            received.push(self.receive(send, None).await?);
        }
        Ok(received)
    }

    /// Names another representative.
    ///
    /// # Errors
    /// [`WalletError::Unopened`], or that the block was not taken or not confirmed.
    pub async fn change(&self, representative: Account) -> Result<BlockHash, WalletError> {
        let _turn = self.queue.lock().await;
        let (previous, _, balance) = self.state()?;
        self.publish(previous, representative, balance, Link::ZERO)
            .await
    }

    /// Newest block, representative and balance.
    fn state(&self) -> Result<(BlockHash, Account, Raw), WalletError> {
        let account = self.account();
        let engine = self.shared.engine();
        let ledger = engine.ledger();
        ledger
            .account(&account)
            .zip(ledger.head(&account))
            .map(|(info, head)| (info.head, head.representative, head.balance))
            .ok_or(WalletError::Unopened(account))
    }

    async fn publish(
        &self,
        previous: BlockHash,
        representative: Account,
        balance: Raw,
        link: Link,
    ) -> Result<BlockHash, WalletError> {
        let block = StateBlock::unsigned(self.account(), previous, representative, balance, link);
        let root = block.root();
        // Reaches every threshold of the network, whatever epoch and kind.
        let needed = Ledger::NETWORK.work_thresholds().ample();
        let stop = self.shared.stop_mark();
        let nonce = tokio::task::spawn_blocking(move || work::find(&root, needed, &stop))
            .await
            .ok()
            .flatten()
            .ok_or(WalletError::Stopped)?;
        let block = block.sign(&self.key).with_work(nonce);
        let hash = self.shared.submit(Block::State(block))?;
        if self.shared.wait_confirmed(hash, CONFIRMATION_TIME).await {
            Ok(hash)
        } else {
            Err(WalletError::NotConfirmed(hash))
        }
    }
}
