//! Whether a cost grows in a straight line with what it is the cost of.
//!
//! A line is one where a unit at the greatest count costs at most `MOST` times what it costs at the
//! middle one. From both is taken what the least count costs, which is there anyway. What the rounds
//! of one count differ by is granted: a cost that hardly grows is no curve for its noise.

/// How much dearer a unit may be at the greatest count than at the middle one.
pub(crate) const MOST: f64 = 1.5;

/// What so many cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) count: f64,
    pub(crate) value: f64,
    /// How far the middle half of the rounds lie apart.
    pub(crate) noise: f64,
}

/// A cost that is there anyway, and one for each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) anyway: f64,
    pub(crate) each: f64,
}

impl Line {
    pub(crate) fn at(self, count: f64) -> f64 {
        self.anyway + self.each * count
    }
}

/// The line through counts and their values with the least squares, each as a share of its value:
/// otherwise the greatest would be all that counts.
pub(crate) fn fitted(points: &[(f64, f64)]) -> Line {
    let weighted = points.iter().map(|(count, value)| (1.0 / (value * value), *count, *value));
    straight(weighted.filter(|(weight, ..)| weight.is_finite()))
}

/// How far the value that is farthest from its line is from it, as a share of itself.
pub(crate) fn residual(points: &[(f64, f64)], line: Line) -> f64 {
    let off = |(count, value): &(f64, f64)| ((value - line.at(*count)) / value).abs();
    points.iter().map(off).filter(|off| off.is_finite()).fold(0.0, f64::max)
}

/// The exponent by which values grow in the upper half of the counts: 1 is a line, less has still
/// much that is there anyway, 2 is a square.
pub(crate) fn exponent(points: &[(f64, f64)]) -> f64 {
    let upper = &points[points.len() / 2..];
    let logs = upper.iter().map(|(count, value)| (1.0, count.ln(), value.ln()));
    straight(logs.filter(|(_, count, value)| count.is_finite() && value.is_finite())).each
}

/// What a unit costs at the greatest count, to what it costs at the middle one.
pub(crate) fn growth(points: &[Point]) -> f64 {
    let (Some(least), Some(greatest)) = (points.first(), points.last()) else { return f64::NAN };
    let middle = &points[points.len() / 2];
    let share = (greatest.count - least.count) / (middle.count - least.count);
    let noise = least.noise + middle.noise + greatest.noise;
    let grown = (greatest.value - least.value).max(0.0);
    let granted = (middle.value - least.value).max(0.0) * share + noise;
    if grown > 0.0 { grown / granted } else { 0.0 }
}

/// The line through points with the least squares, each by its weight.
fn straight(points: impl Iterator<Item = (f64, f64, f64)>) -> Line {
    let mut sums = [0.0; 5];
    for (weight, x, y) in points {
        for (sum, of) in sums.iter_mut().zip([1.0, x, y, x * x, x * y]) {
            *sum += weight * of;
        }
    }
    let [all, x, y, xx, xy] = sums;
    let each = (all * xy - x * y) / (all * xx - x * x);
    Line { anyway: (y - each * x) / all, each }
}
