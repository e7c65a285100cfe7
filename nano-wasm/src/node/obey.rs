//! What the page's commands do.

use std::rc::Rc;

use js_sys::Uint8Array;
use nano_core::{Account, Block};
use nanonet::Channel as Kind;
use nanonet::{GetOptions, Input, RequestId, SessionId};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::RtcDataChannel;

use super::channel::Channel;
use super::command::Command;
use super::driver::Driver;
use super::links::Carrier;
use super::storage::StorageError;
use crate::fault::Fault;

impl Driver {
    /// Does what the page says.
    pub(super) fn obey(self: &Rc<Self>, command: Command, attachment: JsValue) {
        match command {
            Command::Start(options) => {
                let fault = Fault {
                    code: "already-started",
                    message: "this worker runs a node already".into(),
                };
                self.page.error(options.id, &fault);
            }
            Command::Status { id } => self.status(|status| self.page.result(id, &status)),
            Command::Account {
                id,
                address,
                fresh,
                timeout_ms,
            } => self.with_account(id, &address, |account| {
                let options = GetOptions {
                    fresh,
                    deadline_ms: timeout_ms,
                };
                let request = RequestId(id);
                self.state.borrow_mut().expect(id);
                self.input(Input::Get {
                    request,
                    account,
                    options,
                });
            }),
            Command::Process { id, block } => match Block::from_json(&block) {
                Ok(block) => {
                    self.state.borrow_mut().expect(id);
                    self.input(Input::Publish {
                        request: RequestId(id),
                        block: Box::new(block),
                    });
                }
                Err(error) => self.page.error(id, &Fault::coded("bad-block")(error)),
            },
            Command::Pending { id } => self.page.result(id, &self.pending()),
            Command::Watch { id, address } => self.with_account(id, &address, |account| {
                self.input(Input::Watch { account });
                self.page.result(id, &());
            }),
            Command::Unwatch { id, address } => self.with_account(id, &address, |account| {
                self.input(Input::Unwatch { account });
                self.page.result(id, &());
            }),
            Command::Post { id, ask } => self.obey_post(id, ask),
            Command::Stop { id } => self.stop(id),
            Command::Cancel { request } => {
                self.state.borrow_mut().settle(request);
            }
            Command::Network { online } => {
                let now = self.now();
                self.state.borrow_mut().bridges.set_online(now, online);
                self.pump();
            }
            Command::WorkFound { root, nonce } => self.input(Input::WorkFound { root, nonce }),
            Command::LocalDescription { session, sdp } => self.input(Input::LocalDescription {
                session: SessionId(session),
                sdp,
            }),
            Command::LocalCandidate { session, candidate } => self.input(Input::LocalCandidate {
                session: SessionId(session),
                candidate,
            }),
            Command::SessionFailed { session } => self.session_over(SessionId(session)),
            Command::Channel { session, offerer } => {
                self.adopt(SessionId(session), offerer, attachment);
            }
            Command::UnorderedChannel { session } => {
                self.adopt_unordered(SessionId(session), attachment);
            }
            Command::ForwardOpen { session, offerer } => {
                let session = SessionId(session);
                let link = {
                    let links = &mut self.state.borrow_mut().links;
                    let link = links.number();
                    links.add(link, Carrier::Forwarded, Some((session, offerer)));
                    link
                };
                self.carrier_opened(link);
            }
            Command::ForwardReceived { session } => {
                if let Some(link) = self.link_of(SessionId(session)) {
                    let bytes = Some(Uint8Array::new(&attachment));
                    self.carrier_received(link, Kind::Ordered, bytes);
                }
            }
            Command::ForwardWritten { session, bytes } => {
                if let Some(link) = self.link_of(SessionId(session)) {
                    self.input(Input::LinkWritten { link, bytes });
                }
            }
            Command::ForwardClosed { session } => {
                if let Some(link) = self.link_of(SessionId(session)) {
                    self.carrier_closed(link);
                }
            }
            #[cfg(feature = "adversary")]
            Command::Tamper { id, how } => self.tamper(id, &how),
            #[cfg(feature = "adversary")]
            Command::Glimpses { id } => self.glimpses(id),
            #[cfg(feature = "adversary")]
            Command::MeasureCells { id } => self.measure_cells(id),
        }
    }

    /// The page's connection failed, or could not be made.
    fn session_over(self: &Rc<Self>, session: SessionId) {
        match self.link_of(session) {
            Some(link) => self.carrier_closed(link),
            None => self.input(Input::SessionFailed { session }),
        }
    }

    /// Takes over a data channel of the page.
    fn adopt(self: &Rc<Self>, session: SessionId, offerer: bool, attachment: JsValue) {
        let Ok(channel) = attachment.dyn_into::<RtcDataChannel>() else {
            self.page.abandon(session);
            self.input(Input::SessionFailed { session });
            return;
        };
        let (link, open) = {
            let links = &mut self.state.borrow_mut().links;
            let link = links.number();
            let channel = Channel::adopt(channel, Kind::Ordered, link, self);
            let open = channel.is_open();
            links.add(link, Carrier::Channel(channel), Some((session, offerer)));
            (link, open)
        };
        if open {
            self.carrier_opened(link);
        }
    }

    /// Takes over the unordered channel of a link.
    fn adopt_unordered(self: &Rc<Self>, session: SessionId, attachment: JsValue) {
        let (Ok(channel), Some(link)) = (
            attachment.dyn_into::<RtcDataChannel>(),
            self.link_of(session),
        ) else {
            return;
        };
        let channel = Channel::adopt(channel, Kind::Unordered, link, self);
        let open = channel.is_open();
        self.state.borrow_mut().links.add_unordered(link, channel);
        if open {
            self.unordered_changed(link, true);
        }
    }

    fn with_account(&self, id: u64, address: &str, then: impl FnOnce(Account)) {
        match address.parse() {
            Ok(account) => then(account),
            Err(error) => self.page.error(id, &Fault::coded("bad-address")(error)),
        }
    }

    /// Closes every link, writes everything, answers.
    fn stop(self: &Rc<Self>, id: u64) {
        self.halt(id);
        self.write();
        self.tell_stopped();
    }

    /// Storage belongs to a later term: nothing more is written, sent or answered here, and the page is told.
    pub(super) fn depose(&self) {
        self.halt(u64::MAX);
        self.page
            .complain(&Fault::coded("deposed")(StorageError::Deposed));
    }

    /// Closes every link and does nothing from now on.
    fn halt(&self, stopping: u64) {
        let state = &mut *self.state.borrow_mut();
        state.stopping = Some(stopping);
        state.timer = None;
        for link in state.links.remove_all() {
            link.close();
        }
    }
}
