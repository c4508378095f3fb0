//! What follows the steps: whoever wants to know is told, the daemon sends what it has
//! measured, and the autoscaling group hears that the instance can go. Each has its own
//! limit, and none holds up the next.

use std::time::Duration;

use http::Method;
use tokio::time::{Instant, timeout_at};

use super::record::Record;
use super::{Drain, Work};
use crate::lifecycle::hook;
use crate::lifecycle::settings::Occasion;
use crate::notify::Supplies;
use crate::notify::message::{Event, Message};
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;
use crate::status::client::{self, ClientError};

/// A little longer than the daemon gives its sinks.
const FLUSH: Duration = Duration::from_secs(6);

/// Does what follows the steps.
pub(super) async fn follow(work: &Work<'_>, occasion: Occasion, took: Duration, end: Instant) {
    tell(work, took, end).await;
    flush(&work.drain.context.paths, end).await;
    let_go(work, occasion, end).await;
}

/// Tells that the instance has been drained. What has not arrived in time is in the
/// spool, for the daemon.
async fn tell(work: &Work<'_>, took: Duration, end: Instant) {
    if work.record.steps.is_empty() {
        return;
    }
    let (boot_id, started_at) = (&work.record.boot_id, &work.record.started_at);
    let name = format!("{} {started_at}", boot_id.as_deref().unwrap_or_default());
    let message = Message {
        duration_ms: Some(clock::ms(took)),
        boot_id: work.record.boot_id.clone(),
        started_at: work.record.started_at.clone(),
        ..Message::of_news(Event::Drained, name, summary(&work.record), None)
    };
    let context = work.drain.context;
    let region = work.audience.region();
    let supplies = Supplies::new(&context.paths, &context.client, &context.redactor, region);
    let telling = work.audience.tell(message, &context.paths, &supplies, &[]);
    if timeout_at(end, telling).await.is_err() {
        tracing::warn!("there is no time left to tell of it");
    }
}

/// What was done, in words: a line on all of it, then one on each step that failed.
fn summary(record: &Record) -> String {
    let (count, failed) = (record.steps.len(), record.failed().count());
    let noun = if count == 1 { "step" } else { "steps" };
    let mut text = format!("{}: {count} {noun}, {failed} failed", record.occasion);
    for step in record.failed() {
        let why = step.message.as_deref().unwrap_or_else(|| step.outcome.word());
        text.push_str(&format!("\n{}: {why}", step.name));
    }
    text
}

/// Has the daemon send what its sinks hold.
async fn flush(paths: &Paths, end: Instant) {
    for socket in [paths.socket(), paths.own_socket()] {
        let left = end.saturating_duration_since(Instant::now()).min(FLUSH);
        match client::ask(&socket, Method::POST, "/v1/flush", left).await {
            Err(ClientError::NoDaemon { .. }) => continue,
            Err(error) => tracing::warn!("{}", chain_text(&error)),
            Ok((200, _)) => tracing::info!("the last measurements have been sent"),
            Ok((code, body)) => {
                let text = String::from_utf8_lossy(&body);
                tracing::warn!("the daemon answered {code}: {}", text.trim());
            }
        }
        return;
    }
    tracing::info!("no daemon has measurements to send");
}

/// Lets the autoscaling group go on that waits for the end of this instance.
async fn let_go(work: &Work<'_>, occasion: Occasion, end: Instant) {
    if !occasion.is_awaited() {
        return;
    }
    let Drain { context, settings, .. } = work.drain;
    let told = hook::complete_terminating(context, &settings.lifecycle);
    if timeout_at(end, told).await.is_err() {
        tracing::warn!("there is no time left to let the autoscaling group go on");
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{StepOutcome, StepRecord};
    use super::*;

    #[test]
    fn the_summary_names_what_failed() {
        let mut record = Record::begun(Occasion::Spot, None);
        let steps = [
            ("leave", StepOutcome::Ok, None),
            ("sync", StepOutcome::Failed, Some("it ended with exit status: 3")),
            ("last", StepOutcome::Interrupted, None),
        ];
        for (name, outcome, message) in steps {
            let message = message.map(str::to_owned);
            let step = StepRecord { name: name.to_owned(), outcome, duration_ms: 1.0, message };
            record.steps.push(step);
        }
        let lines =
            "spot: 3 steps, 2 failed\nsync: it ended with exit status: 3\nlast: interrupted";
        assert_eq!(summary(&record), lines);
        record.steps.truncate(1);
        assert_eq!(summary(&record), "spot: 1 step, 0 failed");
    }
}
