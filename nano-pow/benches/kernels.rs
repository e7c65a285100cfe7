//! Every engine of this processor beside the published hash functions, in one thread.
//!
//! `cargo bench -p nano-pow` prints a table, with `-- --json` one line for `npm run bench -- pow-native`.
//! All take turns in slices too short for a busy machine to interrupt most of them; a figure is the median of its
//! slices, its spread half the distance between the quartiles.

use std::hint::black_box;
use std::time::{Duration, Instant};

use blake2::digest::consts::U8;
use blake2::{Blake2b, Digest};
use nano_pow::{Engine, Kernel};

const ROOT: [u8; 32] = [0x5a; 32];
/// No nonce reaches it within the run.
const NEVER: u64 = u64::MAX;
const TURNS: usize = 301;
const SLICE: Duration = Duration::from_millis(4);
/// Hashes between two looks at the clock.
const BATCH: u32 = 2_000;

/// One way to hash: tries the nonces from the first argument on, `BATCH` of them.
struct Contender {
    name: &'static str,
    search: Box<dyn Fn(u64) -> Option<u64>>,
    /// Million hashes per second in each slice.
    rates: Vec<f64>,
}

impl Contender {
    fn new(name: &'static str, search: impl Fn(u64) -> Option<u64> + 'static) -> Self {
        let search = Box::new(search);
        let rates = Vec::new();
        Self {
            name,
            search,
            rates,
        }
    }

    fn slice(&mut self) {
        let begin = Instant::now();
        let mut hashes = 0;
        while begin.elapsed() < SLICE {
            black_box((self.search)(black_box(hashes)));
            hashes += u64::from(BATCH);
        }
        let seconds = begin.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "far fewer than 2^52 hashes")]
        self.rates.push(hashes as f64 / seconds / 1e6);
    }

    /// Value below which the given share of the slices lies.
    fn quantile(&self, share: usize, of: usize) -> f64 {
        let mut sorted = self.rates.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) * share / of]
    }

    fn median(&self) -> f64 {
        self.quantile(1, 2)
    }
}

fn contenders() -> Vec<Contender> {
    let mut all = vec![
        Contender::new("blake2", |start| {
            (start..start + u64::from(BATCH)).find(|nonce| {
                let digest: [u8; 8] = Blake2b::<U8>::new()
                    .chain_update(nonce.to_le_bytes())
                    .chain_update(ROOT)
                    .finalize()
                    .into();
                u64::from_le_bytes(digest) == NEVER
            })
        }),
        Contender::new("blake2b_simd", |start| {
            let mut parameters = blake2b_simd::Params::new();
            parameters.hash_length(8);
            let mut message = [0x5a; 40];
            (start..start + u64::from(BATCH)).find(|nonce| {
                message[..8].copy_from_slice(&nonce.to_le_bytes());
                parameters.hash(&message).as_bytes() == NEVER.to_le_bytes()
            })
        }),
    ];
    let kernel = Kernel::new(&ROOT);
    all.extend(Engine::available().map(|engine| {
        let kernel = kernel.clone();
        Contender::new(engine.name(), move |start| {
            kernel.first_with(engine, NEVER, start, BATCH)
        })
    }));
    all
}

fn main() {
    let mut all = contenders();
    for contender in &mut all {
        contender.slice();
        contender.rates.clear();
    }
    for _ in 0..TURNS {
        all.iter_mut().for_each(Contender::slice);
    }
    if std::env::args().any(|argument| argument == "--json") {
        let rates: Vec<_> = all
            .iter()
            .map(|each| format!("\"{}\":{}", each.name, each.median()))
            .collect();
        println!("{{{}}}", rates.join(","));
        return;
    }
    let reference = all[0].median();
    println!("one thread, medians of {TURNS} slices");
    for each in &all {
        let spread = (each.quantile(3, 4) - each.quantile(1, 4)) / 2.0;
        let (name, median) = (each.name, each.median());
        let ratio = median / reference;
        println!("{name:<12} {median:6.2} MH/s ± {spread:.2}  {ratio:.2} × blake2");
    }
}
