//! When the network may have been split in two: noticing it, and growing together again.
//!
//! A part that is cut off works on by itself, and so does not notice when the others are back: its
//! look-ups end at its own nodes. So whoever may be cut off keeps looking across.
//!
//! States: *whole*; *split* (suspected), because of one of these:
//! - *beats*: a bridge fell silent or its link broke, and it is not linked again. Links are asked for
//!   a sign of life all the time, so a missing bridge is noticed within seconds;
//! - *density*: of as many nodes as lay around us lately, fewer than five eighths are left, judged by
//!   how far the [`SAMPLE`] nearest reach. People come and go one by one; half of them go at once only
//!   if something between us broke.
//!
//! While split, first every [`EVERY_MS`], then ever more seldom: the shell is asked for bridges
//! although some may be linked, and each linked bridge for our neighbourhood, because bridges know
//! what other bridges know. Whoever is found there is linked as always.
//! When it is whole again, or has been like this for [`GIVE_UP_MS`] and so is taken as usual, every
//! holder is held a round with at once: what one side confirmed meanwhile, the other is told.
//!
//! Nothing else changes: a wrong suspicion costs a few messages. Memory: [`MAX_MISSING`] bridges.

use nano_core::UnixMillis;

use crate::routing::forward::Own;
use crate::routing::places::POOR;
use crate::sorted::SortedMap;
use crate::timers::Timer;
use crate::wire::{Ask, Target};
use crate::{Crypto, Defence, Event, LinkId, Node, NodeKey, Role};

/// Nodes by whose distance density is judged.
const SAMPLE: usize = 16;
/// Shortest time between two attempts.
const EVERY_MS: u64 = 15_000;
/// Longest time between two attempts.
const SELDOM_MS: u64 = 120_000;
/// After which time the state is taken as the usual one: one hour.
const GIVE_UP_MS: u64 = 3_600_000;
/// Time in which what is usual follows what is.
const FOLLOW_MS: u64 = 600_000;
/// Time between two measurements.
const MEASURE_MS: u64 = 5_000;
/// Most bridges remembered as missing.
const MAX_MISSING: usize = 8;

/// What is known of a split.
#[derive(Debug, Default)]
pub(crate) struct Healing {
    /// Bridges that fell silent, since when.
    missing: SortedMap<NodeKey, UnixMillis>,
    /// How many nodes there usually are, judged by those around us; 0 before the first measurement.
    usual: u64,
    measured: UnixMillis,
    /// Since when it looks split.
    since: Option<UnixMillis>,
    /// Whether far fewer nodes were left at the last measurement.
    thin: bool,
    tried: UnixMillis,
}

impl Healing {
    /// Takes a measurement; whether far fewer are left than usual.
    fn is_thin(&mut self, now: UnixMillis, nodes: u64) -> bool {
        let passed = now.since(self.measured).min(FOLLOW_MS);
        let thin = u128::from(nodes) * 8 < u128::from(self.usual) * 5;
        if self.usual == 0 {
            self.usual = nodes;
        } else if !thin {
            // A step towards what is, as long as the time that passed is of that in which it follows.
            let (usual, nodes) = (u128::from(self.usual), u128::from(nodes));
            let (new, old) = (u128::from(passed), u128::from(FOLLOW_MS - passed));
            let followed = (usual * old + nodes * new) / u128::from(FOLLOW_MS);
            self.usual = u64::try_from(followed).unwrap_or(u64::MAX);
        }
        self.measured = now;
        thin
    }

    /// Time between two attempts after so long. That only a bridge is missing is most often the
    /// bridge's fault, and everybody who was linked with it looks for another.
    fn wait(suspected_ms: u64, thin: bool) -> u64 {
        (suspected_ms / if thin { 16 } else { 2 }).clamp(EVERY_MS, SELDOM_MS)
    }
}

impl<C: Crypto> Node<C> {
    /// A link broke or fell silent without a farewell.
    pub(crate) fn link_broke(&mut self, link: LinkId) {
        let who = self.table.get(link).and_then(|peer| peer.who.as_ref());
        if let Some(who) = who
            && who.record.role == Role::Bridge
            && self.healing.missing.len() < MAX_MISSING
        {
            let key = who.record.node_key;
            self.healing.missing.insert(key, self.now);
        }
    }

    /// Looks whether the network seems split, and does what heals it.
    pub(crate) fn look_for_split(&mut self) {
        let now = self.now;
        let browser = !self.config.role.is_bridge_here() && self.is_member();
        if !browser || self.lacks(Defence::Healing) {
            return;
        }
        for link in self.table.links_of(Role::Bridge) {
            let peer = self.table.get(link).and_then(|peer| peer.who.as_ref());
            if let Some(key) = peer.map(|who| who.record.node_key) {
                self.healing.missing.remove(&key);
            }
        }
        if now.since(self.healing.measured) >= MEASURE_MS {
            let nodes = self.nodes_around(SAMPLE);
            self.healing.thin = nodes.is_some_and(|nodes| self.healing.is_thin(now, nodes));
        }
        let thin = self.healing.thin;
        let split = thin || !self.healing.missing.is_empty();
        match (self.healing.since, split) {
            (None, false) => {}
            (None, true) => {
                self.healing.since = Some(now);
                self.event(Event::Split { suspected: true });
                self.reach_across();
            }
            (Some(since), _) if !split || now.since(since) >= GIVE_UP_MS => {
                let healing = &mut self.healing;
                (healing.since, healing.usual) = (None, 0);
                healing.missing.retain(|_, _| false);
                self.event(Event::Split { suspected: false });
                self.compare_at_once();
            }
            (Some(since), _) => {
                let wait = Healing::wait(now.since(since), thin);
                if now.since(self.healing.tried) >= wait {
                    self.reach_across();
                }
            }
        }
        if self.healing.since.is_some() {
            self.timers.set_by(Timer::Membership, now.plus(MEASURE_MS));
        }
    }

    /// Asks for bridges, and each linked one who lies around us.
    fn reach_across(&mut self) {
        self.healing.tried = self.now;
        let urgent = self.healing.thin || self.browser_links() < POOR;
        self.event(Event::NeedBridge { urgent });
        let bridges = self.table.links_of(Role::Bridge);
        let browsers = self.table.links_of(Role::Browser);
        for bridge in &bridges {
            let others = bridges.iter().filter(|other| *other != bridge);
            let avoid: Vec<LinkId> = browsers.iter().chain(others).copied().collect();
            let target = Target::Near(self.id.point());
            self.ask_over(Own::Neighbourhood, target, Ask::FindNearest, &avoid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000_000;

    /// Measures every five seconds; whether any of it looked thin.
    fn measure(healing: &mut Healing, from: u64, seconds: u64, nodes: impl Fn(u64) -> u64) -> bool {
        let mut thin = false;
        for step in 0..seconds / 5 {
            thin |= healing.is_thin(UnixMillis(from + step * 5_000), nodes(step));
        }
        thin
    }

    #[test]
    fn half_of_all_nodes_gone_at_once_looks_thin_until_they_are_back() {
        let mut healing = Healing::default();
        assert!(!measure(&mut healing, START, 300, |_| 1_000));
        assert!(measure(&mut healing, START + 300_000, 600, |_| 500));
        assert!(healing.is_thin(UnixMillis(START + 900_000), 500));
        assert!(!healing.is_thin(UnixMillis(START + 905_000), 980));
    }

    #[test]
    fn a_network_that_shrinks_slowly_does_not_look_split() {
        let mut healing = Healing::default();
        let slowly = |step: u64| 1_000 - (step * 1_000 / 1_440).min(900);
        assert!(!measure(&mut healing, START, 6_000, slowly));
    }

    #[test]
    fn attempts_become_seldom() {
        assert_eq!(Healing::wait(0, true), EVERY_MS);
        assert_eq!(Healing::wait(600_000, true), 37_500);
        assert_eq!(Healing::wait(60_000, false), 30_000);
        assert_eq!(Healing::wait(GIVE_UP_MS, true), SELDOM_MS);
    }
}
