//! The way to the page.

use nano_core::{Difficulty, Root};
use nanonet::{SessionId, SignalOp};
use serde::Serialize;
use wasm_bindgen::JsValue;

use super::reply::{Event, Reply, Signal};
use crate::fault::Fault;

/// Speaks to the page.
#[derive(Clone)]
pub(super) struct Page {
    post: js_sys::Function,
}

impl Page {
    pub(super) const fn new(post: js_sys::Function) -> Self {
        Self { post }
    }

    /// Answers a request.
    pub(super) fn result(&self, id: u64, value: &impl Serialize) {
        self.say(&Reply::Result { id, value }, &JsValue::NULL);
    }

    /// Answers a request with an error.
    pub(super) fn error(&self, id: u64, fault: &Fault) {
        let (code, message) = (fault.code, fault.message.as_str());
        let reply: Reply<'_, ()> = Reply::Error { id, code, message };
        self.say(&reply, &JsValue::NULL);
    }

    /// Tells of an error that answers no request.
    pub(super) fn complain(&self, fault: &Fault) {
        let (code, message) = (fault.code, fault.message.as_str());
        self.event(&Event::Error { code, message });
    }

    /// Tells what happened.
    pub(super) fn event(&self, event: &Event<'_>) {
        self.say(&Reply::<()>::Event(event), &JsValue::NULL);
    }

    /// Drives a connection of the page.
    pub(super) fn signal(&self, operation: SignalOp) {
        let signal = Signal::from(operation);
        self.say(&Reply::<()>::Signal(&signal), &JsValue::NULL);
    }

    /// Has the page's pool search for join work.
    pub(super) fn find_work(&self, root: Root, threshold: Difficulty) {
        let (root, threshold) = (root.to_string(), threshold.to_string());
        let find: Reply<'_, ()> = Reply::FindWork { root, threshold };
        self.say(&find, &JsValue::NULL);
    }

    /// Ends a connection of the page whose link is over.
    pub(super) fn abandon(&self, session: SessionId) {
        self.signal(SignalOp::Abandon { session });
    }

    /// Hands bytes to a channel that stayed on the page.
    pub(super) fn forward(&self, SessionId(session): SessionId, bytes: &[u8]) {
        let buffer = js_sys::Uint8Array::from(bytes).buffer();
        self.say(&Reply::<()>::Signal(&Signal::Forward { session }), &buffer);
    }

    fn say<T: Serialize>(&self, reply: &Reply<'_, T>, attachment: &JsValue) {
        // Our own types always encode, and posting throws only for attachments that cannot move,
        // which ours can: there is nobody to tell.
        if let Ok(json) = serde_json::to_string(reply) {
            let _ = self
                .post
                .call2(&JsValue::NULL, &JsValue::from_str(&json), attachment);
        }
    }
}
