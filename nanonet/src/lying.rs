//! A node that misbehaves on purpose, for tests of those it meets. Never part of a product build.
//!
//! It does everything an honest node does, but answers with lies ([`Tamper`]) in place of the
//! account records it holds; with [`Tamper::OlderProof`] it answers with the first record it ever
//! held of the account, with [`Tamper::Flood`] it asks its peers as fast as its links carry it. It may
//! also misroute ([`Misroute`]) what others send over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nano_core::{Account, UnixMillis};

use crate::Crypto;
use crate::adversary::{Tamper, tamper};
use crate::routing::contact::{Placed, Who};
use crate::routing::nearest::Nearest;
use crate::slice::HeldFrontier;
use crate::testing::TestKeys;
use crate::wire::{Ask, Found, MAX_BUDGET, MAX_HOPS, MAX_PEERS, Message, Packed, Request, Target};
use crate::{
    AccountKey, Addresses, Bug, Defence, LinkId, Node, PeerRecord, Point, Record, Role, Sighting,
};

/// What a node does wrong with requests of others.
#[derive(Debug, Clone)]
pub enum Misroute {
    /// It takes them and does nothing.
    Drop,
    /// It acknowledges cells of private messages and does nothing with them.
    Swallow,
    /// It names these nodes, which do not exist, in place of those it is linked with.
    Forge(Arc<[Who]>),
}

/// What a lying node needs.
#[derive(Default)]
pub(crate) struct Lies {
    kind: Option<(Tamper, TestKeys)>,
    /// The first record held of each account; a test has few.
    older: BTreeMap<Account, Arc<HeldFrontier>>,
    misroute: Option<Misroute>,
    posing: bool,
    pub(crate) withholding: bool,
    pub(crate) bug: Option<Bug>,
    pub(crate) without: Option<Defence>,
    /// When a planted bug acted last.
    pub(crate) acted: UnixMillis,
}

impl<C: Crypto> Node<C> {
    /// Makes the node tell lies of this kind from now on. `keys` are the keys of representatives
    /// it got hold of.
    pub fn lie(&mut self, kind: Tamper, keys: TestKeys) {
        self.lies.kind = Some((kind, keys));
    }

    /// Makes the node treat requests of others like this from now on.
    pub fn misroute(&mut self, how: Misroute) {
        self.lies.misroute = Some(how);
    }

    /// Whether it drops what others send over it.
    pub(crate) const fn drops(&self) -> bool {
        matches!(self.lies.misroute, Some(Misroute::Drop))
    }

    /// Whether it drops cells that it acknowledged.
    pub(crate) const fn swallows_cells(&self) -> bool {
        matches!(self.lies.misroute, Some(Misroute::Swallow))
    }

    /// The nodes it names in place of `named`.
    pub(crate) fn forged(&self, target: &Point, named: Vec<Placed>) -> Vec<Placed> {
        let Some(Misroute::Forge(forged)) = &self.lies.misroute else {
            return named;
        };
        let mut nearest = Nearest::new(*target, MAX_PEERS);
        for who in forged.iter() {
            let (id, who, at) = (who.id, who.clone(), self.at);
            nearest.offer(&id, Placed { who, at });
        }
        nearest.into_items()
    }

    /// Makes the node say in handshakes from now on that it is a bridge; its offers stay those of
    /// a browser.
    pub const fn pose_as_bridge(&mut self) {
        self.lies.posing = true;
    }

    /// How it introduces itself in handshakes.
    pub(crate) fn introduction(&self) -> PeerRecord {
        if !self.lies.posing {
            return self.record.clone();
        }
        let (network, now) = (self.config.network, self.now);
        let addresses = Addresses::default();
        self.identity
            .peer_record(Role::Bridge, network, addresses, now)
    }

    /// Makes the node say that it keeps what is put, and give nothing to anybody.
    pub const fn withhold(&mut self) {
        self.lies.withholding = true;
    }

    /// Sends `count` questions for random accounts, over one link if it is given; how many went out.
    pub fn spam(&mut self, count: u32, over: Option<LinkId>) -> u32 {
        let links: Vec<LinkId> = self.table.up_links().map(|(link, ..)| link).collect();
        let mut sent = 0;
        for number in 0..count as usize {
            let Some(link) = over.or_else(|| links.get(number % links.len().max(1)).copied())
            else {
                break;
            };
            let mut bytes = [0; 32];
            self.rng.fill(&mut bytes);
            let account = Account::from_bytes(bytes);
            let request = Request {
                id: self.rng.next_u64(),
                target: Target::Near(AccountKey::new(&account).point()),
                hops_left: MAX_HOPS,
                budget: MAX_BUDGET,
                body: Ask::Get { account },
            };
            sent += u32::from(self.send(link, &Message::Request(Box::new(request))));
        }
        sent
    }

    /// Lets the node believe that its peers have cost it so many tokens just now.
    pub fn burden(&mut self, tokens: u32) {
        self.add_load(tokens);
    }

    /// Remembers what is held now, so that it can be served when it is old.
    pub fn remember_now(&mut self) {
        let accounts: Vec<Account> = self.slice.accounts_after(None).map(|(_, of)| *of).collect();
        for account in accounts {
            self.remember_for_lies(&account);
        }
    }

    /// Makes the node honest again.
    pub fn stop_lying(&mut self) {
        self.lies.kind = None;
    }

    /// Remembers what an older proof can be made of.
    pub(crate) fn remember_for_lies(&mut self, account: &Account) {
        let held = self.slice.get(account);
        if let Some(frontier) = held.and_then(|held| held.frontiers().first()) {
            let older = self.lies.older.entry(*account);
            older.or_insert_with(|| Arc::clone(frontier));
        }
    }

    /// Alters an answer.
    pub(crate) fn altered(&self, account: &Account, mut found: Found) -> Found {
        let Some((kind, keys)) = &self.lies.kind else {
            return found;
        };
        if *kind == Tamper::ForgedUnopened {
            let weight = keys.weights().total();
            let (network, now) = (self.config.network, self.now);
            let own = &self.identity;
            let sighting = Sighting::sign(own, network, *account, None, now, weight, weight);
            found.role = Role::Bridge;
            found.records.clear();
            found.unopened = Some(sighting);
        }
        for packed in &mut found.records {
            if let Ok(Record::Account(record)) = packed.open() {
                let older = self.lies.older.get(account).map(|held| held.record());
                if let Some(bytes) = tamper(*kind, &record, keys, older) {
                    *packed = Packed::from_bytes(bytes);
                }
            }
        }
        found
    }

    /// Sends requests to everyone until the links take no more.
    pub(crate) fn flood(&mut self) {
        if !matches!(&self.lies.kind, Some((Tamper::Flood, _))) {
            return;
        }
        let links: Vec<LinkId> = self.table.up_links().map(|(link, ..)| link).collect();
        for link in links {
            loop {
                let request = Request {
                    id: self.rng.next_u64(),
                    target: Target::Near(self.id.point()),
                    hops_left: MAX_HOPS,
                    budget: 1,
                    body: Ask::FindNearest,
                };
                if !self.send(link, &Message::Request(Box::new(request))) {
                    break;
                }
            }
        }
    }
}
