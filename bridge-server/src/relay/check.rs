//! What can be said of a block without a ledger: alone, and once the block before it is known.

use nano_core::{Block, Difficulty, Epoch, Network, Raw, StateBlock};
use nanonet::RelayRefusal;

/// Whether full nodes would let the block in: form, signature and work. Balance, link and place in
/// the chain are for them to judge.
pub(super) fn check(block: &Block, network: Network) -> Result<(), RelayRefusal> {
    let Block::State(state) = block else {
        return Err(RelayRefusal::LegacyBlock);
    };
    if block.work().difficulty(&block.root()) < network.work_thresholds().entry_of(block) {
        return Err(RelayRefusal::WorkTooLow);
    }
    if is_signed(state, network) {
        Ok(())
    } else {
        Err(RelayRefusal::BadSignature)
    }
}

/// Whether a block met on the network is worth counting votes for: as [`check`], but old kinds of
/// blocks can still be voted on. They name no account, so their signature is for full nodes to
/// judge.
pub(crate) fn seen(block: &Block, network: Network) -> Result<(), RelayRefusal> {
    match check(block, network) {
        Err(RelayRefusal::LegacyBlock) => Ok(()),
        other => other,
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

/// By its account, or where the link is an epoch's by the epoch signer: only the ledger knows
/// whether the balance is unchanged.
fn is_signed(block: &StateBlock, network: Network) -> bool {
    let hash = block.hash();
    let holds = |key: nano_core::PublicKey| key.verify(hash.as_bytes(), &block.signature).is_ok();
    holds(block.account.public_key())
        || block
            .link
            .epoch()
            .is_some_and(|epoch| holds(network.epoch_signer(epoch)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nano_core::{BlockHash, Link, PrivateKey, Raw, WorkNonce, dev_genesis_private_key};

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

    #[test]
    fn legacy_blocks_are_not_passed_on() {
        let genesis = Network::Dev.genesis_block();
        assert_eq!(
            check(&genesis, Network::Dev),
            Err(RelayRefusal::LegacyBlock)
        );
        assert_eq!(seen(&genesis, Network::Dev), Ok(()));
    }
}
