//! Replays the corpus of this crate's decoders.

#[cfg(test)]
#[path = "../../fuzz/src/nano.rs"]
#[allow(unreachable_pub)]
mod nano;
#[cfg(test)]
#[path = "../../fuzz/src/replay.rs"]
#[allow(unreachable_pub)]
mod replay;

#[cfg(test)]
mod tests {
    use crate::nano::DECODERS;
    use crate::replay;

    #[test]
    fn good_seeds_are_accepted_and_bad_ones_refused() {
        replay::seeds_are_judged_rightly(&DECODERS);
    }

    #[test]
    fn seeds_cut_short_or_with_a_flipped_bit_panic_nowhere() {
        // Mnemonics cost a slow hash each.
        replay::damage_panics_nowhere(&DECODERS, |decoder| match decoder {
            "mnemonic" => 8,
            _ => 200,
        });
    }

    #[test]
    fn every_decoder_is_fuzzed() {
        replay::every_decoder_has_its_target("nano", &DECODERS);
    }
}
