//! The judge and the artist of the benchmark `growth`, which measures nothing here: what they make
//! of figures whose growth is known.

use proptest::prelude::*;
use serde_json::{Value, json};

use self::line::{MOST, Point, exponent, fitted, growth, residual};
use self::plot::plots;

#[path = "bench/growth/line.rs"]
mod line;
#[path = "bench/growth/plot.rs"]
mod plot;

const COUNTS: [f64; 5] = [100.0, 1_000.0, 10_000.0, 30_000.0, 100_000.0];

fn pairs(cost: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    COUNTS.map(|count| (count, cost(count))).into()
}

fn grown(cost: impl Fn(f64) -> f64, noise: f64) -> f64 {
    let point = |(count, value)| Point { count, value, noise };
    growth(&pairs(cost).into_iter().map(point).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn a_line_is_found_and_is_linear(anyway in 0.1f64..100.0, each in 1e-4f64..1.0) {
        let pairs = pairs(|count| anyway + each * count);
        let line = fitted(&pairs);
        prop_assert!((line.anyway / anyway - 1.0).abs() < 1e-3, "{line:?}");
        prop_assert!((line.each / each - 1.0).abs() < 1e-3, "{line:?}");
        prop_assert!(residual(&pairs, line) < 1e-3);
        prop_assert!(exponent(&pairs) < 1.001);
        let grown = grown(|count| anyway + each * count, 0.0);
        prop_assert!((grown - 1.0).abs() < 1e-6, "{grown}");
    }

    #[test]
    fn what_grows_faster_is_not_linear(anyway in 0.0f64..10.0, by in 1.3f64..3.0) {
        let cost = |count: f64| anyway + 1e-3 * count.powf(by);
        prop_assert!(grown(cost, 1e-3) > MOST);
        prop_assert!((exponent(&pairs(|count| count.powf(by))) - by).abs() < 1e-6);
    }

    #[test]
    fn what_does_not_grow_is_no_curve_for_its_noise(value in 1.0f64..10.0, off in 0.0f64..0.1) {
        // Half of the rounds lie within this.
        let cost = |count: f64| if count > 50_000.0 { value + off } else { value };
        prop_assert!(grown(cost, 0.1) <= MOST);
    }
}

#[test]
fn n_log_n_is_as_good_as_a_line() {
    assert!(grown(|count| count * count.ln(), 0.0) <= MOST);
}

fn row(name: &str, unit: &str, median: f64) -> Value {
    json!({ "benchmark": "growth", "name": name, "unit": unit, "median": median,
            "min": 0.9 * median, "max": 1.1 * median, "rounds": 7, "ratio": null })
}

fn rows() -> Vec<Value> {
    vec![
        row("CPU a tick, 0 labels", "ms", 1.0),
        row("CPU a tick, 10 labels", "ms", 2.0),
        row("RSS, 0 labels", "KiB", 8000.0),
        row("RSS, 10 labels", "KiB", 9000.0),
        row("CPU a tick, 50 labels, which are refused", "ms", 77.0),
        row("growth of CPU a tick, labels", "", 1.0),
        row("CPU of a start, 10 keys", "ms", 3.0),
    ]
}

#[test]
fn a_picture_has_a_point_for_each_row_that_counts_and_a_panel_for_each_unit() {
    let drawn = plots(&rows());
    let names: Vec<_> = drawn.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["keys.svg", "labels.svg"]);
    let labels = &drawn[1].1;
    // One more for each name.
    assert_eq!(labels.matches("<circle").count(), 4 + 2, "{labels}");
    assert_eq!(labels.matches("<polyline").count(), 2);
    assert_eq!(labels.matches("fill=\"none\" stroke=\"#999999\"").count(), 2);
    for said in [">CPU a tick, ms<", ">RSS, KiB<", ">labels<", ">0<", ">10<"] {
        assert!(labels.contains(said), "{said} {labels}");
    }
    assert!(!labels.contains("NaN") && !labels.contains("inf"), "{labels}");
}

#[test]
fn a_picture_is_the_same_for_the_same_rows_in_any_order() {
    let mut turned = rows();
    turned.rotate_left(4);
    assert_eq!(plots(&rows()), plots(&turned));
}

#[test]
fn points_stand_where_their_logarithms_are() {
    let at = |count: f64| -> f64 {
        let counts = [1.0, count, 100.0];
        let rows: Vec<_> =
            counts.iter().map(|count| row(&format!("RSS, {count} keys"), "KiB", *count)).collect();
        let (_, drawn) = &plots(&rows)[0];
        // The first is beside the name.
        let circle = drawn.split("<circle cx=\"").nth(3).unwrap();
        circle.split('"').next().unwrap().parse().unwrap()
    };
    assert!((at(10.0) - (at(1.0) + at(100.0)) / 2.0).abs() < 0.2);
}
