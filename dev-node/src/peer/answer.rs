//! Answering a peer's questions from the ledger.

use std::sync::Arc;

use nano_core::message::{
    AccountInfo, AscPullAck, AscPullAnswer, AscPullQuestion, AscPullReq, ConfirmAck, ConfirmReq,
    Frontier, Message, PullTarget,
};
use nano_core::{Account, BlockHash, Root, Vote, VoteTimestamp};

use crate::ledger::Ledger;
use crate::node::Shared;

/// Answers an `asc_pull_req`: blocks upwards from the start with unconfirmed ones, heads and
/// heights, or frontiers in order of keys.
pub(super) fn pull(shared: &Shared, request: &AscPullReq) -> Message {
    let engine = shared.engine();
    let ledger = engine.ledger();
    let answer = match request.question {
        AscPullQuestion::Blocks { start, count } => {
            let start = match start {
                PullTarget::Account(account) => {
                    ledger.account(&account).map(|info| info.open_block)
                }
                PullTarget::Block(hash) => Some(hash),
            };
            let blocks = start
                .into_iter()
                .flat_map(|start| ledger.ascending(start, usize::from(count)))
                .map(|entry| entry.block);
            AscPullAnswer::Blocks(blocks.collect())
        }
        AscPullQuestion::AccountInfo { target } => {
            AscPullAnswer::AccountInfo(account_info(ledger, target))
        }
        AscPullQuestion::Frontiers { start, count } => {
            let frontiers =
                ledger
                    .accounts_from(start)
                    .take(usize::from(count))
                    .map(|(account, info)| Frontier {
                        account: *account,
                        hash: info.head,
                    });
            AscPullAnswer::Frontiers(frontiers.collect())
        }
    };
    let id = request.id;
    AscPullAck { id, answer }.into()
}

fn account_info(ledger: &Ledger, target: PullTarget) -> AccountInfo {
    let account = match target {
        PullTarget::Account(account) => account,
        PullTarget::Block(hash) => ledger
            .entry(&hash)
            .map_or(Account::ZERO, |entry| entry.account),
    };
    ledger.account(&account).map_or_else(
        || AccountInfo {
            account,
            ..AccountInfo::default()
        },
        |info| AccountInfo {
            account,
            open: info.open_block,
            head: info.head,
            block_count: info.block_count,
            confirmed_frontier: info.confirmation_frontier,
            confirmed_height: info.confirmation_height,
        },
    )
}

/// Answers a `confirm_req`: one final vote per local representative over everything answerable;
/// nothing at all otherwise. Signs outside the lock.
pub(super) fn votes(shared: &Shared, request: &ConfirmReq) -> Vec<Message> {
    let pairs: Vec<(BlockHash, Root)> = request
        .blocks
        .iter()
        .map(|block| (block.hash, block.root))
        .collect();
    let (hashes, keys) = shared.engine().answer_request(&pairs);
    keys.iter()
        .map(|key| {
            let vote = Vote::sign(key, VoteTimestamp::FINAL, hashes.clone());
            let rebroadcast = false;
            Message::ConfirmAck(ConfirmAck { vote, rebroadcast })
        })
        .collect()
}

/// A received vote that is worth counting: with a signature that holds.
pub(super) fn checked_vote(message: ConfirmAck) -> Option<(Arc<Vote>, bool)> {
    let is_valid = message.vote.verify().is_ok();
    is_valid.then(|| (Arc::new(message.vote), message.rebroadcast))
}
