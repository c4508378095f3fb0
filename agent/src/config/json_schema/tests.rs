//! The schema as it is kept, and documents held to it by a validator of just the
//! keywords that it uses.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::config::format::{self, Format};
use crate::config::schema::defaults;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `GILD_REFRESH_GOLDEN=1 cargo test` rewrites the schema.
#[test]
fn the_schema_is_what_the_declarations_say() {
    let path = repository().join("config/schema.json");
    let page = format!("{:#}\n", schema());
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page, "config/schema.json is stale; set GILD_REFRESH_GOLDEN=1 once");
}

/// What is wrong with a value, by its place.
fn faults(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let fits = |schema: &Value, value: &Value| {
        let mut found = Vec::new();
        faults(schema, value, place, &mut found);
        found.is_empty()
    };
    let Value::Object(keywords) = schema else { panic!("{schema} at {place} is no schema") };
    let entries = value.as_object();
    for (keyword, rule) in keywords {
        let list = || rule.as_array().unwrap();
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" | "then" => true,
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64() || value.is_i64(),
                other => panic!("type {other}"),
            },
            "enum" => list().contains(value),
            "const" => rule == value,
            "minimum" => value.as_f64().is_none_or(|value| value >= rule.as_f64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| {
                regex_lite::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)
            }),
            "required" => entries.is_none_or(|table| {
                list().iter().all(|key| table.contains_key(key.as_str().unwrap()))
            }),
            "propertyNames" => entries
                .is_none_or(|table| table.keys().all(|key| fits(rule, &Value::from(key.as_str())))),
            "anyOf" => list().iter().any(|one| fits(one, value)),
            "oneOf" => list().iter().filter(|one| fits(one, value)).count() == 1,
            "allOf" => {
                list().iter().for_each(|one| faults(one, value, place, found));
                true
            }
            "if" => {
                if fits(rule, value) {
                    faults(&keywords["then"], value, place, found);
                }
                true
            }
            "items" => {
                value.as_array().into_iter().flatten().for_each(|item| {
                    faults(rule, item, place, found);
                });
                true
            }
            "properties" => {
                for (key, value) in entries.into_iter().flatten() {
                    if let Some(schema) = rule.get(key) {
                        faults(schema, value, &format!("{place}.{key}"), found);
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = keywords.get("properties").unwrap_or(&Value::Null);
                for (key, value) in entries.into_iter().flatten() {
                    match rule {
                        _ if known.get(key).is_some() => {}
                        Value::Bool(true) => {}
                        Value::Bool(false) => found.push(format!("{place}.{key}: unknown")),
                        schema => faults(schema, value, &format!("{place}.{key}"), found),
                    }
                }
                true
            }
            other => panic!("the schema says '{other}', which this does not know"),
        };
        if !holds {
            found.push(format!("{place}: {keyword}"));
        }
    }
}

fn checked(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    faults(&schema(), value, "", &mut found);
    found
}

fn read(text: &str, format: Format) -> Value {
    Value::Object(format::parse(text, format).unwrap().0)
}

fn check_toml(text: &str) -> Vec<String> {
    checked(&read(text, Format::Toml))
}

#[test]
fn the_defaults_and_every_document_that_is_shown_fit() {
    assert_eq!(checked(&Value::Object(defaults(&Settings::fields()))), [""; 0]);
    for scope in ["global", "account", "service"] {
        let path = repository().join(format!("config/demo/{scope}.toml"));
        assert_eq!(check_toml(&fs::read_to_string(path).unwrap()), [""; 0], "{scope}");
    }
    for page in ["README.md", "config/README.md"] {
        let page = fs::read_to_string(repository().join(page)).unwrap();
        let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        // One of them is two documents, side by side.
        for example in examples.filter(|example| !example.contains("# account")) {
            assert_eq!(check_toml(example), [""; 0], "{example}");
        }
    }
}

#[test]
fn the_reference_page_fits_when_its_keys_are_switched_on() {
    let mut name = 0;
    let page = crate::config::reference::toml();
    let lines = page.lines().filter_map(|line| line.strip_prefix("#: "));
    // What has no default says in words what it may hold.
    let lines = lines.filter(|line| !line.contains(" =   ("));
    let text: Vec<String> = lines
        .map(|line| {
            if line.starts_with('[') {
                name += 1;
            }
            line.replace(NAME, &format!("n{name}"))
        })
        .collect();
    assert!(text.len() > 50);
    assert_eq!(check_toml(&text.join("\n")), [""; 0]);
}

#[test]
fn what_is_wrong_does_not_fit() {
    for (text, fault) in [
        ("metric.interval = '10s'", ".metric: unknown"),
        ("metrics.interval = '10 bananas'", ".metrics.interval: pattern"),
        ("metrics.interval = 10", ".metrics.interval: type"),
        ("metrics.collectors = ['gpu']", ".metrics.collectors: enum"),
        ("configuration.run = 'sometimes'", ".configuration.run: enum"),
        ("service.web.fail_after = -1", ".service.web.fail_after: minimum"),
        ("service.web.nonsense = 1", ".service.web.nonsense: unknown"),
        ("sink.x.type = 'cloudwach'", ".sink.x.type: enum"),
        ("sink.x.type = 'log'\nsink.x.url = 'https://h/'", ".sink.x: propertyNames"),
        ("sink.x.nonsense = 1", ".sink.x.nonsense: unknown"),
        ("sink.x.bearer = 'hunter22'", ".sink.x.bearer: oneOf"),
        ("sink.x.bearer = { ssm = '/a', file = '/b' }", ".sink.x.bearer: oneOf"),
        ("scope.global.sources = [{ uri = 'file:/x' }]", ".scope.global.sources: anyOf"),
        ("scope.service.import = { Name = 1 }", ".scope.service.import.Name: type"),
        ("unset = 'a.b'", ".unset: type"),
        ("accept_shrink = 'yes'", ".accept_shrink: type"),
        ("vars = 1", ".vars: type"),
    ] {
        assert_eq!(check_toml(text), [fault], "{text}");
    }
}

#[test]
fn a_layer_may_say_a_part_of_what_all_layers_say() {
    for text in [
        "sink.mimir.tenant = 'stg'",
        "sink.x = { type = 'log', flush = '1m 30s' }",
        "unset = ['sink.mimir']\nfinal = ['metrics.interval']\naccept_shrink = true",
        "vars = { anything = [1, 'a', { goes = true }] }",
        "scope.global.sources = ['file:/x', { url = 'ssm:y', format = 'yaml', into = 'vars' }]",
        "configuration.vault_password = { secretsmanager = 'id', key = 'field' }",
    ] {
        assert_eq!(check_toml(text), [""; 0], "{text}");
    }
}

#[test]
fn the_pattern_of_lengths_of_time_is_what_is_read() {
    let pattern = regex_lite::Regex::new(DURATION).unwrap();
    let units = "nanos nsec ns usec us µs millis msec ms seconds second secs sec s minutes minute \
                 min mins m hours hour hr hrs h days day d weeks week wk wks w months month M years \
                 year yr yrs y";
    for unit in units.split_whitespace() {
        for text in [format!("2{unit}"), format!("1h 2 {unit}"), format!(" 1d2{unit} ")] {
            assert!(humantime::parse_duration(&text).is_ok(), "{text}");
            assert!(pattern.is_match(&text), "{text}");
        }
    }
    for text in ["", "10", "s", "10 bananas", "-1s", "1s 2", "1.s", "1s,2s", "1h m", "soon"] {
        assert!(humantime::parse_duration(text).is_err(), "{text}");
        assert!(!pattern.is_match(text), "{text}");
    }
}
