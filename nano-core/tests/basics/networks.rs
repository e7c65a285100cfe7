use nano_core::{Block, Epoch, Network, dev_genesis_private_key};

#[test]
fn every_genesis_block_hashes_and_verifies_to_the_constants_beside_it() {
    for network in Network::ALL {
        let block = network.genesis_block();
        assert_eq!(block.hash(), network.genesis_hash(), "{network}");
        let key = network.genesis_account().public_key();
        assert_eq!(block.verify(&key), Ok(()), "{network}");
    }
}

#[test]
fn names_and_ids_lead_back_to_their_network() {
    for network in Network::ALL {
        assert_eq!(network.to_string().parse(), Ok(network));
        assert_eq!(Network::from_id(network.id()), Some(network));
    }
    assert!("Live".parse::<Network>().is_err());
    assert_eq!(Network::from_id(*b"RD"), None);
}

#[test]
fn the_dev_genesis_key_opens_the_dev_genesis_account_only() {
    let account = dev_genesis_private_key().account();
    for network in Network::ALL {
        assert_eq!(
            network.genesis_account() == account,
            network == Network::Dev
        );
    }
}

#[test]
fn only_lives_second_epoch_has_a_signer_of_its_own() {
    for network in Network::ALL {
        for epoch in Epoch::ALL {
            let own = (network, epoch) == (Network::Live, Epoch::Two);
            let genesis = network.genesis_account().public_key();
            assert_eq!(network.epoch_signer(epoch) != genesis, own);
        }
    }
}

#[test]
fn a_genesis_block_names_no_balance() {
    // The amount is a rule of the ledger, not a field.
    let block = Network::Live.genesis_block();
    assert!(matches!(block, Block::Open(_)));
    assert_eq!(block.balance(), None);
}
