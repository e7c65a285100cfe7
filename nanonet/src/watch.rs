//! Accounts that are kept up to date.
//!
//! A browser watches the person's own accounts ([`Input::Watch`](crate::Input::Watch)) and those
//! of blocks it has published: their records are never evicted from its slice, and linked bridges
//! are told to push new ones. A bridge pushes what it keeps of a watched account whenever it
//! changes, and at once when a watch begins.
//!
//! Limits: 64 accounts here, and 64 per link at a bridge; a longer list breaks the protocol.

use nano_core::Account;

use crate::Crypto;
use crate::slice::MAX_WATCHED;
use crate::sorted::SortedSet;
use crate::wire::{BATCH_BYTES, Message, Packed, fitting};
use crate::{Event, LinkId, Node, Role};

/// The accounts watched here.
#[derive(Debug, Default)]
pub(crate) struct Watching {
    accounts: SortedSet<Account>,
}

impl<C: Crypto> Node<C> {
    /// The person wants an account kept up to date.
    pub(crate) fn on_watch(&mut self, account: Account) {
        if !self.start_watch(account) {
            self.event(Event::WatchRefused { account });
        }
    }

    /// Watches an account; false if there are too many.
    pub(crate) fn start_watch(&mut self, account: Account) -> bool {
        if self.watching.accounts.contains(&account) {
            return true;
        }
        if self.watching.accounts.len() >= MAX_WATCHED || !self.slice.watch(&account) {
            return false;
        }
        self.watching.accounts.insert(account);
        self.tell_bridges_watches();
        true
    }

    /// The person no longer does.
    pub(crate) fn on_unwatch(&mut self, account: &Account) {
        if self.watching.accounts.remove(account) {
            self.slice.unwatch(account);
            self.tell_bridges_watches();
        }
    }

    fn tell_bridges_watches(&mut self) {
        for link in self.table.links_of(Role::Bridge) {
            self.tell_watches(link);
        }
    }

    /// Tells a bridge what to push to us.
    pub(crate) fn tell_watches(&mut self, link: LinkId) {
        let accounts: Vec<Account> = self.watching.accounts.iter().copied().collect();
        let told = self.table.get(link).is_some_and(|peer| peer.told_watches);
        if !accounts.is_empty() || told {
            self.send(link, &Message::Watch(accounts));
            if let Some(peer) = self.table.get_mut(link) {
                peer.told_watches = true;
            }
        }
    }

    /// A link wants to be kept up to date (we are a bridge; others let it pass).
    pub(crate) fn on_watch_list(&mut self, link: LinkId, accounts: Vec<Account>) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let Some(peer) = self.table.get_mut(link) else {
            return;
        };
        let before = std::mem::replace(&mut peer.watches, accounts.into_iter().collect());
        let watches = peer.watches.iter();
        let new: Vec<Account> = watches
            .filter(|account| !before.contains(account))
            .copied()
            .collect();
        for account in new {
            self.send_update(link, &account);
        }
    }

    /// Pushes what is held of an account to those who watch it.
    pub(crate) fn push_update(&mut self, account: &Account) {
        if !self.config.role.is_bridge_here() {
            return;
        }
        let links: Vec<LinkId> = self
            .table
            .up_links()
            .filter(|(_, peer, _)| peer.watches.contains(account))
            .map(|(link, ..)| link)
            .collect();
        for link in links {
            self.send_update(link, account);
        }
    }

    fn send_update(&mut self, link: LinkId, account: &Account) {
        if let Some(found) = self.found(account) {
            let records = fitting(found.records, BATCH_BYTES / 2);
            self.send(link, &Message::Update(records));
        }
    }

    /// A bridge pushes records; only those of watched accounts are taken.
    pub(crate) fn on_update(&mut self, link: LinkId, records: Vec<Packed>) {
        for record in records {
            let record = match record.open() {
                Ok(record) => record,
                Err(error) => {
                    self.blame(Some(link), error.reason());
                    continue;
                }
            };
            let account = record.account();
            if !self.watching.accounts.contains(&account) {
                self.counters.refuse("not-asked-for");
                continue;
            }
            let outcome = self.take_in(&account, record);
            if outcome.is_fault() {
                self.blame(Some(link), outcome.reason().unwrap_or("refused"));
            }
        }
    }
}
