//! Lies a peer can tell about an account, for tests of whoever has to see through them.
//!
//! Exists with the feature `adversary` and in tests only, never in a product build. A lying node
//! answers with [`tamper`]'s bytes in place of the honest record. It holds the private keys of
//! (development) representatives, so that for example a non-final vote is really signed by a real
//! representative: what refuses it must be the rule, not a broken signature.
//!
//! Each kind of lie says by which reason code it has to be refused ([`Tamper::reason`]).

use nano_core::proof::{BalanceProof, Certificate, Frontier, History};
use nano_core::{
    Account, Block, BlockHash, Network, OpenBlock, PrivateKey, Raw, SendBlock, Signature,
    StateBlock, Vote, VoteTimestamp, WorkNonce,
};

use crate::testing::{TestKeys, account_key, bridge};
use crate::{AccountRecord, MAX_RECORD_BYTES, Sighting};

/// A kind of lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tamper {
    /// One vote's signature has a flipped bit.
    WrongVoteSignature,
    /// One representative's vote counts twice.
    RepeatedRepresentative,
    /// One representative's vote is signed by it but not final.
    NotFinalVote,
    /// Only the lightest vote is left.
    TooLittleWeight,
    /// The proof says it is of another network.
    OtherNetwork,
    /// The representatives voted for another network's genesis block.
    OtherNetworksHash,
    /// A legacy block of someone else, with real votes, behind an open block that names the
    /// account asked for, re-signed.
    LegacyResigned,
    /// The right votes, but the block states a higher balance.
    AlteredBalance,
    /// A higher balance in a block that its account did not sign, with real votes on that block.
    UnsignedBlock,
    /// A valid proof of another account.
    OtherAccount,
    /// The votes' hash list does not contain the frontier.
    ListWithoutFrontier,
    /// A valid proof of a frontier that was superseded since.
    OlderProof,
    /// A sighting that the named bridge did not sign.
    ForgedSighting,
    /// Blocks in the lineage that do not lead to the frontier.
    BrokenLineage,
    /// Bytes that begin like a record and go on as anything.
    Garbage,
    /// A record longer than any may be.
    Oversized,
    /// "Never opened", signed by the liar itself, which says that it is a bridge.
    ForgedUnopened,
    /// The honest record, many times over.
    Flood,
}

impl Tamper {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::WrongVoteSignature,
        Self::RepeatedRepresentative,
        Self::NotFinalVote,
        Self::TooLittleWeight,
        Self::OtherNetwork,
        Self::OtherNetworksHash,
        Self::LegacyResigned,
        Self::AlteredBalance,
        Self::UnsignedBlock,
        Self::OtherAccount,
        Self::ListWithoutFrontier,
        Self::OlderProof,
        Self::ForgedSighting,
        Self::BrokenLineage,
        Self::Garbage,
        Self::Oversized,
        Self::ForgedUnopened,
        Self::Flood,
    ];

    /// Kebab-case name, for configuration and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongVoteSignature => "wrong-vote-signature",
            Self::RepeatedRepresentative => "repeated-representative",
            Self::NotFinalVote => "not-final-vote",
            Self::TooLittleWeight => "too-little-weight",
            Self::OtherNetwork => "other-network",
            Self::OtherNetworksHash => "other-networks-hash",
            Self::LegacyResigned => "legacy-resigned",
            Self::AlteredBalance => "altered-balance",
            Self::UnsignedBlock => "unsigned-block",
            Self::OtherAccount => "other-account",
            Self::ListWithoutFrontier => "list-without-frontier",
            Self::OlderProof => "older-proof",
            Self::ForgedSighting => "forged-sighting",
            Self::BrokenLineage => "broken-lineage",
            Self::Garbage => "garbage",
            Self::Oversized => "oversized",
            Self::ForgedUnopened => "forged-unopened",
            Self::Flood => "flood",
        }
    }

    /// The kind with this [`Tamper::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The code by which the lie has to be refused; `None` for a flood, whose records are honest.
    /// An older proof is refused only by who knows the newer one.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::WrongVoteSignature => Some("bad-vote-signature"),
            Self::RepeatedRepresentative => Some("repeated-representative"),
            Self::NotFinalVote => Some("not-final"),
            Self::TooLittleWeight => Some("too-little-weight"),
            Self::OtherNetwork => Some("wrong-network"),
            Self::OtherNetworksHash | Self::AlteredBalance | Self::ListWithoutFrontier => {
                Some("hash-not-in-list")
            }
            Self::LegacyResigned => Some("legacy-chain-broken"),
            Self::UnsignedBlock => Some("bad-block-signature"),
            Self::OtherAccount => Some("wrong-account"),
            Self::OlderProof => Some("superseded"),
            Self::ForgedSighting | Self::ForgedUnopened => Some("bad-sighting"),
            Self::BrokenLineage => Some("lineage-broken"),
            Self::Garbage => Some("malformed"),
            Self::Oversized => Some("too-large"),
            Self::Flood => None,
        }
    }

    /// How often a liar sends it in answer to one question.
    #[must_use]
    pub const fn copies(self) -> u32 {
        match self {
            Self::Flood => 10_000,
            _ => 1,
        }
    }
}

/// The bytes of a lie of this kind in place of `record`. `kept` is an older record of the same
/// account, for [`Tamper::OlderProof`]. A forged "never opened" is no record: the answer around it
/// is the lie, and the bytes stay honest.
///
/// `None` if there is nothing to lie with: no older record, no vote in the record, or, for
/// altered balances, a frontier that is not a state block.
#[must_use]
pub fn tamper(
    kind: Tamper,
    record: &AccountRecord,
    keys: &TestKeys,
    kept: Option<&AccountRecord>,
) -> Option<Vec<u8>> {
    let mut lie = record.clone();
    let certificate = &mut lie.proof.certificate;
    match kind {
        Tamper::WrongVoteSignature => {
            let vote = certificate.votes.first_mut()?;
            vote.signature = flipped(&vote.signature);
        }
        Tamper::RepeatedRepresentative => {
            let vote = *certificate.votes.first()?;
            certificate.votes.push(vote);
        }
        Tamper::NotFinalVote => {
            let mut votes = keys.final_votes(record.hash());
            let normal = VoteTimestamp::normal(1_767_225_600_000, 9);
            let first = keys.representatives().first()?;
            *votes.first_mut()? = Vote::sign(first, normal, vec![record.hash()]);
            *certificate = Certificate::from_votes(&votes).ok()?;
        }
        Tamper::TooLittleWeight => {
            let weights = keys.weights();
            let votes: Vec<Vote> = certificate.to_votes().collect();
            let lightest = votes
                .iter()
                .min_by_key(|vote| weights.weight_of(&vote.representative))?;
            *certificate = Certificate::from_votes([lightest]).ok()?;
        }
        Tamper::OtherNetwork => {
            lie.proof.network = match record.proof.network {
                Network::Live => Network::Beta,
                _ => Network::Live,
            };
        }
        Tamper::OtherNetworksHash => {
            *certificate = voted(keys, &[Network::Live.genesis_hash()])?;
        }
        Tamper::LegacyResigned => {
            lie = AccountRecord::new(legacy_resigned(&record.account(), keys)?)
        }
        Tamper::AlteredBalance => {
            let block = richer(record)?;
            lie.proof.frontier = Frontier::State(block);
        }
        Tamper::UnsignedBlock => {
            let block = richer(record)?;
            lie.proof.frontier = Frontier::State(block);
            lie.proof.certificate = voted(keys, &[block.hash()])?;
            lie.sightings.clear();
        }
        Tamper::OtherAccount => lie = other_account(keys),
        Tamper::ListWithoutFrontier => {
            let neighbours = [[7; 32], [8; 32]].map(BlockHash::from_bytes);
            *certificate = voted(keys, &neighbours)?;
        }
        Tamper::OlderProof => lie = kept?.clone(),
        Tamper::ForgedSighting => lie.sightings = vec![forged_sighting(record)],
        Tamper::BrokenLineage => lie.lineage = vec![record.proof.frontier.block()?],
        Tamper::Garbage => {
            let mut bytes = record.to_bytes();
            bytes.truncate(60);
            return Some(bytes);
        }
        Tamper::Oversized => {
            let mut bytes = record.to_bytes();
            bytes.resize(MAX_RECORD_BYTES + 1, 0);
            return Some(bytes);
        }
        Tamper::ForgedUnopened | Tamper::Flood => {}
    }
    Some(lie.to_bytes())
}

fn voted(keys: &TestKeys, hashes: &[BlockHash]) -> Option<Certificate> {
    Certificate::from_votes(&keys.votes(VoteTimestamp::FINAL, hashes)).ok()
}

fn flipped(signature: &Signature) -> Signature {
    let mut bytes = *signature.as_bytes();
    bytes[0] ^= 1;
    Signature::from_bytes(bytes)
}

/// The record's block with one nano more; its signature stays.
fn richer(record: &AccountRecord) -> Option<StateBlock> {
    let Some(Block::State(mut block)) = record.proof.frontier.block() else {
        return None;
    };
    block.balance = block.balance.checked_add(Raw::NANO).unwrap_or(Raw::MAX);
    Some(block)
}

/// A legacy send of a rich account, really voted for, made to look like the frontier of `account`:
/// its hash names no account, so an open block that does is put in front.
fn legacy_resigned(account: &Account, keys: &TestKeys) -> Option<BalanceProof> {
    let liar = account_key(u64::MAX - 1);
    let rich = send(&liar, BlockHash::from_bytes([9; 32]));
    let open = OpenBlock {
        source: BlockHash::from_bytes([6; 32]),
        representative: liar.account(),
        account: *account,
        signature: Signature::ZERO,
        work: WorkNonce::new(0),
    };
    let history = History {
        blocks: vec![Block::Open(open), rich],
        sources: Vec::new(),
    };
    Some(BalanceProof {
        network: keys.weights().network,
        frontier: Frontier::Legacy(history),
        certificate: voted(keys, &[rich.hash()])?,
    })
}

/// A legacy send that leaves a million nano, signed by `key`.
fn send(key: &PrivateKey, previous: BlockHash) -> Block {
    let mut block = Block::Send(SendBlock {
        previous,
        destination: key.account(),
        balance: Raw::new(1_000_000 * Raw::NANO.number()),
        signature: Signature::ZERO,
        work: WorkNonce::new(0),
    });
    block.set_signature(key.sign(block.hash().as_bytes()));
    block
}

/// A proven account of the liar's own.
fn other_account(keys: &TestKeys) -> AccountRecord {
    let liar = account_key(u64::MAX - 2);
    let block = StateBlock::unsigned(
        liar.account(),
        BlockHash::ZERO,
        liar.account(),
        Raw::new(1_000_000 * Raw::NANO.number()),
        BlockHash::from_bytes([5; 32]).into(),
    )
    .sign(&liar);
    AccountRecord::new(keys.prove(block))
}

/// A sighting signed by one bridge, dated ahead afterwards.
fn forged_sighting(record: &AccountRecord) -> Sighting {
    let weight = Raw::NANO;
    let mut sighting = Sighting::sign(
        &bridge(1),
        record.proof.network,
        record.account(),
        Some(record.hash()),
        crate::testing::TEST_TIME,
        weight,
        weight,
    );
    sighting.at = sighting.at.plus(1000);
    sighting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::{Outcome, Slice, SliceConfig};
    use crate::testing::{TEST_TIME, TestChain};

    /// What an honest node says to these bytes as an answer about `account`: the refusal's code.
    fn judged(
        slice: &mut Slice,
        account: &Account,
        keys: &TestKeys,
        bytes: &[u8],
    ) -> Result<Outcome, &'static str> {
        let record = AccountRecord::from_bytes(bytes).map_err(|error| error.reason())?;
        let outcome = slice.offer_account(TEST_TIME, account, record, keys.weights());
        match outcome.reason() {
            Some(reason) => Err(reason),
            None => Ok(outcome),
        }
    }

    fn slice() -> Slice {
        Slice::new(SliceConfig::new(
            Network::Dev,
            vec![bridge(1).node_key()],
            1 << 20,
        ))
    }

    /// The frontiers that readers get.
    fn shown(slice: &Slice, account: &Account) -> Vec<AccountRecord> {
        let frontiers = slice.get(account).unwrap().frontiers().iter();
        frontiers
            .map(|frontier| frontier.record().clone())
            .collect()
    }

    /// Tells a lie of this kind to one who holds the honest record, and to one who knows nothing.
    fn refused(kind: Tamper) {
        let keys = TestKeys::new();
        let chain = TestChain::of_length(1, Raw::NANO, 3);
        let account = chain.account();
        let (honest, kept) = (keys.record(&chain, 2, 1), keys.record(&chain, 0, 0));
        let lie = tamper(kind, &honest, &keys, Some(&kept)).unwrap();
        let expected = kind.reason().unwrap();

        let mut holder = slice();
        judged(&mut holder, &account, &keys, &honest.to_bytes()).unwrap();
        let before = shown(&holder, &account);
        let answer = judged(&mut holder, &account, &keys, &lie);
        assert!(shown(&holder, &account) == before, "{}", kind.name());
        // Other votes on the very block that is held are not even looked at.
        if answer != Ok(Outcome::AlreadyHeld) {
            assert_eq!(answer, Err(expected));
        }
        if kind != Tamper::OlderProof {
            let mut newcomer = slice();
            assert_eq!(judged(&mut newcomer, &account, &keys, &lie), Err(expected));
            assert_eq!(newcomer.account_count(), 0);
            assert_eq!(newcomer.poll_store(), None);
        }
    }

    #[test]
    fn the_honest_record_is_accepted() {
        let keys = TestKeys::new();
        let chain = TestChain::of_length(1, Raw::NANO, 3);
        let honest = keys.record(&chain, 2, 1).to_bytes();
        let outcome = judged(&mut slice(), &chain.account(), &keys, &honest);
        assert_eq!(outcome, Ok(Outcome::Stored));
    }

    #[test]
    fn a_wrong_vote_signature_is_refused() {
        refused(Tamper::WrongVoteSignature);
    }

    #[test]
    fn a_repeated_representative_is_refused() {
        refused(Tamper::RepeatedRepresentative);
    }

    #[test]
    fn a_vote_that_is_not_final_is_refused_though_its_representative_signed_it() {
        refused(Tamper::NotFinalVote);
    }

    #[test]
    fn too_little_weight_is_refused() {
        refused(Tamper::TooLittleWeight);
    }

    #[test]
    fn a_proof_of_another_network_is_refused() {
        refused(Tamper::OtherNetwork);
    }

    #[test]
    fn votes_for_another_networks_hash_are_refused() {
        refused(Tamper::OtherNetworksHash);
    }

    #[test]
    fn a_legacy_block_signed_again_under_another_account_is_refused() {
        refused(Tamper::LegacyResigned);
    }

    #[test]
    fn the_right_votes_on_an_altered_balance_are_refused() {
        refused(Tamper::AlteredBalance);
    }

    #[test]
    fn a_block_that_its_account_did_not_sign_is_refused_whoever_voted_for_it() {
        refused(Tamper::UnsignedBlock);
    }

    #[test]
    fn another_accounts_proof_is_refused() {
        refused(Tamper::OtherAccount);
    }

    #[test]
    fn a_hash_list_without_the_frontier_is_refused() {
        refused(Tamper::ListWithoutFrontier);
    }

    #[test]
    fn an_older_valid_proof_is_refused_once_the_newer_one_is_known() {
        refused(Tamper::OlderProof);
    }

    #[test]
    fn a_forged_sighting_is_refused() {
        refused(Tamper::ForgedSighting);
    }

    #[test]
    fn a_broken_lineage_is_refused() {
        refused(Tamper::BrokenLineage);
    }

    #[test]
    fn garbage_is_refused() {
        refused(Tamper::Garbage);
    }

    #[test]
    fn an_oversized_record_is_refused() {
        refused(Tamper::Oversized);
    }

    #[test]
    fn a_flood_of_honest_records_changes_nothing() {
        let keys = TestKeys::new();
        let chain = TestChain::of_length(1, Raw::NANO, 3);
        let honest = keys.record(&chain, 2, 1);
        let copy = tamper(Tamper::Flood, &honest, &keys, None).unwrap();
        let mut slice = slice();
        judged(&mut slice, &chain.account(), &keys, &copy).unwrap();
        let bytes = slice.bytes();
        for _ in 0..100 {
            let outcome = judged(&mut slice, &chain.account(), &keys, &copy);
            assert_eq!(outcome, Ok(Outcome::AlreadyHeld));
        }
        assert_eq!(slice.bytes(), bytes);
        assert!(Tamper::Flood.copies() > 1000);
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        for kind in Tamper::ALL {
            assert_eq!(Tamper::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Tamper::from_name("honest"), None);
    }
}
