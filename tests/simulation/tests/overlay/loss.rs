//! What is lost on the way between browsers costs a question two round trips, not a second.

use nano_core::Account;
use nanonet::{AccountState, GetOptions, Role};
use simulation::world::Rules;

use crate::World;

/// Browsers without their bridge, of whose frames between each other one in twelve is lost; the
/// same with and without unordered channels.
fn lossy(unordered: bool) -> (World, Vec<Account>) {
    let rules = Rules {
        unordered,
        ..Rules::default()
    };
    let mut world = World::with(7, rules);
    world.add(Role::Bridge);
    for _ in 0..20 {
        let browser = world.add(Role::Browser);
        world.dial(browser, 0);
        world.run(150);
    }
    let accounts = world.confirmed_accounts(0..10);
    world.run(20_000);
    world.stop(0);
    world.run(5_000);
    world.rules.loss_ppm = 80_000;
    world.rules.jitter_ms = 15;
    world.rules.repeat_ppm = 50_000;
    (world, accounts)
}

/// Milliseconds that each question took, the longest last.
fn times(world: &mut World, accounts: &[Account]) -> Vec<u64> {
    let mut times = Vec::new();
    for account in accounts {
        for asker in world.browsers() {
            let asked = world.now;
            let answer = world.get(asker, *account, GetOptions::default()).unwrap();
            assert!(matches!(answer.state, AccountState::Opened { .. }));
            times.push(world.now.since(asked));
        }
    }
    times.sort_unstable();
    times
}

#[test]
fn with_losses_questions_over_unordered_channels_do_not_wait_for_the_transport() {
    let ((mut with, accounts), (mut without, same)) = (lossy(true), lossy(false));
    let (fast, slow) = (times(&mut with, &accounts), times(&mut without, &same));
    let late = |times: &[u64]| times.iter().filter(|time| **time >= 1_000).count();
    assert!(late(&slow) > 10, "{slow:?}");
    assert!(late(&fast) * 10 <= late(&slow), "{fast:?}");
    let datagrams = |world: &World| {
        let links = world
            .browsers()
            .into_iter()
            .flat_map(|place| world.status(place).links);
        links.fold((0, 0), |(sent, resent), link| {
            (sent + link.datagrams.sent, resent + link.datagrams.resent)
        })
    };
    let (sent, resent) = datagrams(&with);
    assert!(resent > 10 && resent < sent / 5, "{resent} of {sent}");
    assert_eq!(datagrams(&without), (0, 0));
}
