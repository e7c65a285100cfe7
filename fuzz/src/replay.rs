//! Replays the fuzz corpus on stable Rust, through the functions that the fuzz targets call.
//!
//! In `fuzz/corpus/DECODER/` files named `seed-good-*` have to be accepted and `seed-bad-*` refused;
//! whatever else a fuzzer leaves there is replayed as well. Each crate that has decoders includes
//! this file in a test.

use std::fs;
use std::path::{Path, PathBuf};

/// Decoders by the names of their folders, as their crates list them.
pub type Decoders<'a> = &'a [(&'a str, fn(&[u8]) -> bool)];

/// The folder of the fuzz targets.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Names and contents of a decoder's corpus.
pub fn corpus(decoder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(decoder);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect()
}

/// Good seeds are accepted, bad ones refused, and each decoder has both.
pub fn seeds_are_judged_rightly(decoders: Decoders<'_>) {
    for (decoder, decode) in decoders {
        let mut seen = [0, 0];
        for (name, bytes) in corpus(decoder) {
            let accepted = decode(&bytes);
            for (index, (prefix, expected)) in [("seed-good-", true), ("seed-bad-", false)]
                .into_iter()
                .enumerate()
            {
                if name.starts_with(prefix) {
                    seen[index] += 1;
                    assert_eq!(accepted, expected, "{decoder}/{name}");
                }
            }
        }
        assert!(
            seen.iter().all(|count| *count > 0),
            "{decoder} lacks seeds: {seen:?}"
        );
    }
}

/// Seeds cut short or with a flipped bit panic nowhere. `places` tells how many places of each
/// seed of a decoder are tried.
pub fn damage_panics_nowhere(decoders: Decoders<'_>, places: impl Fn(&str) -> usize) {
    for (decoder, decode) in decoders {
        for (_, bytes) in corpus(decoder) {
            let step = bytes.len().div_ceil(places(decoder)).max(1);
            for place in (0..bytes.len()).step_by(step) {
                decode(&bytes[..place]);
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << (place % 8);
                decode(&damaged);
            }
        }
    }
}

/// Every decoder is called by exactly one target, as `MODULE::DECODER(bytes)`.
pub fn every_decoder_has_its_target(module: &str, decoders: Decoders<'_>) {
    let targets: Vec<String> = fs::read_dir(folder().join("fuzz_targets"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for (decoder, _) in decoders {
        let call = format!("{module}::{decoder}(bytes)");
        let calls = targets.iter().filter(|source| source.contains(&call));
        assert_eq!(calls.count(), 1, "targets that call {call}");
    }
}
