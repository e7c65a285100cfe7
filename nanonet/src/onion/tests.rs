//! What circuits promise, hop by hop.

use nano_core::UnixMillis;
use proptest::prelude::*;

use super::relay::CellError;
use super::*;
use crate::{Identity, NoiseKey, Rng};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

/// Relays and a recipient, and a circuit over them.
struct Way {
    nodes: Vec<(Identity, Relays)>,
    circuit: Circuit,
}

fn way(relays: usize, seed: u8) -> Way {
    let mut rng = Rng::from_seed([seed; 32]);
    let nodes: Vec<_> = (0..=relays)
        .map(|_| (Identity::generate(&mut rng), Relays::new(64)))
        .collect();
    let route: Vec<Hop> = nodes.iter().map(|(identity, _)| hop(identity)).collect();
    let circuit = Circuit::new(&route, &mut rng).unwrap();
    Way { nodes, circuit }
}

fn hop(identity: &Identity) -> Hop {
    Hop {
        id: identity.node_id(),
        noise_key: identity.noise_key(),
    }
}

impl Way {
    /// Takes a cell as far as hop `until`, which has not opened it yet.
    fn carry(&mut self, cell: Cell, until: usize) -> Cell {
        let mut cell = cell;
        for place in 0..until {
            let following = self.nodes[place + 1].0.node_id();
            let (identity, relays) = &mut self.nodes[place];
            match relays.peel(identity, NOW, cell) {
                Ok(Peeled::Onward {
                    next,
                    cell: onward,
                    linked,
                }) => {
                    assert_eq!(next, following);
                    // Only the door hands on to the recipient.
                    assert_eq!(linked, place + 2 == self.nodes.len());
                    cell = onward;
                }
                other => panic!("hop {place}: {other:?}"),
            }
        }
        cell
    }

    fn open(&mut self, place: usize, now: UnixMillis, cell: Cell) -> Result<Peeled, CellError> {
        let (identity, relays) = &mut self.nodes[place];
        relays.peel(identity, now, cell)
    }

    fn arrive(&mut self, cell: Cell) -> Vec<u8> {
        let last = self.nodes.len() - 1;
        let cell = self.carry(cell, last);
        match self.open(last, NOW, cell) {
            Ok(Peeled::Here(payload)) => {
                assert_eq!(payload.circuit, self.circuit.end());
                assert_eq!(payload.binding, self.circuit.binding());
                payload.bytes
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_was_sent_arrives_over_one_to_five_relays_set_up_in_one_pass() {
    for relays in 1..=MAX_RELAYS {
        let mut way = way(relays, 1);
        for round in 0..3_u8 {
            let payload = vec![round; way.circuit.room()];
            let cell = way.circuit.cell(NOW, &payload).unwrap();
            assert_eq!(cell.as_bytes().len(), CELL_BYTES);
            assert_eq!(way.arrive(cell), payload);
        }
    }
}

#[test]
fn a_route_too_long_too_short_or_with_a_node_twice_is_refused() {
    let mut rng = Rng::from_seed([1; 32]);
    let hops: Vec<Hop> = (0..7).map(|_| hop(&Identity::generate(&mut rng))).collect();
    let error = |route: &[Hop]| Circuit::new(route, &mut Rng::from_seed([2; 32])).err();
    assert_eq!(error(&hops[..6]), None);
    assert_eq!(error(&hops), Some(RouteError::Length { relays: 6 }));
    assert_eq!(error(&hops[..1]), Some(RouteError::Length { relays: 0 }));
    assert_eq!(error(&[]), Some(RouteError::Length { relays: 0 }));
    let twice = [hops[0], hops[1], hops[0]];
    assert_eq!(error(&twice), Some(RouteError::Repeated));
    let weak = Hop {
        noise_key: NoiseKey::from_bytes([0; 32]),
        ..hops[1]
    };
    let weak = [hops[0], weak];
    assert_eq!(error(&weak), Some(RouteError::WeakKey { place: 1 }));
}

#[test]
fn a_payload_that_does_not_fit_is_refused_and_the_circuit_goes_on() {
    let mut way = way(3, 1);
    let limit = way.circuit.room();
    let length = limit + 1;
    let long = vec![0; length];
    assert_eq!(
        way.circuit.cell(NOW, &long),
        Err(RouteError::TooLong { length, limit })
    );
    let cell = way.circuit.cell(NOW, b"short").unwrap();
    assert_eq!(way.arrive(cell), b"short");
}

#[test]
fn a_replayed_cell_is_refused_at_every_hop() {
    for place in 0..4 {
        let mut way = way(3, 2);
        for _ in 0..2 {
            let cell = way.circuit.cell(NOW, b"once").unwrap();
            let cell = way.carry(cell, place);
            assert!(way.open(place, NOW, cell.clone()).is_ok());
            assert_eq!(way.open(place, NOW, cell), Err(CellError::Replayed));
        }
    }
}

#[test]
fn a_circuit_that_was_forgotten_cannot_be_set_up_again_by_its_old_first_cell() {
    let mut way = way(2, 3);
    let cell = way.circuit.cell(NOW, b"once").unwrap();
    assert!(way.open(0, NOW, cell.clone()).is_ok());
    let later = NOW.plus(FRESH_MS + 60_000);
    way.nodes[0].1.expire(later);
    assert!(way.nodes[0].1.is_empty());
    assert_eq!(way.open(0, later, cell), Err(CellError::Stale));
}

#[test]
fn the_recipient_takes_what_a_neighbour_held_for_an_hour_and_not_longer() {
    let held = |millis: u64| {
        let mut way = way(1, 4);
        let cell = way.circuit.cell(NOW, b"held").unwrap();
        let cell = way.carry(cell, 1);
        way.open(1, NOW.plus(millis), cell).is_ok()
    };
    assert!(held(HOLD_MS));
    assert!(!held(HOLD_MS + FRESH_MS + 60_000));
}

#[test]
fn cells_that_overtake_each_other_are_each_taken_once() {
    let mut way = way(1, 5);
    let cells: Vec<Cell> = (0..40_u8)
        .map(|number| way.circuit.cell(NOW, &[number]).unwrap())
        .collect();
    let mut order: Vec<usize> = (1..40).rev().collect();
    order.insert(0, 0);
    for number in order {
        let payload = way.arrive(cells[number].clone());
        assert_eq!(usize::from(payload[0]), number);
    }
}

#[test]
fn a_layer_for_another_hop_is_refused() {
    let mut way = way(3, 6);
    let cell = way.circuit.cell(NOW, b"x").unwrap();
    assert_eq!(way.open(1, NOW, cell), Err(CellError::Refused));
}

#[test]
fn a_cell_before_its_circuit_is_unknown() {
    let mut way = way(2, 7);
    let _first = way.circuit.cell(NOW, b"x").unwrap();
    let second = way.circuit.cell(NOW, b"y").unwrap();
    assert_eq!(way.open(0, NOW, second), Err(CellError::UnknownCircuit));
}

#[test]
fn a_full_hop_refuses_new_circuits_until_one_was_unused_for_a_while() {
    let mut rng = Rng::from_seed([8; 32]);
    let relay = Identity::generate(&mut rng);
    let end = Identity::generate(&mut rng);
    let mut relays = Relays::new(4);
    let mut open = |now: UnixMillis| {
        let mut circuit = Circuit::new(&[hop(&relay), hop(&end)], &mut rng).unwrap();
        let cell = circuit.cell(now, b"").unwrap();
        relays.peel(&relay, now, cell).map(|_| ())
    };
    for _ in 0..4 {
        assert_eq!(open(NOW), Ok(()));
    }
    assert_eq!(open(NOW), Err(CellError::Full));
    assert_eq!(open(NOW.plus(30_000)), Ok(()));
    assert_eq!(relays.len(), 4);
}

#[test]
fn no_relay_finds_the_payload_or_a_node_but_the_next_in_what_it_reads() {
    let payload = b"a text that is long enough to be found wherever it stands";
    let mut way = way(5, 9);
    let ids: Vec<_> = way
        .nodes
        .iter()
        .map(|(id, _)| (id.node_id(), id.noise_key()))
        .collect();
    for _ in 0..2 {
        let mut cell = way.circuit.cell(NOW, payload).unwrap();
        for place in 0..5 {
            let seen = [cell.as_bytes().to_vec()];
            cell = way.carry_one(cell, place);
            let all = [seen[0].as_slice(), cell.as_bytes()];
            for bytes in all {
                assert!(!holds(bytes, payload));
                for (id, key) in &ids {
                    assert!(!holds(bytes, id.as_bytes()) && !holds(bytes, key.as_bytes()));
                }
            }
        }
    }
}

impl Way {
    fn carry_one(&mut self, cell: Cell, place: usize) -> Cell {
        match self.open(place, NOW, cell) {
            Ok(Peeled::Onward { cell, .. }) => cell,
            other => panic!("{other:?}"),
        }
    }
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whoever alters a byte before a hop is found out by that very hop.
    #[test]
    fn a_cell_with_any_byte_altered_is_detected_and_not_delivered(
        relays in 1..=MAX_RELAYS, at_hop: usize, number in 0..3_u8, place: usize, change in 1_u8..,
    ) {
        let mut way = way(relays, 10);
        for _ in 0..number {
            let cell = way.circuit.cell(NOW, b"before").unwrap();
            way.arrive(cell);
        }
        let cell = way.circuit.cell(NOW, b"altered").unwrap();
        let at_hop = at_hop % (relays + 1);
        let cell = way.carry(cell, at_hop);
        let mut bytes = cell.as_bytes().to_vec();
        let place = place % bytes.len();
        bytes[place] ^= change;
        let altered = Cell::from_bytes(&bytes).unwrap();
        prop_assert!(way.open(at_hop, NOW, altered).is_err());
        // And the one that was not altered still goes through.
        prop_assert!(way.open(at_hop, NOW, cell).is_ok());
    }

    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), CELL_BYTES)) {
        let mut way = way(1, 11);
        let cell = Cell::from_bytes(&bytes).unwrap();
        prop_assert!(way.open(0, NOW, cell).is_err());
        prop_assert_eq!(Cell::from_bytes(&bytes[1..]), None);
    }
}

/// Bytes of cells of every length of route, one after another: all of them, but of first cells, which cost
/// a key agreement each, every seventh.
#[test]
fn each_single_byte_counts_at_the_first_hop_and_at_the_last() {
    for relays in 1..=MAX_RELAYS {
        for at_hop in [0, relays] {
            for number in 0..2 {
                let mut way = way(relays, 12);
                if number > 0 {
                    let cell = way.circuit.cell(NOW, b"before").unwrap();
                    way.arrive(cell);
                }
                let cell = way.circuit.cell(NOW, b"altered").unwrap();
                let cell = way.carry(cell, at_hop);
                for place in (0..CELL_BYTES).step_by(if number == 0 { 7 } else { 1 }) {
                    let mut bytes = cell.as_bytes().to_vec();
                    bytes[place] ^= 1;
                    let altered = Cell::from_bytes(&bytes).unwrap();
                    assert!(way.open(at_hop, NOW, altered).is_err(), "byte {place}");
                }
            }
        }
    }
}
