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
    let warnings = of(&typed.settings.unwrap(), &Prices::built_in().unwrap());
    warnings.into_iter().map(|it| format!("{} {}", it.key, it.message)).collect()
}

const NONE: &[String] = &[];

#[test]
fn the_lean_default_is_no_trap_and_neither_is_a_group() {
    assert_eq!(told(""), NONE);
    for schema in ["cwagent", "telegraf", "native"] {
        assert_eq!(told(&format!("flush = '300s'\nschema = '{schema}'")), NONE);
    }
    assert_eq!(told("dimensions = { InstanceId = '{instance_id}' }"), NONE);
    assert_eq!(told("per = 'group'\nmax_metrics = 100\ninclude = ['disk_*']"), NONE);
    assert_eq!(told("include = ['disk_*{path=/}', 'cpu_usage_active', 'net_*']"), NONE);
}

/// For each entry of the registry, in its order, settings that it fires on, and what it says.
const FIRES: [(&str, &str); TRAPS.len()] = [
    ("include = ['*']\nmax_metrics = 20", "sink.cw.include is dear: all metrics that there are, "),
    (
        "include = ['cpu_usage_*{cpu!=cpu-total}']\nmax_metrics = 1000",
        "include is dear: metrics of every single processor, 88 on a host with 8 processors, \
         4 filesystems and 2 disks × $0.30, $26.40 a month for each host",
    ),
    (
        "include = ['disk_*']\nmax_metrics = 1000",
        "include is dear: all disk metrics of every filesystem, ",
    ),
    (
        "include = ['diskio_*']\nmax_metrics = 7",
        "include is dear: metrics of diskio and its like, 16 on a host with 8 processors, \
         4 filesystems and 2 disks, of which max_metrics lets 7 through, × $0.30, $2.10 a month",
    ),
    (
        "schema = 'telegraf'\ninclude = ['*']\nmax_metrics = 1000",
        "schema is dear: as much as telegraf sends by default, ",
    ),
    (
        "dimensions = { host = '{hostname}' }",
        "dimensions is dear: {hostname} begins all 8 metrics anew with each instance of a group, \
         which per = \"group\" pays once; with one instance a day, 8 metrics × 30 h more, $0.10",
    ),
    (
        "high_resolution = ['cpu_usage_active']",
        "alarms on them three times as much; the metrics, 1 on a host with 8 processors, \
         4 filesystems and 2 disks × $0.30, $0.30",
    ),
    (
        "flush = '10s'",
        "flush is dear: a call every 10s, 262800 of them where 43800 would do, $2.63 a month",
    ),
    ("max_metrics = 200", "max_metrics is dear: a host that grows may send 200 metrics, $60.00"),
    (
        "[sink.b]\ntype = 'cloudwatch'\nflush = '300s'",
        "sink.cw.type is dear: another sink sends the same metrics, whose values count twice; \
         the calls, $0.44",
    ),
];

#[test]
fn each_trap_is_told_with_its_price() {
    for (sink, told_of) in FIRES {
        let lines = told(sink);
        assert!(lines.iter().any(|line| line.contains(told_of)), "{sink}: {lines:#?}");
    }
}

#[test]
fn an_instance_id_is_dear_beside_the_name_of_its_group() {
    let both = "{ ASG = '{autoscaling_group}', InstanceId = '{instance_id}' }";
    assert_eq!(told(&format!("dimensions = {both}")).len(), 1);
    assert_eq!(told(&format!("dimensions = {both}\nper = 'group'")), NONE);
    assert_eq!(told("dimensions = { ASG = '{autoscaling_group}' }"), NONE);
}

#[test]
fn sinks_that_share_no_metric_are_not_the_same() {
    assert_eq!(
        told("include = ['mem_*']\n[sink.b]\ntype = 'cloudwatch'\ninclude = ['cpu_usage_active']"),
        NONE
    );
    assert_eq!(told("[sink.b]\ntype = 'cloudwatch'\nnamespace = 'Other'"), NONE);
}

#[test]
fn one_config_with_several_traps_is_told_of_all_of_them() {
    let lines = told(
        "include = ['cpu_*{cpu=*}', 'disk_*']\nhigh_resolution = ['cpu_*']\nflush = '10s'\nmax_metrics = 500",
    );
    assert_eq!(lines.len(), 5, "{lines:?}");
}
