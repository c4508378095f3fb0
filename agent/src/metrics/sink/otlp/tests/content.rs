//! What is in a request.

use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use proptest::prelude::*;

use super::*;
use crate::identity::Provenance;

/// A request as a page, one line for each thing.
fn page(request: &ExportMetricsServiceRequest) -> String {
    let mut lines = Vec::new();
    for of_resource in &request.resource_metrics {
        let resource = of_resource.resource.as_ref().unwrap();
        lines.extend(texts(&resource.attributes).iter().map(|text| format!("resource {text}")));
        for of_scope in &of_resource.scope_metrics {
            let scope = of_scope.scope.as_ref().unwrap();
            lines.push(format!("scope {:?} version {:?}", scope.name, scope.version));
            for metric in &of_scope.metrics {
                let (kind, points) = match metric.data.as_ref().unwrap() {
                    Data::Gauge(gauge) => ("gauge".to_owned(), &gauge.data_points),
                    Data::Sum(sum) => {
                        let kind = sum.aggregation_temporality().as_str_name();
                        (format!("sum {kind} monotonic={}", sum.is_monotonic), &sum.data_points)
                    }
                    other => panic!("{other:?}"),
                };
                lines.push(format!("{} unit={:?} {kind}", metric.name, metric.unit));
                lines.extend(points.iter().map(point));
            }
        }
    }
    lines.join("\n") + "\n"
}

fn point(point: &NumberDataPoint) -> String {
    let Some(Number::AsDouble(value)) = point.value else { panic!("{point:?}") };
    assert!(point.exemplars.is_empty() && point.flags == 0);
    let labels = texts(&point.attributes).join(",");
    format!(
        "  {{{labels}}} {value} at {} since {}",
        point.time_unix_nano, point.start_time_unix_nano
    )
}

/// Holds a page to its golden file; `GILD_REFRESH_GOLDEN=1` writes it anew.
fn golden(name: &str, page: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name);
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(page, kept, "tests/golden/{name} is stale; set GILD_REFRESH_GOLDEN=1 once");
}

fn cpu(seconds: f64) -> Sample {
    let labels = vec![
        crate::metrics::sample::label("cpu", "0"),
        crate::metrics::sample::label("mode", "idle"),
    ];
    Sample::counter("node_cpu_seconds_total", labels, seconds)
}

fn disk(mount: &str, free: f64) -> Sample {
    let labels = vec![
        crate::metrics::sample::label("mountpoint", mount),
        crate::metrics::sample::label("none", ""),
    ];
    Sample::gauge("node_filesystem_free_bytes", labels, free)
}

#[test]
fn a_request_holds_each_metric_once_with_its_type_its_unit_and_all_its_points() {
    let samples = |second: u64, cpu_seconds| {
        let boot = Sample::gauge("node_boot_time_seconds", vec![], (NOW - 5000) as f64);
        let restarts = Sample::counter("service_restarts_total", vec![], second as f64);
        let load = Sample::gauge("node_load1", vec![], -0.25);
        let forks = Sample::counter("node_forks_total", vec![], 7.0);
        vec![disk("/", 1e15), boot, cpu(cpu_seconds), load, disk("/data", 2.5), restarts, forks]
    };
    let mut settings = settings("http://x/v1/metrics");
    settings.resource = [("team", "web"), ("host.name", ""), ("host.az", "{az}")]
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .into();
    let mut identity = identity();
    identity.provenance = Provenance::Imds;
    identity.account = Some("012345678901".to_owned());
    identity.image_id = Some("ami-1".to_owned());
    identity.instance_type = Some("t4g.small".to_owned());
    let context =
        SinkContext { client: http::client().unwrap(), aws: None, secrets: HashMap::new() };
    let mut sink = Otlp::build(&settings, &identity, &context).unwrap();
    let mut drops = Drops::default();
    for (second, seconds) in [(0, 100.0), (60, 160.0), (120, 3.0)] {
        assert!(sink.take(&tick(second, samples(second, seconds)), &mut drops).is_empty());
    }
    assert_eq!(sink.held(), 21);
    let requests = sink.flush(false, &mut drops);
    assert_eq!((requests.len(), requests[0].measurements, sink.held()), (1, 21, 0));
    assert!(drops.by_reason().is_empty());
    golden("otlp.txt", &page(&read(&sink, &requests[0])));
    assert!(sink.flush(true, &mut drops).is_empty());
}

#[test]
fn off_ec2_no_cloud_is_named() {
    let mut sink = sink(|_| {});
    sink.take(&tick(0, vec![gauge("x")]), &mut Drops::default());
    let request = sink.flush(true, &mut Drops::default()).remove(0);
    let decoded = read(&sink, &request);
    let resource = decoded.resource_metrics[0].resource.as_ref().unwrap();
    let expected = [
        "cloud.region=eu-west-1",
        "host.id=i-1",
        "host.name=host",
        "service.instance.id=i-1",
        "service.name=gild",
    ];
    assert_eq!(texts(&resource.attributes), expected);
}

#[test]
fn units_are_ucums_where_the_name_ends_in_one() {
    for (name, unit) in [
        ("node_memory_MemFree_bytes", "By"),
        ("node_network_receive_bytes_total", "By"),
        ("node_cpu_seconds_total", "s"),
        ("app_used_ratio", "1"),
        ("app_used_percent", "%"),
        ("node_load1", ""),
        ("node_forks_total", ""),
        ("bytes", ""),
    ] {
        assert_eq!(encode::unit(name), unit, "{name}");
    }
}

proptest! {
    #[test]
    fn a_request_never_takes_more_than_was_reckoned_and_is_read_as_it_was_meant(
        texts in prop::collection::vec(("[a-z]{1,40}", "\\PC{0,300}", any::<f64>()), 1..20),
        counts in any::<bool>(),
    ) {
        let sample = |(name, value, number): &(String, String, f64)| {
            let labels = vec![crate::metrics::sample::label("label", value.as_str())];
            let name = std::borrow::Cow::Owned(name.clone());
            let kind = if counts { crate::metrics::sample::Kind::Counter } else {
                crate::metrics::sample::Kind::Gauge
            };
            Sample::of(kind, name, labels, *number)
        };
        let tick = tick(0, texts.iter().map(sample).collect());
        let points: Vec<_> = (0..texts.len())
            .map(|index| Point { tick: Arc::clone(&tick), index, start: 5 })
            .collect();
        let resource = [("a".to_owned(), texts[0].1.clone())];
        let wire = encode::request(&resource, &points);
        let reckoned = encode::most_empty_bytes(&resource)
            + tick.samples.iter().map(encode::most_bytes).sum::<usize>();
        prop_assert!(wire.len() <= reckoned);
        let read = ExportMetricsServiceRequest::decode(&*wire).unwrap();
        // What OpenTelemetry's own types write for it is the same.
        prop_assert_eq!(read.encode_to_vec().len(), wire.len());
        let metrics = &read.resource_metrics[0].scope_metrics[0].metrics;
        let mut found = Vec::new();
        for metric in metrics {
            let points = match metric.data.as_ref().unwrap() {
                Data::Gauge(gauge) => &gauge.data_points,
                Data::Sum(sum) => &sum.data_points,
                other => panic!("{other:?}"),
            };
            for point in points {
                let Some(Number::AsDouble(value)) = point.value else { panic!("{point:?}") };
                let label = super::texts(&point.attributes).join(",");
                let label = label.strip_prefix("label=").unwrap_or_default().to_owned();
                found.push((metric.name.clone(), label, value.to_bits()));
            }
        }
        let bits = |(name, value, number): &(String, String, f64)| {
            (name.clone(), value.clone(), number.to_bits())
        };
        let mut expected: Vec<_> = texts.iter().map(bits).collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
