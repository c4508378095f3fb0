//! Pictures of what was measured: one for each thing that grows, with a panel for each unit. A row is
//! a point, with a stroke from its least to its greatest round; the line is the one that is fitted.
//! Both axes are logarithmic, on which a line that begins at nothing rises by a decade a decade.
//!
//! The same rows give the same bytes: nothing but them is drawn.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::line::fitted;

/// Pixels: of a panel with what stands beside it, and of the space within.
const PANEL: (f64, f64) = (430.0, 330.0);
const LEFT: f64 = 70.0;
const TOP: f64 = 60.0;
const SPACE: (f64, f64) = (330.0, 210.0);
/// Told apart in grey as well.
const COLOURS: [&str; 2] = ["#1f5a8a", "#e0a13c"];
/// Places of the line that are joined.
const STEPS: u32 = 60;

/// What so many cost: the count, the median, the least and the greatest.
type Point = [f64; 4];

/// What is drawn into one panel: for each cost its points.
type Costs<'a> = BTreeMap<&'a str, Vec<Point>>;

/// Pictures of the rows of the benchmark, each with the name of its file.
pub(crate) fn plots(rows: &[Value]) -> Vec<(String, String)> {
    let mut all: BTreeMap<&str, BTreeMap<&str, Costs<'_>>> = BTreeMap::new();
    for row in rows {
        let Some((of, unit, cost, point)) = read(row) else { continue };
        let panel = all.entry(of).or_default().entry(unit).or_default();
        panel.entry(cost).or_default().push(point);
    }
    for points in all.values_mut().flat_map(BTreeMap::values_mut).flat_map(BTreeMap::values_mut) {
        points.sort_by(|one, other| one[0].total_cmp(&other[0]));
    }
    all.iter().map(|(of, panels)| (format!("{of}.svg"), picture(of, panels))).collect()
}

/// A row that says what so many cost, such as "RSS, 100 series".
fn read(row: &Value) -> Option<(&str, &str, &str, Point)> {
    let (cost, counted) = row["name"].as_str()?.rsplit_once(", ")?;
    let (count, of) = counted.split_once(' ')?;
    let number = |key: &str| row[key].as_f64();
    let point = [count.parse().ok()?, number("median")?, number("min")?, number("max")?];
    Some((of, row["unit"].as_str()?, cost, point))
}

fn picture(of: &str, panels: &BTreeMap<&str, Costs<'_>>) -> String {
    let (width, height) = (PANEL.0 * panels.len() as f64, PANEL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (at, (unit, costs)) in panels.iter().enumerate() {
        panel(&mut out, PANEL.0 * at as f64 + LEFT, of, unit, costs);
    }
    out + "</svg>\n"
}

fn panel(out: &mut String, left: f64, of: &str, unit: &str, costs: &Costs<'_>) {
    let points = || costs.values().flatten();
    // Nothing has no logarithm: it stands where half of the least would.
    let least = points().map(|point| point[0]).filter(|count| *count > 0.0).fold(1e9, f64::min);
    let counts = || points().map(|point| point[0].max(least / 2.0));
    let x = Scale::new(counts(), left, left + SPACE.0);
    let values = points().flat_map(|point| point[1..].iter().copied());
    let y = Scale::new(values.filter(|value| *value > 0.0), TOP + SPACE.1, TOP);
    let _ = writeln!(
        out,
        "<rect x=\"{left}\" y=\"{TOP}\" width=\"{}\" height=\"{}\" fill=\"none\" \
         stroke=\"#999999\"/>",
        SPACE.0, SPACE.1
    );
    for count in x.ticks() {
        let at = x.at(count);
        rule(out, (at, TOP), (at, TOP + SPACE.1));
        text(out, (at, TOP + SPACE.1 + 16.0), "middle", &short(count));
    }
    if points().any(|point| point[0] == 0.0) {
        text(out, (x.at(least / 2.0), TOP + SPACE.1 + 16.0), "middle", "0");
    }
    for value in y.ticks() {
        rule(out, (left, y.at(value)), (left + SPACE.0, y.at(value)));
        text(out, (left - 6.0, y.at(value) + 4.0), "end", &short(value));
    }
    text(out, (left + SPACE.0 / 2.0, TOP + SPACE.1 + 38.0), "middle", of);
    for (at, (cost, points)) in costs.iter().enumerate() {
        let (colour, above) = (COLOURS[at % COLOURS.len()], 20.0 + 16.0 * at as f64);
        let name = if unit.is_empty() { (*cost).to_owned() } else { format!("{cost}, {unit}") };
        let (dot, beside) = (above - 4.0, left + 12.0);
        let _ = writeln!(out, "<circle cx=\"{left}\" cy=\"{dot}\" r=\"4\" fill=\"{colour}\"/>");
        text(out, (beside, above), "start", &name);
        curve(out, colour, (&x, &y), points);
        for [count, median, least_round, greatest] in points {
            let at = x.at(count.max(least / 2.0));
            let _ = writeln!(
                out,
                "<line x1=\"{at:.1}\" y1=\"{:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\" \
                 stroke=\"{colour}\"/>\n\
                 <circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"/>",
                y.at(*least_round),
                y.at(*greatest),
                y.at(*median)
            );
        }
    }
}

/// The fitted line, which is bent where the axes are logarithmic.
fn curve(out: &mut String, colour: &str, (x, y): (&Scale, &Scale), points: &[Point]) {
    let line = fitted(&points.iter().map(|point| (point[0], point[1])).collect::<Vec<_>>());
    let mut path = String::new();
    for step in 0..=STEPS {
        let count = x.value(f64::from(step) / f64::from(STEPS));
        let value = line.at(count);
        if (y.least..=y.greatest).contains(&value) {
            let _ = write!(path, "{:.1},{:.1} ", x.at(count), y.at(value));
        }
    }
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-dasharray=\"5 3\"/>",
        path.trim_end()
    );
}

fn rule(out: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#e5e5e5\"/>",
        from.0, from.1, to.0, to.1
    );
}

/// What stands here is of this program, and has nothing that XML would take for its own.
fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, what: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>");
}

/// 20000 as 20k.
fn short(value: f64) -> String {
    let (value, letter) = match value {
        1e9.. => (value / 1e9, "G"),
        1e6.. => (value / 1e6, "M"),
        1e3.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{value}{letter}")
}

/// From values to pixels, by logarithms.
struct Scale {
    least: f64,
    greatest: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Wide enough for the values, and ending with figures that can be read.
    fn new(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let (least, greatest) = values.fold((f64::INFINITY, 0.0f64), |(least, greatest), it| {
            (least.min(it), greatest.max(it))
        });
        let below = figures().filter(|figure| *figure <= least).last().unwrap_or(least);
        let above = figures().find(|figure| *figure >= greatest).unwrap_or(greatest);
        Self { least: below, greatest: if above > below { above } else { 10.0 * below }, from, to }
    }

    /// Whole decades, and what lies between where there are few.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let many = self.greatest / self.least > 200.0;
        let plain = move |figure: &f64| !many || figure.log10().fract().abs() < 1e-9;
        let (least, greatest) = (self.least, self.greatest);
        figures().filter(move |figure| (least..=greatest).contains(figure)).filter(plain)
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value / self.least).ln() / (self.greatest / self.least).ln();
        self.from + (self.to - self.from) * share
    }

    /// The value at a share of the way.
    fn value(&self, share: f64) -> f64 {
        self.least * (self.greatest / self.least).powf(share)
    }
}

/// Figures that are read at a glance, the least first.
fn figures() -> impl Iterator<Item = f64> {
    (-3..13).flat_map(|decade| {
        // Not by a power of a tenth, of which there is none.
        let of = move |figure: i64| match u32::try_from(decade) {
            Ok(decade) => (figure * 10i64.pow(decade)) as f64,
            Err(_) => figure as f64 / 10f64.powi(-decade),
        };
        [1, 2, 5].map(of)
    })
}
