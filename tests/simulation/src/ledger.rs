//! A stand-in for the full nodes behind a bridge: a small ledger of account chains whose blocks
//! are confirmed by representatives with known keys.

use std::collections::BTreeMap;

use nano_core::proof::Certificate;
use nano_core::{
    Account, Block, BlockHash, Link, Network, PrivateKey, Raw, StateBlock, UnixMillis, WeightTable,
    WorkNonce,
};
use nanonet::testing::{TestChain, TestKeys};
use nanonet::{
    AccountRecord, Identity, Input, ReceivableRecord, RelayRefusal, ResolveOutcome, Sighting,
};

/// Which representatives vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voters {
    /// Everyone.
    All,
    /// The heaviest so many.
    Heaviest(usize),
    /// Everyone but the heaviest.
    WithoutLargest,
}

/// The ledger with its representatives.
pub struct Ledger {
    /// Who votes for what is confirmed.
    pub voters: Voters,
    keys: TestKeys,
    chains: BTreeMap<Account, TestChain>,
    /// Sends by destination: whose chain, and where in it.
    sends: BTreeMap<Account, Vec<(Account, usize)>>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::with(Voters::All, 0)
    }

    /// An empty ledger with weights of this age, for which these vote.
    pub fn with(voters: Voters, weights_age_ms: u64) -> Self {
        let keys = TestKeys::new();
        let mut weights = keys.weights().clone();
        weights.as_of = UnixMillis::new(weights.as_of.number() - weights_age_ms);
        let representatives = keys.representatives().iter();
        let representatives =
            representatives.map(|key| PrivateKey::from_bytes(*key.secret_bytes()));
        Self {
            voters,
            keys: TestKeys::with(representatives.collect(), weights),
            chains: BTreeMap::new(),
            sends: BTreeMap::new(),
        }
    }

    /// Weights to check its proofs against.
    pub fn weights(&self) -> WeightTable {
        self.keys.weights().clone()
    }

    /// Opens account `place` with `nano` nano.
    pub fn open(&mut self, place: u64, nano: u128) -> Account {
        let chain = TestChain::open(place, Raw::new(nano * Raw::NANO.number()));
        let account = chain.account();
        self.chains.insert(account, chain);
        account
    }

    /// The chain of an account.
    pub fn chain(&self, account: &Account) -> &TestChain {
        &self.chains[account]
    }

    /// The balance of an account.
    pub fn balance(&self, account: &Account) -> Raw {
        self.chains[account].balance()
    }

    /// A send inside the ledger, as if published elsewhere.
    pub fn send(&mut self, from: &Account, to: &Account, nano: u128) -> BlockHash {
        let amount = Raw::new(nano * Raw::NANO.number());
        let chain = self.chains.get_mut(from).unwrap();
        let hash = chain.send(to, amount);
        let height = chain.blocks().len() - 1;
        self.sends.entry(*to).or_default().push((*from, height));
        hash
    }

    /// A signed send with work that is not in the ledger yet.
    pub fn build_send(&self, from: &Account, to: &Account, nano: u128) -> Block {
        let chain = &self.chains[from];
        let last = chain.blocks().last().unwrap();
        let amount = Raw::new(nano * Raw::NANO.number());
        let left = chain.balance().checked_sub(amount).unwrap();
        let (previous, representative) = (last.hash(), last.representative);
        let send = StateBlock::unsigned(*from, previous, representative, left, Link::from(*to));
        self.complete(send)
    }

    /// Signs a block of one of its accounts and finds work for it.
    pub fn complete(&self, block: StateBlock) -> Block {
        let key = self.chains[&block.account].key();
        let mut block = Block::State(block.sign(key));
        let needed = Network::Dev.work_thresholds().entry_of(&block);
        let root = block.root();
        let work = (0..).map(WorkNonce::new);
        let work = work
            .into_iter()
            .find(|work| work.difficulty(&root) >= needed);
        block.set_work(work.unwrap());
        block
    }

    /// The block of the ledger that was confirmed in the place of `block`.
    pub fn in_place_of(&self, block: &Block) -> Option<BlockHash> {
        let chain = self.chains.get(&block.account()?)?;
        let mut blocks = chain.blocks().iter();
        let winner = blocks.find(|held| Block::State(**held).root() == block.root())?;
        (winner.hash() != block.hash()).then(|| winner.hash())
    }

    /// Takes a published block into the ledger.
    pub fn apply(&mut self, block: Block) -> Result<(), RelayRefusal> {
        let Block::State(state) = &block else {
            return Err(RelayRefusal::LegacyBlock);
        };
        let chain = self.chains.get_mut(&state.account);
        let chain = chain.ok_or(RelayRefusal::NotOnFrontier)?;
        let frontier = chain.blocks().last().unwrap();
        if frontier.hash() == block.hash() {
            return Ok(());
        }
        if frontier.hash() != state.previous {
            return Err(RelayRefusal::NotOnFrontier);
        }
        let amount = chain.balance().checked_sub(state.balance);
        let amount = amount.ok_or(RelayRefusal::Invalid)?;
        let destination = Account::from_bytes(*state.link.as_bytes());
        // Signing is deterministic, so the chain builds the very same block.
        let hash = chain.send(&destination, amount);
        assert_eq!(hash, block.hash());
        let height = chain.blocks().len() - 1;
        let account = state.account;
        self.sends
            .entry(destination)
            .or_default()
            .push((account, height));
        Ok(())
    }

    /// The record of an account's frontier, with lineage from `held` on.
    pub fn record(&self, account: &Account, held: Option<BlockHash>) -> Option<AccountRecord> {
        let chain = self.chains.get(account)?;
        let height = chain.blocks().len() - 1;
        self.record_at(account, height, held)
    }

    /// The record of block `height` of an account.
    pub fn record_at(
        &self,
        account: &Account,
        height: usize,
        held: Option<BlockHash>,
    ) -> Option<AccountRecord> {
        let chain = self.chains.get(account)?;
        let from = held.and_then(|held| chain.blocks().iter().position(|b| b.hash() == held));
        let lineage = from.map_or(0, |from| height.saturating_sub(from)).min(64);
        let mut record = self.keys.record(chain, height, lineage);
        let votes: Vec<_> = record.proof.certificate.to_votes().collect();
        let votes = votes.iter().filter(|vote| self.votes(&vote.representative));
        record.proof.certificate = Certificate::from_votes(votes).ok()?;
        Some(record)
    }

    /// Whether a representative votes.
    fn votes(&self, representative: &Account) -> bool {
        let mut all = self.keys.representatives().iter();
        let rank = all.position(|key| key.account() == *representative);
        match self.voters {
            Voters::All => true,
            Voters::Heaviest(count) => rank.is_some_and(|rank| rank < count),
            Voters::WithoutLargest => rank != Some(0),
        }
    }

    /// The accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.chains.keys()
    }

    /// The record of the frontier for its destination, if it is a send.
    pub fn receivable_of_frontier(&self, account: &Account) -> Option<ReceivableRecord> {
        let chain = self.chains.get(account)?;
        let height = chain.blocks().len() - 1;
        (height > 0).then(|| self.keys.receivable(chain, height))
    }

    /// What a bridge hears when the frontier of an account is confirmed.
    #[must_use]
    pub fn confirmed(&self, account: &Account) -> Option<Input> {
        Some(Input::Confirmed {
            record: Box::new(self.record(account, None)?),
            receivable: self.receivable_of_frontier(account).map(Box::new),
        })
    }

    /// What bridges say together that want what was first to be taken for what is.
    pub fn replay(
        &self,
        bridges: &[Identity],
        now: UnixMillis,
        account: &Account,
    ) -> Option<AccountRecord> {
        let mut record = self.record_at(account, 0, None)?;
        let weight = self.keys.weights().total();
        let (network, hash) = (Network::Dev, Some(record.hash()));
        for bridge in bridges {
            let lie = Sighting::sign(bridge, network, *account, hash, now, weight, weight);
            record.sightings.push(lie);
        }
        Some(record)
    }

    /// What a bridge finds out about an account.
    pub fn resolve(
        &self,
        bridge: &Identity,
        now: UnixMillis,
        account: &Account,
        held: Option<BlockHash>,
    ) -> ResolveOutcome {
        let receivables = self
            .sends
            .get(account)
            .into_iter()
            .flatten()
            .map(|(from, height)| self.keys.receivable(&self.chains[from], *height))
            .collect();
        let weight = self.keys.weights().total();
        let sight = |frontier| {
            let network = Network::Dev;
            Sighting::sign(bridge, network, *account, frontier, now, weight, weight)
        };
        match self.record(account, held) {
            Some(mut record) => {
                record.sightings.push(sight(Some(record.hash())));
                ResolveOutcome::Found {
                    record: Box::new(record),
                    receivables,
                }
            }
            None => ResolveOutcome::Unopened {
                sighting: sight(None),
                receivables,
            },
        }
    }
}
