//! The parts of the daemon that settings shape: collectors, services, sinks.
//! New settings replace what they change and leave the rest running.

use std::sync::Arc;
use std::time::Duration;

use super::Ended;
use super::board::Board;
use super::freshen::Fresh;
use super::held::Held;
use crate::config::Settings;
use crate::health::watch::Watch;
use crate::identity::{Identity, IdentityError};
use crate::lifecycle::hook::keeper::Keeper;
use crate::lifecycle::hook::unhealthy::Sentry;
use crate::lifecycle::notice::Notices;
use crate::metrics::pipeline::Pipeline;
use crate::metrics::runner::Runner;
use crate::metrics::sample::{Kind, Sample};
use crate::metrics::schedule::Schedule;
use crate::metrics::scrape::Scrapes;
use crate::metrics::settings::MetricsSettings;
use crate::metrics::sink::{SpoolSupply, Supplies};
use crate::metrics::steps::{Corrections, Steps, slept};
use crate::notify::courier::Courier;
use crate::platform::error::chain_text;
use crate::scope::Context;
use crate::scope::aws::LazyAws;
use crate::scope::resolve::at_start;
use crate::scope::secrets::Secrets;
use crate::scope::settle::DefaultsInvalid;
use crate::status::snapshot::CollectorStatus;

/// How many ticks the first samples are: rates need two.
const FIRST_TICKS: u32 = 2;

/// How long one call to AWS may take.
const AWS_ATTEMPT: Duration = Duration::from_secs(10);

/// How long a sink tries to get a secret before it says so and tries again.
const SECRET_BUDGET: Duration = Duration::from_secs(15);

/// What runs.
pub(super) struct Engine<'a> {
    pub(super) context: &'a Context,
    pub(super) board: Arc<Board>,
    pub(super) courier: Courier,
    pub(super) settings: Settings,
    pub(super) fresh: Fresh,
    /// What the group is owed.
    pub(super) keeper: Keeper,
    pub(super) sentry: Sentry,
    pub(super) identity: Option<Identity>,
    runner: Runner,
    schedule: Schedule,
    scrapes: Scrapes,
    held: Held,
    sent: u32,
    steps: Steps,
}

impl<'a> Engine<'a> {
    /// Starts on the host's own layers: everything but the sinks, which must
    /// know whose measurements they send.
    pub(super) fn start(context: &'a Context, board: Arc<Board>) -> Result<Self, DefaultsInvalid> {
        let own = at_start(context)?;
        let settings = own.settings;
        let (runner, schedule) = measuring(context, &settings);
        let watch = Watch::start(&settings.service, context.client.clone(), &context.paths);
        let scrapes = Scrapes::start(&settings.scrape, context.client.clone());
        let courier = Courier::start(context);
        {
            let mut view = board.view();
            view.watch = Some(watch);
            view.tally = Some(courier.tally());
            view.problems = own.problems.iter().map(ToString::to_string).collect();
        }
        let (fresh, held) = (Fresh::default(), Held::default());
        Ok(Self {
            context,
            board,
            courier,
            settings,
            fresh,
            keeper: Keeper::default(),
            sentry: Sentry::default(),
            identity: None,
            runner,
            schedule,
            scrapes,
            held,
            sent: 0,
            steps: Steps::default(),
        })
    }

    /// Waits until the next measurement is due.
    pub(super) async fn due(&mut self) {
        self.schedule.wait().await;
    }

    /// Measures once and gives the result to the sinks.
    pub(super) async fn measure(&mut self) {
        let mut tick = self.runner.tick().await;
        let step = self.steps.look(&tick, slept());
        if let Some(step) = step {
            let mut corrections = Corrections::default();
            corrections.add(step);
            self.held.stamp(|tick| corrections.at(tick));
        }
        let steps = self.steps.count as f64;
        tick.samples.push(Sample::plain(Kind::Counter, "gild_clock_steps_total", steps));
        let collectors = self.runner.stats();
        self.scrapes.add_to(&mut tick.samples);
        tick.samples.extend(self.board.boot_samples());
        tick.samples.extend(self.board.image_sample());
        let mut view = self.board.view();
        tick.samples.extend(view.watch.as_ref().map(Watch::samples).unwrap_or_default());
        view.collectors = collectors
            .into_iter()
            .map(|(name, stats)| (name.to_owned(), stats))
            .chain(self.scrapes.stats())
            .map(|(name, stats)| {
                let status = CollectorStatus {
                    ok: stats.ok,
                    duration_ms: stats.duration_ms,
                    error: stats.error,
                };
                (name, status)
            })
            .collect();
        tick.samples.extend(view.pipeline.as_ref().map(Pipeline::samples).unwrap_or_default());
        let tick = Arc::new(tick);
        view.tick = Some(tick.clone());
        match &view.pipeline {
            Some(pipeline) => {
                if let Some(step) = step {
                    pipeline.stepped(step);
                }
                pipeline.push(tick);
                self.sent += 1;
            }
            None => self.held.push(tick),
        }
    }

    /// Puts settings in force.
    pub(super) fn apply(&mut self, settings: Settings, identity: Identity) {
        if settings.metrics != self.settings.metrics {
            (self.runner, self.schedule) = measuring(self.context, &settings);
        }
        self.scrapes.update(&settings.scrape);
        let mut view = self.board.view();
        if let Some(watch) = &mut view.watch {
            watch.update(&settings.service);
        }
        if !settings.lifecycle.watch {
            view.notices = Notices::default();
        }
        let spool = |settings: &Settings| (settings.metrics.spool, settings.metrics.spool_age);
        let sinks_changed =
            settings.sink != self.settings.sink || spool(&settings) != spool(&self.settings);
        if view.pipeline.is_none() || sinks_changed || self.identity.as_ref() != Some(&identity) {
            let supplies = self.supplies(&identity, &settings.metrics);
            let pipeline = Pipeline::start(&settings.sink, &identity, &supplies);
            for tick in self.held.take() {
                pipeline.push(tick);
                self.sent += 1;
            }
            if let Some(old) = view.pipeline.take() {
                tokio::spawn(pipeline.succeed(old, super::LAST_FLUSH));
            }
            view.pipeline = Some(pipeline);
        }
        self.settings = settings;
        self.identity = Some(identity);
    }

    fn supplies(&self, identity: &Identity, metrics: &MetricsSettings) -> Supplies {
        let Context { paths, client, redactor, .. } = self.context;
        let region = identity.region.clone();
        let secrets = Secrets::new(paths, client, region.clone(), redactor, SECRET_BUDGET);
        Supplies {
            client: client.clone(),
            aws: Arc::new(LazyAws::new(client.clone(), region, AWS_ATTEMPT)),
            secrets: Arc::new(secrets.or_handed()),
            spool: SpoolSupply {
                directory: paths.sink_spools(),
                bytes: metrics.spool,
                age: metrics.spool_age,
            },
        }
    }

    /// Takes up what is to be told, by the settings in force.
    pub(super) fn look_for_messages(&mut self) {
        self.courier.look(&self.settings.notify, self.identity.as_ref());
    }

    /// Whether the sinks are at work.
    pub(super) fn is_sending(&self) -> bool {
        self.board.view().pipeline.is_some()
    }

    /// Sends on the host's own layers, because `configure` has left nothing. What
    /// was measured is held on where it is not known whose it is.
    pub(super) fn send_unconfigured(&mut self, found: Result<Identity, IdentityError>) {
        let nothing = "nothing has been resolved yet";
        match found {
            Ok(identity) => {
                tracing::warn!("{nothing}; measurements go where the host's own layers say");
                self.board.view().identity = Some(identity.clone());
                self.apply(self.settings.clone(), identity);
                self.look_for_messages();
            }
            Err(error) => {
                let problem = format!("{nothing}, and {}", chain_text(&error));
                tracing::warn!("{problem}");
                self.board.view().problems.push(problem);
            }
        }
    }

    /// Whether enough has been measured, and every service looked at, for the
    /// first samples to be whole.
    pub(super) fn has_first_samples(&self) -> bool {
        let looked = self.board.view().watch.as_ref().is_none_or(Watch::has_looked);
        self.sent >= FIRST_TICKS && looked
    }

    /// Lets the sinks send what they hold, and ends them.
    pub(super) async fn last_flush(&mut self, within: Duration) -> Ended {
        let pipeline = self.board.view().pipeline.take();
        let Some(pipeline) = pipeline else {
            self.courier.finish(within).await;
            return Ended::SamplesNotSent;
        };
        let (stats, ()) = tokio::join!(pipeline.shutdown(within), self.courier.finish(within));
        for (sink, stats) in stats.iter().filter(|(_, stats)| stats.sent == 0) {
            let why = stats.last_error.as_deref().unwrap_or("it had nothing to send");
            tracing::warn!(sink, "no sample was sent: {why}");
        }
        if stats.values().all(|stats| stats.sent > 0) {
            Ended::SamplesSent
        } else {
            Ended::SamplesNotSent
        }
    }
}

fn measuring(context: &Context, settings: &Settings) -> (Runner, Schedule) {
    let runner = Runner::new(&settings.metrics, &context.paths);
    (runner, Schedule::new(settings.metrics.interval))
}
