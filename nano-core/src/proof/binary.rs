//! The binary form of proofs, described in the module documentation of [`super`].
//!
//! Nothing is allocated on the word of a count: counts are at most one or two bytes, and the bytes
//! they announce have to be there first.

use super::history::SourceSend;
use super::{
    BalanceProof, Certificate, CertificateVote, Frontier, History, MAX_LEGACY_CHAIN,
    MAX_PROOF_BYTES, MAX_SOURCE_CHAIN, MAX_SOURCES, MAX_VOTES, ProofError, ReceivableProof,
    VERSION, VoteList,
};
use crate::cursor::Cursor;
use crate::{Account, Block, BlockHash, BlockType, Network, Signature, StateBlock, VoteTimestamp};

const STATE: u8 = 0;
const EPOCH: u8 = 1;
const LEGACY: u8 = 2;
const RECEIVABLE: u8 = 3;
const FINAL: u8 = 0;
const NOT_FINAL: u8 = 1;
const VOTE_SIZE: usize = 97;

const CUT: ProofError = ProofError::Malformed("bytes are missing");

impl BalanceProof {
    /// The binary form.
    ///
    /// # Errors
    /// What every decoder would refuse: [`ProofError::Malformed`], [`ProofError::TooLarge`],
    /// [`ProofError::LegacyChainTooLong`]. Never for a proof that was decoded, assembled or
    /// verified.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProofError> {
        self.check_form()?;
        let mut bytes = Vec::with_capacity(self.size());
        match &self.frontier {
            Frontier::State(block) => {
                put_head(&mut bytes, STATE, self.network);
                Block::State(*block).append_to(&mut bytes);
            }
            Frontier::Epoch { block, history } => {
                put_head(&mut bytes, EPOCH, self.network);
                Block::State(*block).append_to(&mut bytes);
                put_history(&mut bytes, history)?;
            }
            Frontier::Legacy(history) => {
                put_head(&mut bytes, LEGACY, self.network);
                put_history(&mut bytes, history)?;
            }
        }
        put_certificate(&mut bytes, &self.certificate)?;
        Ok(bytes)
    }

    /// Reads the binary form; `bytes` must be exactly one proof. Nothing is verified.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], [`ProofError::TooLarge`], [`ProofError::UnknownVersion`] or
    /// [`ProofError::LegacyChainTooLong`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let (kind, network, mut cursor) = take_head(bytes)?;
        let frontier = match kind {
            STATE => Frontier::State(take_state(&mut cursor)?),
            EPOCH => Frontier::Epoch {
                block: take_state(&mut cursor)?,
                history: take_history(&mut cursor)?,
            },
            LEGACY => Frontier::Legacy(take_history(&mut cursor)?),
            _ => return Err(ProofError::Malformed("not the kind of a balance proof")),
        };
        let proof = Self {
            network,
            frontier,
            certificate: take_certificate(&mut cursor)?,
        };
        take_end(&cursor)?;
        proof.check_form()?;
        Ok(proof)
    }
}

impl ReceivableProof {
    /// The binary form.
    ///
    /// # Errors
    /// As [`BalanceProof::to_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProofError> {
        self.check_form()?;
        let mut bytes = Vec::with_capacity(self.size());
        put_head(&mut bytes, RECEIVABLE, self.network);
        put_block(&mut bytes, &self.send);
        put_history(&mut bytes, &self.history)?;
        put_certificate(&mut bytes, &self.certificate)?;
        Ok(bytes)
    }

    /// Reads the binary form; `bytes` must be exactly one proof. Nothing is verified.
    ///
    /// # Errors
    /// As [`BalanceProof::from_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let (kind, network, mut cursor) = take_head(bytes)?;
        if kind != RECEIVABLE {
            return Err(ProofError::Malformed("not the kind of a receivable proof"));
        }
        let proof = Self {
            network,
            send: take_block(&mut cursor)?,
            history: take_history(&mut cursor)?,
            certificate: take_certificate(&mut cursor)?,
        };
        take_end(&cursor)?;
        proof.check_form()?;
        Ok(proof)
    }
}

fn put_head(bytes: &mut Vec<u8>, kind: u8, network: Network) {
    bytes.extend([VERSION, kind]);
    bytes.extend(network.id());
}

fn take_head(bytes: &[u8]) -> Result<(u8, Network, Cursor<'_>), ProofError> {
    if bytes.len() > MAX_PROOF_BYTES {
        return Err(ProofError::too_large(bytes.len()));
    }
    let mut cursor = Cursor::new(bytes);
    let version = cursor.byte().ok_or(CUT)?;
    if version != VERSION {
        return Err(ProofError::UnknownVersion(version));
    }
    let kind = cursor.byte().ok_or(CUT)?;
    let network = Network::from_id(cursor.array().ok_or(CUT)?)
        .ok_or(ProofError::Malformed("an unknown network"))?;
    Ok((kind, network, cursor))
}

fn take_end(cursor: &Cursor<'_>) -> Result<(), ProofError> {
    match cursor.remaining() {
        0 => Ok(()),
        _ => Err(ProofError::Malformed("bytes are left over")),
    }
}

fn put_block(bytes: &mut Vec<u8>, block: &Block) {
    bytes.push(block.block_type().number());
    block.append_to(bytes);
}

fn take_block(cursor: &mut Cursor<'_>) -> Result<Block, ProofError> {
    let kind = BlockType::from_number(cursor.byte().ok_or(CUT)?)
        .ok_or(ProofError::Malformed("an unknown block type"))?;
    take_untyped(cursor, kind)
}

fn take_untyped(cursor: &mut Cursor<'_>, kind: BlockType) -> Result<Block, ProofError> {
    let bytes = cursor.slice(kind.size()).ok_or(CUT)?;
    Block::parse(kind, bytes).map_err(|_| CUT)
}

fn take_state(cursor: &mut Cursor<'_>) -> Result<StateBlock, ProofError> {
    match take_untyped(cursor, BlockType::State)? {
        Block::State(block) => Ok(block),
        _ => Err(CUT),
    }
}

fn put_blocks(bytes: &mut Vec<u8>, blocks: &[Block]) -> Result<(), ProofError> {
    bytes.push(count(blocks.len())?);
    for block in blocks {
        put_block(bytes, block);
    }
    Ok(())
}

fn take_blocks(cursor: &mut Cursor<'_>, limit: usize) -> Result<Vec<Block>, ProofError> {
    let count = usize::from(cursor.byte().ok_or(CUT)?);
    if count > limit {
        return Err(ProofError::LegacyChainTooLong(count));
    }
    (0..count).map(|_| take_block(cursor)).collect()
}

fn put_history(bytes: &mut Vec<u8>, history: &History) -> Result<(), ProofError> {
    put_blocks(bytes, &history.blocks)?;
    bytes.push(count(history.sources.len())?);
    for source in &history.sources {
        put_block(bytes, &source.send);
        put_blocks(bytes, &source.before)?;
    }
    Ok(())
}

fn take_history(cursor: &mut Cursor<'_>) -> Result<History, ProofError> {
    let blocks = take_blocks(cursor, MAX_LEGACY_CHAIN)?;
    let count = usize::from(cursor.byte().ok_or(CUT)?);
    if count > MAX_SOURCES {
        return Err(ProofError::Malformed("more than 64 source sends"));
    }
    let sources = (0..count)
        .map(|_| {
            Ok(SourceSend {
                send: take_block(cursor)?,
                before: take_blocks(cursor, MAX_SOURCE_CHAIN)?,
            })
        })
        .collect::<Result<_, ProofError>>()?;
    Ok(History { blocks, sources })
}

fn put_certificate(bytes: &mut Vec<u8>, certificate: &Certificate) -> Result<(), ProofError> {
    put_count(bytes, certificate.lists.len())?;
    for list in &certificate.lists {
        if list.timestamp.is_final() {
            bytes.push(FINAL);
        } else {
            bytes.push(NOT_FINAL);
            bytes.extend(list.timestamp.packed().to_be_bytes());
        }
        bytes.push(count(list.hashes.len())?);
        for hash in &list.hashes {
            bytes.extend(hash.as_bytes());
        }
    }
    put_count(bytes, certificate.votes.len())?;
    for vote in &certificate.votes {
        bytes.push(vote.list);
        bytes.extend(vote.representative.as_bytes());
        bytes.extend(vote.signature.as_bytes());
    }
    Ok(())
}

fn take_certificate(cursor: &mut Cursor<'_>) -> Result<Certificate, ProofError> {
    let lists = (0..take_count(cursor)?)
        .map(|_| take_list(cursor))
        .collect::<Result<_, _>>()?;
    let count = take_count(cursor)?;
    let votes = cursor.pieces::<VOTE_SIZE>(count).ok_or(CUT)?;
    let votes = votes
        .iter()
        .map(|vote| take_vote(&mut Cursor::new(vote)).ok_or(CUT))
        .collect::<Result<_, _>>()?;
    Ok(Certificate { lists, votes })
}

fn take_list(cursor: &mut Cursor<'_>) -> Result<VoteList, ProofError> {
    let mark = cursor.byte().ok_or(CUT)?;
    let timestamp = match mark {
        FINAL => VoteTimestamp::FINAL,
        NOT_FINAL => VoteTimestamp::from_packed(u64::from_be_bytes(cursor.array().ok_or(CUT)?)),
        _ => {
            return Err(ProofError::Malformed(
                "a list that is neither final nor not",
            ));
        }
    };
    if mark == NOT_FINAL && timestamp.is_final() {
        return Err(ProofError::Malformed("a final time not marked as final"));
    }
    let count = usize::from(cursor.byte().ok_or(CUT)?);
    let hashes = cursor.pieces::<32>(count).ok_or(CUT)?;
    Ok(VoteList {
        timestamp,
        hashes: hashes.iter().copied().map(BlockHash::from_bytes).collect(),
    })
}

fn take_vote(cursor: &mut Cursor<'_>) -> Option<CertificateVote> {
    Some(CertificateVote {
        list: cursor.byte()?,
        representative: Account::from_bytes(cursor.array()?),
        signature: Signature::from_bytes(cursor.array()?),
    })
}

/// A count of at most 255; `check_form` has refused longer ones already.
fn count(length: usize) -> Result<u8, ProofError> {
    u8::try_from(length).map_err(|_| ProofError::Malformed("a list is too long"))
}

fn put_count(bytes: &mut Vec<u8>, length: usize) -> Result<(), ProofError> {
    let count =
        u16::try_from(length).map_err(|_| ProofError::Malformed("more than 256 votes or lists"))?;
    bytes.extend(count.to_be_bytes());
    Ok(())
}

fn take_count(cursor: &mut Cursor<'_>) -> Result<usize, ProofError> {
    let count = usize::from(u16::from_be_bytes(cursor.array().ok_or(CUT)?));
    if count > MAX_VOTES {
        return Err(ProofError::Malformed("more than 256 votes or lists"));
    }
    Ok(count)
}
