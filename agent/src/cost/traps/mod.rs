//! What in a configuration becomes dear, told with its price before anybody boots on it.
//!
//! To add a trap: an entry in [`TRAPS`], and a test in `tests` that it fires.

mod found;

use std::time::Duration;

use self::found::{Found, Look};
use super::host;
use super::prices::Prices;
use crate::config::Settings;
use crate::config::path::KeyPath;
use crate::metrics::sink::SinkSettings;
use crate::metrics::sink::cloudwatch::schema::CloudWatchSchema;
use crate::metrics::sink::cloudwatch::{CloudWatchPer, CloudWatchSettings};

/// One way to pay more than was meant.
struct Trap {
    /// The key of the sink that leads there.
    key: &'static str,
    /// Looks at a sink, and says what is dear about it.
    look: fn(&Look) -> Option<Found>,
}

// The registry.
const TRAPS: &[Trap] = &[
    Trap { key: "include", look: everything },
    Trap { key: "include", look: cores },
    Trap { key: "include", look: mounts },
    Trap { key: "include", look: groups },
    Trap { key: "schema", look: detail },
    Trap { key: "dimensions", look: changing },
    Trap { key: "high_resolution", look: high_resolution },
    Trap { key: "flush", look: quick },
    Trap { key: "max_metrics", look: many },
    Trap { key: "type", look: twice },
];

/// What is dear about a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// The key that leads there.
    pub key: KeyPath,
    /// What is dear, and what it costs.
    pub message: String,
}

/// What is dear about the sinks of a configuration.
pub fn of(settings: &Settings, prices: &Prices) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut before = Vec::new();
    for (name, sink) in &settings.sink {
        let SinkSettings::CloudWatch(sink) = sink else { continue };
        let look = Look { sink, before: &before, metrics: host::metrics(sink), prices };
        for (trap, Found { what, usd }) in
            TRAPS.iter().filter_map(|trap| Some((trap, (trap.look)(&look)?)))
        {
            let path = KeyPath::root().child("sink").child(name).child(trap.key);
            let message = format!("is dear: {what}, ${usd:.2} a month for each host");
            warnings.push(Warning { key: path, message });
        }
        before.push(sink);
    }
    warnings
}

/// Groups of metrics that the CloudWatch agent's users switch on without counting them.
const GROUPS: [&str; 3] = ["diskio", "netstat", "processes"];

/// Hosts have few metrics that anybody looks at; more than this was hardly meant.
const MANY: usize = 50;

const MINUTE: Duration = Duration::from_secs(60);

/// The instances a month of which one after the other takes the place of a host, where the
/// market takes it away every day.
const DAILY: f64 = 30.0;

fn everything(look: &Look) -> Option<Found> {
    let asked = look.patterns().any(|(name, _)| name == "*");
    asked.then(|| look.metrics("all metrics that there are", |_| true))?
}

fn cores(look: &Look) -> Option<Found> {
    let asked = look.metrics.iter().any(host::Metric::is_core);
    asked.then(|| look.metrics("metrics of every single processor", host::Metric::is_core))?
}

fn mounts(look: &Look) -> Option<Found> {
    let any = |name: &str, about: &str| {
        name.starts_with("disk")
            && name.ends_with('*')
            && !name.starts_with("diskio")
            && !about.contains("path=")
    };
    let asked = look.patterns().any(|(name, about)| any(name, about));
    asked.then(|| {
        look.metrics("all disk metrics of every filesystem", |it| it.name.starts_with("disk_"))
    })?
}

fn groups(look: &Look) -> Option<Found> {
    let group =
        GROUPS.iter().find(|group| look.patterns().any(|(name, _)| name.starts_with(**group)))?;
    let of_groups = |it: &host::Metric| GROUPS.iter().any(|group| it.name.starts_with(group));
    look.metrics(&format!("metrics of {group} and its like"), of_groups)
}

fn detail(look: &Look) -> Option<Found> {
    let telegraf = look.sink.schema == CloudWatchSchema::Telegraf && look.metrics.len() > MANY;
    telegraf.then(|| look.metrics("as much as telegraf sends by default", |_| true))?
}

/// Values of dimensions that do not outlive an instance or an image.
fn changing(look: &Look) -> Option<Found> {
    let dimensions = look.sink.dimensions.as_ref().filter(|_| look.is_of_instance())?;
    let has = |part: &str| dimensions.values().any(|value| value.contains(part));
    let brief = ["{image_id}", "{private_ip}", "{hostname}", "{kernel_hostname}"];
    let of_one = brief.iter().find(|part| has(part)).or_else(|| {
        let of_group = has("{autoscaling_group}") || has("{asg}");
        (of_group && has("{instance_id}")).then_some(&"{instance_id}")
    })?;
    let count = look.admitted(look.metrics.len());
    let what = format!(
        "{of_one} begins all {count} metrics anew with each instance of a group, which \
         per = \"group\" pays once; with one instance a day, {count} metrics × {DAILY} h more"
    );
    let usd = look.usd_of_metrics(count) * DAILY / look.prices.hours_a_month;
    Some(Found { what, usd })
}

fn high_resolution(look: &Look) -> Option<Found> {
    if look.sink.high_resolution.is_empty() {
        return None;
    }
    let what = "values by the second cost no more themselves, alarms on them three times as much; \
        the metrics";
    let high = CloudWatchSettings {
        include: Some(look.sink.high_resolution.clone()),
        ..look.sink.clone()
    };
    let high = host::metrics(&high);
    look.metrics(what, |it| high.contains(it))
}

fn quick(look: &Look) -> Option<Found> {
    let flush = look.sink.flush;
    (flush < MINUTE).then(|| {
        let calls = look.calls(flush);
        let text = humantime::format_duration(flush);
        let what = format!(
            "a call every {text}, {calls:.0} of them where {:.0} would do",
            look.calls(MINUTE)
        );
        Found { what, usd: look.usd_of_calls(calls) }
    })
}

fn many(look: &Look) -> Option<Found> {
    let most = look.sink.max_metrics as usize;
    (most > MANY && look.is_of_instance()).then(|| Found {
        what: format!("a host that grows may send {most} metrics"),
        usd: look.usd_of_metrics(most),
    })
}

fn twice(look: &Look) -> Option<Found> {
    let sink = look.sink;
    let dimensions = |sink: &CloudWatchSettings| match &sink.dimensions {
        Some(dimensions) => dimensions.clone(),
        None => sink
            .schema
            .schema()
            .dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let same = |other: &&&CloudWatchSettings| {
        other.namespace == sink.namespace
            && other.per == sink.per
            && dimensions(other) == dimensions(sink)
            && host::metrics(other).iter().any(|metric| look.metrics.contains(metric))
    };
    look.before.iter().find(same).map(|_| Found {
        what: "another sink sends the same metrics, whose values count twice; the calls".to_owned(),
        usd: look.usd_of_calls(look.calls(sink.flush)),
    })
}

#[cfg(test)]
mod tests;
