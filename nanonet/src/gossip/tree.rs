//! Who passes a piece of news to whom: a tree over the buckets.
//!
//! Whoever gets news with depth `d` is to serve all nodes that share at least `d` id bits with it.
//! It has links into the buckets from `d` on; each bucket is half of what is left, and is given to
//! links in it: where a bucket's links lie in both of its halves each half is given away by itself,
//! and so on, so that more links make the tree flatter; in the end the quickest link gets the
//! whole. So every node is served once, over about a third of log2(N) links.
//!
//! At the start each part of many nodes is given to [`HEADS`] links with ranks 0, 1, 2: from there
//! on the number of those who serve a part stays the same, and a part is missed only if all of their
//! ways fail. A part of fewer than two to the power of [`SHALLOW`] nodes is given to one link, and
//! of those who serve it only rank 0 does at once: see [`super::push`].

use crate::{Distance, LinkId, Point};

/// Links to which each part is given at the start.
pub(super) const HEADS: u8 = 3;
/// A part of fewer nodes than two to this power is served by rank 0 alone at first.
pub(super) const SHALLOW: u16 = 6;
/// The depth of whoever is to pass nothing on.
pub(super) const LEAF: u8 = u8::MAX;

/// A link as the tree sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    /// Which.
    pub(super) link: LinkId,
    /// How far its node is from us.
    pub(super) distance: Distance,
    /// Round trip in milliseconds.
    pub(super) rtt: u32,
}

/// A part given away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// To whom.
    pub(super) link: LinkId,
    /// All that share so many bits with it.
    pub(super) depth: u8,
    /// Which of several who were given it.
    pub(super) rank: u8,
}

/// Gives the buckets `depths` away, each part to `heads` links where there are so many.
pub(super) fn cover(branches: &[Branch], depths: std::ops::Range<u8>, heads: u8) -> Vec<Part> {
    let mut parts = Vec::new();
    for depth in depths {
        let bucket: Vec<Branch> = branches
            .iter()
            .filter(|branch| branch.distance.shared_bits() == u16::from(depth))
            .copied()
            .collect();
        split(bucket, depth + 1, heads, &mut parts);
    }
    parts
}

fn split(mut part: Vec<Branch>, depth: u8, heads: u8, parts: &mut Vec<Part>) {
    if part.is_empty() {
        return;
    }
    let (byte, bit) = (usize::from(depth / 8), 0x80_u8 >> (depth % 8));
    let is_far = |branch: &Branch| {
        let bytes = branch.distance.as_bytes();
        bytes.get(byte).is_some_and(|byte| byte & bit != 0)
    };
    let (far, near): (Vec<Branch>, Vec<Branch>) = part.iter().copied().partition(is_far);
    if far.len().min(near.len()) >= usize::from(heads) {
        split(near, depth + 1, heads, parts);
        split(far, depth + 1, heads, parts);
        return;
    }
    part.sort_by_key(|branch| (branch.rtt, branch.link));
    for (rank, branch) in (0..heads).zip(part) {
        let link = branch.link;
        parts.push(Part { link, depth, rank });
    }
}

/// From which depth on a part has less than [`SHALLOW`] bits of nodes, as the nearest of our links
/// tell: the fourth nearest node of 2^n shares about n - 2 bits with us.
pub(super) fn deep_from(branches: &[Branch]) -> u8 {
    let mut bits: Vec<u16> = branches
        .iter()
        .map(|branch| branch.distance.shared_bits())
        .collect();
    bits.sort_unstable();
    let fourth = bits.iter().rev().nth(3).copied().unwrap_or(0);
    u8::try_from((fourth + 2).saturating_sub(SHALLOW)).unwrap_or(LEAF)
}

/// The place of a node as it lies from us.
pub(super) fn branch(us: &Point, link: LinkId, them: &Point, rtt: u32) -> Branch {
    let distance = us.distance(them);
    Branch {
        link,
        distance,
        rtt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;

    fn at(first: u8, rtt: u32) -> Branch {
        let mut bytes = [0; 32];
        bytes[0] = first;
        let them = NodeId::from_bytes(bytes).point();
        branch(
            &Point::from_bytes([0; 32]),
            LinkId(u64::from(first)),
            &them,
            rtt,
        )
    }

    fn part(link: u64, depth: u8, rank: u8) -> Part {
        let link = LinkId(link);
        Part { link, depth, rank }
    }

    #[test]
    fn halves_with_links_are_given_away_by_themselves_and_the_rest_to_the_quickest() {
        let links = [
            at(0x80, 9),
            at(0xC0, 8),
            at(0xE0, 5),
            at(0x40, 7),
            at(0x48, 3),
        ];
        let parts = cover(&links, 0..8, 1);
        // 0x40 and 0x48 lie in one half of their bucket: the quicker one gets all of it.
        let expected = [
            part(0x80, 2, 0),
            part(0xC0, 3, 0),
            part(0xE0, 3, 0),
            part(0x48, 2, 0),
        ];
        assert_eq!(parts, expected);
        assert_eq!(cover(&links, 1..8, 1), [part(0x48, 2, 0)]);
    }

    #[test]
    fn at_the_start_a_part_goes_to_several_and_is_halved_only_where_several_are_in_each_half() {
        let links = [
            at(0x80, 9),
            at(0x90, 1),
            at(0xC0, 8),
            at(0xE0, 5),
            at(0x40, 7),
        ];
        let parts = cover(&links, 0..8, 2);
        let expected = [
            part(0x90, 2, 0),
            part(0x80, 2, 1),
            part(0xE0, 2, 0),
            part(0xC0, 2, 1),
            part(0x40, 2, 0),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn every_node_of_a_full_mesh_is_served_exactly_once() {
        // All 256 places of one byte; everyone knows one node in each quarter of each bucket.
        let mut served = vec![0; 256];
        let mut waiting = vec![(0_u8, 0_u8)];
        served[0] = 1;
        while let Some((us, depth)) = waiting.pop() {
            let mut links = Vec::new();
            for bucket in 0..8 {
                for half in 0..2_u8 {
                    let next = 0x40_u8.checked_shr(bucket).unwrap_or(0);
                    let them = us ^ (0x80 >> bucket) ^ (next * half);
                    let mut bytes = [0; 32];
                    bytes[0] = us ^ them;
                    let them_point = NodeId::from_bytes(bytes).point();
                    let us_point = Point::from_bytes([0; 32]);
                    links.push(branch(&us_point, LinkId(u64::from(them)), &them_point, 1));
                }
            }
            links.dedup_by_key(|branch| branch.link);
            for part in cover(&links, depth..8, 1) {
                let them = u8::try_from(part.link.0).unwrap();
                served[usize::from(them)] += 1;
                waiting.push((them, part.depth));
            }
        }
        assert!(served.iter().all(|times| *times == 1), "{served:?}");
    }

    #[test]
    fn a_part_is_deep_where_few_nodes_are_left() {
        let links = [at(1, 1), at(2, 1), at(3, 1), at(4, 1), at(0x80, 1)];
        assert_eq!(deep_from(&links), 1);
        assert_eq!(deep_from(&links[..2]), 0);
    }
}
