//! Bad input: each has its own error, nothing is stored and nothing is lost.

use super::*;

fn refused(change: impl FnOnce(&mut Sealed)) -> Refusal {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let good = sealed(1, NOW, 1);
    put(&mut keeper, NOW, &good).unwrap();
    let mut bad = sealed(2, NOW, 1);
    change(&mut bad);
    let refusal = put(&mut keeper, NOW, &bad).unwrap_err();
    assert_eq!(get(&mut keeper, NOW, good.tag), [good.hash], "nothing lost");
    refusal
}

fn rehashed(sealed: &mut Sealed) {
    sealed.hash = RelayAddress::of(sealed);
    *sealed = worked(sealed.clone(), 1);
}

#[test]
fn a_hash_that_is_not_that_of_the_fields_is_refused() {
    let changes: [fn(&mut Sealed); 5] = [
        |sealed| sealed.timestamp.0 += 1,
        |sealed| sealed.ttl_s -= 1,
        |sealed| sealed.tag = secret(2).key().plain_tag(),
        |sealed| sealed.nonce[3] ^= 1,
        |sealed| sealed.payload[9] ^= 1,
    ];
    for change in changes {
        assert_eq!(refused(change), Refusal::WrongHash);
    }
}

#[test]
fn too_little_work_is_refused_with_the_value_needed_now() {
    let refusal = refused(|sealed| {
        let base = base_difficulty(Network::Dev);
        let mut nonces = (0..).map(WorkNonce::new);
        let bad = nonces.find(|nonce| nonce.difficulty(&sealed.hash.root()) < base);
        sealed.work = bad.unwrap();
    });
    let needed = base_difficulty(Network::Dev);
    assert_eq!(refusal, Refusal::TooLittleWork { needed });
}

#[test]
fn what_is_over_from_the_future_or_too_late_is_refused() {
    let ahead_ms = MAX_AHEAD_MS + 1;
    assert_eq!(
        refused(|sealed| {
            sealed.timestamp = NOW.plus(ahead_ms);
            rehashed(sealed);
        }),
        Refusal::FromTheFuture { ahead_ms }
    );
    let before = |millis: u64| UnixMillis(NOW.number() - millis);
    assert_eq!(
        refused(|sealed| {
            (sealed.timestamp, sealed.ttl_s) = (before(60_000), 60);
            rehashed(sealed);
        }),
        Refusal::Expired
    );
    assert_eq!(
        refused(|sealed| {
            sealed.timestamp = before(MAX_LATE_MS + 1);
            rehashed(sealed);
        }),
        Refusal::TooLate
    );
    for ttl_s in [0, MIN_TTL_S - 1, MAX_TTL_S + 1] {
        assert_eq!(
            refused(|sealed| {
                sealed.ttl_s = ttl_s;
                rehashed(sealed);
            }),
            Refusal::BadTtl { ttl_s }
        );
    }
}

#[test]
fn an_unknown_version_and_an_unpadded_payload_are_refused() {
    assert_eq!(
        refused(|sealed| sealed.version = 2),
        Refusal::UnknownVersion { version: 2 }
    );
    let refusal = refused(|sealed| {
        sealed.payload.pop();
        rehashed(sealed);
    });
    assert_eq!(refusal, Refusal::Unpadded);
}

#[test]
fn what_is_oversized_or_no_notification_is_refused() {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let bytes = vec![1; MAX_SEALED_BYTES + 1];
    let reply = ask(&mut keeper, NOW, Ask::Put(Item::from_bytes(bytes)));
    let refusal = Refusal::TooLarge { bytes: 2049 };
    assert_eq!(reply, Reply::Refused(refusal));
    let reply = ask(&mut keeper, NOW, Ask::Put(Item::from_bytes(vec![1, 2])));
    assert_eq!(reply, Reply::Refused(Refusal::Malformed));
}

#[test]
fn a_tag_takes_no_more_than_its_hourly_and_its_total_limit() {
    let limits = Limits {
        per_hour: 2,
        per_tag: 3,
        ..Limits::BRIDGE
    };
    let mut keeper = keeper(1, limits);
    for number in 0..2 {
        put(&mut keeper, NOW, &sealed(number, NOW, 64)).unwrap();
    }
    let third = sealed(2, NOW, 64);
    let refusal = put(&mut keeper, NOW.plus(600_000), &third);
    assert_eq!(refusal, Err(Refusal::TooOften { retry_s: 3_000 }));
    let later = NOW.plus(3_600_000);
    put(&mut keeper, later, &sealed(3, later, 64)).unwrap();
    let refusal = put(&mut keeper, later, &sealed(4, later, 1_024));
    assert_eq!(refusal, Err(Refusal::TagFull { held: 3 }));
}

#[test]
fn a_full_store_refuses_with_the_room_it_has_and_keeps_what_it_has() {
    let limits = Limits {
        bytes: 3_000,
        ..Limits::BRIDGE
    };
    let mut keeper = keeper(1, limits);
    let mut kept = Vec::new();
    let refusal = (0..9).find_map(|number| {
        let one = sealed(number, NOW, 2_048);
        match put(&mut keeper, NOW, &one) {
            Ok(_) => {
                kept.push(one.hash);
                None
            }
            Err(refusal) => Some(refusal),
        }
    });
    assert!(matches!(refusal, Some(Refusal::Full { room }) if room < 1_000));
    let tag = sealed(0, NOW, 1).tag;
    let mut held = get(&mut keeper, NOW, tag);
    held.sort_unstable();
    kept.sort_unstable();
    assert_eq!(held, kept);
}

#[test]
fn where_the_disk_refuses_nothing_is_promised_and_it_is_tried_again_later() {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let one = sealed(1, NOW, 1);
    keeper.ask(NOW, Caller(1), Ask::Put(Item::new(&one)));
    assert!(matches!(keeper.poll_output(), Some(Output::Write(_))));
    assert_eq!(
        keeper.poll_output(),
        None,
        "no receipt before the disk has it"
    );
    keeper.written(NOW, Err(StoreFault::Full("no space".into())));
    let refused = Reply::Refused(Refusal::Storage);
    assert_eq!(
        keeper.poll_output(),
        Some(Output::Reply(Caller(1), refused))
    );
    assert_eq!(get(&mut keeper, NOW, one.tag), []);
    assert_eq!(put(&mut keeper, NOW, &one), Err(Refusal::Storage));
    put(&mut keeper, NOW.plus(10_000), &one).unwrap();
}

#[test]
fn every_refusal_says_what_to_do() {
    let all = [
        Refusal::Malformed,
        Refusal::UnknownVersion { version: 9 },
        Refusal::TooLarge { bytes: 9_999 },
        Refusal::Unpadded,
        Refusal::WrongHash,
        Refusal::BadTtl { ttl_s: 1 },
        Refusal::FromTheFuture { ahead_ms: 1 },
        Refusal::Expired,
        Refusal::TooLate,
        Refusal::TooLittleWork {
            needed: base_difficulty(Network::Live),
        },
        Refusal::TagFull { held: 1_000 },
        Refusal::TooOften { retry_s: 60 },
        Refusal::Full { room: 9 },
        Refusal::Replayed,
        Refusal::Storage,
        Refusal::Busy {
            needed: base_difficulty(Network::Live),
        },
        Refusal::NoRelay,
        Refusal::NotTheOwner,
    ];
    let mut codes: Vec<&str> = all.iter().map(|refusal| refusal.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for refusal in all {
        let text = refusal.to_string();
        assert!(text.contains([';', ',']), "{text}");
    }
    assert!(all[9].to_string().contains("fffffc0000000000"));
}
