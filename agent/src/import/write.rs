//! The text of the configuration that was made: TOML with a line about each part.

use std::time::Duration;

use serde_json::Value;

use super::draft::{Draft, Section};
use crate::config::schema;
use crate::metrics::settings::MetricsSettings;

/// The widest line of a list.
const WIDTH: usize = 100;

/// The text of a draft.
pub(super) fn text(draft: &Draft) -> String {
    let mut out = String::new();
    for line in &draft.head {
        comment(&mut out, line);
    }
    metrics(draft, &mut out);
    let mut sections: Vec<&Section> = draft.sections.iter().collect();
    sections.sort_by_key(|section| !section.header.starts_with("sink."));
    for section in sections {
        out.push('\n');
        for line in &section.comments {
            comment(&mut out, line);
        }
        out.push_str(&format!("[{}]\n", section.header));
        for (key, value) in &section.entries {
            entry(&mut out, key, value);
        }
        include(&mut out, section);
    }
    out
}

/// How often is measured, and by what.
fn metrics(draft: &Draft, out: &mut String) {
    let wants = |start: &str| draft.metrics.iter().any(|metric| metric.name.starts_with(start));
    let states = wants("processes_");
    if draft.interval.is_none() && !states {
        return;
    }
    out.push('\n');
    comment(out, "How often and what is measured. Each sink sends what it includes of that.");
    out.push_str("[metrics]\n");
    if let Some(interval) = draft.interval {
        entry(out, "interval", &length(interval));
    }
    if states {
        comment(
            out,
            "The usual ones, and \"process_states\", which reads a file for each process.",
        );
        let usual = schema::defaults(&MetricsSettings::fields());
        let mut names = usual["collectors"].as_array().cloned().unwrap_or_default();
        names.push(Value::from("process_states"));
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        list(out, "collectors", &[("", names)]);
    }
}

fn include(out: &mut String, section: &Section) {
    if section.include.is_empty() {
        if section.is_sink("cloudwatch") {
            entry(out, "include", &Value::Array(Vec::new()));
        }
        return;
    }
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for metric in &section.include {
        let text = inline(&Value::from(metric.pattern()));
        match groups.iter_mut().find(|(plugin, _)| *plugin == metric.plugin) {
            Some((_, names)) => names.push(text),
            None => groups.push((metric.plugin, vec![text])),
        }
    }
    list(out, "include", &groups);
}

/// A list over several lines, with what each part of it is.
fn list(out: &mut String, key: &str, groups: &[(&str, Vec<String>)]) {
    out.push_str(key);
    out.push_str(" = [\n");
    for (name, items) in groups {
        if !name.is_empty() {
            out.push_str(&format!("    # {name}\n"));
        }
        let mut line = String::new();
        for item in items {
            if !line.is_empty() && line.len() + item.len() > WIDTH - 7 {
                out.push_str(&format!("   {line}\n"));
                line.clear();
            }
            line.push(' ');
            line.push_str(item);
            line.push(',');
        }
        out.push_str(&format!("   {line}\n"));
    }
    out.push_str("]\n");
}

fn comment(out: &mut String, line: &str) {
    let mut width = 0;
    for word in line.split(' ') {
        let start = match width {
            0 => "#",
            _ if width + word.len() >= WIDTH => "\n#",
            _ => "",
        };
        width = if start.is_empty() { width } else { 1 } + 1 + word.len();
        out.push_str(start);
        out.push(' ');
        out.push_str(word);
    }
    out.push('\n');
}

fn entry(out: &mut String, key: &str, value: &Value) {
    let text = inline(value);
    match value {
        Value::Array(items) if text.len() > WIDTH - 20 => {
            list(out, key, &[("", items.iter().map(inline).collect())]);
        }
        _ => out.push_str(&format!("{} = {text}\n", bare(key))),
    }
}

/// A key, in quotation marks where it needs them.
fn bare(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    match !key.is_empty() && key.bytes().all(plain) {
        true => key.to_owned(),
        false => inline(&Value::from(key)),
    }
}

/// A value on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        Value::Object(table) => {
            let entry =
                |(key, value): (&String, &Value)| format!("{} = {}", bare(key), inline(value));
            let entries: Vec<String> = table.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        // JSON's texts are TOML's, but for one letter.
        plain => plain.to_string().replace('\u{7f}', "\\u007F"),
    }
}

/// A length of time as a setting.
pub(super) fn length(length: Duration) -> Value {
    Value::from(match length.subsec_millis() {
        0 => format!("{}s", length.as_secs()),
        _ => format!("{}ms", length.as_millis()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_reads_as_it_was() {
        let values = json!({
            "a b": "x\u{7f}\n\"\\ü\u{1}", "c": [1, true, "d"], "e": { "f.g": {}, "": [] }, "h": -2.5
        });
        let mut out = String::new();
        for (key, value) in values.as_object().unwrap() {
            entry(&mut out, key, value);
        }
        let read = super::super::toml::parse(&out).unwrap();
        assert_eq!(read.value(), values, "{out}");
    }

    #[test]
    fn a_long_comment_goes_on_in_the_next_line() {
        let mut out = String::new();
        comment(&mut out, &"word ".repeat(30));
        assert_eq!(out.lines().count(), 2);
        assert!(out.lines().all(|line| line.starts_with("# word") && line.len() <= WIDTH));
    }
}
