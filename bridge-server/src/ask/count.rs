//! What votes say of a list of blocks: for them, silent on what comes after, or for another.
//!
//! Every representative is sent one request that holds, for each item, the pair `(0, root)` for
//! the root that should be silent, which is answered with the final vote for whatever confirmed
//! block has that root, and the blocks themselves; and at its end the *marker*, another confirmed
//! block. Votes carry no request id, and a full node that drops a request says nothing, so:
//! - a vote that lists an item's blocks *and the marker* answers the request: nobody broadcasts
//!   the two together. Only such a vote lets its representative's silence count, and only on the
//!   channel it came over;
//! - accounts never opened have no block of their own to tell the answer by. Their request holds
//!   two more confirmed blocks, another two each time, and only a vote that lists these counts: an
//!   answer to somebody else's request, or a late one to an earlier request, does not;
//! - the request was one message, so whoever answered for the block was asked for the root, too: a
//!   later block would stand in the same vote, or in one before it;
//! - every other final vote that came meanwhile may be part of an answer. Each unknown hash is
//!   looked up and its root compared; what cannot be looked up, or was lost in a full queue, spoils
//!   that channel's silence;
//! - a representative counts once, wherever and however often it votes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nano_core::message::RequestedBlock;
use nano_core::{Account, BlockHash, Network, Raw, Root, UnixMillis, Vote, WeightTable};

/// Other hashes looked at in one ballot; a channel that names more is not believed to be silent.
const MAX_OTHERS: usize = 64;

/// What is asked about one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The account; items of neighbouring accounts leave together.
    pub account: Account,
    /// Nothing confirmed should have this root: the frontier, or the account never opened.
    pub silent: Root,
    /// Should be voted for, all in one vote, the frontier first; none for an account never opened,
    /// where the answer is told by the genesis block.
    pub blocks: Vec<RequestedBlock>,
}

/// Another block with the root of the one that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// The block.
    pub hash: BlockHash,
    /// Final votes for it, signature checked, one per representative.
    pub votes: Vec<Vote>,
}

/// What came back about one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ballot {
    /// When the request went out.
    pub at: UnixMillis,
    /// Final votes for all its blocks, signature checked, one per representative.
    pub votes: BTreeMap<Account, Arc<Vote>>,
    /// Representatives behind the channels that were asked.
    pub asked: BTreeSet<Account>,
    /// Those of them whose silence on the root counts.
    pub silent: BTreeSet<Account>,
    /// A block with the root that should be silent, and who voted for it.
    pub later: BTreeMap<BlockHash, BTreeSet<Account>>,
    /// Other blocks with the root of the first block, which somebody voted for.
    pub rivals: Vec<Rival>,
}

/// A list of items as it is sent to everybody.
#[derive(Clone, Debug)]
pub(super) struct Request {
    items: Vec<Item>,
    pairs: Vec<RequestedBlock>,
    /// Hashes whose votes are expected, with their roots.
    asked: BTreeMap<BlockHash, Root>,
    /// Roots that matter.
    watched: BTreeSet<Root>,
    marker: Option<BlockHash>,
    /// What an answer about accounts never opened is told by.
    token: Vec<BlockHash>,
}

impl Request {
    /// The request for these items. Without a marker nobody's silence will count. `token` are
    /// confirmed blocks that no request of late had together.
    pub(super) fn new(
        items: Vec<Item>,
        marker: Option<RequestedBlock>,
        token: &[RequestedBlock],
        network: Network,
    ) -> Self {
        let at_root = |root| RequestedBlock {
            hash: BlockHash::ZERO,
            root,
        };
        let genesis_root: Root = network.genesis_account().into();
        let marker = marker.filter(|marker| items.iter().all(|item| item.silent != marker.root));
        let mut pairs = Vec::new();
        // A node answers a root once; what stands first is what it looks up.
        let mut push = |pair: RequestedBlock| {
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        };
        items.iter().for_each(|item| push(at_root(item.silent)));
        // Older nodes cannot find a first block by its account. Who finds genesis so can.
        let token = match items.iter().any(|item| item.blocks.is_empty()) {
            true => token,
            false => &[],
        };
        if items.iter().any(|item| item.blocks.is_empty()) {
            push(at_root(genesis_root));
        }
        token.iter().for_each(|pair| push(*pair));
        items
            .iter()
            .flat_map(|item| &item.blocks)
            .for_each(|pair| push(*pair));
        marker.into_iter().for_each(&mut push);
        let genesis = network.genesis_hash();
        // The marker asked about by itself needs another block beside it.
        let is_marker = |item: &Item| {
            let mut blocks = item.blocks.iter();
            !item.blocks.is_empty() && blocks.all(|block| Some(*block) == marker)
        };
        if items.iter().all(is_marker) {
            push(RequestedBlock {
                hash: genesis,
                root: genesis_root,
            });
        }
        let blocks = items.iter().flat_map(|item| &item.blocks);
        let blocks = blocks.chain(&marker).chain(token);
        let mut asked: BTreeMap<_, _> = blocks.map(|pair| (pair.hash, pair.root)).collect();
        asked.insert(genesis, genesis_root);
        let silent = items.iter().map(|item| item.silent);
        let first = items
            .iter()
            .filter_map(|item| Some(item.blocks.first()?.root));
        Self {
            watched: silent.chain(first).collect(),
            pairs,
            asked,
            marker: marker.map(|marker| marker.hash),
            token: token
                .iter()
                .map(|pair| pair.hash)
                .chain([genesis])
                .collect(),
            items,
        }
    }

    /// The message's content.
    pub(super) fn pairs(&self) -> Vec<RequestedBlock> {
        self.pairs.clone()
    }

    /// Whether the vote lists what a proof of the item needs.
    fn proves(&self, item: &Item, vote: &Vote) -> bool {
        if item.blocks.is_empty() {
            return self.token.iter().all(|hash| vote.hashes.contains(hash));
        }
        let mut blocks = item.blocks.iter();
        blocks.all(|block| vote.hashes.contains(&block.hash))
    }

    fn is_answer(&self, vote: &Vote) -> bool {
        let lists = |marker: &BlockHash| vote.hashes.contains(marker);
        self.marker.as_ref().is_some_and(lists) && vote.hashes.len() > 1
    }
}

/// The count while votes come in.
#[derive(Debug)]
pub(super) struct Count {
    request: Request,
    at: UnixMillis,
    channels: Vec<Station>,
    votes: Vec<BTreeMap<Account, Arc<Vote>>>,
    weights: Vec<Raw>,
    /// Votes for hashes that were not asked for and whose roots matter or are not known.
    others: BTreeMap<BlockHash, BTreeMap<Account, Arc<Vote>>>,
}

/// One channel's part.
#[derive(Debug)]
struct Station {
    representatives: BTreeSet<Account>,
    /// Representatives whose answer to the whole request arrived.
    done: BTreeSet<Account>,
    /// By item, those whose answer lists its blocks.
    answered: Vec<BTreeSet<Account>>,
    others: BTreeSet<BlockHash>,
    /// Whether one of its representatives answered at all.
    heard: bool,
    spoiled: bool,
}

impl Count {
    /// A count of a request made at `at` over channels with these representatives.
    pub(super) fn new(request: Request, at: UnixMillis, channels: Vec<BTreeSet<Account>>) -> Self {
        let items = request.items.len();
        let station = |representatives| Station {
            representatives,
            done: BTreeSet::new(),
            answered: vec![BTreeSet::new(); items],
            others: BTreeSet::new(),
            heard: false,
            spoiled: false,
        };
        Self {
            request,
            at,
            channels: channels.into_iter().map(station).collect(),
            votes: vec![BTreeMap::new(); items],
            weights: vec![Raw::ZERO; items],
            others: BTreeMap::new(),
        }
    }

    /// Takes a vote that came over channel number `place`. `root_of` knows the roots of blocks met
    /// before; a wrong signature is as no vote.
    pub(super) fn take(
        &mut self,
        place: usize,
        vote: &Arc<Vote>,
        table: &WeightTable,
        root_of: impl Fn(&BlockHash) -> Option<Root>,
    ) {
        let weight = table.weight_of(&vote.representative);
        if !vote.timestamp.is_final() || weight.is_zero() {
            return;
        }
        let request = &self.request;
        let matters = |root: Option<Root>| root.is_none_or(|root| request.watched.contains(&root));
        let others: Vec<BlockHash> = vote
            .hashes
            .iter()
            .filter(|hash| !request.asked.contains_key(*hash) && matters(root_of(hash)))
            .copied()
            .collect();
        let proves: Vec<usize> = (0..request.items.len())
            .filter(|place| {
                let item = request.items.get(*place);
                item.is_some_and(|item| request.proves(item, vote))
            })
            .collect();
        let is_answer = request.is_answer(vote);
        // The answer to another request of ours has the marker, too.
        let mut hashes = vote.hashes.iter();
        let is_whole = is_answer
            && !proves.is_empty()
            && hashes.all(|hash| request.asked.contains_key(hash) || matters(root_of(hash)));
        // An asked block may be what comes after another item's frontier.
        let later: Vec<BlockHash> = vote
            .hashes
            .iter()
            .filter(|hash| {
                let root = request.asked.get(*hash);
                root.is_some_and(|root| request.items.iter().any(|item| item.silent == *root))
            })
            .copied()
            .collect();
        let nothing = others.is_empty() && later.is_empty() && proves.is_empty() && !is_answer;
        let Some(station) = self.channels.get_mut(place) else {
            return;
        };
        if nothing || vote.verify().is_err() {
            return;
        }
        let who = vote.representative;
        let tells = is_answer || (request.marker.is_none() && !proves.is_empty());
        station.heard |= tells && station.representatives.contains(&who);
        for hash in others.into_iter().chain(later) {
            if self.others.len() < MAX_OTHERS || self.others.contains_key(&hash) {
                station.others.insert(hash);
                let voters = self.others.entry(hash).or_default();
                voters.entry(who).or_insert_with(|| Arc::clone(vote));
            } else {
                station.spoiled = true;
            }
        }
        for place in proves {
            if is_answer && let Some(answered) = station.answered.get_mut(place) {
                answered.insert(who);
            }
            let (Some(votes), Some(sum)) = (self.votes.get_mut(place), self.weights.get_mut(place))
            else {
                continue;
            };
            match votes.get_mut(&who) {
                None => {
                    votes.insert(who, Arc::clone(vote));
                    *sum = sum.checked_add(weight).unwrap_or(Raw::MAX);
                }
                // The answer's list is the same for all, which makes the smaller proof.
                Some(known) if is_answer => *known = Arc::clone(vote),
                Some(_) => {}
            }
        }
        if is_whole {
            station.done.insert(who);
        }
    }

    /// A vote of this channel was lost.
    pub(super) fn spoil(&mut self, place: usize) {
        if let Some(station) = self.channels.get_mut(place) {
            station.spoiled = true;
        }
    }

    /// Whether every representative had something to answer.
    pub(super) fn tells_who_answers(&self) -> bool {
        let mut items = self.request.items.iter();
        self.request.marker.is_some() || items.any(|item| !item.blocks.is_empty())
    }

    /// Whether a representative of channel number `place` answered.
    pub(super) fn has_answered(&self, place: usize) -> bool {
        self.channels
            .get(place)
            .is_some_and(|station| station.heard)
    }

    /// Whether everybody has answered.
    pub(super) fn is_all_done(&self) -> bool {
        self.channels
            .iter()
            .all(|station| self.is_complete(station))
    }

    fn is_complete(&self, station: &Station) -> bool {
        let voted = |who: &Account| self.votes.iter().all(|votes| votes.contains_key(who));
        let done =
            |who| station.done.contains(who) || (self.request.marker.is_none() && voted(who));
        station.representatives.iter().all(done)
    }

    /// Whether every item has the weight that a proof aims for.
    pub(super) fn is_enough(&self, table: &WeightTable) -> bool {
        let target = table.collection_target();
        self.weights.iter().all(|weight| *weight >= target)
    }

    /// Hashes whose roots have to be found before silence can be told.
    pub(super) fn unknown(&self, root_of: impl Fn(&BlockHash) -> Option<Root>) -> Vec<BlockHash> {
        let known =
            |hash: &&BlockHash| !self.request.asked.contains_key(*hash) && root_of(hash).is_none();
        self.others.keys().filter(known).copied().collect()
    }

    /// The outcome for each item, in order.
    pub(super) fn finish(self, root_of: impl Fn(&BlockHash) -> Option<Root>) -> Vec<Ballot> {
        let root = |hash: &BlockHash| self.request.asked.get(hash).copied().or(root_of(hash));
        let told_apart: Vec<bool> = self
            .channels
            .iter()
            .map(|station| {
                !station.spoiled && station.others.iter().all(|hash| root(hash).is_some())
            })
            .collect();
        let asked: BTreeSet<Account> = self
            .channels
            .iter()
            .flat_map(|station| station.representatives.iter().copied())
            .collect();
        let mut ballots = Vec::with_capacity(self.request.items.len());
        for (place, (item, votes)) in self.request.items.iter().zip(self.votes).enumerate() {
            let with_root = |wanted: Root| {
                let others = self.others.iter();
                others.filter(move |(hash, _)| root(hash) == Some(wanted))
            };
            let later: BTreeMap<BlockHash, BTreeSet<Account>> = with_root(item.silent)
                .map(|(hash, votes)| (*hash, votes.keys().copied().collect()))
                .collect();
            let named: BTreeSet<&Account> = later.values().flatten().collect();
            let mut silent = BTreeSet::new();
            for (station, told_apart) in self.channels.iter().zip(&told_apart) {
                let answered = station.answered.get(place).filter(|_| *told_apart);
                let here = answered.into_iter().flatten();
                silent.extend(
                    here.filter(|who| {
                        station.representatives.contains(*who) && !named.contains(who)
                    }),
                );
            }
            let first = item.blocks.first();
            let rivals = first.map(|first| {
                let others = with_root(first.root).filter(|(hash, _)| **hash != first.hash);
                others.map(|(hash, votes)| Rival {
                    hash: *hash,
                    votes: votes.values().map(|vote| vote.as_ref().clone()).collect(),
                })
            });
            ballots.push(Ballot {
                at: self.at,
                votes,
                asked: asked.clone(),
                silent,
                later,
                rivals: rivals.into_iter().flatten().collect(),
            });
        }
        ballots
    }
}
