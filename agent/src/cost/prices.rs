//! The prices: a file that is part of the program, or another one of the same form.

use serde::Deserialize;

/// The prices that the program has with it.
const BUILT_IN: &str = include_str!("../../../config/prices.toml");

/// A file of prices that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It is not in the form of config/prices.toml.
    #[error("failed to read the prices")]
    Parse(#[source] Box<toml::de::Error>),
    /// A figure makes no sense.
    #[error("{0}")]
    Figure(&'static str),
}

/// All prices, in US dollars.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day of which they are.
    pub date: String,
    /// The region whose they are.
    pub region: String,
    /// CloudWatch's.
    pub cloudwatch: CloudWatchPrices,
}

/// Prices of CloudWatch's custom metrics.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudWatchPrices {
    /// Where they are published.
    pub source: String,
    /// Whether they were compared with that on `date`.
    pub verified: bool,
    /// How many hours a month has.
    pub hours_a_month: f64,
    /// A metric's price for a month, by how many the account has.
    pub metrics: Vec<Tier>,
    /// A thousand calls of PutMetricData.
    pub thousand_requests: f64,
    /// Metrics for which nothing is to be paid.
    pub free_metrics: f64,
    /// Calls for which nothing is to be paid.
    pub free_requests: f64,
}

/// A price that holds up to a number of things.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The last thing that costs this; nothing in the last tier.
    pub up_to: Option<f64>,
    /// The price of each.
    pub usd: f64,
}

impl Prices {
    /// Those that the program has with it.
    pub fn built_in() -> Result<Self, PricesError> {
        Self::parse(BUILT_IN)
    }

    /// Those of a file.
    pub fn parse(text: &str) -> Result<Self, PricesError> {
        let prices: Self =
            toml::from_str(text).map_err(|error| PricesError::Parse(Box::new(error)))?;
        let CloudWatchPrices { metrics, hours_a_month, thousand_requests, .. } = &prices.cloudwatch;
        let ends: Vec<f64> =
            metrics.iter().map(|tier| tier.up_to.unwrap_or(f64::INFINITY)).collect();
        let figures = metrics.iter().map(|tier| tier.usd).chain([*thousand_requests]);
        if !figures.into_iter().all(|usd| usd.is_finite() && usd >= 0.0) {
            return Err(PricesError::Figure("a price must be a number that is not below zero"));
        }
        if ends.last() != Some(&f64::INFINITY) || !ends.is_sorted_by(|a, b| a < b) {
            return Err(PricesError::Figure(
                "'cloudwatch.metrics' must rise, and its last entry must have no 'up_to'",
            ));
        }
        if !(1.0..=744.0).contains(hours_a_month) {
            return Err(PricesError::Figure("'cloudwatch.hours_a_month' must be up to 744"));
        }
        Ok(prices)
    }
}

impl CloudWatchPrices {
    /// What so many metrics cost a month.
    pub fn of_metrics(&self, count: f64) -> f64 {
        let mut below = 0.0;
        let mut usd = 0.0;
        for tier in &self.metrics {
            let end = tier.up_to.unwrap_or(f64::INFINITY);
            usd += (count.min(end) - below).max(0.0) * tier.usd;
            below = end;
        }
        usd
    }

    /// What so many calls cost.
    pub fn of_requests(&self, count: f64) -> f64 {
        count / 1000.0 * self.thousand_requests
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tiers_apply_to_what_lies_in_them() {
        let prices = Prices::built_in().unwrap().cloudwatch;
        assert_eq!(prices.of_metrics(5.0), 1.5);
        assert_eq!(prices.of_metrics(10_000.0), 3000.0);
        assert_eq!(prices.of_metrics(10_010.0), 3001.0);
        let all = 3000.0 + 24_000.0 + 37_500.0 + 20.0;
        assert!((prices.of_metrics(1_001_000.0) - all).abs() < 1e-6);
        assert_eq!(prices.of_requests(43_800.0), 0.438);
    }

    #[test]
    fn prices_that_make_no_sense_are_refused() {
        let wrong = |from: &str, to: &str| {
            let error = Prices::parse(&BUILT_IN.replace(from, to)).unwrap_err();
            crate::platform::error::chain_text(&error)
        };
        assert!(wrong("usd = 0.30", "usd = -0.30").contains("not below zero"));
        assert!(wrong("up_to = 10000,", "up_to = 300000,").contains("must rise"));
        assert!(wrong("{ usd = 0.02 },", "").contains("no 'up_to'"));
        assert!(wrong("hours_a_month = 730", "hours_a_month = 9000").contains("up to 744"));
        assert!(wrong("region", "regoin").contains("regoin"));
    }
}
