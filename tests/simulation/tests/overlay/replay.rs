//! One seed is one run.

use nanonet::GetOptions;

use crate::World;

fn story(seed: u64) -> u64 {
    let mut world = World::meshed(seed, 10);
    let account = world.confirmed_account(1);
    world.run(2_000);
    world.stop(3);
    for asker in world.browsers() {
        world.get(asker, account, GetOptions::default()).unwrap();
    }
    world.trace()
}

#[test]
fn one_seed_replays_one_run_to_the_last_byte() {
    assert_eq!(story(40), story(40));
    assert_ne!(story(40), story(41));
}
