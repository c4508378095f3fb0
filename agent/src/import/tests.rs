//! Nothing is dropped silently, whatever stands in a file, and what is written is configuration.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use aws_config::{BehaviorVersion, SdkConfig};
use proptest::prelude::*;
use proptest::sample::select;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::*;
use crate::config::format::Format;
use crate::config::{Document, Layer, LayerName, Merged, Settings, builtin, check};
use crate::metrics::placeholder::tests::identity;
use crate::metrics::sink::SinkContext;
use crate::platform::aws::Aws;
use crate::platform::http;
use crate::platform::redact::MASK;

type Reader = fn(&[File]) -> Result<Import, FileError>;

const READERS: [(Reader, &str); 2] =
    [(telegraf::import, "x.conf"), (cloudwatch_agent::import, "x.json")];

/// The settings that a configuration comes to; it must be one without a problem.
fn settings(config: &str) -> Settings {
    let findings = check::documents(&[("import.toml".to_owned(), config.into(), Format::Toml)]);
    assert!(findings.is_empty(), "{findings:?}\n{config}");
    let document = Document::parse(config.as_bytes(), Format::Toml).unwrap();
    let layer = Layer {
        name: LayerName::Local,
        source: "import.toml".into(),
        version: None,
        last_good: false,
        document,
    };
    Settings::typed(&Merged::fold([&builtin::layer(), &layer]).root).settings.unwrap()
}

/// Sets up all sinks of a configuration, as the daemon would.
fn set_up(settings: &Settings) {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let sinks = settings.sink.values();
    let secrets = sinks.clone().flat_map(|sink| sink.secrets());
    let secrets: HashMap<_, _> = secrets.map(|it| (it, SecretString::from("x"))).collect();
    let aws = Some(Aws { config });
    let context = SinkContext { client: http::client().unwrap(), aws, secrets };
    for sink in sinks {
        sink.preview(&identity(), &context, &[]).unwrap();
    }
}

fn fixture(name: &str) -> File {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/import").join(name);
    (name.to_owned(), fs::read(path).unwrap())
}

#[test]
fn what_is_written_loads_and_its_sinks_can_be_set_up() {
    for (reader, files) in [
        (telegraf::import as Reader, &["telegraf-default.conf"][..]),
        (telegraf::import, &["telegraf.conf", "telegraf.d/services.conf"]),
        (cloudwatch_agent::import, &["cloudwatch-agent.json"]),
        (cloudwatch_agent::import, &["cloudwatch-agent-heavy.json"]),
    ] {
        let files: Vec<File> = files.iter().map(|name| fixture(name)).collect();
        set_up(&settings(&reader(&files).unwrap().config));
    }
}

#[test]
fn no_secret_is_copied() {
    for (reader, names) in [
        (telegraf::import as Reader, &["telegraf.conf", "telegraf.d/services.conf"][..]),
        (cloudwatch_agent::import, &["cloudwatch-agent-heavy.json"]),
    ] {
        let files: Vec<File> = names.iter().map(|name| fixture(name)).collect();
        assert!(files.iter().any(|(_, bytes)| String::from_utf8_lossy(bytes).contains("hush")));
        let Import { config, rows } = reader(&files).unwrap();
        let rows = serde_json::to_string(&rows).unwrap();
        for text in [config, rows] {
            assert!(!text.to_lowercase().contains("hush"), "{text}");
        }
    }
}

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

/// The JSON pointers of all values that are no tables.
fn pointers(value: &Value, path: &str, out: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                pointers(value, &format!("{path}/{}", escaped(key)), out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (place, value) in items.iter().enumerate() {
                pointers(value, &format!("{path}/{place}"), out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

#[test]
fn each_value_of_a_file_makes_a_difference_to_the_configuration_or_the_list() {
    for (reader, parse, name) in [
        (telegraf::import as Reader, toml::parse as fn(&str) -> _, "telegraf.conf"),
        (telegraf::import, toml::parse, "telegraf.d/services.conf"),
        (telegraf::import, toml::parse, "telegraf-default.conf"),
        (cloudwatch_agent::import, json::parse, "cloudwatch-agent.json"),
        (cloudwatch_agent::import, json::parse, "cloudwatch-agent-heavy.json"),
    ] {
        let text = String::from_utf8(fixture(name).1).unwrap();
        let root = parse(&text).unwrap().value();
        let outcome = |root: &Value| {
            let Import { config, rows } = reader(&[written(root, name).unwrap()]).unwrap();
            (config, rows.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let before = outcome(&root);
        let mut all = Vec::new();
        pointers(&root, "", &mut all);
        assert!(all.len() > 10, "{name}");
        for pointer in all {
            let mut changed = root.clone();
            let value = changed.pointer_mut(&pointer).unwrap();
            *value = match &*value {
                Value::Bool(truth) => Value::from(!truth),
                Value::Number(number) => Value::from(number.as_i64().unwrap_or_default() + 7),
                Value::Array(_) => json!(["other"]),
                _ => Value::from("other"),
            };
            // A secret is listed, and looks like any other.
            let key = pointer.rsplit('/').next().unwrap_or_default();
            let masked = before.1.iter().any(|row| row.contains(key) && row.contains(MASK));
            assert!(masked || outcome(&changed) != before, "{name}{pointer} makes no difference");
        }
    }
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

fn written(root: &Value, name: &str) -> Option<File> {
    let text = match name.ends_with(".json") {
        true => root.to_string(),
        false => {
            let table: ::toml::Table = serde_json::from_value(root.clone()).ok()?;
            ::toml::to_string(&table).ok()?
        }
    };
    Some((name.to_owned(), text.into_bytes()))
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
