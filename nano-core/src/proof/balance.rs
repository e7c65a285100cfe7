//! Balance proofs.

use super::certificate::Certificate;
use super::history::{Context, History};
use super::select::{Assembled, assemble};
use super::{MAX_PROOF_BYTES, ProofError, VoteCache};
use crate::{Account, Block, BlockHash, BlockType, Network, Raw, StateBlock, Vote, WeightTable};

const STATE_SIZE: usize = BlockType::State.size();

/// The last block of an account, with what is needed to know account and balance from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frontier {
    /// A state block signed by its account. It says everything itself.
    State(StateBlock),
    /// A state block signed by the epoch signer, with the block before it: an epoch block has to
    /// leave the balance as it was. The history is empty where the epoch block opens the account,
    /// which then has nothing.
    Epoch {
        /// The epoch block.
        block: StateBlock,
        /// From a stated balance (mostly one block) or an open block up to the block before.
        history: History,
    },
    /// A legacy block: the last of a history that begins with the open block.
    Legacy(History),
}

impl Frontier {
    /// The frontier for a state block, with the block before it where there is one: an epoch
    /// frontier if the link is an epoch mark and the balance stays, otherwise a state frontier.
    #[must_use]
    pub fn state(block: StateBlock, previous: Option<Block>) -> Self {
        let unchanged = match &previous {
            Some(previous) => previous.balance() == Some(block.balance),
            None => block.previous.is_zero() && block.balance.is_zero(),
        };
        if block.link.epoch().is_some() && unchanged {
            let history = previous.map(History::from).unwrap_or_default();
            return Self::Epoch { block, history };
        }
        Self::State(block)
    }

    /// The block; `None` in an empty legacy history, which proves nothing.
    #[must_use]
    pub fn block(&self) -> Option<Block> {
        match self {
            Self::State(block) | Self::Epoch { block, .. } => Some(Block::State(*block)),
            Self::Legacy(history) => history.last().copied(),
        }
    }

    /// The account the frontier names, if it names one.
    #[must_use]
    pub fn account(&self) -> Option<Account> {
        match self {
            Self::State(block) | Self::Epoch { block, .. } => Some(block.account),
            Self::Legacy(history) => history.opener().ok(),
        }
    }

    const fn history(&self) -> Option<&History> {
        match self {
            Self::State(_) => None,
            Self::Epoch { history, .. } | Self::Legacy(history) => Some(history),
        }
    }
}

impl From<StateBlock> for Frontier {
    /// A block signed by its account.
    fn from(block: StateBlock) -> Self {
        Self::State(block)
    }
}

/// Proof that a block is confirmed, and with it an account's balance at that block.
///
/// The parts are public for building and for showing; nothing in them is to be believed before
/// [`BalanceProof::verify`] has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceProof {
    /// The network it is about.
    pub network: Network,
    /// The proven block.
    pub frontier: Frontier,
    /// Final votes on it.
    pub certificate: Certificate,
}

/// What a verified proof says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenFrontier {
    /// The account.
    pub account: Account,
    /// The confirmed block's hash.
    pub hash: BlockHash,
    /// The block before; zero for the first block of the account.
    pub previous: BlockHash,
    /// The confirmed block.
    pub block: Block,
    /// Balance after it, in raw.
    pub balance: Raw,
    /// Who votes with the balance. Of a legacy frontier this is as the carried blocks read: there
    /// a receive and a change can be passed off as each other, so it is not proven.
    pub representative: Account,
    /// Weight of the votes, in raw, under the table the proof was checked with.
    pub weight: Raw,
    /// Weight that was needed, in raw.
    pub threshold: Raw,
    /// Who voted, with the weight of each in raw; zero for those the table does not list.
    pub votes: Vec<(Account, Raw)>,
}

impl BalanceProof {
    /// Makes a proof out of whatever votes are at hand: those that are final, list the frontier
    /// (and the sends a legacy balance counts on), and hold; of these the heaviest, preferring
    /// lists that many votes share, until 72 % of the online weight are reached.
    ///
    /// # Errors
    /// [`ProofError::TooLittleWeight`] with the weight reached where votes are still missing, and
    /// what is wrong with the frontier's history.
    pub fn from_votes(
        network: Network,
        frontier: impl Into<Frontier>,
        votes: &[Vote],
        weights: &WeightTable,
    ) -> Result<Assembled<Self>, ProofError> {
        Self::from_votes_cached(network, frontier, votes, weights, &mut VoteCache::new(0))
    }

    /// As [`BalanceProof::from_votes`], skipping the signatures of votes that `cache` has seen
    /// hold: votes that were asked for together serve many proofs.
    ///
    /// # Errors
    /// As [`BalanceProof::from_votes`].
    pub fn from_votes_cached(
        network: Network,
        frontier: impl Into<Frontier>,
        votes: &[Vote],
        weights: &WeightTable,
        cache: &mut VoteCache,
    ) -> Result<Assembled<Self>, ProofError> {
        let frontier = frontier.into();
        let hashes = needed_hashes(&frontier)?;
        let (certificate, weight) = assemble(&hashes, votes, weights, cache)?;
        let proof = Self {
            network,
            frontier,
            certificate,
        };
        proof.check_form()?;
        Ok(Assembled { proof, weight })
    }

    /// The account it claims to be about; zero where it names none.
    #[must_use]
    pub fn account(&self) -> Account {
        self.frontier.account().unwrap_or(Account::ZERO)
    }

    /// The hash of the block it claims to prove; zero where there is none.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.frontier
            .block()
            .map_or(BlockHash::ZERO, |block| block.hash())
    }

    /// Checks everything (module documentation) and tells what is proven about `account`.
    ///
    /// # Errors
    /// The first [`ProofError`] found; cheap checks come first.
    pub fn verify(
        &self,
        account: &Account,
        network: Network,
        weights: &WeightTable,
    ) -> Result<ProvenFrontier, ProofError> {
        self.verify_cached(account, network, weights, &mut VoteCache::new(0))
    }

    /// As [`BalanceProof::verify`], skipping the signatures of votes that `cache` has seen hold.
    ///
    /// # Errors
    /// As [`BalanceProof::verify`].
    pub fn verify_cached(
        &self,
        account: &Account,
        network: Network,
        weights: &WeightTable,
        cache: &mut VoteCache,
    ) -> Result<ProvenFrontier, ProofError> {
        check_network(self.network, network, weights)?;
        self.check_form()?;
        let hashes = needed_hashes(&self.frontier)?;
        let named = match &self.frontier {
            Frontier::State(block) | Frontier::Epoch { block, .. } => block.account,
            Frontier::Legacy(history) => history.opener()?,
        };
        if named != *account {
            return Err(ProofError::WrongAccount {
                proof: named,
                asked: *account,
            });
        }
        let context = Context {
            network,
            votes: &self.certificate,
        };
        let (block, balance, representative) = match &self.frontier {
            Frontier::State(block) => (Block::State(*block), block.balance, block.representative),
            Frontier::Epoch { block, history } => {
                check_epoch(block, history, &context)?;
                (Block::State(*block), block.balance, block.representative)
            }
            Frontier::Legacy(history) => {
                let block = *history
                    .last()
                    .ok_or(ProofError::LegacyChainBroken("there is no block"))?;
                let balance = history.balance(account, &context)?;
                (block, balance, history.representative())
            }
        };
        let counted = self.certificate.verify(&hashes, weights, cache)?;
        let signer = match &self.frontier {
            Frontier::Epoch { block, .. } => block.signer(network, block.balance),
            Frontier::State(_) | Frontier::Legacy(_) => account.public_key(),
        };
        block
            .verify(&signer)
            .map_err(ProofError::BadBlockSignature)?;
        Ok(ProvenFrontier {
            account: *account,
            hash: block.hash(),
            previous: block.previous().unwrap_or(BlockHash::ZERO),
            block,
            balance,
            representative,
            weight: counted.weight,
            threshold: counted.threshold,
            votes: counted.votes,
        })
    }

    /// The limits of every decoder.
    pub(super) fn check_form(&self) -> Result<(), ProofError> {
        self.certificate.check_form()?;
        if let Some(history) = self.frontier.history() {
            history.check_form()?;
        }
        match self.size() {
            size if size > MAX_PROOF_BYTES => Err(ProofError::too_large(size)),
            _ => Ok(()),
        }
    }

    /// Bytes of the binary form.
    pub(super) fn size(&self) -> usize {
        let frontier = match &self.frontier {
            Frontier::State(_) => STATE_SIZE,
            Frontier::Epoch { history, .. } => STATE_SIZE + history.size(),
            Frontier::Legacy(history) => history.size(),
        };
        4 + frontier + self.certificate.size()
    }
}

/// The network asked about, the proof's and the table's have to be one.
pub(super) fn check_network(
    proof: Network,
    asked: Network,
    weights: &WeightTable,
) -> Result<(), ProofError> {
    for asked in [asked, weights.network] {
        if proof != asked {
            return Err(ProofError::WrongNetwork { proof, asked });
        }
    }
    Ok(())
}

/// What every vote has to list.
fn needed_hashes(frontier: &Frontier) -> Result<Vec<BlockHash>, ProofError> {
    let block = frontier
        .block()
        .ok_or(ProofError::LegacyChainBroken("there is no block"))?;
    let mut hashes = vec![block.hash()];
    if let Some(history) = frontier.history() {
        hashes.extend(history.counted_sends());
    }
    Ok(hashes)
}

/// An epoch block is marked as one and leaves balance and representative as they were.
fn check_epoch(
    block: &StateBlock,
    history: &History,
    context: &Context<'_>,
) -> Result<(), ProofError> {
    let refused = |why| Err(ProofError::NotAnEpochBlock(why));
    if block.link.epoch().is_none() {
        return refused("its link is not an epoch mark");
    }
    let Some(last) = history.last() else {
        if !block.previous.is_zero() {
            return refused("the block before it is not carried");
        }
        if !block.balance.is_zero() || !block.representative.is_zero() {
            return refused("it opens an account with a balance or a representative");
        }
        return Ok(());
    };
    if last.hash() != block.previous {
        return refused("the carried block is not the one before it");
    }
    if history.balance(&block.account, context)? != block.balance {
        return refused("it changes the balance");
    }
    if let Block::State(last) = last
        && (last.account != block.account || last.representative != block.representative)
    {
        return refused("it changes the account or the representative");
    }
    Ok(())
}
