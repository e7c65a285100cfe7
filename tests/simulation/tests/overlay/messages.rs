//! Private messages and the registry between whole nodes.

use nanonet::onion::{Outbound, SendFailure, USUAL_RELAYS};
use nanonet::registry::{Attribute, LookupError, Registration, Service, ServiceFilter};
use nanonet::{Event, Input, NodeKey, RequestId, Role};
use simulation::world::Place;

use crate::World;

/// A meshed world in which these browsers have registered.
fn registered(seed: u64, browsers: usize, which: &[usize]) -> (World, Vec<Place>) {
    let mut world = World::meshed(seed, browsers);
    let places = world.browsers();
    let places: Vec<Place> = which.iter().map(|index| places[*index]).collect();
    for place in &places {
        world.input(*place, Input::Register(Box::default()));
    }
    world.run(30_000);
    (world, places)
}

fn key(world: &World, place: Place) -> NodeKey {
    world.status(place).key
}

fn send(world: &mut World, from: Place, to: NodeKey, number: u64, body: &[u8]) {
    let message = Box::new(Outbound {
        to,
        name: number,
        body: body.to_vec(),
        relays: USUAL_RELAYS,
        patience_ms: 60_000,
    });
    let request = RequestId(number);
    world.input(from, Input::Send { request, message });
}

fn received(world: &World, place: Place) -> Vec<Vec<u8>> {
    let events = world.events(place);
    events
        .filter_map(|event| match event {
            Event::Message(message) => Some(message.body.clone()),
            _ => None,
        })
        .collect()
}

fn outcome(world: &World, place: Place, number: u64) -> Option<Result<(), SendFailure>> {
    world.events(place).find_map(|event| match event {
        Event::Sent { request, result } if request.0 == number => Some(*result),
        _ => None,
    })
}

#[test]
fn a_long_message_arrives_whole_and_its_sender_is_told() {
    let (mut world, places) = registered(60, 16, &[1, 5]);
    let [a, b] = places[..] else { panic!() };
    let long: Vec<u8> = (0..8_000_u32).map(|byte| (byte % 251) as u8).collect();
    let to = key(&world, b);
    send(&mut world, a, to, 1, &long);
    world.run(20_000);
    assert_eq!(received(&world, b), [long]);
    assert_eq!(outcome(&world, a, 1), Some(Ok(())));
}

#[test]
fn a_message_sent_again_under_its_name_comes_once_and_both_times_its_sender_is_told() {
    let (mut world, places) = registered(68, 16, &[1, 5]);
    let [a, b] = places[..] else { panic!() };
    let to = key(&world, b);
    for request in [1, 2] {
        let message = Box::new(Outbound {
            to,
            name: 77,
            body: b"once".to_vec(),
            relays: USUAL_RELAYS,
            patience_ms: 60_000,
        });
        let request = RequestId(request);
        world.input(a, Input::Send { request, message });
        world.run(10_000);
    }
    send(&mut world, a, to, 3, b"another");
    world.run(10_000);
    assert_eq!(received(&world, b), [b"once".to_vec(), b"another".to_vec()]);
    assert!((1..=3).all(|number| outcome(&world, a, number) == Some(Ok(()))));
}

#[test]
fn a_node_without_a_record_writes_and_is_answered() {
    let (mut world, places) = registered(61, 16, &[5]);
    let b = places[0];
    let a = world.browsers()[1];
    let (to, back) = (key(&world, b), key(&world, a));
    send(&mut world, a, to, 1, b"question");
    world.run(8_000);
    assert_eq!(outcome(&world, a, 1), Some(Ok(())));
    send(&mut world, b, back, 1, b"answer");
    world.run(8_000);
    assert_eq!(received(&world, a), [b"answer".to_vec()]);
}

#[test]
fn a_message_for_a_node_that_is_away_waits_at_its_neighbours_until_it_is_back() {
    let (mut world, places) = registered(62, 16, &[1, 5]);
    let [a, b] = places[..] else { panic!() };
    let to = key(&world, b);
    world.stop(b);
    world.run(20_000);
    send(&mut world, a, to, 1, b"while you were away");
    world.run(62_000);
    assert_eq!(outcome(&world, a, 1), Some(Err(SendFailure::Unanswered)));
    world.start(b);
    world.dial(b, 0);
    world.run(60_000);
    assert_eq!(received(&world, b), [b"while you were away".to_vec()]);
}

#[test]
fn an_unknown_key_is_an_error_for_who_looks_it_up_and_for_who_writes_to_it() {
    let (mut world, places) = registered(63, 10, &[1]);
    let a = places[0];
    let stranger = NodeKey::from_bytes([7; 32]);
    send(&mut world, a, stranger, 1, b"hello?");
    let request = RequestId(2);
    let key = stranger;
    world.input(a, Input::LookUp { request, key });
    world.run(10_000);
    let unknown = LookupError::UnknownKey;
    let told = outcome(&world, a, 1);
    assert_eq!(told, Some(Err(SendFailure::Unknown(unknown))));
    let found = world.events(a).find_map(|event| match event {
        Event::KeyFound { result, .. } => Some(result.as_ref().err().copied()),
        _ => None,
    });
    assert_eq!(found, Some(Some(unknown)));
}

#[test]
fn a_key_is_found_with_ranked_routes_two_of_which_share_no_relay() {
    let (mut world, places) = registered(64, 24, &[1, 9]);
    let [a, b] = places[..] else { panic!() };
    let (request, key) = (RequestId(1), key(&world, b));
    world.input(a, Input::LookUp { request, key });
    world.run(5_000);
    let found = world.events(a).find_map(|event| match event {
        Event::KeyFound { result, .. } => result.as_ref().ok().cloned(),
        _ => None,
    });
    let found = found.unwrap();
    assert_eq!(found.record.key, key);
    assert!(found.routes.len() >= 2, "{:?}", found.routes);
    // Few guards, and the recipient's few doors: a third route may have to share one of them.
    let apart = found.routes.iter().enumerate().any(|(number, one)| {
        let others = &found.routes[number + 1..];
        others
            .iter()
            .any(|other| !one.hops.iter().any(|hop| other.hops.contains(hop)))
    });
    assert!(apart, "{:?}", found.routes);
    let mut ranked: Vec<u16> = found.routes.iter().map(|route| route.reliability).collect();
    ranked.reverse();
    assert!(ranked.is_sorted());
}

#[test]
fn services_are_found_at_bridges_by_kind_and_attributes() {
    let (mut world, places) = registered(65, 10, &[1, 5]);
    let [a, b] = places[..] else { panic!() };
    let price = Attribute {
        name: "price".into(),
        value: "0".into(),
    };
    let services = vec![Service {
        kind: "work".into(),
        attributes: vec![price.clone()],
    }];
    let registration = Registration {
        services,
        ..Registration::default()
    };
    world.input(b, Input::Register(Box::new(registration)));
    world.run(10_000);
    let mut find = |number: u64, kind: &str, attributes: Vec<Attribute>| {
        let filter = Box::new(ServiceFilter {
            kind: kind.into(),
            attributes,
        });
        let request = RequestId(number);
        world.input(a, Input::FindServices { request, filter });
        world.run(3_000);
        let found = world.events(a).find_map(|event| match event {
            Event::ServicesFound { request, records } if request.0 == number => {
                Some(records.iter().map(|record| record.key).collect::<Vec<_>>())
            }
            _ => None,
        });
        found.unwrap()
    };
    assert_eq!(find(1, "work", vec![price]).len(), 1);
    assert_eq!(find(2, "bridge", Vec::new()).len(), 0);
}

#[test]
fn whoever_joins_later_holds_a_part_of_the_registry_too() {
    let (mut world, _) = registered(66, 8, &[0, 1, 2, 3]);
    let newcomer = world.add(Role::Browser);
    world.dial(newcomer, 0);
    world.run(30_000);
    assert!(world.node(newcomer).keys_held() > 0);
}
