//! The datums of each schema for the same ticks of the same host, held to golden files.
//! `GILD_REFRESH_GOLDEN=1` writes them anew.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};

use super::super::{CloudWatch, CloudWatchPer, CloudWatchSettings};
use super::CloudWatchSchema;
use crate::config::format::Format;
use crate::config::{Document, Layer, LayerName, Merged, Settings, builtin};
use crate::import::telegraf;
use crate::metrics::collector::source::Files;
use crate::metrics::collector::{Collector, ENTRIES, Entry};
use crate::metrics::drops::Drops;
use crate::metrics::placeholder::tests::identity;
use crate::metrics::sample::{Sample, Tick, label};
use crate::metrics::sink::{Sink, SinkContext, SinkSettings};
use crate::platform::aws::Aws;
use crate::platform::http;
use crate::platform::paths::Paths;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests");

/// Has the host below `root` be what it is at a moment: its counters grow.
fn at_moment(root: &Path, moment: u64) {
    let write = |path: &str, text: String| fs::write(root.join("proc").join(path), text).unwrap();
    // Ten seconds of two processors: one idles, one works and waits.
    let cpu0 = format!("{} 10 400 {} 60 0 30 15 5 0", 1200 + 20 * moment, 48_000 + 980 * moment);
    let cpu1 = format!(
        "{} 10 {} {} {} 0 30 {} {} 0",
        1200 + 300 * moment,
        400 + 150 * moment,
        48_000 + 350 * moment,
        60 + 190 * moment,
        15 + 10 * moment,
        5 + 100 * moment,
    );
    let rest = format!(
        "intr {} 1 2\nctxt {}\nbtime 1700000000\nprocesses {}\nprocs_running 2\nprocs_blocked 0\n",
        900 + 50 * moment,
        55_000 + 700 * moment,
        7700 + 3 * moment,
    );
    write("stat", format!("cpu  9 9 9 9\ncpu0 {cpu0}\ncpu1 {cpu1}\n{rest}"));
    let disk = format!(
        " 259 0 nvme0n1 {} {} {} {} {} {} {} {} 2 {} {} 0 0 0 0 260 533\n",
        5059 + 30 * moment,
        115 + 2 * moment,
        219_411 + 800 * moment,
        14_852 + 60 * moment,
        3979 + 10 * moment,
        819 + moment,
        452_798 + 160 * moment,
        2575 + 40 * moment,
        8696 + 2500 * moment,
        17_782 + 100 * moment,
    );
    // It has nothing to do, so that nothing is said of how long requests take.
    let idle = " 259 2 nvme1n1 10 0 80 5 0 0 0 0 0 4 5\n";
    write("diskstats", disk + idle);
    let traffic = format!(
        "{} {} 1 2 0 0 0 0 {} {} 3 4 0 0 0 0",
        10_000_000 + 15_000 * moment,
        9000 + 10 * moment,
        2_000_000 + 5000 * moment,
        7000 + 8 * moment
    );
    write("net/dev", format!("Inter-|\n face |\n lo: {traffic}\n ens5: {traffic}\n"));
    write(
        "vmstat",
        format!("pswpin {}\npswpout 20\npgmajfault {}\noom_kill 1\n", 10 + moment, 7 + moment),
    );
    for (name, total) in [("cpu", 500_000), ("io", 2_000_000), ("memory", 0)] {
        let line =
            |kind| format!("{kind} avg10=0.00 avg60=0.00 avg300=0.00 total={}\n", total * moment);
        write(&format!("pressure/{name}"), line("some") + &line("full"));
    }
}

/// What the collectors measure on the host at one moment, in a fixed order.
fn samples(collectors: &mut [(&str, Box<dyn Collector>)], root: &Path, moment: u64) -> Vec<Sample> {
    let mut out = Vec::new();
    let mut files = Files::new(&Paths::installed(root));
    for (name, collector) in collectors {
        collector.collect(&mut files, &mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    // The clock is not the host's.
    for sample in &mut out {
        if sample.name == "node_time_seconds" {
            sample.value = (1_800_000_000 + 10 * moment) as f64 + 0.5;
        }
    }
    for (point, device, fstype, values) in [
        ("/", "/dev/nvme0n1p1", "xfs", [1000.0, 400.0, 400.0, 100.0, 75.0, 0.0]),
        ("/data", "/dev/nvme1n1", "ext4", [2000.0, 500.0, 300.0, 0.0, 0.0, 1.0]),
    ] {
        let names = ["size_bytes", "free_bytes", "avail_bytes", "files", "files_free", "readonly"];
        for (name, value) in names.into_iter().zip(values) {
            let labels =
                vec![label("device", device), label("fstype", fstype), label("mountpoint", point)];
            let value = value - moment as f64 * if name == "free_bytes" { 100.0 } else { 0.0 };
            out.push(Sample::gauge(["node_filesystem_", name].concat(), labels, value));
        }
    }
    out.push(Sample::gauge("service_up", vec![label("service", "web")], 1.0));
    out.push(Sample::gauge("services_unhealthy", vec![], 0.0));
    out
}

fn ticks() -> Vec<Arc<Tick>> {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    for directory in ["proc", "sys"] {
        let from = Path::new(TESTS).join("fixtures/host").join(directory);
        let copied = Command::new("cp").arg("-r").arg(from).arg(root).status().unwrap();
        assert!(copied.success());
    }
    let meminfo = fs::read_to_string(root.join("proc/meminfo")).unwrap();
    let meminfo = meminfo
        .replace("SwapTotal:             0", "SwapTotal:       1048576")
        .replace("SwapFree:              0", "SwapFree:         786432");
    fs::write(root.join("proc/meminfo"), meminfo).unwrap();
    let (paths, begun) = (Paths::installed(root), Instant::now());
    // The space of a filesystem cannot be made up below a directory.
    let chosen = ENTRIES.iter().filter(|entry| entry.name != "disk");
    let settings = Settings::typed(&Merged::fold([&builtin::layer()]).root).settings.unwrap();
    let build = |entry: &Entry| (entry.name, (entry.build)(&settings.metrics, &paths));
    let mut collectors: Vec<_> = chosen.map(build).collect();
    let mut ticks = Vec::new();
    for moment in 0..3 {
        at_moment(root, moment);
        let since = Duration::from_secs(10 * moment);
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + since;
        let samples = samples(&mut collectors, root, moment);
        ticks.push(Arc::new(Tick { at, steady: begun + since, samples }));
    }
    ticks
}

/// What a sink of a schema sends for the ticks.
fn sent(schema: CloudWatchSchema, include: Option<&[&str]>) -> String {
    sent_with(&CloudWatchSettings {
        namespace: "Golden".to_owned(),
        schema,
        per: CloudWatchPer::Instance,
        // Its default is this machine's own name.
        dimensions: (schema == CloudWatchSchema::Telegraf)
            .then(|| [("host".to_owned(), "{hostname}".to_owned())].into()),
        include: include.map(|texts| texts.iter().map(|text| (*text).to_owned()).collect()),
        high_resolution: Vec::new(),
        flush: Duration::from_secs(60),
        max_metrics: 1000,
    })
}

/// The lines of what a sink with these settings sends for the ticks.
fn sent_with(settings: &CloudWatchSettings) -> String {
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let context = SinkContext {
        client: http::client().unwrap(),
        aws: Some(Aws { config }),
        secrets: HashMap::new(),
    };
    let mut sink = CloudWatch::build(settings, &identity(), &context).unwrap();
    sink.clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_060);
    let mut drops = Drops::default();
    for tick in ticks() {
        assert!(sink.take(&tick, &mut drops).is_empty());
    }
    let calls = sink.flush(true, &mut drops);
    assert!(drops.by_reason().is_empty(), "{:?}", drops.by_reason());
    let lines = calls.iter().flat_map(|call| sink.show(&call.payload));
    lines.map(|line| line + "\n").collect()
}

fn held(name: &str, text: &str) {
    let directory = Path::new(TESTS).join("golden/cloudwatch");
    let path = directory.join(name);
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        fs::create_dir_all(directory).unwrap();
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "tests/golden/cloudwatch/{name} is not what is sent now:\n{text}");
}

#[test]
fn the_golden_datums_are_those_of_telegrafs_default_inputs() {
    // What `inputs.cpu`, `mem`, `swap`, `disk`, `diskio`, `kernel`, `processes` and `system` say.
    let include =
        ["cpu_*", "mem_*", "swap_*", "disk_*", "diskio_*", "kernel_*", "processes_*", "system_*"];
    held("telegraf.jsonl", &sent(CloudWatchSchema::Telegraf, Some(&include)));
}

#[test]
fn telegrafs_default_configuration_sends_telegrafs_datums_after_its_import() {
    let file = "telegraf-default.conf";
    let bytes = fs::read(Path::new(TESTS).join("fixtures/import").join(file)).unwrap();
    let import = telegraf::import(&[(file.to_owned(), bytes)]).unwrap();
    let document = Document::parse(import.config.as_bytes(), Format::Toml).unwrap();
    let layer = Layer {
        name: LayerName::Local,
        source: "import.toml".into(),
        version: None,
        last_good: false,
        document,
    };
    let merged = Merged::fold([&builtin::layer(), &layer]);
    let mut sink = Settings::typed(&merged.root).settings.unwrap().sink;
    let Some(SinkSettings::CloudWatch(mut settings)) = sink.remove("cloudwatch") else {
        panic!("{}", import.config);
    };
    // The host of the golden files.
    assert_eq!(
        settings.dimensions,
        Some([("host".to_owned(), "{kernel_hostname}".to_owned())].into())
    );
    settings.dimensions = Some([("host".to_owned(), "{hostname}".to_owned())].into());
    assert_eq!(settings.namespace, "InfluxData/Telegraf");
    settings.namespace = "Golden".to_owned();
    let sorted = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let golden = fs::read_to_string(Path::new(TESTS).join("golden/cloudwatch/telegraf.jsonl"));
    assert_eq!(sorted(&sent_with(&settings)), sorted(&golden.unwrap()));
}

#[test]
fn the_golden_datums_are_all_that_a_schema_can_send() {
    for (name, schema, include) in [
        (
            "telegraf-more.jsonl",
            CloudWatchSchema::Telegraf,
            &["net_*", "netstat_*", "cpu_time_*{cpu=cpu-total}", "cpu_usage_active", "service*"][..],
        ),
        ("native.jsonl", CloudWatchSchema::Native, &["*", "cpu_*{cpu=*}"]),
        (
            "cwagent.jsonl",
            CloudWatchSchema::CwAgent,
            &["*", "diskio_*", "netstat_*", "processes_*", "cpu_usage_idle{cpu=*}"],
        ),
    ] {
        held(name, &sent(schema, Some(include)));
    }
}

#[test]
fn the_golden_datums_are_few_where_nothing_is_configured() {
    for schema in CloudWatchSchema::ALL {
        held(&format!("{}-default.jsonl", schema.word()), &sent(*schema, None));
    }
}

/// The names of the metrics that stand in a golden file.
fn names_in(files: &[&str]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for name in files {
        let path = Path::new(TESTS).join("golden/cloudwatch").join(name);
        for line in fs::read_to_string(path).unwrap().lines().filter(|line| line.starts_with('{')) {
            let datum: serde_json::Value = serde_json::from_str(line).unwrap();
            names.insert(datum["MetricName"].as_str().unwrap().to_owned());
        }
    }
    names
}

#[test]
fn the_names_of_a_schema_are_those_that_it_can_send() {
    for (schema, files) in [
        (CloudWatchSchema::CwAgent, &["cwagent.jsonl"][..]),
        (CloudWatchSchema::Native, &["native.jsonl"]),
        (CloudWatchSchema::Telegraf, &["telegraf.jsonl", "telegraf-more.jsonl"]),
    ] {
        let named: BTreeSet<_> = schema.schema().names().map(str::to_owned).collect();
        assert_eq!(named, names_in(files), "{}", schema.word());
    }
}
