use super::*;
use crate::Rng;
use proptest::prelude::*;

fn surveyed(us: &Point, mut ids: Vec<NodeId>) -> Vec<Crowd> {
    ids.sort_unstable();
    ids.dedup();
    survey(us, &ids)
}

fn random(rng: &mut Rng) -> NodeId {
    NodeId::from_bytes(rng.array())
}

/// What a node at the place of the first of `ids` knows: its 24 nearest and one in `thin` of the others.
fn known(ids: &[NodeId], thin: usize) -> (Point, Vec<NodeId>) {
    let us = ids[0].point();
    let mut sorted = ids.to_vec();
    sorted.sort_by_key(|id| us.distance(&id.point()));
    let (near, rest) = sorted.split_at(25.min(sorted.len()));
    let mut known = near.to_vec();
    known.extend(rest.iter().step_by(thin).take(200));
    (us, known)
}

/// An id that shares exactly the first `bits` bits with `point`.
fn beside(point: &Point, bits: u16, rng: &mut Rng) -> NodeId {
    let mut bytes: [u8; 32] = rng.array();
    for bit in 0..=usize::from(bits) {
        let mask = 0x80 >> (bit % 8);
        let wanted = point.as_bytes()[bit / 8] & mask;
        let wanted = if bit == usize::from(bits) {
            wanted ^ mask
        } else {
            wanted
        };
        bytes[bit / 8] = (bytes[bit / 8] & !mask) | wanted;
    }
    NodeId::from_bytes(bytes)
}

#[test]
fn evenly_spread_nodes_are_no_crowd() {
    let mut rng = Rng::from_seed([1; 32]);
    let mut suspected = 0;
    for round in 0..600 {
        let nodes = [40, 300, 1_500][round % 3];
        let ids: Vec<NodeId> = (0..nodes).map(|_| random(&mut rng)).collect();
        let (us, known) = known(&ids, [1, 3, 9][round / 3 % 3]);
        suspected += surveyed(&us, known).len();
    }
    assert_eq!(suspected, 0);
}

#[test]
fn ids_that_crowd_a_key_are_seen_by_the_honest_nodes_near_it() {
    let mut rng = Rng::from_seed([2; 32]);
    for nodes in [100_u32, 1_000, 3_000] {
        let deep = u16::try_from(nodes.ilog2()).unwrap();
        for sybils in [16, 64] {
            for closer in [1, 3, 20] {
                let mut ids: Vec<NodeId> = (0..nodes).map(|_| random(&mut rng)).collect();
                let key = Point::from_bytes(rng.array());
                ids.sort_by_key(|id| key.distance(&id.point()));
                let cluster: Vec<NodeId> = (0..sybils)
                    .map(|_| beside(&key, deep + closer, &mut rng))
                    .collect();
                // One that lies among them by chance has no measure for them.
                let looking = [0, 1, 2, 3, 5, 7, 10, 15];
                let seeing = looking.into_iter().filter(|holder| {
                    let mut all = vec![ids[*holder]];
                    all.extend(&ids);
                    all.extend(&cluster);
                    let (us, mut known) = known(&all, 5);
                    known.extend(&cluster);
                    let crowds = surveyed(&us, known);
                    let crowded = |id: &&NodeId| crowds.iter().any(|crowd| crowd.holds(id));
                    cluster.iter().filter(crowded).count() * 4 >= sybils * 3
                });
                let seeing = seeing.count();
                assert!(seeing >= 6, "{nodes} {sybils} {closer}: {seeing}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_ids_are_surveyed_within_the_limits(
        ids in prop::collection::vec(any::<[u8; 32]>(), 0..80),
        alike in 0_usize..32,
        us: [u8; 32],
    ) {
        let us = Point::from_bytes(us);
        let mut ids: Vec<NodeId> = ids
            .into_iter()
            .map(|mut id| {
                id[..alike].fill(7);
                NodeId::from_bytes(id)
            })
            .collect();
        ids.push(NodeId::from_bytes(*us.as_bytes()));
        let crowds = surveyed(&us, ids);
        prop_assert!(crowds.len() <= MAX_CROWDS);
        for crowd in crowds {
            prop_assert!(crowd.nodes >= LEAST);
        }
    }
}
