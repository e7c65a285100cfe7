//! A development full node: real ledger, voting representatives, peer protocol and RPC; never on the live network.
