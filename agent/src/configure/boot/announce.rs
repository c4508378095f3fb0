//! What follows a boot: its outcome is told. By then the outcome is known and
//! written down, and nothing here can change it.

use std::time::{Duration, Instant};

use super::phases::Boot;
use crate::configure::report::PhaseOutcome;
use crate::notify::Supplies;
use crate::notify::announce::Announced;
use crate::notify::message::Message;
use crate::platform::error::chain_text;

impl Boot<'_> {
    /// Keeps a copy of the report among those of the last boots.
    pub(super) fn keep(&self) {
        if self.options.plan {
            return;
        }
        if let Err(error) = self.report.keep(&self.context.paths, &self.context.redactor) {
            // The report itself is there; only its copy for later is not.
            tracing::warn!("{}", chain_text(&error));
        }
    }

    /// Tells what came of the boot. Gives whether the report says more now.
    pub(super) async fn announce(&mut self, took: Duration) -> bool {
        if self.options.plan {
            return false;
        }
        let started = Instant::now();
        let message = Message::of(&self.report, Some(took));
        let context = self.context;
        let region = self.audience.region();
        let supplies = Supplies::new(&context.paths, &context.client, &context.redactor, region);
        let outcome = match self.audience.tell(message, &context.paths, &supplies).await {
            Announced::Nothing => return false,
            Announced::Arrived => PhaseOutcome::Ok,
            Announced::NotEverywhere => PhaseOutcome::Failed,
        };
        self.phase("notify", outcome, started.elapsed());
        if let Err(error) = self.save() {
            tracing::warn!("{}", chain_text(&error));
        }
        true
    }
}
