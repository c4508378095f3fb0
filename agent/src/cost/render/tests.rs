#![allow(clippy::unwrap_used)]
use super::super::bill::tests::{lean, scale};
use super::super::bill::{self, Sent};
use super::super::comparison::{Bills, Comparison};
use super::super::usage::Usage;
use super::*;

#[test]
fn numbers_have_commas_at_thousands() {
    let all = [0.0, 999.0, 43_800.0, 1_000_000.0, 5.206, 1234.5, 54_321.2, -262.0, -8_760.5];
    let texts =
        ["0", "999", "43,800", "1,000,000", "5.21", "1,234.50", "54,321", "-262", "-8,760.50"];
    assert_eq!(all.map(number), texts.map(str::to_owned));
    assert_eq!([0.3, 0.01, 0.002, 3.0].map(price), ["0.30", "0.01", "0.002", "3.00"]);
}

#[test]
fn names_from_outside_cannot_disguise_themselves() {
    let sent: [Sent; 1] = [("a\u{1b}[2J\nb".to_owned(), "cloudwatch", lean())];
    let prices = Prices::built_in().unwrap();
    let text = render(&bill::of(&sent, &prices, &scale(1.0)), &prices, &scale(1.0));
    assert!(!text.contains('\u{1b}') && text.contains("[2J b"), "{text}");
}

#[test]
fn what_has_no_known_price_is_said_to_be_missing_in_the_sum() {
    let amp = Usage { tariff: Some("amp"), ..lean() };
    let prices = Prices::built_in().unwrap();
    let bills = |usage| Bills::of(&[("a".to_owned(), "x", usage)], &prices, &scale(1.0));
    let text = Comparison::of(bills(lean()), Some(bills(amp))).text(&prices, &scale(1.0), "amp");
    assert!(text.contains("no price is known; give it with --prices, from https://"), "{text}");
    assert!(text.contains("in all: $0.00, and what has no known price"), "{text}");
    assert!(text.contains("$ of one host   1.94    0.00 and more  not known"), "{text}");
    assert!(!text.contains("-0"), "{text}");
}
