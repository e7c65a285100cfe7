//! The overlay, without I/O: link handshake, routing, slice, queries, signaling.
