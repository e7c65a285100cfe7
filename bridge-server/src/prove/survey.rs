//! Asking the representatives: who votes for a block, and who says nothing of a block after it.
//!
//! On every voting channel two requests go out in this order: `confirm_req(0, root)`, which a
//! representative answers with its final vote for whatever confirmed block has that root, and
//! `confirm_req` for the block itself. A full node that drops a request says nothing, so silence on
//! the first one counts only for representatives whose answer to the second one arrived
//! afterwards on the same channel. Votes carry no request id, so:
//! - a vote for the block may be a mere broadcast. The second request therefore asks for a second
//!   block as well, the *marker*, and only a vote that lists both is an answer;
//! - every other final vote that came meanwhile may be the answer to the first request. Each
//!   unknown hash is looked up and its root compared; what cannot be looked up, or was lost in a
//!   full queue, spoils the channel's silence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use nano_core::message::RequestedBlock;
use nano_core::{Account, Block, BlockHash, Root, Vote, WeightTable};
use tokio::time::Instant;

use super::Roots;
use crate::ask::Asker;
use crate::full_node::{ANSWER, Channel, FullNodes};

/// Other hashes looked at on one channel during one survey; beyond it its silence counts for
/// nothing.
const MAX_OTHERS: usize = 64;
/// Other blocks fetched in one survey.
const MAX_FETCHED: usize = 16;

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// Nothing confirmed should have this root.
    pub(super) silent: Root,
    /// These blocks should be voted for, all in one vote; not empty.
    pub(super) blocks: Vec<RequestedBlock>,
    /// Another confirmed block, asked for along with them to tell answers from broadcasts.
    pub(super) marker: Option<RequestedBlock>,
}

impl Question {
    /// About a block, and those that a proof of it counts on.
    pub(super) fn about(
        silent: Root,
        blocks: impl IntoIterator<Item = Block>,
        marker: Option<Block>,
    ) -> Self {
        let requested = |block: Block| RequestedBlock {
            hash: block.hash(),
            root: block.root(),
        };
        Self {
            silent,
            blocks: blocks.into_iter().map(requested).collect(),
            // One at the silent root would be its own answer.
            marker: marker.map(requested).filter(|marker| marker.root != silent),
        }
    }

    /// Everything that is asked for in one request; a node skips a root that stands there twice.
    fn request(&self) -> Vec<RequestedBlock> {
        let marker = self.marker.filter(|marker| !self.blocks.contains(marker));
        self.blocks.iter().copied().chain(marker).collect()
    }

    /// Whether the vote is of use for a proof of the blocks.
    fn is_proven_by(&self, vote: &Vote) -> bool {
        let mut blocks = self.blocks.iter();
        blocks.all(|block| vote.hashes.contains(&block.hash))
    }

    /// Whether the vote answers the request, as far as that can be told.
    fn is_answered_by(&self, vote: &Vote) -> bool {
        let mut blocks = self.blocks.iter().chain(&self.marker);
        blocks.all(|block| vote.hashes.contains(&block.hash))
    }

    fn asks_for(&self, hash: &BlockHash) -> bool {
        let mut blocks = self.blocks.iter().chain(&self.marker);
        blocks.any(|block| block.hash == *hash)
    }
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Final votes for the blocks, signature checked, one per representative.
    pub(super) votes: BTreeMap<Account, Vote>,
    /// Representatives behind the channels that were asked.
    pub(super) asked: BTreeSet<Account>,
    /// Representatives whose silence on the root counts.
    pub(super) silent: BTreeSet<Account>,
    /// A block with the root that should be silent, which somebody voted for.
    pub(super) successor: Option<Block>,
}

/// What one channel said.
struct Heard {
    channel: Arc<Channel>,
    votes: BTreeMap<Account, Vote>,
    answered: BTreeSet<Account>,
    others: BTreeSet<BlockHash>,
    spoiled: bool,
}

/// Asks all voting channels at once; takes as long as the slowest answer, [`ANSWER`] at most, and
/// what the look-up of unknown hashes takes.
pub(super) async fn survey(
    full_nodes: &FullNodes,
    asker: &Asker,
    weights: &WeightTable,
    roots: &Roots,
    question: &Question,
) -> Survey {
    let channels = full_nodes.voting_channels();
    let deadline = Instant::now() + ANSWER;
    let asks = channels
        .into_iter()
        .map(|channel| ask(channel, weights, question, deadline));
    let heard = join_all(asks).await;
    let (unknown, successor) = identify(asker, roots, question.silent, &heard).await;

    let mut survey = Survey {
        successor,
        ..Survey::default()
    };
    for one in heard {
        let representatives = one.channel.representatives();
        let told_apart = !one.spoiled && one.others.is_disjoint(&unknown);
        if told_apart {
            survey
                .silent
                .extend(one.answered.intersection(&representatives));
        }
        survey.asked.extend(representatives);
        for (who, vote) in one.votes {
            survey.votes.entry(who).or_insert(vote);
        }
    }
    survey
}

async fn ask(
    channel: Arc<Channel>,
    weights: &WeightTable,
    question: &Question,
    deadline: Instant,
) -> Heard {
    let expected = channel.representatives();
    let mut heard = Heard {
        channel: Arc::clone(&channel),
        votes: BTreeMap::new(),
        answered: BTreeSet::new(),
        others: BTreeSet::new(),
        spoiled: false,
    };
    let slot = tokio::time::timeout_at(deadline, channel.slot()).await;
    let Ok(Some(_slot)) = slot else { return heard };
    let mut votes = channel.votes();
    let first = vec![RequestedBlock {
        hash: BlockHash::ZERO,
        root: question.silent,
    }];
    let second = question.request();
    if channel.confirm(first).is_err() || channel.confirm(second).is_err() {
        return heard;
    }
    while let Some(vote) = votes.next(deadline).await {
        let counts = vote.timestamp.is_final()
            && !weights.weight_of(&vote.representative).is_zero()
            && vote.verify().is_ok();
        if !counts {
            continue;
        }
        for other in vote.hashes.iter().filter(|hash| !question.asks_for(hash)) {
            if heard.others.len() >= MAX_OTHERS {
                heard.spoiled = true;
            } else {
                heard.others.insert(*other);
            }
        }
        if question.is_proven_by(&vote) {
            // The answer's list is the same for all, which makes the smaller proof.
            let answers = question.is_answered_by(&vote);
            if answers || !heard.votes.contains_key(&vote.representative) {
                let vote = vote.as_ref().clone();
                heard.votes.insert(vote.representative, vote);
            }
            if answers {
                heard.answered.insert(vote.representative);
            }
        }
        if expected.is_subset(&heard.answered) {
            break;
        }
    }
    heard.spoiled |= votes.has_lost();
    heard
}

/// Finds the roots of the other hashes: gives back those that stay unknown, and the block that
/// has the root, if one of them has.
async fn identify(
    asker: &Asker,
    roots: &Roots,
    silent: Root,
    heard: &[Heard],
) -> (BTreeSet<BlockHash>, Option<Block>) {
    let all: BTreeSet<BlockHash> = heard
        .iter()
        .flat_map(|one| one.others.iter().copied())
        .collect();
    let mut unknown = BTreeSet::new();
    let mut successor = None;
    let mut fetched = 0;
    for hash in all {
        match roots.get(&hash) {
            Some(root) if root != silent => continue,
            _ if fetched >= MAX_FETCHED => {
                unknown.insert(hash);
                continue;
            }
            _ => fetched += 1,
        }
        match asker
            .blocks(hash, 1)
            .await
            .ok()
            .and_then(|blocks| blocks.first().copied())
        {
            Some(block) => {
                roots.learn(&block);
                if block.root() == silent {
                    successor = Some(block);
                }
            }
            None => {
                unknown.insert(hash);
            }
        }
    }
    (unknown, successor)
}
