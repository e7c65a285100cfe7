//! An ordered map for very many entries, in a vector of short sorted vectors.
//!
//! The slice of a bridge holds hundreds of thousands of places, too many to move in one vector as
//! [`crate::sorted`] does. Here at most [`CHUNK`] entries move with an insertion or a removal. In
//! the browser's wasm a pair of types costs a fifth of what it costs with the standard library's
//! tree. Iteration is in the order of the keys, so nothing depends on the history of a map.
//!
//! Rules: no chunk is empty; none has more than [`CHUNK`] entries, a fuller one is halved; two
//! neighbours have more than half of that together, emptier ones are joined, so that memory stays
//! proportional to the entries.

use std::fmt;

/// The most entries of a chunk; few in tests, which thereby halve and join many.
const CHUNK: usize = if cfg!(test) { 4 } else { 128 };

/// A map with ordered keys.
pub(crate) struct ChunkedMap<K, V> {
    chunks: Vec<Vec<(K, V)>>,
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for ChunkedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks.fmt(f)
    }
}

impl<K, V> ChunkedMap<K, V> {
    /// An empty map.
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    /// Entries in order of their keys, to change their values.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        let entries = self.chunks.iter_mut().flatten();
        entries.map(|(key, value)| (&*key, value))
    }

    /// The first key.
    pub(crate) fn first_key(&self) -> Option<&K> {
        self.chunks.first()?.first().map(|(key, _)| key)
    }

    /// Takes the first entry out.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.chunks.is_empty()).then(|| self.take(0, 0))
    }

    /// Puts an entry where [`ChunkedMap::find`] says that it belongs; where it then is.
    fn put(&mut self, mut chunk: usize, mut place: usize, entry: (K, V)) -> (usize, usize) {
        if self.chunks.is_empty() {
            self.chunks.push(Vec::new());
        }
        self.chunks[chunk].insert(place, entry);
        if self.chunks[chunk].len() > CHUNK {
            let upper = self.chunks[chunk].split_off(CHUNK / 2);
            self.chunks.insert(chunk + 1, upper);
            if place >= CHUNK / 2 {
                chunk += 1;
                place -= CHUNK / 2;
            }
        }
        (chunk, place)
    }

    /// Takes out the entry that is there.
    fn take(&mut self, chunk: usize, place: usize) -> (K, V) {
        let entry = self.chunks[chunk].remove(place);
        if self.chunks[chunk].is_empty() {
            self.chunks.remove(chunk);
        }
        self.join(chunk);
        if let Some(before) = chunk.checked_sub(1) {
            self.join(before);
        }
        entry
    }

    /// Joins a chunk with the one after it if both are rather empty.
    fn join(&mut self, chunk: usize) {
        if let Some([first, second]) = self.chunks.get_mut(chunk..chunk + 2)
            && first.len() + second.len() <= CHUNK / 2
        {
            first.append(second);
            self.chunks.remove(chunk + 1);
        }
    }
}

impl<K: Ord, V> ChunkedMap<K, V> {
    /// The chunk of `key` and its place there, or where it would be put.
    fn find(&self, key: &K) -> (usize, Result<usize, usize>) {
        let after = self.chunks.partition_point(|chunk| match chunk.first() {
            Some((first, _)) => first <= key,
            None => false,
        });
        let chunk = after.saturating_sub(1);
        let place = match self.chunks.get(chunk) {
            Some(entries) => entries.binary_search_by(|(found, _)| found.cmp(key)),
            None => Err(0),
        };
        (chunk, place)
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        match self.find(key) {
            (chunk, Ok(place)) => Some(&self.chunks[chunk][place].1),
            _ => None,
        }
    }

    /// The value of `key`, to change it.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.find(key) {
            (chunk, Ok(place)) => Some(&mut self.chunks[chunk][place].1),
            _ => None,
        }
    }

    /// Sets the value of `key`.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            (chunk, Ok(place)) => self.chunks[chunk][place].1 = value,
            (chunk, Err(place)) => {
                self.put(chunk, place, (key, value));
            }
        }
    }

    /// Takes the entry of `key` out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        match self.find(key) {
            (chunk, Ok(place)) => Some(self.take(chunk, place).1),
            _ => None,
        }
    }

    /// The value of `key`, made by `make` if there is none.
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let (chunk, place) = match self.find(&key) {
            (chunk, Ok(place)) => (chunk, place),
            (chunk, Err(place)) => self.put(chunk, place, (key, make())),
        };
        &mut self.chunks[chunk][place].1
    }

    /// Entries whose keys come after `key`, in order; all of them for `None`.
    pub(crate) fn iter_after<'a>(
        &'a self,
        key: Option<&K>,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, K, V> {
        let (chunk, skip) = match key.map(|key| self.find(key)) {
            Some((chunk, Ok(place))) => (chunk, place + 1),
            Some((chunk, Err(place))) => (chunk, place),
            None => (0, 0),
        };
        let entries = self.chunks.iter().skip(chunk).flatten().skip(skip);
        entries.map(|(key, value)| (key, value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ops::Bound;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_chunked_map_does_what_the_standard_one_does(
            steps in proptest::collection::vec((0_u8..5, any::<u8>(), any::<u8>()), 0..400),
        ) {
            let mut ours = ChunkedMap::new();
            let mut theirs = BTreeMap::new();
            for (step, key, value) in steps {
                // Few keys, so that they meet again.
                let key = key % 64;
                match step {
                    0 => {
                        ours.insert(key, value);
                        theirs.insert(key, value);
                    }
                    1 | 2 => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    3 => prop_assert_eq!(
                        ours.get_or_insert_with(key, || value),
                        theirs.entry(key).or_insert(value)
                    ),
                    _ => prop_assert_eq!(ours.pop_first(), theirs.pop_first()),
                }
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
                prop_assert_eq!(ours.get_mut(&key), theirs.get_mut(&key));
                prop_assert_eq!(ours.first_key(), theirs.keys().next());
                prop_assert!(ours.iter_mut().eq(theirs.iter_mut()));
                prop_assert!(ours.iter_after(None).eq(theirs.iter()));
                let after = (Bound::Excluded(key), Bound::Unbounded);
                prop_assert!(ours.iter_after(Some(&key)).eq(theirs.range(after)));
                let lengths: Vec<usize> = ours.chunks.iter().map(Vec::len).collect();
                prop_assert!(lengths.iter().all(|length| (1..=CHUNK).contains(length)));
                prop_assert!(lengths.windows(2).all(|two| two[0] + two[1] > CHUNK / 2));
            }
        }
    }
}
