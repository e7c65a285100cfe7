//! The few nearest of many.

use crate::sorted::SortedMap;
use crate::{Distance, NodeId, Point};

/// Collects what is offered with an id and keeps the `limit` nearest to a place, each id once.
pub(crate) struct Nearest<T> {
    place: Point,
    limit: usize,
    items: SortedMap<Distance, T>,
}

impl<T> Nearest<T> {
    /// Nothing yet.
    pub(crate) const fn new(place: Point, limit: usize) -> Self {
        Self {
            place,
            limit,
            items: SortedMap::new(),
        }
    }

    /// Takes `item`, which lies at `id`, if it is near enough; what has to go for it, or `item`
    /// itself, comes back with its distance.
    pub(crate) fn offer(&mut self, id: &NodeId, item: T) -> Option<(Distance, T)> {
        let distance = self.place.distance(&id.point());
        self.items.insert(distance, item);
        if self.items.len() > self.limit {
            self.items.pop_last()
        } else {
            None
        }
    }

    /// Everything kept, nearest first.
    pub(crate) fn into_items(mut self) -> Vec<T> {
        let mut items = Vec::new();
        while let Some((_, item)) = self.items.pop_first() {
            items.push(item);
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nearest_are_kept_in_order_and_each_once(ids: Vec<[u8; 32]>, limit in 0_usize..9) {
            let ids: Vec<NodeId> = ids.into_iter().map(NodeId::from_bytes).collect();
            let place = Point::from_bytes([0x55; 32]);
            let mut nearest = Nearest::new(place, limit);
            for id in ids.iter().chain(&ids) {
                nearest.offer(id, *id);
            }
            let mut all = ids;
            all.sort_by_key(|id| place.distance(&id.point()));
            all.dedup();
            all.truncate(limit);
            prop_assert_eq!(nearest.into_items(), all);
        }
    }
}
