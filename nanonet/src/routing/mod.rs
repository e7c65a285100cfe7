//! Who is linked, who is known, and how requests find their way.
//!
//! - [`table`]: the open links, which *are* the routing table;
//! - [`known`]: nodes that peers say they are linked with;
//! - [`nearest`]: the few nearest of many;
//! - [`places`]: whom to link with and whom to give up, as pure rules;
//! - [`contact`]: one node as others keep it;
//! - [`coordinates`]: where nodes lie among round trips;
//! - [`membership`]: what happens when links come and go;
//! - [`far`]: that no large part of the key space is without a link;
//! - [`telling`]: what linked nodes tell each other about that;
//! - [`worth`]: what a link is worth for a request;
//! - [`hops`]: which link a request takes next, and how long it is waited for;
//! - [`forward`]: requests of others and our own on their way, and their way back.

pub(crate) mod contact;
pub(crate) mod coordinates;
pub(crate) mod far;
pub(crate) mod forward;
pub(crate) mod hops;
pub(crate) mod known;
pub(crate) mod membership;
pub(crate) mod nearest;
pub(crate) mod places;
pub(crate) mod table;
pub(crate) mod telling;
pub(crate) mod worth;
