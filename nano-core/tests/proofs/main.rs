//! What proofs promise: every fault is refused for its own reason, both forms give a proof back
//! unchanged, and no input makes a decoder panic.

#[cfg(test)]
mod assembly;
#[cfg(test)]
mod caching;
#[cfg(test)]
mod epoch;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod legacy;
#[cfg(test)]
mod receivable;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod votes;
#[cfg(test)]
mod world;
