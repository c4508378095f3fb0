//! What follows a boot: its outcome is told. By then the outcome is known and
//! written down, and nothing here can change it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::phases::Boot;
use crate::configure::report::Outcome;
use crate::notify::Supplies;
use crate::notify::announce::Announced;
use crate::notify::message::Message;
use crate::platform::error::chain_text;
use crate::scope::Context;

impl Boot<'_> {
    /// Keeps a copy of the report among those of the last boots.
    pub(super) fn keep(&self) {
        if self.options.is_apart() {
            return;
        }
        if let Err(error) = self.report.keep(&self.context.paths, &self.context.redactor) {
            // The report itself is there; only its copy for later is not.
            tracing::warn!("{}", chain_text(&error));
        }
    }

    /// Tells what came of the boot. Gives whether the report says more now.
    pub(super) async fn announce(&mut self) -> bool {
        if self.options.is_apart() {
            return false;
        }
        let started = Instant::now();
        let took = self.report.duration_ms.map(|ms| Duration::from_secs_f64(ms / 1e3));
        let message = Message::of(&self.report, took);
        let Context { paths, client, redactor, .. } = self.context;
        let supplies = Supplies::new(paths, client, redactor, self.audience.region());
        // A failed boot tells by itself, as root and as long as it takes: nobody who
        // waits for a good one waits for it.
        let daemons: &[PathBuf] = match self.report.outcome {
            Outcome::Failed => &[],
            _ => &self.options.daemons,
        };
        let fine = match self.audience.tell(message, paths, &supplies, daemons).await {
            Announced::Nothing => return false,
            Announced::Arrived | Announced::Left => true,
            Announced::NotEverywhere => false,
        };
        self.timed("notify", started, fine);
        if let Err(error) = self.save() {
            tracing::warn!("{}", chain_text(&error));
        }
        true
    }
}
