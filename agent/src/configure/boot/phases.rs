//! The phases of a boot in their order, and what ends them early.

use std::error::Error;
use std::time::Instant;

use super::reveal::hand_secrets;
use super::{BootError, Options, Watcher};
use crate::configure::report::{Failure, Report, one_line};
use crate::lifecycle::hook::waiting::Waiting;
use crate::notify::announce::Audience;
use crate::platform::error;
use crate::scope::{Context, Verdict, resolve};

/// A boot under way.
pub(super) struct Boot<'a> {
    /// What it is made with.
    pub(super) context: &'a Context,
    pub(super) options: &'a Options,
    /// What is reported so far.
    pub(super) report: Report,
    /// Whether the configuration is not all fresh.
    pub(super) degraded: bool,
    /// Whether what failed was rolled back.
    pub(super) rolled_back: bool,
    /// Who is told what comes of it.
    pub(super) audience: Audience,
    /// When it began.
    pub(super) began: Instant,
    /// The group, where one may wait for this boot.
    pub(super) waiting: Option<Waiting>,
}

impl<'a> Boot<'a> {
    /// A boot that begins.
    pub(super) fn new(
        context: &'a Context,
        options: &'a Options,
        report: Report,
        began: Instant,
    ) -> Self {
        let (audience, waiting) = (Audience::default(), None);
        let (degraded, rolled_back) = (false, false);
        Self { context, options, report, degraded, rolled_back, audience, began, waiting }
    }

    /// Leaves the report as it is now.
    pub(super) fn save(&self) -> Result<(), BootError> {
        if self.options.plan {
            return Ok(());
        }
        self.report.write(&self.context.paths, &self.context.redactor).map_err(BootError::Report)
    }

    /// All phases in their order. What ends them early, or what the step fails
    /// with, is the failure.
    pub(super) async fn run(
        &mut self,
        watcher: &mut dyn Watcher,
        cancel: impl Future<Output = ()>,
    ) -> Result<Option<Failure>, BootError> {
        let resolution = match resolve(self.context).await {
            Ok(resolution) => resolution,
            Err(error) => return Ok(Some(chained("there is no configuration", &error))),
        };
        self.audience = Audience::of(
            &resolution.settings,
            resolution.identity.as_ref(),
            &self.context.redactor,
        );
        self.may_be_waited_for(&resolution);
        self.take_over(&resolution);
        watcher.resolved(&resolution);
        let started = Instant::now();
        let handed_over = self.hand_over(&resolution);
        self.timed("handoff", started, handed_over.is_ok());
        self.save()?;
        let secrets = hand_secrets(self.context, self.options, &resolution);
        let identity = match (&resolution.verdict, &resolution.identity) {
            (Verdict::Failed { reason }, _) => {
                let started = Instant::now();
                secrets.await;
                self.timed("secrets", started, true);
                return Ok(Some(Failure::of(reason)));
            }
            (_, None) => return Ok(Some(Failure::of("it is not known which instance this is"))),
            (_, Some(identity)) => identity,
        };
        if let Err(error) = handed_over {
            return Ok(Some(chained("the daemon cannot be told its configuration", &error)));
        }

        self.configure(&resolution, identity, secrets, watcher, cancel).await
    }
}

/// A failure with its causes.
pub(super) fn chained(message: &str, error: &(dyn Error + 'static)) -> Failure {
    let chain = error::chain(error);
    let message = one_line(&format!("{message}: {}", chain.join(": ")));
    Failure { task: None, message, chain }
}
