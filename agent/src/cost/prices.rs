//! The prices: a file that is part of the program, or another one of the same form.
//!
//! To add a tariff: a table in config/prices.toml, and a sink whose usage names it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The prices that the program has with it.
const BUILT_IN: &str = include_str!("../../../config/prices.toml");

/// A file of prices that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It is not in the form of config/prices.toml.
    #[error("failed to read the prices")]
    Parse(#[source] Box<toml::de::Error>),
    /// A figure makes no sense.
    #[error("the prices make no sense: '{key}' {expected}")]
    Figure {
        /// The key.
        key: String,
        /// What would be right.
        expected: &'static str,
    },
}

/// What is counted, and has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Metrics, each for a month.
    Metrics,
    /// Calls.
    Requests,
    /// Values that are taken in.
    Samples,
    /// 10⁹ bytes that are taken in.
    Gigabytes,
}

impl Unit {
    /// The word for so many of them.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Metrics => "metrics",
            Unit::Requests => "requests",
            Unit::Samples => "samples",
            Unit::Gigabytes => "GB",
        }
    }
}

/// All prices, in US dollars.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The day of which they are.
    pub date: String,
    /// The region whose prices stand for those of regions without any.
    pub default_region: String,
    /// How many hours a month has.
    pub hours_a_month: f64,
    /// By name.
    pub tariff: BTreeMap<String, Tariff>,
}

/// The prices of one service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// What is billed.
    pub about: String,
    /// Where the prices are published.
    pub source: String,
    /// Whether they were compared with that on the day of the file.
    pub verified: bool,
    /// How much of what is free for an account and a month.
    #[serde(default)]
    pub free: BTreeMap<Unit, f64>,
    /// By region.
    #[serde(default)]
    pub region: BTreeMap<String, Rates>,
}

/// The prices of one region.
pub type Rates = BTreeMap<Unit, Vec<Tier>>;

/// A price that holds up to a number of things.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The last thing that costs this; nothing in the last tier.
    pub up_to: Option<f64>,
    /// The price.
    pub usd: f64,
    /// How many things that is for; one where nothing is said.
    pub per: Option<f64>,
}

impl Tier {
    /// How many things the price is for.
    pub fn per(&self) -> f64 {
        self.per.unwrap_or(1.0)
    }

    /// The things of so many that lie in this tier, which begins at `start`.
    pub fn part(&self, count: f64, start: f64) -> f64 {
        (count.min(self.up_to.unwrap_or(f64::INFINITY)) - start).max(0.0)
    }
}

/// What so many things cost.
pub fn usd(tiers: &[Tier], count: f64) -> f64 {
    steps(tiers, count).map(|(tier, part)| part / tier.per() * tier.usd).sum()
}

/// The tiers in which so many things lie, and how many in each.
pub fn steps(tiers: &[Tier], count: f64) -> impl Iterator<Item = (&Tier, f64)> {
    let starts = std::iter::once(0.0).chain(tiers.iter().filter_map(|tier| tier.up_to));
    let parts = tiers.iter().zip(starts).map(move |(tier, start)| (tier, tier.part(count, start)));
    parts.filter(|(_, part)| *part > 0.0)
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
        let wrong = |key: &str, expected| PricesError::Figure { key: key.to_owned(), expected };
        if !(1.0..=744.0).contains(&prices.hours_a_month) {
            return Err(wrong("hours_a_month", "must be from 1 to 744"));
        }
        for (name, tariff) in &prices.tariff {
            if !tariff.free.values().copied().all(is_amount) {
                return Err(wrong(&format!("tariff.{name}.free"), NOT_BELOW_ZERO));
            }
            if !tariff.region.is_empty() && !tariff.region.contains_key(&prices.default_region) {
                return Err(wrong(
                    &format!("tariff.{name}.region"),
                    "must have the default region",
                ));
            }
            for (region, rates) in &tariff.region {
                for (unit, tiers) in rates {
                    let key = || format!("tariff.{name}.region.{region}.{}", unit.word());
                    check(tiers).map_err(|expected| wrong(&key(), expected))?;
                }
            }
        }
        Ok(prices)
    }

    /// The prices of a tariff in a region, and the region that has them: its own, or the
    /// default one. Nothing where none are known.
    pub fn rates<'a>(&'a self, tariff: &str, region: &'a str) -> Option<(&'a str, &'a Rates)> {
        let rows = &self.tariff.get(tariff)?.region;
        [region, &self.default_region]
            .into_iter()
            .find_map(|region| rows.get(region).map(|rates| (region, rates)))
            .filter(|(_, rates)| !rates.is_empty())
    }
}

const NOT_BELOW_ZERO: &str = "must be a number that is not below zero";

fn is_amount(figure: f64) -> bool {
    figure.is_finite() && figure >= 0.0
}

fn check(tiers: &[Tier]) -> Result<(), &'static str> {
    if !tiers.iter().all(|tier| is_amount(tier.usd)) {
        return Err(NOT_BELOW_ZERO);
    }
    if !tiers.iter().all(|tier| tier.per().is_finite() && tier.per() > 0.0) {
        return Err("must have no 'per' of zero or less");
    }
    let ends: Vec<f64> = tiers.iter().map(|tier| tier.up_to.unwrap_or(f64::INFINITY)).collect();
    let rises = ends.is_sorted_by(|a, b| a < b) && ends.first().is_some_and(|end| *end > 0.0);
    match ends.last() == Some(&f64::INFINITY) && rises {
        true => Ok(()),
        false => Err("must rise, and its last entry must have no 'up_to'"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tiers_apply_to_what_lies_in_them() {
        let prices = Prices::built_in().unwrap();
        let (_, rates) = prices.rates("cloudwatch", "us-east-1").unwrap();
        let metrics = |count| usd(&rates[&Unit::Metrics], count);
        assert_eq!(metrics(5.0), 1.5);
        assert_eq!(metrics(10_000.0), 3000.0);
        assert_eq!(metrics(10_010.0), 3001.0);
        let all = 3000.0 + 24_000.0 + 37_500.0 + 20.0;
        assert!((metrics(1_001_000.0) - all).abs() < 1e-6);
        assert_eq!(metrics(0.0), 0.0);
        assert!((usd(&rates[&Unit::Requests], 43_800.0) - 0.438).abs() < 1e-12);
    }

    #[test]
    fn a_region_without_a_row_has_the_prices_of_the_default_one() {
        let row = "[tariff.cloudwatch.region.eu-west-1]\nmetrics = [{ usd = 0.5 }]\n\n[tariff.amp]";
        let prices = Prices::parse(&BUILT_IN.replace("[tariff.amp]", row)).unwrap();
        let region = |wanted| prices.rates("cloudwatch", wanted).unwrap().0;
        assert_eq!([region("eu-west-1"), region("ap-east-1")], ["eu-west-1", "us-east-1"]);
        assert_eq!(prices.rates("amp", "us-east-1"), None, "no price is known");
        assert_eq!(prices.rates("nonsense", "us-east-1"), None);
    }

    #[test]
    fn every_tariff_says_where_its_prices_are_published_and_none_is_called_verified() {
        let prices = Prices::built_in().unwrap();
        assert!(prices.tariff.values().all(|tariff| tariff.source.starts_with("https://")));
        assert!(prices.tariff.values().all(|tariff| !tariff.verified));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        assert!(prices.date.split('-').count() == 3 && prices.date.split('-').all(digits));
    }

    #[test]
    fn prices_that_make_no_sense_are_refused() {
        let wrong = |from: &str, to: &str| {
            assert!(BUILT_IN.contains(from), "{from}");
            let error = Prices::parse(&BUILT_IN.replace(from, to)).unwrap_err();
            crate::platform::error::chain_text(&error)
        };
        assert!(wrong("usd = 0.30", "usd = -0.30").contains("us-east-1.metrics' must be a number"));
        assert!(wrong("usd = 0.30", "usd = nan").contains("must be a number"));
        assert!(wrong("usd = 0.30", "usd = 'x'").contains("failed to read the prices"));
        assert!(wrong("up_to = 10_000,", "up_to = 300_000,").contains("must rise"));
        assert!(wrong("    { usd = 0.02 },\n", "").contains("no 'up_to'"));
        assert!(wrong("per = 1_000 ", "per = 0 ").contains("no 'per' of zero"));
        assert!(wrong("metrics = 10,", "metrics = -1,").contains("cloudwatch.free"));
        assert!(wrong("hours_a_month = 730", "hours_a_month = 9000").contains("from 1 to 744"));
        assert!(wrong("region.us-east-1]", "region.eu-west-1]").contains("the default region"));
        assert!(wrong("\ndefault_region", "\nregoin").contains("regoin"));
    }
}
