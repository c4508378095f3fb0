//! `gild up`: the whole job in the foreground, for a laptop, a virtual machine
//! or a container, and told so that a person follows it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use listenfd::ListenFd;

use super::Failure;
use super::config::{count, table};
use super::context::Globals;
use super::paint::Paint;
use crate::config::path::KeyPath;
use crate::configure::boot::{self, Options, Watcher};
use crate::configure::events::Progress;
use crate::configure::report::{Decision, Outcome, Report, SourceOutcome, TaskOutcome, TaskReport};
use crate::daemon::{self, Ended, Until};
use crate::platform::redact::Redactor;
use crate::platform::signals;
use crate::scope::Resolution;
use crate::status::listener;
use crate::status::render::plain;

/// Configure and run in the foreground from DIR/{global,account,service}.toml.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The directory that holds a document for each scope.
    #[arg(long, value_name = "DIR")]
    local: PathBuf,
    /// Keep files here, so that two can run at the same time.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// End after the first samples are out.
    #[arg(long)]
    once: bool,
}

pub(super) async fn run(globals: &Globals, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let directory = std::fs::canonicalize(&arguments.local)
        .map_err(|error| format!("cannot use '{}': {error}", arguments.local.display()))?;
    let paths = globals.private(arguments.state.as_deref())?;
    let socket = globals.socket.clone().unwrap_or_else(|| paths.socket());
    let listener = listener::open(ListenFd::empty(), &socket).await?;
    // Only after the socket is ours: another `gild up` may be at work.
    Globals::forget(&paths)?;
    let context = globals.context(paths, Some(directory.clone()))?;
    let options = Options { base: Some(directory.clone()), ..Options::default() };
    let mut told = Told { paint: Paint::stdout(), redactor: globals.redactor.clone() };
    told.line(&told.paint.bold(&format!("gild up, from {}", directory.display())));

    // As on an instance, the daemon runs from the start and answers
    // "configuring" meanwhile.
    let until = if arguments.once { Until::FirstSamples } else { Until::Stopped };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let boot = async {
        let report = boot::boot(&context, &options, &mut told, signals::asked_to_stop()).await;
        match &report {
            Ok(report) => told.finished(report, &socket, arguments.once),
            // Without a report there is nothing to wait for.
            Err(_) => drop(stop.send(true)),
        }
        report
    };
    let daemon = daemon::run(&context, listener, until, async {
        let mut stopped = stopped;
        tokio::select! {
            () = signals::asked_to_stop() => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    });
    let (report, ended) = tokio::join!(boot, daemon);
    let (report, ended) = (report?, ended?);
    let configured = report.outcome != Outcome::Failed;
    Ok(match (configured, ended) {
        (true, Ended::Stopped | Ended::SamplesSent) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Tells a person what happens.
struct Told {
    paint: Paint,
    redactor: Redactor,
}

impl Told {
    fn line(&self, text: &str) {
        super::print(&self.redactor, &format!("{text}\n"));
    }

    fn finished(&self, report: &Report, socket: &std::path::Path, once: bool) {
        let paint = self.paint;
        self.line("");
        match (&report.failure, report.outcome) {
            (_, Outcome::Degraded) => {
                self.line(&format!("{}: {}", paint.yellow("degraded"), report.problems.join("; ")));
            }
            (Some(failure), _) => {
                let task = failure.task.as_ref().map(|task| format!(" in task '{}'", plain(task)));
                let place = task.unwrap_or_default();
                self.line(&format!("{}{place}: {}", paint.red("failed"), plain(&failure.message)));
            }
            (None, _) => self.line(&paint.green("ready")),
        }
        if !once {
            let socket = socket.display();
            self.line(&paint.dim(&format!("gild status asks {socket}; Ctrl-C ends this")));
        }
    }
}

impl Watcher for Told {
    fn resolved(&mut self, resolution: &Resolution) {
        let paint = self.paint;
        if let Some(identity) = &resolution.identity {
            self.line(&format!("{} {}", paint.dim("instance"), identity.instance_id));
        }
        for source in &resolution.sources {
            let state = match source.state {
                SourceOutcome::Fetched | SourceOutcome::Unchanged => {
                    paint.green(&count(source.keys, "key"))
                }
                SourceOutcome::Absent => paint.dim("nothing there"),
                SourceOutcome::Kept => paint.dim("kept copy"),
                SourceOutcome::LastGood => paint.yellow("last good copy"),
                SourceOutcome::Failed | SourceOutcome::Bad => paint.red("failed"),
            };
            let why = source.error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let layer = paint.dim(&format!("{:<8}", source.layer));
            self.line(&format!("{layer} {} {state}{why}", source.source));
        }
        for finding in &resolution.problems {
            self.line(&format!("{} {finding}", paint.red("problem")));
        }
        for unknown in &resolution.unknown {
            let nearest = unknown.nearest.as_ref().map(|key| format!("; did you mean {key}?"));
            let nearest = nearest.unwrap_or_default();
            let (key, origin) = (&unknown.key, &unknown.origin);
            self.line(&format!("{} {key} from {origin}{nearest}", paint.yellow("unknown")));
        }
        for refused in &resolution.refused {
            let (key, origin, reason) = (&refused.key, &refused.origin, &refused.reason);
            self.line(&format!("{} {key} from {origin}: {reason}", paint.yellow("refused")));
        }
        self.line(&paint.bold("\nconfigured values, and who set them"));
        let lines = table(&resolution.merged.root, &KeyPath::root(), true, true, paint);
        self.line(lines.trim_end());
    }

    fn decided(&mut self, decision: &Decision) {
        let verb = if decision.run { "the step runs" } else { "the step does not run" };
        self.line(&self.paint.bold(&format!("\n{verb}: {}", decision.reason)));
    }

    fn progress(&mut self, progress: &Progress) {
        if let Progress::Ended(task) = progress {
            self.line(&task_text(task, self.paint));
        }
    }
}

fn task_text(task: &TaskReport, paint: Paint) -> String {
    let outcome = match task.outcome {
        TaskOutcome::Ok => paint.green("ok       "),
        TaskOutcome::Changed => paint.yellow("changed  "),
        TaskOutcome::Skipped => paint.dim("skipped  "),
        TaskOutcome::Ignored => paint.yellow("ignored  "),
        TaskOutcome::Failed | TaskOutcome::Unreachable => paint.red("failed   "),
    };
    let message = task.message.as_deref().map(|text| format!(": {}", plain(text)));
    let message = message.unwrap_or_default();
    let time = paint.dim(&format!("{:>8.0} ms", task.duration_ms));
    format!("  {outcome}{time}  {}{message}", plain(&task.name))
}

/// The tasks of a report as lines for people.
pub(super) fn tasks_text(report: &Report) -> String {
    report.tasks.iter().map(|task| task_text(task, Paint::stdout()) + "\n").collect()
}
