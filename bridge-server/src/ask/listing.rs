//! The list of all accounts, a part at a time, as full nodes give it.
//!
//! Nothing in such a list can be checked here: an account may be left out, invented, or named with
//! an old block. Rules:
//! - two full nodes are asked wherever there are two, and only two lists together are believed, so
//!   that one alone can neither hide an account nor say that the key space has ended; one that has
//!   just begun to fetch its ledger lists few accounts without meaning harm;
//! - of an account they name differently the one with the better record is taken;
//! - a list ends where the shorter-sighted of the two ends, so that nothing between is skipped;
//! - who alone named an account is told, so that whoever finds it invented can ask others next time.
//!
//! Two that lie alike are believed; what they invent is found out by asking for proofs, what they
//! hide is not.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use nano_core::message::{AscPullAnswer, AscPullQuestion, Frontier};
use nano_core::{Account, BlockHash};

use super::{Asker, lock, pull};
use crate::full_node::{AskError, ChannelId};

/// Lists that are believed together.
const LISTS: usize = 2;

/// An account with its newest block, confirmed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// Its newest block, as somebody says.
    pub head: BlockHash,
    /// Who says so, where nobody else does.
    pub by: Option<ChannelId>,
}

/// A part of the list of all accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In order of the accounts' keys, from where it was asked for.
    pub rows: Vec<Listed>,
    /// Whether no account comes after these.
    pub is_last: bool,
}

impl Asker {
    /// Up to `count` (1 to 1000) accounts in order of their keys from `start` on. Full nodes among
    /// `not` are not asked while there are others.
    ///
    /// # Errors
    /// When fewer than two full nodes, of two or more, answered with such a list.
    pub async fn frontiers(
        &self,
        start: Account,
        count: u16,
        not: &BTreeSet<ChannelId>,
    ) -> Result<Listing, AskError> {
        let mut channels = self.inner.best_first();
        let open: Vec<_> = channels.iter().map(|channel| channel.id()).collect();
        if open.iter().any(|channel| !not.contains(channel)) {
            channels.retain(|channel| !not.contains(&channel.id()));
        }
        let needed = LISTS.min(channels.len());
        let mut left = channels.iter().take(LISTS * pull::TRIES);
        let mut lists: Vec<(ChannelId, Vec<Frontier>)> = Vec::new();
        let mut asked = 0;
        loop {
            let next: Vec<_> = left.by_ref().take(needed - lists.len()).collect();
            if next.is_empty() {
                break;
            }
            asked += u8::try_from(next.len()).unwrap_or(u8::MAX);
            let question = AscPullQuestion::Frontiers { start, count };
            let asks = next
                .iter()
                .map(|channel| self.inner.pull(channel, question, self.priority, &open));
            for (channel, answer) in next.iter().zip(join_all(asks).await) {
                match answer {
                    Some(AscPullAnswer::Frontiers(list)) if is_walk(&list, start) => {
                        lists.push((channel.id(), list));
                    }
                    Some(_) => lock(&self.inner.timings).failed(channel.id()),
                    None => {}
                }
            }
        }
        if channels.is_empty() {
            Err(AskError::NoFullNode)
        } else if lists.len() < needed {
            Err(AskError::TimedOut { asked })
        } else {
            Ok(merge(lists, usize::from(count)))
        }
    }
}

/// Whether a list is what was asked for: upwards from `start`.
fn is_walk(list: &[Frontier], start: Account) -> bool {
    list.first().is_none_or(|first| first.account >= start)
        && list.is_sorted_by(|one, next| one.account < next.account)
}

/// All accounts of all lists, up to where the first full list ends.
fn merge(lists: Vec<(ChannelId, Vec<Frontier>)>, count: usize) -> Listing {
    let full = lists.iter().filter(|(_, list)| list.len() >= count);
    let end = full.filter_map(|(_, list)| list.last());
    let end = end.map(|last| last.account).min();
    let mut all: BTreeMap<Account, Listed> = BTreeMap::new();
    for (by, list) in lists {
        for Frontier { account, hash } in list {
            let new = Listed {
                account,
                head: hash,
                by: Some(by),
            };
            let known = all.entry(account).or_insert(new);
            known.by = known.by.filter(|known| *known == by);
        }
    }
    let is_last = end.is_none() && all.len() <= count;
    let rows = all.into_values();
    let rows = rows.filter(|row| end.is_none_or(|end| row.account <= end));
    Listing {
        rows: rows.take(count).collect(),
        is_last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(accounts: &[u8]) -> Vec<Frontier> {
        let one = |account: &u8| Frontier {
            account: Account::from_bytes([*account; 32]),
            hash: BlockHash::from_bytes([*account; 32]),
        };
        accounts.iter().map(one).collect()
    }

    /// Accounts with the number of who alone named them (0: several), and whether these are all.
    fn merged(lists: &[&[u8]], count: usize) -> (Vec<(u8, u64)>, bool) {
        let lists = (1..).zip(lists);
        let lists = lists.map(|(by, accounts)| (ChannelId(by), list(accounts)));
        let merged = merge(lists.collect(), count);
        let rows = merged.rows.iter().map(|row| {
            let by = row.by.map_or(0, |by| by.0);
            (row.account.as_bytes()[0], by)
        });
        (rows.collect(), merged.is_last)
    }

    #[test]
    fn an_account_that_one_full_node_hides_is_named_by_the_other() {
        let both = merged(&[&[1, 3], &[1, 2, 3]], 9);
        assert_eq!(both, (vec![(1, 0), (2, 2), (3, 0)], true));
    }

    #[test]
    fn a_list_ends_where_the_first_full_one_does_so_that_nothing_is_skipped() {
        let both = merged(&[&[1, 2, 9], &[1, 2, 3]], 3);
        assert_eq!(both, (vec![(1, 0), (2, 0), (3, 2)], false));
        let both = merged(&[&[1, 2, 9], &[1, 2]], 3);
        assert_eq!(both, (vec![(1, 0), (2, 0), (9, 1)], false));
    }

    #[test]
    fn the_keys_end_only_where_neither_list_is_full_and_nothing_is_cut_off() {
        assert!(!merged(&[&[1, 2], &[]], 2).1);
        assert!(merged(&[&[1], &[]], 2).1);
        let cut = merged(&[&[1, 3], &[2, 4]], 3);
        assert_eq!(cut, (vec![(1, 1), (2, 2), (3, 1)], false));
    }

    #[test]
    fn a_list_out_of_order_or_from_before_the_start_is_no_answer() {
        let start = Account::from_bytes([2; 32]);
        assert!(is_walk(&list(&[2, 3]), start));
        assert!(is_walk(&[], start));
        assert!(!is_walk(&list(&[1, 3]), start));
        assert!(!is_walk(&list(&[3, 3]), start));
    }
}
