//! A spool as a long outage leaves it: full to its limit, with ticks of the size that the
//! default collectors have.

use std::path::Path;
use std::time::{Duration, SystemTime};

use gild::metrics::drops::Drops;
use gild::metrics::sample::{Sample, Tick, label};
use gild::metrics::spool::{Opened, Place, Spool};

/// The default of `metrics.spool`, and of `metrics.spool_age`.
const BYTES: u64 = 16_000_000;
const AGE: Duration = Duration::from_secs(24 * 3600);
/// Series of a tick.
const SERIES: u64 = 280;
/// How far ticks lie apart.
const APART: Duration = Duration::from_secs(1);

/// Fills the spool of a sink, which no daemon holds.
pub(crate) fn spool(directory: &Path, instance: &str) {
    let mut drops = Drops::default();
    let place = Place {
        directory: directory.to_owned(),
        instance: instance.to_owned(),
        bytes: BYTES,
        age: AGE,
    };
    let Opened::Spool(mut spool) = Spool::open(place, &mut drops).unwrap() else {
        panic!("'{}' is still held", directory.display());
    };
    let begin = SystemTime::now() - AGE / 2;
    let mut number = 0;
    // What does not fit pushes the oldest out, and is counted.
    while drops.by_reason().is_empty() {
        spool.append(&tick(begin + APART * number, u64::from(number)), false, &mut drops).unwrap();
        number += 1;
    }
    let holds = spool.holds();
    println!("the spool holds {} ticks in {} bytes", holds.ticks, holds.bytes);
}

/// Half of the series change from tick to tick, as counters and gauges do.
fn tick(at: SystemTime, number: u64) -> Tick {
    let sample = |series: u64| {
        let labels = vec![label("device", format!("device{series}"))];
        let value =
            if series.is_multiple_of(2) { series } else { number * (series + 7) + number % 13 };
        Sample::counter("node_filled_total", labels, value as f64)
    };
    Tick::new(at, (0..SERIES).map(sample).collect())
}
