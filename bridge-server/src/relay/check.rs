//! What can be said of a block without a ledger.

use nano_core::{Block, Network, StateBlock};
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
