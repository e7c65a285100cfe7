//! Whole rounds over made-up ledgers: what is tried when, how often, and what a restart repeats.

use super::*;
use nanonet::{Identity, NodeKey, Rng};

fn key(seed: u8) -> NodeKey {
    Identity::generate(&mut Rng::from_seed([seed; 32])).node_key()
}

/// Accounts spread evenly over the key space, in order.
fn ledger(count: u16) -> Vec<Listed> {
    (0..count)
        .map(|index| {
            let mut bytes = [7; 32];
            let place = u32::from(index) * 0x1_0000 / u32::from(count);
            bytes[..2].copy_from_slice(&u16::try_from(place).unwrap().to_be_bytes());
            bytes[2..4].copy_from_slice(&index.to_be_bytes());
            Listed {
                account: Account::from_bytes(bytes),
                head: BlockHash::from_bytes(bytes),
                by: None,
            }
        })
        .collect()
}

fn page(ledger: &[Listed], start: Account) -> Listing {
    let rows = ledger.iter().filter(|row| row.account >= start);
    let rows: Vec<Listed> = rows.take(usize::from(PAGE)).copied().collect();
    Listing {
        is_last: rows.len() < usize::from(PAGE),
        rows,
    }
}

/// Runs a walk until its round ends; gives what was tried, in order, and the time it took.
fn round(
    walk: &mut Walk,
    ledger: &[Listed],
    mut now: UnixMillis,
    mut judge: impl FnMut(&Candidate) -> Outcome,
) -> (Vec<Account>, u64) {
    let (begin, mut tried) = (now, Vec::new());
    let rounds = walk.progress().round;
    loop {
        match walk.next(now) {
            Step::List(start) => walk.listed(start, &page(ledger, start), now),
            Step::Prove(batch) => {
                assert!(batch.len() <= walk.batch() && !batch.is_empty());
                tried.extend(batch.iter().map(|one| one.account));
                let outcomes: Vec<_> = batch.into_iter().map(|one| (one, judge(&one))).collect();
                walk.tried(&outcomes, now);
            }
            Step::Wait(until) if walk.progress().round > rounds => {
                assert_eq!(until.0, now.0 + ROUND_MS);
                return (tried, now.since(begin));
            }
            Step::Wait(until) => {
                assert!(until > now, "it would wait for the past");
                now = until;
            }
        }
    }
}

fn alone(pace: u32) -> Walk {
    let share = Share::of(&key(1), &[]);
    Walk::new(share, pace, Progress::default(), UnixMillis(0))
}

#[test]
fn every_account_is_proven_once_at_the_pace_and_no_faster() {
    let ledger = ledger(2500);
    let mut walk = alone(100);
    let (tried, took) = round(&mut walk, &ledger, UnixMillis(0), |_| Outcome::Kept);
    assert!(tried.iter().eq(ledger.iter().map(|row| &row.account)));
    assert_eq!(walk.coverage_ppm(), 1_000_000);
    // 25 s of tokens; rounding up may only add.
    assert!((25_000..25_100).contains(&took), "{took}");
}

#[test]
fn a_long_pause_saves_no_more_than_one_batch_of_tokens() {
    let ledger = ledger(2000);
    let mut walk = alone(100);
    assert!(matches!(walk.next(UnixMillis(0)), Step::List(_)));
    walk.listed(Account::ZERO, &page(&ledger, Account::ZERO), UnixMillis(0));
    let late = UnixMillis(3_600_000);
    assert!(matches!(walk.next(late), Step::Prove(batch) if batch.len() == walk.batch()));
    assert!(matches!(walk.next(late), Step::Wait(until) if until > late));
}

#[test]
fn two_bridges_that_know_each_other_walk_everything_once() {
    let ledger = ledger(3000);
    let keys = [key(1), key(2)];
    let mut all = Vec::new();
    for own in &keys {
        let mut walk = Walk::new(
            Share::of(own, &keys),
            1000,
            Progress::default(),
            UnixMillis(0),
        );
        let (tried, _) = round(&mut walk, &ledger, UnixMillis(0), |_| Outcome::Kept);
        assert!(tried.len() > 750, "{}", tried.len());
        assert_eq!(walk.coverage_ppm(), 1_000_000);
        all.extend(tried);
    }
    all.sort_unstable();
    assert!(all.iter().eq(ledger.iter().map(|row| &row.account)));
}

#[test]
fn what_fails_is_tried_again_after_the_others_and_given_up_in_the_end() {
    let ledger = ledger(300);
    let (once, never) = (ledger[3].account, ledger[5].account);
    let mut failed_once = false;
    let mut walk = alone(256);
    let (tried, _) = round(&mut walk, &ledger, UnixMillis(0), |one| {
        if one.account == never || (one.account == once && !failed_once) {
            failed_once |= one.account == once;
            return Outcome::Failed;
        }
        Outcome::Kept
    });
    let times = |account| tried.iter().filter(|tried| **tried == account).count();
    assert_eq!((times(once), times(never)), (2, usize::from(TRIES)));
    assert!(
        tried[300..]
            .iter()
            .all(|again| [once, never].contains(again))
    );
    // All but one of 300.
    assert_eq!(walk.coverage_ppm(), 299 * 1_000_000 / 300);
}

#[test]
fn accounts_without_a_confirmed_block_are_not_missed_and_unprovable_ones_are() {
    let ledger = ledger(100);
    let mut walk = alone(1000);
    let (absent, unprovable) = (ledger[1].account, ledger[2].account);
    round(&mut walk, &ledger, UnixMillis(0), |one| match one.account {
        account if account == absent => Outcome::Absent,
        account if account == unprovable => Outcome::Unprovable,
        _ => Outcome::Kept,
    });
    assert_eq!(walk.coverage_ppm(), 98 * 1_000_000 / 99);
}

#[test]
fn a_walk_stopped_anywhere_goes_on_and_skips_nothing() {
    let ledger = ledger(1500);
    for stop_after in [0, 1, 4, 5] {
        let mut walk = alone(256);
        let mut now = UnixMillis(0);
        let mut first: Vec<Account> = Vec::new();
        let mut batches = 0;
        while batches < stop_after {
            match walk.next(now) {
                Step::List(start) => walk.listed(start, &page(&ledger, start), now),
                Step::Prove(batch) => {
                    batches += 1;
                    let failed = ledger[7].account;
                    let judge = |one: &Candidate| match one.account == failed {
                        true => Outcome::Failed,
                        false => Outcome::Kept,
                    };
                    let outcomes: Vec<_> =
                        batch.into_iter().map(|one| (one, judge(&one))).collect();
                    first.extend(outcomes.iter().map(|(one, _)| one.account));
                    walk.tried(&outcomes, now);
                }
                Step::Wait(until) => now = until,
            }
        }
        // Cut off in the middle of a batch, which is then repeated.
        while let Step::List(_) | Step::Wait(_) = match walk.next(now) {
            Step::List(start) => {
                walk.listed(start, &page(&ledger, start), now);
                Step::List(start)
            }
            Step::Wait(until) => {
                now = until;
                Step::Wait(until)
            }
            open @ Step::Prove(_) => open,
        } {}
        let kept = Progress::from_bytes(&walk.progress().to_bytes());
        assert_eq!(kept, walk.progress());
        let mut second = Walk::new(Share::of(&key(1), &[]), 256, kept, now);
        let (rest, _) = round(&mut second, &ledger, now, |_| Outcome::Kept);
        assert_eq!(second.coverage_ppm(), 1_000_000, "{stop_after}");
        let repeated = rest.iter().filter(|account| first.contains(account));
        assert!(repeated.eq([ledger[7].account].iter().take(stop_after.min(1))));
        assert_eq!(first.len() + rest.len(), 1500 + stop_after.min(1));
    }
}

#[test]
fn a_list_nobody_gave_is_asked_for_again_after_a_pause_only() {
    let mut walk = alone(100);
    let now = UnixMillis(5);
    assert_eq!(walk.next(now), Step::List(Account::ZERO));
    walk.not_listed(now);
    let until = UnixMillis(5 + PAUSE_MS);
    assert_eq!(walk.next(now), Step::Wait(until));
    assert_eq!(walk.next(until), Step::List(Account::ZERO));
}

#[test]
fn rows_below_the_start_do_not_send_the_walk_back() {
    let ledger = ledger(3000);
    let mut walk = alone(256);
    let start = ledger[2000].account;
    let below = page(&ledger, Account::ZERO);
    walk.listed(start, &below, UnixMillis(0));
    assert_eq!(walk.progress().listed, 0);
    assert!(!matches!(walk.next(UnixMillis(0)), Step::List(_)));
}

#[test]
fn an_empty_ledger_is_no_coverage_and_is_looked_at_again_soon() {
    let mut walk = alone(100);
    let now = UnixMillis(5);
    assert_eq!(walk.next(now), Step::List(Account::ZERO));
    walk.listed(Account::ZERO, &page(&[], Account::ZERO), now);
    let again = UnixMillis(5 + EMPTY_MS);
    assert_eq!(walk.next(now), Step::Wait(again));
    assert_eq!(walk.coverage_ppm(), 0);
    assert_eq!(walk.next(again), Step::List(Account::ZERO));
}

#[test]
fn a_restart_does_not_end_the_pause_between_two_rounds() {
    let ledger = ledger(50);
    let mut walk = alone(1000);
    let (_, took) = round(&mut walk, &ledger, UnixMillis(0), |_| Outcome::Kept);
    let kept = Progress::from_bytes(&walk.progress().to_bytes());
    let restart = |at| {
        let kept = kept.clone();
        let mut walk = Walk::new(Share::of(&key(1), &[]), 1000, kept, UnixMillis(at));
        walk.next(UnixMillis(at))
    };
    let begin = took + ROUND_MS;
    assert_eq!(restart(took + 1), Step::Wait(UnixMillis(begin)));
    assert_eq!(restart(begin), Step::List(Account::ZERO));
}

#[test]
fn what_the_node_has_no_room_for_is_missing_and_told() {
    let ledger = ledger(100);
    let mut walk = alone(1000);
    let (mut judged, mut now) = (0, UnixMillis(0));
    while walk.progress().round == 0 {
        match walk.next(now) {
            Step::List(start) => walk.listed(start, &page(&ledger, start), now),
            Step::Wait(until) => now = until,
            Step::Prove(batch) => {
                let judge = |one| {
                    judged += 1;
                    let outcome = match judged % 4 {
                        0 => Outcome::NoRoom,
                        _ => Outcome::Kept,
                    };
                    (one, outcome)
                };
                let outcomes: Vec<_> = batch.into_iter().map(judge).collect();
                walk.tried(&outcomes, now);
            }
        }
    }
    let told = walk.progress();
    assert_eq!((told.kept, told.missing, told.no_room), (75, 25, 25));
    assert_eq!(walk.coverage_ppm(), 750_000);
}

#[test]
fn an_outage_longer_than_all_tries_makes_no_account_missing() {
    let ledger = ledger(40);
    let mut walk = alone(1000);
    let mut left = 10 * 40 * u32::from(TRIES);
    let (_, took) = round(&mut walk, &ledger, UnixMillis(0), |_| {
        left = left.saturating_sub(1);
        match left {
            0 => Outcome::Kept,
            _ => Outcome::Unasked,
        }
    });
    assert!(took > u64::from(TRIES) * PAUSE_MS, "{took}");
    assert_eq!(walk.coverage_ppm(), 1_000_000);
}

#[test]
fn who_lists_keys_without_end_that_do_not_exist_is_found_out_and_passed_by() {
    const LIAR: ChannelId = ChannelId(7);
    let ledger = ledger(500);
    let invented = |start: Account| {
        let mut key = start;
        let rows = (0..PAGE).map(|_| {
            key = after(key).unwrap();
            Listed {
                account: key,
                head: BlockHash::from_bytes([9; 32]),
                by: Some(LIAR),
            }
        });
        Listing {
            rows: rows.collect(),
            is_last: false,
        }
    };
    let real: BTreeSet<Account> = ledger.iter().map(|row| row.account).collect();
    let mut walk = alone(1000);
    let (mut now, mut tried) = (UnixMillis(0), Vec::new());
    while walk.progress().round == 0 {
        match walk.next(now) {
            Step::List(start) => {
                let listing = match walk.distrusted().contains(&LIAR) {
                    true => page(&ledger, start),
                    false => invented(start),
                };
                walk.listed(start, &listing, now);
            }
            Step::Wait(until) => now = until,
            Step::Prove(batch) => {
                tried.extend(batch.iter().map(|one| one.account));
                let outcomes: Vec<_> = batch
                    .into_iter()
                    .map(|one| match real.contains(&one.account) {
                        true => (one, Outcome::Kept),
                        false => (one, Outcome::Absent),
                    })
                    .collect();
                let found = walk.tried(&outcomes, now);
                assert!(found.is_empty() || found == [LIAR]);
            }
        }
    }
    assert_eq!(walk.coverage_ppm(), 1_000_000);
    assert!(real.iter().all(|account| tried.contains(account)));
    // One batch of them was believed.
    assert!(tried.len() <= real.len() + walk.batch(), "{}", tried.len());
}

#[test]
fn what_another_bridge_walks_from_now_on_is_let_go_even_if_it_is_listed() {
    let ledger = ledger(600);
    let keys = [key(1), key(2)];
    let mut walk = alone(1000);
    assert_eq!(walk.next(UnixMillis(0)), Step::List(Account::ZERO));
    walk.listed(Account::ZERO, &page(&ledger, Account::ZERO), UnixMillis(0));
    walk.set_share(Share::of(&keys[0], &keys));
    let (tried, _) = round(&mut walk, &ledger, UnixMillis(0), |_| Outcome::Kept);
    let share = Share::of(&keys[0], &keys);
    let own = ledger.iter().filter(|row| share.contains(&row.account));
    assert!(own.map(|row| row.account).eq(tried));
    assert_eq!(walk.coverage_ppm(), 1_000_000);
}
