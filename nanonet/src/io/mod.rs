//! What goes into a [`Node`](crate::Node) and what comes out of it.
//!
//! A shell (the browser worker, the bridge process, the test harness) owns sockets, data
//! channels, storage and the clock. It tells the node what happened with an [`Input`], then
//! takes [`Output`]s until there are none, then sleeps until
//! [`Node::next_timeout`](crate::Node::next_timeout) and hands in [`Input::Timeout`].
//!
//! Rules a shell keeps:
//! - ids of links and requests are the shell's own numbers, never used twice; ids of signaling
//!   sessions, resolves and relays are the node's;
//! - one [`Output::Transmit`] is one message of the transport: boundaries and order are kept, and
//!   the peer's shell hands exactly those bytes to its node in one [`Input::LinkReceived`]. What goes
//!   over the unordered channel may instead be lost, come twice, or be overtaken;
//! - every transmitted byte is reported once by [`Input::LinkWritten`] when the transport has
//!   really taken it (a browser: when `bufferedAmount` fell; a socket: when the write returned);
//!   without these reports a link stops after [`SEND_CREDIT`](crate::SEND_CREDIT) bytes;
//! - after [`Output::Close`] the shell closes the transport and need not answer;
//! - [`Output::Store`] operations are applied in order. Before a [`StoreKey::Pending`] entry is
//!   durable the following [`Output::Transmit`]s are not sent: a block is stored before it is
//!   published, else a crash makes a tab fork its own account.
//!
//! Files by what they name: ids in `id`, what happened in `input`, what to do in `output`, what
//! is kept in `store`, what the page's connections do in `signal`, what full nodes behind a bridge
//! said in `full_nodes`, links in `link`, answers in `answer`, news in `event`, and what is shown
//! in `status`.

mod answer;
mod event;
mod full_nodes;
mod id;
mod input;
mod link;
mod output;
mod signal;
mod status;
mod store;

pub use answer::{AccountAnswer, AccountState, AnswerSource, GetError, GetOptions, Order};
pub use event::{Event, PublishState};
pub use full_nodes::{RelayRefusal, RelayState, ResolveFailure, ResolveOutcome};
pub use id::{LinkId, RelayId, RequestId, ResolveId, SessionId};
pub use input::Input;
pub use link::{CloseReason, LinkOrigin, Transport};
pub use output::Output;
pub use signal::SignalOp;
pub use status::{Introducer, LinkInfo, NodeState, Status};
pub use store::{StoreKey, StoreOp, StoredEntry};
