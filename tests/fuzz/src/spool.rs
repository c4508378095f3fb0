//! What waits on disk for a sink.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use gild::metrics::drops::Drops;
use gild::metrics::sample::{Sample, Tick, label};
use gild::metrics::spool::{Opened, Place, Spool};

/// Any bytes behind a tick that a writer that was killed has left, as they are and as
/// records whose checksums are right: what follows is delivered all the same.
pub fn replay(input: &[u8]) {
    for framed in [false, true] {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place {
            directory: directory.path().join("spool"),
            instance: "i-1".to_owned(),
            bytes: 1 << 20,
            age: Duration::from_secs(3600),
        };
        append(&mut open(&place), 1.0);
        let segment = place.directory.join("0000000000000001.ticks");
        let mut file = OpenOptions::new().append(true).open(&segment).expect("a segment");
        for record in input.chunks(64) {
            if framed {
                let head = [(record.len() as u32).to_le_bytes(), crc32(record).to_le_bytes()];
                file.write_all(&head.concat()).expect("room");
            }
            file.write_all(record).expect("room");
        }
        drop(file);
        let mut spool = open(&place);
        append(&mut spool, 2.0);
        let mut drops = Drops::default();
        let (mut first, mut last) = (None, None);
        while let Some(tick) = spool.next(&mut drops) {
            let value = tick.samples.first().map(|sample| sample.value);
            first = first.or(value);
            last = value;
            spool.settle().expect("room");
        }
        assert_eq!((first, last), (Some(1.0), Some(2.0)));
        assert_eq!(spool.holds().ticks, 0);
        no_segments(&place.directory);
    }
}

fn open(place: &Place) -> Spool {
    match Spool::open(place.clone(), &mut Drops::default()).expect("a spool") {
        Opened::Spool(spool) => *spool,
        Opened::Taken => unreachable!("nobody else has it"),
    }
}

fn append(spool: &mut Spool, value: f64) {
    let samples = vec![Sample::gauge("n", vec![label("cpu", "0")], value)];
    let tick = Tick::new(std::time::SystemTime::now(), samples);
    spool.append(&tick, false, &mut Drops::default()).expect("room");
}

fn no_segments(directory: &Path) {
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        assert!(!entry.path().to_string_lossy().ends_with(".ticks"));
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
