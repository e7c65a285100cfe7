//! Where nodes are, how long bytes take between them, and which pairs cannot connect.
//!
//! [`Geography::World`]: people live around six places; the time between two nodes is the way
//! between their places at the speed of long cables, plus the last mile of each, one way, and lies
//! between 20 and 200 ms. Routers come in four kinds ([`Nat`]) so frequent that about a fifth of
//! all pairs cannot connect directly, as is measured in the wild.
//! [`Geography::Near`]: 5 to 40 ms between any two, everybody can connect: for small tests.

use nanonet::Rng;

/// Shortest way between two nodes of the wide world, in milliseconds.
pub const SHORTEST_MS: u64 = 20;
/// Longest way.
pub const LONGEST_MS: u64 = 200;

/// Which kind of world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Geography {
    /// A small one.
    Near,
    /// The wide one.
    World,
}

/// What stands between a node and the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// Nothing, or a full cone: everybody can connect.
    Open,
    /// Answers come back from where something was sent to.
    PortRestricted,
    /// Another port for each destination.
    Symmetric,
    /// No UDP at all.
    Blocked,
}

/// A place on the map, in tenths of a millisecond of cable, with the last mile.
#[derive(Debug, Clone, Copy)]
pub struct Home {
    x: i32,
    y: i32,
    last_mile: u16,
    nat: Nat,
}

/// Around where people live, how many of a hundred, and how far they are spread; in tenths of a
/// millisecond.
const PLACES: [(i32, i32, u32, u32); 6] = [
    (0, 0, 22, 110),       // North America, east
    (-350, 30, 12, 90),    // North America, west
    (400, -60, 30, 130),   // Europe
    (150, 600, 10, 120),   // South America
    (1_000, 150, 20, 180), // Asia, south and east
    (1_150, 550, 6, 90),   // Australia
];

impl Home {
    /// Somewhere, drawn by the share of people.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let mut left = rng.below(100);
        let mut place = PLACES[0];
        for candidate in PLACES {
            place = candidate;
            if left < candidate.2 {
                break;
            }
            left -= candidate.2;
        }
        let spread = |rng: &mut Rng| {
            let wide = i32::try_from(rng.below(2 * place.3)).unwrap_or(0);
            wide - i32::try_from(place.3).unwrap_or(0)
        };
        let (dx, dy) = (spread(rng), spread(rng));
        // 2 to 12 ms for most, up to 40 ms for one in ten.
        let slow = rng.below(10) == 0;
        let last_mile = 20 + rng.below(if slow { 380 } else { 100 });
        let nat = match rng.below(100) {
            0..=39 => Nat::Open,
            40..=81 => Nat::PortRestricted,
            82..=97 => Nat::Symmetric,
            _ => Nat::Blocked,
        };
        Self {
            x: place.0 + dx,
            y: place.1 + dy,
            last_mile: u16::try_from(last_mile).unwrap_or(u16::MAX),
            nat,
        }
    }

    /// Milliseconds from one to the other, one way.
    #[must_use]
    pub fn latency(&self, other: &Self) -> u64 {
        let (dx, dy) = (i64::from(self.x - other.x), i64::from(self.y - other.y));
        let way = u64::try_from(dx * dx + dy * dy).unwrap_or(0).isqrt();
        let tenths = way + u64::from(self.last_mile) + u64::from(other.last_mile);
        (tenths / 10).clamp(SHORTEST_MS, LONGEST_MS)
    }

    /// Whether the two can connect directly.
    #[must_use]
    pub const fn connects(&self, other: &Self) -> bool {
        !matches!(
            (self.nat, other.nat),
            (Nat::Blocked, _)
                | (_, Nat::Blocked)
                | (Nat::Symmetric, Nat::Symmetric | Nat::PortRestricted)
                | (Nat::PortRestricted, Nat::Symmetric)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes() -> Vec<Home> {
        let mut rng = Rng::from_seed([3; 32]);
        (0..600).map(|_| Home::draw(&mut rng)).collect()
    }

    #[test]
    fn ways_take_20_to_200_ms_and_are_spread_over_all_of_it() {
        let homes = homes();
        let mut ways: Vec<u64> = Vec::new();
        for a in &homes {
            ways.extend(homes.iter().map(|b| a.latency(b)));
        }
        ways.sort_unstable();
        let at = |share: usize| ways[ways.len() * share / 100];
        assert!((SHORTEST_MS, LONGEST_MS) == (ways[0], at(100 - 1).max(LONGEST_MS)));
        assert!((60..110).contains(&at(50)), "{}", at(50));
        assert!(at(90) >= 130, "{}", at(90));
    }

    #[test]
    fn about_a_fifth_of_all_pairs_cannot_connect() {
        let homes = homes();
        let mut failed = 0;
        for a in &homes {
            failed += homes.iter().filter(|b| !a.connects(b)).count();
        }
        let share = failed * 100 / (homes.len() * homes.len());
        assert!((17..24).contains(&share), "{share} %");
    }
}
