//! The HTTP client for other programs' interfaces: full nodes' RPC, other bridges.
//!
//! Answers come from the address that the operator gave or not at all: a redirect is an answer like
//! any other with a status that is no success, because following it would let whoever answers there
//! choose what this machine connects to.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Error};

/// A client whose requests take `limit` at most, the answer's body included.
///
/// # Errors
/// When the system gives none.
pub(crate) fn client(limit: Duration) -> Result<Client, Error> {
    Client::builder()
        .timeout(limit)
        .redirect(Policy::none())
        .build()
}
