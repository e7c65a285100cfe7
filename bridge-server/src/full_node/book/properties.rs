//! What the book holds to, whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use nano_core::Network;
use proptest::prelude::*;

use super::tests::{SEED, at, channel};
use super::{Book, Demand, End, Limits};

#[derive(Clone, Debug)]
enum Step {
    Hear(u8, u16),
    Restore(u16),
    Configure(u16),
    Next(Demand),
    Open(u8),
    End(u8, End),
    Admit(u8),
    GiveUp,
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let demand = prop_oneof![
        Just(Demand::Quorum),
        Just(Demand::Margin),
        Just(Demand::Nothing)
    ];
    let end = prop_oneof![
        8 => Just(End::Usual),
        1 => Just(End::Foreign),
        1 => Just(End::Own),
        1 => Just(End::GivenUp),
        1 => Just(End::Duplicate)
    ];
    prop_oneof![
        4 => (any::<u8>(), 0..400_u16).prop_map(|(c, e)| Step::Hear(c, e)),
        1 => (0..400_u16).prop_map(Step::Restore),
        1 => (0..400_u16).prop_map(Step::Configure),
        6 => demand.prop_map(Step::Next),
        3 => any::<u8>().prop_map(Step::Open),
        2 => (any::<u8>(), end).prop_map(|(n, e)| Step::End(n, e)),
        1 => any::<u8>().prop_map(Step::Admit),
        1 => Just(Step::GiveUp),
        2 => (0..100_000_u32).prop_map(Step::Wait),
    ]
}

/// Few addresses and subnets, so that the limits matter.
fn crowded(number: u16) -> SocketAddr {
    let [_, low] = number.to_be_bytes();
    SocketAddr::from(([60, 0, low % 3, low % 20], 1 + number))
}

proptest! {
    /// Whatever happens: bounds hold, nothing is dialled twice at once, too early, or after it
    /// turned out to be ourselves, and strangers never exceed address and subnet.
    #[test]
    fn whatever_happens_the_limits_hold(steps in proptest::collection::vec(step(), 1..400)) {
        let limits = Limits { endpoints: 64, channels: 24, configured: 12, inbound: 8, ..Limits::of(Network::Live) };
        let mut book = Book::new(limits, SEED);
        let mut now = 0;
        let mut busy: Vec<SocketAddr> = Vec::new();
        let mut configured = BTreeSet::new();
        let mut own = BTreeSet::new();
        let mut not_before = BTreeMap::new();
        let mut inbound: Vec<std::net::IpAddr> = Vec::new();
        for step in steps {
            match step {
                Step::Hear(c, e) => { let _ = book.hear(channel(c.into()), crowded(e)); }
                Step::Restore(e) => book.restore(crowded(e), at(now)),
                Step::Configure(e) => {
                    if configured.len() < 32 && book.len() < limits.endpoints {
                        configured.insert(crowded(e));
                        book.configure([crowded(e)]);
                    }
                }
                Step::Next(demand) => if let Some(dialled) = book.next(at(now), demand) {
                    prop_assert!(!busy.contains(&dialled), "dialled twice");
                    prop_assert!(!own.contains(&dialled), "dialled ourselves again");
                    let until = not_before.get(&dialled).copied().unwrap_or(0);
                    prop_assert!(until <= now, "dialled too early");
                    busy.push(dialled);
                    if !configured.contains(&dialled) {
                        prop_assert!(busy.len() <= limits.channels);
                    }
                    if !configured.contains(&dialled) {
                        let same = busy.iter().filter(|b| b.ip() == dialled.ip()).count()
                            + inbound.iter().filter(|ip| **ip == dialled.ip()).count();
                        prop_assert!(same <= limits.per_address);
                    }
                },
                Step::Open(n) => if let Some(e) = busy.get(usize::from(n)) {
                    book.opened(at(now), *e, channel(n.into()));
                },
                Step::End(n, end) => if usize::from(n) < busy.len() {
                    let e = busy.swap_remove(usize::from(n));
                    book.ended(at(now), e, end);
                    if end == End::Own { own.insert(e); }
                    let shortest = match end {
                        End::Foreign | End::Duplicate => limits.configured_pauses.1,
                        _ => limits.configured_pauses.0 / 2,
                    };
                    not_before.insert(e, now + shortest);
                    // One that was forgotten starts anew when it is heard of again.
                    if !configured.contains(&e) { not_before.remove(&e); }
                },
                Step::Admit(n) => {
                    let ip = crowded(n.into()).ip();
                    if book.admit(channel(100_000 + u32::try_from(inbound.len()).unwrap()), ip).is_ok() {
                        inbound.push(ip);
                    }
                    prop_assert!(inbound.len() <= limits.inbound);
                }
                Step::GiveUp => { book.give_up(at(now), Demand::Quorum); }
                Step::Wait(ms) => now += u64::from(ms),
            }
            prop_assert!(book.len() <= limits.endpoints);
            prop_assert!(book.sample(8).len() <= 8);
        }
    }
}
