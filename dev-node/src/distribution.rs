//! What a fresh ledger holds: blocks made from public keys, the same at every fresh start.
//!
//! | step | what |
//! |---|---|
//! | 1 | legacy samples are funded and opened while the genesis account is at epoch 0, because legacy blocks cannot receive anything later |
//! | 2 | the genesis account is upgraded to epochs 1 and 2, so that everybody it pays from here on is at epoch 2 at once, as on the live network |
//! | 3 | twelve representatives, the faucet and the state samples are funded and opened |
//! | 4 | some sends stay unreceived |
//!
//! The whole supply of 340,282,366.92 XNO stays in use: representatives hold 326 million of it
//! for themselves, and every other account names one of them. All of it is confirmed, because the
//! holder of the genesis key decided it alone.

use std::sync::atomic::AtomicBool;

use nano_core::{
    Account, Block, BlockHash, ChangeBlock, Epoch, Link, OpenBlock, PrivateKey, Raw, ReceiveBlock,
    SendBlock, Signature, StateBlock, WorkNonce,
};

use crate::DevKeys;
use crate::ledger::{Ledger, ProcessError};
use crate::work;

/// What each representative holds for itself, in million XNO, heaviest first. Uneven, so that the
/// quorum (67 % of 340 million) needs at least five of them and never just any five.
pub(crate) const REPRESENTATIVE_MILLIONS: [u128; DevKeys::REPRESENTATIVES as usize] =
    [64, 53, 44, 37, 31, 26, 22, 18, 13, 9, 6, 3];

/// What the faucet starts with, in XNO.
const FAUCET_NANO: u128 = 10_000_000;

/// Builds the standard distribution on top of a ledger that holds only the genesis block; gives
/// the blocks in the order they went in.
///
/// # Errors
/// [`ProcessError`] when a block does not fit, which would be a fault of this file.
pub(crate) fn build(ledger: &mut Ledger, local_timestamp: u64) -> Result<Vec<Block>, ProcessError> {
    let mut builder = Builder {
        ledger,
        local_timestamp,
        blocks: Vec::new(),
    };
    builder.legacy_samples()?;
    builder.upgrade_genesis()?;
    builder.representatives_and_faucet()?;
    builder.state_samples()?;
    Ok(builder.blocks)
}

struct Builder<'a> {
    ledger: &'a mut Ledger,
    local_timestamp: u64,
    blocks: Vec<Block>,
}

impl Builder<'_> {
    fn legacy_samples(&mut self) -> Result<(), ProcessError> {
        let genesis = DevKeys::genesis();
        let legacy = DevKeys::sample(DevKeys::SAMPLE_LEGACY);
        let opened = DevKeys::sample(DevKeys::SAMPLE_LEGACY_OPEN);
        let mixed = DevKeys::sample(DevKeys::SAMPLE_MIXED);
        let to_legacy = self.send(&genesis, legacy.account(), nano(5_000))?;
        let to_legacy_again = self.send(&genesis, legacy.account(), nano(250))?;
        let to_mixed = self.send(&genesis, mixed.account(), nano(700))?;

        self.legacy_open(&legacy, to_legacy, &DevKeys::representative(2))?;
        self.legacy_change(&legacy, &DevKeys::representative(4))?;
        let legacy_send = self.legacy_send(&legacy, opened.account(), nano(1_200))?;
        self.legacy_receive(&legacy, to_legacy_again)?;

        self.legacy_open(&opened, legacy_send, &DevKeys::representative(5))?;

        self.legacy_open(&mixed, to_mixed, &DevKeys::representative(3))?;
        self.legacy_send(&mixed, genesis.account(), nano(50))?;
        Ok(())
    }

    fn upgrade_genesis(&mut self) -> Result<(), ProcessError> {
        let genesis = DevKeys::genesis();
        for epoch in Epoch::ALL {
            let (previous, representative, balance) = self.state(&genesis.account());
            self.state_block(&genesis, previous, representative, balance, epoch.link())?;
        }
        Ok(())
    }

    fn representatives_and_faucet(&mut self) -> Result<(), ProcessError> {
        let genesis = DevKeys::genesis();
        for (key, millions) in DevKeys::representatives()
            .iter()
            .zip(REPRESENTATIVE_MILLIONS)
        {
            let send = self.send(&genesis, key.account(), nano(millions * 1_000_000))?;
            self.receive(key, send, key.account())?;
        }
        let faucet = DevKeys::faucet();
        let send = self.send(&genesis, faucet.account(), nano(FAUCET_NANO))?;
        self.receive(&faucet, send, DevKeys::representative(7).account())?;
        // What is left on the genesis account votes through the heaviest representative.
        self.change(&genesis, DevKeys::representative(0).account())?;
        Ok(())
    }

    fn state_samples(&mut self) -> Result<(), ProcessError> {
        let genesis = DevKeys::genesis();
        let state = DevKeys::sample(DevKeys::SAMPLE_STATE);
        let mixed = DevKeys::sample(DevKeys::SAMPLE_MIXED);
        let unopened = DevKeys::sample(DevKeys::SAMPLE_UNOPENED);
        let waiting = DevKeys::sample(DevKeys::SAMPLE_WAITING);
        let one = DevKeys::representative(1).account();

        let send = self.send(&genesis, state.account(), nano(1_234_567))?;
        self.receive(&state, send, one)?;
        self.change(&state, DevKeys::representative(6).account())?;
        let to_mixed = self.send(&state, mixed.account(), nano(4_321))?;
        let to_waiting = self.send(&state, waiting.account(), nano(99))?;
        self.receive(&mixed, to_mixed, DevKeys::representative(8).account())?;
        let back = self.send(&mixed, state.account(), nano(21))?;
        self.receive(&state, back, DevKeys::representative(6).account())?;
        self.receive(&waiting, to_waiting, DevKeys::representative(9).account())?;

        for (account, amount) in [
            (unopened.account(), nano(10)),
            (unopened.account(), nano(20)),
            (unopened.account(), Raw::new(1)),
            (waiting.account(), nano(7)),
        ] {
            self.send(&genesis, account, amount)?;
        }
        Ok(())
    }

    fn state(&self, account: &Account) -> (BlockHash, Account, Raw) {
        self.ledger
            .account(account)
            .zip(self.ledger.head(account))
            .map_or(
                (BlockHash::ZERO, Account::ZERO, Raw::ZERO),
                |(info, head)| (info.head, head.representative, head.balance),
            )
    }

    fn send(
        &mut self,
        key: &PrivateKey,
        destination: Account,
        amount: Raw,
    ) -> Result<BlockHash, ProcessError> {
        let (previous, representative, balance) = self.state(&key.account());
        let left = balance.checked_sub(amount).unwrap_or_default();
        self.state_block(key, previous, representative, left, destination.into())
    }

    fn receive(
        &mut self,
        key: &PrivateKey,
        send: BlockHash,
        representative: Account,
    ) -> Result<BlockHash, ProcessError> {
        let (previous, _, balance) = self.state(&key.account());
        let sum = balance.checked_add(self.amount(&send)).unwrap_or_default();
        self.state_block(key, previous, representative, sum, send.into())
    }

    fn change(&mut self, key: &PrivateKey, to: Account) -> Result<BlockHash, ProcessError> {
        let (previous, _, balance) = self.state(&key.account());
        self.state_block(key, previous, to, balance, Link::ZERO)
    }

    fn legacy_open(
        &mut self,
        key: &PrivateKey,
        source: BlockHash,
        representative: &PrivateKey,
    ) -> Result<BlockHash, ProcessError> {
        self.put(
            key,
            OpenBlock {
                source,
                representative: representative.account(),
                account: key.account(),
                signature: Signature::ZERO,
                work: WorkNonce::default(),
            },
        )
    }

    fn legacy_change(
        &mut self,
        key: &PrivateKey,
        representative: &PrivateKey,
    ) -> Result<BlockHash, ProcessError> {
        self.put(
            key,
            ChangeBlock {
                previous: self.state(&key.account()).0,
                representative: representative.account(),
                signature: Signature::ZERO,
                work: WorkNonce::default(),
            },
        )
    }

    fn legacy_send(
        &mut self,
        key: &PrivateKey,
        destination: Account,
        amount: Raw,
    ) -> Result<BlockHash, ProcessError> {
        let (previous, _, balance) = self.state(&key.account());
        self.put(
            key,
            SendBlock {
                previous,
                destination,
                balance: balance.checked_sub(amount).unwrap_or_default(),
                signature: Signature::ZERO,
                work: WorkNonce::default(),
            },
        )
    }

    fn legacy_receive(
        &mut self,
        key: &PrivateKey,
        source: BlockHash,
    ) -> Result<BlockHash, ProcessError> {
        self.put(
            key,
            ReceiveBlock {
                previous: self.state(&key.account()).0,
                source,
                signature: Signature::ZERO,
                work: WorkNonce::default(),
            },
        )
    }

    fn state_block(
        &mut self,
        key: &PrivateKey,
        previous: BlockHash,
        representative: Account,
        balance: Raw,
        link: Link,
    ) -> Result<BlockHash, ProcessError> {
        let account = key.account();
        self.put(
            key,
            StateBlock::unsigned(account, previous, representative, balance, link),
        )
    }

    fn amount(&self, send: &BlockHash) -> Raw {
        self.ledger
            .entry(send)
            .map_or(Raw::ZERO, |entry| entry.amount)
    }

    /// Signs, works, and puts the block into the ledger as confirmed.
    fn put(
        &mut self,
        key: &PrivateKey,
        block: impl Into<Block>,
    ) -> Result<BlockHash, ProcessError> {
        let mut block = block.into();
        block.set_signature(key.sign(block.hash().as_bytes()));
        let needed = Ledger::NETWORK.work_thresholds().ample();
        let nonce = work::find(&block.root(), needed, &AtomicBool::new(false));
        block.set_work(nonce.unwrap_or_default());
        let hash = self.ledger.process(block, self.local_timestamp)?;
        self.ledger.confirm(&hash);
        self.blocks.push(block);
        Ok(hash)
    }
}

const fn nano(number: u128) -> Raw {
    Raw::new(number * Raw::NANO.number())
}
