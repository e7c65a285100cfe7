//! What the page is told of the node's events.

use nano_core::BlockHash;
use nanonet::{AccountAnswer, Event, GetError, PublishState, RequestId};

use super::answer::AnswerReply;
use super::browser;
use super::driver::Driver;
use super::reply::{self, LinkReply, PendingReply, StatusReply, TransactionReply};
use crate::fault::Fault;

impl Driver {
    /// Hands the node's status, as it is now, to `tell`.
    pub(super) fn status(&self, tell: impl FnOnce(StatusReply<'_>)) {
        let state = self.state.borrow();
        let status = state.node.status();
        tell(StatusReply::new(
            status,
            state.weights_source,
            state.storage.status(),
            state.bridges.urls(),
            browser::now(),
        ));
    }

    /// The person's own blocks that are not proven confirmed yet.
    pub(super) fn pending(&self) -> Vec<PendingReply> {
        let state = self.state.borrow();
        let pending = state.node.pending();
        pending
            .map(|(hash, block)| PendingReply::new(hash, block))
            .collect()
    }

    /// Tells the page, or whoever asked.
    pub(super) fn tell(&self, event: Event) {
        match event {
            Event::Answer { request, result } => self.tell_answer(request, result),
            Event::Publish {
                request,
                hash,
                state,
            } => self.tell_publish(request, hash, state),
            Event::LinkUp { peer, role, .. } => self.page.event(&reply::Event::Link(LinkReply {
                id: peer.to_string(),
                up: true,
                role: Some(reply::role(role)),
                reason: None,
            })),
            Event::LinkDown { peer, reason, .. } => {
                self.page.event(&reply::Event::Link(LinkReply {
                    id: peer.to_string(),
                    up: false,
                    role: None,
                    reason: reason.map(|reason| reason.code()),
                }));
            }
            Event::RecordUpdated { account } => self.page.event(&reply::Event::Record {
                account: account.to_string(),
            }),
            Event::Refused { from, reason } => self.page.event(&reply::Event::Refused {
                from: from.map(|peer| peer.to_string()),
                reason,
            }),
            // The link's own event says it.
            Event::PeerDropped { .. } => {}
            Event::Conflict { account, diverged } => self.page.event(&reply::Event::Alarm {
                account: account.to_string(),
                diverged,
            }),
            Event::WatchRefused { account } => self.page.complain(&Fault {
                code: "too-many-watches",
                message: format!("{account} is not watched: 64 accounts are; end another watch"),
            }),
            Event::Crowded { at, nodes } => self.page.complain(&Fault {
                code: "crowded",
                message: format!(
                    "{nodes} nodes crowd the place {at}; its records are kept elsewhere, too"
                ),
            }),
            Event::Split { suspected } => self.page.complain(&Fault {
                code: if suspected {
                    "maybe-split"
                } else {
                    "whole-again"
                },
                message: if suspected {
                    "the network may be split: balances may be older than they seem".into()
                } else {
                    "the network is no longer split".into()
                },
            }),
            Event::BridgesDiffer {
                account,
                earlier,
                later,
            } => self.page.complain(&Fault {
                code: "bridges-differ",
                message: format!(
                    "of {account} bridge {later} states less than {earlier} did before"
                ),
            }),
            // The driver keeps it, and the status that follows tells it.
            Event::Joined { .. } | Event::Synced { .. } => {}
            // What a page shows changes with the records that news leads to.
            Event::News { .. } => {}
            // The driver looks after them.
            Event::NeedBridge { .. } | Event::BridgeFound(_) => {}
            Event::KeyFound { request, result } => self.tell_key(request, result),
            Event::ServicesFound { request, records } => self.tell_services(request, records),
            Event::Sent { request, result } => self.tell_sent(request, result),
            Event::Message(message) => self.tell_message(*message),
            Event::StatusChanged => {
                self.keep_known();
                self.status(|status| self.page.event(&reply::Event::Status(status)));
            }
        }
    }

    fn tell_answer(&self, RequestId(id): RequestId, result: Result<Box<AccountAnswer>, GetError>) {
        let total = {
            let state = &mut *self.state.borrow_mut();
            if !state.settle(id) {
                return;
            }
            state.network_total
        };
        match result {
            Ok(answer) => {
                let reply = AnswerReply::new(*answer, total, browser::now());
                self.page.result(id, &reply);
            }
            Err(error) => self.page.error(id, &error.into()),
        }
    }

    fn tell_publish(&self, request: Option<RequestId>, hash: BlockHash, state: PublishState) {
        let transaction = TransactionReply::new(hash, state);
        let fault = transaction.fault();
        if let Some(RequestId(id)) = request
            && (transaction.is_over() || fault.is_some())
            && self.state.borrow_mut().settle(id)
        {
            match fault {
                None => self.page.result(id, &transaction),
                Some(fault) => self.page.error(id, &fault),
            }
        }
        self.page.event(&reply::Event::Transaction(transaction));
    }
}
