//! Receivable proofs: that something was sent to an account.
//!
//! They prove *sent*, not *still receivable*: whether the destination has received it shows only
//! in the destination's own chain.

use super::balance::check_network;
use super::certificate::Certificate;
use super::history::{Context, History, sent};
use super::select::{Assembled, assemble};
use super::{MAX_PROOF_BYTES, ProofError, VoteCache};
use crate::{Account, Block, BlockHash, Network, Raw, Vote, WeightTable};

/// Proof of a confirmed send and its amount.
///
/// The amount is the difference to the balance before, so the block before comes along. Where that
/// is a legacy block that states no balance, the chain goes back to one that does; where the send
/// itself is a legacy block, back to the open block, which names the sender. A block that opens an
/// account sends nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivableProof {
    /// The network it is about.
    pub network: Network,
    /// The send.
    pub send: Block,
    /// Blocks before it; mostly one.
    pub history: History,
    /// Final votes on the send.
    pub certificate: Certificate,
}

/// What a verified proof says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenReceivable {
    /// The send's hash, which a receive has to name.
    pub hash: BlockHash,
    /// Who sent.
    pub source: Account,
    /// Who may receive.
    pub destination: Account,
    /// How much, in raw.
    pub amount: Raw,
    /// Weight of the votes, in raw, under the table the proof was checked with.
    pub weight: Raw,
    /// Weight that was needed, in raw.
    pub threshold: Raw,
    /// Who voted, with the weight of each in raw; zero for those the table does not list.
    pub votes: Vec<(Account, Raw)>,
}

impl ReceivableProof {
    /// Makes a proof out of whatever votes are at hand, as
    /// [`super::BalanceProof::from_votes`] does. `history` is a single [`Block`] in the common case.
    ///
    /// # Errors
    /// [`ProofError::TooLittleWeight`] with the weight reached where votes are still missing, and
    /// what is wrong with the history.
    pub fn from_votes(
        network: Network,
        send: Block,
        history: impl Into<History>,
        votes: &[Vote],
        weights: &WeightTable,
    ) -> Result<Assembled<Self>, ProofError> {
        Self::from_votes_cached(
            network,
            send,
            history,
            votes,
            weights,
            &mut VoteCache::new(0),
        )
    }

    /// As [`ReceivableProof::from_votes`], skipping the signatures of votes that `cache` has seen
    /// hold.
    ///
    /// # Errors
    /// As [`ReceivableProof::from_votes`].
    pub fn from_votes_cached(
        network: Network,
        send: Block,
        history: impl Into<History>,
        votes: &[Vote],
        weights: &WeightTable,
        cache: &mut VoteCache,
    ) -> Result<Assembled<Self>, ProofError> {
        let (certificate, weight) = assemble(&[send.hash()], votes, weights, cache)?;
        let proof = Self {
            network,
            send,
            history: history.into(),
            certificate,
        };
        proof.check_form()?;
        Ok(Assembled { proof, weight })
    }

    /// The hash of the send it claims to prove.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.send.hash()
    }

    /// Where the send claims to go; `None` when the block cannot be a send.
    #[must_use]
    pub fn destination(&self) -> Option<Account> {
        match &self.send {
            Block::Send(block) => Some(block.destination),
            Block::State(block) => Some(block.link.into()),
            Block::Receive(_) | Block::Open(_) | Block::Change(_) => None,
        }
    }

    /// Checks everything (module documentation) and tells what was sent to `destination`.
    ///
    /// # Errors
    /// The first [`ProofError`] found; cheap checks come first.
    pub fn verify(
        &self,
        destination: &Account,
        network: Network,
        weights: &WeightTable,
    ) -> Result<ProvenReceivable, ProofError> {
        self.verify_cached(destination, network, weights, &mut VoteCache::new(0))
    }

    /// As [`ReceivableProof::verify`], skipping the signatures of votes that `cache` has seen
    /// hold.
    ///
    /// # Errors
    /// As [`ReceivableProof::verify`].
    pub fn verify_cached(
        &self,
        destination: &Account,
        network: Network,
        weights: &WeightTable,
        cache: &mut VoteCache,
    ) -> Result<ProvenReceivable, ProofError> {
        check_network(self.network, network, weights)?;
        self.check_form()?;
        let hash = self.send.hash();
        let claimed = self.destination().ok_or(ProofError::NotASend(hash))?;
        if claimed != *destination {
            return Err(ProofError::WrongDestination {
                proof: claimed,
                asked: *destination,
            });
        }
        let source = self.sender()?;
        let context = Context {
            network,
            votes: &self.certificate,
        };
        let before = self.history.balance_before_send(&context)?;
        let (_, amount) = sent(&self.send, before)?;
        let counted = self.certificate.verify(&[hash], weights, cache)?;
        self.send
            .verify(&source.public_key())
            .map_err(ProofError::BadBlockSignature)?;
        Ok(ProvenReceivable {
            hash,
            source,
            destination: *destination,
            amount,
            weight: counted.weight,
            threshold: counted.threshold,
            votes: counted.votes,
        })
    }

    /// Who sends, with the history known to lead up to the send.
    fn sender(&self) -> Result<Account, ProofError> {
        let Some(previous) = self.send.previous() else {
            return Err(ProofError::NotASend(self.send.hash()));
        };
        if self.history.last().map(Block::hash) != Some(previous) {
            return Err(ProofError::LegacyChainBroken(
                "the carried block is not the one before the send",
            ));
        }
        match &self.send {
            Block::State(block) => Ok(block.account),
            _ => self.history.opener(),
        }
    }

    /// The limits of every decoder.
    pub(super) fn check_form(&self) -> Result<(), ProofError> {
        self.certificate.check_form()?;
        self.history.check_form()?;
        match self.size() {
            size if size > MAX_PROOF_BYTES => Err(ProofError::too_large(size)),
            _ => Ok(()),
        }
    }

    /// Bytes of the binary form.
    pub(super) fn size(&self) -> usize {
        let send = 1 + self.send.block_type().size();
        4 + send + self.history.size() + self.certificate.size()
    }
}
