//! What the daemon knows, for whoever asks at the socket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tokio::sync::Notify;

use super::boot::BootSamples;
use super::freshen::Overlay;
use crate::configure::handoff::Handoff;
use crate::configure::report::{Outcome, Report};
use crate::health::watch::Watch;
use crate::identity::Identity;
use crate::image;
use crate::lifecycle::drain::record::Record;
use crate::lifecycle::notice::Notices;
use crate::metrics::openmetrics::{self, Format};
use crate::metrics::pipeline::Pipeline;
use crate::metrics::sample::{Sample, Tick};
use crate::notify::courier::Tally;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::status::fresh::{Drift, Look};
use crate::status::server::{Answers, Flushing};
use crate::status::snapshot::{
    AgentStatus, CollectorStatus, Facts, SinkStatus, Snapshot, SpoolStatus,
};

/// What the daemon knows.
#[derive(Debug)]
pub(super) struct Board {
    paths: Paths,
    image: Option<image::record::Record>,
    started: Instant,
    started_at: String,
    view: Mutex<View>,
    refresh: Notify,
}

/// The present, kept by the main loop.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The configuration that `configure` left.
    pub(super) handoff: Option<Arc<Handoff>>,
    /// The report of the boot, so far.
    pub(super) report: Option<Report>,
    /// What is newer than that, and in force.
    pub(super) overlay: Option<Overlay>,
    /// What the last look at the sources says; `None` before it, and while
    /// `configure` is the last that looked.
    pub(super) look: Option<Look>,
    /// How the sources differ from what `configure` ran with.
    pub(super) drift: Option<Drift>,
    /// What is wrong with the configuration that the daemon runs on.
    pub(super) problems: Vec<String>,
    /// What the daemon cannot do for the instance's group.
    pub(super) group_problem: Option<String>,
    /// Who this instance is, where the daemon had to find out by itself.
    pub(super) identity: Option<Identity>,
    /// The services.
    pub(super) watch: Option<Watch>,
    /// The sinks.
    pub(super) pipeline: Option<Pipeline>,
    /// The measurements of the last boot.
    pub(super) boot: BootSamples,
    /// How those do who are to be told.
    pub(super) tally: Option<Tally>,
    /// The collectors.
    pub(super) collectors: BTreeMap<String, CollectorStatus>,
    /// What is coming for the instance.
    pub(super) notices: Notices,
    /// The last measurements.
    pub(super) tick: Option<Arc<Tick>>,
}

impl View {
    /// Whether `configure` is at work.
    pub(super) fn at_work(&self) -> bool {
        let report = self.report.as_ref().filter(|report| report.outcome == Outcome::Running);
        report.and_then(|report| report.process).is_some_and(|process| process.is_alive())
    }
}

impl Board {
    /// An empty board.
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
            image: image(paths),
            started: Instant::now(),
            started_at: clock::now_text(),
            view: Mutex::default(),
            refresh: Notify::new(),
        }
    }

    /// The present. Never held across an await.
    pub(super) fn view(&self) -> MutexGuard<'_, View> {
        // What is guarded is valid after every single step.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until somebody asks to read everything again.
    pub(super) async fn refresh_asked(&self) {
        self.refresh.notified().await;
    }

    /// Everything, as `/v1/status` shows it.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut view = self.view();
        self.catch_up(&mut view);
        let identity = match &view.handoff {
            Some(handoff) => Some(&handoff.identity),
            None => view.identity.as_ref(),
        };
        Snapshot::new(Facts {
            report: view.report.as_ref(),
            at_work: view.at_work(),
            problems: &view.problems,
            group_problem: view.group_problem.as_deref(),
            look: view.look.as_ref(),
            drift: view.drift.as_ref(),
            notices: &view.notices,
            started_at: &self.started_at,
            identity,
            image: self.image.as_ref(),
            drain: Record::load(&self.paths).unwrap_or_default(),
            services: view.watch.as_ref().map(Watch::snapshot).unwrap_or_default(),
            sinks: view.pipeline.as_ref().map(sinks).unwrap_or_default(),
            notify: view.tally.as_ref().map(Tally::stats).unwrap_or_default(),
            collectors: view.collectors.clone(),
            agent: self.agent(),
        })
    }

    /// A boot that has ended says so in its last report, which may have been
    /// written since the main loop last looked.
    pub(super) fn catch_up(&self, view: &mut View) {
        let Some(report) = &view.report else { return };
        if report.outcome == Outcome::Running
            && !view.at_work()
            && let Ok(Some(last)) = Report::load(&self.paths.report())
        {
            view.report = Some(last);
        }
    }

    /// The image as a series whose labels say what it is.
    pub(super) fn image_sample(&self) -> Option<Sample> {
        self.image.as_ref().map(image::record::Record::sample)
    }

    fn agent(&self) -> AgentStatus {
        AgentStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_s: self.started.elapsed().as_secs(),
            rss_bytes: resident_bytes().unwrap_or_default(),
        }
    }
}

/// What the image says of itself, which never changes while it runs.
fn image(paths: &Paths) -> Option<image::record::Record> {
    image::record::Record::load(paths).unwrap_or_else(|error| {
        tracing::warn!("{}", chain_text(&error));
        None
    })
}

fn sinks(pipeline: &Pipeline) -> BTreeMap<String, SinkStatus> {
    let each = pipeline.stats().into_iter();
    each.map(|(name, stats)| {
        let dropped = stats.dropped.into_iter().map(|(reason, count)| (reason.to_owned(), count));
        let status = SinkStatus {
            queued: stats.queued as u64,
            sent: stats.sent,
            dropped: dropped.collect(),
            last_error: stats.last_error,
            last_success: stats.last_success,
            left_out: Some(stats.left_out).filter(|left_out| left_out.count > 0),
            spool: stats.spool.map(|spool| SpoolStatus {
                bytes: spool.bytes,
                ticks: spool.ticks,
                oldest_s: spool.oldest_s,
                error: spool.error,
            }),
        };
        (name, status)
    })
    .collect()
}

/// The resident memory of this process: the second field of
/// /proc/self/statm, in pages (proc(5)). gild's own process is never below
/// another root.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    pages.checked_mul(u64::try_from(page).ok()?)
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

impl Answers for Board {
    fn status(&self) -> Value {
        json(&self.snapshot())
    }

    fn config(&self) -> Option<Value> {
        let view = self.view();
        let handoff = view.handoff.as_deref()?;
        Some(match &view.overlay {
            None => json(handoff),
            Some(overlay) => {
                let sources = view.look.as_ref().map_or(&handoff.sources, |look| &look.sources);
                json(&overlay.over(handoff, sources))
            }
        })
    }

    fn report(&self) -> Option<Value> {
        self.view().report.as_ref().map(json)
    }

    fn metrics(&self, format: Format) -> String {
        let tick = self.view().tick.clone();
        match tick {
            Some(tick) => openmetrics::render(&tick, format),
            None => openmetrics::render(&Tick::new(SystemTime::now(), Vec::new()), format),
        }
    }

    fn refresh(&self) {
        self.refresh.notify_one();
    }

    fn flush(&self, within: Duration) -> Flushing {
        match &self.view().pipeline {
            Some(pipeline) => Box::pin(pipeline.flush(within)),
            // Nobody holds anything.
            None => Box::pin(std::future::ready(true)),
        }
    }
}
