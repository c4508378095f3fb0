//! telegraf's inputs about services and probes. gild watches a service as a whole: it is up or
//! down after several looks in a row, so the metrics are other ones.

use std::time::Duration;

use super::super::draft::{Draft, Section};
use super::super::read;
use super::super::tree::Item;
use super::super::write::length;
use crate::health::target::{Expect, HostPort, HttpUrl};

const OTHER_METRICS: &str = "its metrics are service_up (0 or 1) and services_unhealthy in \
    CloudWatch, service_state and service_probe_seconds besides in remote write; alarms on the old \
    ones have to be made anew";
const NO_UNIT: &str = "gild watches units and probes, not processes: add [service.NAME] with \
    unit = \"…\" for the unit that runs it";

/// Adds a service that is looked at as often as the input was.
fn add(table: &Item, draft: &mut Draft, wish: &str, mut section: Section) {
    if let Some(interval) = table.get("interval").and_then(read::period) {
        section.set("interval", length(interval));
    }
    section.header = draft.header("service", wish);
    draft.sections.push(section);
    table.left(OTHER_METRICS);
    read::left(
        table,
        &["tags", "fieldpass", "fielddrop", "fieldinclude", "fieldexclude", "namepass", "namedrop"],
        "gild's metrics of a service have the dimension service only, and other names",
    );
}

/// Adds a service for each unit that is named in full.
fn units(table: &Item, item: &Item, patterns: Vec<&str>, draft: &mut Draft) {
    let mut open = Vec::new();
    for pattern in patterns {
        let unit = match pattern.contains('.') {
            true => pattern.to_owned(),
            false => [pattern, ".service"].concat(),
        };
        if draft.is_full() || pattern.is_empty() || pattern.contains(['*', '?', '[', '$', '{']) {
            open.push(pattern);
            continue;
        }
        let mut section = Section::new(String::new(), "Its unit must be active.");
        section.set("unit", unit.as_str());
        add(table, draft, unit.trim_end_matches(".service"), section);
    }
    match open.is_empty() {
        true => item.carried(),
        false => item.left(format!(
            "gild watches units that are named in full: add [service.NAME] for each that {} means",
            open.join(", ").replace(char::is_control, "?")
        )),
    }
}

pub(super) fn systemd_units(table: &Item, draft: &mut Draft) {
    match table.get("pattern") {
        Some(item) => {
            let patterns = item.text().unwrap_or_default().split_whitespace().collect();
            units(table, item, patterns, draft);
        }
        None => table.left(
            "gild watches units that are named: add [service.NAME] with unit = \"…\" for each that \
             matters",
        ),
    }
    if let Some(kind) = table.get("unittype") {
        match kind.text() {
            Some("service") => kind.carried(),
            _ => kind.left("write the unit with its ending, such as \"backup.timer\""),
        }
    }
    read::needless(
        table,
        &["details", "collect_disabled_units", "subcommand", "timeout"],
        "gild asks systemd for the units that are named, whether they are loaded or not",
    );
    read::left(table, &["scope"], "gild watches units of the system");
}

pub(super) fn procstat(table: &Item, draft: &mut Draft) {
    let mut found = false;
    for key in ["systemd_unit", "systemd_units"] {
        if let Some(item) = table.get(key) {
            found = true;
            units(table, item, item.texts().unwrap_or_default(), draft);
        }
    }
    let selectors =
        ["exe", "pattern", "pid_file", "user", "cgroup", "supervisor_unit", "supervisor_units"];
    read::left(table, &selectors, NO_UNIT);
    read::left(table, &["filter"], NO_UNIT);
    read::needless(
        table,
        &["pid_tag", "cmdline_tag", "pid_finder", "mode", "prefix", "process_name", "tag_with"],
        "gild reads no single processes",
    );
    if !found {
        table.left(NO_UNIT);
    }
}

pub(super) fn http_response(table: &Item, draft: &mut Draft) {
    let urls = ["urls", "address"].iter().find_map(|key| table.get(key));
    let expect = table.get("response_status_code").and_then(|item| {
        let code = item.value().as_u64().map(|code| code.to_string());
        let code = code.filter(|code| *code == "0" || code.parse::<Expect>().is_ok());
        match &code {
            Some(_) => item.carried(),
            None => item.left("write a status from 100 to 599 as expect"),
        }
        code.filter(|code| code != "0")
    });
    let timeout = timeout_of(table, "response_timeout");
    if let Some(item) = urls {
        let mut wrong = false;
        for url in item.texts().unwrap_or_default() {
            let plain = !url.contains('?') && !read::has_variable(url);
            let Some(HttpUrl(read)) = url.parse().ok().filter(|_| plain && !draft.is_full()) else {
                wrong = true;
                continue;
            };
            let mut section = Section::new(
                String::new(),
                match &expect {
                    Some(_) => "The page must answer with this status.",
                    None => "telegraf counts any answer as success; here it must be 200 to 299.",
                },
            );
            let wish = [read.host_str().unwrap_or_default(), read.path()].concat();
            section.set("http", url);
            section.set("timeout", length(timeout));
            if let Some(expect) = &expect {
                section.set("expect", expect.as_str());
            }
            add(table, draft, &wish, section);
        }
        match wrong {
            false => item.carried(),
            true => item.left(
                "write an http:// or https:// URL without user, password, query or variables into \
                 [service.NAME] http",
            ),
        }
    }
    if let Some(method) = table.get("method") {
        match method.text() {
            Some("GET" | "get") => method.carried(),
            _ => method.left("gild asks with GET"),
        }
    }
    if read::truth(table, "follow_redirects", false) {
        read::left(table, &["follow_redirects"], "gild follows none: name the page behind it");
    }
    read::left(
        table,
        &["response_string_match", "body", "body_form", "response_body_field", "headers"],
        "gild looks at the status alone; have the service offer a page for that",
    );
    read::needless(
        table,
        &["response_body_max_size", "http_proxy", "use_system_proxy"],
        "gild reads no body, and asks without a proxy",
    );
}

pub(super) fn net_response(table: &Item, draft: &mut Draft) {
    let protocol = table.get("protocol");
    if let Some(item) = protocol {
        match item.text() {
            Some("tcp") => item.carried(),
            _ => item.left("gild connects by TCP only; an exporter can tell of the rest"),
        }
    }
    let timeout = timeout_of(table, "timeout");
    if let Some(item) = table.get("address") {
        let text = item.text().unwrap_or_default();
        // Without a host, telegraf takes this one.
        let here = if text.starts_with(':') { "127.0.0.1" } else { "" };
        let address = [here, text].concat();
        let usable = address.parse::<HostPort>().is_ok() && !read::has_variable(text);
        let tcp = protocol.is_none_or(|item| item.text() == Some("tcp"));
        if usable && tcp {
            item.carried();
            let mut section = Section::new(String::new(), "It must accept a connection.");
            section.set("tcp", address.as_str());
            section.set("timeout", length(timeout));
            add(table, draft, &address.replace(':', "-"), section);
        } else {
            item.left("write a host and port such as \"127.0.0.1:6379\" into [service.NAME] tcp");
        }
    }
    read::left(
        table,
        &["send", "expect", "string_length", "read_timeout"],
        "gild connects, and neither sends nor reads",
    );
}

/// How long a probe may take; telegraf gives one second or five.
fn timeout_of(table: &Item, key: &str) -> Duration {
    let usual = Duration::from_secs(if key == "timeout" { 1 } else { 5 });
    table.get(key).and_then(read::timeout).unwrap_or(usual)
}
