//! Elections inside the engine: starting, deciding, confirming.

use std::sync::Arc;

use nano_core::{Account, Block, BlockHash, Raw, Root, UnixMillis};

use super::Engine;
use crate::events::{Confirmation, ConfirmationCause, ElectionSummary, Event, Outbound};
use crate::ledger::Entry;
use crate::voting::{Election, Online, Tally};

impl Engine {
    /// Weight that decides: 67 % of the largest of online, trended and least online weight.
    pub(crate) fn quorum_delta(&self) -> Raw {
        let online = self.online_weight().max(self.trended_weight());
        nano_core::quorum_delta(online, self.online_weight_minimum)
    }

    /// Weight of representatives heard lately.
    pub(crate) fn online_weight(&self) -> Raw {
        self.online.weight(self.ledger.weights())
    }

    /// Weight of all representatives that could be online.
    pub(crate) fn trended_weight(&self) -> Raw {
        Online::trended(self.ledger.weights())
    }

    pub(crate) const fn online_weight_minimum(&self) -> Raw {
        self.online_weight_minimum
    }

    /// Representatives heard lately, with their weight.
    pub(crate) fn online_representatives(&self) -> Vec<(Account, Raw)> {
        self.online.representatives(self.ledger.weights()).collect()
    }

    /// Notes that the next election of a block's account may start.
    pub(super) fn ripen(&mut self, hash: &BlockHash) {
        if let Some(entry) = self.ledger.entry(hash) {
            self.ripe.push(entry.account);
        }
    }

    /// Starts the elections of the oldest unconfirmed blocks of accounts noted, where they are
    /// ready. A loop, not a recursion: deciding one makes the next ripe, for whole chains.
    pub(super) fn start_ripe(&mut self, now: UnixMillis) {
        while let Some(account) = self.ripe.pop() {
            let block = self
                .ledger
                .first_unconfirmed(&account)
                .and_then(|hash| self.ledger.entry(&hash))
                .filter(|entry| self.ledger.dependencies_confirmed(entry))
                .map(|entry| entry.block);
            if let Some(block) = block {
                self.start_election(block, now);
            }
        }
    }

    /// Starts an election for a block of the ledger (RPC `block_confirm`), or tells its
    /// confirmation again when it has one; false when the block is unknown.
    pub(crate) fn request_confirmation(&mut self, hash: &BlockHash, now: UnixMillis) -> bool {
        let Some(entry) = self.ledger.entry(hash) else {
            return false;
        };
        let block = entry.block;
        if self.ledger.is_confirmed(hash) {
            self.tell_confirmed(hash, ConfirmationCause::Height, now);
        } else {
            self.start_election(block, now);
            self.start_ripe(now);
        }
        true
    }

    fn start_election(&mut self, block: Block, now: UnixMillis) {
        if !self.elections.start(block, now) {
            // It may have begun too early to vote in, as a fork's does.
            let root = block.root();
            let election = self.elections.get(&root);
            if election.is_some_and(|election| election.local.is_none()) {
                self.elections.set_due(root);
            }
            return;
        }
        let hash = block.hash();
        self.tell(Event::ElectionStarted(hash));
        self.send(Outbound::Block(Arc::new(block)));
        self.count_early_votes(hash, block.root(), now);
    }

    fn count_early_votes(&mut self, hash: BlockHash, root: Root, now: UnixMillis) {
        let votes = self.early_votes.take(&hash);
        if let Some(election) = self.elections.get_mut(&root) {
            for (who, timestamp) in votes {
                election.vote(who, hash, timestamp);
            }
            self.decide(root, now);
        }
    }

    /// Lets a block compete for a place that another block of the ledger holds.
    pub(super) fn compete(&mut self, block: Block, now: UnixMillis) {
        let root = block.root();
        let Some((held, entry)) = self
            .ledger
            .block_at_root(&root)
            .and_then(|held| Some((held, self.ledger.entry(&held)?)))
        else {
            return;
        };
        // A legacy fork is told before its signature is looked at, so look here.
        let is_signed = block.verify(&entry.account.public_key()).is_ok();
        if self.ledger.is_confirmed(&held) || !is_signed {
            return;
        }
        let holder = entry.block;
        self.start_election(holder, now);
        if self.elections.add_candidate(block) {
            self.send(Outbound::Block(Arc::new(block)));
            self.count_early_votes(block.hash(), root, now);
        }
    }

    /// The count of the election for a root.
    pub(crate) fn tally(&self, root: &Root) -> Option<Tally> {
        let election = self.elections.get(root)?;
        Some(election.tally(|who| self.ledger.weight(who)))
    }

    /// Looks whether an election is ripe for the next step, and takes it.
    pub(super) fn decide(&mut self, root: Root, now: UnixMillis) {
        let delta = self.quorum_delta();
        let Some(tally) = self.tally(&root) else {
            return;
        };
        let winner = self.elections.get(&root).map(|election| election.winner);
        if winner != Some(tally.leader) && tally.total >= delta {
            self.replace_winner(root, tally.leader, now);
        }
        let Some(election) = self.elections.get_mut(&root) else {
            return;
        };
        let lead = tally.leading.checked_sub(tally.second).unwrap_or_default();
        if election.winner != tally.leader || lead < delta {
            return;
        }
        if !election.is_final {
            election.is_final = true;
            self.elections.set_due(root);
        }
        if tally.leader_final >= delta {
            self.finish(root, &tally, now);
        }
    }

    /// Puts a candidate that leads in place of the one the ledger holds. When it does not fit the
    /// ledger, everything stays as it was.
    fn replace_winner(&mut self, root: Root, leader: BlockHash, now: UnixMillis) {
        let Some((loser, block)) = self
            .elections
            .get(&root)
            .and_then(|election| Some((election.winner, *election.candidates.get(&leader)?)))
        else {
            return;
        };
        let Ok(removed) = self.ledger.roll_back(&loser) else {
            return;
        };
        let seconds = now.number() / 1000;
        let fits = self.ledger.process(block, seconds).is_ok();
        if !fits {
            for (_, entry) in removed.into_iter().rev() {
                // Fitted a moment ago, in this order.
                let _ = self.ledger.process(entry.block, entry.local_timestamp);
            }
            return;
        }
        let written = self.write(|store| {
            store.remove(&removed)?;
            store.add([(&block, seconds)])
        });
        if written.is_err() {
            return;
        }
        // Elections for blocks that stood on the loser are void.
        for (hash, entry) in &removed {
            let void = entry.block.root();
            if *hash != loser && self.elections.stop(&void).is_some() {
                self.tell(Event::ElectionStopped(*hash));
            }
        }
        if let Some(election) = self.elections.get_mut(&root) {
            election.winner = leader;
            election.is_final = false;
        }
        self.elections.set_due(root);
        self.tell_added(leader);
    }

    /// Confirms the winner of an election, with all it stands on.
    fn finish(&mut self, root: Root, tally: &Tally, now: UnixMillis) {
        let Some(election) = self.elections.get(&root) else {
            return;
        };
        let winner = election.winner;
        let summary = self.summary(election, tally, now);
        let confirmed = self.ledger.confirm(&winner);
        let entries: Vec<(BlockHash, Account, u64, Root)> = confirmed
            .iter()
            .filter_map(|hash| {
                let entry = self.ledger.entry(hash)?;
                Some((*hash, entry.account, entry.height, entry.block.root()))
            })
            .collect();
        let heights: Vec<_> = entries
            .iter()
            .map(|(hash, account, height, _)| (*account, *height, *hash))
            .collect();
        let roots: Vec<Root> = entries.iter().map(|(.., root)| *root).collect();
        if self.write(|store| store.confirm(&heights, &roots)).is_err() {
            return;
        }
        for (hash, _, _, root) in &entries {
            self.final_votes.remove(root);
            if let Some(election) = self.elections.stop(root) {
                self.tell(Event::ElectionStopped(election.winner));
            }
            let cause = if *hash == winner {
                ConfirmationCause::Quorum(summary.clone())
            } else {
                ConfirmationCause::Height
            };
            self.tell_confirmed(hash, cause, now);
        }
        for (hash, account, ..) in &entries {
            self.ripe.push(*account);
            if let Some(receive) = self.ledger.received_by(hash) {
                self.ripen(&receive);
            }
        }
    }

    fn summary(&self, election: &Election, tally: &Tally, now: UnixMillis) -> ElectionSummary {
        ElectionSummary {
            duration_ms: now.since(election.started),
            tally: tally.leading,
            final_tally: tally.leader_final,
            blocks: election.candidates.len(),
            requests: election.requests,
            votes: election
                .votes()
                .iter()
                .map(|(who, (hash, time))| (*who, *time, *hash, self.ledger.weight(who)))
                .collect(),
        }
    }

    fn tell_confirmed(&self, hash: &BlockHash, cause: ConfirmationCause, at: UnixMillis) {
        if let Some(entry) = self.ledger.entry(hash) {
            self.tell(Event::Confirmed(Arc::new(Confirmation {
                hash: *hash,
                entry: entry.clone(),
                linked_account: self.linked_account(entry),
                cause,
                at,
            })));
        }
    }

    /// The other account of a send or receive.
    pub(crate) fn linked_account(&self, entry: &Entry) -> Option<Account> {
        let sender = |source| Some(self.ledger.entry(&source)?.account);
        entry
            .destination()
            .or_else(|| entry.source().and_then(sender))
    }
}
