//! Questions about accounts: our own, and those of others.
//!
//! - [`question`]: the state of one question of ours, and when it takes which step;
//! - [`asking`]: what happens at each step, and how the answer is put together;
//! - [`answering`]: answering others, and checking what is passed on.

pub(crate) mod answering;
pub(crate) mod asking;
pub(crate) mod question;

pub(crate) use question::Questions;
