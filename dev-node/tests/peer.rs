//! The peer protocol over real sockets, towards a peer without a ledger.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests"
)]

mod common;

use common::{Probe, nano, recorded, recording, work};
use dev_node::{DevKeys, DevNode, DevNodeConfig};
use nano_core::message::{
    AscPullAnswer, AscPullQuestion, Cookie, LegacyBootstrap, Message, MessageType, NodeIdHandshake,
    PullTarget,
};
use nano_core::{Account, Block, BlockHash, Network, Root, StateBlock};
use serde_json::Value;

async fn node() -> DevNode {
    DevNode::start(DevNodeConfig::default()).await.unwrap()
}

/// A send of the faucet, ready to publish.
fn faucet_send(node: &DevNode, to: Account) -> Block {
    let info = node.account_info(&node.faucet_account()).unwrap();
    let head = node.block(&info.head).unwrap();
    let block = StateBlock::unsigned(
        node.faucet_account(),
        info.head,
        head.representative,
        head.balance.checked_sub(nano(3)).unwrap(),
        to.into(),
    );
    block
        .sign(&DevKeys::faucet())
        .with_work(work(&block.root()))
        .into()
}

#[tokio::test]
async fn what_nodes_ignore_is_ignored_and_the_connection_lives_on() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    // A query once more; dead bootstrap; a telemetry request; pulls of a zero target, of nothing.
    probe
        .send(&NodeIdHandshake::query(Cookie::from_bytes([3; 32])).into())
        .await;
    probe
        .send(
            &LegacyBootstrap {
                message_type: MessageType::FrontierReq,
                extensions: 0,
                payload: vec![0; 40],
            }
            .into(),
        )
        .await;
    probe.send(&Message::TelemetryReq).await;
    let mut zero_target = vec![0x52, 0x41, 0x15, 0x15, 0x14, 0x0e, 0x21, 0x00, 2];
    zero_target.extend([0; 41]);
    probe.send_bytes(&zero_target).await;
    let mut zero_count = vec![0x52, 0x41, 0x15, 0x15, 0x14, 0x0e, 0x22, 0x00, 1];
    zero_count.extend([0; 8]);
    zero_count.extend([1; 32]);
    zero_count.extend([0, 0]);
    probe.send_bytes(&zero_count).await;
    let target = PullTarget::Account(node.faucet_account());
    let answer = probe.pull(AscPullQuestion::AccountInfo { target }).await;
    assert!(matches!(answer, AscPullAnswer::AccountInfo(_)));
    node.stop().await;
}

#[tokio::test]
async fn keepalives_and_signed_telemetry_come_by_themselves() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let port = node.peering_addr().port();
    let announced = probe
        .find(|message| match message {
            Message::Keepalive(keepalive) if keepalive.peers[0].port != 0 => {
                Some(keepalive.peers[0])
            }
            _ => None,
        })
        .await;
    assert!(announced.address.is_unspecified());
    assert_eq!(announced.port, port);
    let telemetry = probe
        .find(|message| match message {
            Message::TelemetryAck(ack) => ack.telemetry,
            _ => None,
        })
        .await;
    telemetry.verify().unwrap();
    assert_eq!(telemetry.node_id, node.node_id());
    assert_eq!(telemetry.genesis, Network::Dev.genesis_hash());
    node.stop().await;
}

#[tokio::test]
async fn recorded_pulls_are_answered_byte_by_byte() {
    let node = recording::node().await;
    let Value::Array(messages) = recorded("messages/messages.json")["messages"].take() else {
        panic!("messages.json has no messages");
    };
    let bytes_of = |name: &str| {
        let row = messages.iter().find(|row| row["name"] == name)?;
        Some(hex::decode(row["hex"].as_str().unwrap()).unwrap())
    };
    let mut probe = Probe::greet(node.peering_addr()).await;
    // Those of the genesis account and the frontiers were recorded on a longer ledger.
    for name in [
        "account_info of legacy account",
        "account_info by block hash",
        "account_info unknown account",
        "account_info unknown block",
        "blocks legacy account from open",
        "blocks from hash",
        "blocks epoch account",
        "blocks unknown",
        "frontiers start beyond",
    ] {
        let request = bytes_of(&format!("asc_pull {name} request")).unwrap();
        let recorded = bytes_of(&format!("asc_pull {name} reply")).unwrap();
        probe.send_bytes(&request).await;
        let ours = probe
            .find(|message| {
                let is_answer = matches!(message, Message::AscPullAck(_));
                is_answer.then(|| message.encode(Network::Dev).unwrap())
            })
            .await;
        assert_eq!(
            hex::encode_upper(ours),
            hex::encode_upper(recorded),
            "{name}"
        );
    }
    node.stop().await;
}

#[tokio::test]
async fn recorded_questions_for_votes_are_answered_with_the_recorded_votes() {
    let node = recording::node().await;
    let recording = recorded("messages/messages.json");
    let message_of = |name: &str| {
        let rows = recording["messages"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        let bytes = hex::decode(row["hex"].as_str().unwrap()).unwrap();
        Message::decode(&bytes).unwrap().1
    };
    let mut probe = Probe::greet(node.peering_addr()).await;
    for name in [
        "genesis",
        "zero hash and account root",
        "zero hash and previous root (successor)",
        "15 pairs",
        "16 pairs (v2 count)",
    ] {
        probe
            .send(&message_of(&format!("confirm_req {name} request")))
            .await;
        let Message::ConfirmAck(recorded) = message_of(&format!("confirm_req {name} reply")) else {
            panic!("the recorded reply is no vote");
        };
        // Signatures are deterministic, so final votes are equal to the last bit.
        let ours = probe.final_vote(recorded.vote.hashes[0]).await;
        assert_eq!(ours, recorded.vote, "{name}");
    }
    node.stop().await;
}

#[tokio::test]
async fn frontiers_come_in_order_of_keys_from_the_start_on() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let all = frontiers(&mut probe, Account::ZERO, 1000).await;
    assert!(all.is_sorted());
    assert!(all.len() > 15);
    let some = frontiers(&mut probe, all[3], 4).await;
    assert_eq!(some, all[3..7]);
    node.stop().await;
}

async fn frontiers(probe: &mut Probe, start: Account, count: u16) -> Vec<Account> {
    match probe
        .pull(AscPullQuestion::Frontiers { start, count })
        .await
    {
        AscPullAnswer::Frontiers(frontiers) => {
            frontiers.into_iter().map(|row| row.account).collect()
        }
        other => panic!("{other:?} is no list of frontiers"),
    }
}

#[tokio::test]
async fn a_published_block_is_flooded_back_voted_on_and_confirmed() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let block = faucet_send(&node, DevKeys::sample(50).account());
    let hash = block.hash();
    probe.publish(block).await;
    let (mut flooded, mut normal) = (false, false);
    let vote = probe
        .find(|message| match message {
            Message::Publish(publish) => {
                flooded |= publish.block == block && !publish.originator;
                None
            }
            Message::ConfirmAck(ack) if ack.vote.hashes.contains(&hash) => {
                normal |= !ack.vote.timestamp.is_final();
                ack.vote.timestamp.is_final().then_some(ack.vote)
            }
            _ => None,
        })
        .await;
    assert!(flooded && normal);
    vote.verify().unwrap();
    assert!(node.wait_confirmed(hash, common::DEADLINE).await);
    node.stop().await;
}

#[tokio::test]
async fn a_block_with_too_little_work_is_dropped_without_a_word() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let mut block = faucet_send(&node, DevKeys::sample(50).account());
    let weak = (0..)
        .map(nano_core::WorkNonce::new)
        .find(|nonce| nonce.difficulty(&block.root()) < Network::Dev.work_thresholds().entry())
        .unwrap();
    block.set_work(weak);
    probe.publish(block).await;
    let target = PullTarget::Block(block.hash());
    let answer = probe.pull(AscPullQuestion::AccountInfo { target }).await;
    let AscPullAnswer::AccountInfo(info) = answer else {
        panic!("{answer:?} is no account info");
    };
    assert_eq!(info, nano_core::message::AccountInfo::default());
    node.stop().await;
}

#[tokio::test]
async fn votes_are_given_by_hash_by_previous_and_by_account() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let account = DevKeys::sample(DevKeys::SAMPLE_STATE).account();
    let info = node.account_info(&account).unwrap();
    let open = info.open_block;
    let second = node.block(&open).unwrap().successor.unwrap();
    let wrong = BlockHash::from_bytes([0xEE; 32]);
    for (pair, expected) in [
        ((info.head, Root::ZERO), info.head),
        ((BlockHash::ZERO, Root::from(open)), second),
        ((wrong, Root::from(open)), second),
        ((BlockHash::ZERO, Root::from(account)), open),
        ((wrong, Root::from(account)), open),
    ] {
        probe.ask_votes(&[pair]).await;
        let vote = probe.final_vote(expected).await;
        vote.verify().unwrap();
        assert_eq!(vote.hashes, [expected]);
    }
    node.stop().await;
}

#[tokio::test]
async fn every_representative_answers_once_with_all_hashes_of_the_request() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let mut pairs = Vec::new();
    let mut expected = Vec::new();
    for index in 0..DevKeys::REPRESENTATIVES {
        let account = DevKeys::representative(index).account();
        let open = node.account_info(&account).unwrap().open_block;
        pairs.push((open, Root::from(account)));
        expected.push(open);
        // The same root once more, and a block nobody knows: no second mention, no mention.
        pairs.push((BlockHash::ZERO, Root::from(account)));
        pairs.push((
            BlockHash::from_bytes([0xDD; 32]),
            Root::from_bytes([0xDD; 32]),
        ));
    }
    probe.ask_votes(&pairs).await;
    let mut voters = std::collections::BTreeSet::new();
    while voters.len() < DevKeys::REPRESENTATIVES as usize {
        let vote = probe.final_vote(expected[0]).await;
        vote.verify().unwrap();
        assert_eq!(vote.hashes, expected);
        assert!(
            voters.insert(vote.representative),
            "a representative answered twice"
        );
    }
    node.stop().await;
}

#[tokio::test]
async fn nothing_unconfirmed_or_unknown_is_answered() {
    // One representative alone is far from the quorum, so nothing new is confirmed.
    let config = DevNodeConfig {
        representatives: vec![DevKeys::representative(0)],
        ..DevNodeConfig::default()
    };
    let node = DevNode::start(config).await.unwrap();
    let mut probe = Probe::greet(node.peering_addr()).await;
    let block = faucet_send(&node, DevKeys::sample(50).account());
    let hash = node.process(block).unwrap();
    let confirmed = node
        .account_info(&DevKeys::representative(1).account())
        .unwrap()
        .head;
    probe.ask_votes(&[(hash, block.root())]).await;
    probe
        .ask_votes(&[(BlockHash::from_bytes([9; 32]), Root::from_bytes([9; 32]))])
        .await;
    // Answers come in order of the questions: what comes for the third tells about the others.
    probe.ask_votes(&[(confirmed, Root::ZERO)]).await;
    let unexpected = probe
        .find(|message| match message {
            Message::ConfirmAck(ack) if ack.vote.timestamp.is_final() => {
                Some(ack.vote.hashes != [confirmed])
            }
            _ => None,
        })
        .await;
    assert!(!unexpected);
    node.stop().await;
}

#[tokio::test]
async fn a_node_without_representatives_answers_no_question_for_votes() {
    let config = DevNodeConfig {
        representatives: Vec::new(),
        ..DevNodeConfig::default()
    };
    let node = DevNode::start(config).await.unwrap();
    let mut probe = Probe::greet(node.peering_addr()).await;
    let genesis = Network::Dev.genesis_hash();
    probe
        .ask_votes(&[(genesis, Network::Dev.genesis_account().into())])
        .await;
    let target = PullTarget::Account(node.faucet_account());
    // The pull is asked later and answered; by then an answer to the question would be here.
    let mut votes = 0;
    probe
        .send(
            &nano_core::message::AscPullReq {
                id: 1,
                question: AscPullQuestion::AccountInfo { target },
            }
            .into(),
        )
        .await;
    probe
        .find(|message| match message {
            Message::ConfirmAck(_) => {
                votes += 1;
                None
            }
            Message::AscPullAck(_) => Some(()),
            _ => None,
        })
        .await;
    assert_eq!(votes, 0);
    node.stop().await;
}

#[tokio::test]
async fn a_flood_of_pulls_costs_the_asker_answers_not_the_connection() {
    let node = node().await;
    let mut probe = Probe::greet(node.peering_addr()).await;
    let target = PullTarget::Account(node.faucet_account());
    let mut flood = Vec::new();
    for id in 0..500 {
        let request = nano_core::message::AscPullReq {
            id,
            question: AscPullQuestion::AccountInfo { target },
        };
        flood.extend(Message::from(request).encode(Network::Dev).unwrap());
    }
    probe.send_bytes(&flood).await;
    // A last question, asked again at each answer to the flood, because it may be dropped, too.
    let last = nano_core::message::AscPullReq {
        id: u64::MAX,
        question: AscPullQuestion::AccountInfo { target },
    };
    let mut answers = 0;
    loop {
        let id = probe
            .find(|message| match message {
                Message::AscPullAck(ack) => Some(ack.id),
                _ => None,
            })
            .await;
        if id == last.id {
            break;
        }
        answers += 1;
        probe.send(&last.into()).await;
    }
    assert!(answers >= 16, "as many wait at least");
    node.stop().await;
}
