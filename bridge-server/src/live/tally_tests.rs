//! Tests of the election view.

use super::view::Stand;
use super::*;
use nano_core::{Link, Network, PrivateKey, StateBlock, VoteTimestamp};

const NOW: UnixMillis = UnixMillis(1_000_000);

fn representative(number: u8) -> PrivateKey {
    PrivateKey::from_bytes([number; 32])
}

/// Ten representatives of weight 10 each: 67 is the threshold.
fn table() -> WeightTable {
    let weights = (1..=10)
        .map(|n| (representative(n).account(), Raw::new(10)))
        .collect();
    WeightTable {
        network: Network::Dev,
        as_of: NOW,
        online_weight: Raw::new(100),
        minimum: Raw::new(1),
        weights,
    }
}

/// Blocks of one root, told apart by the balance.
fn block(balance: u128) -> Block {
    block_at(5, balance)
}

fn block_at(previous: u8, balance: u128) -> Block {
    let key = PrivateKey::from_bytes([99; 32]);
    let account = key.account();
    let previous = BlockHash::from_bytes([previous; 32]);
    StateBlock::unsigned(account, previous, account, Raw::new(balance), Link::ZERO)
        .sign(&key)
        .into()
}

fn vote(number: u8, block: &Block) -> Arc<Vote> {
    voted(number, VoteTimestamp::FINAL, block)
}

fn voted(number: u8, time: VoteTimestamp, block: &Block) -> Arc<Vote> {
    let vote = Vote::sign(&representative(number), time, vec![block.hash()]);
    Arc::new(vote)
}

/// Takes votes of these representatives; gives back what the last one led to.
fn count(tally: &mut Tally, numbers: impl IntoIterator<Item = u8>, block: &Block) -> Verdict {
    let mut last = Verdict::Nothing;
    for number in numbers {
        let verdicts = tally.vote(&vote(number, block), &table(), NOW);
        last = verdicts.into_iter().next_back().unwrap_or(Verdict::Nothing);
    }
    last
}

/// What is shown of a block.
fn stand(block: &Block, tally: u128, final_tally: u128, representatives: usize) -> Stand {
    Stand {
        hash: block.hash(),
        tally: Raw::new(tally),
        final_tally: Raw::new(final_tally),
        representatives,
    }
}

#[test]
fn a_block_is_confirmed_once_when_its_final_votes_reach_the_threshold() {
    let mut tally = Tally::new(100);
    let one = block(1);
    assert_eq!(tally.block(one, &table(), NOW), Verdict::Counted);
    assert_eq!(count(&mut tally, 1..=6, &one), Verdict::Counted);
    let Verdict::Confirmed(confirmed) = count(&mut tally, [7], &one) else {
        panic!("not confirmed");
    };
    assert_eq!((confirmed.block, confirmed.votes.len()), (one, 7));
    assert!(!matches!(
        count(&mut tally, [8], &one),
        Verdict::Confirmed(_)
    ));
    assert_eq!(tally.block(one, &table(), NOW), Verdict::Nothing);
}

#[test]
fn votes_before_the_block_ask_for_it_and_then_confirm_it() {
    let mut tally = Tally::new(100);
    let one = block(1);
    assert_eq!(count(&mut tally, 1..=7, &one), Verdict::Wanted(one.hash()));
    assert_eq!(count(&mut tally, [8], &one), Verdict::Counted);
    assert!(matches!(
        tally.block(one, &table(), NOW),
        Verdict::Confirmed(_)
    ));
}

#[test]
fn a_repeated_representative_counts_once() {
    let mut tally = Tally::new(100);
    let one = block(1);
    tally.block(one, &table(), NOW);
    assert_eq!(count(&mut tally, [1; 20], &one), Verdict::Nothing);
    assert!(!tally.cares(&vote(1, &one), &table(), NOW));
    assert!(tally.cares(&vote(2, &one), &table(), NOW));
}

#[test]
fn normal_votes_and_representatives_without_weight_do_not_count() {
    let mut tally = Tally::new(100);
    let one = block(1);
    tally.block(one, &table(), NOW);
    let normal = VoteTimestamp::normal(1_000_000, 9);
    for number in 1..=10 {
        let vote = voted(number, normal, &one);
        assert!(tally.vote(&vote, &table(), NOW).is_empty());
    }
    for number in 20..=60 {
        assert!(tally.vote(&vote(number, &one), &table(), NOW).is_empty());
    }
    assert_eq!(count(&mut tally, 1..=6, &one), Verdict::Counted);
}

#[test]
fn both_sides_of_a_fork_are_kept_while_it_is_voted_on_and_the_loser_is_dropped_on_quorum() {
    let mut tally = Tally::new(100);
    let (winner, rival) = (block(1), block(2));
    let root = winner.root();
    assert_eq!(tally.block(rival, &table(), NOW), Verdict::Counted);
    assert_eq!(tally.block(winner, &table(), NOW), Verdict::Fork(root));
    count(&mut tally, 1..=3, &rival);
    count(&mut tally, 4..=8, &winner);
    let view = tally.view(&root, &table(), NOW).unwrap();
    assert_eq!(
        view.blocks,
        [stand(&winner, 50, 50, 5), stand(&rival, 30, 30, 3)]
    );
    assert!(view.forked && view.winner.is_none());
    let mut due = tally.due(8, NOW.plus(100));
    assert_eq!(due.len(), 1, "a root is asked for once in a list");
    due.extend(tally.due(8, NOW.plus(100)));
    let due: BTreeSet<_> = due.into_iter().map(|(hash, _)| hash).collect();
    assert_eq!(due, BTreeSet::from([winner.hash(), rival.hash()]));
    assert!(matches!(
        count(&mut tally, 9..=10, &winner),
        Verdict::Confirmed(_)
    ));
    let view = tally.view(&root, &table(), NOW).unwrap();
    assert_eq!(view.winner, Some(winner.hash()));
    assert_eq!(view.blocks, [stand(&winner, 70, 70, 7)]);
    assert!(view.forked);
    assert!(!tally.waits_at(&root, NOW));
    assert_eq!(tally.block(rival, &table(), NOW), Verdict::Nothing);
    assert!(tally.due(8, NOW.plus(10_000)).is_empty());
}

#[test]
fn a_representative_that_votes_for_both_sides_is_told_of() {
    let mut tally = Tally::new(100);
    let (one, two) = (block(1), block(2));
    tally.block(one, &table(), NOW);
    tally.block(two, &table(), NOW);
    assert_eq!(
        tally.vote(&vote(1, &one), &table(), NOW),
        [Verdict::Counted]
    );
    let double = Verdict::DoubleVote(representative(1).account(), one.root());
    assert_eq!(
        tally.vote(&vote(1, &two), &table(), NOW),
        [double, Verdict::Counted]
    );
    assert_eq!(
        tally.vote(&vote(2, &two), &table(), NOW),
        [Verdict::Counted]
    );
}

#[test]
fn a_second_certificate_for_a_decided_root_is_a_conflict_told_once() {
    let mut tally = Tally::new(100);
    let (one, two) = (block(1), block(2));
    tally.block(one, &table(), NOW);
    assert!(matches!(
        count(&mut tally, 1..=7, &one),
        Verdict::Confirmed(_)
    ));
    // Four of them vote again.
    assert_eq!(count(&mut tally, 4..=10, &two), Verdict::Wanted(two.hash()));
    let Verdict::Conflict(conflict) = tally.block(two, &table(), NOW) else {
        panic!("not told");
    };
    assert_eq!((conflict.block, conflict.votes.len()), (two, 7));
    assert_eq!(tally.block(two, &table(), NOW), Verdict::Nothing);
}

#[test]
fn many_rivals_push_out_the_lightest_and_never_one_with_more_votes() {
    let mut tally = Tally::new(100);
    let first = block(1);
    tally.block(first, &table(), NOW);
    count(&mut tally, 1..=2, &first);
    for balance in 2..=40 {
        tally.block(block(balance), &table(), NOW);
    }
    let kept = |tally: &Tally| tally.view(&first.root(), &table(), NOW).unwrap().blocks;
    assert_eq!(kept(&tally).len(), RIVALS);
    assert_eq!(kept(&tally)[0].hash, first.hash());
    let late = block(41);
    count(&mut tally, 3..=5, &late);
    tally.block(late, &table(), NOW);
    assert_eq!(kept(&tally).len(), RIVALS);
    assert_eq!(kept(&tally)[0].hash, late.hash());
    assert_eq!(kept(&tally)[1].hash, first.hash());
}

#[test]
fn more_open_roots_than_there_is_room_for_forget_the_oldest() {
    let mut tally = Tally::new(100);
    let first = block_at(1, 1);
    tally.block(first, &table(), NOW);
    // Unsigned blocks do: the tally never looks at signatures.
    for number in 0..ROOTS {
        let mut previous = [0; 32];
        previous[..8].copy_from_slice(&number.to_be_bytes());
        previous[31] = 1;
        let account = representative(1).account();
        let previous = BlockHash::from_bytes(previous);
        let other = StateBlock::unsigned(account, previous, account, Raw::new(1), Link::ZERO);
        tally.block(other.into(), &table(), NOW);
    }
    assert_eq!(tally.open(), ROOTS);
    assert!(!tally.waits_at(&first.root(), NOW));
}

#[test]
fn only_votes_that_have_not_come_are_asked_for() {
    let mut tally = Tally::new(100);
    let (one, other) = (block_at(1, 1), block_at(2, 1));
    for block in [one, other] {
        tally.block(block, &table(), NOW);
    }
    count(&mut tally, 1..=2, &one);
    count(&mut tally, 1..=1, &other);
    let due = tally.due(8, NOW.plus(100));
    assert_eq!(due.len(), 2);
    let missing = |voters: &[u8]| {
        let voters = voters
            .iter()
            .map(|number| representative(*number).account())
            .collect();
        let missing = tally.missing(&due, &voters, NOW.plus(100));
        missing
            .iter()
            .map(|(hash, _)| *hash)
            .collect::<BTreeSet<_>>()
    };
    assert!(missing(&[1]).is_empty());
    assert_eq!(missing(&[1, 2]), BTreeSet::from([other.hash()]));
    assert_eq!(missing(&[1, 3]), BTreeSet::from([one.hash(), other.hash()]));
}

#[test]
fn missing_votes_are_asked_for_with_growing_pauses_and_not_forever() {
    let mut tally = Tally::new(100);
    let one = block(1);
    tally.block(one, &table(), NOW);
    let mut asked = Vec::new();
    for later in 0..KEEP_MS {
        if !tally.due(8, NOW.plus(later)).is_empty() {
            asked.push(later);
        }
    }
    assert_eq!(asked, [100, 300, 700, 1_500, 3_100, 6_300, 12_700, 25_500]);
    assert!(tally.due(8, NOW.plus(KEEP_MS)).is_empty());
    assert!(!tally.waits_at(&one.root(), NOW.plus(KEEP_MS)));
}

#[test]
fn normal_votes_are_shown_for_the_newest_block_of_each_representative_and_confirm_nothing() {
    let mut tally = Tally::new(100);
    let (one, two) = (block(1), block(2));
    tally.block(one, &table(), NOW);
    tally.block(two, &table(), NOW);
    let time = |millis| VoteTimestamp::normal(millis, 9);
    for number in 1..=8 {
        let normal = voted(number, time(1_600), &one);
        assert!(tally.cares(&normal, &table(), NOW));
        tally.vote(&normal, &table(), NOW);
        assert!(!tally.cares(&normal, &table(), NOW), "told once");
    }
    // One changes its mind, an older word of another comes late, a third commits.
    tally.vote(&voted(1, time(3_200), &two), &table(), NOW);
    tally.vote(&voted(2, time(160), &two), &table(), NOW);
    count(&mut tally, [3], &two);
    let view = tally.view(&one.root(), &table(), NOW).unwrap();
    assert_eq!(view.blocks, [stand(&two, 20, 10, 1), stand(&one, 60, 0, 0)]);
    assert_eq!(view.winner, None);
}

#[test]
fn votes_for_blocks_nobody_has_push_out_none_for_a_block_that_is_known() {
    let mut tally = Tally::new(100);
    let one = block(1);
    tally.block(one, &table(), NOW);
    count(&mut tally, 1..=6, &one);
    let key = representative(7);
    for list in 0..=STRAYS / Vote::MAX_HASHES + 1 {
        let hash = |place: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&(list * Vote::MAX_HASHES + place).to_be_bytes());
            BlockHash::from_bytes(bytes)
        };
        let hashes = (0..Vote::MAX_HASHES).map(hash).collect();
        let old = Arc::new(Vote::sign(&key, VoteTimestamp::FINAL, hashes));
        tally.vote(&old, &table(), NOW);
    }
    assert!(matches!(
        count(&mut tally, [7], &one),
        Verdict::Confirmed(_)
    ));
}

#[test]
fn a_block_that_could_not_be_had_is_wanted_again_with_the_next_vote() {
    let mut tally = Tally::new(100);
    let one = block(1);
    assert_eq!(count(&mut tally, 1..=7, &one), Verdict::Wanted(one.hash()));
    assert_eq!(count(&mut tally, [8], &one), Verdict::Counted);
    tally.unwanted(&one.hash(), NOW);
    assert_eq!(count(&mut tally, [9], &one), Verdict::Wanted(one.hash()));
}

#[test]
fn each_open_root_is_asked_for_before_any_is_asked_for_again() {
    let mut tally = Tally::new(100);
    let mut wanted = BTreeSet::new();
    for previous in 1..=8 {
        let block = block_at(previous, 1);
        wanted.insert(block.hash());
        tally.block(block, &table(), NOW);
    }
    let mut due = Vec::new();
    for later in 0..4 {
        // Long after all of them became due.
        due.extend(tally.due(2, NOW.plus(5_000 + 1_000 * later)));
    }
    let asked: BTreeSet<_> = due.into_iter().map(|(hash, _)| hash).collect();
    assert_eq!(asked, wanted);
}

#[test]
fn a_copy_of_a_block_that_is_here_is_known_and_one_with_another_signature_is_not() {
    let mut tally = Tally::new(100);
    let one = block(1);
    assert!(!tally.knows(&one, NOW));
    tally.block(one, &table(), NOW);
    assert!(tally.knows(&one, NOW));
    let mut spoiled = one;
    spoiled.set_signature(nano_core::Signature::ZERO);
    assert!(!tally.knows(&spoiled, NOW));
    count(&mut tally, 1..=7, &one);
    assert!(tally.knows(&one, NOW), "the winner is no news");
    assert!(!tally.knows(&block(2), NOW), "its rival may be");
}

#[test]
fn forks_are_shown_first_and_then_what_waits_for_longest() {
    let mut tally = Tally::new(100);
    let (old, new) = (block_at(1, 1), block_at(2, 1));
    tally.block(old, &table(), NOW);
    tally.block(new, &table(), NOW.plus(1));
    for balance in 1..=2 {
        tally.block(block_at(3, balance), &table(), NOW.plus(2));
    }
    let decided = block_at(4, 1);
    tally.block(decided, &table(), NOW);
    count(&mut tally, 1..=7, &decided);
    let fork = block_at(3, 1).root();
    let all = [fork, old.root(), new.root(), decided.root()];
    let shown = |most| {
        let overview = tally.overview(most, &table(), NOW.plus(2));
        assert_eq!((overview.open, overview.decided), (3, 1));
        let elections = overview.elections.into_iter();
        elections.map(|view| view.root).collect::<Vec<_>>()
    };
    assert_eq!(shown(9), all);
    assert_eq!(shown(2), all[..2]);
}
