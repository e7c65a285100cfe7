//! Promises of the crate's basic types: keys, addresses, amounts, seeds, work, networks, blocks.
//! Recorded values of other implementations are checked in the `vectors` crate.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod amounts;
#[cfg(test)]
mod block_json;
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod networks;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod serialization;
#[cfg(test)]
mod work;
