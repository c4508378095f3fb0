//! A client that asks the daemon for its status and its page, as a dashboard would, several times a
//! second: how long that takes, what it says, and which tick is the newest.
//!
//! The machine may be busy with others: the time that the daemon or this client waited for a
//! processor is the kernel's to know, and is not held against the daemon.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::estate::TICK;
use crate::excuse::{Excuse, Excuses};
use crate::ledger::{Ms, Waiting};
use crate::{now_ms, secrets};

const PAUSE: Duration = Duration::from_millis(200);
/// How long a client waits at all.
const PATIENCE: Duration = Duration::from_secs(12);
/// Each so many rounds the sources are looked at again, and all pages are read.
const REFRESH_EACH: usize = 50;
const PAGES: [&str; 4] = ["/v1/status", "/metrics", "/v1/config", "/v1/report"];

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) status: Option<Value>,
    /// When that was asked for.
    asked: Ms,
    /// When somebody answered last.
    pub(crate) answered: Option<Instant>,
    pub(crate) ticks: BTreeSet<Ms>,
    /// The slowest answer, in milliseconds, of those that count.
    pub(crate) worst_ms: f64,
    pub(crate) answers: usize,
    /// What was wrong.
    pub(crate) wrong: Vec<String>,
}

impl Seen {
    /// How a sink was.
    pub(crate) fn waiting(&self, sink: &str) -> Waiting {
        let Some(status) = &self.status else { return Waiting::default() };
        let sink = &status["sinks"][sink];
        let spooled = sink["spool"]["ticks"].as_u64().unwrap_or_default();
        Waiting {
            asked: self.asked,
            // One may be on its way from disk while what comes after it stays in memory.
            behind: spooled > u64::from(sink["last_error"].is_null()),
            disk_fails: !sink["spool"]["error"].is_null(),
        }
    }
}

/// The client at work; ends when dropped.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    /// The daemon's process.
    pub(crate) process: Arc<AtomicU32>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn start(socket: PathBuf, excuses: Excuses, most_ms: f64) -> Self {
        let (seen, process, over) = (
            Arc::<Mutex<Seen>>::default(),
            Arc::<AtomicU32>::default(),
            Arc::<AtomicBool>::default(),
        );
        let client = Client {
            socket,
            excuses,
            most_ms,
            forms: secrets::forms(),
            seen: seen.clone(),
            process: process.clone(),
        };
        let stop = over.clone();
        let thread = std::thread::spawn(move || {
            let mut round = 0;
            while !stop.load(Ordering::SeqCst) {
                client.round(round);
                round += 1;
                std::thread::sleep(PAUSE);
            }
        });
        Self { seen, process, over, thread: Some(thread) }
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Client {
    socket: PathBuf,
    excuses: Excuses,
    most_ms: f64,
    forms: Vec<String>,
    seen: Arc<Mutex<Seen>>,
    process: Arc<AtomicU32>,
}

impl Client {
    fn round(&self, round: usize) {
        let all = round.is_multiple_of(REFRESH_EACH);
        for page in PAGES.iter().take(if all { PAGES.len() } else { 2 }) {
            self.look(page);
        }
        if all {
            let _ = ask(&self.socket, "POST", "/v1/refresh");
        }
    }

    fn look(&self, page: &str) {
        let (asked, start, waits) = (now_ms(), Instant::now(), self.waits_ms());
        let answer = ask(&self.socket, "GET", page);
        let took_ms = start.elapsed().as_secs_f64() * 1e3;
        let own_ms = took_ms - (self.waits_ms() - waits).max(0.0);
        let counts = !self.excuses.holds(Excuse::Answer, start);
        let seen = &mut *lock(&self.seen);
        let body = match answer {
            Ok((200, body)) => body,
            other if counts => {
                let said = other.map(|(status, body)| format!("{status} {body}"));
                return seen.wrong.push(format!("{page} was not answered: {said:?}"));
            }
            _ => return,
        };
        (seen.answered, seen.answers) = (Some(Instant::now()), seen.answers + 1);
        if counts {
            seen.worst_ms = seen.worst_ms.max(own_ms);
            if own_ms > self.most_ms {
                let took = format!("{own_ms:.0} ms, of {took_ms:.0} ms with waits for a processor");
                seen.wrong.push(format!("{page} took {took}"));
            }
        }
        if let Some(secret) = secrets::found(body.as_bytes(), &self.forms) {
            seen.wrong.push(format!("{page} shows '{secret}'"));
        }
        match page {
            "/v1/status" => match serde_json::from_str(&body) {
                Ok(status) => (seen.status, seen.asked) = (Some(status), asked),
                Err(error) => seen.wrong.push(format!("{page} is no JSON: {error}")),
            },
            "/metrics" => seen.ticks.extend(tick(&body)),
            _ => {}
        }
    }

    /// How long the daemon and this thread have waited for a processor so far.
    fn waits_ms(&self) -> f64 {
        let process = self.process.load(Ordering::SeqCst);
        let files =
            [format!("/proc/{process}/schedstat"), "/proc/thread-self/schedstat".to_owned()];
        files.iter().map(|file| waited_ms(Path::new(file))).sum()
    }
}

fn waited_ms(schedstat: &Path) -> f64 {
    let text = fs::read_to_string(schedstat).unwrap_or_default();
    let waited = text.split(' ').nth(1).and_then(|waited| waited.parse::<f64>().ok());
    waited.unwrap_or_default() / 1e6
}

fn tick(page: &str) -> Option<Ms> {
    let value = page.lines().find_map(|line| line.strip_prefix(TICK)?.strip_prefix(' '))?;
    value.parse::<f64>().ok().map(|seconds| (seconds * 1e3).round() as Ms)
}

/// One question: the status and the body.
pub(crate) fn ask(socket: &Path, method: &str, page: &str) -> io::Result<(u16, String)> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{method} {page} HTTP/1.0\r\nHost: gild\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or(io::ErrorKind::InvalidData)?, body.to_owned()))
}
