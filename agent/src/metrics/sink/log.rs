//! Lines in gild's own log: for trying out, and for hosts with nowhere to send.

use std::sync::Arc;
use std::time::Duration;

use super::{BuildError, Request, SendError, Sink, SinkContext};
use crate::config::types::Period;
use crate::identity::Identity;
use crate::metrics::drops::Drops;
use crate::metrics::openmetrics;
use crate::metrics::pattern;
use crate::metrics::sample::Tick;

crate::settings! {
    /// Samples as log lines.
    LogSettings {
        /// How often samples are written.
        flush: Duration as Period = "60s";
        /// The metrics to write, by node_exporter's names; `*` at the end stands for
        /// any rest.
        include: Vec<String> = ["*"];
    }
}

/// Writes the newest samples to the log.
pub struct Log {
    settings: LogSettings,
    newest: Option<Arc<Tick>>,
}

impl Sink for Log {
    type Settings = LogSettings;
    type Payload = Vec<String>;

    // It shows how things stand, and is always there.
    const SPOOLS: bool = false;

    fn build(settings: &LogSettings, _: &Identity, _: &SinkContext) -> Result<Self, BuildError> {
        Ok(Self { settings: settings.clone(), newest: None })
    }

    fn period(&self) -> Duration {
        self.settings.flush
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn take(&mut self, tick: &Arc<Tick>, _: &mut Drops) -> Vec<Request<Vec<String>>> {
        // The log shows how things stand, not how they came to.
        self.newest = Some(Arc::clone(tick));
        Vec::new()
    }

    fn flush(&mut self, _: bool, _: &mut Drops) -> Vec<Request<Vec<String>>> {
        let Some(tick) = self.newest.take() else { return Vec::new() };
        let chosen = tick
            .samples
            .iter()
            .filter(|sample| pattern::place(&self.settings.include, &sample.name).is_some());
        let lines: Vec<_> = chosen.map(openmetrics::line).collect();
        if lines.is_empty() {
            return Vec::new();
        }
        vec![Request { measurements: lines.len(), payload: lines }]
    }

    async fn send(&mut self, lines: &Vec<String>) -> Result<(), SendError> {
        for line in lines {
            tracing::info!("{line}");
        }
        Ok(())
    }

    fn show(&self, lines: &Vec<String>) -> Vec<String> {
        lines.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::metrics::sample::Sample;

    #[test]
    fn the_newest_of_the_chosen_samples_is_written() {
        let settings =
            LogSettings { flush: Duration::from_secs(60), include: vec!["node_load*".to_owned()] };
        let mut log = Log { settings, newest: None };
        let mut drops = Drops::default();
        for load in [1.0, 2.5] {
            let samples = vec![
                Sample::gauge("node_load1", vec![], load),
                Sample::gauge("other", vec![], 0.0),
            ];
            log.take(&Arc::new(Tick::new(SystemTime::now(), samples)), &mut drops);
        }
        let requests = log.flush(false, &mut drops);
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].payload, ["node_load1 2.5"]);
        assert!(log.flush(true, &mut drops).is_empty());
    }
}
