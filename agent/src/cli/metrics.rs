//! `gild metrics`: what is measured now, and what would be sent.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use reqwest::Client;
use secrecy::SecretString;

use super::context::Globals;
use super::effective::effective;
use super::{Failure, print};
use crate::config::Settings;
use crate::health::watch::Watch;
use crate::identity::Identity;
use crate::metrics::openmetrics::{self, Format};
use crate::metrics::runner::Runner;
use crate::metrics::sample::Tick;
use crate::metrics::schedule::Schedule;
use crate::metrics::scrape::Scrapes;
use crate::metrics::sink::SinkContext;
use crate::platform::aws::Aws;
use crate::platform::redact::MASK;
use crate::platform::{http, signals};

/// How long one call to AWS may take; a dry run makes none.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The time between the two ticks of a dry run: rates need two.
const BETWEEN: Duration = Duration::from_secs(1);

/// Show samples as Prometheus text, or the exact requests of each sink.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Measure once instead of at every interval.
    #[arg(long)]
    once: bool,
    /// Show what each sink would send, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let effective = effective(globals).await?;
    let typed = Settings::typed(&effective.config);
    let Some(settings) = typed.settings else {
        return Err("the configuration in force is not one for this version of gild".into());
    };
    if arguments.dry_run {
        let (context, ticks) = two_ticks(globals, &settings, &effective.identity).await?;
        for (name, sink) in &settings.sink {
            print(&globals.redactor, &format!("# sink.{name} ({})\n", sink.type_word()));
            for line in sink.preview(&effective.identity, &context, &ticks)? {
                print(&globals.redactor, &(line + "\n"));
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut measuring = Measuring::start(globals, &settings, &http::client()?).await;
    let mut schedule = Schedule::new(settings.metrics.interval);
    loop {
        tokio::select! {
            () = signals::asked_to_stop() => return Ok(ExitCode::SUCCESS),
            () = schedule.wait() => {}
        }
        print(&globals.redactor, &openmetrics::render(&*measuring.tick().await, Format::Text));
        if arguments.once {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Two ticks of this host, and what sinks are set up from that send nothing.
pub(super) async fn two_ticks(
    globals: &Globals,
    settings: &Settings,
    identity: &Identity,
) -> Result<(SinkContext, [Arc<Tick>; 2]), Failure> {
    let client = http::client()?;
    let mut measuring = Measuring::start(globals, settings, &client).await;
    let first = measuring.tick().await;
    tokio::time::sleep(BETWEEN).await;
    let ticks = [first, measuring.tick().await];
    let needs_aws = settings.sink.values().any(|sink| sink.needs_aws());
    let aws = match needs_aws {
        true => Some(Aws::load(&client, identity.region.as_deref(), ATTEMPT).await),
        false => None,
    };
    // Nothing is sent, so no secret is fetched.
    let secrets: HashMap<_, _> = settings
        .sink
        .values()
        .flat_map(|sink| sink.secrets())
        .map(|reference| (reference, SecretString::from(MASK)))
        .collect();
    Ok((SinkContext { client, aws, secrets }, ticks))
}

/// All that a tick is made of.
struct Measuring {
    watch: Watch,
    scrapes: Scrapes,
    runner: Runner,
}

impl Measuring {
    async fn start(globals: &Globals, settings: &Settings, client: &Client) -> Self {
        let paths = globals.installed();
        let watch = Watch::start(&settings.service, client.clone(), &paths);
        let scrapes = Scrapes::start(&settings.scrape, client.clone());
        tokio::join!(watch.first_looks(), scrapes.first_fetches());
        Self { watch, scrapes, runner: Runner::new(&settings.metrics, &paths) }
    }

    async fn tick(&mut self) -> Arc<Tick> {
        let mut tick = self.runner.tick().await;
        self.scrapes.add_to(&mut tick.samples);
        tick.samples.extend(self.watch.samples());
        Arc::new(tick)
    }
}
