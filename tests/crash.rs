//! `kill -9` in the middle of a boot: every file that it leaves is whole, the old
//! one or the new one, and the next boot works as if nothing had been.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gild::configure::Applied;
use gild::configure::handoff::Handoff;
use gild::configure::report::{Outcome, Report};
use gild::configure::state::{Previous, State};
use inotify::{Inotify, WatchMask};
use serde_json::Value;

use crate::fakes::fault::Fault;
use crate::rig::{Rig, below, json};

/// No boot of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

const IMAGE: &str = "
configuration.exec = ['/bin/step']
scope.global.sources = ['FILES/global.toml']
scope.account.sources = ['FILES/account.yaml']
scope.service.sources = ['tags:gild:']
";

/// When the program is killed.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// When the fakes have answered so many questions of this boot.
    Question(usize),
    /// When so many things have happened to files: made, written, renamed, removed.
    File(usize),
    /// After this long.
    After(Duration),
}

/// Kills 34 boots, each at another point: over its questions, over what it does
/// to files, and wherever a stream of numbers that is always the same says.
#[test]
fn a_boot_that_is_killed_anywhere_leaves_files_that_are_whole() {
    let rig = Rig::new(IMAGE, &[("gild:vars.x", "1"), ("Name", "web")]);
    rig.program("bin/step", "#!/bin/sh\nexit 0\n");
    rig.imds.faults.always("/", Fault::Delay(Duration::from_millis(1)));
    rig.files.faults.always("/", Fault::Delay(Duration::from_millis(3)));
    let mut files = Watch::new(&rig);
    documents(&rig, 0);
    let (start, asked) = (Instant::now(), rig.asked());
    ready(&rig, 0);
    let (took, questions, happened) = (start.elapsed(), rig.asked() - asked, files.drain());
    assert!(questions >= 6 && happened >= 20, "{questions} questions, {happened} on files");

    let mut random = fastrand::Rng::with_seed(7);
    let over = |number: usize, of: usize, most: usize| 1 + number * most / of;
    let points = (0..6).map(|number| Point::Question(over(number, 6, questions)));
    let points = points.chain((0..20).map(|number| Point::File(over(number, 20, happened))));
    let points: Vec<Point> =
        points.chain((0..8).map(|_| Point::After(took.mul_f64(random.f64())))).collect();

    let (mut old, mut killed) = (0, 0);
    for (number, point) in points.into_iter().enumerate() {
        let new = number + 1;
        documents(&rig, new);
        files.drain();
        killed += usize::from(kill_at(&rig, point, &mut files));
        whole(&rig, old, new, point);
        // Every other one is followed by another that is killed too: what they
        // leave must not add up.
        if number % 2 == 1 {
            ready(&rig, new);
            old = new;
        }
    }
    assert!(killed >= 25, "only {killed} boots were killed before they were over");
}

/// What the sources say at this time: each document says when it was written, and
/// is long enough for a write of it to take a while.
fn documents(rig: &Rig, number: usize) {
    let filler = format!("# {}\n", "x".repeat(100)).repeat(2000);
    rig.files.put("/global.toml", format!("vars.global = {number}\n{filler}"));
    rig.files.put("/account.yaml", format!("vars: {{account: {number}}}\n{filler}"));
}

/// A boot that nobody disturbs is ready, has the documents of this time, and
/// leaves nothing that a killed one has left.
fn ready(rig: &Rig, number: usize) {
    let (code, report) = rig.configure(&[]);
    assert_eq!((code, &report["outcome"]), (Some(0), &Value::from("ready")), "{report:#}");
    whole(rig, number, number, Point::After(PATIENCE));
    for file in written(rig) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!name.starts_with('.'), "{} was left behind", file.display());
    }
}

/// Starts a boot and kills it at this point; whether it was still at work.
fn kill_at(rig: &Rig, point: Point, files: &mut Watch) -> bool {
    let asked = rig.asked();
    let start = Instant::now();
    let mut boot = rig.started(&["configure"]);
    let mut happened = 0;
    let alive = loop {
        let there = match point {
            Point::Question(number) => rig.asked() - asked >= number,
            Point::File(number) => {
                happened += files.drain();
                happened >= number
            }
            Point::After(time) => start.elapsed() >= time,
        };
        if there {
            break boot.0.try_wait().unwrap().is_none();
        }
        if boot.0.try_wait().unwrap().is_some() {
            break false;
        }
        assert!(start.elapsed() < PATIENCE, "{point:?} never came");
        std::thread::yield_now();
    };
    boot.kill();
    alive
}

/// Every file is one that could be read before or after: torn ones are neither.
fn whole(rig: &Rig, old: usize, new: usize, point: Point) {
    let shown = |path: &Path| format!("{} after {point:?}", path.display());
    let mut leftovers: BTreeMap<String, usize> = BTreeMap::new();
    for file in written(rig) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if let Some(hidden) = name.strip_prefix('.') {
            // Whoever reads knows the names, so nobody reads these.
            let of = hidden.rsplit_once('.').map_or(hidden, |(of, _)| of).to_owned();
            *leftovers.entry(of).or_default() += 1;
            continue;
        }
        let parent = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let number = match (parent.as_str(), name.as_str()) {
            ("gild", "configure.lock") => None,
            ("gild", "report.json") | ("reports", _) => {
                let report = Report::load(&file).unwrap().unwrap();
                let over = report.outcome == Outcome::Ready;
                assert_eq!(over, report.ended_at.is_some(), "{}", shown(&file));
                None
            }
            ("gild", "config.json") => {
                let config = Handoff::read(&file).unwrap().unwrap().config.to_value();
                assert_eq!(config["vars"]["global"], config["vars"]["account"], "{}", shown(&file));
                config["vars"]["global"].as_u64()
            }
            ("gild", "state.json") => {
                let state = State::load(&file);
                assert!(matches!(state, Previous::Found(_)), "{state:?} {}", shown(&file));
                None
            }
            ("gild", "applied.json") => {
                let applied = Applied::load(&file, "i-0123456789abcdef0").unwrap().unwrap();
                let config = applied.config.to_value();
                assert_eq!(config["vars"]["global"], config["vars"]["account"], "{}", shown(&file));
                config["vars"]["global"].as_u64()
            }
            ("last-good", _) => copied(&json(&file)),
            ("step", "vars.json") => None,
            _ => panic!("nobody writes {}", shown(&file)),
        };
        if let Some(number) = number {
            let known = (old as u64..=new as u64).contains(&number);
            assert!(known, "{number} is neither {old} nor {new}: {}", shown(&file));
        }
    }
    // The next writer of a file removes what the last one left.
    assert!(leftovers.values().all(|count| *count <= 1), "{leftovers:?} after {point:?}");
}

/// The time that a copy of a document speaks of.
fn copied(file: &Value) -> Option<u64> {
    let body = file["texts"][0]["body"].as_str().unwrap();
    let line = body.lines().next().unwrap();
    let number = line.strip_prefix("vars.global = ");
    let number = number.or(line.strip_prefix("vars: {account: ")?.strip_suffix('}'));
    number.map(|number| number.parse().unwrap())
}

fn written(rig: &Rig) -> Vec<PathBuf> {
    ["run", "var"].iter().flat_map(|directory| below(&rig.path(directory))).collect()
}

/// What happens to the files that a boot writes.
struct Watch(Inotify);

impl Watch {
    fn new(rig: &Rig) -> Self {
        let inotify = Inotify::init().unwrap();
        let mask = WatchMask::CREATE
            | WatchMask::MODIFY
            | WatchMask::CLOSE_WRITE
            | WatchMask::MOVED_TO
            | WatchMask::DELETE;
        for directory in
            ["run/gild", "var/lib/gild", "var/lib/gild/last-good", "var/lib/gild/reports"]
        {
            fs::create_dir_all(rig.path(directory)).unwrap();
            inotify.watches().add(rig.path(directory), mask).unwrap();
        }
        Self(inotify)
    }

    /// How much has happened since the last time.
    fn drain(&mut self) -> usize {
        let mut buffer = [0; 8192];
        let mut happened = 0;
        while let Ok(events) = self.0.read_events(&mut buffer) {
            happened += events.count();
        }
        happened
    }
}
