//! The representative crawler: which channel hosts which representatives.
//!
//! Each channel is asked again and again (`confirm_req`) for votes on the genesis block and, as soon
//! as one is known, on a block that was seen confirmed lately, both in one request. Every
//! representative at the other end answers with one final vote that lists both. That vote, signed by
//! the representative and not marked as somebody else's, shows that it is behind this channel.
//!
//! Rules:
//! - a vote that lists only one of the two teaches nothing: full nodes before version 28 pass on
//!   votes for fresh blocks without a mark, and everybody can keep votes for genesis to replay them,
//!   but nobody broadcasts the two together. Before the first confirmed block is known a vote for
//!   genesis has to do; what it taught is forgotten if it does not hold with the next questions;
//! - a full node that does not put its answer into one vote, as one of version 26 that answers from
//!   its cache, counts as one that hosts nobody;
//! - a representative that has not shown itself on a channel for [`super::Timing::forget`] is
//!   forgotten there: it has moved or fallen silent;
//! - one may be behind several channels, as while it moves; its weight counts once;
//! - at most [`MAX_REPRESENTATIVES`] are remembered per channel, further ones are not;
//! - the mark is not signed, and no vote names the channel it was made for: a full node that asks a
//!   representative whatever it was asked itself looks like its host. So a channel that left the last
//!   [`MAX_UNANSWERED`] ballots unanswered is still asked, but does not count where it is decided
//!   whether more full nodes are needed. Proofs count signatures, not channels.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use nano_core::message::RequestedBlock;
use nano_core::{Account, BlockHash, Network, UnixMillis, Vote};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::ChannelError;
use super::book::Demand;
use super::channel::{ANSWER, Channel};
use super::shared::Shared;

/// Representatives remembered for one channel.
const MAX_REPRESENTATIVES: usize = 64;
/// Confirmed blocks remembered to ask about.
const MAX_CONFIRMED: usize = 64;
/// Ballots in a row that nobody at a channel answered before its representatives do not count.
const MAX_UNANSWERED: u32 = 3;

/// Blocks to ask about: genesis, and what was confirmed lately.
#[derive(Debug)]
pub(super) struct Subjects {
    genesis: RequestedBlock,
    confirmed: VecDeque<RequestedBlock>,
}

impl Subjects {
    pub(super) const fn new(network: Network) -> Self {
        let genesis = RequestedBlock {
            hash: network.genesis_hash(),
            root: nano_core::Root::from_bytes(*network.genesis_account().as_bytes()),
        };
        Self {
            genesis,
            confirmed: VecDeque::new(),
        }
    }

    /// Remembers a confirmed block in place of the oldest.
    pub(super) fn add(&mut self, block: RequestedBlock) {
        if self.confirmed.len() >= MAX_CONFIRMED {
            self.confirmed.pop_front();
        }
        self.confirmed.push_back(block);
    }

    /// What to ask in the round with this number.
    pub(super) fn round(&self, number: usize) -> Vec<RequestedBlock> {
        let mut blocks = vec![self.genesis];
        let place = number.checked_rem(self.confirmed.len());
        blocks.extend(place.and_then(|place| self.confirmed.get(place)).copied());
        blocks
    }
}

/// The representatives of one channel.
#[derive(Debug, Default)]
pub(super) struct Hosted {
    asked: Vec<BlockHash>,
    heard: BTreeMap<Account, UnixMillis>,
    /// Ballots in a row that nobody here answered.
    unanswered: u32,
}

impl Hosted {
    /// Notes what is being asked.
    fn ask(&mut self, blocks: &[RequestedBlock]) {
        self.asked = blocks.iter().map(|block| block.hash).collect();
    }

    /// Whether the vote can be an answer: final, and for all that is being asked.
    pub(super) fn is_answer(&self, vote: &Vote) -> bool {
        let lists = |hash: &BlockHash| vote.hashes.contains(hash);
        vote.timestamp.is_final() && !self.asked.is_empty() && self.asked.iter().all(lists)
    }

    /// Notes whether a ballot was answered here; true if that changes [`Hosted::answers`].
    pub(super) fn balloted(&mut self, answered: bool) -> bool {
        let before = self.answers();
        self.unanswered = match answered {
            true => 0,
            false => self.unanswered.saturating_add(1),
        };
        self.answers() != before
    }

    /// Whether one of the last ballots was answered here, or there were too few to tell.
    pub(super) const fn answers(&self) -> bool {
        self.unanswered < MAX_UNANSWERED
    }

    /// Notes a representative that has shown itself; true if it was not known.
    fn learn(&mut self, representative: Account, now: UnixMillis) -> bool {
        let full = self.heard.len() >= MAX_REPRESENTATIVES;
        if full && !self.heard.contains_key(&representative) {
            return false;
        }
        self.heard.insert(representative, now).is_none()
    }

    /// Forgets who was not heard for `after` milliseconds; true if somebody was.
    fn forget(&mut self, now: UnixMillis, after: u64) -> bool {
        let before = self.heard.len();
        self.heard.retain(|_, heard| now.since(*heard) < after);
        self.heard.len() < before
    }

    /// Those known now.
    pub(super) fn representatives(&self) -> BTreeSet<Account> {
        self.heard.keys().copied().collect()
    }
}

/// Keeps asking who votes at this channel; ends when the channel takes no more questions.
pub(super) async fn crawl(
    channel: &Channel,
    mut answers: mpsc::Receiver<Arc<Vote>>,
    shared: &Shared,
) -> ChannelError {
    let timing = &shared.setting.timing;
    let forget = u64::try_from(timing.forget.as_millis()).unwrap_or(u64::MAX);
    for round in 0.. {
        // A question among others: it takes its place until it is answered or nothing will come.
        let mut slot = channel.slot().await;
        let blocks = shared.subjects().round(round);
        channel.hosted().ask(&blocks);
        if channel.ask_representatives(blocks).is_err() {
            return ChannelError::TimedOut("writing");
        }
        let nobody = channel.representatives().is_empty();
        let pause = if nobody || shared.demand() != Demand::Nothing {
            timing.crawl_poor
        } else {
            timing.crawl_rich
        };
        let asked = Instant::now();
        let next = asked + pause;
        loop {
            let until = match slot {
                Some(_) => next.min(asked + ANSWER),
                None => next,
            };
            let vote = match timeout_at(until, answers.recv()).await {
                Ok(Some(vote)) => vote,
                Ok(None) => return ChannelError::Closed("serving"),
                Err(_) if until < next => {
                    slot = None;
                    continue;
                }
                Err(_) => break,
            };
            slot = None;
            if vote.verify().is_ok() && channel.hosted().learn(vote.representative, shared.now()) {
                shared.changed();
            }
        }
        if channel.hosted().forget(shared.now(), forget) {
            shared.changed();
        }
    }
    ChannelError::Closed("serving")
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::VoteTimestamp;

    fn block(number: u8) -> RequestedBlock {
        RequestedBlock {
            hash: BlockHash::from_bytes([number; 32]),
            root: nano_core::Root::from_bytes([number; 32]),
        }
    }

    #[test]
    fn each_round_asks_about_genesis_and_the_confirmed_blocks_in_turn() {
        let mut subjects = Subjects::new(Network::Dev);
        assert_eq!(subjects.round(5).len(), 1);
        for number in 0..100 {
            subjects.add(block(number));
        }
        let mut seen = BTreeSet::new();
        for number in 0..MAX_CONFIRMED {
            let round = subjects.round(number);
            assert_eq!(round[0].hash, Network::Dev.genesis_hash());
            seen.insert(round[1].hash);
        }
        assert_eq!(seen.len(), MAX_CONFIRMED);
        assert!(!seen.contains(&block(0).hash), "the oldest are forgotten");
    }

    #[test]
    fn only_a_final_vote_for_all_that_is_asked_is_an_answer() {
        let mut hosted = Hosted::default();
        let [genesis, confirmed, other] = [1, 2, 3].map(block);
        let key = nano_core::PrivateKey::from_bytes([5; 32]);
        let vote = |timestamp, blocks: &[RequestedBlock]| {
            let hashes = blocks.iter().map(|block| block.hash).collect();
            Vote::sign(&key, timestamp, hashes)
        };
        let last = VoteTimestamp::FINAL;
        assert!(!hosted.is_answer(&vote(last, &[genesis])), "nothing asked");
        hosted.ask(&[genesis]);
        assert!(hosted.is_answer(&vote(last, &[genesis])));
        hosted.ask(&[genesis, confirmed]);
        assert!(hosted.is_answer(&vote(last, &[confirmed, other, genesis])));
        assert!(!hosted.is_answer(&vote(last, &[genesis])), "a replay");
        assert!(!hosted.is_answer(&vote(last, &[confirmed])), "a broadcast");
        let normal = VoteTimestamp::from_packed(1_000);
        assert!(!hosted.is_answer(&vote(normal, &[genesis, confirmed])));
    }

    #[test]
    fn a_channel_counts_until_it_left_three_ballots_unanswered_and_again_after_an_answer() {
        let mut hosted = Hosted::default();
        assert!(!hosted.balloted(false) && !hosted.balloted(false));
        assert!(!hosted.balloted(true), "in a row");
        assert!(!hosted.balloted(false) && !hosted.balloted(false));
        assert!(hosted.answers());
        assert!(hosted.balloted(false) && !hosted.answers());
        assert!(!hosted.balloted(false), "nothing new");
        assert!(hosted.balloted(true) && hosted.answers());
    }

    #[test]
    fn who_falls_silent_is_forgotten_and_who_answers_stays() {
        let mut hosted = Hosted::default();
        let who = |number| Account::from_bytes([number; 32]);
        assert!(hosted.learn(who(1), UnixMillis(0)));
        assert!(hosted.learn(who(2), UnixMillis(0)));
        assert!(!hosted.learn(who(2), UnixMillis(60)));
        assert!(!hosted.forget(UnixMillis(99), 100));
        assert!(hosted.forget(UnixMillis(100), 100));
        assert_eq!(hosted.representatives(), BTreeSet::from([who(2)]));
    }

    #[test]
    fn a_channel_with_endless_representatives_is_bounded() {
        let mut hosted = Hosted::default();
        for number in 0..200_u8 {
            hosted.learn(Account::from_bytes([number; 32]), UnixMillis(0));
        }
        assert_eq!(hosted.representatives().len(), MAX_REPRESENTATIVES);
        let known = Account::from_bytes([1; 32]);
        hosted.learn(known, UnixMillis(50));
        hosted.forget(UnixMillis(100), 100);
        assert_eq!(hosted.representatives(), BTreeSet::from([known]));
    }
}
