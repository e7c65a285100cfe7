//! How many cells per second a hop works off in one thread, beside plain ChaCha20-Poly1305 over the same
//! text. Both take turns; a figure is the median of its turns.
//!
//! `cargo bench -p nanonet --bench cells -- --json` prints one line for `npm run bench -- messages`.

use std::time::Instant;

use nanonet::onion::Measured;

const TURNS: usize = 41;
const CELLS: usize = 2_000;
/// Circuits that lead through a busy bridge besides.
const CIRCUITS: usize = 4_000;

#[allow(clippy::cast_precision_loss, reason = "a few thousand")]
fn rate(work: impl FnOnce() -> usize) -> f64 {
    let begin = Instant::now();
    let done = work();
    done as f64 / begin.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let Some(mut measured) = Measured::new(CIRCUITS) else {
        eprintln!("the circuits could not be made");
        return;
    };
    let (mut hops, mut ciphers) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        measured.prepare(CELLS);
        hops.push(rate(|| measured.hop()));
        ciphers.push(rate(|| measured.cipher()));
    }
    let (hop, cipher) = (median(hops), median(ciphers));
    if std::env::args().any(|argument| argument == "--json") {
        println!("{{\"hop\":{hop:.0},\"cipher\":{cipher:.0}}}");
    } else {
        println!("{hop:.0} cells per second at a hop, {cipher:.0} texts with the cipher alone");
    }
}
