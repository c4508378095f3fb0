//! The daemon as systemd keeps it: started again a while after it ended, whoever ended it.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::estate::Estate;
use crate::excuse::{Excuse, Excuses};
use crate::ledger::{Ledger, at_risk};
use crate::now_ms;
use crate::watch::Watch;

/// `RestartSec` of its unit, as much shorter as everything else.
const RESTART: Duration = Duration::from_millis(300);
/// How long it may take until it answers.
const RISE: Duration = Duration::from_secs(10);
/// What must not be asked of a daemon that is not there.
const GONE: [Excuse; 2] = [Excuse::Answer, Excuse::Tick];

/// The receivers to which every tick must come.
pub(crate) const STRICT: [&str; 2] = ["kept", "named"];

/// The instance with its daemon, and what is known of it.
pub(crate) struct Stage {
    pub(crate) watch: Watch,
    pub(crate) excuses: Excuses,
    pub(crate) ledgers: [Ledger; STRICT.len()],
    child: Option<Child>,
    /// When it is started again, or was.
    start: Instant,
    /// Whether it has ended, and has not answered since.
    away: bool,
    /// When anything else last kept it from that.
    unhindered: Instant,
    pub(crate) starts: usize,
    /// How often it ended, and why, as far as faults did that.
    pub(crate) killed: usize,
    pub(crate) starved: usize,
    /// What it did that nobody made it do.
    pub(crate) wrong: Option<String>,
    gild: PathBuf,
    pub(crate) estate: Estate,
}

impl Stage {
    pub(crate) fn new(gild: &Path, most_ms: f64) -> Self {
        let estate = Estate::new(gild);
        let excuses = Excuses::default();
        excuses.begin(&GONE);
        let mut stage = Self {
            watch: Watch::start(estate.socket(), excuses.clone(), most_ms),
            excuses,
            ledgers: Default::default(),
            child: None,
            start: Instant::now(),
            away: true,
            unhindered: Instant::now(),
            starts: 0,
            killed: 0,
            starved: 0,
            wrong: None,
            gild: gild.to_owned(),
            estate,
        };
        stage.tend();
        stage
    }

    /// Its process; the last one where there is none.
    pub(crate) fn process(&self) -> u32 {
        self.watch.process.load(Ordering::SeqCst)
    }

    /// Whether there is one.
    pub(crate) fn lives(&self) -> bool {
        self.child.is_some()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let _ = kill(Pid::from_raw(child.id().try_into().unwrap()), signal);
        }
    }

    /// Ends it as nobody can prevent.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            self.goes();
            let _ = child.kill();
            let _ = child.wait();
            self.killed += 1;
            self.note_end();
        }
    }

    /// Notes what its end may cost, and when it is started again.
    fn note_end(&mut self) {
        let (now, ill) = (now_ms(), self.excuses.since(Excuse::Disk));
        let seen = self.watch.seen();
        for (ledger, sink) in self.ledgers.iter_mut().zip(STRICT) {
            ledger.may_miss((at_risk(seen.waiting(sink), now, ill), now));
        }
        self.start = Instant::now() + RESTART;
    }

    /// Asks nothing of it until it answers again.
    fn goes(&mut self) {
        if !self.away {
            self.excuses.begin(&GONE);
        }
        self.away = true;
    }

    /// Does what systemd does: looks whether it lives, and starts it when it is time.
    pub(crate) fn tend(&mut self) {
        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait().unwrap()
        {
            self.child = None;
            self.goes();
            match self.excuses.holds(Excuse::End, Instant::now()) {
                true => self.starved += 1,
                false => self.wrong = Some(format!("it ended by itself: {status}")),
            }
            self.note_end();
        }
        if self.child.is_none() && Instant::now() >= self.start {
            let child = self.estate.daemon(&self.gild).spawn().unwrap();
            self.watch.process.store(child.id(), Ordering::SeqCst);
            self.child = Some(child);
            (self.start, self.starts) = (Instant::now(), self.starts + 1);
        }
        let answered = self.watch.seen().answered;
        if self.away && self.lives() && answered.is_some_and(|at| at > self.start) {
            self.away = false;
            self.excuses.end(&GONE);
        }
        // Others than this one may keep it from answering.
        if [Excuse::Answer, Excuse::Tick, Excuse::End].iter().any(|it| self.is_hindered(*it)) {
            self.unhindered = Instant::now();
        }
        if self.away && self.lives() && self.unhindered.max(self.start).elapsed() > RISE {
            self.wrong = Some(format!("it does not answer {RISE:?} after its start"));
        }
    }

    /// Whether more than its absence stands for this excuse.
    fn is_hindered(&self, excuse: Excuse) -> bool {
        self.excuses.active(excuse) > usize::from(GONE.contains(&excuse) && self.away)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
