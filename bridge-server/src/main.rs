//! The native bridge.
fn main() {}
