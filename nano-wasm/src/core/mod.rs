//! Nano itself without a node: the functions behind the package's `core` entry, whose TypeScript
//! (`js/core.ts`) documents them.

pub mod account;
pub mod block;
pub mod proof;
