//! Settings of the network that bridges change together, within bounds that each node enforces.
//!
//! A *proposal* is news on the topic `parameters`: a setting's name and a value, signed by an anchor; another
//! anchor *endorses* it by saying the same. Of each anchor the latest word on a setting counts.
//!
//! States of a setting at a node: its *shipped* value, until a proposal was endorsed by enough; then the
//! value of that proposal. Rules:
//! - only the words of this node's own anchors count, and of those only for [`WORD_MS`];
//! - at least [`MIN_ANCHORS`] anchors are configured, and more than half of them say the same value;
//! - no value beyond the bounds of its setting ([`Setting::bounds`]) is taken, whoever endorses it, nor one
//!   more than twice or less than half of the value in force: what moves far moves in steps that people see;
//! - a value in force stays until another is endorsed; a node that starts anew begins with the shipped ones
//!   and hears the others again, because anchors repeat their words.
//!
//! Memory: one word per anchor and setting.

use nano_core::UnixMillis;

use crate::sorted::SortedMap;
use crate::weights::MIN_ANCHORS;
use crate::{Crypto, Node, NodeKey};

/// How long a word counts: 30 days.
pub const WORD_MS: u64 = 30 * 86_400_000;

/// Something that all nodes do alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// Private messages that one key may send to another in a burst.
    MessageBurst,
    /// Nodes nearest to a key's place that hold its record.
    RegistryHolders,
}

impl Setting {
    /// Every setting.
    pub const ALL: [Self; 2] = [Self::MessageBurst, Self::RegistryHolders];

    /// Its name in proposals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageBurst => "message-burst",
            Self::RegistryHolders => "registry-holders",
        }
    }

    /// The value that nodes come with.
    #[must_use]
    pub const fn shipped(self) -> u32 {
        match self {
            Self::MessageBurst => 60,
            Self::RegistryHolders => 8,
        }
    }

    /// The least and the most that a node takes, whoever says so.
    #[must_use]
    pub const fn bounds(self) -> (u32, u32) {
        match self {
            Self::MessageBurst => (10, 600),
            Self::RegistryHolders => (4, 32),
        }
    }

    /// The setting of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.name() == name)
    }
}

/// Why a proposal is not taken, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// No such setting, or no decimal number.
    #[error("no setting of this network has that name and a whole number as its value")]
    Unknown,
    /// Nobody whose word counts here.
    #[error("who proposes is none of this node's anchors")]
    NotAnAnchor,
    /// An older word than the one held, or too old to count.
    #[error("the anchor has said something later, or said this more than 30 days ago")]
    Old,
    /// Out of bounds.
    #[error(
        "{name} may be from {least} to {most}, not {value}: it is not taken whoever endorses it"
    )]
    OutOfBounds {
        /// Which.
        name: &'static str,
        /// Proposed.
        value: u32,
        /// Least allowed.
        least: u32,
        /// Most allowed.
        most: u32,
    },
    /// Too far from what is in force.
    #[error("{name} is {held} and may move to twice or half of that at once, not to {value}")]
    TooFar {
        /// Which.
        name: &'static str,
        /// In force.
        held: u32,
        /// Proposed.
        value: u32,
    },
}

impl ProposalError {
    /// Kebab-case code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "unknown-setting",
            Self::NotAnAnchor => "not-an-anchor",
            Self::Old => "old-proposal",
            Self::OutOfBounds { .. } => "out-of-bounds",
            Self::TooFar { .. } => "too-far",
        }
    }
}

/// A word of an anchor on a setting.
#[derive(Debug, Clone, Copy)]
struct Word {
    value: u32,
    at: UnixMillis,
}

/// Which settings are in force, and who says what of them.
#[derive(Debug, Default)]
pub struct Governance {
    in_force: SortedMap<Setting, u32>,
    words: SortedMap<(Setting, NodeKey), Word>,
}

impl Governance {
    /// The value in force.
    #[must_use]
    pub fn value(&self, setting: Setting) -> u32 {
        self.in_force
            .get(&setting)
            .copied()
            .unwrap_or(setting.shipped())
    }

    /// Takes the word of `anchor`, whose signature was checked; whether it changed what is in force.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn hear(
        &mut self,
        now: UnixMillis,
        anchors: &[NodeKey],
        anchor: NodeKey,
        at: UnixMillis,
        name: &str,
        value: &[u8],
    ) -> Result<bool, ProposalError> {
        let setting = Setting::of(name).ok_or(ProposalError::Unknown)?;
        let value = str::from_utf8(value)
            .ok()
            .and_then(|text| text.parse().ok());
        let value: u32 = value.ok_or(ProposalError::Unknown)?;
        if !anchors.contains(&anchor) {
            return Err(ProposalError::NotAnAnchor);
        }
        let (name, (least, most)) = (setting.name(), setting.bounds());
        if !(least..=most).contains(&value) {
            return Err(ProposalError::OutOfBounds {
                name,
                value,
                least,
                most,
            });
        }
        let held = self.value(setting);
        if value > held.saturating_mul(2) || value < held.div_ceil(2) {
            return Err(ProposalError::TooFar { name, held, value });
        }
        // Anchors that are none any more give no room and no word.
        let counts =
            |key: &NodeKey, word: &Word| anchors.contains(key) && now.since(word.at) <= WORD_MS;
        self.words.retain(|(_, key), word| counts(key, word));
        let word = Word { value, at };
        let before = self.words.get(&(setting, anchor));
        if !counts(&anchor, &word) || before.is_some_and(|before| before.at > at) {
            return Err(ProposalError::Old);
        }
        self.words.insert((setting, anchor), word);
        let endorsed = self
            .words
            .iter()
            .filter(|((of, _), word)| *of == setting && word.value == value)
            .count();
        let enough = anchors.len() >= MIN_ANCHORS && 2 * endorsed > anchors.len();
        if !enough || value == held {
            return Ok(false);
        }
        self.in_force.insert(setting, value);
        Ok(true)
    }
}

impl<C: Crypto> Node<C> {
    /// The value of a setting that is in force here.
    #[must_use]
    pub fn setting(&self, setting: Setting) -> u32 {
        self.governance.value(setting)
    }

    /// An anchor's word on a parameter, whose signature holds.
    pub(crate) fn on_parameter(
        &mut self,
        anchor: NodeKey,
        at: UnixMillis,
        name: &str,
        value: &[u8],
    ) {
        let (now, anchors) = (self.now, &self.config.anchors);
        if let Err(error) = self.governance.hear(now, anchors, anchor, at, name, value) {
            self.counters.refuse(error.code());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
    const BURST: Setting = Setting::MessageBurst;

    fn anchors(count: u8) -> Vec<NodeKey> {
        (1..=count)
            .map(|byte| NodeKey::from_bytes([byte; 32]))
            .collect()
    }

    /// Says a value of the burst.
    fn say(
        governance: &mut Governance,
        anchors: &[NodeKey],
        who: usize,
        after: u64,
        value: &str,
    ) -> Result<bool, ProposalError> {
        let at = NOW.plus(after);
        governance.hear(
            at,
            anchors,
            anchors[who],
            at,
            "message-burst",
            value.as_bytes(),
        )
    }

    #[test]
    fn a_value_that_more_than_half_of_the_anchors_endorse_is_in_force() {
        let (mut governance, four) = (Governance::default(), anchors(4));
        assert_eq!(say(&mut governance, &four, 0, 0, "80"), Ok(false));
        assert_eq!(say(&mut governance, &four, 1, 1, "80"), Ok(false));
        // The same one again, and one for something else, are no third.
        assert_eq!(say(&mut governance, &four, 1, 2, "80"), Ok(false));
        assert_eq!(say(&mut governance, &four, 2, 3, "90"), Ok(false));
        assert_eq!(governance.value(BURST), 60);
        assert_eq!(say(&mut governance, &four, 3, 4, "80"), Ok(true));
        assert_eq!(governance.value(BURST), 80);
        assert_eq!(governance.value(Setting::RegistryHolders), 8);
    }

    #[test]
    fn who_changes_its_mind_endorses_nothing_any_more_and_an_earlier_word_does_not_come_back() {
        let (mut governance, three) = (Governance::default(), anchors(3));
        assert_eq!(say(&mut governance, &three, 0, 5, "80"), Ok(false));
        assert_eq!(say(&mut governance, &three, 0, 6, "60"), Ok(false));
        assert_eq!(say(&mut governance, &three, 1, 7, "80"), Ok(false));
        assert_eq!(
            say(&mut governance, &three, 0, 5, "80"),
            Err(ProposalError::Old)
        );
        assert_eq!(governance.value(BURST), 60);
    }

    #[test]
    fn all_anchors_together_cannot_leave_the_bounds_or_leap() {
        let (mut governance, three) = (Governance::default(), anchors(3));
        for who in 0..3 {
            let beyond = say(&mut governance, &three, who, 0, "601");
            assert!(matches!(beyond, Err(ProposalError::OutOfBounds { .. })));
            let leap = say(&mut governance, &three, who, 0, "121");
            assert!(matches!(leap, Err(ProposalError::TooFar { held: 60, .. })));
            let down = say(&mut governance, &three, who, 0, "29");
            assert!(matches!(down, Err(ProposalError::TooFar { held: 60, .. })));
        }
        assert_eq!(governance.value(BURST), 60);
    }

    #[test]
    fn strangers_two_anchors_and_old_words_change_nothing() {
        let (mut governance, three) = (Governance::default(), anchors(3));
        let stranger = NodeKey::from_bytes([9; 32]);
        let heard = governance.hear(NOW, &three, stranger, NOW, "message-burst", b"80");
        assert_eq!(heard, Err(ProposalError::NotAnAnchor));
        let two = anchors(2);
        assert_eq!(say(&mut governance, &two, 0, 0, "80"), Ok(false));
        assert_eq!(say(&mut governance, &two, 1, 0, "80"), Ok(false));
        // Later, with three, what was said is over.
        assert_eq!(
            say(&mut governance, &three, 2, WORD_MS + 1, "80"),
            Ok(false)
        );
        assert_eq!(governance.value(BURST), 60);
    }

    #[test]
    fn what_is_no_setting_or_no_number_is_refused() {
        let (mut governance, three) = (Governance::default(), anchors(3));
        let mut hear =
            |name: &str, value: &[u8]| governance.hear(NOW, &three, three[0], NOW, name, value);
        assert_eq!(hear("colour", b"80"), Err(ProposalError::Unknown));
        for value in [&b"many"[..], b"", b"-1", b"99999999999", &[0xff]] {
            assert_eq!(hear("message-burst", value), Err(ProposalError::Unknown));
        }
    }
}
