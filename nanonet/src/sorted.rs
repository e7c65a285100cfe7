//! Ordered maps and sets, each in one vector.
//!
//! Everything the overlay keeps besides the places of the slice is bounded by a few thousand
//! entries. For so few a sorted vector is as fast as a tree and smaller in memory, and in the
//! browser's wasm it costs far less than the five thousand bytes per pair of types of the standard
//! library's tree. Iteration is in the order of the keys, so nothing depends on the history of a
//! map.
//!
//! Finding takes a binary search; inserting and removing move what comes after. Values lie in
//! boxes: large ones need not be moved, and the steps that are not inlined here are the same
//! machine code for every type of value, of which the compiler keeps one.

use std::fmt;

/// A map with ordered keys.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SortedMap<K, V> {
    entries: Vec<(K, Box<V>)>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

impl<K, V> SortedMap<K, V> {
    /// An empty map.
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// How many entries.
    pub(crate) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Entries in order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, &**value))
    }

    /// Entries in order of their keys, to change their values.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let entries = self.entries.iter_mut();
        entries.map(|(key, value)| (&*key, &mut **value))
    }

    /// Keys in order.
    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// Values in order of their keys.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| &**value)
    }

    /// Keeps only entries that `keep` says yes to.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.entries.retain_mut(|(key, value)| keep(key, value));
    }

    /// Takes the first entry out.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.entries.is_empty()).then(|| {
            let (key, value) = self.take(0);
            (key, *value)
        })
    }

    /// Takes the last entry out.
    pub(crate) fn pop_last(&mut self) -> Option<(K, V)> {
        self.entries.pop().map(|(key, value)| (key, *value))
    }

    /// The first key.
    pub(crate) fn first_key(&self) -> Option<&K> {
        self.entries.first().map(|(key, _)| key)
    }

    #[inline(never)]
    fn put(&mut self, place: usize, key: K, value: Box<V>) {
        self.entries.insert(place, (key, value));
    }

    #[inline(never)]
    fn take(&mut self, place: usize) -> (K, Box<V>) {
        self.entries.remove(place)
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    #[inline(never)]
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.entries.binary_search_by(|(found, _)| found.cmp(key))
    }

    /// Whether there is an entry for `key`.
    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// The value of `key`.
    #[inline(never)]
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let place = self.find(key).ok()?;
        self.entries.get(place).map(|(_, value)| &**value)
    }

    /// The value of `key`, to change it.
    #[inline(never)]
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.find(key).ok()?;
        self.entries.get_mut(place).map(|(_, value)| &mut **value)
    }

    /// Sets the value of `key`; the one before, if any.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.set(key, Box::new(value)).map(|before| *before)
    }

    #[inline(never)]
    fn set(&mut self, key: K, value: Box<V>) -> Option<Box<V>> {
        match self.find(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.entries[place].1, value)),
            Err(place) => {
                self.put(place, key, value);
                None
            }
        }
    }

    /// Takes the entry of `key` out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.take_of(key).map(|value| *value)
    }

    #[inline(never)]
    fn take_of(&mut self, key: &K) -> Option<Box<V>> {
        let place = self.find(key).ok()?;
        Some(self.take(place).1)
    }

    /// The value of `key`, made by `make` if there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = match self.find(&key) {
            Ok(place) => place,
            Err(place) => {
                self.put(place, key, Box::new(make()));
                place
            }
        };
        &mut self.entries[place].1
    }
}

/// A set with ordered members.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SortedSet<K>(SortedMap<K, ()>);

impl<K> Default for SortedSet<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for SortedSet<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<K> SortedSet<K> {
    /// An empty set.
    pub(crate) const fn new() -> Self {
        Self(SortedMap::new())
    }

    /// How many members.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Members in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.keys()
    }

    /// The first member.
    pub(crate) fn first(&self) -> Option<&K> {
        self.0.first_key()
    }

    /// Takes the first member out.
    pub(crate) fn pop_first(&mut self) -> Option<K> {
        self.0.pop_first().map(|(key, ())| key)
    }
}

impl<K: Ord> SortedSet<K> {
    /// Whether `key` is a member.
    pub(crate) fn contains(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// Adds a member; whether it was new.
    pub(crate) fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Takes a member out; whether there was one.
    pub(crate) fn remove(&mut self, key: &K) -> bool {
        self.0.remove(key).is_some()
    }
}

impl<K: Ord> FromIterator<K> for SortedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = Self::new();
        for key in keys {
            set.insert(key);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sorted_map_does_what_the_standard_one_does(
            steps in proptest::collection::vec((0_u8..5, any::<u8>(), any::<u8>()), 0..200),
        ) {
            let mut ours = SortedMap::new();
            let mut theirs = BTreeMap::new();
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value)),
                    1 => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    2 => prop_assert_eq!(
                        ours.get_or_insert_with(key, || value),
                        theirs.entry(key).or_insert(value)
                    ),
                    3 => prop_assert_eq!(ours.pop_first(), theirs.pop_first()),
                    _ => {
                        ours.retain(|found, _| *found != key);
                        theirs.retain(|found, _| *found != key);
                    }
                }
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                prop_assert_eq!(ours.len(), theirs.len());
                prop_assert!(ours.iter().eq(theirs.iter()));
            }
            prop_assert_eq!(ours.pop_last(), theirs.pop_last());
        }

        #[test]
        fn a_sorted_set_does_what_the_standard_one_does(keys: Vec<u8>, without: u8) {
            let mut ours: SortedSet<u8> = keys.iter().copied().collect();
            let mut theirs: BTreeSet<u8> = keys.into_iter().collect();
            prop_assert_eq!(ours.remove(&without), theirs.remove(&without));
            prop_assert_eq!(ours.first(), theirs.first());
            prop_assert!(ours.iter().eq(theirs.iter()));
        }
    }
}
