//! Making the node lie, for tests of those it meets. Never in the published package.

use std::rc::Rc;

use nano_core::{NanoSeed, Raw, WeightTable};
use nanonet::adversary::Tamper;
use nanonet::testing::TestKeys;

use super::driver::Driver;
use crate::fault::Fault;

/// The public seed of the development network's representatives; see the crate `dev-node`.
const SEED: [u8; 32] = *b"nanonet development public seed!";
const REPRESENTATIVES: u32 = 12;

impl Driver {
    /// Makes the node lie in the named way, or with `none` not at all.
    pub(super) fn tamper(self: &Rc<Self>, id: u64, how: &str) {
        match (how, Tamper::from_name(how)) {
            ("none", _) => self.state.borrow_mut().node.stop_lying(),
            (_, Some(kind)) => {
                let keys = development_keys();
                self.state.borrow_mut().node.lie(kind, keys);
            }
            (_, None) => {
                let fault = Fault {
                    code: "bad-lie",
                    message: format!("{how:?} is no kind of lie that this build knows"),
                };
                self.page.error(id, &fault);
                return;
            }
        }
        self.page.result(id, &());
        self.pump();
    }
}

/// The keys of the development network's representatives, which are public: with them a lie can
/// carry votes that really are theirs.
fn development_keys() -> TestKeys {
    let seed = NanoSeed::from_bytes(SEED);
    let keys: Vec<_> = (0..REPRESENTATIVES)
        .map(|index| seed.private_key(index))
        .collect();
    let weights = WeightTable {
        weights: keys.iter().map(|key| (key.account(), Raw::NANO)).collect(),
        ..TestKeys::new().weights().clone()
    };
    TestKeys::with(keys, weights)
}
