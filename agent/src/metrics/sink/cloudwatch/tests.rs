//! The CloudWatch sink from ticks to calls.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use aws_config::{BehaviorVersion, SdkConfig};

use super::*;
use crate::metrics::placeholder::tests::identity;
use crate::metrics::sample::{Sample, label};
use crate::platform::aws::Aws;
use crate::platform::http;

fn settings() -> CloudWatchSettings {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    CloudWatchSettings {
        namespace: "CWAgent".to_owned(),
        schema: CloudWatchSchema::CwAgent,
        dimensions: [("InstanceId", "{instance_id}"), ("ImageId", "{image_id}")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        include: texts(&["mem_used_percent", "services_unhealthy", "disk_*"]),
        flush: MINUTE,
        max_metrics: 10,
    }
}

fn build(settings: &CloudWatchSettings) -> Result<CloudWatch, BuildError> {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let context = SinkContext {
        client: http::client().unwrap(),
        aws: Some(Aws { config }),
        secrets: HashMap::new(),
    };
    CloudWatch::build(settings, &identity(), &context)
}

/// A tick at a second after a full minute in 2027.
fn tick(second: u64, mounts: &[&str]) -> Arc<Tick> {
    let plain = |name: &'static str, value| Sample::gauge(name, vec![], value);
    let mut samples = vec![
        plain("node_memory_MemTotal_bytes", 900.0),
        plain("node_memory_MemFree_bytes", 600.0),
        plain("services_unhealthy", 1.0),
    ];
    for mount in mounts {
        for key in ["size", "free", "avail"] {
            let labels = vec![
                label("device", "/dev/x"),
                label("fstype", "ext4"),
                label("mountpoint", *mount),
            ];
            samples.push(Sample::gauge(format!("node_filesystem_{key}_bytes"), labels, 8.0));
        }
    }
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + second);
    Arc::new(Tick::new(at, samples))
}

#[test]
fn six_samples_of_a_minute_travel_as_one_datum() {
    let mut sink = build(&settings()).unwrap();
    let mut drops = Drops::default();
    for second in (0..=70).step_by(10) {
        assert!(sink.take(&tick(second, &[]), &mut drops).is_empty());
    }
    let requests = sink.flush(false, &mut drops);
    assert_eq!(requests.len(), 1);
    // The first tick is only there to count from.
    assert_eq!(requests[0].measurements, 2 * 5);
    let shown = sink.show(&requests[0].payload);
    assert_eq!(shown[0], "PutMetricData CWAgent (2 datums)");
    let mem = "{\"MetricName\":\"mem_used_percent\",\
        \"Dimensions\":[{\"Name\":\"InstanceId\",\"Value\":\"i-1\"}],\
        \"Timestamp\":\"2027-01-15T08:00:00.000Z\",\"Values\":[33.333],\"Counts\":[5],\
        \"Unit\":\"Percent\",\"StorageResolution\":60}";
    assert_eq!(shown[1], mem);
    assert!(shown[2].contains("services_unhealthy") && shown[2].contains("\"Values\":[1.0]"));
    assert!(drops.by_reason().is_empty());
    assert!(sink.flush(false, &mut drops).is_empty(), "nothing to send, no request");
    assert_eq!(sink.flush(true, &mut drops)[0].measurements, 2 * 2, "the minute that was begun");
}

#[test]
fn a_quick_flush_does_not_wait_for_the_minute() {
    let mut sink =
        build(&CloudWatchSettings { flush: Duration::from_secs(5), ..settings() }).unwrap();
    let mut drops = Drops::default();
    sink.take(&tick(0, &[]), &mut drops);
    assert!(sink.flush(false, &mut drops).is_empty());
    sink.take(&tick(5, &[]), &mut drops);
    assert_eq!(sink.flush(false, &mut drops).len(), 1);
}

#[test]
fn metrics_over_the_budget_are_refused_and_counted() {
    let mut sink = build(&CloudWatchSettings { max_metrics: 3, ..settings() }).unwrap();
    let mut drops = Drops::default();
    for second in [0, 10, 20] {
        sink.take(&tick(second, &["/"]), &mut drops);
    }
    let requests = sink.flush(true, &mut drops);
    let names: Vec<_> = requests[0].payload.iter().map(|datum| datum.metric.name).collect();
    assert_eq!(names, ["mem_used_percent", "services_unhealthy", "disk_free"]);
    assert_eq!(drops.by_reason(), [("over_budget", 2 * 3)].into());
}

#[test]
fn what_cloudwatch_would_refuse_never_leaves() {
    let mut sink = build(&settings()).unwrap();
    let mut drops = Drops::default();
    for second in [0, 10] {
        sink.take(&tick(second, &["/bücher"]), &mut drops);
    }
    assert_eq!(drops.by_reason(), [("invalid", 4)].into());
    let early = Tick { at: SystemTime::UNIX_EPOCH, ..(*tick(0, &[])).clone() };
    sink.take(&Arc::new(early), &mut drops);
    assert_eq!(drops.of(Reason::Clock), 3);
}

#[test]
fn what_cannot_work_is_refused_when_the_sink_is_set_up() {
    let error = |settings| build(&settings).err().map(|error| error.to_string()).unwrap();
    let namespace = CloudWatchSettings { namespace: "AWS/EC2".to_owned(), ..settings() };
    assert!(error(namespace).starts_with("'namespace' must be"));
    let mut dimension = settings();
    dimension.dimensions.insert("Büro".to_owned(), "x".to_owned());
    assert!(error(dimension).starts_with("'dimensions.Büro' must be"));
}

#[test]
fn hosts_have_phases_of_their_own() {
    let phases: Vec<_> = (0..20).map(|host| phase(&format!("i-{host}"), MINUTE)).collect();
    assert!(phases.iter().all(|phase| *phase <= MINUTE));
    assert!(phases.iter().any(|phase| *phase < MINUTE / 3));
    assert!(phases.iter().any(|phase| *phase > MINUTE * 2 / 3));
}

/// What a sink that was killed in the middle of a minute had not delivered, is gathered
/// again from that minute's ticks, and no minute is halved or doubled.
#[test]
fn after_a_kill_the_minutes_are_those_that_there_would_have_been() {
    let calls = |sink: &mut CloudWatch, seconds: std::ops::Range<u64>| -> Vec<String> {
        let mut drops = Drops::default();
        let mut shown = Vec::new();
        for second in seconds.step_by(10) {
            sink.take(&tick(second, &["/"]), &mut drops);
            let requests = sink.flush(false, &mut drops);
            shown.extend(requests.iter().flat_map(|request| sink.show(&request.payload)));
        }
        shown
    };
    let whole = calls(&mut build(&settings()).unwrap(), 0..250);
    let mut first = build(&settings()).unwrap();
    let mut halves = calls(&mut first, 0..150);
    // All of the third minute is still to be delivered.
    let since = first.holds_since().unwrap();
    assert_eq!(since, tick(120, &[]).at);
    let mut second = build(&settings()).unwrap();
    second.prime(&tick(110, &["/"]));
    halves.extend(calls(&mut second, 120..250));
    assert_eq!(halves, whole);
}
