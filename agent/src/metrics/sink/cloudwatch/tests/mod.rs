//! The CloudWatch sink from ticks to calls.
#![allow(clippy::unwrap_used)]

mod any;

use std::collections::HashMap;
use std::sync::OnceLock;

use aws_config::{BehaviorVersion, SdkConfig};

use super::schema::CloudWatchSchema;
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
        per: CloudWatchPer::Instance,
        dimensions: Some(
            [("InstanceId", "{instance_id}"), ("ImageId", "{image_id}")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        ),
        include: Some(texts(&["mem_used_percent", "services_unhealthy", "disk_*"])),
        high_resolution: Vec::new(),
        flush: MINUTE,
        max_metrics: 10,
    }
}

fn build(settings: &CloudWatchSettings) -> Result<CloudWatch, BuildError> {
    build_for(settings, &identity())
}

fn build_for(settings: &CloudWatchSettings, host: &Identity) -> Result<CloudWatch, BuildError> {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let context = SinkContext {
        client: http::client().unwrap(),
        aws: Some(Aws { config }),
        secrets: HashMap::new(),
    };
    let sink = CloudWatch::build(settings, host, &context)?;
    Ok(CloudWatch { clock: || start() + MINUTE, ..sink })
}

/// What the steady clock said at that minute.
static BEGUN: OnceLock<Instant> = OnceLock::new();

/// A full minute in 2027.
fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
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
    let since = Duration::from_secs(second);
    Arc::new(Tick {
        at: start() + since,
        steady: *BEGUN.get_or_init(Instant::now) + since,
        samples,
    })
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
    dimension.dimensions = Some([("Büro".to_owned(), "x".to_owned())].into());
    assert!(error(dimension).starts_with("'dimensions.Büro' must be"));
    let pattern = CloudWatchSettings { high_resolution: vec!["{".to_owned()], ..settings() };
    assert!(error(pattern).starts_with("'include and high_resolution' must be"));
    let group = CloudWatchSettings { per: CloudWatchPer::Group, dimensions: None, ..settings() };
    assert!(error(group).starts_with("nothing is sent, because 'dimensions.AutoScalingGroupName'"));
}

#[test]
fn five_minutes_travel_in_one_call_with_a_datum_for_each() {
    let mut sink =
        build(&CloudWatchSettings { flush: Duration::from_secs(300), ..settings() }).unwrap();
    let mut drops = Drops::default();
    let mut calls = Vec::new();
    for second in (0..1200).step_by(10) {
        sink.take(&tick(second, &[]), &mut drops);
        if second % 60 == 50 {
            calls.extend(sink.flush(false, &mut drops));
        }
    }
    // The first call has what there is at this host's moment.
    for call in &calls[1..] {
        let minutes: Vec<_> = call.payload.iter().map(|datum| datum.at).collect();
        assert_eq!(minutes.len(), 5 * 2);
        assert!(minutes.iter().all(|at| at.duration_since(start()).unwrap().as_secs() % 60 == 0));
        assert_eq!(call.measurements, 5 * 6 * 2);
    }
    assert!(calls.len() >= 4 && drops.by_reason().is_empty());
    assert!(!sink.flush(true, &mut drops).is_empty(), "who asks gets all that there is");
}

#[test]
fn only_what_is_asked_for_is_sent_by_the_second() {
    let high_resolution = vec!["mem_*".to_owned()];
    for flush in [5, 60] {
        let flush = Duration::from_secs(flush);
        let settings =
            CloudWatchSettings { high_resolution: high_resolution.clone(), flush, ..settings() };
        let mut sink = build(&settings).unwrap();
        let mut drops = Drops::default();
        for second in [0, 10, 20, 60] {
            sink.take(&tick(second, &[]), &mut drops);
        }
        let calls = sink.flush(false, &mut drops);
        let sent: Vec<_> = calls
            .iter()
            .flat_map(|call| &call.payload)
            .map(|datum| {
                let second = datum.at.duration_since(start()).unwrap().as_secs();
                (datum.metric.name, second, datum.resolution())
            })
            .collect();
        let mem = |second| ("mem_used_percent", second, 1);
        let unhealthy = |second| ("services_unhealthy", second, 60);
        let mut expected = vec![unhealthy(0), mem(10), mem(20), mem(60)];
        if flush < MINUTE {
            expected.push(unhealthy(60));
        }
        assert_eq!(sent, expected);
    }
}

#[test]
fn a_group_has_the_same_metrics_whichever_instance_and_disk() {
    let mut host = identity();
    host.autoscaling_group = Some("web".to_owned());
    let settings = CloudWatchSettings {
        per: CloudWatchPer::Group,
        dimensions: None,
        include: Some(vec!["disk_used_percent".to_owned(), "mem_used_percent".to_owned()]),
        ..settings()
    };
    let mut metrics = Vec::new();
    for instance in ["i-1", "i-2"] {
        host.instance_id = instance.to_owned();
        let mut sink = build_for(&settings, &host).unwrap();
        let mut drops = Drops::default();
        for second in [0, 10] {
            sink.take(&tick(second, &["/", "/data"]), &mut drops);
        }
        let calls = sink.flush(true, &mut drops);
        let of_sink = |datum: &Datum| {
            let own = |(name, value): (&str, &str)| format!("{name}={value}");
            let all: Vec<_> = sink.dimensions.of(&datum.metric).into_iter().map(own).collect();
            format!("{} {}", datum.metric.name, all.join(","))
        };
        metrics.push(calls[0].payload.iter().map(of_sink).collect::<Vec<_>>());
    }
    let expected = [
        "disk_used_percent AutoScalingGroupName=web,path=/",
        "disk_used_percent AutoScalingGroupName=web,path=/data",
        "mem_used_percent AutoScalingGroupName=web",
    ];
    assert_eq!(metrics, [expected, expected]);
}

#[test]
fn totals_that_mean_nothing_for_a_group_are_left_out() {
    let mut host = identity();
    host.autoscaling_group = Some("web".to_owned());
    let mut sent = Vec::new();
    for per in [CloudWatchPer::Instance, CloudWatchPer::Group] {
        let settings = CloudWatchSettings {
            schema: CloudWatchSchema::Telegraf,
            per,
            dimensions: None,
            include: Some(vec!["kernel_*".to_owned(), "mem_used".to_owned()]),
            ..settings()
        };
        let mut sink = build_for(&settings, &host).unwrap();
        let mut drops = Drops::default();
        for second in [0, 10] {
            let mut tick = (*tick(second, &[])).clone();
            tick.samples.push(Sample::counter("node_forks_total", vec![], 7.0));
            sink.take(&Arc::new(tick), &mut drops);
        }
        let calls = sink.flush(true, &mut drops);
        let names = calls[0].payload.iter().map(|datum| datum.metric.name);
        sent.push(names.collect::<Vec<_>>());
    }
    assert_eq!(sent[0], ["kernel_processes_forked", "mem_used"]);
    assert_eq!(sent[1], ["mem_used"]);
}

#[test]
fn what_is_too_old_or_too_far_ahead_is_dropped_and_counted() {
    let clocks: [(fn() -> SystemTime, bool); 4] = [
        (|| start() + Duration::from_secs(13 * 24 * 3600), true),
        (|| start() + Duration::from_secs(15 * 24 * 3600), false),
        (|| start() - Duration::from_secs(3600), true),
        (|| start() - Duration::from_secs(3 * 3600), false),
    ];
    for (clock, taken) in clocks {
        let mut sink = build(&settings()).unwrap();
        sink.clock = clock;
        let mut drops = Drops::default();
        for second in [0, 10] {
            sink.take(&tick(second, &[]), &mut drops);
        }
        assert_eq!(sink.flush(true, &mut drops).len(), usize::from(taken));
        assert_eq!(drops.of(Reason::Clock), if taken { 0 } else { 2 });
    }
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
