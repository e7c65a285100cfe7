//! Whole rounds over made-up ledgers: what is tried when, how often, and what a restart repeats.

use super::*;
use nanonet::{Identity, NodeKey, Rng};

fn key(seed: u8) -> NodeKey {
    Identity::generate(&mut Rng::from_seed([seed; 32])).node_key()
}

/// Accounts spread evenly over the key space, in order.
fn ledger(count: u16) -> Vec<Frontier> {
    (0..count)
        .map(|index| {
            let mut bytes = [7; 32];
            let place = u32::from(index) * 0x1_0000 / u32::from(count);
            bytes[..2].copy_from_slice(&u16::try_from(place).unwrap().to_be_bytes());
            bytes[2..4].copy_from_slice(&index.to_be_bytes());
            Frontier {
                account: Account::from_bytes(bytes),
                hash: BlockHash::from_bytes(bytes),
            }
        })
        .collect()
}

fn page(ledger: &[Frontier], start: Account) -> Vec<Frontier> {
    let rows = ledger.iter().filter(|row| row.account >= start);
    rows.take(usize::from(PAGE)).copied().collect()
}

/// Runs a walk until its round ends; gives what was tried, in order, and the time it took.
fn round(
    walk: &mut Walk,
    ledger: &[Frontier],
    mut now: UnixMillis,
    mut judge: impl FnMut(&Candidate) -> Outcome,
) -> (Vec<Account>, u64) {
    let (begin, mut tried) = (now, Vec::new());
    let rounds = walk.progress().round;
    loop {
        match walk.next(now) {
            Step::List(start) => walk.listed(start, &page(ledger, start)),
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
    walk.listed(Account::ZERO, &page(&ledger, Account::ZERO));
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
                Step::List(start) => walk.listed(start, &page(&ledger, start)),
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
                walk.listed(start, &page(&ledger, start));
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
    walk.listed(start, &ledger[..usize::from(PAGE)]);
    assert_eq!(walk.progress().listed, 0);
    assert!(!matches!(walk.next(UnixMillis(0)), Step::List(_)));
}
