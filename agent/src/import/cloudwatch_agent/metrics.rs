//! The agent's `metrics`: what holds for all that it measures, and where that goes.

use std::time::Duration;

use serde_json::Value;

use super::super::draft::{Draft, Section};
use super::super::read::{self, everything};
use super::super::tree::Item;
use super::super::write::length;
use super::collected;
use crate::metrics::sink::cloudwatch::limits;

/// The dimension of an agent that appends none.
const HOST: &str = "host";

/// The agent's own defaults.
const INTERVAL: Duration = Duration::from_secs(60);
const MINUTE: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(300);

/// What the agent fills in, and what gild does.
const FILLED_IN: [(&str, &str, &str); 5] = [
    ("InstanceId", "${aws:InstanceId}", "{instance_id}"),
    ("ImageId", "${aws:ImageId}", "{image_id}"),
    ("InstanceType", "${aws:InstanceType}", "{instance_type}"),
    ("AutoScalingGroupName", "${aws:AutoScalingGroupName}", "{autoscaling_group}"),
    ("VolumeId", "${aws:VolumeId}", "{volume_id}"),
];

const ROLLUP: &str = "gild sends no rollups, each of which is billed besides: alarms on these \
    dimensions need metric math over the single metrics, or a sink with per = \"group\"";

/// Carries what all files say together.
pub(super) fn carry(tables: &[&Item], named: bool, draft: &mut Draft) {
    let interval = *draft.interval.get_or_insert(INTERVAL);
    let quick = interval < MINUTE;
    let comment = "The agent's metrics under the names and dimensions that alarms know.";
    let mut section = Section::new(draft.header("sink", "cloudwatch"), comment);
    section.set("namespace", "CWAgent");
    section.set("flush", length(MINUTE));
    let mut appended = false;
    for table in tables {
        if let Some(item) = table.get("namespace") {
            match read::text(item).filter(|text| limits::is_namespace(text)) {
                Some(namespace) => section.set("namespace", namespace),
                None => item.left("CloudWatch takes letters, digits and .-_/#: here"),
            }
        }
        if let Some(item) = table.get("append_dimensions") {
            item.carried();
            appended |= !item.items().is_empty();
            append(item, draft);
        }
        if let Some(item) = table.get("force_flush_interval")
            && let Some(flush) = read::period(item)
        {
            let shortest = if quick { flush } else { MINUTE };
            section.set("flush", length(flush.clamp(shortest.min(LONGEST), LONGEST)));
            if flush > LONGEST {
                item.left("gild sends every five minutes at the least");
            } else if flush < shortest {
                item.needless("alarms see no difference between a minute and less");
            }
        }
        others(table);
    }
    if !appended && named {
        draft.common.insert(HOST.to_owned(), Value::from("{kernel_hostname}"));
    }
    for collected in tables.iter().filter_map(|table| table.get("metrics_collected")) {
        collected::carry(collected, draft);
    }
    if draft.metrics.is_empty() {
        return;
    }
    if quick {
        let comment = "The agent sends in high resolution where it measures more often than each \
                       minute, as here. Alarms that do not look as closely need no high_resolution.";
        section.comments.push(comment.to_owned());
        let patterns: Vec<Value> =
            draft.metrics.iter().map(|metric| Value::from(metric.pattern())).collect();
        section.set("high_resolution", patterns);
    }
    let metrics = draft.metrics.clone();
    draft.cloudwatch(section, metrics);
}

/// The dimensions on every metric.
fn append(table: &Item, draft: &mut Draft) {
    draft.common.remove(HOST);
    for item in table.items() {
        let text = item.text().unwrap_or_default();
        let known = FILLED_IN.iter().find(|(name, theirs, _)| *name == item.key && *theirs == text);
        match known {
            Some((name, _, ours)) => {
                item.carried();
                draft.common.insert((*name).to_owned(), Value::from(*ours));
            }
            None => item.left(
                "the agent knows five dimensions of the instance, and this is none of them; gild \
                 takes any text and {tag:NAME} as one of the sink's dimensions",
            ),
        }
    }
}

/// What gild does in another way, or not.
fn others(table: &Item) {
    for key in ["aggregation_dimensions", "drop_original_metrics"] {
        if let Some(item) = table.get(key) {
            // Each list in it is one rollup; as a whole they are one setting.
            everything(item, ROLLUP);
        }
    }
    if let Some(credentials) = table.get("credentials") {
        everything(
            credentials,
            "gild uses the role of its instance: allow that role cloudwatch:PutMetricData",
        );
    }
    read::left(
        table,
        &["endpoint_override"],
        "gild sends to CloudWatch's public endpoint of its region; a VPC endpoint with private \
         names is found under it",
    );
    for item in table.get("metrics_destinations").map(Item::items).unwrap_or_default() {
        match item.key.as_str() {
            "cloudwatch" => item.carried(),
            _ => {
                let advice = "add [sink.NAME] with type = \"remote_write\" and the URL; its names \
                              are node_exporter's";
                everything(item, advice);
            }
        }
    }
    read::needless(table, &["service.name", "deployment.environment"], "no metric has it");
}
