//! Browsers that come and go as people open and close pages.
//!
//! Of all sessions 70 % last around ten minutes, 25 % around two hours and 5 % around a day, each
//! exponentially distributed. A world starts in the steady state of that: at any time the long
//! sessions are the most, because they last (7 : 30 : 72), and how much is left of one does not
//! depend on how long it has lasted. Whoever leaves says nothing to anybody; at the same time
//! somebody new comes, with nothing in storage.

use nanonet::{Crypto, Rng};

use crate::scenario::join;
use crate::world::{Place, World};

/// Mean lengths of sessions in seconds, with how many of a hundred are so long.
const SESSIONS: [(u64, u32); 3] = [(600, 70), (7_200, 25), (86_400, 5)];

/// Who leaves when.
pub struct Churn {
    rng: Rng,
    /// Ends of sessions, the next one last.
    ends: Vec<(u64, Place)>,
    left: usize,
}

impl Churn {
    /// The browsers that run now, in the steady state.
    #[must_use]
    pub fn new<C: Crypto>(world: &World<C>, seed: u64) -> Self {
        let mut bytes = [b'c'; 32];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        let mut rng = Rng::from_seed(bytes);
        let weights = SESSIONS.map(|(mean, share)| mean * u64::from(share));
        let all: u64 = weights.iter().sum();
        let mut ends: Vec<(u64, Place)> = Vec::new();
        for place in world.browsers() {
            let mut drawn = rng.next_u64() % all;
            let mut mean = 0;
            for (weight, (length, _)) in weights.into_iter().zip(SESSIONS) {
                mean = length;
                if drawn < weight {
                    break;
                }
                drawn -= weight;
            }
            ends.push((
                world.now.number() + exponential(&mut rng, mean * 1_000),
                place,
            ));
        }
        ends.sort_unstable_by(|a, b| b.cmp(a));
        Self { rng, ends, left: 0 }
    }

    /// How many have left so far.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Every second browser leaves at once, and nobody comes in their place. How many left.
    pub fn halve<C: Crypto>(&mut self, world: &mut World<C>) -> usize {
        let mut places = world.browsers();
        // By chance, not every second id in some order.
        for place in (1..places.len()).rev() {
            let count = u32::try_from(place + 1).unwrap_or(u32::MAX);
            places.swap(place, self.rng.below(count) as usize);
        }
        places.truncate(places.len() / 2);
        places.sort_unstable();
        self.ends
            .retain(|(_, place)| places.binary_search(place).is_err());
        for place in &places {
            world.stop(*place);
        }
        places.len()
    }

    /// Lets `millis` pass with people coming and going.
    pub fn run<C: Crypto>(&mut self, world: &mut World<C>, millis: u64) {
        let until = world.now.number() + millis;
        while let Some((at, place)) = self.ends.last().copied() {
            if at > until {
                break;
            }
            self.ends.pop();
            world.run(at.saturating_sub(world.now.number()));
            world.stop(place);
            self.left += 1;
            let newcomer = join(world, self.left);
            let mut share = self.rng.below(100);
            let mut mean = 0;
            for (length, of_hundred) in SESSIONS {
                mean = length;
                if share < of_hundred {
                    break;
                }
                share -= of_hundred;
            }
            let end = (
                world.now.number() + exponential(&mut self.rng, mean * 1_000),
                newcomer,
            );
            let place = self.ends.partition_point(|other| *other > end);
            self.ends.insert(place, end);
        }
        world.run(until.saturating_sub(world.now.number()));
    }
}

/// A time with this mean, exponentially distributed.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "far below 2^53"
)]
fn exponential(rng: &mut Rng, mean: u64) -> u64 {
    let uniform = (rng.below(1 << 24) as f64 + 0.5) / f64::from(1_u32 << 24);
    (-uniform.ln() * mean as f64) as u64
}
