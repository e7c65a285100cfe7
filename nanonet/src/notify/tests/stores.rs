//! What stores promise, alone and together.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

#[test]
fn the_same_notification_again_gets_the_same_receipt() {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let one = sealed(1, NOW, 1);
    let stamp = put(&mut keeper, NOW, &one).unwrap();
    assert!(stamp.holds(Network::Dev, &one.hash));
    assert_eq!(put(&mut keeper, NOW.plus(9_999_999), &one), Ok(stamp));
    assert_eq!(keeper.figures().held, 1);
}

#[test]
fn nothing_is_handed_out_after_its_time() {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let mut one = sealed(1, NOW, 1);
    one.ttl_s = 600;
    one.hash = RelayAddress::of(&one);
    let one = worked(one, 1);
    put(&mut keeper, NOW, &one).unwrap();
    assert_eq!(get(&mut keeper, NOW.plus(599_999), one.tag), [one.hash]);
    assert_eq!(get(&mut keeper, NOW.plus(600_000), one.tag), []);
    keeper.handle_timeout(NOW.plus(600_000));
    assert_eq!(keeper.figures().held, 0);
    assert_eq!(keeper.figures().bytes, 0);
}

#[test]
fn only_the_recipient_deletes_and_what_was_deleted_does_not_come_back() {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let one = sealed(1, NOW, 1);
    put(&mut keeper, NOW, &one).unwrap();
    let deletion = |by: u8| Deletion {
        tag: one.tag,
        hash: one.hash,
        signature: secret(by).sign(
            Some(Week::of(NOW)),
            &Deletion::data(Network::Dev, &one.hash),
        ),
    };
    let reply = ask(&mut keeper, NOW, Ask::Delete(deletion(2)));
    assert_eq!(reply, Reply::Refused(Refusal::NotTheOwner));
    assert_eq!(get(&mut keeper, NOW, one.tag), [one.hash]);
    assert_eq!(ask(&mut keeper, NOW, Ask::Delete(deletion(1))), Reply::Done);
    assert_eq!(get(&mut keeper, NOW, one.tag), []);
    assert_eq!(put(&mut keeper, NOW, &one), Err(Refusal::Replayed));
}

#[test]
fn more_than_fits_a_message_comes_in_pieces_each_once() {
    let limits = Limits {
        per_hour: 10_000,
        per_minute: 10_000,
        ..Limits::BRIDGE
    };
    let mut keeper = keeper(1, limits);
    let mut names: Vec<RelayAddress> = (0..200)
        .map(|number| {
            let one = sealed(number, NOW.plus(u64::from(number) / 3), 8);
            put(&mut keeper, NOW, &one).unwrap();
            one.hash
        })
        .collect();
    let tag = sealed(0, NOW, 1).tag;
    let mut found = get(&mut keeper, NOW.plus(1_000), tag);
    found.sort_unstable();
    names.sort_unstable();
    assert_eq!(found, names);
}

#[test]
fn what_was_written_is_there_after_a_restart_and_damage_is_told() {
    let mut disk = BTreeMap::new();
    let mut keeper1 = keeper(1, Limits::BRIDGE);
    let (one, two) = (sealed(1, NOW, 1), sealed(2, NOW, 1));
    for sealed in [&one, &two] {
        keeper1.ask(NOW, Caller(1), Ask::Put(Item::new(sealed)));
        while let Some(output) = keeper1.poll_output() {
            if let Output::Write(changes) = output {
                for change in changes {
                    disk.insert(change.address, change.value.unwrap());
                }
                keeper1.written(NOW, Ok(()));
            }
        }
    }
    disk.get_mut(&two.hash).unwrap()[40] ^= 1;
    let mut again = keeper(1, Limits::BRIDGE);
    again.loaded(NOW, disk.into_iter().collect());
    assert_eq!(again.poll_output(), Some(Output::DamagedEntry(two.hash)));
    assert_eq!(get(&mut again, NOW, one.tag), [one.hash]);
}

#[test]
fn those_with_more_work_go_first_when_many_wait() {
    let limits = Limits {
        per_hour: 10_000,
        per_tag: 10_000,
        per_minute: 1_000_000,
        ..Limits::BRIDGE
    };
    let mut keeper = keeper(1, limits);
    // The disk takes its time: all but the first ones wait.
    for number in 0..70 {
        keeper.ask(
            NOW,
            Caller(u64::from(number)),
            Ask::Put(Item::new(&sealed(number, NOW, 1))),
        );
    }
    let best = sealed(200, NOW, 4_096);
    keeper.ask(NOW, Caller(200), Ask::Put(Item::new(&best)));
    while keeper.poll_output().is_some() {}
    keeper.written(NOW, Ok(()));
    let written = std::iter::from_fn(|| keeper.poll_output());
    let next = written
        .filter_map(|output| match output {
            Output::Write(changes) => Some(changes[0].address),
            _ => None,
        })
        .next();
    assert_eq!(next, Some(best.hash));
}

/// Stores that ask each other, with disks that take everything at once.
struct Net {
    keepers: BTreeMap<crate::NodeKey, Keeper>,
    now: UnixMillis,
}

impl Net {
    fn new(count: u8) -> Self {
        let mut keepers = BTreeMap::new();
        for number in 0..count {
            let mut keeper = keeper(number, Limits::BRIDGE);
            for other in 0..count {
                keeper.meet(NOW, record(other));
            }
            keepers.insert(keeper.key(), keeper);
        }
        Self { keepers, now: NOW }
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now.plus(millis);
        while self.now < end {
            self.now = self.now.plus(1_000);
            let keys: Vec<_> = self.keepers.keys().copied().collect();
            for key in keys {
                if let Some(keeper) = self.keepers.get_mut(&key) {
                    keeper.handle_timeout(self.now);
                }
                self.drain(key);
            }
        }
    }

    fn drain(&mut self, key: crate::NodeKey) {
        let now = self.now;
        while let Some(output) = self.keepers.get_mut(&key).and_then(Keeper::poll_output) {
            match output {
                Output::Write(_) => self.keepers.get_mut(&key).unwrap().written(now, Ok(())),
                Output::Ask(ticket, to, question) => {
                    let other = self.keepers.get_mut(&to);
                    let answer = other.map(|other| ask(other, now, question));
                    let keeper = self.keepers.get_mut(&key).unwrap();
                    keeper.answered(now, ticket, answer);
                }
                _ => {}
            }
        }
    }

    fn holding(&self, hash: &RelayAddress) -> usize {
        self.keepers
            .values()
            .filter(|keeper| keeper.holds(hash))
            .count()
    }
}

#[test]
fn what_one_store_accepted_is_soon_on_five_and_again_on_five_after_two_are_lost() {
    let mut net = Net::new(9);
    net.pass(120_000);
    let one = sealed(1, net.now, 1);
    let first = net.keepers.values_mut().next().unwrap();
    put(first, net.now, &one).unwrap();
    net.pass(SYNC_MS + 20_000);
    let copies = net.holding(&one.hash);
    assert!((COPIES..=COPIES + 1).contains(&copies), "{copies}");
    for _ in 0..2 {
        let holder = net
            .keepers
            .iter()
            .find(|(_, keeper)| keeper.holds(&one.hash));
        let lost = *holder.unwrap().0;
        net.keepers.remove(&lost);
        net.pass(DOWN_MS + 2 * SYNC_MS);
        assert!(
            net.holding(&one.hash) >= COPIES,
            "{}",
            net.holding(&one.hash)
        );
    }
}

#[test]
fn a_deletion_reaches_the_stores_that_missed_it() {
    let mut net = Net::new(5);
    net.pass(120_000);
    let one = sealed(1, net.now, 1);
    let first = net.keepers.values_mut().next().unwrap();
    put(first, net.now, &one).unwrap();
    net.pass(SYNC_MS + 20_000);
    assert_eq!(net.holding(&one.hash), 5);
    let data = Deletion::data(Network::Dev, &one.hash);
    let deletion = Deletion {
        tag: one.tag,
        hash: one.hash,
        signature: secret(1).sign(Some(Week::of(net.now)), &data),
    };
    let now = net.now;
    let last = net.keepers.values_mut().next_back().unwrap();
    assert_eq!(ask(last, now, Ask::Delete(deletion)), Reply::Done);
    net.pass(2 * SYNC_MS);
    assert_eq!(net.holding(&one.hash), 0);
}

#[test]
fn a_replica_is_taken_only_from_a_store_of_the_directory() {
    let mut net = Net::new(3);
    net.pass(120_000);
    let mut one = sealed(1, net.now, 1);
    one.stamp = Some(Stamp::sign(&identity(77), Network::Dev, &one.hash, net.now));
    let now = net.now;
    let keeper = net.keepers.values_mut().next().unwrap();
    let offer = |one: &Sealed| Ask::Offer {
        items: vec![Item::new(one)],
        deletions: Vec::new(),
    };
    let kept = |kept| Reply::Kept { kept, full: false };
    assert_eq!(ask(keeper, now, offer(&one)), kept(0));
    one.stamp = Some(Stamp::sign(&identity(2), Network::Dev, &one.hash, now));
    assert_eq!(ask(keeper, now, offer(&one)), kept(1));
}

#[test]
fn a_subscriber_is_pushed_what_comes_and_not_after_ten_minutes() {
    let mut keeper = keeper(1, Limits::BRIDGE);
    let one = sealed(1, NOW, 1);
    let to = identity(5).node_id();
    ask(&mut keeper, NOW, Ask::Subscribe { to, tag: one.tag });
    let mut pushed = |number: u8, at: UnixMillis| {
        let one = sealed(number, at, 1);
        keeper.ask(at, Caller(2), Ask::Put(Item::new(&one)));
        let mut pushed = false;
        while let Some(output) = keeper.poll_output() {
            match output {
                Output::Write(_) => keeper.written(at, Ok(())),
                Output::Push(whom, Ask::Push(items)) => {
                    assert_eq!((whom, items.len()), (to, 1));
                    pushed = true;
                }
                _ => {}
            }
        }
        pushed
    };
    assert!(pushed(1, NOW));
    assert!(!pushed(2, NOW.plus(SUBSCRIBED_MS)));
}

/// Runs a future that never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn the_memory_store_conforms() {
    let shared = std::rc::Rc::new(std::cell::RefCell::new(Memory::default()));
    struct Shared(std::rc::Rc<std::cell::RefCell<Memory>>);
    impl Store for Shared {
        async fn load(&mut self) -> Result<Vec<(RelayAddress, Vec<u8>)>, StoreFault> {
            at_once(self.0.borrow_mut().load())
        }
        async fn apply(&mut self, changes: &[Change]) -> Result<(), StoreFault> {
            at_once(self.0.borrow_mut().apply(changes))
        }
    }
    let open = async || Ok(Shared(std::rc::Rc::clone(&shared)));
    assert_eq!(at_once(conformance(open)), Ok(()));
}

#[test]
fn a_store_that_forgets_does_not_conform() {
    let open = async || Ok(Memory::default());
    let broken = at_once(conformance(open)).unwrap_err();
    assert!(broken.promise.contains("opened anew"), "{broken}");
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_that_survives_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Some(ask) = Ask::from_bytes(&bytes) {
            prop_assert_eq!(Ask::from_bytes(&ask.to_bytes()), Some(ask));
        }
        if let Some(reply) = Reply::from_bytes(&bytes) {
            prop_assert_eq!(Reply::from_bytes(&reply.to_bytes()), Some(reply));
        }
        if let Ok(sealed) = Sealed::from_bytes(&bytes) {
            prop_assert_eq!(sealed.to_bytes(), bytes);
        }
    }

    #[test]
    fn a_notification_survives_its_binary_form_and_an_altered_one_is_another_or_refused(
        number: u8, place: usize, change in 1_u8..,
    ) {
        let one = sealed(number, NOW, 1);
        let mut bytes = one.to_bytes();
        prop_assert_eq!(Sealed::from_bytes(&bytes), Ok(one.clone()));
        let place = place % bytes.len();
        bytes[place] ^= change;
        // Only work and stamp are not under the hash.
        if let Ok(other) = Sealed::from_bytes(&bytes) {
            prop_assert_eq!(other.hash, one.hash);
            prop_assert!(other.work != one.work || other.stamp != one.stamp);
        }
    }
}
