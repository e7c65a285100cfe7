//! Votes inside the engine: counting those of others, casting those of local representatives,
//! answering questions for votes.

use std::collections::BTreeSet;
use std::sync::Arc;

use nano_core::{BlockHash, PrivateKey, Raw, Root, UnixMillis, Vote, VoteTimestamp};

use super::Engine;
use crate::events::{Event, Outbound, VoteOutcome};
use crate::voting::LocalVote;

/// Least weight with which a representative votes (1000 XNO), the full node's `vote_minimum`.
const VOTE_MINIMUM: Raw = Raw::new(1000 * Raw::NANO.number());
/// Milliseconds between votes for different blocks of one root; dev network.
const VOTE_SPACING: u64 = 1000;
/// Duration exponent of normal votes: 8192 ms.
const VOTE_DURATION: u8 = 9;
/// Milliseconds after which block and votes of an undecided election are sent again.
const RESEND: u64 = 1000;
/// Most pairs in one question for votes.
const MAX_REQUEST: usize = 64;

impl Engine {
    /// Counts a vote whose signature was checked. `from` is the connection it came by.
    pub(crate) fn receive_vote(
        &mut self,
        vote: Arc<Vote>,
        from: u64,
        now: UnixMillis,
    ) -> VoteOutcome {
        let outcome = self.count_vote(&vote, now);
        self.start_ripe(now);
        // Nodes that vote for little pass others' votes on; those that vote have more to say.
        if outcome == VoteOutcome::Counted && self.voting_keys().is_empty() {
            self.send(Outbound::Vote {
                vote: Arc::clone(&vote),
                rebroadcast: true,
                except: Some(from),
            });
        }
        self.tell(Event::Vote(vote, outcome));
        outcome
    }

    fn count_vote(&mut self, vote: &Vote, now: UnixMillis) -> VoteOutcome {
        let who = vote.representative;
        if self.ledger.weight(&who).is_zero() {
            return VoteOutcome::Indeterminate;
        }
        self.online.heard(who, now);
        let mut outcome = VoteOutcome::Indeterminate;
        for hash in &vote.hashes {
            if let Some(root) = self.elections.root_of(hash) {
                let counted = self
                    .elections
                    .get_mut(&root)
                    .is_some_and(|election| election.vote(who, *hash, vote.timestamp));
                if counted {
                    outcome = VoteOutcome::Counted;
                    self.decide(root, now);
                } else if outcome == VoteOutcome::Indeterminate {
                    outcome = VoteOutcome::Replay;
                }
            } else if self.ledger.is_confirmed(hash) {
                outcome = match outcome {
                    VoteOutcome::Indeterminate => VoteOutcome::Replay,
                    known => known,
                };
            } else {
                self.early_votes.put(*hash, who, vote.timestamp);
            }
        }
        outcome
    }

    /// Keys that vote: hosted here, with enough weight.
    fn voting_keys(&self) -> Vec<&PrivateKey> {
        self.representatives
            .iter()
            .filter(|key| self.ledger.weight(&key.account()) >= VOTE_MINIMUM)
            .collect()
    }

    /// Lets the local representatives vote wherever that is due, until nothing is due.
    pub(crate) fn cast_votes(&mut self, now: UnixMillis) {
        if self.voting_keys().is_empty() || self.failure.is_some() {
            self.elections.take_due();
            return;
        }
        loop {
            let (normal, finals) = self.collect_due(now);
            if normal.is_empty() && finals.is_empty() {
                return;
            }
            for hashes in normal.chunks(Vote::MAX_HASHES) {
                self.cast(
                    hashes,
                    VoteTimestamp::normal(now.number(), VOTE_DURATION),
                    now,
                );
            }
            for hashes in finals.chunks(Vote::MAX_HASHES) {
                self.cast(hashes, VoteTimestamp::FINAL, now);
            }
            self.start_ripe(now);
        }
    }

    /// Blocks to vote for now: normally, finally. Final votes are recorded here, before any of
    /// them exists.
    fn collect_due(&mut self, now: UnixMillis) -> (Vec<BlockHash>, Vec<BlockHash>) {
        let (mut normal, mut finals, mut records) = (Vec::new(), Vec::new(), Vec::new());
        for root in self.elections.take_due() {
            let Some(election) = self.elections.get(&root) else {
                continue;
            };
            let hash = election.winner;
            let ready = self
                .ledger
                .entry(&hash)
                .is_some_and(|entry| self.ledger.dependencies_confirmed(entry));
            if !ready {
                // It becomes due again when it is ready, or by the periodic resending.
                continue;
            }
            let too_soon = election
                .local
                .is_some_and(|last| last.hash != hash && now.since(last.at) < VOTE_SPACING);
            if too_soon {
                // The periodic resending comes back to it.
                continue;
            }
            if !election.is_final {
                normal.push(hash);
            } else {
                match self.final_votes.get(&root) {
                    Some(recorded) if *recorded != hash => continue,
                    Some(_) => {}
                    None => records.push((root, hash)),
                }
                finals.push(hash);
            }
            if let Some(election) = self.elections.get_mut(&root) {
                election.local = Some(LocalVote { hash, at: now });
            }
        }
        let recorded = records.is_empty()
            || self
                .write(|store| store.record_final_votes(&records))
                .is_ok();
        if !recorded {
            return (Vec::new(), Vec::new());
        }
        self.final_votes.extend(records);
        (normal, finals)
    }

    fn cast(&mut self, hashes: &[BlockHash], timestamp: VoteTimestamp, now: UnixMillis) {
        let votes: Vec<Arc<Vote>> = self
            .voting_keys()
            .into_iter()
            .map(|key| Arc::new(Vote::sign(key, timestamp, hashes.to_vec())))
            .collect();
        for vote in votes {
            self.send(Outbound::Vote {
                vote: Arc::clone(&vote),
                rebroadcast: false,
                except: None,
            });
            let outcome = self.count_vote(&vote, now);
            self.tell(Event::Vote(vote, outcome));
        }
    }

    /// The periodic part: resends undecided elections, drops old ones, starts missing ones.
    pub(crate) fn tick(&mut self, now: UnixMillis) {
        self.online.forget_silent(now);
        for root in self.elections.expired(now) {
            if let Some(election) = self.elections.stop(&root) {
                self.tell(Event::ElectionStopped(election.winner));
            }
        }
        let mut request = Vec::new();
        for root in self.elections.silent_for(RESEND, now) {
            self.elections.set_due(root);
            let Some(election) = self.elections.get_mut(&root) else {
                continue;
            };
            election.sent = now;
            election.requests += 1;
            let (winner, block) = (
                election.winner,
                election.candidates.get(&election.winner).copied(),
            );
            request.push((winner, root));
            if let Some(block) = block {
                self.send(Outbound::Block(Arc::new(block)));
            }
        }
        for pairs in request.chunks(MAX_REQUEST) {
            self.send(Outbound::Request(Arc::new(pairs.to_vec())));
        }
        if self.elections.has_room() {
            self.scan_unconfirmed();
            self.start_ripe(now);
        }
        self.cast_votes(now);
    }

    /// Which blocks of a question for votes this node answers, and the keys that sign. The rules
    /// are the full node's: look up by hash, else by root as previous, else by root as account;
    /// answer what is confirmed or has a recorded final vote; each root once; at most one vote's
    /// worth. Empty when nothing can be answered or nobody votes here.
    pub(crate) fn answer_request(
        &self,
        pairs: &[(BlockHash, Root)],
    ) -> (Vec<BlockHash>, Vec<PrivateKey>) {
        let keys = self.voting_keys();
        if keys.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let mut roots = BTreeSet::new();
        let mut hashes = Vec::new();
        for (hash, root) in pairs {
            let found = if self.ledger.contains(hash) {
                Some(*hash)
            } else {
                self.ledger.block_at_root(root)
            };
            let Some((hash, entry)) =
                found.and_then(|hash| Some((hash, self.ledger.entry(&hash)?)))
            else {
                continue;
            };
            let root = entry.block.root();
            if hashes.len() >= Vote::MAX_HASHES || !roots.insert(root) {
                continue;
            }
            let answerable = match self.final_votes.get(&root) {
                Some(recorded) => *recorded == hash,
                None => self.ledger.is_confirmed(&hash),
            };
            if answerable {
                hashes.push(hash);
            }
        }
        let keys = if hashes.is_empty() {
            Vec::new()
        } else {
            keys.into_iter().cloned().collect()
        };
        (hashes, keys)
    }
}
