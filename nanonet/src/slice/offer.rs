//! Offering a record to the slice: what is checked, in which order, and what then changes.
//!
//! Cheap checks come before expensive ones, and none that a liar controls decides for a record:
//! form and links, known order, room, then the proof, then the sightings.

use std::cmp::Reverse;
use std::sync::Arc;

use nano_core::proof::{Frontier, ProofError, ProvenFrontier, ProvenReceivable};
use nano_core::{Account, Block, BlockHash, Raw, UnixMillis, WeightTable};

use super::budget::{Item, Worth};
use super::held::Admitted;
use super::order::Chain;
use super::stored::{ENTRY_BYTES, StoredReceivable};
use super::{HeldAccount, HeldFrontier, HeldReceivable, Outcome, Place, Refusal, Slice, counted};
use crate::chunked::ChunkedMap;
use crate::sorted::SortedMap;
use crate::{
    AccountKey, AccountRecord, MAX_LINEAGE, MAX_RECORD_BYTES, MAX_SIGHTINGS, ReceivableRecord,
    Record, Sighting, SightingError, StoreKey,
};

impl Slice {
    /// Offers a record of `account` (for a receivable: its destination): the account that was
    /// asked for, or that the sender names. `weights` is the table in force.
    pub fn offer(
        &mut self,
        now: UnixMillis,
        account: &Account,
        record: Record,
        weights: &WeightTable,
    ) -> Outcome {
        match record {
            Record::Account(record) => self.offer_account(now, account, *record, weights),
            Record::Receivable(record) => self.offer_receivable(now, account, *record, weights),
        }
    }

    /// Offers a frontier of `account`, see [`Slice::offer`].
    pub fn offer_account(
        &mut self,
        now: UnixMillis,
        account: &Account,
        record: AccountRecord,
        weights: &WeightTable,
    ) -> Outcome {
        self.turn_day(now);
        self.drop_stale(now);
        self.hold(&AccountKey::new(account));
        let result = self.try_account(now, account, record, weights);
        result.unwrap_or_else(Outcome::Refused)
    }

    /// Offers a send to `destination`, see [`Slice::offer`].
    pub fn offer_receivable(
        &mut self,
        now: UnixMillis,
        destination: &Account,
        record: ReceivableRecord,
        weights: &WeightTable,
    ) -> Outcome {
        self.turn_day(now);
        let result = self.try_receivable(destination, record, weights);
        result.unwrap_or_else(Outcome::Refused)
    }

    fn try_account(
        &mut self,
        now: UnixMillis,
        account: &Account,
        record: AccountRecord,
        weights: &WeightTable,
    ) -> Result<Outcome, Refusal> {
        let bytes = self.check_form(account, &record, weights)?;
        let key = AccountKey::new(account);
        let (block, chain) = chain_of(&record)?;
        let ours = record.proof.network == self.config.network && record.account() == *account;
        if ours && let Some(held) = held_at(&mut self.places, &key) {
            if let Some(by) = held.superseder(&chain.head()) {
                if held.learn(&chain, &record.lineage, &block) {
                    self.account_told(&key);
                }
                return Ok(Outcome::Superseded { by });
            }
            if held.frontier_of(&chain.head()).is_some() {
                return self.offer_again(now, account, record, &chain, weights);
            }
        }
        let claimed = block.balance().unwrap_or(Raw::ZERO);
        let worth = self.worth(&key, claimed);
        // A newer frontier of a held account is never turned away for want of room: what would
        // stay is the outdated one.
        let room = self.get(account).is_some()
            || worth == Worth::Pinned
            || self.budget.would_keep(worth, counted(bytes.len()));
        if !room {
            return Err(Refusal::NoRoom);
        }
        let mut record = record;
        let proven = self.believe(now, account, &mut record, weights)?;
        let frontier = HeldFrontier::new(record, proven, weights.as_of, chain);
        Ok(self.keep(*account, Arc::new(frontier)))
    }

    /// Offers a frontier of `account` that is known to be proven under the table in force, by a
    /// record without sightings: [`Slice::offer_account`] without the checks of the proof.
    pub(crate) fn offer_proven(
        &mut self,
        now: UnixMillis,
        account: &Account,
        frontier: &Arc<HeldFrontier>,
        weights: &WeightTable,
    ) -> Outcome {
        let key = AccountKey::new(account);
        self.drop_stale(now);
        self.hold(&key);
        let held = self.places.get(&key).and_then(|place| place.held.as_ref());
        let claimed = frontier.proven.balance;
        if let Some(held) = held {
            let same = held.frontier_of(&frontier.chain.head());
            if same.is_some_and(|same| same.weights_as_of >= weights.as_of) {
                return Outcome::AlreadyHeld;
            }
            // What it may teach is for the usual way.
            return self.offer_account(now, account, frontier.record.clone(), weights);
        }
        self.turn_day(now);
        let worth = self.worth(&key, claimed);
        let bytes = counted(ENTRY_BYTES + frontier.stored_bytes());
        if worth != Worth::Pinned && !self.budget.would_keep(worth, bytes) {
            return Outcome::Refused(Refusal::NoRoom);
        }
        self.keep(*account, Arc::clone(frontier))
    }

    /// Checks a record's proof and sightings and leaves it those of the sightings that count; what
    /// it proves. Nothing is kept.
    pub(crate) fn believe(
        &mut self,
        now: UnixMillis,
        account: &Account,
        record: &mut AccountRecord,
        weights: &WeightTable,
    ) -> Result<ProvenFrontier, Refusal> {
        let proven = self.prove(account, record, weights)?;
        check_sightings(record, &[])?;
        let sightings = std::mem::take(&mut record.sightings);
        record.sightings = self.choose_sightings(now, sightings, weights);
        Ok(proven)
    }

    /// Checks all that can be false about a record, without keeping it: whoever offers it here
    /// after that is not at fault.
    ///
    /// # Errors
    /// The [`Refusal`] that [`Slice::offer`] gives to someone who holds nothing.
    pub fn check(
        &mut self,
        account: &Account,
        record: &Record,
        weights: &WeightTable,
    ) -> Result<(), Refusal> {
        match record {
            Record::Account(record) => {
                self.check_form(account, record, weights)?;
                chain_of(record)?;
                self.prove(account, record, weights)?;
                check_sightings(record, &[])
            }
            Record::Receivable(record) => {
                self.prove_receivable(account, record, weights)?;
                Ok(())
            }
        }
    }

    /// Checks that a record is within its limits, and gives its bytes.
    fn check_form(
        &mut self,
        account: &Account,
        record: &AccountRecord,
        weights: &WeightTable,
    ) -> Result<Vec<u8>, Refusal> {
        let bytes = record.to_bytes();
        if bytes.is_empty() {
            // Beyond the limits of proofs: its own check says which.
            self.prove(account, record, weights)?;
        }
        if record.lineage.len() > MAX_LINEAGE
            || record.sightings.len() > MAX_SIGHTINGS
            || bytes.len() > MAX_RECORD_BYTES
        {
            return Err(Refusal::TooLarge);
        }
        Ok(bytes)
    }

    /// Checks the proof and that it is of our network.
    fn prove_receivable(
        &mut self,
        destination: &Account,
        record: &ReceivableRecord,
        weights: &WeightTable,
    ) -> Result<ProvenReceivable, Refusal> {
        record
            .proof
            .verify_cached(destination, self.config.network, weights, &mut self.votes)
            .map_err(Refusal::Proof)
    }

    /// Checks the proof and that it is of our network.
    fn prove(
        &mut self,
        account: &Account,
        record: &AccountRecord,
        weights: &WeightTable,
    ) -> Result<ProvenFrontier, Refusal> {
        record
            .proof
            .verify_cached(account, self.config.network, weights, &mut self.votes)
            .map_err(Refusal::Proof)
    }

    /// A frontier that is held already: its sightings, and its proof if the table is newer.
    fn offer_again(
        &mut self,
        now: UnixMillis,
        account: &Account,
        record: AccountRecord,
        chain: &Chain,
        weights: &WeightTable,
    ) -> Result<Outcome, Refusal> {
        let key = AccountKey::new(account);
        let head = chain.head();
        let Some(frontier) = self.get(account).and_then(|held| held.frontier_of(&head)) else {
            return Ok(Outcome::AlreadyHeld);
        };
        let known = frontier.record.sightings.clone();
        let block = frontier.proven.block;
        let outdated = frontier.weights_as_of < weights.as_of;
        let renewed = if outdated {
            Some(self.prove(account, &record, weights)?)
        } else {
            None
        };
        check_sightings(&record, &known)?;
        let mut sightings = known.clone();
        sightings.extend(record.sightings);
        let sightings = self.choose_sightings(now, sightings, weights);
        let outcome = if outdated {
            Outcome::Renewed
        } else if sightings != known {
            Outcome::RefreshedSightings
        } else {
            Outcome::AlreadyHeld
        };
        let Some(held) = held_at(&mut self.places, &key) else {
            return Ok(Outcome::AlreadyHeld);
        };
        let learnt = held.learn(chain, &record.lineage, &block);
        let changed = renewed.is_some() || sightings != known;
        if changed && let Some(frontier) = held.frontier_mut(&head) {
            frontier.record.sightings = sightings;
            if let Some(proven) = renewed {
                frontier.record.proof = record.proof;
                frontier.proven = proven;
                frontier.weights_as_of = weights.as_of;
            }
            frontier.record.shorten();
            frontier.measure();
        }
        held.prefer(&self.config.anchors);
        if learnt || !matches!(outcome, Outcome::AlreadyHeld) {
            self.account_told(&key);
        }
        Ok(outcome)
    }

    /// Takes in a proven frontier that is not held yet.
    pub(super) fn keep(&mut self, account: Account, frontier: Arc<HeldFrontier>) -> Outcome {
        let key = AccountKey::new(&account);
        let head = frontier.chain.head();
        let place = self.places.get_or_insert_with(key, || Place::new(account));
        let outcome = match &mut place.held {
            None => {
                place.held = Some(HeldAccount::new(frontier));
                self.accounts += 1;
                Outcome::Stored
            }
            Some(held) => {
                let lineage_kept = usize::from(self.config.lineage_kept).min(MAX_LINEAGE);
                match held.admit(frontier, &self.config.anchors, lineage_kept) {
                    Admitted::Replaced(superseded) => Outcome::Replaced { superseded },
                    Admitted::Superseded(by) => Outcome::Superseded { by },
                    Admitted::Unknown { held, kept } => Outcome::OrderUnknown { held, kept },
                    Admitted::Diverged(held) => Outcome::Conflict {
                        held,
                        offered: head,
                    },
                }
            }
        };
        self.account_told(&key);
        if self.get(&account).is_none() {
            return Outcome::Refused(Refusal::NoRoom);
        }
        outcome
    }

    /// Draws the consequences of what an account's frontiers newly tell.
    pub(super) fn account_told(&mut self, key: &AccountKey) {
        self.heed_receives(key);
        self.account_changed(key);
        self.evict();
    }

    /// Drops receivables that the account is now proven to have received.
    fn heed_receives(&mut self, key: &AccountKey) {
        let Some(place) = self.places.get(key) else {
            return;
        };
        let Some(held) = &place.held else {
            return;
        };
        let received: Vec<BlockHash> = held
            .received()
            .filter(|send| place.sends.get(send).is_some())
            .copied()
            .collect();
        for send in received {
            self.drop_receivable(key, &send);
        }
    }

    fn try_receivable(
        &mut self,
        destination: &Account,
        record: ReceivableRecord,
        weights: &WeightTable,
    ) -> Result<Outcome, Refusal> {
        let bytes = record.to_bytes();
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(Refusal::TooLarge);
        }
        let hash = record.hash();
        let mut held_weights = None;
        if let Some(place) = self.places.get(&AccountKey::new(destination))
            && record.proof.network == self.config.network
            && record.destination() == *destination
        {
            if place
                .held
                .as_ref()
                .is_some_and(|held| held.has_received(&hash))
            {
                return Ok(Outcome::AlreadyReceived);
            }
            held_weights = place.sends.get(&hash).map(HeldReceivable::weights_as_of);
        }
        match held_weights {
            Some(held) if held >= weights.as_of => return Ok(Outcome::AlreadyHeld),
            Some(_) => {}
            None => self.check_room(destination, record.amount(), counted(bytes.len()))?,
        }
        let proven = self.prove_receivable(destination, &record, weights)?;
        let outcome = self.keep_receivable(HeldReceivable {
            record,
            proven,
            weights_as_of: weights.as_of,
        });
        Ok(match (outcome, held_weights) {
            (Outcome::Stored, Some(_)) => Outcome::Renewed,
            (outcome, _) => outcome,
        })
    }

    /// Whether a receivable of this amount has a place here.
    fn check_room(&self, destination: &Account, amount: Raw, bytes: u64) -> Result<(), Refusal> {
        let key = AccountKey::new(destination);
        let minimum = self.config.minimum_receivable;
        if amount < minimum && !self.watched.contains(&key) {
            return Err(Refusal::BelowMinimum { minimum });
        }
        let place = self.places.get(&key);
        if place.is_some_and(|place| !place.sends.would_keep(amount)) {
            return Err(Refusal::DestinationFull);
        }
        if !self.budget.would_keep(self.worth(&key, amount), bytes) {
            return Err(Refusal::NoRoom);
        }
        Ok(())
    }

    /// Keeps a proven receivable under its destination.
    pub(super) fn keep_receivable(&mut self, receivable: HeldReceivable) -> Outcome {
        let destination = receivable.proven.destination;
        let (hash, amount) = (receivable.proven.hash, receivable.proven.amount);
        let key = AccountKey::new(&destination);
        let bytes = counted(StoredReceivable::of(&receivable).to_bytes().len());
        let place = self
            .places
            .get_or_insert_with(key, || Place::new(destination));
        let (new, pushed_out) = place.sends.insert(receivable);
        self.receivables += u32::from(new);
        if let Some(least) = pushed_out {
            self.receivables -= 1;
            self.receivable_gone(&key, destination, least);
        }
        let worth = self.worth(&key, amount);
        self.budget.set(Item::Receivable(key, hash), worth, bytes);
        self.dirty
            .insert(StoreKey::Receivable { destination, hash }, ());
        self.evict();
        let kept = self
            .places
            .get(&key)
            .is_some_and(|place| place.sends.get(&hash).is_some());
        if kept {
            Outcome::Stored
        } else {
            Outcome::Refused(Refusal::NoRoom)
        }
    }

    /// The sightings to keep out of these: the newest of each bridge that can count, anchors'
    /// before others', newest first.
    fn choose_sightings(
        &self,
        now: UnixMillis,
        sightings: Vec<Sighting>,
        weights: &WeightTable,
    ) -> Vec<Sighting> {
        let mut ordered = SortedMap::new();
        for sighting in sightings {
            if sighting.counts(now, weights) {
                let anchor = self.config.anchors.contains(&sighting.bridge);
                let order = (!anchor, Reverse(sighting.at), sighting.bridge);
                ordered.get_or_insert_with(order, || sighting);
            }
        }
        let mut chosen: Vec<Sighting> = Vec::new();
        for sighting in ordered.values() {
            if !chosen.iter().any(|other| other.bridge == sighting.bridge) {
                chosen.push(sighting.clone());
            }
        }
        chosen.truncate(MAX_SIGHTINGS);
        chosen
    }
}

/// Checks every sighting of a record that is not among those `known` to hold.
fn check_sightings(record: &AccountRecord, known: &[Sighting]) -> Result<(), Refusal> {
    let hash = record.hash();
    for sighting in &record.sightings {
        if known.contains(sighting) {
            continue;
        }
        let fits = sighting.network == record.proof.network
            && sighting.account == record.account()
            && sighting.frontier == Some(hash);
        if !fits {
            return Err(Refusal::Sighting(SightingError::Mismatch));
        }
        sighting.verify().map_err(Refusal::Sighting)?;
    }
    Ok(())
}

/// The frontier block of a record and the chain that its blocks form, checked link by link; the
/// hashes need no proof once the frontier's is known to hold.
pub(super) fn chain_of(record: &AccountRecord) -> Result<(Block, Chain), Refusal> {
    let no_block = Refusal::Proof(ProofError::LegacyChainBroken("there is no block"));
    let block = record.proof.frontier.block().ok_or(no_block)?;
    let account = record.account();
    let mut chain = Chain::new(&block);
    for older in record.lineage.iter().rev() {
        let foreign = older.account().is_some_and(|other| other != account);
        if foreign || !chain.extend(older) {
            return Err(Refusal::LineageBroken);
        }
    }
    let mut carried = Chain::new(&block);
    // A gap ends what is taken over; the proof's own check says what is wrong with it.
    for older in carried_before(&record.proof.frontier).iter().rev() {
        if !carried.extend(older) {
            break;
        }
    }
    chain.learn(&carried);
    Ok((block, chain))
}

/// Blocks that a proof itself carries from before its frontier, oldest first.
pub(super) fn carried_before(frontier: &Frontier) -> &[Block] {
    match frontier {
        Frontier::State(_) => &[],
        Frontier::Epoch { history, .. } => &history.blocks,
        Frontier::Legacy(history) => match history.blocks.split_last() {
            Some((_, before)) => before,
            None => &[],
        },
    }
}

/// What is held of the account with this key.
pub(super) fn held_at<'a>(
    places: &'a mut ChunkedMap<AccountKey, Place>,
    key: &AccountKey,
) -> Option<&'a mut HeldAccount> {
    places.get_mut(key)?.held.as_mut()
}
