//! Starts, limits and doubles.
#![allow(clippy::unwrap_used)]

use std::time::SystemTime;

use super::*;

const NOW: u64 = 1_800_000_000;
const BOOTED: u64 = NOW - 1000;

/// A tick at a second after `NOW`.
fn tick(second: i64, samples: Vec<Sample>) -> Tick {
    let at = NOW.checked_add_signed(second).unwrap();
    Tick::new(SystemTime::UNIX_EPOCH + Duration::from_secs(at), samples)
}

fn booted(at: u64) -> Sample {
    Sample::gauge(BOOT, vec![], at as f64)
}

fn counter(name: &'static str, value: f64) -> Sample {
    Sample::counter(name, vec![], value)
}

/// When the last of a tick's samples began, in seconds relative to `NOW`.
fn start(series: &mut Series, tick: &Tick) -> i64 {
    series.turn(tick);
    let starts: Vec<_> = tick.samples.iter().map(|sample| series.admit(sample, tick)).collect();
    let start = starts.last().copied().unwrap().unwrap();
    i64::try_from(start / 1_000_000_000).unwrap() - i64::try_from(NOW).unwrap()
}

#[test]
fn the_kernels_counters_count_from_boot_and_others_from_when_they_were_first_seen() {
    let mut series = Series::new(10);
    let kernel = |second| tick(second, vec![booted(BOOTED), counter("node_x_total", 5.0)]);
    let other = |second| tick(second, vec![booted(BOOTED), counter("service_restarts_total", 5.0)]);
    assert_eq!(start(&mut series, &kernel(0)), -1000);
    assert_eq!(start(&mut series, &other(10)), 10);
    assert_eq!(start(&mut series, &kernel(20)), -1000);
    assert_eq!(start(&mut series, &other(30)), 10);
    // Without the collector that knows the boot, that is the best there is.
    assert_eq!(start(&mut Series::new(10), &tick(7, vec![counter("node_x_total", 5.0)])), 7);
}

#[test]
fn a_counter_that_went_back_counts_from_its_last_point() {
    let mut series = Series::new(10);
    let mut at = |second, value| {
        start(&mut series, &tick(second, vec![booted(BOOTED), counter("node_x_total", value)]))
    };
    assert_eq!([at(0, 5.0), at(10, 5.0), at(20, 4.0)], [-1000, -1000, 10]);
    assert_eq!([at(30, 9.0), at(40, 0.0), at(50, 1.0)], [10, 30, 30]);
}

#[test]
fn a_clock_that_is_set_moves_every_start_and_one_that_wavers_none() {
    let mut series = Series::new(10);
    let mut at = |second, boot: u64| {
        start(&mut series, &tick(second, vec![booted(boot), counter("node_x_total", 5.0)]))
    };
    assert_eq!([at(0, BOOTED), at(10, BOOTED + 1)], [-1000, -1000]);
    assert_eq!(at(3620, BOOTED + 3600), 2600);
    assert_eq!(at(40, BOOTED), -1000);
    // One that says that the host will be booted is not believed.
    assert_eq!(at(50, NOW + 900), 50);
    let mut series = Series::new(10);
    let mut without = |second| start(&mut series, &tick(second, vec![counter("x_total", 5.0)]));
    assert_eq!([without(0), without(10), without(-600), without(-590)], [0, 0, -600, -600]);
}

#[test]
fn a_gauge_has_no_start_and_no_series_is_there_twice_in_a_tick() {
    let mut series = Series::new(10);
    let tick =
        tick(0, vec![Sample::gauge("x", vec![crate::metrics::sample::label("a", "b")], 1.0)]);
    for _ in 0..2 {
        series.turn(&tick);
        assert_eq!(series.admit(&tick.samples[0], &tick), Ok(0));
        assert_eq!(series.admit(&tick.samples[0], &tick), Err(Reason::Invalid));
    }
}

#[test]
fn who_is_in_stays_in_and_leaves_its_place_when_it_is_gone() {
    let mut series = Series::new(2);
    let mut admitted = |names: &[&'static str]| {
        let samples = names.iter().map(|name| Sample::gauge(*name, vec![], 1.0));
        let tick = tick(0, samples.collect());
        series.turn(&tick);
        let admitted = tick.samples.iter().map(|sample| series.admit(sample, &tick).is_ok());
        admitted.collect::<Vec<_>>()
    };
    assert_eq!(admitted(&["b", "c"]), [true, true]);
    assert_eq!(admitted(&["a", "b", "c"]), [false, true, true]);
    assert_eq!(admitted(&["a", "b"]), [false, true], "c may only have missed a tick");
    assert_eq!(admitted(&["a", "b", "c"]), [true, true, false]);
    assert_eq!(series.known.len(), 2);
}

#[test]
fn a_series_that_is_left_out_is_tried_again_after_an_hour() {
    let mut series = Series::new(10);
    let bad = Sample::gauge("bad", vec![], 1.0);
    let mut tick = tick(0, vec![bad.clone(), Sample::gauge("good", vec![], 1.0)]);
    let now = tick.steady;
    let mut admitted = |series: &mut Series, after: Duration| {
        tick.steady = now + after;
        series.turn(&tick);
        [0, 1].map(|index| series.admit(&tick.samples[index], &tick))
    };
    assert_eq!(admitted(&mut series, Duration::ZERO), [Ok(0), Ok(0)]);
    series.leave_out(&bad, now);
    let almost = LEFT_OUT - Duration::from_secs(1);
    assert_eq!(admitted(&mut series, almost), [Err(Reason::Rejected), Ok(0)]);
    assert_eq!(admitted(&mut series, LEFT_OUT), [Ok(0), Ok(0)]);
}
