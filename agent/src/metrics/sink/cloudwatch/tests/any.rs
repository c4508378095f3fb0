//! Whatever is measured, no datum leaves that CloudWatch would refuse the whole call for.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Names that some schema reads, with the labels that tell them apart.
const NAMES: [(&str, &[&str]); 16] = [
    ("node_cpu_seconds_total", &["cpu", "mode"]),
    ("node_cpu_guest_seconds_total", &["cpu", "mode"]),
    ("node_memory_MemTotal_bytes", &[]),
    ("node_memory_MemFree_bytes", &[]),
    ("node_memory_SwapTotal_bytes", &[]),
    ("node_memory_SwapFree_bytes", &[]),
    ("node_filesystem_size_bytes", &["device", "fstype", "mountpoint"]),
    ("node_filesystem_free_bytes", &["device", "fstype", "mountpoint"]),
    ("node_filesystem_avail_bytes", &["device", "fstype", "mountpoint"]),
    ("node_disk_reads_completed_total", &["device"]),
    ("node_disk_io_time_seconds_total", &["device"]),
    ("node_network_receive_bytes_total", &["device"]),
    ("node_disk_info", &["device", "serial", "volume_id"]),
    ("node_processes_state", &["state"]),
    ("service_up", &["service"]),
    ("services_unhealthy", &[]),
];

fn sample() -> impl Strategy<Value = Sample> {
    let texts = vec!["", " ", "0", "user", "idle", "sda", "nvme0n1", "/", "é", "\n", ":x", "LONG"];
    let values = prop_oneof![
        any::<f64>(),
        select(vec![0.0, -1.0, 1.0, 1e300, f64::NAN, f64::INFINITY, f64::MAX, f64::MIN_POSITIVE]),
    ];
    (select(NAMES.to_vec()), proptest::collection::vec(select(texts), 3), values).prop_map(
        |((name, labels), texts, value)| {
            let text = |text: &str| match text {
                "LONG" => "x".repeat(2000),
                text => text.to_owned(),
            };
            let labels = labels
                .iter()
                .zip(texts)
                .map(|(label, word)| crate::metrics::sample::label(label, text(word)));
            Sample::counter(name, labels.collect(), value)
        },
    )
}

proptest! {
    #[test]
    fn no_measurement_makes_a_datum_that_is_refused(
        schema in select(CloudWatchSchema::ALL.to_vec()),
        ticks in proptest::collection::vec(proptest::collection::vec(sample(), 0..40), 1..6),
    ) {
        let settings = CloudWatchSettings {
            schema,
            dimensions: Some([("VolumeId".to_owned(), "{volume_id}".to_owned())].into()),
            include: Some(vec!["*".to_owned(), "*{cpu=*}".to_owned(), "diskio*".to_owned()]),
            high_resolution: vec!["mem_*".to_owned()],
            max_metrics: 1000,
            ..settings()
        };
        let mut sink = build(&settings).unwrap();
        let mut drops = Drops::default();
        for (second, samples) in ticks.into_iter().enumerate() {
            let tick = Tick { samples, ..(*tick(second as u64, &[])).clone() };
            sink.take(&Arc::new(tick), &mut drops);
        }
        for call in sink.flush(true, &mut drops) {
            prop_assert!(call.payload.len() <= limits::DATUMS);
            for datum in &call.payload {
                prop_assert!((1..=limits::VALUES).contains(&datum.values.len()));
                for (value, count) in &datum.values {
                    prop_assert!(limits::value(*value) == Some(*value) && *count > 0, "{datum:?}");
                }
                let dimensions = sink.dimensions.of(&datum.metric);
                prop_assert!(dimensions.len() <= limits::DIMENSIONS);
                for (name, value) in dimensions {
                    prop_assert!(limits::is_dimension_name(name), "{datum:?}");
                    prop_assert!(limits::is_dimension_value(value), "{datum:?}");
                }
            }
        }
    }
}
