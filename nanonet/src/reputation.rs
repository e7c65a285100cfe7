//! What we think of peers, by their key and across links; who is served when not all can be.
//!
//! - One score per key, 0 for strangers. Verified answers and answers passed on raise it, what does not
//!   hold and what is more than was allowed lower it. It halves every [`HALF_LIFE_MS`], so old merits and
//!   old sins fade.
//! - A peer that is dropped at fault is banned ([`Bans`](crate::limits::Bans)) for [`BAN_MS`], twice as
//!   long for each ban before that is not forgotten, at most [`LONGEST_BAN`] times. Bans are forgotten
//!   with the score, when that is nearly 0 again.
//! - [`Load`] is what all peers together cost of late. From three quarters of what the node can carry on,
//!   requests of peers below a score, which rises with the load, are answered `busy`: first those who
//!   did wrong, then strangers, at last all but the best. What cannot be answered `busy` (news, answers to
//!   what we asked) is always taken; a peer that overdoes it runs into the debt of its own link.
//!
//! Memory: [`MAX_REMEMBERED`] scores; beyond it the one nearest to 0 is forgotten.

use nano_core::UnixMillis;

use crate::Crypto;
use crate::limits::BAN_MS;
use crate::sorted::SortedMap;
use crate::{Defence, LinkId, Node, NodeKey};

/// Time in which a score halves: half an hour.
pub(crate) const HALF_LIFE_MS: u64 = 1_800_000;
/// Highest score, and lowest below 0.
pub(crate) const MOST: i32 = 1_000;
/// Most scores remembered.
pub(crate) const MAX_REMEMBERED: usize = 1_024;
/// The longest ban, in first ones.
pub(crate) const LONGEST_BAN: u64 = 32;
/// Tokens a second that all peers of a browser may cost, see [`Message::cost`](crate::wire::Message::cost):
/// two fifths of a slow device's time.
pub(crate) const BROWSER_PER_S: u64 = 4_000;
/// The same of a bridge, which has a server to itself.
pub(crate) const BRIDGE_PER_S: u64 = 200_000;

/// For a verified answer to a question of ours.
pub(crate) const ANSWERED: i32 = 20;
/// For a verified answer that it passed on to others through us.
pub(crate) const PASSED: i32 = 5;
/// For something that does not hold.
pub(crate) const FAULT: i32 = -100;
/// For asking more than its link allows.
pub(crate) const GREEDY: i32 = -5;
/// For being dropped at fault.
const BANNED: i32 = -200;
/// From which score on a peer is served when the node is full.
const GOOD: i32 = 100;
/// Up to which size a score is as good as none.
const NOTHING: i32 = 8;

#[derive(Debug, Default)]
struct Score {
    points: i32,
    at: UnixMillis,
    bans: u32,
}

impl Score {
    fn at(&self, now: UnixMillis) -> i32 {
        let passed = now.since(self.at);
        let halvings = u32::try_from(passed / HALF_LIFE_MS).unwrap_or(u32::MAX);
        let size = i64::from(self.points.unsigned_abs())
            .checked_shr(halvings)
            .unwrap_or(0);
        let rest = i64::try_from(passed % HALF_LIFE_MS).unwrap_or(0);
        let half_life = i64::try_from(HALF_LIFE_MS).unwrap_or(i64::MAX);
        let size = size - size * rest / (2 * half_life);
        i32::try_from(size).unwrap_or(0) * self.points.signum()
    }
}

/// Scores of peers.
#[derive(Debug, Default)]
pub(crate) struct Reputation {
    scores: SortedMap<NodeKey, Score>,
}

impl Reputation {
    /// The score of a peer at `now`: -1000 to 1000.
    pub(crate) fn of(&self, peer: &NodeKey, now: UnixMillis) -> i32 {
        self.scores.get(peer).map_or(0, |score| score.at(now))
    }

    /// How many scores are remembered.
    #[cfg(any(test, feature = "adversary"))]
    pub(crate) const fn len(&self) -> usize {
        self.scores.len()
    }

    /// Raises or lowers a score.
    pub(crate) fn add(&mut self, peer: NodeKey, now: UnixMillis, points: i32) {
        self.entry(peer, now).points += points;
        if let Some(score) = self.scores.get_mut(&peer) {
            score.points = score.points.clamp(-MOST, MOST);
        }
    }

    /// Counts a ban; for how long it is.
    pub(crate) fn ban(&mut self, peer: NodeKey, now: UnixMillis) -> u64 {
        self.add(peer, now, BANNED);
        let score = self.entry(peer, now);
        score.bans += 1;
        let times = 1_u64.checked_shl(score.bans - 1).unwrap_or(LONGEST_BAN);
        BAN_MS * times.min(LONGEST_BAN)
    }

    /// A score as it is now, to change it.
    fn entry(&mut self, peer: NodeKey, now: UnixMillis) -> &mut Score {
        if self.scores.len() >= MAX_REMEMBERED && !self.scores.contains_key(&peer) {
            let scores = self.scores.iter();
            let least = scores.min_by_key(|(_, score)| score.at(now).unsigned_abs());
            if let Some(least) = least.map(|(peer, _)| *peer) {
                self.scores.remove(&least);
            }
        }
        let score = self.scores.get_or_insert_with(peer, Score::default);
        score.points = score.at(now);
        score.at = score.at.max(now);
        if score.points.abs() <= NOTHING {
            score.bans = 0;
        }
        score
    }
}

/// What peers cost together, in a bucket that empties at the pace the node can carry and holds two
/// seconds of it.
#[derive(Debug, Default)]
pub(crate) struct Load {
    /// Thousandths of tokens.
    milli: u64,
    at: UnixMillis,
}

impl Load {
    /// Adds what a message cost.
    pub(crate) fn add(&mut self, now: UnixMillis, cost: u32, per_s: u64) {
        let gone = now.since(self.at).saturating_mul(per_s);
        self.at = self.at.max(now);
        self.milli = self.milli.saturating_sub(gone) + u64::from(cost) * 1_000;
    }

    /// How full the bucket is, in eighths; more than eight when it runs over.
    fn eighths(&self, now: UnixMillis, per_s: u64) -> u64 {
        let gone = now.since(self.at).saturating_mul(per_s);
        self.milli.saturating_sub(gone) / (per_s * 250)
    }
}

/// The least score whose requests are served under so many eighths of load.
pub(crate) const fn least_score(eighths: u64) -> i32 {
    match eighths {
        0..=5 => i32::MIN,
        6 => 0,
        7 => 1,
        8..=11 => GOOD,
        _ => i32::MAX,
    }
}

impl<C: Crypto> Node<C> {
    const fn carries_per_s(&self) -> u64 {
        if self.config.role.is_bridge_here() {
            BRIDGE_PER_S
        } else {
            BROWSER_PER_S
        }
    }

    /// Counts what a message cost.
    pub(crate) fn add_load(&mut self, cost: u32) {
        let per_s = self.carries_per_s();
        self.load.add(self.now, cost, per_s);
    }

    /// Whether a request that came over `link` is to wait because better peers need the node's time
    /// or memory.
    pub(crate) fn is_too_busy_for(&self, link: LinkId) -> bool {
        let by_cost = self.load.eighths(self.now, self.carries_per_s());
        let least = least_score(by_cost.max(self.forwards.eighths()));
        least > i32::MIN && !self.lacks(Defence::Buckets) && self.score_of(link) < least
    }

    /// The score of whoever is behind a link; 0 if nobody is.
    pub(crate) fn score_of(&self, link: LinkId) -> i32 {
        let key = self.peer_key(link);
        key.map_or(0, |key| self.reputation.of(&key, self.now))
    }

    /// Raises or lowers the score of whoever is behind a link.
    pub(crate) fn rate(&mut self, link: LinkId, points: i32) {
        if let Some(key) = self.peer_key(link) {
            self.reputation.add(key, self.now, points);
        }
    }

    /// Keeps a peer away, longer each time.
    pub(crate) fn ban(&mut self, key: NodeKey) {
        if self.lacks(Defence::Reputation) {
            return;
        }
        let length = self.reputation.ban(key, self.now);
        self.bans.add(key, self.now, length);
    }

    fn peer_key(&self, link: LinkId) -> Option<NodeKey> {
        let who = self.table.get(link)?.who.as_ref()?;
        Some(who.record.node_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(number: u16) -> NodeKey {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        NodeKey::from_bytes(bytes)
    }

    const START: UnixMillis = UnixMillis(1_000_000);

    #[test]
    fn merits_and_sins_fade() {
        let mut reputation = Reputation::default();
        reputation.add(key(1), START, 400);
        reputation.add(key(2), START, -400);
        for (halvings, left) in [(0, 400), (1, 200), (2, 100), (40, 0)] {
            let then = START.plus(halvings * HALF_LIFE_MS);
            assert_eq!(reputation.of(&key(1), then), left);
            assert_eq!(reputation.of(&key(2), then), -left);
        }
        assert_eq!(reputation.of(&key(3), START), 0);
    }

    #[test]
    fn a_peer_that_is_banned_again_stays_away_longer_until_that_is_forgotten() {
        let mut reputation = Reputation::default();
        assert_eq!(reputation.ban(key(1), START), BAN_MS);
        assert_eq!(reputation.ban(key(1), START.plus(BAN_MS)), 2 * BAN_MS);
        assert_eq!(reputation.ban(key(2), START), BAN_MS);
        for _ in 0..100 {
            reputation.ban(key(1), START.plus(BAN_MS));
        }
        let longest = reputation.ban(key(1), START.plus(BAN_MS));
        assert_eq!(longest, LONGEST_BAN * BAN_MS);
        let later = START.plus(20 * HALF_LIFE_MS);
        assert_eq!(reputation.ban(key(1), later), BAN_MS);
    }

    #[test]
    fn whoever_is_nearest_to_a_stranger_is_forgotten_first() {
        let mut reputation = Reputation::default();
        let most = u16::try_from(MAX_REMEMBERED).unwrap();
        for number in 1..=most {
            let points = if number % 2 == 0 { 50 } else { -50 };
            reputation.add(key(number), START, points);
        }
        reputation.add(key(7), START, 40);
        reputation.add(key(0), START, 500);
        assert_eq!(reputation.scores.len(), MAX_REMEMBERED);
        assert_eq!(reputation.of(&key(7), START), 0);
        assert_eq!(reputation.of(&key(8), START), 50);
        assert_eq!(reputation.of(&key(0), START), 500);
    }

    #[test]
    fn under_rising_load_wrongdoers_wait_first_then_strangers_then_all() {
        let waits = |eighths, score| score < least_score(eighths);
        for score in [-MOST, 0, MOST] {
            assert!(!waits(5, score));
            assert!(waits(12, score));
        }
        assert!(waits(6, -1) && !waits(6, 0));
        assert!(waits(7, 0) && !waits(7, 1));
        assert!(waits(8, 1) && !waits(8, GOOD));
    }

    #[test]
    fn load_empties_at_the_pace_the_node_can_carry() {
        let mut load = Load::default();
        load.add(START, 8_000, BROWSER_PER_S);
        assert_eq!(load.eighths(START, BROWSER_PER_S), 8);
        assert_eq!(load.eighths(START.plus(1_000), BROWSER_PER_S), 4);
        load.add(START.plus(1_000), 4_000, BROWSER_PER_S);
        assert_eq!(load.eighths(START.plus(1_000), BROWSER_PER_S), 8);
        assert_eq!(load.eighths(START.plus(3_000), BROWSER_PER_S), 0);
    }

    proptest! {
        #[test]
        fn a_score_stays_in_its_bounds_and_never_grows_by_waiting(
            changes in prop::collection::vec((-500..500_i32, 0_u64..4 * HALF_LIFE_MS), 1..40),
        ) {
            let mut reputation = Reputation::default();
            let mut now = START;
            for (points, pause) in changes {
                reputation.add(key(1), now, points);
                let before = reputation.of(&key(1), now);
                prop_assert!(before.abs() <= MOST);
                now = now.plus(pause);
                let after = reputation.of(&key(1), now);
                prop_assert!(after.abs() <= before.abs());
                prop_assert!(after.signum() * before.signum() >= 0);
            }
        }
    }
}
