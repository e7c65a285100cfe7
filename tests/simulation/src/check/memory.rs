//! No node holds more than its limits.

use nanonet::Crypto;

use super::Violations;
use crate::world::{Place, World};

/// The checker's name.
pub const NAME: &str = "memory";

/// Looks into every node.
pub fn look<C: Crypto>(world: &World<C>, honest: &[Place], broken: &mut Violations) {
    for place in honest {
        for over in world.node(*place).over_limits() {
            broken.add(world.now, NAME, || {
                let (what, held, most) = (over.what, over.held, over.most);
                format!("node {place} holds {held} of {what}, at most {most} are allowed")
            });
        }
    }
}
