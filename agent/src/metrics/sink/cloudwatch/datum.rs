//! Gathers the values of each metric over a minute into one datum: the samples
//! of a minute cost as much as one, and CloudWatch still knows each of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::limits;
use super::schema::Unit;
use crate::platform::clock;

/// One metric. The order of metrics is that of the fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// The place of the pattern that includes it.
    pub place: usize,
    /// The name.
    pub name: &'static str,
    /// The dimensions of its own.
    pub about: Vec<(&'static str, Arc<str>)>,
    /// What it counts.
    pub unit: Unit,
}

/// The values of one metric in one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric.
    pub metric: Metric,
    /// The start of the minute.
    pub at: SystemTime,
    /// The distinct values, and how often each occurred.
    pub values: Vec<(f64, u32)>,
}

/// Minutes that are being filled.
#[derive(Debug, Default)]
pub struct Minutes {
    minutes: BTreeMap<u64, BTreeMap<Metric, Vec<(f64, u32)>>>,
    newest: Option<u64>,
}

const MINUTE: u64 = 60;

impl Minutes {
    /// Adds a value that was measured at a moment.
    pub fn add(&mut self, at: SystemTime, metric: Metric, value: f64) {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let minute = since - since % MINUTE;
        self.newest = Some(minute);
        let values = self.minutes.entry(minute).or_default().entry(metric).or_default();
        match values.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => values.push((value, 1)),
        }
    }

    /// How many measurements they hold.
    pub fn measurements(&self) -> usize {
        let values = self.minutes.values().flat_map(BTreeMap::values).flatten();
        values.map(|(_, count)| *count as usize).sum()
    }

    /// When the oldest minute that they hold began.
    pub fn oldest(&self) -> Option<SystemTime> {
        self.minutes.keys().next().map(|minute| UNIX_EPOCH + Duration::from_secs(*minute))
    }

    /// Takes out the minutes that are over; `all` takes the newest one too,
    /// which may still be going on.
    pub fn take(&mut self, all: bool) -> Vec<Datum> {
        let unfinished = self.newest.filter(|_| !all);
        let kept = unfinished.and_then(|newest| Some((newest, self.minutes.remove(&newest)?)));
        let done = std::mem::take(&mut self.minutes);
        self.minutes.extend(kept);
        let mut datums = Vec::new();
        for (minute, metrics) in done {
            let at = UNIX_EPOCH + Duration::from_secs(minute);
            for (metric, values) in metrics {
                for values in values.chunks(limits::VALUES) {
                    datums.push(Datum { metric: metric.clone(), at, values: values.to_vec() });
                }
            }
        }
        datums
    }
}

impl Datum {
    /// How many measurements it stands for.
    pub fn measurements(&self) -> usize {
        self.values.iter().map(|(_, count)| *count as usize).sum()
    }

    /// More bytes than it takes on the wire, in whatever protocol the SDK
    /// speaks; `common` are the dimensions on every metric.
    pub fn size(&self, common: &[(String, String)]) -> usize {
        const DATUM: usize = 256;
        const DIMENSION: usize = 64;
        const VALUE: usize = 80;
        let own =
            self.metric.about.iter().map(|(name, value)| DIMENSION + name.len() + value.len());
        let common = common.iter().map(|(name, value)| DIMENSION + name.len() + value.len());
        DATUM
            + self.metric.name.len()
            + own.sum::<usize>()
            + common.sum::<usize>()
            + self.values.len() * VALUE
    }

    /// The dimensions in full: those on every metric, then its own, which win.
    /// Dimensions without a value are left out.
    pub fn dimensions<'a>(
        &'a self,
        common: &'a [(String, String)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.metric.about.iter().map(|(name, value)| (*name, &**value));
        let taken = |name: &str| self.metric.about.iter().any(|(own, _)| *own == name);
        common
            .iter()
            .filter(move |(name, _)| !taken(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .chain(own.filter(|(_, value)| !value.is_empty()))
    }

    /// The datum as JSON, as the API's documentation writes it.
    pub fn json(&self, common: &[(String, String)]) -> String {
        let dimensions =
            self.dimensions(common).map(|(name, value)| ShownDimension { name, value });
        let shown = Shown {
            metric_name: self.metric.name,
            dimensions: dimensions.collect(),
            timestamp: clock::text(self.at),
            values: self.values.iter().map(|(value, _)| *value).collect(),
            counts: self.values.iter().map(|(_, count)| *count).collect(),
            unit: format!("{:?}", self.metric.unit),
            storage_resolution: 60,
        };
        serde_json::to_string(&shown).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    metric_name: &'a str,
    dimensions: Vec<ShownDimension<'a>>,
    timestamp: String,
    values: Vec<f64>,
    counts: Vec<u32>,
    unit: String,
    storage_resolution: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownDimension<'a> {
    name: &'a str,
    value: &'a str,
}

/// Datums in calls that are within the limits of one.
pub fn calls(datums: Vec<Datum>, common: &[(String, String)]) -> Vec<Vec<Datum>> {
    let mut calls = Vec::new();
    let (mut call, mut bytes) = (Vec::new(), 0);
    for datum in datums {
        let size = datum.size(common);
        if !call.is_empty() && (call.len() == limits::DATUMS || bytes + size > limits::BYTES) {
            calls.push(std::mem::take(&mut call));
            bytes = 0;
        }
        bytes += size;
        call.push(datum);
    }
    if !call.is_empty() {
        calls.push(call);
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &'static str) -> Metric {
        let about = vec![("path", Arc::from("/"))];
        Metric { place: 0, name, about, unit: Unit::Percent }
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    #[test]
    fn the_values_of_a_minute_make_one_datum() {
        let mut minutes = Minutes::default();
        for (second, value) in [(1, 5.0), (11, 7.0), (21, 5.0), (59, 5.0), (60, 9.0)] {
            minutes.add(at(second), metric("a"), value);
        }
        assert_eq!(minutes.measurements(), 5);
        let done = minutes.take(false);
        let expected = Datum { metric: metric("a"), at: at(0), values: vec![(5.0, 3), (7.0, 1)] };
        assert_eq!(done, [expected]);
        assert_eq!(done[0].measurements(), 4);
        assert!(minutes.take(false).is_empty(), "the newest minute goes on");
        assert_eq!(minutes.measurements(), 1);
        assert_eq!(minutes.take(true)[0].at, at(60));
    }

    #[test]
    fn more_values_than_a_datum_may_hold_make_several() {
        let mut minutes = Minutes::default();
        for value in 0..400 {
            minutes.add(at(1), metric("a"), f64::from(value));
        }
        let sizes: Vec<_> = minutes.take(true).iter().map(|datum| datum.values.len()).collect();
        assert_eq!(sizes, [150, 150, 100]);
    }

    #[test]
    fn calls_are_within_the_limits_of_datums_and_bytes() {
        let datum = |values: usize| Datum {
            metric: metric("a"),
            at: at(0),
            values: (0..values).map(|value| (value as f64, 1)).collect(),
        };
        let sizes = |datums| calls(datums, &[]).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![datum(1); 2001]), [1000, 1000, 1]);
        for call in calls(vec![datum(150); 300], &[]) {
            let bytes: usize = call.iter().map(|datum| datum.size(&[])).sum();
            let json: usize = call.iter().map(|datum| datum.json(&[]).len()).sum();
            assert!(bytes <= limits::BYTES && json < bytes);
        }
        assert!(calls(Vec::new(), &[]).is_empty());
    }

    #[test]
    fn a_metrics_own_dimension_wins_and_an_empty_one_is_none() {
        let mut datum = Datum { metric: metric("a"), at: at(0), values: vec![(1.5, 2)] };
        datum.metric.about.push(("fstype", Arc::from("")));
        let common = [("path", "x"), ("InstanceId", "i-1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let dimensions: Vec<_> = datum.dimensions(&common).collect();
        assert_eq!(dimensions, [("InstanceId", "i-1"), ("path", "/")]);
        let json = "{\"MetricName\":\"a\",\"Dimensions\":[{\"Name\":\"InstanceId\",\"Value\":\"i-1\"},\
            {\"Name\":\"path\",\"Value\":\"/\"}],\"Timestamp\":\"2027-01-15T08:00:00.000Z\",\
            \"Values\":[1.5],\"Counts\":[2],\"Unit\":\"Percent\",\"StorageResolution\":60}";
        assert_eq!(datum.json(&common), json);
    }
}
