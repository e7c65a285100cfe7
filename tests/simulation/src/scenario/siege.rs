//! Hostile nodes where the attacker wants them: with ids near a place, from few networks or many, with
//! and without join work.

use std::net::Ipv4Addr;
use std::sync::Arc;

use nanonet::{Misroute, Point, Role, Who};

use super::Reported;
use super::trial::Trial;
use crate::world::Place;

/// Where an attacker's node comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// One of so many networks that all belong to the attacker.
    Farm(u8),
    /// A network of its own.
    Own,
}

impl<C: Reported> Trial<C> {
    /// A hostile browser whose id shares `bits` bits with `point`, with work if `paid`.
    pub fn add_hostile(&mut self, point: &Point, bits: u16, paid: bool, network: Network) -> Place {
        let place = self.world.add_with(Role::Browser, |world, identity| {
            let near = point.distance(&identity.node_id().point()).shared_bits() >= bits;
            near && (!paid || world.has_paid(identity))
        });
        if !paid {
            self.world.idle.insert(place);
        }
        if let Network::Farm(networks) = network {
            let [low, ..] = place.to_le_bytes();
            let address = Ipv4Addr::new(203, 0, low % networks.max(1), low);
            self.world.addresses.insert(place, address.into());
        }
        self.turn(place);
        place
    }

    /// Lets hostile nodes hold nothing; half of them pass nothing on, the others name only each other.
    pub fn conspire(&mut self, crowd: &[Place]) {
        let named: Arc<[Who]> = crowd
            .iter()
            .map(|place| self.world.node(*place).contact())
            .collect();
        for (number, place) in crowd.iter().enumerate() {
            let node = self.world.node_mut(*place);
            node.withhold();
            node.misroute(if number % 2 == 0 {
                Misroute::Drop
            } else {
                Misroute::Forge(named.clone())
            });
        }
    }

    /// Lets them dial the bridges, a few at a time.
    pub fn let_in(&mut self, crowd: &[Place]) {
        for (number, place) in crowd.iter().enumerate() {
            let anchors = self.anchors();
            if let Some(bridge) = anchors.get(number % anchors.len().max(1)) {
                self.world.dial(*place, *bridge);
            }
            self.world.run(10);
        }
    }
}
