//! Files with anything in them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::*;

const READERS: [(Reader, &str); 2] =
    [(telegraf::import, "x.conf"), (cloudwatch_agent::import, "x.json")];

/// Every value of a tree, as its path.
fn leaves(value: &Value, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(table) if !table.is_empty() => {
            for (key, value) in table {
                leaves(value, &format!("{path}.{key}"), out);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            items.iter().for_each(|item| leaves(item, path, out));
        }
        _ => {
            out.insert(path.trim_start_matches('.').to_owned());
        }
    }
}

/// The paths of what is listed.
fn listed(import: &Import) -> BTreeSet<String> {
    let path = |row: &Row| [&row.plugin, ".", &row.key].concat().trim_matches('.').to_owned();
    import.rows.iter().map(path).collect()
}

/// Words that stand in such files, and such as stand in none.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "agent",
            "global_tags",
            "inputs",
            "outputs",
            "cpu",
            "mem",
            "disk",
            "net",
            "http",
            "cloudwatch",
            "metrics",
            "metrics_collected",
            "measurement",
            "resources",
            "namepass",
            "fielddrop",
            "tagpass",
            "interval",
            "urls",
            "url",
            "headers",
            "password",
            "pattern",
            "append_dimensions",
            "prometheus",
            "net_response",
            "http_response",
            "procstat",
            "systemd_units",
            "address",
            "data_format",
            "name",
            "hostname",
            "namespace",
            "path",
            "tags",
            "timeout",
            "mount_points",
            "flush_interval",
            "percpu",
            "systemd_unit",
        ])
        .prop_map(str::to_owned),
        "[a-z_]{1,6}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        select(vec![
            "",
            "*",
            "10s",
            "prometheusremotewrite",
            "http://127.0.0.1:1/x",
            "cpu",
            "used_percent",
            "nginx.service",
            "localhost:80",
            "$X",
            "a b\n\"",
            "ü",
            "/data",
            "{x}",
            "stdout",
        ])
        .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    plain.prop_recursive(5, 60, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A file with parts in their places and anything in them.
fn document() -> impl Strategy<Value = Map<String, Value>> {
    let plugins = || proptest::collection::vec((key(), value()), 0..6);
    (plugins(), plugins(), plugins(), plugins(), proptest::collection::vec((key(), value()), 0..3))
        .prop_map(|(inputs, outputs, agent, collected, others)| {
            let table = |entries: Vec<(String, Value)>| -> Value {
                Value::Object(entries.into_iter().collect())
            };
            let mut root: Map<String, Value> = others.into_iter().collect();
            root.insert("inputs".to_owned(), table(inputs));
            root.insert("outputs".to_owned(), table(outputs));
            root.insert("agent".to_owned(), table(agent));
            let collected = json!({ "metrics_collected": table(collected) });
            root.insert("metrics".to_owned(), collected);
            root
        })
}

/// A key that no agent has, put into each table of a tree; gives back the paths.
fn strange(value: &mut Value, path: &str, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table.iter_mut() {
                strange(value, &format!("{path}.{key}"), out);
            }
            table.insert("zz_strange".to_owned(), Value::from(1));
            out.insert(format!("{path}.zz_strange").trim_start_matches('.').to_owned());
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strange(item, path, out)),
        _ => {}
    }
}

/// What a table of free names is: a tag of any name is known, whatever it is called.
fn is_free(path: &str) -> bool {
    ["global_tags.", "tags.", "inputs.prometheus.tags."].iter().any(|it| path.starts_with(it))
        || [".tagpass.", ".tagdrop."].iter().any(|it| path.contains(it))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn an_unknown_key_is_listed_wherever_it_stands(root in document()) {
        let mut root = Value::Object(root);
        let mut strange_keys = BTreeSet::new();
        strange(&mut root, "", &mut strange_keys);
        for (reader, name) in READERS {
            let Some(file) = written(&root, name) else { continue };
            let import = reader(&[file]).unwrap();
            let listed = listed(&import);
            let missing: Vec<_> =
                strange_keys.iter().filter(|key| !is_free(key) && !listed.contains(*key)).collect();
            prop_assert!(missing.is_empty(), "{missing:?} of {root}\n{listed:?}");
        }
    }

    #[test]
    fn whatever_is_read_what_is_written_loads(root in document()) {
        let root = Value::Object(root);
        for (reader, name) in READERS {
            let Some(file) = written(&root, name) else { continue };
            let import = reader(&[file]).unwrap();
            set_up(&settings(&import.config));
            // What is listed is there, and has a line.
            let mut all = BTreeSet::new();
            leaves(&root, "", &mut all);
            for row in &import.rows {
                prop_assert!(row.line > 0 && !row.advice.is_empty());
                let path = [&row.plugin, ".", &row.key].concat();
                let path = path.trim_matches('.');
                prop_assert!(all.iter().any(|key| key.starts_with(path)), "{path} in {all:?}");
            }
        }
    }
}
