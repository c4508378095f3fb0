//! Runs the collectors of one configuration and keeps account of how each of
//! them does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde::Serialize;

use super::collector::source::Files;
use super::collector::{CollectError, Collector, ENTRIES};
use super::sample::{Sample, Tick, label};
use super::settings::MetricsSettings;
use crate::platform::clock;
use crate::platform::error::chain_text;
use crate::platform::paths::Paths;

/// How a collector did at the last tick.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CollectorStats {
    /// Whether it measured what this host has.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// Why it is not ok.
    pub error: Option<String>,
}

/// The collectors that run.
pub struct Runner {
    running: Vec<Running>,
    files: Files,
    samples: usize,
}

struct Running {
    name: &'static str,
    label: Arc<str>,
    collector: Box<dyn Collector>,
    stats: Option<CollectorStats>,
}

impl Runner {
    /// The collectors that `settings` name, in the order of the registry.
    pub fn new(settings: &MetricsSettings, paths: &Paths) -> Self {
        let named = |name| settings.collectors.iter().any(|chosen| chosen.as_str() == name);
        let chosen = ENTRIES.iter().filter(|entry| named(entry.name));
        Self::of(
            chosen.map(|entry| (entry.name, (entry.build)(settings, paths))),
            Files::new(paths),
        )
    }

    fn of(
        collectors: impl Iterator<Item = (&'static str, Box<dyn Collector>)>,
        files: Files,
    ) -> Self {
        let running = collectors.map(|(name, collector)| Running {
            name,
            label: Arc::from(name),
            collector,
            stats: None,
        });
        Self { running: running.collect(), files, samples: 0 }
    }

    /// Runs every collector once. A collector that fails leaves the others
    /// alone; one that must wait does so without blocking the runtime.
    pub async fn tick(&mut self) -> Tick {
        let mut tick = Tick::new(SystemTime::now(), Vec::new());
        // As many as last time, and room for what else the daemon knows.
        tick.samples.reserve(self.samples + 16);
        self.files.next_tick();
        for running in &mut self.running {
            running.run(&mut self.files, &mut tick.samples).await;
        }
        self.samples = tick.samples.len();
        tick
    }

    /// How each collector did at the last tick.
    pub fn stats(&self) -> BTreeMap<&'static str, CollectorStats> {
        let each = self.running.iter();
        each.filter_map(|running| Some((running.name, running.stats.clone()?))).collect()
    }
}

impl Running {
    async fn run(&mut self, files: &mut Files, samples: &mut Vec<Sample>) {
        let start = Instant::now();
        if let Some(look) = self.collector.look() {
            look.await;
        }
        let result = self.collector.collect(files, samples);
        let duration = start.elapsed();
        let label = || vec![label("collector", self.label.clone())];
        let success = f64::from(u8::from(result.is_ok()));
        let seconds = duration.as_secs_f64();
        samples.push(Sample::gauge("node_scrape_collector_success", label(), success));
        samples.push(Sample::gauge("node_scrape_collector_duration_seconds", label(), seconds));
        self.note(result, clock::ms(duration));
    }

    /// Keeps account, and logs what changed.
    fn note(&mut self, result: Result<(), CollectError>, duration_ms: f64) {
        let error = result.err().map(|error| chain_text(&error));
        let before = self.stats.as_ref().and_then(|stats| stats.error.as_ref());
        match (before, &error) {
            (Some(_), None) => tracing::info!(collector = self.name, "collector works again"),
            (before, Some(now)) if before != Some(now) => {
                tracing::warn!(collector = self.name, error = %now, "collector failed");
            }
            _ => {}
        }
        self.stats = Some(CollectorStats { ok: error.is_none(), duration_ms, error });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::metrics::settings::CollectorName;

    struct Broken;

    impl Collector for Broken {
        fn collect(&mut self, _: &mut Files, _: &mut Vec<Sample>) -> Result<(), CollectError> {
            Err(CollectError::Unknown { path: "/proc/x".into(), what: "anything" })
        }
    }

    struct One;

    impl Collector for One {
        fn collect(&mut self, _: &mut Files, out: &mut Vec<Sample>) -> Result<(), CollectError> {
            out.push(Sample::gauge("one", vec![], 1.0));
            Ok(())
        }
    }

    fn value(tick: &Tick, name: &str, collector: &str) -> Option<f64> {
        let mut samples = tick.samples.iter().filter(|sample| sample.name == name);
        samples.find(|s| s.label("collector") == Some(collector)).map(|s| s.value)
    }

    #[tokio::test]
    async fn a_collector_that_fails_leaves_the_others_alone() {
        let broken: (_, Box<dyn Collector>) = ("broken", Box::new(Broken));
        let files = Files::new(&Paths::installed(Path::new("/nonexistent")));
        let mut runner = Runner::of([broken, ("one", Box::new(One))].into_iter(), files);
        let tick = runner.tick().await;
        assert!(tick.samples.iter().any(|sample| sample.name == "one"));
        assert_eq!(value(&tick, "node_scrape_collector_success", "broken"), Some(0.0));
        assert_eq!(value(&tick, "node_scrape_collector_success", "one"), Some(1.0));
        assert!(value(&tick, "node_scrape_collector_duration_seconds", "one").is_some());
        let stats = runner.stats();
        assert_eq!(stats["broken"].error.as_deref(), Some("failed to find anything in '/proc/x'"));
        assert!(stats["one"].ok);
    }

    #[tokio::test]
    async fn this_host_is_measured_by_all_collectors() {
        let settings = MetricsSettings {
            interval: std::time::Duration::from_secs(10),
            spool: 0,
            spool_age: std::time::Duration::from_secs(1),
            collectors: super::super::collector::NAMES
                .iter()
                .map(|name| CollectorName::find(name).unwrap())
                .collect(),
            per_core_cpu: true,
            textfile_directory: None,
        };
        let mut runner = Runner::new(&settings, &Paths::installed(Path::new("/")));
        let tick = runner.tick().await;
        for name in [
            "node_cpu_seconds_total",
            "node_memory_MemAvailable_bytes",
            "node_load1",
            "node_filesystem_avail_bytes",
            "node_memory_SwapTotal_bytes",
        ] {
            assert!(tick.samples.iter().any(|sample| sample.name == name), "{name}");
        }
        assert!(runner.stats().values().all(|stats| stats.ok), "{:?}", runner.stats());
    }
}
