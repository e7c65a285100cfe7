//! How the node finds bridges and peers again: what it is told of them goes to [`super::bridges`],
//! whom it knows goes into storage, and bridges whose WebSocket fails are asked over HTTP.

use std::rc::Rc;

use nano_core::UnixMillis;
use nanonet::{Input, PeerRecord, Role};
use wasm_bindgen_futures::spawn_local;

use super::bridge_url::BridgeUrl;
use super::driver::Driver;
use super::fetch;
use super::storage::KNOWN;
use crate::fault::Fault;

/// Least time between two writes of who is known, milliseconds.
const KEEP_MS: u64 = 10_000;

impl Driver {
    /// Asks those bridges over HTTP whom they know that are to be asked.
    pub(super) fn ask_bridges(self: &Rc<Self>, now: UnixMillis) {
        while let Some(bridge) = self.ask_next(now) {
            let driver = Rc::clone(self);
            spawn_local(async move {
                for records in fetch::introductions(&bridge.origin).await {
                    driver.input(Input::Introduced(records));
                }
            });
        }
    }

    fn ask_next(&self, now: UnixMillis) -> Option<BridgeUrl> {
        self.state.borrow_mut().bridges.ask(now)
    }

    /// A bridge introduced itself, or somebody named it.
    pub(super) fn found_bridge(&self, record: &PeerRecord) {
        let now = self.now();
        let bridges = &mut self.state.borrow_mut().bridges;
        for address in record.addresses.iter() {
            bridges.learn(now, address.as_str());
        }
    }

    /// The node has no bridge.
    pub(super) fn need_bridge(&self, urgent: bool) {
        let now = self.now();
        let hopeless = {
            let bridges = &mut self.state.borrow_mut().bridges;
            bridges.want(now, urgent);
            bridges.complains()
        };
        if hopeless {
            self.page.complain(&Fault {
                code: "no-bridges",
                message: format!(
                    "none of the bridges given can be reached and no other one of the {} network is known: none is listed for it until operators publish theirs; start with the address of one in `bridges`",
                    self.network
                ),
            });
        }
    }

    /// Remembers who is known, for a start without the bridges of today. Not being able to costs only
    /// that.
    pub(super) fn keep_known(&self) {
        let now = self.now();
        let state = &mut *self.state.borrow_mut();
        if now.since(state.kept_at) < KEEP_MS || state.node.status().links.is_empty() {
            return;
        }
        state.kept_at = now;
        let known = [Role::Bridge, Role::Browser].map(|role| state.node.introductions(role));
        let bytes = PeerRecord::pack(&known.concat());
        if let Some(database) = state.storage.database()
            && state.kept != bytes
        {
            state.kept.clone_from(&bytes);
            spawn_local(async move {
                let _ = database.set_meta(KNOWN, &bytes).await;
            });
        }
    }
}
