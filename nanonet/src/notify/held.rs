//! What a store holds, in memory: by name, by tag and time, by when it is over, by region.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nano_core::UnixMillis;

use super::address::RelayAddress;
use super::directory::Region;
use super::keys::Tag;
use super::message::{BATCH_BYTES, Cursor, Digest, Item, MAX_ITEMS};
use super::sealed::{Deletion, Sealed};

/// Time in which a tag's new notifications are counted.
const HOUR_MS: u64 = 3_600_000;
/// Bytes that a notification takes besides its own: names in four tables.
const OVERHEAD: u64 = 200;

/// A notification held.
#[derive(Debug)]
struct Held {
    item: Item,
    tag: Tag,
    timestamp: UnixMillis,
    expires: UnixMillis,
}

/// What is known of a tag.
#[derive(Debug, Default)]
struct Use {
    held: u32,
    /// When those of the last hour came, oldest first.
    lately: VecDeque<UnixMillis>,
}

/// Everything a store holds.
#[derive(Debug)]
pub(super) struct Shelf {
    items: BTreeMap<RelayAddress, Held>,
    by_tag: BTreeSet<(Tag, Cursor)>,
    by_end: BTreeSet<(UnixMillis, RelayAddress)>,
    by_region: BTreeSet<(Region, RelayAddress)>,
    digests: Box<[Digest; 256]>,
    tags: BTreeMap<Tag, Use>,
    deleted: BTreeMap<RelayAddress, (UnixMillis, Deletion)>,
    bytes: u64,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            items: BTreeMap::new(),
            by_tag: BTreeSet::new(),
            by_end: BTreeSet::new(),
            by_region: BTreeSet::new(),
            digests: Box::new([Digest::default(); 256]),
            tags: BTreeMap::new(),
            deleted: BTreeMap::new(),
            bytes: 0,
        }
    }
}

/// Bytes that a notification of this length takes of the room.
pub(super) const fn weight(length: usize) -> u64 {
    length as u64 + OVERHEAD
}

impl Shelf {
    /// How many notifications.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of the room that are taken.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether it holds this one.
    pub(super) fn holds(&self, address: &RelayAddress) -> bool {
        self.items.contains_key(address)
    }

    /// A notification.
    pub(super) fn get(&self, address: &RelayAddress) -> Option<&Item> {
        self.items.get(address).map(|held| &held.item)
    }

    /// Keeps one; false if it was held.
    pub(super) fn insert(&mut self, sealed: &Sealed, item: Item) -> bool {
        let address = sealed.hash;
        if self.holds(&address) {
            return false;
        }
        let region = Region::of(&sealed.tag);
        self.bytes += weight(item.as_bytes().len());
        self.digests[usize::from(region.0)].mix(&address, true);
        self.by_region.insert((region, address));
        self.by_end.insert((sealed.expires(), address));
        let cursor = Cursor {
            timestamp: sealed.timestamp,
            hash: address,
        };
        self.by_tag.insert((sealed.tag, cursor));
        self.tags.entry(sealed.tag).or_default().held += 1;
        let held = Held {
            item,
            tag: sealed.tag,
            timestamp: sealed.timestamp,
            expires: sealed.expires(),
        };
        self.items.insert(address, held);
        true
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, address: &RelayAddress) -> bool {
        let Some(held) = self.items.remove(address) else {
            return false;
        };
        let region = Region::of(&held.tag);
        self.bytes -= weight(held.item.as_bytes().len());
        self.digests[usize::from(region.0)].mix(address, false);
        self.by_region.remove(&(region, *address));
        self.by_end.remove(&(held.expires, *address));
        let cursor = Cursor {
            timestamp: held.timestamp,
            hash: *address,
        };
        self.by_tag.remove(&(held.tag, cursor));
        if let Some(used) = self.tags.get_mut(&held.tag) {
            used.held -= 1;
            if used.held == 0 && used.lately.is_empty() {
                self.tags.remove(&held.tag);
            }
        }
        true
    }

    /// Remembers that its recipient deleted one, until `expires`.
    pub(super) fn bury(&mut self, deletion: Deletion, expires: UnixMillis) {
        self.remove(&deletion.hash);
        self.deleted.insert(deletion.hash, (expires, deletion));
        self.by_end.insert((expires, deletion.hash));
    }

    /// When one is over.
    pub(super) fn end_of(&self, address: &RelayAddress) -> Option<UnixMillis> {
        self.items.get(address).map(|held| held.expires)
    }

    /// The recipient's word that it is deleted, and until when that is remembered.
    pub(super) fn deletion(&self, address: &RelayAddress) -> Option<(UnixMillis, Deletion)> {
        self.deleted.get(address).copied()
    }

    /// Deletions remembered.
    pub(super) fn deletions(&self) -> usize {
        self.deleted.len()
    }

    /// How many lie under a tag.
    pub(super) fn held_of(&self, tag: &Tag) -> u32 {
        self.tags.get(tag).map_or(0, |used| used.held)
    }

    /// How many came under a tag within the hour before `now`, and when the oldest of them did.
    pub(super) fn lately_of(&mut self, tag: &Tag, now: UnixMillis) -> (u32, Option<UnixMillis>) {
        let Some(used) = self.tags.get_mut(tag) else {
            return (0, None);
        };
        while used
            .lately
            .front()
            .is_some_and(|at| now.since(*at) >= HOUR_MS)
        {
            used.lately.pop_front();
        }
        let count = u32::try_from(used.lately.len()).unwrap_or(u32::MAX);
        (count, used.lately.front().copied())
    }

    /// One more came under a tag from a sender.
    pub(super) fn came(&mut self, tag: &Tag, now: UnixMillis) {
        self.tags.entry(*tag).or_default().lately.push_back(now);
    }

    /// What lies under `tag` from `since` on and after `after`, and is not over at `now`: as many as fit a
    /// message; and after which there are more.
    pub(super) fn under(
        &self,
        tag: &Tag,
        since: UnixMillis,
        after: Option<Cursor>,
        now: UnixMillis,
        taken: &mut Vec<Item>,
    ) -> Option<Cursor> {
        let first = Cursor {
            timestamp: since,
            hash: RelayAddress::from_bytes([0; 32]),
        };
        let from = (*tag, after.unwrap_or(first).max(first));
        let mut last = None;
        let mut bytes = 0;
        for (of, cursor) in self.by_tag.range(from..) {
            if of != tag {
                break;
            }
            if Some(*cursor) == after {
                continue;
            }
            let Some(held) = self.items.get(&cursor.hash) else {
                continue;
            };
            if held.expires <= now {
                continue;
            }
            bytes += held.item.as_bytes().len();
            if taken.len() >= MAX_ITEMS || bytes > BATCH_BYTES {
                return last;
            }
            taken.push(held.item.clone());
            last = Some(*cursor);
        }
        None
    }

    /// How much is held of a region.
    pub(super) fn digest(&self, region: Region) -> Digest {
        self.digests[usize::from(region.0)]
    }

    /// Names of a region, with their times.
    pub(super) fn names(&self, region: Region) -> impl Iterator<Item = (UnixMillis, RelayAddress)> {
        let first = RelayAddress::from_bytes([0; 32]);
        let last = RelayAddress::from_bytes([0xff; 32]);
        self.by_region
            .range((region, first)..=(region, last))
            .filter_map(|(_, address)| Some((self.items.get(address)?.timestamp, *address)))
    }

    /// When the first thing held is over.
    pub(super) fn next_end(&self) -> Option<UnixMillis> {
        self.by_end.first().map(|(at, _)| *at)
    }

    /// Takes out what is over at `now`, at most `most`.
    pub(super) fn take_ended(&mut self, now: UnixMillis, most: usize) -> Vec<RelayAddress> {
        let mut ended = Vec::new();
        while let Some((at, address)) = self.by_end.first().copied()
            && at <= now
            && ended.len() < most
        {
            self.by_end.pop_first();
            self.deleted.remove(&address);
            self.remove(&address);
            ended.push(address);
        }
        ended
    }

    /// Forgets tags of which nothing is held and nothing came lately.
    pub(super) fn tidy(&mut self, now: UnixMillis) {
        self.tags.retain(|_, used| {
            let recent = used.lately.back();
            used.held > 0 || recent.is_some_and(|at| now.since(*at) < HOUR_MS)
        });
    }
}
