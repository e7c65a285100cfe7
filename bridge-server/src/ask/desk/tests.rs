use super::*;
use std::time::Duration;

fn item(account: u8, hash: u8, root: u8) -> Item {
    Item {
        account: Account::from_bytes([account; 32]),
        silent: Root::from_bytes([hash; 32]),
        blocks: vec![RequestedBlock {
            hash: BlockHash::from_bytes([hash; 32]),
            root: Root::from_bytes([root; 32]),
        }],
    }
}

fn accounts(batch: &Batch) -> Vec<u8> {
    let accounts = batch.parts.iter().map(|part| part.item.account);
    accounts.map(|account| account.as_bytes()[0]).collect()
}

#[tokio::test]
async fn the_background_leaves_in_full_batches_of_neighbours_or_after_its_linger() {
    let (mut state, now) = (State::default(), Instant::now());
    for number in (0..40).rev() {
        let item = item(number, number, 100 + number);
        state.put(item, Priority::Background, now).unwrap();
    }
    let full = state.next_batch(now).unwrap();
    assert!(!full.urgent);
    assert_eq!(accounts(&full), (0..32).collect::<Vec<_>>());
    assert!(state.next_batch(now).is_none(), "the rest lingers");
    let later = now + Priority::BACKGROUND_LINGER;
    let rest = state.next_batch(later).unwrap();
    assert_eq!(accounts(&rest), (32..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_background_lingers_on_while_more_is_coming_but_not_for_ever() {
    let (mut state, mut now) = (State::default(), Instant::now());
    let began = now;
    let step = Priority::BACKGROUND_LINGER / 2;
    let mut number = 0;
    let left = loop {
        let item = item(number, number, 100 + number);
        state.put(item, Priority::Background, now).unwrap();
        if state.next_batch(now).is_some() {
            break now;
        }
        number += 1;
        now += step;
    };
    let most = Priority::BACKGROUND_LINGER * MOST_LINGERS;
    assert_eq!(left - began, most);
    assert!(number > 2, "it did not wait for company");
}

#[tokio::test]
async fn who_waits_leaves_at_once_with_the_next_keys() {
    let (mut state, now) = (State::default(), Instant::now());
    for number in 0..40 {
        let item = item(number, number, 100 + number);
        state.put(item, Priority::Spare, now).unwrap();
    }
    // All of them are here, but nothing of the lowest priority is due but by its number.
    state.background = MAX_BACKGROUND;
    assert!(state.next_batch(now).is_none());
    let waits = item(20, 200, 201);
    state.put(waits, Priority::Waiting, now).unwrap();
    let batch = state.next_batch(now).unwrap();
    assert!(batch.urgent);
    assert_eq!(batch.parts.len(), BATCH);
    assert!(accounts(&batch).contains(&21));
    assert!(batch.parts.iter().any(|part| part.urgent));
}

#[tokio::test]
async fn the_same_question_joins_the_one_that_is_here_and_makes_it_urgent() {
    let (mut state, now) = (State::default(), Instant::now());
    let one = state.put(item(1, 1, 2), Priority::Spare, now).unwrap();
    assert!(state.next_batch(now).is_none());
    let other = state.put(item(1, 1, 2), Priority::Waiting, now).unwrap();
    assert!(one.same_channel(&other));
    let batch = state.next_batch(now).unwrap();
    assert!(batch.urgent);
    assert_eq!(batch.parts.len(), 1);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_does_not_leave() {
    let (mut state, now) = (State::default(), Instant::now());
    let one = state.put(item(1, 1, 2), Priority::Spare, now).unwrap();
    let other = state.put(item(1, 1, 2), Priority::Spare, now).unwrap();
    let kept = state.put(item(3, 3, 4), Priority::Spare, now).unwrap();
    drop(one);
    state.abandon(&key(&item(1, 1, 2)));
    assert_eq!(state.waiting.len(), 2, "another still waits for it");
    drop(other);
    state.abandon(&key(&item(1, 1, 2)));
    let batch = state.next_batch(now + Priority::SPARE_LINGER).unwrap();
    assert_eq!(accounts(&batch), [3]);
    // Under way it stays, whoever leaves, and can be joined.
    drop(kept);
    state.abandon(&key(&item(3, 3, 4)));
    assert!(state.outcomes.contains_key(&key(&item(3, 3, 4))));
    // What was taken back can be asked anew.
    assert!(state.put(item(1, 1, 2), Priority::Waiting, now).is_some());
    assert_eq!(accounts(&state.next_batch(now).unwrap()), [1]);
}

#[tokio::test]
async fn two_blocks_of_one_root_never_stand_in_one_request() {
    let (mut state, now) = (State::default(), Instant::now());
    for hash in [1, 2] {
        state.put(item(1, hash, 9), Priority::Waiting, now).unwrap();
    }
    let (one, other) = (
        state.next_batch(now).unwrap(),
        state.next_batch(now).unwrap(),
    );
    assert_eq!((one.parts.len(), other.parts.len()), (1, 1));
}

#[tokio::test]
async fn more_than_there_is_room_for_is_refused() {
    let (mut state, now) = (State::default(), Instant::now());
    for number in 0..MAX_WAITING {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        let item = Item {
            silent: Root::from_bytes(hash),
            ..item(1, 1, 2)
        };
        assert!(state.put(item, Priority::Spare, now).is_some());
    }
    assert!(state.put(item(2, 3, 4), Priority::Waiting, now).is_none());
}

#[test]
fn what_tells_requests_apart_differs_from_one_to_the_next() {
    let mut state = State {
        witnesses: (0..9)
            .map(|number| item(0, number, number).blocks[0])
            .collect(),
        ..State::default()
    };
    let mut seen = BTreeSet::new();
    for _ in 0..24 {
        let mut hashes: Vec<_> = state.token().iter().map(|pair| pair.hash).collect();
        hashes.sort();
        assert_eq!(hashes.len(), 2);
        assert!(seen.insert(hashes), "the same two again");
    }
}

#[test]
fn the_lingers_are_as_stated() {
    for hurries in [false, true] {
        assert_eq!(Priority::Waiting.linger(hurries), Duration::ZERO);
        assert!(Priority::Background.linger(hurries) < Priority::Spare.linger(hurries));
    }
    assert!(Priority::Spare.linger(true) < Priority::Spare.linger(false));
}

#[tokio::test]
async fn who_joins_what_is_under_way_makes_it_hurry() {
    let (mut state, now) = (State::default(), Instant::now());
    let item = item(1, 1, 101);
    state.put(item.clone(), Priority::Background, now).unwrap();
    let batch = state.next_batch(now + Priority::BACKGROUND_LINGER).unwrap();
    state.put(item.clone(), Priority::Spare, now).unwrap();
    assert!(!*batch.waited_for.borrow());
    state.put(item.clone(), Priority::Waiting, now).unwrap();
    assert!(*batch.waited_for.borrow());
    assert!(state.waiting.is_empty(), "it was asked anew");
    state.forget(&key(&item));
    assert!(state.under_way.is_empty() && state.outcomes.is_empty());
}
