//! Nano itself, without I/O: keys, addresses, amounts, blocks, work, votes, weights, balance proofs, peer messages.
