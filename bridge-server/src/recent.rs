//! A bounded map that forgets: entries expire after a time, and when it is full the oldest goes.

use std::collections::BTreeMap;

use nano_core::UnixMillis;

/// Keys with values and the time they were put in. At most `capacity` entries; none is given back
/// `keep_ms` after it was put.
#[derive(Clone, Debug)]
pub struct Recent<K, V> {
    entries: BTreeMap<K, (u64, UnixMillis, V)>,
    /// Keys by order of arrival.
    order: BTreeMap<u64, K>,
    next: u64,
    capacity: usize,
    keep_ms: u64,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new(capacity: usize, keep_ms: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            next: 0,
            capacity,
            keep_ms,
        }
    }

    /// Puts an entry as the newest, replacing one of the same key. Gives back the entry that had
    /// to go for it, if any.
    pub fn put(&mut self, key: K, value: V, now: UnixMillis) -> Option<(K, V)> {
        self.expire(now);
        self.remove(&key);
        let gone = if self.entries.len() >= self.capacity {
            self.order
                .first_key_value()
                .map(|(_, key)| key.clone())
                .and_then(|oldest| {
                    let value = self.remove(&oldest)?;
                    Some((oldest, value))
                })
        } else {
            None
        };
        self.order.insert(self.next, key.clone());
        self.entries.insert(key, (self.next, now, value));
        self.next += 1;
        gone
    }

    /// The entry of `key`, unless it has expired.
    #[must_use]
    pub fn get(&self, key: &K, now: UnixMillis) -> Option<&V> {
        let (_, at, value) = self.entries.get(key)?;
        (now.since(*at) < self.keep_ms).then_some(value)
    }

    /// The entry of `key` for changing, unless it has expired. Its age stays.
    pub fn get_mut(&mut self, key: &K, now: UnixMillis) -> Option<&mut V> {
        let (_, at, value) = self.entries.get_mut(key)?;
        (now.since(*at) < self.keep_ms).then_some(value)
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (number, _, value) = self.entries.remove(key)?;
        self.order.remove(&number);
        Some(value)
    }

    /// Every entry, by key; some may just have expired.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, (_, _, value))| (key, value))
    }

    /// Every entry for changing, by key; some may just have expired.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries
            .iter_mut()
            .map(|(key, (_, _, value))| (key, value))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Drops what has expired; gives back how many went.
    pub fn expire(&mut self, now: UnixMillis) -> usize {
        let before = self.entries.len();
        while let Some(key) = self.order.first_key_value().map(|(_, key)| key.clone()) {
            if self.get(&key, now).is_some() {
                break;
            }
            self.remove(&key);
        }
        before - self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_when_it_is_full_and_all_go_with_time() {
        let mut recent = Recent::new(2, 100);
        assert!(recent.put(1, 'a', UnixMillis(0)).is_none());
        assert!(recent.put(2, 'b', UnixMillis(10)).is_none());
        assert!(recent.put(1, 'c', UnixMillis(20)).is_none());
        assert_eq!(recent.put(3, 'd', UnixMillis(30)), Some((2, 'b')));
        assert_eq!(recent.get(&1, UnixMillis(119)), Some(&'c'));
        assert_eq!(recent.get(&1, UnixMillis(120)), None);
        assert_eq!(recent.expire(UnixMillis(120)), 1);
        assert_eq!(recent.len(), 1);
    }
}
