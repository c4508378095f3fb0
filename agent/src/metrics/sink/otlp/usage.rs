//! What a receiver of OpenTelemetry bills: CloudWatch by the gigabyte, a collector of one's own
//! nothing. CloudWatch counts for each point its name, its labels, the attributes of the
//! resource, its time and its value, whatever the request looks like.

use std::time::Duration;

use reqwest::Url;

use super::batch::{MOST_POINTS, Point};
use crate::cost::usage::Usage;
use crate::platform::aws::is_endpoint;

/// How CloudWatch's hosts begin.
const SERVICE: &str = "monitoring";

/// A time and a value.
const TIME_AND_VALUE: usize = 16;

/// When a host sends.
pub(super) struct Rhythm {
    /// The time between two points of a series.
    pub(super) resolution: Duration,
    /// The time between two requests.
    pub(super) flush: Duration,
}

/// What one host sends, by its points; where there are those of several ticks, the newest count.
pub(super) fn of<'a>(
    url: &Url,
    resource: &[(String, String)],
    points: impl Iterator<Item = &'a Point> + Clone,
    rhythm: &Rhythm,
) -> Usage {
    let newest = points.clone().map(|point| point.tick.steady).max();
    let about: usize = resource.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mut usage = Usage {
        tariff: is_endpoint(url, SERVICE).then_some("cloudwatch-otlp"),
        every: rhythm.flush.max(rhythm.resolution),
        ..Usage::default()
    };
    let mut bytes = 0;
    for point in points.filter(|point| Some(point.tick.steady) == newest) {
        let Some(sample) = point.sample() else { continue };
        let labels = sample.labels.iter().map(|(name, value)| name.len() + value.len());
        bytes += sample.name.len() + labels.sum::<usize>() + about + TIME_AND_VALUE;
        *usage.metrics.entry(sample.name.to_string()).or_default() += 1;
    }
    let ticks = usage.every.as_millis().div_ceil(rhythm.resolution.as_millis().max(1)) as u64;
    usage.samples = usage.metrics() * ticks;
    usage.bytes = bytes as u64 * ticks;
    usage.requests = usage.samples.div_ceil(MOST_POINTS as u64);
    usage
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::metrics::sample::{Sample, Tick, label};

    fn usage(url: &str, resolution: u64, flush: u64) -> Usage {
        let sample = Sample::gauge("up", vec![label("job", "web")], 1.0);
        let tick = || Arc::new(Tick::new(SystemTime::now(), vec![sample.clone(); 600]));
        let ticks = [tick(), tick()];
        let points: Vec<_> = ticks
            .iter()
            .flat_map(|tick| {
                (0..600).map(|index| Point { tick: Arc::clone(tick), index, start: 0 })
            })
            .collect();
        let resource = [("host.id".to_owned(), "i-1".to_owned())];
        let [resolution, flush] = [resolution, flush].map(Duration::from_secs);
        of(&Url::parse(url).unwrap(), &resource, points.iter(), &Rhythm { resolution, flush })
    }

    #[test]
    fn each_point_counts_with_all_that_it_is_about() {
        let usage = usage("https://monitoring.eu-west-1.amazonaws.com/v1/metrics", 60, 60);
        assert_eq!(usage.tariff, Some("cloudwatch-otlp"));
        assert_eq!(usage.metrics, [("up".to_owned(), 600)].into(), "of two ticks, one");
        // up, job, web, host.id, i-1, and sixteen bytes.
        assert_eq!((usage.samples, usage.requests, usage.bytes), (600, 1, 600 * (2 + 6 + 10 + 16)));
    }

    #[test]
    fn points_of_several_ticks_travel_together() {
        let usage = usage("https://collector.example/v1/metrics", 10, 60);
        assert_eq!(usage.tariff, None, "nobody sends a bill");
        assert_eq!((usage.samples, usage.requests), (3600, 4));
        assert_eq!(usage.every, Duration::from_secs(60));
    }

    #[test]
    fn a_flush_that_comes_more_often_than_points_sends_nothing_more() {
        let usage = usage("https://collector.example/v1/metrics", 60, 10);
        assert_eq!((usage.samples, usage.requests, usage.every.as_secs()), (600, 1, 60));
    }
}
