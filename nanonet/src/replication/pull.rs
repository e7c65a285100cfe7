//! Getting records that somebody holds, and handing out our own.
//!
//! - records named to us are pulled from the one who named them, in batches, each batch compressed
//!   ([`crate::wire::Chunk`]);
//! - a record on its way is not pulled from a second one within [`PULL_AGAIN_MS`];
//! - a pull that brings nothing of what is left of it ends: the next comparison finds what is missing.
//!
//! Limits: [`MAX_PULLS`] pulls at a time, [`MAX_WANTED`] names remembered; what there is no room for
//! is not pulled. A request looks at [`MAX_SCANNED`] accounts.

use nano_core::{Account, BlockHash, UnixMillis};

use crate::query::answering::covers;
use crate::routing::forward::{Own, Upstream};
use crate::slice::Outcome;
use crate::sorted::SortedMap;
use crate::wire::{
    Ask, BATCH_BYTES, Chunk, Header, Holder, KeyRange, MAX_HEADERS, MAX_RECORDS, Name, Packed,
    Reply, Target, Wanted, fitting,
};
use crate::{AccountKey, Bug, Crypto, LinkId, Node, NodeId};

/// Most pulls at a time.
pub(crate) const MAX_PULLS: usize = 32;
/// Most names remembered as pulled.
pub(crate) const MAX_WANTED: usize = 4096;
/// How long a name is not pulled again.
pub(super) const PULL_AGAIN_MS: u64 = 30_000;
/// Most accounts looked at for one request.
pub(super) const MAX_SCANNED: usize = 4096;

#[derive(Debug)]
struct Pull {
    from: NodeId,
    keys: KeyRange,
    left: Vec<Name>,
}

/// Pulls under way.
#[derive(Debug, Default)]
pub(super) struct Pulls {
    open: SortedMap<u64, Pull>,
    last: u64,
    wanted: SortedMap<Name, UnixMillis>,
}

impl Pulls {
    /// Pulls and names remembered.
    #[cfg(any(test, feature = "adversary"))]
    pub(super) const fn sizes(&self) -> [usize; 2] {
        [self.open.len(), self.wanted.len()]
    }

    /// Remembers that a record is on its way; false if it was before, or there is no room.
    fn want(&mut self, name: Name, now: UnixMillis) -> bool {
        if self.wanted.get(&name).is_some_and(|until| *until > now) {
            return false;
        }
        if self.wanted.len() >= MAX_WANTED {
            self.wanted.retain(|_, until| *until > now);
        }
        let room = self.wanted.len() < MAX_WANTED;
        if room {
            self.wanted.insert(name, now.plus(PULL_AGAIN_MS));
        }
        room
    }
}

/// A record that came.
pub(super) struct Came {
    pub(super) account: Account,
    pub(super) name: Name,
    pub(super) outcome: Outcome,
}

impl<C: Crypto> Node<C> {
    /// Pulls records that we lack from the node that named them.
    pub(super) fn pull_named(&mut self, from: NodeId, lacking: &[Header]) {
        if self.replication.pulls.open.len() >= MAX_PULLS {
            return;
        }
        let now = self.now;
        let pulls = &mut self.replication.pulls;
        let fresh: Vec<&Header> = lacking
            .iter()
            .filter(|header| pulls.want(header.name(), now))
            .collect();
        if fresh.is_empty() {
            return;
        }
        pulls.last += 1;
        let id = pulls.last;
        let pull = Pull {
            from,
            keys: KeyRange::over(fresh.iter().map(|header| &header.account)),
            left: fresh.iter().map(|header| header.name()).collect(),
        };
        pulls.open.insert(id, pull);
        self.pull_on(id);
    }

    fn pull_on(&mut self, id: u64) {
        let Some(pull) = self.replication.pulls.open.get(&id) else {
            return;
        };
        let names = pull.left.iter().take(MAX_HEADERS).copied().collect();
        let (keys, which) = (pull.keys, Wanted::Named(names));
        let target = Target::Exactly(pull.from);
        self.ask(Own::Pull(id), target, Ask::Pull { keys, which });
    }

    /// Records that were pulled.
    pub(crate) fn on_pulled(&mut self, id: u64, body: Reply, via: Option<LinkId>) {
        let Some(mut pull) = self.replication.pulls.open.remove(&id) else {
            return;
        };
        let Reply::Records { records, .. } = body else {
            return;
        };
        let before = pull.left.len();
        let expected = |_: &Account, name: &Name| pull.left.contains(name);
        let came = self.take_chunk(&records, pull.from, via, &expected);
        let came = came.unwrap_or_default();
        pull.left
            .retain(|name| !came.iter().any(|came| came.name == *name));
        self.pass_names_on(&came);
        if !pull.left.is_empty() && pull.left.len() < before {
            self.replication.pulls.open.insert(id, pull);
            self.pull_on(id);
        }
    }

    /// What came is new here, and we are the nearest to it: a bridge named it, and the other holders
    /// shall hear of it.
    fn pass_names_on(&mut self, came: &[Came]) {
        let around = self.around();
        let us = self.id.point().first_bits();
        let mut names: SortedMap<NodeId, Vec<Header>> = SortedMap::new();
        for Came {
            account, outcome, ..
        } in came
        {
            let key = AccountKey::new(account);
            let new = matches!(outcome, Outcome::Stored | Outcome::Replaced { .. });
            if !new || !around.is_first(key.first_bits(), us, 1) {
                continue;
            }
            for holder in self.holders_of(&key.point()) {
                if holder != self.id {
                    let list = names.get_or_insert_with(holder, Vec::new);
                    list.extend(self.names_of(account));
                }
            }
        }
        for (to, headers) in names.iter() {
            for headers in headers.chunks(MAX_HEADERS) {
                self.name(*to, headers);
            }
        }
    }

    /// Takes in records that we asked `from` for; those that are not `expected` are refused. `None`
    /// if they cannot be read.
    pub(super) fn take_chunk(
        &mut self,
        records: &Chunk,
        from: NodeId,
        via: Option<LinkId>,
        expected: &dyn Fn(&Account, &Name) -> bool,
    ) -> Option<Vec<Came>> {
        // Whoever passed them on did not check them: only a direct neighbour is to blame.
        let direct = via.filter(|link| self.peer_id(*link) == Some(from));
        let Some(records) = records.unpack() else {
            self.blame(direct, "malformed");
            return None;
        };
        let mut came = Vec::new();
        for packed in records {
            let opened = match self.open(&packed) {
                Ok(opened) => opened,
                Err(error) => {
                    self.blame(direct, error.reason());
                    continue;
                }
            };
            let (account, name) = (opened.account(), opened.name());
            if !expected(&account, &name) {
                self.blame(direct, "not-asked-for");
                continue;
            }
            let outcome = self.take_in_opened(&packed, opened);
            if outcome.is_fault() {
                self.blame(direct, outcome.reason().unwrap_or("refused"));
            }
            came.push(Came {
                account,
                name,
                outcome,
            });
        }
        Some(came)
    }

    /// Somebody wants records of ours.
    pub(crate) fn serve_pull(
        &mut self,
        upstream: Upstream,
        id: u64,
        keys: KeyRange,
        which: &Wanted,
    ) {
        let (records, next) = match which {
            Wanted::Named(names) => (self.records_named(keys, names), None),
            Wanted::SliceOf(who) => self.records_for(keys, who),
        };
        #[cfg(any(test, feature = "adversary"))]
        let (records, next) = if self.lies.withholding {
            (Vec::new(), None)
        } else {
            (records, next)
        };
        let records = Chunk::pack(&records);
        self.reply(upstream, id, Reply::Records { records, next });
    }

    /// The records with these names, as far as they are held and fit one message.
    fn records_named(&self, keys: KeyRange, names: &[Name]) -> Vec<Packed> {
        let accounts = self.slice.accounts_in(keys.first, keys.last);
        let headers = accounts
            .take(MAX_SCANNED)
            .flat_map(|(_, account)| self.names_of(account));
        let wanted = headers.filter(|header| names.contains(&header.name()));
        fitting(
            wanted.filter_map(|header| self.packed(&header)),
            BATCH_BYTES,
        )
    }

    /// The first records of a range that `who` shall hold, and where the rest begins. All records of
    /// one account come together, or those of them that fit.
    fn records_for(&self, keys: KeyRange, who: &Holder) -> (Vec<Packed>, Option<u64>) {
        let around = self.around_holder(who, keys);
        let mut records: Vec<Packed> = Vec::new();
        let mut bytes = 0;
        let accounts = self.slice.accounts_in(keys.first, keys.last);
        for (scanned, (key, account)) in accounts.enumerate() {
            if scanned >= MAX_SCANNED {
                return (records, Some(key.first_bits()));
            }
            if !self.shall_hold(&around, key, &who.id) {
                continue;
            }
            let headers = self.names_of(account).into_iter();
            let room = MAX_RECORDS.saturating_sub(records.len());
            let all: Vec<Packed> = headers.filter_map(|header| self.packed(&header)).collect();
            let length: usize = all.iter().map(|packed| packed.as_bytes().len() + 4).sum();
            if !records.is_empty() && (bytes + length > BATCH_BYTES || all.len() > room) {
                return (records, Some(key.first_bits()));
            }
            bytes += length;
            records.extend(fitting(all, BATCH_BYTES));
        }
        (records, None)
    }

    /// Everything held of an account, by name; nothing if it is only cached.
    pub(super) fn names_of(&self, account: &Account) -> Vec<Header> {
        if self.slice.is_cached(account) {
            return Vec::new();
        }
        let account = *account;
        let name = |hash: BlockHash, receivable| Header {
            account,
            hash,
            receivable,
        };
        let held = self.slice.get(&account).into_iter();
        let frontiers = held
            .flat_map(|held| held.frontiers())
            .map(|frontier| name(frontier.proven().hash, false));
        let sends = self.slice.receivables(&account);
        let sends = sends.map(|held| name(held.proven().hash, true));
        frontiers.chain(sends).collect()
    }

    /// A record held, by name.
    fn packed(&self, header: &Header) -> Option<Packed> {
        if header.receivable {
            let mut sends = self.slice.receivables(&header.account);
            let held = sends.find(|held| held.proven().hash == header.hash)?;
            return Some(Packed::from_bytes(held.record().to_bytes()));
        }
        let frontiers = self.slice.get(&header.account)?.frontiers();
        let mut frontiers = frontiers.iter();
        let frontier = frontiers.find(|frontier| frontier.proven().hash == header.hash)?;
        Some(Packed::from_bytes(frontier.record().to_bytes()))
    }

    /// Whether a record, or a newer one in its place, is held.
    pub(super) fn holds(&self, header: &Header) -> bool {
        if self.has_bug(Bug::PullsHeld) {
            return false;
        }
        if self.slice.is_cached(&header.account) {
            return false;
        }
        let held = self.slice.get(&header.account);
        if header.receivable {
            held.is_some_and(|held| held.has_received(&header.hash))
                || self
                    .slice
                    .receivables(&header.account)
                    .any(|held| held.proven().hash == header.hash)
        } else {
            held.is_some_and(|held| covers(held, &header.hash))
        }
    }
}
