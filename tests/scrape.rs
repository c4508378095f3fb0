//! Pages and files of other programs, from a real node_exporter to a receiver,
//! and what the local page then looks like to Prometheus' own tools.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::fakes::place::loopback;
use crate::fakes::remote_write::{RemoteWrite, Sample};
use crate::host::{Running, wait_for};
use crate::node_exporter::NodeExporter;
use crate::program::gild;

/// The bits of Prometheus' marker of a series that has ended.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// `gild up` on a document. Ends when dropped.
struct Up {
    _process: Running,
    directory: tempfile::TempDir,
}

impl Up {
    fn start(document: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let documents = directory.path().join("d");
        fs::create_dir(&documents).unwrap();
        let text = format!("configuration.run = 'never'\nmetrics.interval = '1s'\n{document}");
        fs::write(documents.join("global.toml"), text).unwrap();
        let mut up = gild();
        up.arg("up").arg("--local").arg(documents).arg("--state").arg(directory.path().join("s"));
        let process = up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { _process: Running(process), directory }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("s/run/status.sock")
    }

    /// The page and its headers, as soon as they have what is looked for.
    fn page(&self, accept: &str, what: &str) -> (String, String) {
        let socket = self.socket();
        wait_for(what, || fetch(&socket, accept).is_some_and(|(_, page)| page.contains(what)));
        fetch(&socket, accept).unwrap()
    }
}

fn fetch(socket: &Path, accept: &str) -> Option<(String, String)> {
    let mut stream = UnixStream::connect(socket).ok()?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_lowercase(), body.to_owned()))
}

/// What a program says of a text that it is given, and whether it is content.
fn judged(program: &mut Command, text: &str) -> (bool, String) {
    let piped = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("promtool is in Debian's package 'prometheus'");
    // One that does not read it says so by how it ends.
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said.into_owned())
}

/// Checks a page of OpenMetrics with Prometheus' own parser: promtool reads one
/// to make blocks of it, and wants a time on each sample.
fn parsed_by_prometheus(page: &str) {
    let directory = tempfile::tempdir().unwrap();
    let timed = |line: &str| match line.starts_with('#') {
        true => format!("{line}\n"),
        false => format!("{line} 1800000000\n"),
    };
    let input = directory.path().join("page");
    fs::write(&input, page.lines().map(timed).collect::<String>()).unwrap();
    let mut promtool = Command::new("promtool");
    promtool.args(["tsdb", "create-blocks-from", "openmetrics"]);
    let (content, said) = judged(promtool.arg(input).arg(directory.path().join("blocks")), "");
    assert!(content, "{said}\n{page}");
}

#[test]
fn a_live_node_exporter_is_scraped_until_it_ends_and_a_slow_page_holds_up_nothing() {
    let receiver = RemoteWrite::start(loopback());
    let exporter = NodeExporter::start();
    // It takes connections and never answers.
    let slow = loopback();
    let files = tempfile::tempdir().unwrap();
    fs::write(files.path().join("job.prom"), "# TYPE job_runs_total counter\njob_runs_total 3\n")
        .unwrap();
    let up = Up::start(&format!(
        "metrics.textfile_directory = '{}'\n\
         sink.out = {{ type = 'remote_write', url = '{}', flush = '1s' }}\n\
         [scrape.node]\nurl = '{}'\ninterval = '1s'\nexclude = ['promhttp_*']\n\
         [scrape.slow]\nurl = 'http://{}/metrics'\ninterval = '1s'\ntimeout = '5s'\n",
        files.path().display(),
        receiver.url(),
        exporter.page,
        slow.local_addr().unwrap(),
    ));
    let of = |name: &str, job: Option<&str>| -> Vec<Sample> {
        let mut samples = receiver.samples();
        samples.retain(|sample| {
            sample.name == name && sample.labels.get("job").map(String::as_str) == job
        });
        samples
    };
    let last = |name: &str, job| of(name, job).last().map(|sample| sample.value);
    wait_for("both pages", || {
        last("up", Some("node")) == Some(1.0) && last("up", Some("slow")) == Some(0.0)
    });
    assert!(last("go_goroutines", Some("node")).unwrap() > 1.0);
    assert!(of("promhttp_metric_handler_requests_total", Some("node")).is_empty());
    assert!(of("node_load1", Some("node")).is_empty(), "gild has it by itself");
    assert!(last("node_load1", None).is_some());
    let [scraped, taken, refused] = [
        "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling",
        "gild_scrape_samples_refused",
    ]
    .map(|name| last(name, Some("node")).unwrap());
    assert!(taken > 20.0 && refused > 100.0 && taken + refused < scraped);
    assert_eq!(last("job_runs_total", None), Some(3.0));
    // A tick a second, while the slow page takes five.
    let loads = of("node_load1", None);
    let gaps = loads.windows(2).map(|pair| pair[1].timestamp_ms - pair[0].timestamp_ms);
    assert!(gaps.clone().all(|gap| gap < 4000), "{:?}", gaps.collect::<Vec<_>>());
    assert_eq!(
        of("go_goroutines", Some("node"))[0].labels["instance"],
        loads[0].labels["instance"]
    );

    let (head, page) =
        up.page("application/openmetrics-text;version=1.0.0,*/*;q=0.1", "go_goroutines");
    assert!(head.contains("content-type: application/openmetrics-text"), "{head}");
    parsed_by_prometheus(&page);

    drop(exporter);
    wait_for("its end", || {
        let marked = |sample: &Sample| sample.value.to_bits() == STALE_BITS;
        last("up", Some("node")) == Some(0.0)
            && of("go_goroutines", Some("node")).last().is_some_and(marked)
    });
    assert_eq!(receiver.refused(), Vec::<String>::new());
}

#[test]
fn promtool_has_nothing_to_say_of_the_page_of_a_daemon() {
    let files = tempfile::tempdir().unwrap();
    let text = "# TYPE job_runs_total counter\njob_runs_total{job=\"a\"} 3\njob_done 1\n";
    fs::write(files.path().join("job.prom"), text).unwrap();
    let service = loopback();
    let page = loopback();
    let up = Up::start(&format!(
        "metrics.textfile_directory = '{}'\n\
         service.web = {{ tcp = '{}', interval = '1s' }}\n\
         scrape.broken = {{ url = 'http://{}/', interval = '1s', timeout = '1s' }}\n",
        files.path().display(),
        service.local_addr().unwrap(),
        page.local_addr().unwrap(),
    ));
    up.page("*/*", "service_up");
    up.page("*/*", "node_textfile_mtime_seconds");
    let (head, page) = up.page("*/*", "scrape_samples_scraped");
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(page.contains("# TYPE job_runs_total counter\n") && !page.contains("# EOF"), "{page}");
    let (_, said) = judged(Command::new("promtool").args(["check", "metrics"]), &page);
    // These names are the kernel's own, and node_exporter's.
    let of_kernel = |line: &str| {
        let named = line.starts_with("node_memory_") || line.starts_with("node_netstat_");
        named && line.ends_with("'snake_case' not 'camelCase'")
    };
    let found: Vec<_> = said.lines().filter(|line| !of_kernel(line)).collect();
    assert!(found.is_empty(), "{found:#?}");
    assert!(said.contains("node_memory_MemTotal_bytes"), "it did look: {said}");
    parsed_by_prometheus(&up.page("application/openmetrics-text", "scrape_samples_scraped").1);
}
