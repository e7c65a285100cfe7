//! Replays every decoder's corpus, `fuzz/corpus/DECODER/`. Files named `seed-good-*` have to be
//! accepted and `seed-bad-*` refused; whatever else a fuzzer left there is replayed as well.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A decoder as its crate lists it: the name of its folder, itself.
type Listed = (&'static str, fn(&[u8]) -> bool);

/// The same after the module that fuzz targets know it by.
type Decoder = (&'static str, &'static str, fn(&[u8]) -> bool);

/// The decoders of every crate.
fn decoders() -> Vec<Decoder> {
    let of = |module, decoders: &[Listed]| {
        let all = decoders.iter().copied();
        all.map(|(name, decode)| (module, name, decode))
            .collect::<Vec<_>>()
    };
    [
        of("nano", &crate::nano::DECODERS),
        of("overlay", &nanonet::decoders::DECODERS),
        of("bridge", &bridge_server::decoders::DECODERS),
    ]
    .concat()
}

/// The folder of the fuzz targets.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// A decoder's part of the corpus.
pub(crate) fn corpus(decoder: &str) -> PathBuf {
    folder().join("corpus").join(decoder)
}

/// Names and contents of the files in a folder.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    files
        .map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect()
}

#[test]
fn good_seeds_are_accepted_and_bad_ones_refused() {
    for (_, decoder, decode) in decoders() {
        let mut seen = [0, 0];
        for (name, bytes) in files(&corpus(decoder)) {
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

/// How many places of a seed are tried: fewer where each costs milliseconds.
fn places(decoder: &str) -> usize {
    match decoder {
        // A slow hash.
        "mnemonic" => 8,
        // A handshake, or a whole node with one.
        "handshake" | "link" | "node" => 20,
        _ => 200,
    }
}

#[test]
fn seeds_cut_short_or_with_a_flipped_bit_panic_nowhere() {
    for (_, decoder, decode) in decoders() {
        for (_, bytes) in files(&corpus(decoder)) {
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

/// Targets call decoders as `MODULE::DECODER(bytes)`.
#[test]
fn every_decoder_is_called_by_exactly_one_fuzz_target() {
    let targets = files(&folder().join("fuzz_targets"));
    let sources: Vec<String> = targets
        .into_iter()
        .map(|(_, source)| String::from_utf8(source).unwrap())
        .collect();
    for (module, decoder, _) in decoders() {
        let call = format!(" {module}::{decoder}(bytes);");
        let calls = sources.iter().map(|source| source.matches(&call).count());
        assert_eq!(calls.sum::<usize>(), 1, "calls of{call}");
    }
}

#[test]
fn the_corpus_is_small_and_every_kept_seed_is_replayed() {
    let known: BTreeSet<&str> = decoders().iter().map(|(_, decoder, _)| *decoder).collect();
    let mut kept = 0;
    for entry in fs::read_dir(folder().join("corpus")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // A fuzzer's own finds lie in folders of targets.
        for (seed, bytes) in files(&path) {
            if seed.starts_with("seed-") {
                kept += bytes.len();
                assert!(known.contains(name), "{path:?} has no decoder");
            }
        }
    }
    assert!(kept < 512 * 1024, "{kept} bytes are no small corpus");
}
