//! Ticks there and back.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::metrics::sample::{Kind, label};
use crate::metrics::spool::varint::put_bytes;

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let pair = (prop_oneof![Just("device"), Just("mode"), Just("cpu")], ".{0,6}");
    let labels = proptest::collection::vec(pair, 0..3);
    let value = prop_oneof![
        any::<f64>(),
        any::<u64>().prop_map(f64::from_bits),
        (0u32..1000).prop_map(|parts| f64::from(parts) / 100.0),
    ];
    let sample = (any::<bool>(), "[a-z_]{0,8}", labels, value);
    let samples = sample.prop_map(|(counter, name, labels, value)| {
        let kind = if counter { Kind::Counter } else { Kind::Gauge };
        let labels = labels.into_iter().map(|(name, value)| label(name, value)).collect();
        Sample::of(kind, name.into(), labels, value)
    });
    proptest::collection::vec(samples, 0..20)
}

fn tick(base: Instant, (at, steady): (i64, u32), samples: Vec<Sample>) -> Tick {
    Tick {
        at: moment(at).unwrap(),
        steady: base + Duration::from_millis(u64::from(steady)),
        samples,
    }
}

fn records(base: Instant, ticks: &[Tick]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(base);
    let record = |tick| {
        let mut record = Vec::new();
        encoder.put(&mut record, tick);
        record
    };
    ticks.iter().map(record).collect()
}

/// Byte by byte: a NaN is not equal to itself.
fn bits(tick: &Tick) -> (SystemTime, Instant, Vec<(Sample, u64)>) {
    let samples =
        tick.samples.iter().map(|s| (Sample { value: 0.0, ..s.clone() }, s.value.to_bits()));
    (tick.at, tick.steady, samples.collect())
}

proptest! {
    #[test]
    fn any_ticks_come_back_as_they_were(
        ticks in proptest::collection::vec((any::<(i64, u32)>(), samples()), 1..70),
        again in 1usize..4,
    ) {
        let base = Instant::now();
        let mut all = Vec::new();
        for (times, samples) in ticks {
            // Most ticks have the series of the one before.
            all.extend((0..again).map(|_| tick(base, times, samples.clone())));
        }
        let mut decoder = Decoder::new(Some(base));
        for (record, tick) in records(base, &all).iter().zip(&all) {
            prop_assert_eq!(super::samples(record), tick.samples.len());
            let read = decoder.get(record).unwrap();
            prop_assert_eq!(bits(&read), bits(tick));
        }
    }

    #[test]
    fn any_bytes_are_a_tick_or_nothing(
        records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..5),
    ) {
        let mut decoder = Decoder::new(None);
        for record in &records {
            decoder.get(record);
            first_at(record);
        }
    }
}

#[test]
fn after_a_record_that_is_lost_the_next_key_is_read_again() {
    let base = Instant::now();
    let of = |number: i64| {
        let value = number as f64;
        tick(base, (number, 0), vec![Sample::gauge("a", vec![], value)])
    };
    let ticks: Vec<_> = (0..70).map(of).collect();
    let records = records(base, &ticks);
    let mut decoder = Decoder::new(Some(base));
    let read = |(number, record): (usize, &Vec<u8>)| match number {
        5 => {
            decoder.lost = true;
            None
        }
        _ => decoder.get(record).map(|tick| tick.samples[0].value as usize),
    };
    let read: Vec<_> = records.iter().enumerate().filter_map(read).collect();
    let expected: Vec<_> = (0..5).chain(KEY_EVERY as usize..70).collect();
    assert_eq!(read, expected);
}

#[test]
fn what_another_process_measured_is_as_old_as_the_wall_clock_says() {
    let base = Instant::now();
    let minute = Duration::from_secs(60);
    let then = Instant::now().checked_sub(minute).unwrap();
    let of = |seconds: u64| Tick {
        at: SystemTime::now() - minute + Duration::from_secs(seconds),
        steady: base + Duration::from_secs(seconds),
        samples: Vec::new(),
    };
    let mut decoder = Decoder::new(None);
    for (record, seconds) in records(base, &[of(0), of(10)]).iter().zip([0, 10]) {
        let read = decoder.get(record).unwrap();
        let expected = then + Duration::from_secs(seconds);
        let off = read.steady.max(expected) - read.steady.min(expected);
        assert!(off < Duration::from_secs(5), "{off:?}");
    }
}

/// A record may make the reader hold no more than a few megabytes, however it is built.
#[test]
fn a_record_that_names_much_with_few_bytes_is_refused() {
    let mut record = vec![KEY];
    put(&mut record, 1);
    put(&mut record, 0);
    record.extend([0, 0]);
    put(&mut record, 100_000);
    let mut name = vec![0];
    put_bytes(&mut name, &vec![b'a'; 60_000]);
    put(&mut record, 0);
    put_bytes(&mut record, &name);
    for _ in 1..100_000 {
        put(&mut record, name.len() as u64);
        put(&mut record, 0);
    }
    assert!(Decoder::new(None).get(&record).is_none());
}
