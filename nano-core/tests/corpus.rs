//! Replays the fuzz corpus on stable Rust, through the functions the fuzz targets call.
//!
//! In `fuzz/corpus/TARGET/` files named `seed-good-*` have to be accepted and `seed-bad-*` refused;
//! whatever else a fuzzer leaves there is replayed as well.

#[cfg(test)]
#[path = "../../fuzz/src/nano.rs"]
#[allow(unreachable_pub)]
mod nano;

#[cfg(test)]
mod replay {
    use std::fs;
    use std::path::{Path, PathBuf};

    use crate::nano::DECODERS;

    fn fuzz() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
    }

    /// Names and contents of a target's corpus.
    fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
        let folder = fuzz().join("corpus").join(target);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
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
        for (target, decode) in DECODERS {
            let mut seen = [0, 0];
            for (name, bytes) in corpus(target) {
                let accepted = decode(&bytes);
                for (index, (prefix, expected)) in [("seed-good-", true), ("seed-bad-", false)]
                    .into_iter()
                    .enumerate()
                {
                    if name.starts_with(prefix) {
                        seen[index] += 1;
                        assert_eq!(accepted, expected, "{target}/{name}");
                    }
                }
            }
            assert!(
                seen.iter().all(|count| *count > 0),
                "{target} lacks seeds: {seen:?}"
            );
        }
    }

    #[test]
    fn seeds_cut_short_or_with_a_flipped_bit_panic_nowhere() {
        for (target, decode) in DECODERS {
            for (name, bytes) in corpus(target) {
                // A few hundred places per seed; mnemonics cost a slow hash each.
                let places = if target == "mnemonic" { 8 } else { 200 };
                let step = bytes.len().div_ceil(places).max(1);
                for place in (0..bytes.len()).step_by(step) {
                    decode(&bytes[..place]);
                    let mut damaged = bytes.clone();
                    damaged[place] ^= 1 << (place % 8);
                    decode(&damaged);
                }
                assert!(!name.is_empty());
            }
        }
    }

    #[test]
    fn every_decoder_has_its_target_and_every_target_its_decoder() {
        let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
        let (_, targets) = manifest.split_once("[[bin]]").unwrap();
        let targets: Vec<_> = targets
            .lines()
            .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
            .collect();
        let decoders: Vec<_> = DECODERS.iter().map(|(name, _)| *name).collect();
        assert_eq!(targets, decoders);
        for name in decoders {
            let path = fuzz().join(format!("fuzz_targets/{name}.rs"));
            let source = fs::read_to_string(path).unwrap();
            assert!(source.contains(&format!("nano::{name}(bytes)")), "{name}");
        }
    }
}
