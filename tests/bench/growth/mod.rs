//! What the daemon costs as the host has more of what it measures, and a start as there is more to
//! configure: whether that grows in a straight line.
//!
//! Of the daemon each tick is a round, with all that comes each second: pages are fetched, services
//! looked at, the tick sent over plain HTTP. Of a configuration each round is a process.
//!
//! What grows is in `loads` and `documents`, what a line is in `line`, and `plot` draws it all.

mod documents;
mod host;
mod line;
mod loads;
mod plot;
mod receiver;

use std::path::Path;

use self::documents::PARTS;
pub(crate) use self::line::MOST;
use self::line::Point;
use self::loads::LOADS;
pub(crate) use self::plot::plots;
use crate::rows::{Row, median};

const BENCHMARK: &str = "growth";

pub(crate) fn run(gild: &Path) {
    for load in LOADS {
        let mut all = [
            Measure::new(load.name, "CPU a tick", "ms"),
            Measure::new(load.name, "RSS", "KiB"),
            Measure::new(load.name, "anonymous memory", "KiB"),
        ];
        for count in load.counts {
            let seen = load.host(*count).measure(gild);
            let rounds = [seen.cpu_ms, seen.rss_kib, seen.anonymous_kib];
            for (measure, values) in all.iter_mut().zip(rounds) {
                measure.add(*count, *count > load.most, values);
            }
        }
        all.iter().for_each(Measure::judge);
    }
    for part in PARTS {
        let mut all = [
            Measure::new(part.name, "CPU of a start", "ms"),
            Measure::new(part.name, "instructions of a start", ""),
        ];
        for count in part.counts {
            let (cpu, instructions) = part.measure(gild, *count);
            for (measure, values) in all.iter_mut().zip([cpu, instructions]) {
                measure.add(*count, false, values);
            }
        }
        all.iter().for_each(Measure::judge);
    }
}

/// One cost, as one thing grows.
struct Measure {
    of: &'static str,
    name: &'static str,
    unit: &'static str,
    points: Vec<Point>,
}

impl Measure {
    fn new(of: &'static str, name: &'static str, unit: &'static str) -> Self {
        Self { of, name, unit, points: Vec::new() }
    }

    fn row(&self, name: String, unit: &'static str, values: Vec<f64>) {
        Row { benchmark: BENCHMARK, name, unit, values, base: None }.print();
    }

    /// What so many cost.
    fn add(&mut self, count: usize, is_refused: bool, values: Vec<f64>) {
        let name = format!("{}, {count} {}", self.name, self.of);
        if is_refused {
            self.row(format!("{name}, which are refused"), self.unit, values);
            return;
        }
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let noise = sorted[sorted.len() * 3 / 4] - sorted[sorted.len() / 4];
        self.points.push(Point { count: count as f64, value: median(&values), noise });
        self.row(name, self.unit, values);
    }

    /// Says whether it grows in a line.
    fn judge(&self) {
        let pairs: Vec<_> = self.points.iter().map(|point| (point.count, point.value)).collect();
        let line = line::fitted(&pairs);
        let growth = line::growth(&self.points);
        let verdict = if growth <= MOST { "linear" } else { "not linear" };
        let (name, of, unit) = (self.name, self.of, self.unit);
        self.row(format!("growth of {name}, {of}"), "", vec![growth]);
        println!(
            "  {verdict}: at the greatest count one costs {growth:.2} times what it costs at the \
             middle one, at most {MOST}\n  {:.4} {unit} and {:.6} {unit} for each of the {of}, at \
             most {:.0} % off; exponent {:.2} in the upper half",
            line.anyway,
            line.each,
            100.0 * line::residual(&pairs, line),
            line::exponent(&pairs),
        );
    }
}
