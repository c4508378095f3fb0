//! What CloudWatch is sent under each schema, through the real SDK, by a receiver that refuses what
//! the service refuses.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::datum::Datum;
use crate::fakes::place::loopback;
use crate::host::{Running, wait_for};
use crate::program::gild;

const SINKS: &str = "configuration.run = 'never'\nmetrics.interval = '1s'\n\
    metrics.collectors = ['cpu', 'memory', 'load', 'network', 'diskio', 'processes', 'swap']\n\
    [sink.agent]\ntype = 'cloudwatch'\nnamespace = 'Agent'\nflush = '1s'\n\
    include = ['cpu_usage_active', 'mem_used_percent']\nhigh_resolution = ['cpu_usage_active']\n\
    [sink.telegraf]\ntype = 'cloudwatch'\nnamespace = 'Telegraf'\nschema = 'telegraf'\n\
    flush = '1s'\ninclude = ['*']\nmax_metrics = 1000\n\
    [sink.native]\ntype = 'cloudwatch'\nnamespace = 'Native'\nschema = 'native'\nflush = '1s'\n\
    [sink.group]\ntype = 'cloudwatch'\nnamespace = 'Group'\nper = 'group'\nflush = '1s'\n\
    dimensions = { Service = 'web' }\n\
    [sink.none]\ntype = 'cloudwatch'\nnamespace = 'None'\nper = 'group'\nflush = '1s'\n";

#[test]
fn each_schema_is_taken_by_cloudwatch_with_its_names_units_and_dimensions() {
    let cloudwatch = CloudWatch::start(loopback());
    let directory = tempfile::tempdir().unwrap();
    let (documents, state) = (directory.path().join("d"), directory.path().join("s"));
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("global.toml"), SINKS).unwrap();
    let mut up = gild();
    up.arg("up").arg("--local").arg(&documents).arg("--state").arg(&state);
    up.env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .env("AWS_ENDPOINT_URL_CLOUDWATCH", cloudwatch.endpoint());
    let _up = Running(up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let of = |namespace: &str| cloudwatch.datums(namespace);
    let named = |namespace: &str, name: &str| -> Vec<Datum> {
        of(namespace).into_iter().filter(|datum| datum.name == name).collect()
    };
    wait_for("all schemas", || {
        named("Agent", "cpu_usage_active").len() > 1
            && !named("Telegraf", "cpu_usage_idle").is_empty()
            && !named("Native", "cpu_active").is_empty()
            && !named("Group", "cpu_usage_active").is_empty()
    });

    let keys = |datum: &Datum| datum.dimensions.keys().cloned().collect::<Vec<_>>();
    for datum in of("Agent") {
        let high = datum.name == "cpu_usage_active";
        assert_eq!(datum.resolution, Some(if high { 1 } else { 60 }), "{datum:?}");
        let whole = datum.timestamp.unwrap() % if high { 1.0 } else { 60.0 };
        assert!(whole == 0.0, "{datum:?}");
        assert_eq!(datum.unit.as_deref(), Some("Percent"));
    }
    let idle = named("Telegraf", "cpu_usage_idle");
    let processors: BTreeSet<_> = idle.iter().map(|datum| &datum.dimensions["cpu"]).collect();
    assert!(processors.len() > 1, "single processors as well: {processors:?}");
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for datum in of("Telegraf") {
        assert_eq!((datum.unit.as_ref(), datum.resolution), (None, Some(60)), "{datum:?}");
        assert_eq!(datum.dimensions["host"], kernel.trim(), "{datum:?}");
    }
    assert!(named("Telegraf", "cpu_usage_active").is_empty(), "telegraf has it switched off");
    assert_eq!(keys(&named("Native", "cpu_active")[0]), ["InstanceId"]);
    for datum in of("Group") {
        assert!(!keys(&datum).contains(&"InstanceId".to_owned()), "{datum:?}");
        assert_eq!(datum.dimensions["Service"], "web", "{datum:?}");
    }
    assert!(of("None").is_empty(), "there is no group whose values they would be");
    assert!(cloudwatch.refused().is_empty(), "{:?}", cloudwatch.refused());
}
