//! What waits, where it waits, and what of it a kill leaves.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Instant;

use tempfile::TempDir;

use super::*;
use crate::metrics::drops::Reason;
use crate::metrics::sample::Sample;
use crate::metrics::steps::Steps;

fn place(directory: &Path) -> Place {
    Place {
        directory: directory.join("spool"),
        instance: "i-1".to_owned(),
        bytes: 1 << 20,
        age: Duration::from_secs(86_400),
    }
}

fn backlog(directory: &Path, compares: bool) -> Backlog {
    let mut backlog = Backlog::new(Some(place(directory)), compares);
    assert!(backlog.open(&mut Drops::default()));
    backlog
}

fn tick(number: u64) -> Arc<Tick> {
    let at = SystemTime::now() + Duration::from_secs(number);
    Arc::new(Tick::new(at, vec![Sample::gauge("n", vec![], number as f64)]))
}

fn number(next: &Next) -> u64 {
    next.tick.samples[0].value as u64
}

fn push(backlog: &mut Backlog, numbers: std::ops::Range<u64>) {
    for number in numbers {
        backlog.push(tick(number), &mut Drops::default());
    }
}

/// All that is left, each delivered before the next is taken; whether it came from disk.
fn drain(backlog: &mut Backlog) -> Vec<(u64, bool)> {
    let mut taken = Vec::new();
    while let Some(next) = backlog.take(&mut Drops::default()) {
        taken.push((number(&next), next.late));
        backlog.settle(None);
    }
    taken
}

#[test]
fn nothing_goes_to_disk_while_the_receiver_is_there() {
    let directory = TempDir::new().unwrap();
    let mut backlog = backlog(directory.path(), false);
    push(&mut backlog, 0..5);
    assert_eq!(drain(&mut backlog), (0..5).map(|n| (n, false)).collect::<Vec<_>>());
    let (holds, ..) = backlog.spooled().unwrap();
    assert_eq!(holds, Holds::default());
}

#[test]
fn a_kill_in_an_outage_loses_nothing_not_even_what_was_on_its_way() {
    let directory = TempDir::new().unwrap();
    let mut first = backlog(directory.path(), false);
    push(&mut first, 0..4);
    first.take(&mut Drops::default()).unwrap();
    first.set_outage(true, &mut Drops::default());
    push(&mut first, 4..6);
    assert_eq!(first.spooled().unwrap().0.ticks, 6);
    drop(first);
    let mut second = backlog(directory.path(), false);
    assert_eq!(drain(&mut second), (0..6).map(|n| (n, true)).collect::<Vec<_>>());
}

#[test]
fn what_is_new_goes_behind_what_is_on_disk_until_that_is_gone() {
    let directory = TempDir::new().unwrap();
    let mut backlog = backlog(directory.path(), false);
    backlog.set_outage(true, &mut Drops::default());
    push(&mut backlog, 0..3);
    backlog.set_outage(false, &mut Drops::default());
    push(&mut backlog, 3..5);
    assert_eq!(drain(&mut backlog), (0..5).map(|n| (n, true)).collect::<Vec<_>>());
    push(&mut backlog, 5..6);
    assert_eq!(drain(&mut backlog), [(5, false)]);
    assert_eq!(backlog.spooled().unwrap().0, Holds::default());
}

#[test]
fn a_sink_that_gathers_gets_what_it_held_again_and_what_to_compare_it_with() {
    let directory = TempDir::new().unwrap();
    let mut first = backlog(directory.path(), true);
    push(&mut first, 0..5);
    let taken: Vec<_> = (0..5).map(|_| first.take(&mut Drops::default()).unwrap()).collect();
    // The first two are delivered; the rest is of a minute that is not over.
    first.settle(Some(taken[2].tick.at));
    first.set_outage(true, &mut Drops::default());
    assert_eq!(first.spooled().unwrap().0.ticks, 3);
    drop(first);
    let mut second = backlog(directory.path(), true);
    let next = second.take(&mut Drops::default()).unwrap();
    assert_eq!(number(&next), 2);
    assert_eq!(next.before.unwrap().samples[0].value, 1.0);
    assert!(second.take(&mut Drops::default()).unwrap().before.is_none());
}

#[test]
fn a_disk_that_cannot_be_written_leaves_the_memory_and_is_used_again_in_order() {
    let directory = TempDir::new().unwrap();
    let blocked = directory.path().join("spool");
    fs::write(&blocked, "").unwrap();
    let mut backlog = Backlog::new(Some(place(directory.path())), false);
    assert!(backlog.open(&mut Drops::default()));
    backlog.set_outage(true, &mut Drops::default());
    push(&mut backlog, 0..3);
    let (holds, failures, error) = backlog.spooled().unwrap();
    assert_eq!((holds.ticks, backlog.len()), (0, 3));
    assert!(failures >= 3 && error.unwrap().starts_with("failed to open the spool"));
    fs::remove_file(&blocked).unwrap();
    push(&mut backlog, 3..5);
    let (holds, _, error) = backlog.spooled().unwrap();
    assert_eq!((holds.ticks, error), (5, None));
    assert_eq!(drain(&mut backlog), (0..5).map(|n| (n, true)).collect::<Vec<_>>());
}

#[test]
fn a_disk_that_works_again_is_found_out_without_an_outage() {
    let directory = TempDir::new().unwrap();
    let mut left = backlog(directory.path(), false);
    left.set_outage(true, &mut Drops::default());
    push(&mut left, 0..2);
    drop(left);
    let (spool, aside) = (directory.path().join("spool"), directory.path().join("aside"));
    fs::rename(&spool, &aside).unwrap();
    fs::write(&spool, "").unwrap();
    let mut backlog = Backlog::new(Some(place(directory.path())), false);
    backlog.open(&mut Drops::default());
    push(&mut backlog, 2..4);
    let (.., error) = backlog.spooled().unwrap();
    assert!(error.unwrap().starts_with("failed to open the spool"));
    assert_eq!(backlog.take(&mut Drops::default()).map(|next| number(&next)), Some(2));
    backlog.settle(None);
    fs::remove_file(&spool).unwrap();
    fs::rename(&aside, &spool).unwrap();
    push(&mut backlog, 4..5);
    let (holds, _, error) = backlog.spooled().unwrap();
    assert_eq!((holds.ticks, error), (2, None), "what an earlier process left");
    push(&mut backlog, 5..6);
    let taken: Vec<_> = drain(&mut backlog).into_iter().map(|(number, _)| number).collect();
    assert_eq!(taken, [0, 1, 3, 4, 5]);
}

#[test]
fn a_fault_of_the_disk_is_told_until_something_can_be_written() {
    let directory = TempDir::new().unwrap();
    let mut backlog = backlog(directory.path(), false);
    let spool = directory.path().join("spool");
    fs::rename(&spool, directory.path().join("aside")).unwrap();
    backlog.set_outage(true, &mut Drops::default());
    push(&mut backlog, 0..1);
    backlog.set_outage(false, &mut Drops::default());
    assert_eq!(drain(&mut backlog), [(0, false)]);
    push(&mut backlog, 1..2);
    assert!(backlog.spooled().unwrap().2.is_some(), "still so");
    fs::rename(directory.path().join("aside"), &spool).unwrap();
    push(&mut backlog, 2..3);
    assert_eq!(backlog.spooled().unwrap().2, None);
    assert_eq!(drain(&mut backlog), [(1, false), (2, false)]);
    let mut names: Vec<_> =
        fs::read_dir(&spool).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort_unstable();
    assert!(names.iter().all(|name| name == "lock" || name == "position"), "{names:?}");
}

#[test]
fn without_a_disk_the_oldest_go_first_and_are_counted() {
    let mut backlog = Backlog::new(None, false);
    let mut drops = Drops::default();
    backlog.set_outage(true, &mut drops);
    let most = Limits::default().ticks as u64;
    for number in 0..most + 10 {
        backlog.push(tick(number), &mut drops);
    }
    assert_eq!(drops.of(Reason::QueueFull), 10);
    assert_eq!(backlog.take(&mut drops).map(|next| number(&next)), Some(10));
    assert!(backlog.spooled().is_none() && !backlog.spill(&mut drops));
}

#[test]
fn what_waits_in_memory_and_on_disk_is_stamped_anew_when_the_clock_is_set() {
    let directory = TempDir::new().unwrap();
    let hour = Duration::from_secs(3600);
    for on_disk in [false, true] {
        let mut backlog = backlog(directory.path(), false);
        let (now, steady) = (SystemTime::now(), Instant::now());
        let of = |at, ms| {
            let steady = steady + Duration::from_millis(ms);
            Tick { at, steady, samples: Vec::new() }
        };
        let (early, late) = (of(now - hour, 0), of(now + Duration::from_secs(10), 10_000));
        let mut steps = Steps::default();
        steps.look(&early, Duration::ZERO);
        let step = steps.look(&late, Duration::ZERO).unwrap();
        backlog.set_outage(on_disk, &mut Drops::default());
        backlog.push(Arc::new(early), &mut Drops::default());
        backlog.stepped(step);
        backlog.push(Arc::new(late), &mut Drops::default());
        for expected in [now, now + Duration::from_secs(10)] {
            let next = backlog.take(&mut Drops::default()).unwrap();
            assert_eq!((next.tick.at, next.late), (expected, on_disk));
            backlog.settle(None);
        }
    }
}
