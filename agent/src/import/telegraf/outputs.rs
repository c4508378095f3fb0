//! telegraf's outputs, as gild's sinks; remote write has a file of its own.

use std::time::Duration;

use serde_json::Value;

use super::super::draft::{Draft, Section};
use super::super::read;
use super::super::tree::Item;
use super::super::write::length;
use super::filter::Filter;
use super::{agent, refuse};
use crate::metrics::sink::cloudwatch::limits;

/// How often telegraf sends where nothing is said.
const USUAL: Duration = Duration::from_secs(10);
/// How often CloudWatch is sent to at the least and at the most.
const MINUTE: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(300);

/// telegraf's own namespace.
const NAMESPACE: &str = "InfluxData/Telegraf";

/// A name for the sink: the output's alias.
pub(super) fn header(table: &Item, draft: &Draft, usual: &str) -> String {
    let alias = table.get("alias").and_then(Item::text).filter(|alias| !alias.is_empty());
    draft.header("sink", alias.unwrap_or(usual))
}

/// How often an output sends.
pub(super) fn flush(table: &Item, draft: &Draft) -> Duration {
    let own = table.get("flush_interval").and_then(read::period);
    own.or(draft.flush).unwrap_or(USUAL)
}

pub(super) fn cloudwatch(table: &Item, draft: &mut Draft) {
    let comment = "telegraf's metrics under the names and dimensions that alarms know.";
    let mut section = Section::new(header(table, draft, "cloudwatch"), comment);
    section.set("namespace", NAMESPACE);
    if let Some(item) = table.get("namespace") {
        let namespace = read::text(item).filter(|text| limits::is_namespace(text));
        match namespace {
            Some(namespace) => section.set("namespace", namespace),
            None => item.left("CloudWatch takes letters, digits and .-_/#: here; write another"),
        }
    }
    let filter = Filter::read(table);
    let metrics = filter.apply(draft.metrics.clone());
    let flush = flush(table, draft);
    if read::truth(table, "high_resolution_metrics", false) {
        let names: Vec<Value> =
            metrics.iter().map(|metric| Value::from(metric.pattern())).collect();
        section.set("flush", length(flush.min(LONGEST)));
        section.set("high_resolution", names);
        let comment = "high_resolution costs three times as much for each alarm on it, and a \
                       short flush a call each time.";
        section.comments.push(comment.to_owned());
    } else {
        section.set("flush", length(flush.clamp(MINUTE, LONGEST)));
        if flush < MINUTE {
            read::needless(table, &["flush_interval"], agent::QUICK);
            let comment = "telegraf sent more often; a minute's values in one call are the same \
                           statistics for a sixth of the calls or less.";
            section.comments.push(comment.to_owned());
        }
    }
    if let Some(statistics) = table.get("write_statistics") {
        statistics.needless("gild sends each value, of which CloudWatch makes all statistics");
    }
    read::left(
        table,
        &["region", "endpoint_url"],
        "gild sends to the region of its instance; what went to another one has to be looked for \
         here now",
    );
    read::left(
        table,
        &[
            "access_key",
            "secret_key",
            "token",
            "role_arn",
            "web_identity_token_file",
            "role_session_name",
            "profile",
            "shared_credential_file",
        ],
        "gild uses the role of its instance: allow that role cloudwatch:PutMetricData",
    );
    draft.cloudwatch(section, metrics);
}

/// A sink for metrics that telegraf sent where gild cannot.
pub(super) fn stand_in(draft: &mut Draft) {
    if draft.metrics.is_empty() {
        return;
    }
    let mut section = Section::new(
        draft.header("sink", "cloudwatch"),
        "telegraf sent these to an output that gild has not. Here they go to CloudWatch, where \
         each costs money:",
    );
    section
        .comments
        .push("take this table out, or shorten include, where that is not meant.".to_owned());
    section.set("namespace", NAMESPACE);
    section.set("flush", length(MINUTE));
    let metrics = draft.metrics.clone();
    draft.cloudwatch(section, metrics);
}

pub(super) fn prometheus_client(table: &Item, _: &mut Draft) {
    refuse(
        table,
        "gild opens no port: its page is at the status socket, \
         `curl --unix-socket /run/gild/status.sock http://gild/metrics`; a sink with \
         type = \"remote_write\" sends it",
    );
}

pub(super) fn file(table: &Item, draft: &mut Draft) {
    let files = table.get("files");
    let texts = files.and_then(Item::texts).unwrap_or_default();
    if texts != ["stdout"] {
        refuse(table, "gild writes metrics to no file; [sink.NAME] type = \"log\" logs them");
        return;
    }
    let comment = "Samples in the log, under node_exporter's names.";
    let mut section = Section::new(header(table, draft, "log"), comment);
    section.set("type", "log");
    section.set("flush", length(flush(table, draft)));
    draft.sections.push(section);
    files.into_iter().for_each(Item::carried);
    table.left("the log gets all that gild measures, under node_exporter's names");
    read::needless(table, &["data_format", "rotation_interval"], "the log has a format of its own");
}
