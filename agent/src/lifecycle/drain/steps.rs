//! The steps: which are due, and one of them run to its end.

use std::time::Duration;

use tokio::time::Instant;

use super::record::StepOutcome;
use crate::configure::environment;
use crate::configure::process::{self, End, Line, Spec, Stop};
use crate::lifecycle::settings::{DrainStep, LifecycleSettings, Occasion};
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;

/// What tells a step why it is run.
const VARIABLE: &str = "GILD_DRAIN";

/// The steps of an occasion, in their order.
pub fn due(settings: &LifecycleSettings, occasion: Occasion) -> Vec<(&str, &DrainStep)> {
    let named = settings.drain.iter().map(|(name, step)| (name.as_str(), step));
    // By name already, and a stable sort leaves it at that.
    let mut due: Vec<_> = named.filter(|(_, step)| step.on.contains(&occasion)).collect();
    due.sort_by_key(|(_, step)| step.order);
    due
}

/// One step to run.
pub(super) struct Run<'a> {
    pub(super) paths: &'a Paths,
    pub(super) redactor: &'a Redactor,
    pub(super) occasion: Occasion,
    pub(super) name: &'a str,
    pub(super) step: &'a DrainStep,
    /// How long it may take.
    pub(super) limit: Duration,
}

impl Run<'_> {
    /// Runs the step to its end, to its deadline, or until `cancel` is ready. Gives what
    /// became of it, and what went wrong.
    pub(super) async fn run(&self, cancel: Stop<'_>) -> (StepOutcome, Option<String>) {
        let failed = |why: String| (StepOutcome::Failed, Some(self.redactor.text(&why)));
        let Some((named, args)) = self.step.exec.split_first() else {
            return failed("its setting 'exec' names no program".to_owned());
        };
        let directory = self.paths.host("/");
        let Some(program) = environment::program(self.paths, named, &directory) else {
            return failed(format!("failed to find the program '{named}'"));
        };
        let mut environment = environment::base();
        environment.push((VARIABLE.into(), self.occasion.word().into()));
        let spec = Spec {
            program,
            args: args.iter().map(Into::into).collect(),
            directory,
            environment,
            inherit: Vec::new(),
            events: None,
            deadline: Instant::now() + self.limit,
        };
        let mut log = |line| {
            if let Line::Output(line) = line {
                let line = self.redactor.cut_text(&line);
                tracing::info!(target: "gild::step", step = self.name, "{line}");
            }
        };
        match process::run(spec, cancel, &mut log).await {
            Ok(End::Exited(status)) if status.success() => (StepOutcome::Ok, None),
            Ok(End::Exited(status)) => failed(format!("it ended with {status}")),
            Ok(End::TimedOut) => {
                let millis = self.limit.subsec_millis() * 1_000_000;
                let limit = Duration::new(self.limit.as_secs(), millis);
                let limit = humantime::format_duration(limit);
                let why = format!("it did not end within {limit} and was killed");
                (StepOutcome::TimedOut, Some(why))
            }
            Ok(End::Interrupted) => {
                (StepOutcome::Interrupted, Some("gild was told to stop".to_owned()))
            }
            Err(error) => failed(chain_text(&error)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn step(on: &[Occasion], order: u32) -> DrainStep {
        let exec = vec!["/bin/true".to_owned()];
        DrainStep { exec, timeout: Duration::from_secs(1), on: on.to_vec(), order }
    }

    #[test]
    fn the_steps_of_an_occasion_go_by_number_and_name() {
        use Occasion::{Reboot, Spot, Stop};
        let mut settings = LifecycleSettings {
            watch: true,
            interval: Duration::from_secs(5),
            launch_hook: None,
            terminate_hook: None,
            unhealthy_after: None,
            drain: Default::default(),
        };
        for (name, on, order) in [
            ("b", &[Spot, Stop][..], 50),
            ("a", &[Spot], 50),
            ("last", &[Spot, Reboot], 100),
            ("first", &[Spot], 7),
            ("never", &[], 1),
        ] {
            settings.drain.insert(name.to_owned(), step(on, order));
        }
        let names = |occasion| -> Vec<&str> {
            due(&settings, occasion).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(Spot), ["first", "a", "b", "last"]);
        assert_eq!(names(Stop), ["b"]);
        assert_eq!(names(Reboot), ["last"]);
        assert!(names(Occasion::Terminate).is_empty());
    }
}
