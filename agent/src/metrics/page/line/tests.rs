#![allow(clippy::unwrap_used)]
use super::*;

fn sample(line: &str) -> Measured<'_> {
    match read(line) {
        Ok(Line::Sample(measured)) => measured,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_line_has_a_name_labels_a_value_and_perhaps_a_time() {
    for (line, name, labels, value, timed) in [
        ("up 1", "up", &[][..], 1.0, false),
        ("\tup\t 1.5e3  ", "up", &[], 1500.0, false),
        ("a:b{} -1 -1700000000000", "a:b", &[], -1.0, true),
        ("x {b = \"2\" , a=\"1\",} 7", "x", &[("a", "1"), ("b", "2")], 7.0, false),
        ("x{none=\"\"}7", "x", &[], 7.0, false),
        ("x{q=\"a\\\\b\\\"c\\nd} 9\"} 7", "x", &[("q", "a\\b\"c\nd} 9")], 7.0, false),
        ("x{q=\"é,=#\"} +Inf", "x", &[("q", "é,=#")], f64::INFINITY, false),
        ("x -Inf 5", "x", &[], f64::NEG_INFINITY, true),
    ] {
        let found = sample(line);
        let pairs: Vec<_> = found.labels.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!((found.name, &*pairs, found.value, found.timed), (name, labels, value, timed));
    }
    assert!(sample("x NaN").value.is_nan());
}

#[test]
fn a_comment_says_nothing_unless_it_is_a_type() {
    for line in ["", "  ", "#", "# HELP x y", "# EOF", "#TYPEx", "# typed x y", "## TYPE x counter"]
    {
        assert_eq!(read(line), Ok(Line::Nothing), "{line}");
    }
    for (word, kind) in [
        ("counter", Type::Counter),
        ("gauge", Type::Gauge),
        ("untyped", Type::Gauge),
        ("histogram", Type::Histogram),
        ("summary", Type::Summary),
    ] {
        assert_eq!(read(&format!("# TYPE  x_y\t{word} ")), Ok(Line::Type("x_y", kind)));
    }
    for line in ["# TYPE x", "# TYPE x info", "# TYPE x counter y", "# TYPE 9 counter"] {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn what_is_not_in_the_format_is_a_fault() {
    for line in [
        "x",
        "x ",
        "9x 1",
        "{a=\"b\"} 1",
        "x{a=\"b\"}",
        "x{a=\"b\"",
        "x{a=\"b} 1",
        "x{a=b} 1",
        "x{a} 1",
        "x{,} 1",
        "x{a=\"b\",,} 1",
        "x{a=\"b\" c=\"d\"} 1",
        "x{a=\"b\",a=\"c\"} 1",
        "x{a=\"\",a=\"\"} 1",
        "x{a-b=\"c\"} 1",
        "x{__name__=\"y\"} 1",
        "x{a=\"\\t\"} 1",
        "x{a=\"\\",
        "x one",
        "x 1,5",
        "x 0x10",
        "x 1e999",
        "x 1 1.5",
        "x 1 2 3",
        "x 1 # {trace_id=\"7\"} 1",
        "<html>",
        "x 1\r",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn labels_are_few_and_short() {
    let many = |count: usize| {
        let labels: Vec<_> = (0..count).map(|label| format!("l{label}=\"x\"")).collect();
        format!("x{{{}}} 1", labels.join(","))
    };
    assert_eq!(sample(&many(MOST_LABELS)).labels.len(), MOST_LABELS);
    assert!(read(&many(MOST_LABELS + 1)).is_err());
    let long = |name: usize, value: usize| {
        format!("x{{{}=\"{}\"}} 1", "n".repeat(name), "v".repeat(value))
    };
    assert!(read(&long(LONGEST_NAME, LONGEST_VALUE)).is_ok());
    assert!(read(&long(LONGEST_NAME + 1, 1)).is_err());
    assert!(read(&long(1, LONGEST_VALUE + 1)).is_err());
    assert!(read(&format!("{} 1", "x".repeat(LONGEST_NAME + 1))).is_err());
}
