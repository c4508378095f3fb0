//! How much a day of the default collectors takes.

use super::*;
use crate::config::{Merged, Settings, builtin};
use crate::metrics::runner::Runner;
use crate::platform::paths::Paths;

/// Ticks in a day at the default interval.
const DAY: u64 = 8640;

#[tokio::test]
async fn a_day_of_the_default_collectors_fits_into_the_default_size() {
    let settings = Settings::typed(&Merged::fold([&builtin::layer()]).root).settings.unwrap();
    let settings = settings.metrics;
    let mut runner = Runner::new(&settings, &Paths::installed(Path::new("/")));
    let directory = TempDir::new().unwrap();
    let place = Place {
        directory: directory.path().join("out"),
        instance: "i-1".to_owned(),
        bytes: settings.spool,
        age: settings.spool_age,
    };
    let mut drops = Drops::default();
    let Opened::Spool(mut spool) = Spool::open(place, &mut drops).unwrap() else {
        panic!("it is free");
    };
    // What the host does meanwhile stands in no relation to a day, but what changes does.
    let mut ticks = 0;
    let mut bytes = Vec::new();
    while ticks < 200 {
        let tick = runner.tick().await;
        spool.append(&tick, false, &mut drops).unwrap();
        bytes.push(spool.holds().bytes);
        ticks += 1;
        // Something for the counters to count.
        fs::write(directory.path().join("work"), vec![ticks as u8; 100_000]).unwrap();
    }
    let each = (bytes[199] - bytes[19]) / 180;
    let segments = DAY * each / (settings.spool / SEGMENTS) + 1;
    let day = DAY * each + segments * bytes[0];
    println!("a tick takes {each} bytes, names {} bytes, a day {day}", bytes[0]);
    assert!(day < settings.spool, "a tick takes {each} bytes, a day {day}");
}
