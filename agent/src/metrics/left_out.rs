//! What a sink leaves out because it may send no more metrics, for those who look for it.

use serde::{Deserialize, Serialize};

/// Metrics that are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub names: Vec<String>,
}

impl LeftOut {
    /// The most names that are kept.
    const NAMES: usize = 10;

    /// So many, of which the first are told by name.
    pub fn of(count: usize, names: impl Iterator<Item = String>) -> Self {
        Self { count: count as u64, names: names.take(Self::NAMES).collect() }
    }

    /// The names, and how many more there are.
    pub fn text(&self) -> String {
        let names = self.names.join(", ");
        match self.count.saturating_sub(self.names.len() as u64) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_told_by_name_and_the_rest_counted() {
        let of = |count: usize| LeftOut::of(count, (0..count).map(|it| format!("m{it}")));
        assert_eq!(of(2).text(), "m0, m1");
        let many = of(5000);
        assert_eq!((many.count, many.names.len()), (5000, 10));
        assert!(many.text().ends_with("m9 and 4990 more"));
    }
}
