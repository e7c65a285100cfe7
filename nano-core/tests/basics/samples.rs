//! Generators shared by the property tests.

use nano_core::{
    Account, Block, BlockHash, ChangeBlock, Link, OpenBlock, Raw, ReceiveBlock, SendBlock,
    Signature, StateBlock, WorkNonce,
};
use proptest::prelude::*;

/// Any block of any type, with any field values.
pub(crate) fn any_block() -> impl Strategy<Value = Block> {
    let fields = (
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        any::<[u8; 32]>(),
        any::<u128>(),
        any::<[[u8; 32]; 2]>(),
        any::<u64>(),
    );
    (2_u8..=6, fields).prop_map(|(kind, (a, b, c, d, balance, signature, work))| {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&signature[0]);
        bytes[32..].copy_from_slice(&signature[1]);
        let signature = Signature::from_bytes(bytes);
        let work = WorkNonce::new(work);
        let previous = BlockHash::from_bytes(a);
        let representative = Account::from_bytes(b);
        match kind {
            2 => Block::Send(SendBlock {
                previous,
                destination: Account::from_bytes(c),
                balance: Raw::new(balance),
                signature,
                work,
            }),
            3 => Block::Receive(ReceiveBlock {
                previous,
                source: BlockHash::from_bytes(c),
                signature,
                work,
            }),
            4 => Block::Open(OpenBlock {
                source: BlockHash::from_bytes(c),
                representative,
                account: Account::from_bytes(d),
                signature,
                work,
            }),
            5 => Block::Change(ChangeBlock {
                previous,
                representative,
                signature,
                work,
            }),
            _ => Block::State(StateBlock {
                account: Account::from_bytes(d),
                previous,
                representative,
                balance: Raw::new(balance),
                link: Link::from_bytes(c),
                signature,
                work,
            }),
        }
    })
}
