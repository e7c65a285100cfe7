use nano_core::{
    Account, Block, BlockError, BlockHash, BlockKind, BlockType, Epoch, Link, Network, PrivateKey,
    Raw, Root, Signature, SignatureError, StateBlock, WorkNonce,
};
use proptest::prelude::*;

use crate::samples::any_block;

const HASH: BlockHash = BlockHash::from_bytes([1; 32]);
const LINK: Link = Link::from_bytes([2; 32]);
const ACCOUNT: Account = Account::from_bytes([3; 32]);

fn state(previous: BlockHash, balance: u128, link: Link) -> StateBlock {
    StateBlock::unsigned(ACCOUNT, previous, ACCOUNT, Raw::new(balance), link)
}

#[test]
fn a_state_blocks_kind_follows_from_the_balance_before_it() {
    for (block, before, kind) in [
        (state(BlockHash::ZERO, 5, LINK), 0, BlockKind::Open),
        (state(BlockHash::ZERO, 0, LINK), 0, BlockKind::Open),
        (state(HASH, 6, LINK), 5, BlockKind::Receive),
        (state(HASH, 5, LINK), 5, BlockKind::Receive),
        (state(HASH, 4, LINK), 5, BlockKind::Send),
        (state(HASH, 4, Link::ZERO), 5, BlockKind::Send),
        (state(HASH, 5, Link::ZERO), 5, BlockKind::Change),
    ] {
        assert_eq!(block.kind(Raw::new(before)), kind, "{block:?}");
    }
}

#[test]
fn an_epoch_link_makes_an_epoch_block_only_if_the_balance_stays() {
    for epoch in Epoch::ALL {
        let block = state(HASH, 5, epoch.link());
        assert_eq!(block.kind(Raw::new(5)), BlockKind::Epoch(epoch));
        assert_eq!(block.kind(Raw::new(6)), BlockKind::Send);
        let opening = state(BlockHash::ZERO, 0, epoch.link());
        assert_eq!(opening.kind(Raw::ZERO), BlockKind::Epoch(epoch));
    }
}

#[test]
fn an_epoch_block_is_signed_by_the_epoch_signer_and_others_by_their_account() {
    let epoch = state(HASH, 5, Epoch::Two.link());
    for network in Network::ALL {
        assert_eq!(
            epoch.signer(network, Raw::new(5)),
            network.epoch_signer(Epoch::Two)
        );
        assert_eq!(epoch.signer(network, Raw::new(6)), ACCOUNT.public_key());
    }
}

#[test]
fn the_root_of_a_first_block_is_its_account() {
    assert_eq!(
        Block::from(state(BlockHash::ZERO, 5, LINK)).root(),
        Root::from(ACCOUNT)
    );
    assert_eq!(Block::from(state(HASH, 5, LINK)).root(), Root::from(HASH));
    assert_eq!(
        Network::Live.genesis_block().root(),
        Root::from(Network::Live.genesis_account())
    );
}

#[test]
fn a_signed_block_verifies_with_its_key_alone() {
    let key = PrivateKey::from_bytes([5; 32]);
    let block = Block::from(state(HASH, 5, LINK).sign(&key));
    assert_eq!(block.verify(&key.public_key()), Ok(()));
    let other = PrivateKey::from_bytes([6; 32]).public_key();
    assert_eq!(block.verify(&other), Err(SignatureError::Mismatch(other)));
}

#[test]
fn type_numbers_of_no_block_are_refused() {
    assert_eq!(Block::parse_typed(&[]), Err(BlockError::Empty));
    for number in [0, 1, 7, 255] {
        assert_eq!(
            Block::parse_typed(&[number]),
            Err(BlockError::UnknownType(number))
        );
    }
    for kind in BlockType::ALL {
        assert_eq!(BlockType::from_number(kind.number()), Some(kind));
        assert_eq!(BlockType::from_name(kind.name()), Some(kind));
    }
}

proptest! {
    #[test]
    fn a_blocks_bytes_read_back(block in any_block()) {
        let bytes = block.serialized();
        prop_assert_eq!(bytes.len(), block.block_type().size());
        prop_assert_eq!(Block::parse(block.block_type(), &bytes), Ok(block));
        prop_assert_eq!(Block::parse_typed(&block.serialized_typed()), Ok(block));
        let mut appended = vec![9];
        block.append_to(&mut appended);
        prop_assert_eq!(&appended[1..], &bytes[..]);
    }

    #[test]
    fn any_bytes_of_the_right_size_are_a_block_and_no_others(
        number in 2_u8..=6, bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let kind = BlockType::from_number(number).unwrap();
        match Block::parse(kind, &bytes) {
            Ok(block) => prop_assert_eq!(&block.serialized(), &bytes),
            Err(error) => {
                prop_assert_ne!(bytes.len(), kind.size());
                prop_assert_eq!(error, BlockError::Length { kind, found: bytes.len() });
            }
        }
        let mut exact = bytes;
        exact.resize(kind.size(), 0);
        prop_assert_eq!(Block::parse(kind, &exact).unwrap().serialized(), exact);
    }

    #[test]
    fn work_and_signature_do_not_change_the_hash(block in any_block(), work: u64) {
        let mut other = block;
        other.set_work(WorkNonce::new(work));
        other.set_signature(Signature::ZERO);
        prop_assert_eq!(other.hash(), block.hash());
        prop_assert_eq!(other.work(), WorkNonce::new(work));
        prop_assert_eq!(other.signature(), &Signature::ZERO);
    }

    #[test]
    fn every_other_byte_changes_the_hash(block in any_block(), place in 0_usize..216, flip in 1_u8..) {
        let signed = block.block_type().size() - 72;
        let mut bytes = block.serialized();
        bytes[place % signed] ^= flip;
        let other = Block::parse(block.block_type(), &bytes).unwrap();
        prop_assert_ne!(other.hash(), block.hash());
    }
}
