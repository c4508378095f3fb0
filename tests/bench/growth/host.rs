//! A host with a load, and what the daemon costs on it. It is the one of `tests/fixtures/host`, so
//! that the machine's own disks and processors are not in it; a load puts something in its place.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::receiver::Receiver;
use crate::counts::fixture;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;
use crate::fakes::wait::until;
use crate::peers::Process;

/// Ticks that are measured, each of which is a round, and that come before those.
const TICKS: usize = 7;
const WARM: usize = 3;
const TICK: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// As many samples as a page may have, and as many bytes.
const PAGE_SAMPLES: usize = 20_000;
const PAGE_BYTES: usize = 16_000_000;

/// What was measured at each tick.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) cpu_ms: Vec<f64>,
    pub(crate) rss_kib: Vec<f64>,
    pub(crate) anonymous_kib: Vec<f64>,
}

pub(crate) struct Host {
    scratch: TempDir,
    imds: Imds,
    pages: Files,
    receivers: Vec<Receiver>,
    document: String,
    /// How many series its load comes to at least.
    pub(crate) series: usize,
}

/// gild on the instance at `root`.
pub(crate) fn gild(mut command: Command, root: &Path, imds: &Imds, verb: &[&str]) -> Command {
    command.arg("--root").arg(root).args(verb).env_clear();
    command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", imds.endpoint());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

impl Host {
    pub(crate) fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        fixture(scratch.path());
        let document = "scope.local_targets = true\nconfiguration.run = 'never'\n\
                        lifecycle.watch = false\nmetrics.interval = '1s'\n";
        Self {
            scratch,
            imds: Imds::start(loopback(), &Instance::default()),
            pages: Files::start(loopback()),
            receivers: Vec::new(),
            document: document.to_owned(),
            series: 0,
        }
    }

    /// Puts a file in the place of the fixture's.
    pub(crate) fn put(&self, path: &str, text: &str) {
        fs::write(self.scratch.path().join(path), text).unwrap();
    }

    /// The fixture's file.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.scratch.path().join(path)).unwrap()
    }

    /// A directory below the root.
    pub(crate) fn make(&self, path: &str) {
        fs::create_dir_all(self.scratch.path().join(path)).unwrap();
    }

    /// Adds to what the host's own document says.
    pub(crate) fn say(&mut self, text: &str) {
        self.document += text;
    }

    /// Another sink with a receiver of its own.
    pub(crate) fn sink(&mut self) {
        let (number, receiver) = (self.receivers.len(), Receiver::start());
        let url = receiver.url();
        self.say(&format!(
            "[sink.s{number}]\ntype = 'remote_write'\nurl = '{url}'\nflush = '1s'\n"
        ));
        self.receivers.push(receiver);
    }

    /// Has other programs of the host serve these samples, on as many pages as they need. They
    /// are fetched for each tick.
    pub(crate) fn serve(&mut self, samples: &[String]) {
        for (number, page) in samples.chunks(PAGE_SAMPLES).enumerate() {
            let path = format!("/page{number}");
            self.pages.put(&path, page.concat());
            let url = self.pages.url(&path);
            self.say(&format!(
                "[scrape.page{number}]\nurl = '{url}'\ninterval = '1s'\n\
                 max_samples = {PAGE_SAMPLES}\nmax_bytes = {PAGE_BYTES}\n"
            ));
        }
    }

    /// What the daemon costs at each of some ticks, all of which its sinks have sent.
    pub(crate) fn measure(&self, program: &Path) -> Seen {
        let root = self.scratch.path();
        fs::write(root.join("etc/gild/config.d/10-local.toml"), &self.document).unwrap();
        let command = |verb: &str| gild(Command::new(program), root, &self.imds, &[verb]);
        assert!(command("configure").status().unwrap().success(), "gild configure failed");
        let daemon = Process::start("gild", command("run"));
        until("whole ticks", PATIENCE, || {
            let whole = |it: &Receiver| it.ticks() >= WARM && it.series() >= self.series;
            let seen = || self.receivers.iter().map(|it| (it.ticks(), it.series()));
            match self.receivers.iter().all(whole) {
                true => Ok(()),
                false => Err(format!("{:?}", seen().collect::<Vec<_>>())),
            }
        });
        let mut seen = Seen::default();
        let begin = Instant::now();
        let mut sent = self.between_ticks();
        let mut before = daemon.usage();
        for _ in 0..TICKS {
            let (now, after) = (self.between_ticks(), daemon.usage());
            // More than one where they take longer than they may.
            seen.cpu_ms.push((after.cpu_ms - before.cpu_ms) / (now - sent) as f64);
            seen.rss_kib.push(after.rss_kib);
            seen.anonymous_kib.push(after.anonymous_kib);
            (sent, before) = (now, after);
        }
        let took = begin.elapsed();
        if took > TICK * (TICKS as u32 + 3) {
            println!("{TICKS} ticks took {took:.1?}: there is more to do than fits between two");
        }
        seen
    }

    /// Waits until all sinks have sent another tick, and then as long as pages are not yet fetched
    /// for the next one. Says how many were sent.
    fn between_ticks(&self) -> usize {
        let sent = || self.receivers.iter().map(Receiver::ticks).min().unwrap_or_default();
        let (begin, before) = (Instant::now(), sent());
        while sent() == before {
            assert!(begin.elapsed() < PATIENCE, "no tick was sent within {PATIENCE:?}");
            std::thread::sleep(POLL);
        }
        std::thread::sleep(TICK / 2);
        sent()
    }
}
