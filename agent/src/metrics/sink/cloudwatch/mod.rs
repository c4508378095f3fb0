//! Amazon CloudWatch: PutMetricData with Values and Counts.
//!
//! A call is not idempotent: one that is tried again after its answer was lost
//! counts twice. Averages and maxima are not harmed by that, sums are; a gap
//! would be worse, so it is tried again.

/// How many metrics may be sent.
pub mod budget;
/// Values gathered by the minute.
pub mod datum;
/// What PutMetricData takes.
pub mod limits;
/// What CloudWatch does not take.
mod refused;
/// Names, units and dimensions.
pub mod schema;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

use self::budget::Budget;
use self::datum::{Datum, Metric, Minutes};
use self::refused::Refused;
use self::schema::{Figure, Translator, Unit};
use super::{BuildError, Request, SendError, Sink, SinkContext, plausible};
use crate::config::types::Period;
use crate::identity::Identity;
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::placeholder;
use crate::metrics::sample::Tick;
use crate::platform::aws::AwsError;

crate::choices! {
    /// Whose names, units and dimensions a CloudWatch sink uses.
    CloudWatchSchema {
        /// Those of the CloudWatch agent, so that its alarms keep working.
        "cwagent" => CwAgent,
    }
}

crate::settings! {
    /// Metrics in Amazon CloudWatch. Each distinct metric costs money every month.
    CloudWatchSettings {
        /// The namespace.
        namespace: String = "CWAgent";
        /// Whose names, units and dimensions are used: "cwagent".
        schema: CloudWatchSchema = "cwagent";
        /// Dimensions on every metric. `{instance_id}`, `{instance_type}`, `{image_id}`,
        /// `{autoscaling_group}`, `{hostname}` stand for the instance's own; one
        /// that is not known is left out.
        dimensions: BTreeMap<String, String> = { "InstanceId": "{instance_id}" };
        /// The metrics to send, by the schema's names; `*` at the end stands for any rest,
        /// but diskio, netstat and processes are sent only where a pattern begins with that word.
        include: Vec<String> = [
            "cpu_usage_active", "mem_used_percent", "disk_used_percent", "swap_used_percent",
            "services_unhealthy"
        ];
        /// How often metrics are sent. From "60s" on, whole minutes are sent.
        flush: Duration as Period = "60s";
        /// The most distinct metrics this host may send; more are refused and counted.
        max_metrics: u32 = 10;
    }
}

/// How long one call may take; the SDK's own limits are shorter.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Puts metrics into CloudWatch.
pub struct CloudWatch {
    client: Client,
    namespace: String,
    dimensions: Vec<(String, String)>,
    flush: Duration,
    phase: Duration,
    budget: Budget,
    translator: Translator,
    minutes: Minutes,
    refused: Refused,
}

impl Sink for CloudWatch {
    type Settings = CloudWatchSettings;
    type Payload = Vec<Datum>;

    const NEEDS_AWS: bool = true;

    fn build(
        settings: &CloudWatchSettings,
        identity: &Identity,
        context: &SinkContext,
    ) -> Result<Self, BuildError> {
        let aws = context.aws.as_ref().ok_or(BuildError::NoAws)?;
        let refused = |key: &str, expected| BuildError::Refused { key: key.to_owned(), expected };
        if !limits::is_namespace(&settings.namespace) {
            let expected =
                "up to 255 letters, digits and any of .-_/#: that do not begin with AWS/";
            return Err(refused("namespace", expected));
        }
        let dimensions = placeholder::fill_all(&settings.dimensions, identity);
        // The schema adds up to three.
        if dimensions.len() + 3 > limits::DIMENSIONS {
            return Err(refused("dimensions", "at most 27 entries"));
        }
        for (name, value) in &dimensions {
            if !limits::is_dimension_name(name) || !limits::is_dimension_value(value) {
                let expected =
                    "ASCII text, its name of up to 255 bytes and its value of up to 1024";
                return Err(refused(&format!("dimensions.{name}"), expected));
            }
        }
        Ok(Self {
            client: Client::new(&aws.config),
            namespace: settings.namespace.clone(),
            dimensions,
            flush: settings.flush,
            phase: phase(&identity.instance_id, settings.flush.min(MINUTE)),
            budget: Budget::new(&settings.include, settings.max_metrics as usize),
            translator: Translator::default(),
            minutes: Minutes::default(),
            refused: Refused::default(),
        })
    }

    fn period(&self) -> Duration {
        self.flush
    }

    fn phase(&self) -> Duration {
        self.phase
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Vec<Datum>>> {
        if !plausible(tick.at) {
            drops.add(Reason::Clock, tick.samples.len());
            return Vec::new();
        }
        let figures = self.translator.figures(tick);
        let mut chosen = Vec::new();
        for Figure { name, unit, about, value } in figures {
            let Some(place) = self.budget.place(name) else { continue };
            let fits = |value: &str| value.is_empty() || limits::is_dimension_value(value);
            match limits::value(value).filter(|_| about.iter().all(|(_, value)| fits(value))) {
                Some(value) => chosen.push((Metric { place, name, about, unit }, value)),
                None => drops.add(Reason::Invalid, 1),
            }
        }
        if !chosen.is_empty() {
            self.budget.admit(chosen.iter().map(|(metric, _)| metric.clone()));
        }
        for (metric, value) in chosen {
            if !self.budget.admits(&metric) {
                drops.add(Reason::OverBudget, 1);
            } else if self.refused.holds(&metric, tick.steady) {
                drops.add(Reason::Rejected, 1);
            } else {
                self.minutes.add(tick.at, metric, value);
            }
        }
        Vec::new()
    }

    fn flush(&mut self, last: bool, _: &mut Drops) -> Vec<Request<Vec<Datum>>> {
        // Half a minute now and half of it later would be two datums for one.
        let all = last || self.flush < MINUTE;
        let calls = datum::calls(self.minutes.take(all), &self.dimensions);
        calls.into_iter().map(request).collect()
    }

    fn held(&self) -> usize {
        self.minutes.measurements()
    }

    async fn send(&mut self, datums: &Vec<Datum>) -> Result<(), SendError> {
        let data = datums.iter().map(|datum| sdk_datum(datum, &self.dimensions)).collect();
        let call = self
            .client
            .put_metric_data()
            .namespace(&self.namespace)
            .set_metric_data(Some(data))
            .send();
        match call.await {
            Ok(_) => Ok(()),
            Err(error) => Err(SendError::Put {
                namespace: self.namespace.clone(),
                source: AwsError::from(error),
            }),
        }
    }

    fn halves(&self, datums: &Vec<Datum>) -> Option<[Request<Vec<Datum>>; 2]> {
        let (first, second) = datums.split_at(datums.len() / 2);
        (!first.is_empty()).then(|| [first, second].map(|half| request(half.to_vec())))
    }

    fn leave_out(&mut self, datums: Vec<Datum>) {
        for Datum { metric, .. } in datums {
            self.refused.add(metric, Instant::now());
        }
    }

    fn show(&self, datums: &Vec<Datum>) -> Vec<String> {
        let head = format!("PutMetricData {} ({} datums)", self.namespace, datums.len());
        std::iter::once(head)
            .chain(datums.iter().map(|datum| datum.json(&self.dimensions)))
            .collect()
    }
}

fn request(datums: Vec<Datum>) -> Request<Vec<Datum>> {
    Request { measurements: datums.iter().map(Datum::measurements).sum(), payload: datums }
}

/// A part of `period` that is this host's own, so that a fleet that started
/// together does not send together.
pub(super) fn phase(instance_id: &str, period: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    instance_id.hash(&mut hasher);
    period.mul_f64(hasher.finish() as f64 / u64::MAX as f64)
}

fn sdk_datum(datum: &Datum, common: &[(String, String)]) -> MetricDatum {
    let dimensions = datum
        .dimensions(common)
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .collect();
    let unit = match datum.metric.unit {
        Unit::Percent => StandardUnit::Percent,
        Unit::Bytes => StandardUnit::Bytes,
        Unit::Count => StandardUnit::Count,
        Unit::Milliseconds => StandardUnit::Milliseconds,
        Unit::None => StandardUnit::None,
    };
    let seconds = datum.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    MetricDatum::builder()
        .metric_name(datum.metric.name)
        .set_dimensions(Some(dimensions))
        .timestamp(DateTime::from_secs_f64(seconds))
        .set_values(Some(datum.values.iter().map(|(value, _)| *value).collect()))
        .set_counts(Some(datum.values.iter().map(|(_, count)| f64::from(*count)).collect()))
        .unit(unit)
        .storage_resolution(60)
        .build()
}

#[cfg(test)]
mod tests;
