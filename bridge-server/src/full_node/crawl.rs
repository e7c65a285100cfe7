//! The representative crawler: which channel hosts which representatives.
//!
//! Each channel is asked again and again (`confirm_req`) for votes on the genesis block and on one
//! block that was seen confirmed lately, both in one request. Every representative at the other
//! end answers with a final vote for those of the two that it knows. A vote that carries one of
//! them, is not marked as somebody else's and is signed by its representative shows that the
//! representative is behind this channel.
//!
//! Rules:
//! - a representative that has not shown itself on a channel for [`super::Timing::forget`] is
//!   forgotten there: it has moved or fallen silent;
//! - one may be behind several channels, as while it moves; its weight counts once;
//! - at most [`MAX_REPRESENTATIVES`] are remembered per channel, further ones are not;
//! - the mark is not signed, so a full node can pass others' votes off as its own. It gains
//!   questions that it does not answer; proofs count signatures, not channels.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use nano_core::message::RequestedBlock;
use nano_core::{Account, BlockHash, Network, UnixMillis, Vote};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::ChannelError;
use super::book::Demand;
use super::channel::Channel;
use super::shared::Shared;

/// Representatives remembered for one channel.
const MAX_REPRESENTATIVES: usize = 64;
/// Confirmed blocks remembered to ask about.
const MAX_CONFIRMED: usize = 64;

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
}

impl Hosted {
    /// Notes what is being asked.
    fn ask(&mut self, blocks: &[RequestedBlock]) {
        self.asked = blocks.iter().map(|block| block.hash).collect();
    }

    /// Whether the vote can be an answer.
    pub(super) fn is_answer(&self, vote: &Vote) -> bool {
        vote.hashes.iter().any(|hash| self.asked.contains(hash))
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
        let next = Instant::now() + pause;
        while let Ok(Some(vote)) = timeout_at(next, answers.recv()).await {
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
