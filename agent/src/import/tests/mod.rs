//! Nothing is dropped silently, whatever stands in a file, and what is written is configuration.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use aws_config::{BehaviorVersion, SdkConfig};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::config::format::Format;
use crate::config::{Document, Layer, LayerName, Merged, Settings, builtin, check};
use crate::metrics::placeholder::tests::identity;
use crate::metrics::sink::SinkContext;
use crate::platform::aws::Aws;
use crate::platform::http;
use crate::platform::redact::MASK;

mod any;
mod carried;

type Reader = fn(&[File]) -> Result<Import, FileError>;

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
