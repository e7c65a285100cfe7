//! What peer messages, handshakes and weight tables promise. Recorded ones are checked in the
//! `vectors` crate.

#[cfg(test)]
mod handshakes;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod weight_tables;
