//! Gathers the values of each metric over a minute into one datum: the samples
//! of a minute cost as much as one, and CloudWatch still knows each of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::dimensions::Dimensions;
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
    /// Whether it is kept by the second, which CloudWatch calls high resolution.
    pub high: bool,
}

impl Metric {
    /// The name with the dimensions of its own, as people write it in `include`.
    pub fn text(&self) -> String {
        let about = self.about.iter().filter(|(_, value)| !value.is_empty());
        let about: Vec<_> = about.map(|(name, value)| format!("{name}={value}")).collect();
        match about.is_empty() {
            true => self.name.to_owned(),
            false => format!("{}{{{}}}", self.name, about.join(",")),
        }
    }
}

/// The values of one metric in one minute, or in one second where it is kept by the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Datum {
    /// The metric.
    pub metric: Metric,
    /// The start of the minute or second.
    pub at: SystemTime,
    /// The distinct values, and how often each occurred.
    pub values: Vec<(f64, u32)>,
}

/// Minutes that are being filled, and seconds of what is kept by the second.
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
        let start = if metric.high { since } else { minute };
        let values = self.minutes.entry(start).or_default().entry(metric).or_default();
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
    /// which may still be going on. Seconds are always over.
    pub fn take(&mut self, all: bool) -> Vec<Datum> {
        let mut done = std::mem::take(&mut self.minutes);
        if let Some(newest) = self.newest.filter(|_| !all)
            && let Some(metrics) = done.get_mut(&newest)
        {
            let going_on = metrics.extract_if(.., |metric, _| !metric.high).collect();
            self.minutes.insert(newest, going_on);
        }
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
    /// speaks.
    pub fn size(&self, dimensions: &Dimensions) -> usize {
        const DATUM: usize = 256;
        const DIMENSION: usize = 64;
        const VALUE: usize = 80;
        let all = dimensions.of(&self.metric).into_iter();
        let sizes = all.map(|(name, value)| DIMENSION + name.len() + value.len());
        DATUM + self.metric.name.len() + sizes.sum::<usize>() + self.values.len() * VALUE
    }

    /// How many seconds long a period of its metric is at least.
    pub fn resolution(&self) -> i32 {
        if self.metric.high { 1 } else { 60 }
    }

    /// The datum as JSON, as the API's documentation writes it.
    pub fn json(&self, dimensions: &Dimensions) -> String {
        let all = dimensions.of(&self.metric).into_iter();
        let unit = self.metric.unit;
        let shown = Shown {
            metric_name: self.metric.name,
            dimensions: all.map(|(name, value)| ShownDimension { name, value }).collect(),
            timestamp: clock::text(self.at),
            values: self.values.iter().map(|(value, _)| *value).collect(),
            counts: self.values.iter().map(|(_, count)| *count).collect(),
            unit: (unit != Unit::Unsaid).then(|| format!("{unit:?}")),
            storage_resolution: self.resolution(),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    storage_resolution: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownDimension<'a> {
    name: &'a str,
    value: &'a str,
}

/// Datums in calls that are within the limits of one.
pub fn calls(datums: Vec<Datum>, dimensions: &Dimensions) -> Vec<Vec<Datum>> {
    let mut calls = Vec::new();
    let (mut call, mut bytes) = (Vec::new(), 0);
    for datum in datums {
        let size = datum.size(dimensions);
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
        Metric { place: 0, name, about, unit: Unit::Percent, high: false }
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
        let none = Dimensions::default();
        let sizes = |datums| calls(datums, &none).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![datum(1); 2001]), [1000, 1000, 1]);
        for call in calls(vec![datum(150); 300], &none) {
            let bytes: usize = call.iter().map(|datum| datum.size(&none)).sum();
            let json: usize = call.iter().map(|datum| datum.json(&none).len()).sum();
            assert!(bytes <= limits::BYTES && json < bytes);
        }
        assert!(calls(Vec::new(), &none).is_empty());
    }

    #[test]
    fn a_datum_is_shown_as_the_api_writes_it() {
        let mut datum = Datum { metric: metric("a"), at: at(0), values: vec![(1.5, 2)] };
        let common = vec![("InstanceId".to_owned(), "i-1".to_owned())];
        let dimensions = Dimensions { common, ..Dimensions::default() };
        let json = "{\"MetricName\":\"a\",\"Dimensions\":[{\"Name\":\"InstanceId\",\"Value\":\"i-1\"},\
            {\"Name\":\"path\",\"Value\":\"/\"}],\"Timestamp\":\"2027-01-15T08:00:00.000Z\",\
            \"Values\":[1.5],\"Counts\":[2],\"Unit\":\"Percent\",\"StorageResolution\":60}";
        assert_eq!(datum.json(&dimensions), json);
        datum.metric.unit = Unit::Unsaid;
        datum.metric.high = true;
        let shown = datum.json(&dimensions);
        assert!(!shown.contains("Unit") && shown.contains("\"StorageResolution\":1"), "{shown}");
    }

    #[test]
    fn what_is_kept_by_the_second_is_not_gathered_by_the_minute() {
        let mut minutes = Minutes::default();
        let high = Metric { high: true, ..metric("a") };
        for (second, value) in [(0, 1.0), (10, 2.0), (60, 3.0)] {
            minutes.add(at(second), high.clone(), value);
            minutes.add(at(second), metric("b"), value);
        }
        let datum = |metric: &Metric, second, values: &[(f64, u32)]| Datum {
            metric: metric.clone(),
            at: at(second),
            values: values.to_vec(),
        };
        let done = minutes.take(false);
        let expected = [
            datum(&high, 0, &[(1.0, 1)]),
            datum(&metric("b"), 0, &[(1.0, 1), (2.0, 1)]),
            datum(&high, 10, &[(2.0, 1)]),
            datum(&high, 60, &[(3.0, 1)]),
        ];
        assert_eq!(done, expected);
        assert_eq!(minutes.take(true), [datum(&metric("b"), 60, &[(3.0, 1)])]);
    }
}
