//! Where questions of programs wait for the node's answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nano_core::UnixMillis;
use nanonet::Input;
use nanonet::notify::{
    Ask, Caller, Deletion, FIRST_CALLER, JobId, NotifyInput, Outcome, Reply, Sealed, Tag,
};
use tokio::sync::oneshot;

use crate::shell::NodeHandle;

#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    replies: BTreeMap<Caller, oneshot::Sender<Reply>>,
    outcomes: BTreeMap<JobId, oneshot::Sender<Outcome>>,
}

/// Questions that wait; cloning shares them.
#[derive(Clone, Debug, Default)]
pub struct Desk(Arc<Mutex<Waiting>>);

impl Desk {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks this bridge's own store; `None` when the bridge is stopping.
    pub async fn ask(&self, node: &NodeHandle, ask: Ask) -> Option<Reply> {
        let (answer, wait) = oneshot::channel();
        let caller = {
            let mut waiting = self.waiting();
            waiting.last += 1;
            let caller = Caller(FIRST_CALLER + waiting.last);
            waiting.replies.insert(caller, answer);
            caller
        };
        let input = NotifyInput::Ask(caller, ask);
        let asked = node.input(Input::Notify(Box::new(input))).await;
        if !asked {
            self.waiting().replies.remove(&caller);
        }
        wait.await.ok()
    }

    async fn job(
        &self,
        node: &NodeHandle,
        begin: impl FnOnce(JobId) -> NotifyInput,
    ) -> Option<Outcome> {
        let (answer, wait) = oneshot::channel();
        let id = {
            let mut waiting = self.waiting();
            waiting.last += 1;
            let id = JobId(waiting.last);
            waiting.outcomes.insert(id, answer);
            id
        };
        let input = Input::Notify(Box::new(begin(id)));
        if !node.input(input).await {
            self.waiting().outcomes.remove(&id);
        }
        wait.await.ok()
    }

    /// Brings a notification to those who shall keep it.
    pub async fn put(&self, node: &NodeHandle, sealed: Sealed) -> Option<Outcome> {
        self.job(node, |id| NotifyInput::Put(id, Box::new(sealed)))
            .await
    }

    /// Gets what lies under a tag since a time, from those who keep it.
    pub async fn get(&self, node: &NodeHandle, tag: Tag, since: UnixMillis) -> Option<Outcome> {
        self.job(node, |id| NotifyInput::Get(id, tag, since)).await
    }

    /// Has a notification forgotten by those who keep it.
    pub async fn delete(&self, node: &NodeHandle, deletion: Deletion) -> Option<Outcome> {
        self.job(node, |id| NotifyInput::Delete(id, deletion)).await
    }

    /// The node answers.
    pub(crate) fn replied(&self, caller: Caller, reply: Reply) {
        if let Some(answer) = self.waiting().replies.remove(&caller) {
            // Whoever asked may have gone.
            let _ = answer.send(reply);
        }
    }

    /// A job of the node has ended.
    pub(crate) fn done(&self, id: JobId, outcome: Outcome) {
        if let Some(answer) = self.waiting().outcomes.remove(&id) {
            let _ = answer.send(outcome);
        }
    }
}
