//! The live stream over real sockets: what becomes of blocks and votes that full nodes send
//! without being asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bridge_server::full_node::IN_FLIGHT;
use bridge_server::metrics::counted;
use nano_core::message::{AscPullQuestion, ConfirmAck, Message, PullTarget, RequestedBlock};
use nano_core::{
    Account, Block, BlockHash, ChangeBlock, Link, Network, PrivateKey, Raw, Signature, Vote,
    VoteTimestamp, WorkNonce,
};
use nanonet::{AccountState, ResolveFailure};

use crate::common::{Client, state_block, until};
use crate::played::{Ledger, Played, holder, opened, representative};
use crate::voices::Choir;

/// An account of the ledgers here, and one that only a person asks for.
const PAYER: u8 = 10;
const PERSON: u8 = 11;

fn ledger() -> Ledger {
    Ledger::new([PAYER, PERSON], 2)
}

/// A block of `PAYER` after its confirmed frontier, as full nodes would let it in.
fn next(ledger: &Ledger, balance: u128) -> Block {
    let key = holder(PAYER);
    let previous = ledger.head(&key.account());
    state_block(&key, previous, key.account(), Raw::new(balance), Link::ZERO)
}

/// A first block of an account that nobody sent anything: valid as far as one can see without a
/// ledger, and never voted on.
fn stuck(seed: u8, balance: u128) -> Block {
    let key = PrivateKey::from_bytes([seed; 32]);
    let source: Link = BlockHash::from_bytes([7; 32]).into();
    let balance = Raw::new(balance);
    state_block(&key, BlockHash::ZERO, key.account(), balance, source)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_block_is_proven_and_a_person_answered_while_all_are_asked_about_a_stuck_one() {
    const NODES: usize = 72;
    let ledger = ledger();
    let choir = Choir::of(&ledger, &[1; NODES]).await;
    let stuck = stuck(50, 1);
    choir.voices[0].publish(stuck);
    until("everybody to be asked", async || {
        let mut voices = choir.voices.iter();
        let all = voices.all(|voice| !voice.asked_about(stuck.hash()).is_empty());
        all.then_some(())
    })
    .await;
    let block = next(&ledger, 5);
    choir.voices[0].publish(block);
    choir.vote(block.hash());
    let person = holder(PERSON).account();
    let (answer, ()) = tokio::join!(
        choir.bridge.prover().resolve(person, None),
        choir.until_held(holder(PAYER).account(), block.hash()),
    );
    assert_eq!(opened(answer.unwrap()).hash(), ledger.head(&person));
    assert_eq!(
        choir.elections().await["open"],
        1,
        "the stuck one is still open"
    );
    choir.bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_nobody_votes_on_take_few_places_and_a_person_is_answered_meanwhile() {
    let ledger = ledger();
    let choir = Choir::of(&ledger, &[1, 1, 1]).await;
    let voice = &choir.voices[0];
    // Rivals are asked about one by one, so that each is a question of its own.
    let stuck: Vec<Block> = (1..=10).map(|balance| stuck(50, balance)).collect();
    let lists = || {
        let about = |block: &Block| voice.asked_about(block.hash());
        let mut times: Vec<_> = stuck.iter().flat_map(about).map(|(at, _)| at).collect();
        times.sort_unstable();
        times
    };
    for block in &stuck {
        voice.publish(*block);
    }
    until("two lists", async || (lists().len() >= 2).then_some(())).await;
    for channel in choir.bridge.full_nodes().channels() {
        assert!(channel.free_slots() >= IN_FLIGHT - 2);
    }
    let person = holder(PERSON).account();
    let answer = choir.bridge.prover().resolve(person, None).await;
    assert_eq!(opened(answer.unwrap()).hash(), ledger.head(&person));
    until("several lists", async || (lists().len() >= 6).then_some(())).await;
    let times = lists();
    for three in times.windows(3) {
        // A list is open for two seconds, and there are two at a time.
        assert!(three[2] - three[0] >= Duration::from_secs(1), "{times:?}");
    }
    choir.bridge.stop().await;
}

#[tokio::test]
async fn all_full_nodes_are_asked_for_the_same_list_in_the_same_order() {
    let ledger = ledger();
    let choir = Choir::of(&ledger, &[1, 1, 1]).await;
    let stuck: Vec<Block> = (50..60).map(|seed| stuck(seed, 1)).collect();
    // One of them has voted for every other block already.
    let (voted, open): (Vec<_>, Vec<_>) = stuck.iter().enumerate().partition(|(n, _)| n % 2 == 0);
    for block in &stuck {
        choir.voices[0].publish(*block);
    }
    for (_, block) in voted {
        choir.voices[1].vote(&[block.hash()]);
    }
    let lists = |voice: usize| {
        let about = |(_, block): &(usize, &Block)| choir.voices[voice].asked_about(block.hash());
        let asked = open.iter().flat_map(about);
        asked
            .map(|(_, question)| question.blocks)
            .collect::<Vec<_>>()
    };
    let names = |list: &Vec<RequestedBlock>, number: usize| {
        let hash = stuck[number].hash();
        list.iter().any(|pair| pair.hash == hash)
    };
    let list = until(
        "the one to be asked for what others are asked",
        async || {
            let mut lists = lists(1).into_iter();
            lists.find(|list| (0..10).step_by(2).any(|number| names(list, number)))
        },
    )
    .await;
    until("the same list everywhere", async || {
        (0..3)
            .all(|voice| lists(voice).contains(&list))
            .then_some(())
    })
    .await;
    choir.bridge.stop().await;
}

/// A block of old that names no account and has no work.
fn junk(number: u8) -> Block {
    let previous = BlockHash::from_bytes([number; 32]);
    let mut change = ChangeBlock {
        previous,
        representative: holder(1).account(),
        signature: Signature::ZERO,
        work: WorkNonce::default(),
    };
    let needed = Network::Dev.work_thresholds().entry_of(&change.into());
    let root = Block::from(change).root();
    let mut nonces = (0..u64::MAX).map(WorkNonce::new);
    change.work = nonces.find(|work| work.difficulty(&root) < needed).unwrap();
    change.into()
}

#[tokio::test]
async fn blocks_of_old_without_work_open_no_election_and_nobody_is_asked_about_them() {
    const JUNK: u8 = 100;
    let choir = Choir::of(&ledger(), &[1]).await;
    let voice = &choir.voices[0];
    for number in 0..JUNK {
        voice.publish(junk(number));
    }
    let refused = nanonet::RelayRefusal::WorkTooLow.code();
    until("all of it to be dropped", async || {
        (choir.dropped(refused) == u64::from(JUNK)).then_some(())
    })
    .await;
    assert_eq!(choir.elections().await["open"], 0);
    // What comes after it is asked for, and the junk is not.
    let stuck = stuck(50, 1);
    voice.publish(stuck);
    until("the question", async || {
        (!voice.asked_about(stuck.hash()).is_empty()).then_some(())
    })
    .await;
    for number in 0..JUNK {
        assert!(voice.asked_about(junk(number).hash()).is_empty());
    }
    choir.bridge.stop().await;
}

/// Whether the message asks for the bytes of this block.
fn asks_for(message: &Message, hash: BlockHash) -> bool {
    let start = PullTarget::Block(hash);
    matches!(message, Message::AscPullReq(request)
        if matches!(request.question, AscPullQuestion::Blocks { start: asked, .. } if asked == start))
}

#[tokio::test]
async fn a_confirmed_block_whose_bytes_do_not_come_at_once_is_proven_all_the_same() {
    let mut longer = ledger();
    let account = holder(PAYER).account();
    let block = next(&longer, 5);
    longer.chains.get_mut(&account).unwrap().push(block);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let node = Played::new(longer, vec![representative(0)]).with(move |message| {
        let is_first = asks_for(message, block.hash()) && count.fetch_add(1, Ordering::SeqCst) == 0;
        is_first.then(Vec::new)
    });
    let choir = Choir::new(vec![node], &[(0, 100)]).await;
    choir.vote(block.hash());
    choir.until_held(account, block.hash()).await;
    assert!(asked.load(Ordering::SeqCst) > 1);
    choir.bridge.stop().await;
}

#[tokio::test]
async fn a_block_that_was_merely_met_is_proven_when_it_is_confirmed_and_what_was_proven_is_not_again()
 {
    let mut longer = ledger();
    let account = holder(PAYER).account();
    let block = next(&longer, 5);
    longer.chains.get_mut(&account).unwrap().push(block);
    let votes = Arc::new(AtomicBool::new(false));
    let may_vote = Arc::clone(&votes);
    // Says that it is confirmed before anybody votes for it.
    let node = Played::new(longer, vec![representative(0)]).with(move |message| {
        let about = match message {
            Message::ConfirmReq(request) => {
                let mut pairs = request.blocks.iter();
                pairs.any(|pair| pair.hash == block.hash())
            }
            _ => false,
        };
        (about && !may_vote.load(Ordering::SeqCst)).then(Vec::new)
    });
    let choir = Choir::new(vec![node], &[(0, 100)]).await;
    let early = choir.bridge.prover().resolve(account, None).await;
    assert_eq!(early.unwrap_err(), ResolveFailure::TooFewVotes);
    // Proven for somebody, so that votes for it are no news.
    let person = holder(PERSON).account();
    let answer = choir.bridge.prover().resolve(person, None).await;
    let proven = opened(answer.unwrap()).hash();
    choir.vote(proven);
    votes.store(true, Ordering::SeqCst);
    choir.vote(block.hash());
    choir.until_held(account, block.hash()).await;
    assert_eq!(choir.bridge.metrics().live_confirmed.get(), 1);
    choir.bridge.stop().await;
}

/// Says the messages of `say` again and again until the bridge ends a channel for it, and proves a
/// confirmed block by the others.
async fn is_ended_and_the_others_go_on(choir: Choir, ledger: Ledger, say: impl Fn(u64) -> Message) {
    let closed = &choir.bridge.metrics().full_node_closed;
    let mut number = 0;
    until("the channel to be ended", async || {
        for _ in 0..50 {
            choir.voices[0].say(say(number));
            number += 1;
        }
        (counted(closed, "unasked") > 0).then_some(())
    })
    .await;
    let block = next(&ledger, 5);
    choir.voices[1].publish(block);
    choir.voices[1].vote(&[block.hash()]);
    choir
        .until_held(holder(PAYER).account(), block.hash())
        .await;
    choir.bridge.stop().await;
}

#[tokio::test]
async fn a_full_node_that_forges_votes_is_not_heard_for_long() {
    let ledger = ledger();
    let choir = Choir::of(&ledger, &[20, 80]).await;
    let forged = |number: u64| {
        let mut bytes = [9; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let hashes = vec![BlockHash::from_bytes(bytes)];
        let mut vote = Vote::sign(&representative(0), VoteTimestamp::FINAL, hashes);
        vote.representative = representative(1).account();
        let rebroadcast = true;
        ConfirmAck { vote, rebroadcast }.into()
    };
    is_ended_and_the_others_go_on(choir, ledger, forged).await;
}

#[tokio::test]
async fn a_full_node_that_repeats_a_vote_is_not_heard_for_long() {
    let ledger = ledger();
    let choir = Choir::of(&ledger, &[20, 80]).await;
    let hash = BlockHash::from_bytes([9; 32]);
    let again = |_| crate::played::vote(&representative(1), vec![hash]);
    is_ended_and_the_others_go_on(choir, ledger, again).await;
}

/// The state that the bridge's nanonet answers with.
async fn frontier(client: &mut Client, account: Account) -> (BlockHash, Raw) {
    let answer = client.get(account, true).await.unwrap();
    match answer.state {
        AccountState::Opened { frontier, .. } => (frontier.hash, frontier.balance),
        other => panic!("not opened: {other:?}"),
    }
}

#[tokio::test]
async fn unconfirmed_blocks_are_never_presented_as_balances() {
    let ledger = ledger();
    let account = holder(PAYER).account();
    let before = ledger.chains[&account].last().unwrap();
    let before = (before.hash(), before.balance().unwrap());
    let choir = Choir::of(&ledger, &[60, 40]).await;
    let mut client = Client::link(&choir.bridge, 1).await;
    assert_eq!(frontier(&mut client, account).await, before);
    let block = next(&ledger, 5);
    let hash = block.hash().to_string();
    let shows = async |tally: &str, finally: &str| {
        until("the votes to be counted", async || {
            let all = choir.elections().await;
            let one = &all["elections"][0];
            let stand = &one["blocks"][0];
            let fits = one["winner"].is_null()
                && one["forked"] == false
                && stand["hash"] == hash.as_str()
                && stand["tally"] == tally
                && stand["final_tally"] == finally;
            (all["quorum"] == "67" && fits).then_some(())
        })
        .await;
    };
    choir.voices[0].publish(block);
    shows("0", "0").await;
    for voice in &choir.voices {
        voice.vote_normally(block.hash());
    }
    shows("100", "0").await;
    assert_eq!(frontier(&mut client, account).await, before, "normal votes");
    choir.voices[0].vote(&[block.hash()]);
    shows("100", "60").await;
    assert_eq!(
        frontier(&mut client, account).await,
        before,
        "60 % of the final votes"
    );
    let held = choir.bridge.node().held(vec![account]).await.unwrap();
    assert_eq!(held, [Some(before.0)]);

    choir.voices[1].vote(&[block.hash()]);
    choir.until_held(account, block.hash()).await;
    let all = choir.elections().await;
    assert_eq!(
        (all["open"].as_u64(), all["decided"].as_u64()),
        (Some(0), Some(1))
    );
    let one = &all["elections"][0];
    assert_eq!(one["winner"], hash.as_str());
    assert_eq!(one["root"], block.root().to_string());
    assert_eq!(one["blocks"][0]["final_tally"], "100");
    choir.bridge.stop().await;
}

#[tokio::test]
async fn a_representative_that_votes_for_both_sides_counts_once_for_each_and_is_told_of() {
    let ledger = ledger();
    let account = holder(PAYER).account();
    let choir = Choir::of(&ledger, &[40, 30, 30]).await;
    let (one, two) = (next(&ledger, 5), next(&ledger, 6));
    choir.voices[0].publish(one);
    choir.voices[1].publish(two);
    choir.until_forks("open", 1).await;
    for _ in 0..3 {
        choir.voices[0].vote(&[one.hash()]);
        choir.voices[0].vote(&[two.hash()]);
    }
    choir.until_forks("double-vote", 1).await;
    let all = choir.elections().await;
    assert_eq!(all["elections"][0]["forked"], true);
    let blocks = all["elections"][0]["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert_eq!(
            (&block["final_tally"], &block["representatives"]),
            (&"40".into(), &1.into())
        );
    }
    choir.voices[1].vote(&[two.hash()]);
    choir.until_held(account, two.hash()).await;
    assert_eq!(choir.forks("double-vote"), 1);
    assert_eq!(choir.forks("conflict"), 0);
    choir.bridge.stop().await;
}

#[tokio::test]
async fn two_certificates_for_one_root_that_are_heard_live_are_counted_and_both_passed_on() {
    let ledger = ledger();
    let account = holder(PAYER).account();
    let choir = Choir::of(&ledger, &[60, 40]).await;
    let (one, two) = (next(&ledger, 5), next(&ledger, 6));
    choir.voices[0].publish(one);
    choir.vote(one.hash());
    choir.until_held(account, one.hash()).await;
    choir.vote(two.hash());
    // Dropped as the loser until all votes for it are here.
    until("the conflict", async || {
        choir.voices[1].publish(two);
        (choir.forks("conflict") > 0).then_some(())
    })
    .await;
    until("the proofs of both", async || {
        (counted(&choir.bridge.metrics().proofs, "live") == 2).then_some(())
    })
    .await;
    assert_eq!(choir.forks("conflict"), 1, "told once");
    assert_eq!(choir.bridge.metrics().alarms.get(), 1);
    choir.bridge.stop().await;
}
