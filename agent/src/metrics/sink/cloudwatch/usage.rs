//! What CloudWatch bills: each distinct metric by the hours in which it has data, and each call.
//! A metric in high resolution costs what any other does, but has a datum for each tick.

use std::collections::BTreeMap;
use std::time::Duration;

use super::datum::Datum;
use super::dimensions::Dimensions;
use super::limits;
use crate::cost::usage::Usage;

const MINUTE: u64 = 60;

/// What one host sends, by the datums of one tick. It does so every `flush`, and ticks come
/// every `between`.
pub(super) fn of<'a>(
    datums: impl Iterator<Item = &'a Datum>,
    dimensions: &Dimensions,
    flush: Duration,
    between: Duration,
) -> Usage {
    let (seconds, between) = (flush.as_secs().max(1), between.as_secs().max(1));
    let mut metrics = BTreeMap::new();
    for datum in datums {
        let each = match datum.metric.high {
            true => seconds.div_ceil(between),
            false => seconds.div_ceil(MINUTE),
        };
        metrics.insert(&datum.metric, (datum.size(dimensions) as u64, each));
    }
    let datums: u64 = metrics.values().map(|(_, each)| each).sum();
    let bytes: u64 = metrics.values().map(|(size, each)| size * each).sum();
    let calls = datums.div_ceil(limits::DATUMS as u64);
    let mut usage = Usage {
        tariff: Some("cloudwatch"),
        every: flush,
        requests: calls.max(bytes.div_ceil(limits::BYTES as u64)),
        samples: metrics.len() as u64 * seconds.div_ceil(between),
        bytes,
        ..Usage::default()
    };
    for metric in metrics.keys() {
        *usage.metrics.entry(metric.name.to_owned()).or_default() += 1;
    }
    usage
}
