//! A spool that is filled, killed, cut off and damaged.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

use tempfile::TempDir;

use super::*;
use crate::metrics::sample::{Sample, label};

mod size;

const DAY: Duration = Duration::from_secs(86_400);

fn place(directory: &Path) -> Place {
    let directory = directory.join("spool/out");
    Place { directory, instance: "i-1".to_owned(), bytes: 1 << 20, age: DAY }
}

fn open(place: &Place) -> (Spool, Drops) {
    let mut drops = Drops::default();
    match Spool::open(place.clone(), &mut drops).unwrap() {
        Opened::Spool(spool) => (*spool, drops),
        Opened::Taken => panic!("it is free"),
    }
}

/// A tick of two samples, by which it is known again.
fn tick(number: u64) -> Tick {
    let at = SystemTime::now() - Duration::from_secs(3600) + Duration::from_secs(number);
    let samples = vec![
        Sample::counter("n", vec![label("cpu", "0")], number as f64),
        Sample::gauge("same", vec![], 0.5),
    ];
    Tick::new(at, samples)
}

fn number(tick: &Tick) -> u64 {
    tick.samples[0].value as u64
}

fn fill(spool: &mut Spool, ticks: std::ops::Range<u64>) {
    let mut drops = Drops::default();
    for number in ticks {
        spool.append(&tick(number), false, &mut drops).unwrap();
    }
    assert_eq!(drops, Drops::default());
}

/// All that is left, each delivered before the next is read.
fn drain(spool: &mut Spool, drops: &mut Drops) -> Vec<u64> {
    let mut read = Vec::new();
    while let Some(tick) = spool.next(drops) {
        read.push(number(&tick));
        spool.settle().unwrap();
    }
    read
}

fn files(place: &Place, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(&place.directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        entries.filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
    files.sort_unstable();
    files
}

#[test]
fn ticks_come_back_in_order_and_nothing_is_left() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, mut drops) = open(&place);
    fill(&mut spool, 0..100);
    assert_eq!(spool.holds().ticks, 100);
    for path in files(&place, "") {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(&place.directory).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(drain(&mut spool, &mut drops), (0..100).collect::<Vec<_>>());
    assert_eq!((spool.holds(), drops), (Holds::default(), Drops::default()));
    assert!(files(&place, ".ticks").is_empty());
    // It goes on from there.
    fill(&mut spool, 100..103);
    assert_eq!(drain(&mut spool, &mut drops), [100, 101, 102]);
}

#[test]
fn what_was_delivered_is_not_read_again_after_a_kill() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    for settled in 0..=40 {
        let (mut spool, mut drops) = open(&place);
        fill(&mut spool, 0..40);
        // What is read and not delivered is read again.
        for _ in 0..(settled + 3).min(40) {
            spool.next(&mut drops).unwrap();
        }
        for _ in 0..settled {
            spool.settle().unwrap();
        }
        drop(spool);
        let (mut spool, mut drops) = open(&place);
        assert_eq!(spool.holds().ticks, 40 - settled);
        let rest = drain(&mut spool, &mut drops);
        assert_eq!(rest, (settled..40).collect::<Vec<_>>());
        let before = spool.take_before().map(|tick| number(&tick));
        assert_eq!(before, (1..40).contains(&settled).then(|| settled - 1));
        assert_eq!(drops, Drops::default());
    }
}

#[test]
fn what_is_on_its_way_already_is_not_read_before_a_kill_and_is_after_it() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, mut drops) = open(&place);
    for number in 0..3 {
        spool.append(&tick(number), true, &mut drops).unwrap();
    }
    fill(&mut spool, 3..5);
    spool.settle().unwrap();
    assert_eq!(spool.next(&mut drops).map(|tick| number(&tick)), Some(3));
    assert_eq!(spool.holds().ticks, 4);
    drop(spool);
    let (mut spool, mut drops) = open(&place);
    assert_eq!(drain(&mut spool, &mut drops), [1, 2, 3, 4]);
}

#[test]
fn the_oldest_go_first_where_there_is_no_room_and_each_is_counted() {
    let directory = TempDir::new().unwrap();
    let place = Place { bytes: 16 << 10, ..place(directory.path()) };
    let (mut spool, mut drops) = open(&place);
    let mut read = 0;
    for number in 0..4000 {
        spool.append(&tick(number), false, &mut drops).unwrap();
        let bytes: u64 =
            files(&place, ".ticks").iter().map(|f| fs::metadata(f).unwrap().len()).sum();
        assert!(bytes <= place.bytes && bytes == spool.holds().bytes);
        if number == 50 {
            read = drain(&mut spool, &mut drops).len() as u64;
        }
    }
    let lost = drops.of(Reason::SpoolFull);
    let rest = drain(&mut spool, &mut drops);
    let first = rest[0];
    assert_eq!(rest, (first..4000).collect::<Vec<_>>());
    assert_eq!((read, lost), (51, 2 * (first - 51)));
    assert!(rest.len() > 500, "most of the room is used: {}", rest.len());
}

#[test]
fn what_waited_for_too_long_is_dropped_and_counted() {
    let directory = TempDir::new().unwrap();
    // The ticks are of an hour ago.
    let place = Place { age: Duration::from_secs(1800), ..place(directory.path()) };
    let (mut spool, _) = open(&place);
    fill(&mut spool, 0..10);
    drop(spool);
    let (mut spool, mut drops) = open(&place);
    let new = Tick { at: SystemTime::now(), ..tick(10) };
    spool.append(&new, false, &mut drops).unwrap();
    assert_eq!(drain(&mut spool, &mut drops), [10]);
    assert_eq!(drops.of(Reason::TooOld), 20);
}

#[test]
fn another_instances_ticks_are_removed_and_counted() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, _) = open(&place);
    fill(&mut spool, 0..10);
    drop(spool);
    let other = Place { instance: "i-2".to_owned(), ..place };
    let (mut spool, mut drops) = open(&other);
    assert_eq!(drops.of(Reason::Foreign), 20);
    assert!(files(&other, ".ticks").is_empty());
    fill(&mut spool, 0..3);
    assert_eq!(drain(&mut spool, &mut drops), [0, 1, 2]);
}

#[test]
fn one_process_has_it_at_a_time() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (spool, mut drops) = open(&place);
    assert!(matches!(Spool::open(place.clone(), &mut drops).unwrap(), Opened::Taken));
    drop(spool);
    open(&place);
}

#[test]
fn a_segment_cut_off_at_any_byte_loses_what_is_cut_off_and_no_more() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, _) = open(&place);
    fill(&mut spool, 0..8);
    drop(spool);
    let [segment] = files(&place, ".ticks").try_into().unwrap();
    let whole = fs::read(&segment).unwrap();
    let mut most = 0;
    for length in 0..=whole.len() {
        fs::write(&segment, &whole[..length]).unwrap();
        let (mut spool, mut drops) = open(&place);
        fill(&mut spool, 8..9);
        let read = drain(&mut spool, &mut drops);
        let kept = read.len() as u64 - 1;
        assert_eq!(read, (0..kept).chain([8]).collect::<Vec<_>>(), "{length}");
        assert!(kept >= most);
        most = kept;
        drop(spool);
        reset(&place);
    }
    assert_eq!(most, 8);
}

#[test]
fn any_damaged_byte_is_found_out_and_the_rest_goes_on() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, _) = open(&place);
    fill(&mut spool, 0..40);
    drop(spool);
    let [segment] = files(&place, ".ticks").try_into().unwrap();
    let whole = fs::read(&segment).unwrap();
    let mut rescued = 0;
    for byte in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << (byte % 8);
        fs::write(&segment, &bytes).unwrap();
        let (mut spool, mut drops) = open(&place);
        fill(&mut spool, 40..41);
        let read = drain(&mut spool, &mut drops);
        assert!(read.is_sorted_by(|a, b| a < b), "{byte}: {read:?}");
        assert_eq!(read.last(), Some(&40));
        assert!(read.len() < 41 && drops.of(Reason::Damaged) > 0, "{byte}");
        // The next key is at the thirtieth.
        rescued += usize::from(read.len() > 10 && read.contains(&39));
        drop(spool);
        assert!(files(&place, ".damaged").len() <= 2);
        reset(&place);
    }
    assert!(rescued > whole.len() / 2);
}

#[test]
fn what_is_delivered_and_cannot_be_removed_is_removed_later() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, mut drops) = open(&place);
    fill(&mut spool, 0..3);
    spool.next(&mut drops).unwrap();
    let [segment] = files(&place, ".ticks").try_into().unwrap();
    let aside = directory.path().join("aside");
    fs::rename(&segment, &aside).unwrap();
    fs::create_dir(&segment).unwrap();
    spool.settle().unwrap();
    assert_eq!(drain(&mut spool, &mut drops), [1, 2]);
    fs::remove_dir(&segment).unwrap();
    fs::rename(&aside, &segment).unwrap();
    spool.look().unwrap();
    assert!(files(&place, ".ticks").is_empty() && files(&place, "look").is_empty());
}

#[test]
fn a_segment_that_is_gone_is_counted() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, mut drops) = open(&place);
    fill(&mut spool, 0..3);
    fs::remove_file(&files(&place, ".ticks")[0]).unwrap();
    assert_eq!(drain(&mut spool, &mut drops), [0_u64; 0]);
    assert_eq!(drops.of(Reason::Damaged), 6, "three ticks of two samples");
}

#[test]
fn a_damaged_tick_counts_whatever_it_says_of_itself() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, _) = open(&place);
    fill(&mut spool, 0..1);
    drop(spool);
    let [segment] = files(&place, ".ticks").try_into().unwrap();
    let whole = fs::read(&segment).unwrap();
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&segment, &bytes).unwrap();
        let (mut spool, mut drops) = open(&place);
        assert!(drain(&mut spool, &mut drops).is_empty(), "bit {bit}");
        assert!(drops.of(Reason::Damaged) > 0, "bit {bit}");
        drop(spool);
        reset(&place);
    }
}

/// Removes all that a spool holds.
fn reset(place: &Place) {
    for path in files(place, "") {
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_spool_of_a_clock_that_is_not_set_is_no_worse() {
    let directory = TempDir::new().unwrap();
    let place = place(directory.path());
    let (mut spool, mut drops) = open(&place);
    let early = Tick { at: UNIX_EPOCH + Duration::from_secs(5), ..tick(7) };
    spool.append(&early, false, &mut drops).unwrap();
    assert_eq!(spool.next(&mut drops).unwrap(), early);
}

#[test]
fn a_directory_that_cannot_be_used_is_an_error() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("spool"), "taken").unwrap();
    let failed = Spool::open(place(directory.path()), &mut Drops::default());
    let Err(error) = failed else { panic!("there is no directory") };
    assert!(error.to_string().starts_with("failed to open the spool '"));
}
