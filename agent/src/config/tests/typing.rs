use std::time::Duration;

use serde_json::json;

use super::toml_layer;
use crate::config::check;
use crate::config::format::Format;
use crate::config::origin::LayerName;
use crate::config::path::KeyPath;
use crate::config::schema::{Setting, Shape, nearest};
use crate::config::settings::Settings;
use crate::config::trust::Rights;
use crate::config::{Merged, SecretRef, builtin};

fn findings(text: &str) -> Vec<String> {
    check::documents(&[("x.toml".to_owned(), text.as_bytes().to_vec(), Format::Toml)])
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn defaults_alone_are_whole_settings() {
    let merged = Merged::fold([&builtin::layer()]);
    let typed = Settings::typed(&merged.root);
    assert_eq!((typed.problems, typed.unknown), (vec![], vec![]));
    let settings = typed.settings.unwrap();
    assert_eq!(settings.metrics.interval, Duration::from_secs(10));
    assert_eq!(settings.configuration.tags, ["configuration"]);
    assert!(settings.sink.is_empty());
}

#[test]
fn every_problem_is_found_at_once_with_line_value_and_what_would_be_right() {
    let found = findings(
        "[metrics]\ninterval = 10\ncolectors = []\n\
         [configuration]\nrun = \"sometimes\"\nvault_password = \"hunter2\"\n\
         [sink.a]\ntype = \"clodwatch\"\n[sink.b]\ntype = \"remote_write\"\n\
         [service.web]\nfail_after = -1\n",
    );
    let expected = [
        "x.toml:2: metrics.interval must be a length of time such as \"10s\" or \"15m\"; it is a \
         number here and a text in builtin defaults; a key must keep its type",
        "x.toml:3: metrics.colectors is not a known key; did you mean metrics.collectors?",
        "x.toml:5: configuration.run = \"sometimes\" must be one of \"first-boot\", \
         \"every-boot\", \"on-change\" or \"never\"",
        "x.toml:6: configuration.vault_password must be a reference such as",
        "x.toml:8: sink.a.type = \"clodwatch\" must be \"cloudwatch\", \"log\", \"otlp\" or \"remote_write\"",
        "x.toml:9: sink.b.url is missing; it must be a text",
        "x.toml:12: service.web.fail_after = -1 must be a whole number from 0 to 4294967295",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found:?} is not {expected:?}");
    }
    assert!(found.iter().all(|finding| !finding.contains("hunter2")));
}

/// One tag must not keep the one thread busy.
#[test]
fn what_recurs_and_what_is_waited_for_has_a_least_length() {
    let found = findings(
        "metrics.interval = \"1ns\"\nscope.attempt_timeout = \"99ms\"\n\
         configuration.timeout = \"2 years\"\nscope.deadline = \"100ms\"\n\
         [service.web]\ninterval = \"999ms\"\ntimeout = \"0s\"\n\
         [sink.log]\ntype = \"log\"\nflush = \"5ms\"\n\
         [sink.cw]\ntype = \"cloudwatch\"\nflush = \"5ms\"\n\
         [sink.rw]\ntype = \"remote_write\"\nurl = \"http://a/\"\nflush = \"1s\"\ntimeout = \"1ms\"\n",
    );
    assert_eq!(
        found,
        [
            "x.toml:1: metrics.interval = \"1ns\" must be at least 1s",
            "x.toml:2: scope.attempt_timeout = \"99ms\" must be at least 100ms",
            "x.toml:3: configuration.timeout = \"2 years\" must be at most 1year 18h",
            "x.toml:6: service.web.interval = \"999ms\" must be at least 1s",
            "x.toml:7: service.web.timeout = \"0s\" must be at least 100ms",
            "x.toml:10: sink.log.flush = \"5ms\" must be at least 1s",
            "x.toml:13: sink.cw.flush = \"5ms\" must be at least 1s",
            "x.toml:18: sink.rw.timeout = \"1ms\" must be at least 100ms",
        ]
    );
}

#[test]
fn a_cloudwatch_sink_says_what_may_be_set() {
    let found = findings(
        "[sink.cw]\ntype = \"cloudwatch\"\nflush = \"301s\"\nschema = \"influx\"\nper = \"host\"\n\
         [sink.fine]\ntype = \"cloudwatch\"\nflush = \"5m\"\nschema = \"native\"\nper = \"group\"\n",
    );
    assert_eq!(
        found,
        [
            "x.toml:3: sink.cw.flush = \"301s\" must be at most \"300s\": it sends five whole \
             minutes in one call, and alarms wait for what comes later",
            "x.toml:4: sink.cw.schema = \"influx\" must be one of \"cwagent\", \"telegraf\" or \
             \"native\"",
            "x.toml:5: sink.cw.per = \"host\" must be one of \"instance\" or \"group\"",
        ]
    );
}

#[test]
fn the_service_layer_has_a_default_of_its_own_that_unset_does_not_lose() {
    let text = "unset = ['scope.service.may_set', 'scope.account']";
    let merged = Merged::fold(&[builtin::layer(), toml_layer(LayerName::Image, "i", text)]);
    let rights = Settings::typed(&merged.root).settings.unwrap().scope.rights();
    assert_eq!(rights, Rights::default());
    assert_ne!(rights.service, rights.account);
}

#[test]
fn a_bad_pattern_is_named_with_its_key_and_line() {
    assert_eq!(
        findings("[scope.service]\nmay_set = ['vars', 'a..b']\n"),
        ["x.toml:2: scope.service.may_set = \"a..b\" must be a pattern of keys such as \
          \"metrics.interval\", \"vars.app_*\", \"*\" or, to take away, \"!sink\""]
    );
}

#[test]
fn a_directive_that_names_no_key_is_found() {
    let text = "final = ['metrics.intervall', 'sink.m.url', 'vars.x.y']\n\
                unset = ['service.web', 'nothing']\n";
    assert_eq!(
        findings(text),
        [
            "x.toml:1: metrics.intervall is in `final` and is not a known key",
            "x.toml:2: nothing is in `unset` and is not a known key",
        ]
    );
}

#[test]
fn a_syntax_error_in_one_file_does_not_hide_another_files_problems() {
    let found = check::documents(&[
        ("a.toml".to_owned(), b"x = ".to_vec(), Format::Toml),
        ("b.yaml".to_owned(), b"metrics: {interval: soon}".to_vec(), Format::Yaml),
    ]);
    let sources: Vec<_> = found.iter().map(|finding| finding.source.as_str()).collect();
    assert_eq!(sources, ["a.toml", "b.yaml"]);
}

#[test]
fn entries_of_a_collection_can_be_changed_by_any_layer() {
    let merged = Merged::fold(&[
        builtin::layer(),
        toml_layer(
            LayerName::Global,
            "g",
            "[sink.m]\ntype = \"remote_write\"\nurl = \"http://a/\"\n\
             password = { ssm = \"/p\" }\n",
        ),
        toml_layer(LayerName::Account, "a", "[sink.m]\ntenant = \"stg\"\nflush = \"30s\"\n"),
    ]);
    let settings = Settings::typed(&merged.root).settings.unwrap();
    let crate::metrics::sink::SinkSettings::RemoteWrite(sink) = &settings.sink["m"] else {
        panic!("not a remote_write sink");
    };
    assert_eq!(sink.tenant.as_deref(), Some("stg"));
    assert_eq!(sink.flush, Duration::from_secs(30));
    assert_eq!(sink.password, Some(SecretRef::Ssm("/p".to_owned())));
}

#[test]
fn a_text_is_parsed_by_the_shape_of_its_key() {
    let shape = Settings::shape();
    let parse = |key: &str, text: &str| {
        shape.at(KeyPath::parse(key).unwrap().segments()).unwrap().parse_text(text)
    };
    assert_eq!(parse("metrics.interval", "30s"), Ok(json!("30s")));
    assert_eq!(parse("service.web.fail_after", "5"), Ok(json!(5)));
    assert_eq!(parse("scope.global.required", "true"), Ok(json!(true)));
    assert_eq!(parse("metrics.collectors", "[\"cpu\"]"), Ok(json!(["cpu"])));
    assert_eq!(parse("vars.anything.below", "{{ x }}"), Ok(json!("{{ x }}")));
    assert!(parse("service.web.fail_after", "many").is_err());
    assert!(parse("metrics.collectors", "cpu").unwrap_err().contains("JSON"));
    assert_eq!(shape.at(&["metrics".to_owned(), "nothing".to_owned()]), None);
}

#[test]
fn only_a_near_word_is_suggested() {
    let known = ["interval", "collectors", "flush"];
    assert_eq!(nearest("intervall", &known), Some("interval"));
    assert_eq!(nearest("colectors", &known), Some("collectors"));
    assert_eq!(nearest("password", &known), None);
}

/// The reference page and `explain` live from these texts, and every default
/// must be a value of its own type.
#[test]
fn every_key_is_documented_and_named_in_snake_case() {
    fn walk(shape: &Shape, path: &KeyPath) {
        let fields: Vec<_> = match shape {
            Shape::Table(fields) | Shape::TextOr(fields) => fields.clone(),
            Shape::Map(entry) | Shape::List(entry) => return walk(entry, &path.child("NAME")),
            Shape::Variants { variants, .. } => {
                variants.iter().flat_map(|(_, fields)| fields.clone()).collect()
            }
            _ => return,
        };
        for field in fields {
            let below = path.child(field.key);
            assert!(field.doc.trim().ends_with('.'), "{below} is not documented: {:?}", field.doc);
            let snake = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(field.key.chars().all(snake), "{below} is not in snake case");
            walk(&field.shape, &below);
        }
    }
    walk(&Settings::shape(), &KeyPath::root());
}
