//! A stand-in for the Nano network in tests: representatives with known keys, accounts with
//! chains of blocks, and proofs of them.
//!
//! Everything is derived from numbers, so one test is always the same test. Exists in tests and
//! with the feature `adversary` only: whoever holds these keys can prove anything to a node that
//! uses this weight table.

use nano_core::proof::{BalanceProof, Certificate, Frontier, ReceivableProof};
use nano_core::{
    Account, Block, BlockHash, Link, Network, PrivateKey, Raw, StateBlock, UnixMillis, Vote,
    VoteTimestamp, WeightTable,
};

use crate::{AccountRecord, Identity, ReceivableRecord, Rng};

/// Weight of each stand-in representative in million nano, heaviest first: 100 in all, uneven, so
/// that it matters whose votes are in a proof.
const MILLIONS: [u128; 10] = [25, 18, 14, 11, 9, 8, 6, 4, 3, 2];

/// A time at which tests may start: 2026-01-01 UTC.
pub const TEST_TIME: UnixMillis = UnixMillis::new(1_767_225_600_000);

/// Representatives that vote for whatever a test wants, with their weight table.
pub struct TestKeys {
    representatives: Vec<PrivateKey>,
    weights: WeightTable,
}

impl TestKeys {
    /// Ten representatives of the development network, 100 million nano together; the threshold
    /// is 67 million.
    #[must_use]
    pub fn new() -> Self {
        let representatives: Vec<PrivateKey> = (0..10).map(|place| key(b'r', place)).collect();
        let million = |millions: u128| Raw::new(millions * 1_000_000 * Raw::NANO.number());
        let weights = WeightTable {
            network: Network::Dev,
            as_of: TEST_TIME,
            online_weight: million(100),
            minimum: million(60),
            weights: representatives
                .iter()
                .zip(MILLIONS)
                .map(|(key, millions)| (key.account(), million(millions)))
                .collect(),
        };
        Self::with(representatives, weights)
    }

    /// Representatives whose keys are known from elsewhere, with the table that lists them.
    #[must_use]
    pub const fn with(representatives: Vec<PrivateKey>, weights: WeightTable) -> Self {
        Self {
            representatives,
            weights,
        }
    }

    /// The table to check their proofs against.
    #[must_use]
    pub const fn weights(&self) -> &WeightTable {
        &self.weights
    }

    /// The representatives' keys, heaviest first where made by [`TestKeys::new`].
    #[must_use]
    pub fn representatives(&self) -> &[PrivateKey] {
        &self.representatives
    }

    /// Every representative's vote for `hashes`.
    #[must_use]
    pub fn votes(&self, timestamp: VoteTimestamp, hashes: &[BlockHash]) -> Vec<Vote> {
        self.representatives
            .iter()
            .map(|key| Vote::sign(key, timestamp, hashes.to_vec()))
            .collect()
    }

    /// The record of block `height` of `chain` (0 = the opening) with all final votes and the
    /// `lineage` blocks before it, without sightings.
    #[must_use]
    pub fn record(&self, chain: &TestChain, height: usize, lineage: usize) -> AccountRecord {
        let block = &chain.blocks[height];
        let older = height.saturating_sub(lineage)..height;
        AccountRecord {
            proof: self.prove(*block),
            lineage: chain.blocks[older]
                .iter()
                .copied()
                .map(Block::State)
                .collect(),
            sightings: Vec::new(),
        }
    }

    /// The record of the send at `height` (from 1 on) of `chain` for its destination.
    #[must_use]
    pub fn receivable(&self, chain: &TestChain, height: usize) -> ReceivableRecord {
        let send = chain.blocks[height];
        ReceivableRecord {
            proof: ReceivableProof {
                network: self.weights.network,
                send: Block::State(send),
                history: Block::State(chain.blocks[height - 1]).into(),
                certificate: self.certificate(send.hash()),
            },
        }
    }

    /// The proof of a frontier by every representative's final vote.
    #[must_use]
    pub fn prove(&self, frontier: impl Into<Frontier>) -> BalanceProof {
        let frontier = frontier.into();
        let hash = frontier
            .block()
            .map_or(BlockHash::ZERO, |block| block.hash());
        BalanceProof {
            network: self.weights.network,
            frontier,
            certificate: self.certificate(hash),
        }
    }

    /// All votes for one block, not only as many as are needed.
    fn certificate(&self, hash: BlockHash) -> Certificate {
        Certificate::from_votes(&self.final_votes(hash)).unwrap_or_default()
    }

    /// Every representative's final vote for one block.
    #[must_use]
    pub fn final_votes(&self, hash: BlockHash) -> Vec<Vote> {
        self.votes(VoteTimestamp::FINAL, &[hash])
    }
}

impl Default for TestKeys {
    fn default() -> Self {
        Self::new()
    }
}

/// The private key of stand-in account `place`.
#[must_use]
pub fn account_key(place: u64) -> PrivateKey {
    key(b'a', place)
}

fn key(kind: u8, place: u64) -> PrivateKey {
    let mut bytes = [kind; 32];
    bytes[24..].copy_from_slice(&place.to_be_bytes());
    PrivateKey::from_bytes(bytes)
}

/// A bridge that can sign sightings; `place` tells bridges apart.
#[must_use]
pub fn bridge(place: u8) -> Identity {
    Identity::generate(&mut Rng::from_seed([place; 32]))
}

/// The account of a test, with all its state blocks.
pub struct TestChain {
    key: PrivateKey,
    representative: Account,
    blocks: Vec<StateBlock>,
}

impl TestChain {
    /// An account opened by receiving `balance` from a send that nobody knows.
    #[must_use]
    pub fn open(place: u64, balance: Raw) -> Self {
        let mut chain = Self {
            key: account_key(place),
            representative: key(b'r', 0).account(),
            blocks: Vec::new(),
        };
        let mut source = [0xEE; 32];
        source[24..].copy_from_slice(&place.to_be_bytes());
        chain.push(balance, Link::from_bytes(source));
        chain
    }

    /// The same, but with a chain of `length` blocks: after the opening each sends one raw away.
    #[must_use]
    pub fn of_length(place: u64, balance: Raw, length: usize) -> Self {
        let mut chain = Self::open(place, balance);
        while chain.blocks.len() < length {
            chain.send(&account_key(u64::MAX).account(), Raw::new(1));
        }
        chain
    }

    /// A copy that goes its own way from block `height` (0 = the opening) on.
    #[must_use]
    pub fn fork_after(&self, height: usize) -> Self {
        Self {
            key: PrivateKey::from_bytes(*self.key.secret_bytes()),
            representative: key(b'r', 1).account(),
            blocks: self.blocks.iter().take(height + 1).copied().collect(),
        }
    }

    /// Whose chain.
    #[must_use]
    pub fn account(&self) -> Account {
        self.key.account()
    }

    /// The account's private key.
    #[must_use]
    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Its blocks, the opening first.
    #[must_use]
    pub fn blocks(&self) -> &[StateBlock] {
        &self.blocks
    }

    /// Balance after the last block.
    #[must_use]
    pub fn balance(&self) -> Raw {
        self.blocks.last().map_or(Raw::ZERO, |block| block.balance)
    }

    /// Adds a send; more than the balance sends all of it. Returns the block's hash.
    pub fn send(&mut self, destination: &Account, amount: Raw) -> BlockHash {
        let left = self.balance().checked_sub(amount).unwrap_or(Raw::ZERO);
        self.push(left, Link::from(*destination))
    }

    /// Adds a receive of the send `hash`. Returns the block's hash.
    pub fn receive(&mut self, hash: BlockHash, amount: Raw) -> BlockHash {
        let sum = self.balance().checked_add(amount).unwrap_or(Raw::MAX);
        self.push(sum, Link::from(hash))
    }

    fn push(&mut self, balance: Raw, link: Link) -> BlockHash {
        let previous = self.blocks.last().map_or(BlockHash::ZERO, StateBlock::hash);
        let block =
            StateBlock::unsigned(self.account(), previous, self.representative, balance, link)
                .sign(&self.key);
        let hash = block.hash();
        self.blocks.push(block);
        hash
    }
}
