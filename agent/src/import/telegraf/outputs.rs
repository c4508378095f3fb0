//! telegraf's outputs, as gild's sinks.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::draft::{Draft, Section};
use super::super::read;
use super::super::secret::{is_secret, is_suspect};
use super::super::tree::Item;
use super::super::write::length;
use super::filter::Filter;
use super::{NO_OUTPUT, agent, refuse};
use crate::metrics::sink::cloudwatch::limits;
use crate::metrics::sink::remote_write::PushUrl;
use crate::metrics::sink::remote_write::encode::is_label_name;

/// How often telegraf sends where nothing is said.
const USUAL: Duration = Duration::from_secs(10);
/// How often CloudWatch is sent to at the least and at the most.
const MINUTE: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(300);

/// telegraf's own namespace.
const NAMESPACE: &str = "InfluxData/Telegraf";

/// The place of a URL that is not known.
const UNKNOWN_URL: &str = "https://change-me.invalid/api/v1/push";

/// A name for the sink: the output's alias.
fn header(table: &Item, draft: &Draft, usual: &str) -> String {
    let alias = table.get("alias").and_then(Item::text).filter(|alias| !alias.is_empty());
    draft.header("sink", alias.unwrap_or(usual))
}

/// How often an output sends.
fn flush(table: &Item, draft: &Draft) -> Duration {
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

pub(super) fn http(table: &Item, draft: &mut Draft) {
    let format = table.get("data_format");
    if format.and_then(Item::text) != Some("prometheusremotewrite") {
        refuse(table, NO_OUTPUT);
        return;
    }
    let header = header(table, draft, "remote-write");
    let comment = "Names are node_exporter's here, not telegraf's: dashboards and rules need them.";
    let mut section = Section::new(header, comment);
    section.set("type", "remote_write");
    if let Some(format) = format {
        format.left(
            "it gets all that gild measures, whatever inputs choose, under node_exporter's names, \
             such as node_cpu_seconds_total for cpu_usage_idle: take dashboards made for those",
        );
    }
    url(table, &mut section);
    login(table, &mut section);
    if let Some(timeout) = table.get("timeout").and_then(read::timeout) {
        section.set("timeout", length(timeout));
    }
    section.set("flush", length(flush(table, draft)));
    let mut labels: Map<String, Value> = draft.common.clone();
    labels.retain(|name, _| is_label_name(name));
    labels.insert("instance".to_owned(), Value::from("{instance_id}"));
    section.set("labels", labels);
    if let Some(method) = table.get("method") {
        method.needless("remote write is always sent with POST");
    }
    read::needless(
        table,
        &[
            "content_encoding",
            "use_batch_format",
            "prometheus_sort_metrics",
            "prometheus_string_as_label",
            "prometheus_export_timestamp",
            "non_retryable_statuscodes",
            "idle_conn_timeout",
            "max_idle_conn",
            "max_idle_conn_per_host",
        ],
        "gild follows the protocol: snappy, sorted labels, and what may be sent again",
    );
    read::left(
        table,
        &["namepass", "namedrop", "fieldpass", "fielddrop", "tagpass", "tagdrop"],
        "gild sends all that it measures; metrics.collectors says what that is",
    );
    draft.sections.push(section);
}

fn url(table: &Item, section: &mut Section) {
    let Some(item) = table.get("url") else {
        section.set("url", UNKNOWN_URL);
        return;
    };
    let text = item.text().unwrap_or_default();
    let plain = !text.contains('?') && !read::has_variable(text);
    if plain && PushUrl::parse(text).is_some() {
        item.carried();
        section.set("url", text);
    } else {
        section.set("url", UNKNOWN_URL);
        item.left("write the URL into the sink, without user, password, query or variables");
    }
}

/// Who sends: as references to secrets, which have to be stored there first.
fn login(table: &Item, section: &mut Section) {
    const STORE: &str = "a secret is not copied: store it where the new setting refers to, or \
                         change the reference";
    let header = section.header.clone();
    let user = table.get("username");
    if let Some(item) = user
        && let Some(name) = read::text(item)
    {
        section.set("username", name);
    }
    if let Some(item) = table.get("password") {
        item.left(STORE);
        if user.is_some() {
            section.set("password", Draft::placeholder(&header, "password"));
        }
    }
    for item in table.get("headers").map(Item::items).unwrap_or_default() {
        let text = item.text().unwrap_or_default();
        match item.key.to_ascii_lowercase().as_str() {
            "authorization" => {
                item.left(STORE);
                if user.is_none() {
                    section.set("bearer", Draft::placeholder(&header, "token"));
                }
            }
            "x-scope-orgid" if !is_suspect(text) && !text.is_empty() => {
                if let Some(tenant) = read::text(item).filter(|text| text.is_ascii()) {
                    section.set("tenant", tenant);
                }
            }
            "content-type" | "content-encoding" | "x-prometheus-remote-write-version" => {
                item.needless("gild sets it as the protocol wants it");
            }
            key if is_secret(key) => item.left(STORE),
            _ => item.left("gild sends no headers of one's own"),
        }
    }
    read::left(
        table,
        &["token_url", "client_id", "client_secret", "scopes", "aws_service", "audience"],
        "gild has no such login here; see the keys of remote_write in config/reference.toml",
    );
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
