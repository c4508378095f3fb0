//! All sinks at work. New settings mean a new pipeline: the old one is shut
//! down once the new one runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::driver::{Handle, SinkStats};
use super::sample::{Kind, Sample, Tick, label};
use super::sink::{Destination, SinkSettings, Supplies};
use super::steps::Step;
use crate::identity::Identity;

/// The sinks of one configuration.
#[derive(Debug)]
pub struct Pipeline {
    sinks: BTreeMap<String, Handle>,
}

impl Pipeline {
    /// Puts every sink to work. Must be called within the runtime.
    pub fn start(
        sinks: &BTreeMap<String, SinkSettings>,
        identity: &Identity,
        supplies: &Supplies,
    ) -> Self {
        let start = |(name, settings): (&String, &SinkSettings)| {
            (name.clone(), settings.start(name, identity, supplies))
        };
        Self { sinks: sinks.iter().map(start).collect() }
    }

    /// Gives a tick to every sink. Never waits.
    pub fn push(&self, tick: Arc<Tick>) {
        for sink in self.sinks.values() {
            sink.push(Arc::clone(&tick));
        }
    }

    /// The wall clock was set; what waits is stamped anew.
    pub fn stepped(&self, step: Step) {
        for sink in self.sinks.values() {
            sink.stepped(step);
        }
    }

    /// Has every sink send what it holds; says whether all have within this time.
    pub fn flush(&self, within: Duration) -> impl Future<Output = bool> + Send + use<> {
        // They send at the same time, and are awaited one after the other.
        let flushing: Vec<_> = self.sinks.values().map(Handle::flush).collect();
        let all = async {
            for sink in flushing {
                sink.await;
            }
        };
        async move { tokio::time::timeout(within, all).await.is_ok() }
    }

    /// How each sink does.
    pub fn stats(&self) -> BTreeMap<String, SinkStats> {
        self.sinks.iter().map(|(name, sink)| (name.clone(), sink.stats())).collect()
    }

    /// How each sink does, as measurements.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (name, sink) in &self.sinks {
            let (stats, name) = (sink.stats(), Arc::<str>::from(name.as_str()));
            let mut add = |kind, metric: &'static str, reason: Option<&str>, value: u64| {
                let mut labels = vec![label("sink", Arc::clone(&name))];
                labels.extend(reason.map(|reason| label("reason", reason)));
                samples.push(Sample::of(kind, metric.into(), labels, value as f64));
            };
            add(Kind::Counter, "gild_sink_sent_total", None, stats.sent);
            for (reason, count) in &stats.dropped {
                add(Kind::Counter, "gild_sink_dropped_total", Some(reason), *count);
            }
            let Some(spool) = &stats.spool else { continue };
            add(Kind::Gauge, "gild_spool_bytes", None, spool.bytes);
            add(Kind::Gauge, "gild_spool_ticks", None, spool.ticks);
            add(Kind::Gauge, "gild_spool_oldest_seconds", None, spool.oldest_s);
            add(Kind::Counter, "gild_spool_failures_total", None, spool.failures);
        }
        samples
    }

    /// Takes the place of another pipeline, which is shut down: sinks of the same
    /// name go on with its totals, so that no loss is forgotten because settings
    /// changed. Those hold at once, and again, now final, once the other is done.
    pub fn succeed(
        &self,
        old: Pipeline,
        within: Duration,
    ) -> impl Future<Output = ()> + Send + use<> {
        let heirs: BTreeMap<_, _> =
            self.sinks.iter().map(|(name, sink)| (name.clone(), sink.heir())).collect();
        let inherit = move |stats: BTreeMap<String, SinkStats>| {
            for (name, stats) in stats {
                if let Some(heir) = heirs.get(&name) {
                    heir(stats);
                }
            }
        };
        inherit(old.stats());
        for sink in old.sinks.values() {
            if let Some(heir) = sink.destination.as_ref().and_then(|old| self.heir(old)) {
                sink.leave_to(heir);
            }
        }
        async move { inherit(old.shutdown(within).await) }
    }

    /// The destination of a sink that goes on where another was: one with the same labels, if
    /// there is one.
    fn heir(&self, old: &Destination) -> Option<Destination> {
        let all = self.sinks.values().filter_map(|sink| sink.destination.as_ref());
        let same = all.filter(|new| new.receiver == old.receiver);
        same.max_by_key(|new| *new == old).cloned()
    }

    /// Lets every sink send what waits, once, all at the same time, and ends
    /// them; gives back how they did.
    pub async fn shutdown(self, within: Duration) -> BTreeMap<String, SinkStats> {
        let deadline = Instant::now() + within;
        let mut ending = JoinSet::new();
        for (name, sink) in self.sinks {
            ending.spawn(async move { (name, sink.shutdown(deadline).await) });
        }
        let mut stats = BTreeMap::new();
        while let Some(ended) = ending.join_next().await {
            stats.extend(ended.ok());
        }
        stats
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;
    use crate::config::SecretRef;
    use crate::config::schema::read_value;
    use crate::metrics::help;
    use crate::metrics::placeholder::tests::identity;
    use crate::metrics::sink::SpoolSupply;
    use crate::metrics::sink::log::LogSettings;
    use crate::metrics::sink::remote_write::RemoteWriteSettings;
    use crate::platform::http;
    use crate::platform::paths::Paths;
    use crate::platform::redact::Redactor;
    use crate::scope::aws::LazyAws;
    use crate::scope::secrets::Secrets;

    #[tokio::test]
    async fn a_sink_that_cannot_be_set_up_or_reached_leaves_the_others_alone() {
        let hour = Duration::from_secs(3600);
        let unreachable = RemoteWriteSettings {
            labels: BTreeMap::new(),
            flush: Duration::from_millis(1),
            timeout: hour,
            ..read_value(&json!({ "url": "http://127.0.0.1:1/push" }))
        };
        // A file, so that the test asks nobody on a network.
        let secret = Some(SecretRef::File("/nonexistent/gild/secret".to_owned()));
        let broken = RemoteWriteSettings { bearer: secret, ..unreachable.clone() };
        let log = LogSettings { flush: hour, include: vec!["*".to_owned()] };
        let sinks = [
            ("broken".to_owned(), SinkSettings::RemoteWrite(broken)),
            ("dead".to_owned(), SinkSettings::RemoteWrite(unreachable)),
            ("log".to_owned(), SinkSettings::Log(log)),
        ];
        let client = http::client().unwrap();
        let paths = Paths::installed(Path::new("/"));
        let secrets = Secrets::new(&paths, &client, None, &Redactor::default(), hour);
        let aws = Arc::new(LazyAws::new(client.clone(), None, hour));
        let spool = SpoolSupply { directory: PathBuf::new(), bytes: 0, age: hour };
        let supplies = Supplies { client, aws, secrets: Arc::new(secrets), spool };
        let sinks = sinks.into();
        let pipeline = Pipeline::start(&sinks, &identity(), &supplies);
        let samples = vec![Sample::gauge("x", vec![], 1.0)];
        pipeline.push(Arc::new(Tick::new(SystemTime::now(), samples)));
        let fails = |sink: &str| pipeline.stats()[sink].last_error.is_some();
        while pipeline.stats()["log"].sent == 0 || !fails("dead") || !fails("broken") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let old = pipeline;
        let pipeline = Pipeline::start(&sinks, &identity(), &supplies);
        let taken_over = pipeline.succeed(old, Duration::from_secs(10));
        assert_eq!(pipeline.stats()["log"].sent, 1, "at once");
        taken_over.await;
        assert_eq!(pipeline.stats()["dead"].dropped, [("shutdown", 1)].into(), "and in the end");
        let samples = pipeline.samples();
        let lost = samples.iter().find(|sample| sample.label("reason") == Some("shutdown"));
        assert_eq!(
            lost.map(|sample| (&*sample.name, sample.value)),
            Some(("gild_sink_dropped_total", 1.0))
        );
        assert!(samples.iter().all(|sample| help::of(&sample.name) != "Measured by gild."));
        let stats = pipeline.shutdown(Duration::from_secs(10)).await;
        assert_eq!(stats["log"].sent, 1);
        let error = stats["broken"].last_error.as_deref().unwrap_or_default();
        assert!(error.starts_with("failed to get a secret of the sink: failed to resolve"));
        assert!(stats["log"].last_success.is_some());
        assert_eq!(stats["broken"].dropped, [("shutdown", 1)].into());
        assert_eq!(stats["dead"].dropped, [("shutdown", 1)].into());
    }
}
