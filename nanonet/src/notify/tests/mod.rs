//! Stores and wallets, one promise a test.

mod refusals;
mod stores;
mod wallets;

use nano_core::{BlockHash, Network, PublicKey, Raw, UnixMillis, WorkNonce};

use super::*;
use crate::testing::TEST_TIME;
use crate::{Addresses, Identity, PeerRecord, Rng, Role};

pub(super) const NOW: UnixMillis = TEST_TIME;

pub(super) fn identity(number: u8) -> Identity {
    Identity::generate(&mut Rng::from_seed([number; 32]))
}

pub(super) fn record(number: u8) -> PeerRecord {
    identity(number).peer_record(Role::Bridge, Network::Dev, Addresses::default(), NOW)
}

pub(super) fn keeper(number: u8, limits: Limits) -> Keeper {
    let settings = Settings {
        limits,
        ..Settings::bridge(Network::Dev)
    };
    Keeper::new(settings, identity(number), Vec::new())
}

pub(super) fn secret(number: u8) -> RecipientSecret {
    RecipientSecret::from_seed(&[number; 32])
}

pub(super) fn payment(number: u8) -> Payment {
    Payment {
        ephemeral: PublicKey::from_bytes([1; 32]),
        transaction: BlockHash::from_bytes([number; 32]),
        amount: Raw::new(5),
        nonce: [number; 32],
        memo: None,
    }
}

/// A notification of payment `number` to recipient 1, with work for `multiple` times the base.
pub(super) fn sealed(number: u8, at: UnixMillis, multiple: u64) -> Sealed {
    let mut rng = Rng::from_seed([number; 32]);
    let (payment, to) = (payment(number), secret(1).key());
    let sealed = Sealed::new(&payment, &to, TagKind::Rotating, MAX_TTL_S, at, &mut rng);
    worked(sealed.unwrap(), multiple)
}

pub(super) fn worked(mut sealed: Sealed, multiple: u64) -> Sealed {
    let base = base_difficulty(Network::Dev);
    let needed = Multiple::from_thousandths(multiple * 1_000).over(base);
    let mut nonces = (0..).map(WorkNonce::new);
    let good = nonces.find(|nonce| nonce.difficulty(&sealed.hash.root()) >= needed);
    sealed.work = good.unwrap();
    sealed
}

/// Asks a store and lets its disk take everything at once.
pub(super) fn ask(keeper: &mut Keeper, now: UnixMillis, ask: Ask) -> Reply {
    keeper.ask(now, Caller(1), ask);
    reply(keeper, now)
}

fn reply(keeper: &mut Keeper, now: UnixMillis) -> Reply {
    let mut reply = None;
    while let Some(output) = keeper.poll_output() {
        match output {
            Output::Reply(Caller(1), one) => reply = Some(one),
            Output::Write(_) => keeper.written(now, Ok(())),
            _ => {}
        }
    }
    reply.unwrap()
}

pub(super) fn put(keeper: &mut Keeper, now: UnixMillis, sealed: &Sealed) -> Result<Stamp, Refusal> {
    match ask(keeper, now, Ask::Put(Item::new(sealed))) {
        Reply::Stored(stamp) => Ok(stamp),
        Reply::Refused(refusal) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

pub(super) fn get(keeper: &mut Keeper, now: UnixMillis, tag: Tag) -> Vec<RelayAddress> {
    let (since, mut after) = (UnixMillis(0), None);
    let mut names = Vec::new();
    loop {
        let question = Ask::Get { tag, since, after };
        let Reply::Items { items, next } = ask(keeper, now, question) else {
            panic!("no items");
        };
        names.extend(items.iter().map(|item| item.open().unwrap().hash));
        after = next;
        if next.is_none() {
            return names;
        }
    }
}
