//! Amazon CloudWatch: PutMetricData with Values and Counts.
//!
//! A call is not idempotent: one that is tried again after its answer was lost
//! counts twice. Averages and maxima are not harmed by that, sums are; a gap
//! would be worse, so it is tried again.

/// How many metrics may be sent.
pub mod budget;
/// Values gathered by the minute.
pub mod datum;
/// Dimensions in full.
pub mod dimensions;
/// Which metrics are sent.
pub mod include;
/// What PutMetricData takes.
pub mod limits;
/// What CloudWatch does not take.
mod refused;
/// When to send.
mod rhythm;
/// What is said once.
mod said;
/// Names, units and dimensions.
pub mod schema;
/// What can be configured.
pub mod settings;
/// What is billed.
mod usage;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};

use self::budget::Budget;
use self::datum::{Datum, Minutes};
use self::dimensions::Dimensions;
use self::include::Include;
use self::refused::Refused;
use self::rhythm::Rhythm;
use self::said::Said;
use self::schema::{Figure, Page, Translator, Unit};
pub use self::settings::{CloudWatchPer, CloudWatchSettings};
use super::{BuildError, Request, SendError, Sink, SinkContext, plausible};
use crate::cost::usage::Usage;
use crate::identity::Identity;
use crate::metrics::drops::{Drops, Reason};
use crate::metrics::left_out::LeftOut;
use crate::metrics::sample::Tick;
use crate::platform::aws::AwsError;

/// How long one call may take; the SDK's own limits are shorter.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What CloudWatch keeps values by.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Puts metrics into CloudWatch.
pub struct CloudWatch {
    client: Client,
    namespace: String,
    dimensions: Dimensions,
    include: Include,
    group: bool,
    flush: Duration,
    rhythm: Rhythm,
    budget: Budget,
    translator: Translator,
    minutes: Minutes,
    refused: Refused,
    clock: fn() -> SystemTime,
    said: Said,
}

impl Sink for CloudWatch {
    type Settings = CloudWatchSettings;
    type Payload = Vec<Datum>;

    const COMPARES: bool = true;

    fn needs_aws(_: &CloudWatchSettings) -> bool {
        true
    }

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
        let schema = settings.schema.schema();
        let group = settings.per == CloudWatchPer::Group;
        let configured = settings.dimensions.as_ref();
        let dimensions = Dimensions::new(configured, schema, group, identity)?;
        let patterns = settings.patterns().into_iter();
        let include = Include::new(schema, patterns, &settings.high_resolution).map_err(|_| {
            let expected = "names, with * at the end for any rest, and such as {path=/} behind";
            refused("include and high_resolution", expected)
        })?;
        Ok(Self {
            client: Client::new(&aws.config),
            namespace: settings.namespace.clone(),
            dimensions,
            include,
            group,
            flush: settings.flush,
            rhythm: Rhythm::new(&identity.instance_id, settings.flush),
            budget: Budget::new(settings.max_metrics as usize),
            translator: Translator::new(schema),
            minutes: Minutes::default(),
            refused: Refused::default(),
            clock: SystemTime::now,
            said: Said::default(),
        })
    }

    fn period(&self) -> Duration {
        self.rhythm.period()
    }

    fn phase(&self) -> Duration {
        self.rhythm.phase()
    }

    fn timeout(&self) -> Duration {
        TIMEOUT
    }

    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Vec<Datum>>> {
        if !plausible(tick.at) {
            drops.add(Reason::Clock, tick.samples.len());
            return Vec::new();
        }
        self.rhythm.hear(tick.steady);
        let mut page = Page::new(&self.include);
        (page.group, page.volumes) = (self.group, self.dimensions.volumes);
        self.translator.figures(tick, &mut page);
        self.said.meaningless(page.meaningless);
        let mut chosen = Vec::with_capacity(page.figures.len());
        for Figure { metric, value } in page.figures {
            let fits = |value: &str| value.is_empty() || limits::is_dimension_value(value);
            let fits = metric.about.iter().all(|(_, value)| fits(value));
            match limits::value(value).filter(|_| fits) {
                Some(value) => chosen.push((metric, value)),
                None => drops.add(Reason::Invalid, 1),
            }
        }
        self.said.nothing(self.budget.is_new(), self.include.usual());
        if !chosen.is_empty() {
            self.budget.admit(chosen.iter().map(|(metric, _)| metric), &self.include);
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

    fn flush(&mut self, last: bool, drops: &mut Drops) -> Vec<Request<Vec<Datum>>> {
        if !self.rhythm.is_due(last) {
            return Vec::new();
        }
        // Half a minute now and half of it later would be two datums for one.
        let mut datums = self.minutes.take(last || self.rhythm.is_quick());
        let now = (self.clock)();
        datums.retain(|datum| {
            let taken = limits::is_time(datum.at, now);
            if !taken {
                drops.add(Reason::Clock, datum.measurements());
            }
            taken
        });
        let calls = datum::calls(datums, &self.dimensions);
        calls.into_iter().map(request).collect()
    }

    fn held(&self) -> usize {
        self.minutes.measurements()
    }

    fn holds_since(&self) -> Option<SystemTime> {
        self.minutes.oldest()
    }

    fn prime(&mut self, tick: &Tick) {
        self.translator.figures(tick, &mut Page::new(&self.include));
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

    fn usage(&self, requests: &[Request<Vec<Datum>>], between: Duration) -> Usage {
        let datums = requests.iter().flat_map(|request| &request.payload);
        Usage { shared: self.group, ..usage::of(datums, &self.dimensions, self.flush, between) }
    }

    fn left_out(&self) -> Option<&LeftOut> {
        Some(self.budget.left_out())
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

fn sdk_datum(datum: &Datum, dimensions: &Dimensions) -> MetricDatum {
    let dimensions = dimensions
        .of(&datum.metric)
        .into_iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .collect();
    let unit = match datum.metric.unit {
        Unit::Percent => Some(StandardUnit::Percent),
        Unit::Bytes => Some(StandardUnit::Bytes),
        Unit::Count => Some(StandardUnit::Count),
        Unit::Seconds => Some(StandardUnit::Seconds),
        Unit::Milliseconds => Some(StandardUnit::Milliseconds),
        Unit::None => Some(StandardUnit::None),
        Unit::Unsaid => None,
    };
    let seconds = datum.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    MetricDatum::builder()
        .metric_name(datum.metric.name)
        .set_dimensions(Some(dimensions))
        .timestamp(DateTime::from_secs_f64(seconds))
        .set_values(Some(datum.values.iter().map(|(value, _)| *value).collect()))
        .set_counts(Some(datum.values.iter().map(|(_, count)| f64::from(*count)).collect()))
        .set_unit(unit)
        .storage_resolution(datum.resolution())
        .build()
}

#[cfg(test)]
mod tests;
