//! Replays the corpus of this crate's decoders.

#[cfg(test)]
#[path = "../../fuzz/src/replay.rs"]
#[allow(unreachable_pub)]
mod replay;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use nanonet::decoders::{DECODERS, seeds};

    use crate::replay;

    #[test]
    fn good_seeds_are_accepted_and_bad_ones_refused() {
        replay::seeds_are_judged_rightly(&DECODERS);
    }

    #[test]
    fn seeds_cut_short_or_with_a_flipped_bit_panic_nowhere() {
        // A handshake, or a whole node with one, costs milliseconds each.
        replay::damage_panics_nowhere(&DECODERS, |decoder| match decoder {
            "handshake" | "link" | "node" => 20,
            _ => 200,
        });
    }

    #[test]
    fn every_decoder_is_fuzzed() {
        replay::every_decoder_has_its_target("decoders", &DECODERS);
    }

    /// Also keeps the protocol's encodings from changing by accident. After a change that is
    /// meant, `WRITE_SEEDS=1 cargo test -p nanonet --test corpus` writes them anew.
    #[test]
    fn the_kept_seeds_are_what_the_encoders_write() {
        let write = std::env::var_os("WRITE_SEEDS").is_some();
        let mut names = BTreeSet::new();
        for seed in seeds() {
            let folder = replay::folder().join("corpus").join(seed.decoder);
            let path = folder.join(format!("seed-{}", seed.name));
            if write {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &seed.bytes).unwrap();
            }
            let kept = fs::read(&path).unwrap_or_default();
            assert!(
                kept == seed.bytes,
                "{path:?} differs; see this test's comment"
            );
            assert!(names.insert(path), "two seeds of one name");
        }
        for (decoder, _) in DECODERS {
            for (name, _) in replay::corpus(decoder) {
                let path = replay::folder().join("corpus").join(decoder).join(&name);
                let known = names.contains(&path) || !name.starts_with("seed-");
                assert!(known, "{path:?} is not written any more; remove it");
            }
        }
    }
}
