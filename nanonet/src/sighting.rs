//! A bridge's signed statement of what it saw: when a frontier was still the newest one.
//!
//! A balance proof says what was confirmed, not when. A [`Sighting`] fills that gap: the bridge
//! asked full nodes for anything confirmed after the frontier, and representatives of
//! `weight_answered` out of `weight_asked` answered on the same channels without naming any. With
//! `frontier` absent it says the same of the account's first block: the account looked unopened.
//!
//! Rules:
//!
//! - a sighting is never a proof. It dates a frontier that is proven otherwise;
//! - everyone may carry any bridge's sighting, only those of the reader's own anchors count
//!   ([`freshness`]): carriers do not know whom the reader trusts;
//! - what counts is the newest sighting of each anchor, and of those times the older of the two
//!   newest, so that one anchor alone cannot make a frontier look fresh once two are known; a
//!   single anchor's time is taken as it is, and said so ([`Freshness::anchors`]);
//! - one that lies more than [`CLOCK_SKEW_MS`] in the future does not count, nor one that rests on
//!   so little weight that a quorum for a later block could do without all of it
//!   ([`WeightTable::quorum_rest`], under the reader's own table when the sighting comes in).

use nano_core::{
    Account, BlockHash, Network, Raw, Signature, SignatureError, UnixMillis, WeightTable,
};

use crate::reader::Reader;
use crate::{Identity, NodeKey, Purpose};

/// How far ahead of ours another node's clock may be: two minutes.
pub const CLOCK_SKEW_MS: u64 = 2 * 60 * 1000;

/// Bytes of what is signed: network id, account, frontier, time, two weights, bridge key.
const SIGNED_BYTES: usize = 2 + 32 + 32 + 8 + 16 + 16 + 32;

/// An anchor's or any other bridge's statement about an account's newest confirmed block.
///
/// Binary form, [`Sighting::BYTES`] bytes, numbers most significant byte first: network id (2),
/// account (32), frontier (32, zero for "unopened"), Unix milliseconds (8), weight asked (16),
/// weight answered (16), bridge key (32), signature (64) over `nanonet sighting v1` and all bytes
/// before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Which Nano network.
    pub network: Network,
    /// Whose chain.
    pub account: Account,
    /// The newest confirmed block seen; `None` if none was seen at all.
    pub frontier: Option<BlockHash>,
    /// When, by the bridge's clock.
    pub at: UnixMillis,
    /// Voting weight of the representatives that were asked.
    pub weight_asked: Raw,
    /// Voting weight of those who answered and were silent on what comes after.
    pub weight_answered: Raw,
    /// Who states it.
    pub bridge: NodeKey,
    /// The bridge's signature.
    pub signature: Signature,
}

/// Why a sighting is thrown away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SightingError {
    /// The bytes are not a sighting.
    #[error("the bytes are not a sighting: wrong length or unknown network id; drop them")]
    Malformed,
    /// The signature is not the named bridge's.
    #[error("the sighting is not signed by the bridge it names ({0}); drop it and its sender")]
    Signature(SignatureError),
    /// More weight answered than was asked.
    #[error("the sighting says that more weight answered than was asked; drop it")]
    Weights,
    /// It speaks of another network, account or frontier than the record it came with.
    #[error(
        "the sighting is about another network, account or frontier than its record; drop both"
    )]
    Mismatch,
}

impl Sighting {
    /// Length of the binary form.
    pub const BYTES: usize = SIGNED_BYTES + 64;

    /// States, as bridge `identity`, that `frontier` was the account's newest confirmed block.
    /// More weight answered than asked is cut down to what was asked.
    pub fn sign(
        identity: &Identity,
        network: Network,
        account: Account,
        frontier: Option<BlockHash>,
        at: UnixMillis,
        weight_asked: Raw,
        weight_answered: Raw,
    ) -> Self {
        let mut sighting = Self {
            network,
            account,
            frontier: frontier.filter(|hash| !hash.is_zero()),
            at,
            weight_asked,
            weight_answered: weight_answered.min(weight_asked),
            bridge: identity.node_key(),
            signature: Signature::ZERO,
        };
        sighting.signature = identity.sign(Purpose::Sighting, &sighting.signed_bytes());
        sighting
    }

    /// Checks the signature and that the weights can be true.
    ///
    /// # Errors
    /// [`SightingError::Signature`] or [`SightingError::Weights`].
    pub fn verify(&self) -> Result<(), SightingError> {
        if self.weight_answered > self.weight_asked {
            return Err(SightingError::Weights);
        }
        self.bridge
            .verify(Purpose::Sighting, &self.signed_bytes(), &self.signature)
            .map_err(SightingError::Signature)
    }

    /// Whether it can count towards freshness at `now`: so much weight was silent that no quorum
    /// can do without it, and it does not lie in the future.
    #[must_use]
    pub fn counts(&self, now: UnixMillis, weights: &WeightTable) -> bool {
        self.weight_answered > weights.quorum_rest() && self.is_past(now)
    }

    fn is_past(&self, now: UnixMillis) -> bool {
        self.at <= now.plus(CLOCK_SKEW_MS)
    }

    /// The binary form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.signed_bytes();
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes
    }

    /// Reads [`Sighting::to_bytes`]; the signature is not checked.
    ///
    /// # Errors
    /// [`SightingError::Malformed`] for another length or an unknown network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SightingError> {
        let mut reader = Reader::new(bytes);
        Self::read(&mut reader)
            .filter(|_| reader.is_empty())
            .ok_or(SightingError::Malformed)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let network = Network::from_id(reader.array()?)?;
        let account = Account::from_bytes(reader.array()?);
        let frontier = BlockHash::from_bytes(reader.array()?);
        Some(Self {
            network,
            account,
            frontier: (!frontier.is_zero()).then_some(frontier),
            at: UnixMillis(reader.u64()?),
            weight_asked: Raw::from_bytes(reader.array()?),
            weight_answered: Raw::from_bytes(reader.array()?),
            bridge: NodeKey::from_bytes(reader.array()?),
            signature: Signature::from_bytes(reader.array()?),
        })
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::BYTES);
        bytes.extend_from_slice(&self.network.id());
        bytes.extend_from_slice(self.account.as_bytes());
        bytes.extend_from_slice(self.frontier.unwrap_or(BlockHash::ZERO).as_bytes());
        bytes.extend_from_slice(&self.at.number().to_be_bytes());
        bytes.extend_from_slice(&self.weight_asked.to_bytes());
        bytes.extend_from_slice(&self.weight_answered.to_bytes());
        bytes.extend_from_slice(self.bridge.as_bytes());
        bytes
    }
}

/// How current a frontier is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The older of the two newest anchors' times, or the only anchor's.
    pub as_of: UnixMillis,
    /// How many anchors' sightings there are: with 1, `as_of` is one bridge's word.
    pub anchors: u8,
}

/// What `sightings` of one frontier say at `now` to someone with these `anchors`; `None` without
/// a sighting that counts. The sightings must have been verified, and have counted
/// ([`Sighting::counts`]) under the table in force when they came in.
#[must_use]
pub fn freshness(
    now: UnixMillis,
    sightings: &[Sighting],
    anchors: &[NodeKey],
) -> Option<Freshness> {
    let times = anchors
        .iter()
        .enumerate()
        .filter(|(place, anchor)| !anchors[..*place].contains(anchor))
        .filter_map(|(_, anchor)| {
            sightings
                .iter()
                .filter(|sighting| sighting.bridge == *anchor && sighting.is_past(now))
                .map(|sighting| sighting.at)
                .max()
        });
    let (mut newest, mut second, mut anchors) = (None, None, 0_u8);
    for time in times.map(Some) {
        anchors = anchors.saturating_add(1);
        second = second.max(newest.min(time));
        newest = newest.max(time);
    }
    let as_of = second.or(newest)?;
    Some(Freshness { as_of, anchors })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::bridge;
    use proptest::prelude::*;

    fn sighting(place: u8, at: u64) -> Sighting {
        Sighting::sign(
            &bridge(place),
            Network::Dev,
            Account::from_bytes([3; 32]),
            Some(BlockHash::from_bytes([4; 32])),
            UnixMillis(at),
            Raw::new(100),
            Raw::new(80),
        )
    }

    fn key(place: u8) -> NodeKey {
        bridge(place).node_key()
    }

    fn as_of(sightings: &[Sighting], anchors: &[NodeKey]) -> Option<(u64, u8)> {
        freshness(UnixMillis(1_000_000), sightings, anchors)
            .map(|freshness| (freshness.as_of.number(), freshness.anchors))
    }

    #[test]
    fn a_signed_sighting_holds_and_survives_its_binary_form() {
        let sighting = sighting(1, 5);
        assert_eq!(sighting.verify(), Ok(()));
        let bytes = sighting.to_bytes();
        assert_eq!(bytes.len(), Sighting::BYTES);
        assert_eq!(Sighting::from_bytes(&bytes), Ok(sighting));
    }

    #[test]
    fn an_unopened_account_is_told_apart_from_every_frontier() {
        let account = Account::from_bytes([3; 32]);
        let weight = Raw::new(9);
        let at = UnixMillis(5);
        let sighting = Sighting::sign(&bridge(1), Network::Dev, account, None, at, weight, weight);
        let read = Sighting::from_bytes(&sighting.to_bytes()).unwrap();
        assert_eq!(read.frontier, None);
        assert_eq!(read.verify(), Ok(()));
    }

    #[test]
    fn every_field_is_covered_by_the_signature() {
        let honest = sighting(1, 5);
        let mut altered: Vec<Sighting> = vec![honest.clone(); 7];
        altered[0].network = Network::Live;
        altered[1].account = Account::from_bytes([9; 32]);
        altered[2].frontier = None;
        altered[3].at = UnixMillis(6);
        altered[4].weight_asked = Raw::new(101);
        altered[5].weight_answered = Raw::new(81);
        altered[6].bridge = key(2);
        for sighting in altered {
            assert!(matches!(
                sighting.verify(),
                Err(SightingError::Signature(_))
            ));
        }
    }

    #[test]
    fn more_weight_answered_than_asked_is_refused() {
        let mut sighting = sighting(1, 5);
        sighting.weight_answered = Raw::new(101);
        assert_eq!(sighting.verify(), Err(SightingError::Weights));
    }

    #[test]
    fn as_of_is_the_older_of_the_two_newest_anchors() {
        let anchors = [key(1), key(2), key(3)];
        let sightings = [sighting(1, 500), sighting(2, 900), sighting(3, 700)];
        assert_eq!(as_of(&sightings, &anchors), Some((700, 3)));
        assert_eq!(as_of(&sightings[..2], &anchors), Some((500, 2)));
    }

    #[test]
    fn a_single_anchors_time_is_taken_and_said_so() {
        assert_eq!(as_of(&[sighting(1, 500)], &[key(1)]), Some((500, 1)));
    }

    #[test]
    fn sightings_of_others_and_repeated_anchors_count_for_nothing() {
        let sightings = [sighting(1, 500), sighting(1, 900), sighting(7, 950)];
        assert_eq!(as_of(&sightings, &[key(1), key(1)]), Some((900, 1)));
        assert_eq!(as_of(&sightings, &[key(2)]), None);
        assert_eq!(as_of(&sightings, &[]), None);
    }

    #[test]
    fn a_sighting_from_the_future_does_not_count() {
        let ahead = 1_000_000 + CLOCK_SKEW_MS;
        assert_eq!(as_of(&[sighting(1, ahead)], &[key(1)]), Some((ahead, 1)));
        assert_eq!(as_of(&[sighting(1, ahead + 1)], &[key(1)]), None);
    }

    #[test]
    fn a_sighting_whose_weight_a_quorum_could_do_without_does_not_count() {
        let mut table = WeightTable {
            network: Network::Dev,
            as_of: UnixMillis(0),
            online_weight: Raw::new(100),
            minimum: Raw::new(60),
            weights: [(Account::from_bytes([1; 32]), Raw::new(300))].into(),
        };
        let silent = |weight| {
            let mut sighting = sighting(1, 500);
            sighting.weight_answered = Raw::new(weight);
            sighting
        };
        let now = UnixMillis(500);
        assert!(silent(34).counts(now, &table) && !silent(33).counts(now, &table));
        // With an unknown online weight it may be all of the table.
        table.online_weight = Raw::ZERO;
        assert!(silent(100).counts(now, &table) && !silent(99).counts(now, &table));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_back_exactly_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..Sighting::BYTES + 2),
        ) {
            if let Ok(sighting) = Sighting::from_bytes(&bytes) {
                prop_assert_eq!(sighting.to_bytes(), bytes);
            }
        }

        #[test]
        fn a_cut_or_longer_sighting_is_refused(length in 0..2 * Sighting::BYTES) {
            let mut bytes = sighting(1, 5).to_bytes();
            prop_assume!(length != bytes.len());
            bytes.resize(length, 0);
            prop_assert_eq!(Sighting::from_bytes(&bytes), Err(SightingError::Malformed));
        }
    }
}
