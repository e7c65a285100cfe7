//! The node that the package's dedicated worker runs.
//!
//! `nanonet::Node` decides everything; this shell gives it what a browser has:
//!
//! - [`driver`]: the loop between node and browser; [`obey`]: what the page's commands do;
//!   [`news`]: what the page is told of the node's events;
//! - [`links`], [`socket`], [`channel`]: what carries links, and how much of it is written;
//! - [`bridges`], [`bridge_url`]: when to dial which bridge; [`meeting`], [`fetch`]: how bridges and
//!   peers are found again;
//! - [`trust`]: which weights and anchors the node starts from;
//! - [`storage`]: identity, slice and pending blocks in IndexedDB;
//! - [`command`], [`reply`], [`answer`], [`page`]: what the page says and is told;
//! - [`age`]: what an old weight table still proves.
//!
//! The page drives connections to other browsers, because browsers offer them nowhere else; their
//! data channels arrive here by transfer, or as forwarded bytes where a browser cannot transfer.

mod age;
mod answer;
mod bridge_url;
mod bridges;
mod browser;
mod channel;
mod command;
mod driver;
mod fetch;
mod links;
mod meeting;
mod news;
mod obey;
mod page;
mod post;
mod reply;
mod socket;
mod start;
mod storage;
#[cfg(feature = "adversary")]
mod tamper;
mod trust;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

use self::command::Command;
use self::driver::Driver;
use self::page::Page;
use crate::fault::Fault;

/// One node and the page it belongs to.
///
/// States: waiting for `start`; starting, while other commands queue up; running; failed, when it
/// waits for another `start`.
#[wasm_bindgen]
pub struct NodeShell {
    page: Page,
    state: Rc<RefCell<State>>,
}

enum State {
    Waiting,
    Starting(VecDeque<(Command, JsValue)>),
    Running(Rc<Driver>),
}

/// Commands that may wait for the start; a page sends a handful.
const MOST_EARLY: usize = 64;

#[wasm_bindgen]
impl NodeShell {
    /// A node that is not started. `post` takes the text of a message to the page and its
    /// attachment, or null.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(post: js_sys::Function) -> Self {
        Self {
            page: Page::new(post),
            state: Rc::new(RefCell::new(State::Waiting)),
        }
    }

    /// Takes one message of the page. What cannot be understood is answered by an error event.
    pub fn command(&self, json: &str, attachment: JsValue) {
        match serde_json::from_str(json) {
            Ok(command) => self.obey(command, attachment),
            Err(error) => self.page.complain(&Fault {
                code: "bad-command",
                message: format!("the page's command cannot be understood: {error}"),
            }),
        }
    }

    fn obey(&self, command: Command, attachment: JsValue) {
        let mut state = self.state.borrow_mut();
        match (&mut *state, command) {
            (State::Waiting, Command::Start(options)) => {
                *state = State::Starting(VecDeque::new());
                let (page, state) = (self.page.clone(), Rc::clone(&self.state));
                spawn_local(async move {
                    let id = options.id;
                    match start::start(&page, options).await {
                        Ok((driver, started)) => {
                            let before = state.replace(State::Running(Rc::clone(&driver)));
                            page.result(id, &started);
                            driver.run();
                            if let State::Starting(early) = before {
                                for (command, attachment) in early {
                                    driver.obey(command, attachment);
                                }
                            }
                        }
                        Err(fault) => {
                            *state.borrow_mut() = State::Waiting;
                            page.error(id, &fault);
                        }
                    }
                });
            }
            (State::Starting(early), command) if early.len() < MOST_EARLY => {
                early.push_back((command, attachment));
            }
            (State::Running(driver), command) => {
                let driver = Rc::clone(driver);
                drop(state);
                driver.obey(command, attachment);
            }
            (_, command) => {
                let fault = Fault {
                    code: "not-started",
                    message: "the node is not running; start it first".into(),
                };
                match command.id() {
                    Some(id) => self.page.error(id, &fault),
                    None => self.page.complain(&fault),
                }
            }
        }
    }
}
