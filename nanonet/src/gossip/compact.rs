//! A state block as what changed since the block before it.
//!
//! Whoever has the block before needs neither account nor representative (unless it changed) nor
//! previous, and of the balance only the amount. The block that comes out is checked by its hash,
//! so a delta that is wrong or applied to another block is found out.
//!
//! Form: flags (1; bit 0: the balance fell, bit 1: a new representative follows), amount (seven
//! bits a byte, least significant first, the last byte below 128), link (32), representative (32,
//! if it changed), signature (64), work (8). A send of 100 nano takes 121 bytes in place of 216.

use nano_core::{Account, Link, Raw, Signature, StateBlock, WorkNonce};

use crate::reader::Reader;

/// Longest delta: an amount of 128 bits takes 19 bytes.
pub(super) const MAX_BYTES: usize = 1 + 19 + 32 + 32 + 64 + 8;

const FELL: u8 = 1;
const REPRESENTATIVE: u8 = 2;

/// `block` as what changed since `previous`, the block before it.
pub(super) fn shrink(block: &StateBlock, previous: &StateBlock) -> Vec<u8> {
    let (new, old) = (block.balance.number(), previous.balance.number());
    let changed = block.representative != previous.representative;
    let mut bytes = vec![u8::from(new < old) * FELL + u8::from(changed) * REPRESENTATIVE];
    let mut amount = new.abs_diff(old);
    loop {
        let low = u8::try_from(amount & 0x7f).unwrap_or(0);
        amount >>= 7;
        bytes.push(low | u8::from(amount > 0) << 7);
        if amount == 0 {
            break;
        }
    }
    bytes.extend_from_slice(block.link.as_bytes());
    if changed {
        bytes.extend_from_slice(block.representative.as_bytes());
    }
    bytes.extend_from_slice(block.signature.as_bytes());
    bytes.extend_from_slice(&block.work.number().to_be_bytes());
    bytes
}

/// The block after `previous` that `bytes` tell of; `None` if they tell of none.
pub(super) fn expand(bytes: &[u8], previous: &StateBlock) -> Option<StateBlock> {
    let mut reader = Reader::new(bytes);
    let flags = reader.byte()?;
    let mut amount: u128 = 0;
    let mut shift = 0_u32;
    loop {
        let byte = reader.byte()?;
        let bits = u128::from(byte & 0x7f);
        let moved = bits << shift.min(127);
        if shift > 126 || moved >> shift != bits {
            return None;
        }
        amount |= moved;
        if byte < 0x80 {
            break;
        }
        shift += 7;
    }
    let amount = Raw::new(amount);
    let balance = if flags & FELL == 0 {
        previous.balance.checked_add(amount)
    } else {
        previous.balance.checked_sub(amount)
    }?;
    let link = Link::from_bytes(reader.array()?);
    let representative = if flags & REPRESENTATIVE == 0 {
        previous.representative
    } else {
        Account::from_bytes(reader.array()?)
    };
    let mut block = StateBlock::unsigned(
        previous.account,
        previous.hash(),
        representative,
        balance,
        link,
    );
    block.signature = Signature::from_bytes(reader.array()?);
    block.work = WorkNonce::new(reader.u64()?);
    reader.is_empty().then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::BlockHash;
    use proptest::prelude::*;

    fn block(previous: BlockHash, representative: u8, balance: u128) -> StateBlock {
        let link = Link::from_bytes([7; 32]);
        let account = Account::from_bytes([1; 32]);
        let representative = Account::from_bytes([representative; 32]);
        let mut block =
            StateBlock::unsigned(account, previous, representative, Raw::new(balance), link);
        block.signature = Signature::from_bytes([9; 64]);
        block.work = WorkNonce::new(0x0123_4567_89ab_cdef);
        block
    }

    proptest! {
        #[test]
        fn a_block_comes_back_from_what_changed(old: u128, new: u128, changes: bool) {
            let before = block(BlockHash::from_bytes([3; 32]), 2, old);
            let after = block(before.hash(), if changes { 5 } else { 2 }, new);
            let bytes = shrink(&after, &before);
            prop_assert!(bytes.len() <= MAX_BYTES);
            prop_assert_eq!(expand(&bytes, &before), Some(after));
            let other = block(BlockHash::from_bytes([4; 32]), 2, old);
            prop_assert_ne!(expand(&bytes, &other), Some(after));
        }

        #[test]
        fn any_bytes_are_a_block_or_none(bytes in prop::collection::vec(any::<u8>(), 0..170)) {
            let before = block(BlockHash::from_bytes([3; 32]), 2, 1 << 90);
            if let Some(after) = expand(&bytes, &before) {
                prop_assert_eq!(after.previous, before.hash());
            }
        }
    }

    #[test]
    fn a_usual_send_takes_about_half_of_a_block() {
        let nano = Raw::NANO.number();
        let before = block(BlockHash::from_bytes([3; 32]), 2, 500 * nano);
        let after = block(before.hash(), 2, 400 * nano);
        assert_eq!(shrink(&after, &before).len(), 121);
    }
}
