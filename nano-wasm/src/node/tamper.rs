//! Making the node lie, for tests of those it meets, and looking at what it sees. Never in the published
//! package.

use std::rc::Rc;

use nano_core::{NanoSeed, Raw, WeightTable};
use nanonet::adversary::Tamper;
use nanonet::onion::{Glimpse, Measured};
use nanonet::testing::TestKeys;
use serde::Serialize;

use super::driver::Driver;
use crate::fault::Fault;

/// The public seed of the development network's representatives; see the crate `dev-node`.
const SEED: [u8; 32] = *b"nanonet development public seed!";
const REPRESENTATIVES: u32 = 12;
/// Cells of one turn of a measurement, which takes some tenths of a second; turns; and circuits that lead
/// through the node besides.
const CELLS: usize = 20_000;
const TURNS: usize = 9;
const CIRCUITS: usize = 1_000;

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

/// Something that was seen of a cell, bytes as hex.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum GlimpseReply {
    Handed {
        from: String,
        to: String,
        cell: String,
    },
    Peeled {
        next: String,
        before: String,
        after: String,
    },
}

/// Cells per second.
#[derive(Serialize)]
struct CellsReply {
    hop: f64,
    cipher: f64,
}

impl Driver {
    /// What the node saw of others' cells since the last time.
    pub(super) fn glimpses(&self, id: u64) {
        let state = &mut *self.state.borrow_mut();
        let seen = state.node.take_glimpses();
        state.node.watch_cells();
        let seen = seen.into_iter().filter_map(|glimpse| match glimpse {
            Glimpse::Handed { from, to, cell } => Some(GlimpseReply::Handed {
                from: from.to_string(),
                to: to.to_string(),
                cell: hex::encode(cell.as_bytes()),
            }),
            Glimpse::Peeled {
                before,
                next,
                after,
            } => Some(GlimpseReply::Peeled {
                next: next.to_string(),
                before: hex::encode(before.as_bytes()),
                after: hex::encode(after.as_bytes()),
            }),
            Glimpse::Made(_) | Glimpse::Ended(_) => None,
        });
        self.page.result(id, &seen.collect::<Vec<_>>());
    }

    /// How many cells per second a hop works off here, beside the cipher alone.
    pub(super) fn measure_cells(&self, id: u64) {
        let Some(mut measured) = Measured::new(CIRCUITS) else {
            return;
        };
        let (mut hops, mut ciphers) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            measured.prepare(CELLS);
            hops.push(rate(|| measured.hop()));
            ciphers.push(rate(|| measured.cipher()));
        }
        let reply = CellsReply {
            hop: median(hops),
            cipher: median(ciphers),
        };
        self.page.result(id, &reply);
    }
}

/// Done per second, by the browser's clock.
fn rate(work: impl FnOnce() -> usize) -> f64 {
    let begin = js_sys::Date::now();
    let done = u32::try_from(work()).unwrap_or(u32::MAX);
    f64::from(done) * 1_000.0 / (js_sys::Date::now() - begin).max(1.0)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
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
