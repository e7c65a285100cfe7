use nano_core::{AmountError, Raw};
use proptest::prelude::*;

#[test]
fn nano_texts_are_exact() {
    for (text, raw) in [
        ("0", 0),
        ("1", Raw::NANO.number()),
        ("1.", Raw::NANO.number()),
        (".5", Raw::NANO.number() / 2),
        ("0.000000000000000000000000000001", 1),
        ("00012.50", 25 * Raw::NANO.number() / 2),
        ("340282366.920938463463374607431768211455", u128::MAX),
    ] {
        assert_eq!(Raw::from_nano_text(text), Ok(Raw::new(raw)), "{text}");
    }
    assert_eq!(
        Raw::new(1).to_nano_text(),
        "0.000000000000000000000000000001"
    );
    assert_eq!(Raw::NANO.to_nano_text(), "1");
    assert_eq!(
        Raw::MAX.to_nano_text(),
        "340282366.920938463463374607431768211455"
    );
}

#[test]
fn what_is_no_amount_is_refused_with_its_reason() {
    let digit = |character, position| AmountError::Digit {
        character,
        position,
    };
    for (text, reason) in [
        ("", AmountError::Empty),
        (".", AmountError::Empty),
        ("-1", digit('-', 0)),
        ("+1", digit('+', 0)),
        ("1e3", digit('e', 1)),
        ("1,5", digit(',', 1)),
        ("1 000", digit(' ', 1)),
        ("1.2.3", AmountError::SecondPoint),
        (
            "0.0000000000000000000000000000001",
            AmountError::TooManyDecimals { found: 31 },
        ),
        (
            "340282366.920938463463374607431768211456",
            AmountError::TooLarge,
        ),
        ("340282367", AmountError::TooLarge),
    ] {
        assert_eq!(Raw::from_nano_text(text), Err(reason), "{text}");
    }
    let endless = "9".repeat(100_000);
    assert_eq!(Raw::from_nano_text(&endless), Err(AmountError::TooLarge));
    for (text, reason) in [
        ("", AmountError::Empty),
        ("01", AmountError::LeadingZero),
        ("+1", digit('+', 0)),
        ("1.5", digit('.', 1)),
        (
            "340282366920938463463374607431768211456",
            AmountError::TooLarge,
        ),
    ] {
        assert_eq!(text.parse::<Raw>(), Err(reason), "{text}");
    }
    assert_eq!(Raw::from_hex(""), Err(AmountError::Empty));
    assert_eq!(Raw::from_hex("0x1"), Err(digit('x', 1)));
    assert_eq!(Raw::from_hex(&"1".repeat(33)), Err(AmountError::TooLarge));
}

#[test]
fn sums_and_differences_never_wrap() {
    assert_eq!(Raw::MAX.checked_add(Raw::new(1)), None);
    assert_eq!(Raw::ZERO.checked_sub(Raw::new(1)), None);
    assert_eq!(Raw::new(2).checked_add(Raw::new(3)), Some(Raw::new(5)));
    assert_eq!(Raw::new(5).checked_sub(Raw::new(3)), Some(Raw::new(2)));
}

proptest! {
    #[test]
    fn every_text_form_reads_back(number: u128) {
        let raw = Raw::new(number);
        prop_assert_eq!(raw.to_string().parse(), Ok(raw));
        prop_assert_eq!(Raw::from_nano_text(&raw.to_nano_text()), Ok(raw));
        prop_assert_eq!(Raw::from_hex(&raw.to_hex()), Ok(raw));
        prop_assert_eq!(Raw::from_bytes(raw.to_bytes()), raw);
    }

    #[test]
    fn a_nano_text_has_no_needless_characters(number: u128) {
        let text = Raw::new(number).to_nano_text();
        prop_assert!(!text.ends_with('.'));
        prop_assert!(!text.contains('.') || !text.ends_with('0'));
        prop_assert!(!text.starts_with('0') || text == "0" || text.starts_with("0."));
    }

    #[test]
    fn no_text_panics_the_readers(text: String) {
        let _ = text.parse::<Raw>();
        let _ = Raw::from_hex(&text);
        if let Ok(raw) = Raw::from_nano_text(&text) {
            prop_assert_eq!(Raw::from_nano_text(&raw.to_nano_text()), Ok(raw));
        }
    }
}
