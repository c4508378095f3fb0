#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use super::*;
use crate::config::format::Format;
use crate::config::{Document, Layer, LayerName, Merged, builtin};

fn told(sink: &str) -> Vec<String> {
    let text = format!("[sink.cw]\ntype = 'cloudwatch'\n{sink}\n");
    let layer = Layer {
        name: LayerName::Local,
        source: Arc::from("test"),
        version: None,
        last_good: false,
        document: Document::parse(text.as_bytes(), Format::Toml).unwrap(),
    };
    let typed = Settings::typed(&Merged::fold([&builtin::layer(), &layer]).root);
    of(&typed.settings.unwrap(), &Prices::built_in().unwrap())
}

#[test]
fn the_lean_default_is_no_trap_and_neither_is_a_group() {
    assert_eq!(told(""), Vec::<String>::new());
    assert_eq!(told("flush = '300s'\nschema = 'native'"), Vec::<String>::new());
    assert_eq!(
        told("per = 'group'\nmax_metrics = 100\ninclude = ['disk_*']"),
        Vec::<String>::new()
    );
}

#[test]
fn each_trap_is_told_with_its_price() {
    for (sink, told_of) in [
        (
            "include = ['*']\nmax_metrics = 1000",
            "sink.cw includes '*', some 170 metrics of a small host: about $51.00",
        ),
        (
            "include = ['cpu_usage_*{cpu=*}']\nmax_metrics = 1000",
            "sink.cw has metrics of every processor, 10 each; with 8 of them: about $24.00",
        ),
        (
            "schema = 'telegraf'\ninclude = ['cpu_*']\nmax_metrics = 20",
            "sink.cw has metrics of every processor, 10 each; with 8 of them: about $6.00",
        ),
        ("include = ['disk_*']\nmax_metrics = 1000", "with 4 mounts: about $12.00"),
        (
            "high_resolution = ['cpu_usage_active']",
            "by the second, alarms on which cost three times as much: about $0.30",
        ),
        ("flush = '10s'", "sink.cw sends every 10s: about $2.63"),
        ("max_metrics = 200", "sink.cw may send 200 metrics: about $60.00"),
        ("[sink.b]\ntype = 'cloudwatch'", "sink.cw sends what another sink sends"),
    ] {
        let lines = told(sink);
        assert!(lines.iter().any(|line| line.contains(told_of)), "{sink}: {lines:?}");
    }
}

#[test]
fn one_config_with_three_traps_is_told_of_all_of_them() {
    let lines = told(
        "include = ['cpu_*{cpu=*}', 'disk_*']\nhigh_resolution = ['cpu_*']\nflush = '10s'\nmax_metrics = 500",
    );
    assert_eq!(lines.len(), 5, "{lines:?}");
}
