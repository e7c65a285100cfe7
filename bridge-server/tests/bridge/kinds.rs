//! Every kind of block as an account's frontier, proven from a full node by its peer protocol
//! alone: no RPC is configured anywhere here.

use bridge_server::run::Bridge;
use dev_node::{DevKeys, DevNode};
use nano_core::proof::Frontier;
use nano_core::{
    Account, Block, BlockHash, ChangeBlock, Epoch, Link, Network, PrivateKey, Raw, SendBlock,
    Signature, StateBlock, WorkNonce,
};
use nanonet::AccountRecord;

use crate::common::{DEADLINE, bridge_and_node, state_block};
use crate::played::opened;

/// Signs a block, works for it and waits until it is confirmed.
async fn put(dev: &DevNode, key: &PrivateKey, block: impl Into<Block>) {
    let mut block = block.into();
    block.set_signature(key.sign(block.hash().as_bytes()));
    let (root, enough) = (block.root(), Network::Dev.work_thresholds().ample());
    let mut nonces = (0..u64::MAX).map(WorkNonce::new);
    let work = nonces
        .find(|work| work.difficulty(&root) >= enough)
        .unwrap();
    block.set_work(work);
    let hash = dev.process(block).unwrap();
    assert!(
        dev.wait_confirmed(hash, DEADLINE).await,
        "{hash} is not confirmed"
    );
}

/// Last block, representative and balance of an account.
fn state(dev: &DevNode, account: &Account) -> (BlockHash, Account, Raw) {
    let head = dev.account_info(account).unwrap().head;
    let entry = dev.block(&head).unwrap();
    (head, entry.representative, entry.balance)
}

/// The proof of the account's newest block, which verifies and says the balance that the full
/// node's ledger has.
async fn proven(bridge: &Bridge, dev: &DevNode, account: Account) -> AccountRecord {
    let record = opened(bridge.prover().resolve(account, None).await.unwrap());
    let table = bridge.weights().current();
    let proven = record.proof.verify(&account, Network::Dev, &table).unwrap();
    let (head, _, balance) = state(dev, &account);
    assert_eq!((proven.hash, proven.balance), (head, balance));
    assert!(record.sightings[0].weight_answered >= table.threshold());
    record
}

fn last_of_legacy(record: &AccountRecord) -> Block {
    match &record.proof.frontier {
        Frontier::Legacy(history) => *history.blocks.last().unwrap(),
        other => panic!("no legacy frontier: {other:?}"),
    }
}

/// Marks an account with an epoch, as only the network's epoch signer can.
async fn upgrade(dev: &DevNode, account: Account, epoch: Epoch) {
    let (previous, representative, balance) = state(dev, &account);
    let link = epoch.link();
    let block = StateBlock::unsigned(account, previous, representative, balance, link);
    put(dev, &DevKeys::genesis(), block).await;
}

#[tokio::test]
async fn legacy_frontiers_of_each_kind_are_proven_with_their_chain() {
    let (bridge, dev) = bridge_and_node().await;
    let opens = DevKeys::sample(DevKeys::SAMPLE_LEGACY_OPEN).account();
    let record = proven(&bridge, &dev, opens).await;
    assert!(matches!(last_of_legacy(&record), Block::Open(_)));

    let key = DevKeys::sample(DevKeys::SAMPLE_LEGACY);
    let account = key.account();
    let record = proven(&bridge, &dev, account).await;
    assert!(matches!(last_of_legacy(&record), Block::Receive(_)));

    let (previous, _, balance) = state(&dev, &account);
    let send = SendBlock {
        previous,
        destination: Network::Dev.genesis_account(),
        balance: balance.checked_sub(Raw::NANO).unwrap(),
        signature: Signature::ZERO,
        work: WorkNonce::default(),
    };
    put(&dev, &key, send).await;
    let record = proven(&bridge, &dev, account).await;
    assert!(matches!(last_of_legacy(&record), Block::Send(_)));

    let change = ChangeBlock {
        previous: state(&dev, &account).0,
        representative: DevKeys::representative(1).account(),
        signature: Signature::ZERO,
        work: WorkNonce::default(),
    };
    put(&dev, &key, change).await;
    let record = proven(&bridge, &dev, account).await;
    assert!(matches!(last_of_legacy(&record), Block::Change(_)));
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn epoch_blocks_are_proven_after_legacy_and_state_blocks_and_as_the_first_block() {
    let (bridge, dev) = bridge_and_node().await;
    let account = DevKeys::sample(DevKeys::SAMPLE_LEGACY_OPEN).account();
    for epoch in Epoch::ALL {
        upgrade(&dev, account, epoch).await;
        let record = proven(&bridge, &dev, account).await;
        assert!(matches!(record.proof.frontier, Frontier::Epoch { .. }));
    }
    let never = DevKeys::sample(DevKeys::SAMPLE_UNOPENED).account();
    let link = Epoch::ALL[Epoch::ALL.len() - 1].link();
    let opens = StateBlock::unsigned(never, BlockHash::ZERO, Account::ZERO, Raw::ZERO, link);
    put(&dev, &DevKeys::genesis(), opens).await;
    let record = proven(&bridge, &dev, never).await;
    assert!(matches!(record.proof.frontier, Frontier::Epoch { .. }));
    bridge.stop().await;
    dev.stop().await;
}

#[tokio::test]
async fn a_change_of_representative_is_proven_as_a_frontier() {
    let (bridge, dev) = bridge_and_node().await;
    let key = DevKeys::sample(DevKeys::SAMPLE_STATE);
    let (previous, _, balance) = state(&dev, &key.account());
    let representative = DevKeys::representative(2).account();
    let change = state_block(&key, previous, representative, balance, Link::ZERO);
    put(&dev, &key, change).await;
    let record = proven(&bridge, &dev, key.account()).await;
    let table = bridge.weights().current();
    let found = record.proof.verify(&key.account(), Network::Dev, &table);
    assert_eq!(found.unwrap().representative, representative);
    bridge.stop().await;
    dev.stop().await;
}
