//! What wallets promise: sent until it is kept, received once.

use std::collections::VecDeque;

use super::*;
use crate::NodeKey;

/// A wallet and stores that answer at once.
struct Desk {
    wallet: Wallet,
    keepers: Vec<Keeper>,
    /// Stores that cannot be reached.
    away: Vec<NodeKey>,
    now: UnixMillis,
    kept: std::collections::BTreeMap<WalletKey, Vec<u8>>,
    told: VecDeque<WalletOutput>,
    /// Whether work is computed.
    works: bool,
}

impl Desk {
    fn new(count: u8) -> Self {
        let records = (0..count).map(record).collect();
        let directory = Directory::sign(&identity(0), Network::Dev, NOW, records);
        let keepers = (0..count).map(|number| {
            let mut keeper = keeper(number, Limits::BRIDGE);
            keeper.take_directory(NOW, directory.clone());
            while keeper.poll_output().is_some() {}
            keeper
        });
        let mut desk = Self {
            wallet: wallet(),
            keepers: keepers.collect(),
            away: Vec::new(),
            now: NOW,
            kept: std::collections::BTreeMap::new(),
            told: VecDeque::new(),
            works: true,
        };
        desk.wallet.take_directory(NOW, directory);
        desk.drain();
        desk.told.clear();
        desk
    }

    fn drain(&mut self) {
        while let Some(output) = self.wallet.poll_output() {
            match output {
                WalletOutput::Ask(ticket, key, question) => {
                    let away = self.away.contains(&key);
                    let keeper = self.keepers.iter_mut().find(|keeper| keeper.key() == key);
                    let keeper = keeper.filter(|_| !away);
                    let answer = keeper.map(|keeper| ask(keeper, self.now, question));
                    self.wallet.answered(self.now, ticket, answer);
                }
                WalletOutput::Keep(key, Some(bytes)) => drop(self.kept.insert(key, bytes)),
                WalletOutput::Keep(key, None) => drop(self.kept.remove(&key)),
                WalletOutput::FindWork { hash, needed } if self.works => {
                    let mut nonces = (0..).map(WorkNonce::new);
                    let nonce = nonces.find(|nonce| nonce.difficulty(&hash.root()) >= needed);
                    self.wallet.work_found(self.now, hash, nonce.unwrap());
                }
                other => self.told.push_back(other),
            }
        }
    }

    fn send(&mut self, number: u8) -> SendId {
        let (payment, to) = (payment(number), secret(1).key());
        let id = self
            .wallet
            .send(self.now, payment, to, TagKind::Rotating, MAX_TTL_S);
        self.drain();
        id
    }

    fn pass(&mut self, millis: u64) {
        let end = self.now.plus(millis);
        while let Some(next) = self.wallet.next_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.wallet.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn receive(&mut self) {
        let key = WalletKey::Recipient(secret(1).key());
        let stored = self.kept.get(&key).cloned();
        self.wallet
            .receive(self.now, secret(1).into(), stored.as_deref());
        self.drain();
    }

    /// Payments told of since last asked.
    fn received(&mut self) -> Vec<u8> {
        let told = std::mem::take(&mut self.told).into_iter();
        told.filter_map(|output| match output {
            WalletOutput::Received(received) => Some(received.payment.transaction.as_bytes()[0]),
            _ => None,
        })
        .collect()
    }

    fn placed(&self, id: SendId) -> bool {
        self.told.iter().any(|output| {
            matches!(output, WalletOutput::Sent(of, SendState::Placed { copies, .. }) if *of == id && *copies >= 3)
        })
    }

    fn reopen(&mut self, with_memory: bool) {
        let directory = self.wallet.courier().places().directory().cloned();
        self.wallet = wallet();
        self.wallet.take_directory(self.now, directory.unwrap());
        if !with_memory {
            self.kept.clear();
        }
        for (key, bytes) in &self.kept {
            if let WalletKey::Send(id) = key {
                assert!(self.wallet.resume(self.now, *id, bytes));
            }
        }
        self.drain();
    }
}

fn wallet() -> Wallet {
    let id = identity(99).node_id();
    Wallet::new(Network::Dev, id, Vec::new(), Rng::from_seed([7; 32]))
}

#[test]
fn a_notification_is_placed_with_three_receipts_and_found_from_the_seed_alone() {
    let mut desk = Desk::new(5);
    let id = desk.send(1);
    assert!(desk.placed(id), "{:?}", desk.told);
    assert_eq!(desk.kept.len(), 0, "nothing is left to be sent");
    desk.receive();
    assert_eq!(desk.received(), [1]);
}

#[test]
fn what_nobody_takes_is_tried_again_until_somebody_does_also_after_a_restart() {
    let mut desk = Desk::new(5);
    desk.away = desk.keepers.iter().map(Keeper::key).collect();
    let id = desk.send(1);
    assert!(!desk.placed(id));
    assert_eq!(desk.kept.len(), 1);
    desk.pass(3_600_000);
    desk.reopen(true);
    desk.pass(5_400_000);
    assert!(!desk.placed(id));
    desk.away.clear();
    desk.pass(LONGEST_AGAIN_MS);
    assert!(desk.placed(id), "{:?}", desk.told);
}

#[test]
fn two_of_five_stores_may_be_away() {
    let mut desk = Desk::new(5);
    desk.away = desk.keepers.iter().map(Keeper::key).take(2).collect();
    let id = desk.send(1);
    assert!(desk.placed(id));
    desk.away = desk.keepers.iter().map(Keeper::key).skip(3).collect();
    desk.receive();
    assert_eq!(desk.received(), [1]);
}

#[test]
fn each_payment_is_told_once_by_name_by_what_it_says_and_by_transaction() {
    let mut desk = Desk::new(5);
    desk.send(1);
    desk.receive();
    assert_eq!(desk.received(), [1]);
    desk.send(1);
    desk.wallet.rescan(desk.now, secret(1).key());
    desk.drain();
    assert_eq!(desk.received(), Vec::<u8>::new(), "the same words");
    let key = secret(1).key();
    desk.wallet.confirmed(&key, &payment(1).transaction);
    let lie = Payment {
        amount: Raw::new(6),
        ..payment(1)
    };
    desk.wallet
        .send(desk.now, lie, key, TagKind::Plain, MAX_TTL_S);
    desk.drain();
    desk.pass(POLL_MS);
    assert_eq!(desk.received(), Vec::<u8>::new(), "known to be real");
    desk.reopen(true);
    desk.receive();
    assert_eq!(desk.received(), Vec::<u8>::new(), "after a restart");
    desk.reopen(false);
    desk.receive();
    assert!(desk.received().contains(&1), "from the seed alone");
}

#[test]
fn after_eighty_nine_days_the_seed_alone_brings_everything_back() {
    let mut desk = Desk::new(5);
    for number in 1..=12 {
        desk.send(number);
        desk.pass(7 * 86_400_000);
    }
    desk.pass(5 * 86_400_000);
    desk.receive();
    let mut received = desk.received();
    received.sort_unstable();
    assert_eq!(received, (1..=12).collect::<Vec<u8>>());
}

#[test]
fn more_work_is_computed_when_more_is_asked() {
    let mut desk = Desk::new(5);
    // Busy stores: the price rises between the question and the put.
    let (tag, now) = (secret(1).key().tag(Week::of(NOW)).unwrap(), desk.now);
    for keeper in &mut desk.keepers {
        for number in 0..5 {
            put(keeper, now, &sealed(100 + number, now, 64)).unwrap();
        }
        assert!(keeper.needed(&tag, now) >= base_difficulty(Network::Dev));
    }
    let id = desk.send(1);
    assert!(desk.placed(id));
}

#[test]
fn a_queue_that_is_full_says_so() {
    let mut desk = Desk::new(5);
    desk.works = false;
    for _ in 0..MAX_QUEUE {
        desk.send(1);
    }
    desk.told.clear();
    let id = desk.send(1);
    assert_eq!(
        desk.told.pop_front(),
        Some(WalletOutput::Sent(id, SendState::TooMany))
    );
    assert_eq!(desk.wallet.queued(), MAX_QUEUE);
}

#[test]
fn what_cannot_be_read_is_told_once_and_harms_nothing() {
    let mut desk = Desk::new(5);
    let tag = secret(1).key().tag(Week::of(NOW)).unwrap();
    let payload = vec![7; PADDED[0] + crate::SEAL_OVERHEAD];
    let junk = worked(
        Sealed::with_payload(tag, payload, [1; 16], NOW, MAX_TTL_S),
        1,
    );
    for keeper in &mut desk.keepers {
        put(keeper, NOW, &junk).unwrap();
    }
    desk.send(1);
    desk.receive();
    let unreadable = desk.told.iter().filter(|output| {
        **output == WalletOutput::Unreadable(junk.hash, PayloadError::Undecryptable)
    });
    assert_eq!(unreadable.count(), 1);
    assert_eq!(desk.received(), [1]);
}

#[test]
fn stored_bytes_of_any_kind_are_read_or_refused() {
    let mut wallet = wallet();
    for length in 0..200 {
        let bytes = vec![1; length];
        wallet.resume(NOW, SendId(1), &bytes);
        wallet.receive(NOW, secret(3).into(), Some(&bytes));
        wallet.forget(&secret(3).key());
    }
}
