//! What can be said of a block without a ledger: alone, and once the block before it is known.

use nano_core::{Block, Difficulty, Epoch, Network, Raw};
use nanonet::RelayRefusal;

use crate::ask::may_be_signed;

/// Whether full nodes would let the block in: form, signature and work. Balance, link and place in
/// the chain are for them to judge.
pub(super) fn check(block: &Block, network: Network) -> Result<(), RelayRefusal> {
    let Block::State(_) = block else {
        return Err(RelayRefusal::LegacyBlock);
    };
    let_in(block, network)
}

/// Whether a block met on the network is worth counting votes for: as [`check`], but old kinds of
/// blocks can still be voted on. Their work is looked at first, as full nodes do before they let
/// anything in, and the signature of one that names its account; the others' is for full nodes to
/// judge. The genesis block, whose work nobody ever checked, is known by its hash.
pub(crate) fn seen(block: &Block, network: Network) -> Result<(), RelayRefusal> {
    if block.hash() == network.genesis_hash() {
        return Ok(());
    }
    let_in(block, network)
}

/// Whether work and signature are such that full nodes do not drop the block on arrival.
fn let_in(block: &Block, network: Network) -> Result<(), RelayRefusal> {
    if !has_work(block, network) {
        return Err(RelayRefusal::WorkTooLow);
    }
    if may_be_signed(block, network) {
        Ok(())
    } else {
        Err(RelayRefusal::BadSignature)
    }
}

/// The least work with which full nodes may let the block into their ledger. What it is shows in
/// the balance of the block before it, `None` where that is not known: then as on arrival.
pub(super) fn needed(block: &Block, before: Option<&Block>, network: Network) -> Difficulty {
    let thresholds = network.work_thresholds();
    let balance = match block.previous() {
        None => Some(Raw::ZERO),
        Some(_) => before.and_then(Block::balance),
    };
    let (Block::State(state), Some(balance)) = (block, balance) else {
        return thresholds.entry_of(block);
    };
    let kind = state.kind(balance);
    let upgraded = thresholds.required(Some(Epoch::Two), kind);
    match network {
        // Every account is at the second epoch there.
        Network::Live => upgraded,
        // The account may be at any.
        Network::Beta | Network::Dev | Network::Test => {
            upgraded.min(thresholds.required(None, kind))
        }
    }
}

fn has_work(block: &Block, network: Network) -> bool {
    block.work().difficulty(&block.root()) >= network.work_thresholds().entry_of(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{
        BlockHash, ChangeBlock, Link, OpenBlock, PrivateKey, Signature, StateBlock, WorkNonce,
        dev_genesis_private_key,
    };

    /// A block of `key` with work for the dev network.
    fn block(key: &PrivateKey, link: Link) -> StateBlock {
        let previous = BlockHash::from_bytes([7; 32]);
        let account = key.account();
        let mut block =
            StateBlock::unsigned(account, previous, account, Raw::new(5), link).sign(key);
        let enough = Network::Dev.work_thresholds().entry();
        let root = block.root();
        block.work = (0..u64::MAX)
            .map(WorkNonce::new)
            .find(|work| work.difficulty(&root) >= enough)
            .unwrap();
        block
    }

    #[test]
    fn a_signed_block_with_work_passes_and_a_changed_one_does_not() {
        let key = PrivateKey::from_bytes([1; 32]);
        let good = block(&key, Link::ZERO);
        assert_eq!(check(&good.into(), Network::Dev), Ok(()));
        let mut forged = good;
        forged.balance = Raw::new(6);
        assert_eq!(
            check(&forged.into(), Network::Dev),
            Err(RelayRefusal::BadSignature)
        );
        // The dev network's easy work is far too little for the live one.
        assert_eq!(
            check(&good.into(), Network::Live),
            Err(RelayRefusal::WorkTooLow)
        );
    }

    #[test]
    fn an_epoch_block_may_be_signed_by_the_epoch_signer() {
        let signer = dev_genesis_private_key();
        let link = nano_core::Epoch::Two.link();
        let mut epoch = block(&PrivateKey::from_bytes([1; 32]), link);
        epoch = epoch.sign(&signer);
        assert_eq!(check(&epoch.into(), Network::Dev), Ok(()));
    }

    /// What a block with this balance and link needs after one with a balance of 5.
    fn needed_after_five(balance: u128, link: Link, network: Network) -> Difficulty {
        let key = PrivateKey::from_bytes([1; 32]);
        let me = key.account();
        let before = block(&key, Link::ZERO);
        let next = StateBlock::unsigned(me, before.hash(), me, Raw::new(balance), link);
        needed(&next.into(), Some(&before.into()), network)
    }

    #[test]
    fn on_live_sends_and_changes_need_the_send_threshold_and_receives_the_entry_one() {
        let live = Network::Live.work_thresholds();
        let other: Link = BlockHash::from_bytes([3; 32]).into();
        let of = |balance, link| needed_after_five(balance, link, Network::Live);
        assert_eq!(of(4, other), live.epoch_2_send);
        assert_eq!(of(5, Link::ZERO), live.epoch_2_send);
        assert_eq!(of(6, other), live.entry());
        assert_eq!(of(5, Epoch::Two.link()), live.entry());
    }

    #[test]
    fn where_accounts_may_be_at_any_epoch_the_lowest_threshold_counts() {
        let dev = Network::Dev.work_thresholds();
        let other: Link = BlockHash::from_bytes([3; 32]).into();
        let of = |balance, link| needed_after_five(balance, link, Network::Dev);
        assert_eq!(of(4, other), dev.epoch_1);
        assert_eq!(of(6, other), dev.epoch_2_receive);
    }

    #[test]
    fn a_first_block_is_no_send_and_one_after_an_unknown_block_may_be_anything() {
        let live = Network::Live.work_thresholds();
        let key = PrivateKey::from_bytes([1; 32]);
        let unknown = block(&key, Link::ZERO);
        assert_eq!(needed(&unknown.into(), None, Network::Live), live.entry());
        let first = StateBlock {
            previous: BlockHash::ZERO,
            ..unknown
        };
        assert_eq!(needed(&first.into(), None, Network::Live), live.entry());
    }

    /// With work that old blocks need on the dev network, or else with none of worth.
    fn worked(mut block: Block, enough: bool) -> Block {
        let root = block.root();
        let needed = Network::Dev.work_thresholds().entry_of(&block);
        let work = (0..u64::MAX)
            .map(WorkNonce::new)
            .find(|work| (work.difficulty(&root) >= needed) == enough)
            .unwrap();
        block.set_work(work);
        block
    }

    #[test]
    fn legacy_blocks_are_not_passed_on_and_met_ones_need_work() {
        let change: Block = ChangeBlock {
            previous: BlockHash::from_bytes([7; 32]),
            representative: PrivateKey::from_bytes([1; 32]).account(),
            signature: Signature::ZERO,
            work: WorkNonce::default(),
        }
        .into();
        let good = worked(change, true);
        assert_eq!(check(&good, Network::Dev), Err(RelayRefusal::LegacyBlock));
        assert_eq!(seen(&good, Network::Dev), Ok(()), "its signer is unknown");
        assert_eq!(
            seen(&worked(change, false), Network::Dev),
            Err(RelayRefusal::WorkTooLow)
        );
    }

    #[test]
    fn a_first_block_of_old_has_to_be_signed_by_the_account_it_names_unless_it_is_genesis() {
        let key = PrivateKey::from_bytes([1; 32]);
        let mut open: Block = OpenBlock {
            source: BlockHash::from_bytes([7; 32]),
            representative: key.account(),
            account: key.account(),
            signature: Signature::ZERO,
            work: WorkNonce::default(),
        }
        .into();
        open = worked(open, true);
        assert_eq!(seen(&open, Network::Dev), Err(RelayRefusal::BadSignature));
        open.set_signature(key.sign(open.hash().as_bytes()));
        assert_eq!(seen(&open, Network::Dev), Ok(()));
        let genesis = worked(Network::Dev.genesis_block(), false);
        assert_eq!(seen(&genesis, Network::Dev), Ok(()));
    }
}
