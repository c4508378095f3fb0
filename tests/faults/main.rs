//! The fault driver: the release binary's daemon lives under random faults, and what gild promises
//! is looked at all along.
//!
//! Life is counted in ticks. A tick of the default comes each 10 s, and here each second, which is
//! the shortest interval that gild accepts: so 720 s stand for two hours, a tenth. What gild does
//! by the clock and not by the tick (pauses between tries, up to a minute; a call's timeout, where
//! this does not set it) is not shortened, and so weighs ten times as much as it would.
//!
//!     tests/faults/run [--seed N] [--hours H] [--hold LIMIT=VALUE]
//!
//! A seed makes the schedule, and makes the same again. A new fault is a line in `fault`, a new
//! invariant a line in `invariant`. A broken one ends the run with 1, the seed, the time and
//! what had happened.
#![allow(clippy::unwrap_used)]

mod estate;
mod excuse;
#[path = "../fakes/mod.rs"]
#[allow(dead_code, reason = "the driver uses its own part of the fakes")]
mod fakes;
mod fault;
mod invariant;
#[allow(dead_code, reason = "its tests run with the integration tests")]
mod ledger;
mod life;
mod line;
mod options;
#[allow(dead_code, reason = "its tests run with the integration tests")]
mod plan;
mod secrets;
mod watch;
#[path = "../bench/world.rs"]
#[allow(dead_code, reason = "the benchmarks use more of it")]
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fastrand::Rng;
use serde_json::Value;

use self::fault::{ALL, Begun};
use self::invariant::Invariant;
use self::ledger::Ms;
use self::life::Stage;
use self::options::Options;
use self::plan::{Planned, plan};

const TICKS_AN_HOUR: f64 = 360.0;
const LOOK: Duration = Duration::from_millis(50);
const START: Duration = Duration::from_secs(30);
/// What a tick of the backlog may take: a sink pauses for a tenth of a second after each.
const LATE_TICK_S: f64 = 0.25;

/// The wall clock, as ticks have it.
pub(crate) fn now_ms() -> Ms {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as Ms
}

fn main() -> ExitCode {
    let Some(gild) = std::env::var_os("GILD_BIN").map(PathBuf::from) else {
        // Built with the tests, and only they may say so.
        println!("GILD_BIN names no release binary: run tests/faults/run");
        return ExitCode::SUCCESS;
    };
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let life = Duration::from_secs_f64(options.hours * TICKS_AN_HOUR);
    let schedule = plan(options.seed, &ALL.iter().map(|it| it.kind).collect::<Vec<_>>(), life);
    println!(
        "seed {}: {} h as {:.0} ticks of 1 s, {} faults",
        options.seed,
        options.hours,
        life.as_secs_f64(),
        schedule.len()
    );
    let mut run = Run {
        stage: Stage::new(&gild, options.limits.answer_ms),
        invariants: invariant::all(&options.limits)
            .into_iter()
            .map(|it| (Instant::now(), it))
            .collect(),
        start: Instant::now(),
        going_on: Vec::new(),
        counts: BTreeMap::new(),
    };
    let ended = run.live(&schedule, life, options.limits.heal_s);
    run.last_word();
    match ended {
        Ok(()) => {
            println!("all held, seed {}", options.seed);
            ExitCode::SUCCESS
        }
        Err(broken) => {
            println!("BROKEN with seed {} at {}: {broken}", options.seed, run.time());
            println!("replay: tests/faults/run --seed {} --hours {}", options.seed, options.hours);
            run.keep_log();
            ExitCode::FAILURE
        }
    }
}

struct Run {
    stage: Stage,
    /// Each with the time of its next look.
    invariants: Vec<(Instant, Box<dyn Invariant>)>,
    start: Instant,
    /// Which faults go on, until when.
    going_on: Vec<(Duration, &'static fault::Entry, Begun)>,
    counts: BTreeMap<&'static str, usize>,
}

impl Run {
    fn live(&mut self, schedule: &[Planned], life: Duration, heal_s: f64) -> Result<(), String> {
        let well = |run: &mut Self| run.is_well();
        self.until(START, "is well before anything happened", well)?;
        self.start = Instant::now();
        let mut coming = schedule.iter().peekable();
        while self.start.elapsed() < life || !self.going_on.is_empty() {
            let now = self.start.elapsed();
            self.end(|until| until <= now);
            while let Some(next) = coming.next_if(|next| next.begins <= now) {
                self.begin(next);
            }
            self.tend()?;
        }
        println!("{} all faults are over", self.time());
        let most = self.waiting() as f64 * LATE_TICK_S + heal_s;
        self.until(Duration::from_secs_f64(most), "is well after all that happened", well)?;
        println!("{} all is well", self.time());
        for at in 0..self.invariants.len() {
            self.invariants[at].1.at_end(&mut self.stage)?;
        }
        Ok(())
    }

    fn begin(&mut self, next: &Planned) {
        let entry = &ALL[next.kind];
        self.stage.excuses.begin(entry.excuses);
        let begun = (entry.begin)(&mut self.stage, &mut Rng::with_seed(next.seed));
        let lasts_s = next.lasts.as_secs_f64();
        println!("{} begin {}, {lasts_s:.1} s: {}", self.time(), entry.kind.name, begun.what);
        *self.counts.entry(entry.kind.name).or_default() += 1;
        self.going_on.push((next.begins + next.lasts, entry, begun));
    }

    /// Ends the faults whose time is such.
    fn end(&mut self, over: impl Fn(Duration) -> bool) {
        while let Some(at) = self.going_on.iter().position(|(until, ..)| over(*until)) {
            let (_, entry, begun) = self.going_on.remove(at);
            (begun.end)(&mut self.stage);
            self.stage.excuses.end(entry.excuses);
            println!("{} end {}", self.time(), entry.kind.name);
        }
    }

    /// Looks after the daemon and at what must hold, and lets some time go by.
    fn tend(&mut self) -> Result<(), String> {
        self.stage.tend();
        for (due, invariant) in &mut self.invariants {
            if *due <= Instant::now() {
                invariant.look(&mut self.stage)?;
                *due = Instant::now() + invariant.period();
            }
        }
        std::thread::sleep(LOOK);
        Ok(())
    }

    fn until(
        &mut self,
        most: Duration,
        what: &str,
        mut holds: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let start = Instant::now();
        loop {
            match holds(self) {
                Ok(()) => return Ok(()),
                Err(why) if start.elapsed() > most => {
                    return Err(format!("not within {most:?}: it {what}: {why}"));
                }
                Err(_) => self.tend()?,
            }
        }
    }

    /// Whether the daemon says that all is well, and has nothing to send.
    fn is_well(&mut self) -> Result<(), String> {
        let seen = self.stage.watch.seen();
        let status = seen.status.as_ref().ok_or("nobody answers")?;
        if status["agent"]["pid"] != self.stage.process() {
            return Err("another process answered".to_owned());
        }
        let sinks = status["sinks"].as_object().ok_or("there are no sinks")?;
        let at_ease = |sink: &Value| {
            sink["last_error"].is_null()
                && sink["spool"]["error"].is_null()
                && sink["spool"]["ticks"] == 0
                && sink["last_success"].is_string()
        };
        let calm = sinks.values().all(at_ease) && sinks.len() == 4;
        match status["state"] == "ready" && calm {
            true => Ok(()),
            false => Err(format!("{} {} {}", status["state"], status["problems"], status["sinks"])),
        }
    }

    /// How many ticks wait on disk.
    fn waiting(&self) -> u64 {
        let seen = self.stage.watch.seen();
        let sinks = seen.status.as_ref().and_then(|status| status["sinks"].as_object());
        let ticks = |sink: &Value| sink["spool"]["ticks"].as_u64();
        sinks.map_or(0, |sinks| sinks.values().filter_map(ticks).sum())
    }

    /// The time of this life.
    fn time(&self) -> String {
        format!("[{:7.1} s]", self.start.elapsed().as_secs_f64())
    }

    fn last_word(&self) {
        let counts = self.counts.iter().map(|(name, count)| format!("{name} {count}"));
        println!("faults: {}", counts.collect::<Vec<_>>().join(", "));
        for (_, invariant) in &self.invariants {
            println!("{}", invariant.figure(&self.stage));
        }
    }

    /// What the daemon has said, for whoever looks into it.
    fn keep_log(&self) {
        let kept = std::env::temp_dir().join(format!("gild-faults-{}.log", std::process::id()));
        if std::fs::copy(self.stage.estate.log(), &kept).is_ok() {
            println!("what the daemon said: {}", kept.display());
        }
        let _ = self.stage.watch.seen().status.as_ref().map(|status| println!("{status}"));
    }
}
