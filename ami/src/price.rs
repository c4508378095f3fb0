//! Prices: a file that is part of the program, or another one of the same form. What has no price
//! is `None`, never nothing.
//!
//! To add a price: a line in `ami/prices.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use gild::platform::fs::read_capped;
use serde::Deserialize;

use crate::fleet::{Fleet, Snapshot, Volume};
use crate::plan::{Action, Plan};

/// The prices that the program has with it.
const BUILT_IN: &str = include_str!("../prices.toml");

/// No file of prices is larger.
const LARGEST: u64 = 1 << 20;

/// A file of prices that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// It cannot be read.
    #[error("failed to read the prices in '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not in the form of ami/prices.toml.
    #[error("failed to understand the prices, which must be in the form of ami/prices.toml")]
    Parse(#[source] Box<toml::de::Error>),
    /// A figure makes no sense.
    #[error("the prices make no sense: '{0}' must be a number that is not negative")]
    Figure(String),
}

/// Prices by name.
type ByName = BTreeMap<String, f64>;

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
    /// Spot instances.
    pub spot: Spot,
    /// Volumes.
    pub volume: Volumes,
    /// Snapshots, by tier.
    pub snapshot: Table<ByName>,
    /// Instances on demand, by type and hour.
    pub instance: Table<ByName>,
}

/// What a spot instance costs of the price on demand.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    /// Where prices are published.
    pub source: String,
    /// Whether they were compared with that.
    pub verified: bool,
    /// On an average.
    pub ratio: f64,
}

/// Prices by region.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table<T> {
    /// Where they are published.
    pub source: String,
    /// Whether they were compared with that.
    pub verified: bool,
    /// The prices.
    pub region: BTreeMap<String, T>,
}

/// Prices of volumes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volumes {
    /// Where they are published.
    pub source: String,
    /// Whether they were compared with that.
    pub verified: bool,
    /// Operations a second that are paid for with the size.
    #[serde(default)]
    pub free_iops: ByName,
    /// MiB a second that are.
    #[serde(default)]
    pub free_throughput: ByName,
    /// The prices.
    pub region: BTreeMap<String, VolumeRates>,
}

/// Prices of volumes in a region, by type.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeRates {
    /// By the GiB and month.
    pub gib: ByName,
    /// By the operation a second and month.
    #[serde(default)]
    pub iops: ByName,
    /// By the MiB a second and month.
    #[serde(default)]
    pub throughput: ByName,
}

impl Prices {
    /// Those of a file, or those that the program has with it.
    pub fn open(path: Option<&Path>) -> Result<Self, PricesError> {
        let Some(path) = path else { return Self::parse(BUILT_IN) };
        let failed = |source| PricesError::Read { path: path.to_owned(), source };
        let bytes = read_capped(path, LARGEST).map_err(failed)?;
        let bytes = bytes.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let text =
            String::from_utf8(bytes).map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))?;
        Self::parse(&text)
    }

    /// Reads prices.
    pub fn parse(text: &str) -> Result<Self, PricesError> {
        let prices: Self =
            toml::from_str(text).map_err(|error| PricesError::Parse(Box::new(error)))?;
        let wrong = prices.figures().find(|(_, figure)| !figure.is_finite() || *figure < 0.0);
        match wrong.map(|(name, _)| name) {
            Some(name) => Err(PricesError::Figure(name)),
            None => Ok(prices),
        }
    }

    fn figures(&self) -> impl Iterator<Item = (String, f64)> {
        let by_name = |all: &ByName| all.clone().into_iter();
        let tables = self.snapshot.region.values().chain(self.instance.region.values());
        let rates = self.volume.region.values();
        let of_volumes = rates.flat_map(|it| [&it.gib, &it.iops, &it.throughput]);
        let free = [&self.volume.free_iops, &self.volume.free_throughput];
        let alone = [("hours_a_month", self.hours_a_month), ("spot.ratio", self.spot.ratio)];
        let alone = alone.map(|(name, figure)| (name.to_owned(), figure));
        tables.chain(of_volumes).chain(free).flat_map(by_name).chain(alone)
    }

    fn here<'a, T>(&'a self, all: &'a BTreeMap<String, T>, region: &str) -> Option<&'a T> {
        all.get(region).or_else(|| all.get(&self.default_region))
    }

    /// Whether a region's prices are another's.
    pub fn stands_in(&self, region: &str) -> bool {
        !self.instance.region.contains_key(region)
    }

    /// An instance, by the month.
    pub fn instance(&self, region: &str, kind: &str, is_spot: bool) -> Option<f64> {
        let hour = self.here(&self.instance.region, region)?.get(kind)?;
        let ratio = if is_spot { self.spot.ratio } else { 1.0 };
        Some(hour * self.hours_a_month * ratio)
    }

    /// A volume, by the month.
    pub fn volume(&self, region: &str, volume: &Volume) -> Option<f64> {
        let rates = self.here(&self.volume.region, region)?;
        let kind = volume.kind.as_str();
        let size = volume.size_gib as f64 * rates.gib.get(kind)?;
        let beyond = |amount: Option<u32>, free: &ByName, rates: &ByName| {
            let free = free.get(kind).copied().unwrap_or_default();
            let beyond = (amount.map(f64::from).unwrap_or_default() - free).max(0.0);
            rates.get(kind).map_or(0.0, |rate| beyond * rate)
        };
        let iops = beyond(volume.iops, &self.volume.free_iops, &rates.iops);
        let more = beyond(volume.throughput, &self.volume.free_throughput, &rates.throughput);
        Some(size + iops + more)
    }

    /// A snapshot, by the month: at most, because nobody says how much of its volume it holds.
    pub fn snapshot(&self, region: &str, snapshot: &Snapshot) -> Option<f64> {
        let rate = self.here(&self.snapshot.region, region)?.get(&snapshot.tier)?;
        Some(snapshot.size_gib as f64 * rate)
    }

    /// Says in a plan what each thing that goes costs a month, where that is known.
    #[must_use]
    pub fn mark(&self, mut plan: Plan, fleet: &Fleet) -> Plan {
        let region = plan.place.as_ref().map(|place| place.region.clone()).unwrap_or_default();
        for step in &mut plan.steps {
            step.monthly_usd = match &step.action {
                Action::DeleteSnapshot { snapshot } => fleet
                    .snapshots
                    .iter()
                    .find(|it| it.id == *snapshot)
                    .and_then(|it| self.snapshot(&region, it)),
                Action::DeleteVolume { volume } => fleet
                    .volumes
                    .iter()
                    .find(|it| it.id == *volume)
                    .and_then(|it| self.volume(&region, it)),
                Action::TerminateInstance { instance } => fleet
                    .instances
                    .iter()
                    .find(|it| it.id == *instance && it.state == "running")
                    .and_then(|it| self.instance(&region, &it.instance_type, it.is_spot)),
                _ => None,
            };
        }
        plan
    }

    /// Where the prices are published, and which of that nobody has verified.
    pub fn sources(&self) -> BTreeSet<String> {
        let all = [
            (&self.spot.source, self.spot.verified),
            (&self.volume.source, self.volume.verified),
            (&self.snapshot.source, self.snapshot.verified),
            (&self.instance.source, self.instance.verified),
        ];
        let shown = |(source, verified): (&String, bool)| match verified {
            true => source.clone(),
            false => format!("{source} (not verified)"),
        };
        all.into_iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(kind: &str, size_gib: u64, iops: Option<u32>, throughput: Option<u32>) -> Volume {
        Volume { kind: kind.to_owned(), size_gib, iops, throughput, ..Volume::default() }
    }

    #[test]
    fn what_is_beyond_the_free_part_of_a_volume_is_paid_for() {
        let prices = Prices::open(None).expect("prices");
        let of = |volume: &Volume| prices.volume("us-east-1", volume).expect("a price");
        assert!((of(&volume("gp3", 100, Some(3000), Some(125))) - 8.0).abs() < 1e-9);
        assert!((of(&volume("gp3", 100, Some(4000), Some(225))) - (8.0 + 5.0 + 4.0)).abs() < 1e-9);
        assert!((of(&volume("io1", 10, Some(100), None)) - (1.25 + 6.5)).abs() < 1e-9);
        assert_eq!(prices.volume("us-east-1", &volume("gp9", 1, None, None)), None);
    }

    #[test]
    fn what_has_no_price_is_none_and_a_region_without_prices_has_the_default_ones() {
        let prices = Prices::open(None).expect("prices");
        assert_eq!(prices.instance("us-east-1", "x9.huge", false), None);
        assert_eq!(
            prices.instance("sa-east-1", "t3.small", false),
            prices.instance("us-east-1", "t3.small", false)
        );
        assert!(prices.stands_in("sa-east-1") && !prices.stands_in("eu-west-1"));
        let whole = prices.instance("eu-west-1", "t3.small", false).expect("a price");
        let spot = prices.instance("eu-west-1", "t3.small", true).expect("a price");
        assert!((spot / whole - 0.33).abs() < 1e-9);
    }

    #[test]
    fn prices_that_make_no_sense_are_refused() {
        assert!(Prices::parse("").is_err());
        let negative = BUILT_IN.replace("ratio = 0.33", "ratio = -1.0");
        assert!(matches!(Prices::parse(&negative), Err(PricesError::Figure(_))));
        let other = BUILT_IN.replace("hours_a_month", "hours_a_week");
        assert!(matches!(Prices::parse(&other), Err(PricesError::Parse(_))));
    }
}
