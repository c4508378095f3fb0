//! What a benchmark has found: a line for people, and one for `BENCHMARKS.md`, which is made of the
//! file that `GILD_BENCH_ROWS` names.
//!
//! Every figure is the median of its rounds, with the least and the greatest beside it.

use std::fs::File;
use std::io::Write;

use serde_json::json;

/// One thing that was measured, once in each round.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The benchmark.
    pub(crate) benchmark: &'static str,
    /// What was measured of whom.
    pub(crate) name: String,
    /// What it is counted in.
    pub(crate) unit: &'static str,
    /// One for each round.
    pub(crate) values: Vec<f64>,
    /// What the median is divided by: gild's own figure, where something stands beside it.
    pub(crate) base: Option<f64>,
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Row {
    /// Says it, and keeps it where that is wanted.
    pub(crate) fn print(&self) {
        let middle = median(&self.values);
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let ratio = self.base.map(|base| middle / base);
        let shown = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let spread = format!("{}–{}", short(least), short(greatest));
        println!(
            "{:<44} {:>10} {:<6} {spread:>19} {shown:>9}",
            self.name,
            short(middle),
            self.unit
        );
        let Some(path) = std::env::var_os("GILD_BENCH_ROWS") else { return };
        let row = json!({
            "benchmark": self.benchmark,
            "name": self.name,
            "unit": self.unit,
            "median": middle,
            "min": least,
            "max": greatest,
            "rounds": self.values.len(),
            "ratio": ratio,
        });
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        writeln!(file, "{row}").unwrap();
    }
}

/// Three digits that say something.
fn short(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
