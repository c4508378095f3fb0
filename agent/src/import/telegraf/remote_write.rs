//! telegraf's `outputs.http`, where it speaks Prometheus remote write.

use serde_json::{Map, Value};

use super::super::draft::{Draft, Section};
use super::super::read;
use super::super::secret::{is_secret, is_suspect};
use super::super::tree::Item;
use super::super::write::length;
use super::outputs::{flush, header};
use super::{NO_OUTPUT, refuse};
use crate::metrics::sink::remote_write::PushUrl;
use crate::metrics::sink::remote_write::encode::is_label_name;

/// The place of a URL that is not known.
const UNKNOWN_URL: &str = "https://change-me.invalid/api/v1/push";

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
