//! Everything around one machine: its network, the metadata service at its real address,
//! AWS, CloudWatch, a bucket behind plain HTTP, a chat, and Prometheus.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::base::{directory, name, run};
use crate::fakes::autoscaling::AutoScaling;
use crate::fakes::chat::Chat;
use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::http::Files;
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::moto::Moto;
use crate::fakes::place::Place;
use crate::fakes::wait::until;

const START: Duration = Duration::from_secs(60);

/// A network namespace with a name, gone when dropped.
#[derive(Debug)]
struct Network(String);

impl Network {
    fn new() -> Self {
        let name = name();
        run(Command::new("ip").args(["netns", "add", &name]));
        let network = Self(name);
        for command in [
            &["link", "set", "lo", "up"][..],
            // The metadata service's own address, so that nothing in gild needs to be told another.
            &["addr", "add", "169.254.169.254/32", "dev", "lo"],
        ] {
            run(Command::new("ip").args(["-n", &network.0]).args(command));
        }
        network
    }

    fn place(&self) -> Place {
        Place::Namespace(PathBuf::from("/run/netns").join(&self.0))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

/// The services that a machine of a scenario sees. Fields are dropped in order, the network last.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) imds: Imds,
    pub(crate) cloudwatch: CloudWatch,
    /// A group that waits for the instance, where its metadata say that it is in one.
    pub(crate) group: AutoScaling,
    pub(crate) files: Files,
    pub(crate) chat: Chat,
    pub(crate) moto: Moto,
    pub(crate) prometheus: Prometheus,
    pub(crate) place: Place,
    _network: Network,
}

impl World {
    /// Lets the metadata say that the instance is on its way into its group.
    pub(crate) fn launch_in_group(&self) {
        let path = "/latest/meta-data/autoscaling/target-lifecycle-state";
        self.imds.set(path, Some("InService"));
    }

    /// Starts all of it for `instance`.
    pub(crate) fn new(instance: &Instance) -> Self {
        let network = Network::new();
        let place = network.place();
        // The slow starters first, so that one comes up while the other does.
        let prometheus = Prometheus::start(&place);
        let moto = Moto::start(&place);
        let imds = Imds::start(place.listen("169.254.169.254:80"), instance);
        let cloudwatch = CloudWatch::start(place.listen("127.0.0.1:0"));
        let group = AutoScaling::start(place.listen("127.0.0.1:0"), &instance.id, "Pending:Wait");
        group.launch_hook("ready", 3600);
        let files = Files::start(place.listen("127.0.0.1:0"));
        let chat = Chat::start(place.listen("127.0.0.1:0"));
        prometheus.wait();
        Self { imds, cloudwatch, group, files, chat, moto, prometheus, place, _network: network }
    }
}

/// Debian's Prometheus as a remote-write receiver with its own data.
#[derive(Debug)]
pub(crate) struct Prometheus {
    child: Child,
    place: Place,
    _data: TempDir,
}

/// One series of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: Value,
    /// Seconds since the epoch and value, oldest first.
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    /// A label, empty when absent.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels[name].as_str().unwrap_or("")
    }

    /// The newest point.
    pub(crate) fn last(&self) -> (f64, f64) {
        *self.points.last().expect("a series has points")
    }
}

impl Prometheus {
    /// The address in the machine's network; nobody else lives there, so the port can be fixed.
    pub(crate) const WRITE_URL: &'static str = "http://127.0.0.1:9090/api/v1/write";

    fn start(place: &Place) -> Self {
        let data = directory();
        let config = data.path().join("prometheus.yml");
        std::fs::write(&config, "scrape_configs: []\n").unwrap();
        let child = place
            .command("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .args([
                "--web.listen-address=127.0.0.1:9090",
                "--web.enable-remote-write-receiver",
                "--log.level=error",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        Self { child, place: place.clone(), _data: data }
    }

    fn wait(&self) {
        until("Prometheus", START, || match self.get("/-/ready") {
            Ok((200, _)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }

    fn get(&self, path: &str) -> std::io::Result<(u16, String)> {
        self.place.http(SocketAddr::from(([127, 0, 0, 1], 9090)), "GET", path, &[], b"")
    }

    /// The raw points of the last `window` of a selector, as PromQL.
    pub(crate) fn points(&self, selector: &str, window: &str) -> Vec<Series> {
        let query = format!("{selector}[{window}]");
        let query =
            percent_encoding::utf8_percent_encode(&query, percent_encoding::NON_ALPHANUMERIC);
        let (status, body) =
            self.get(&format!("/api/v1/query?query={query}")).expect("Prometheus answers");
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).expect("Prometheus answers in JSON");
        let series = body["data"]["result"].as_array().cloned().unwrap_or_default();
        series.into_iter().map(parse).collect()
    }

    /// Stops it, so that what gild sends is refused.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn parse(series: Value) -> Series {
    let point = |p: &Value| Some((p[0].as_f64()?, p[1].as_str()?.parse().ok()?));
    let points = series["values"].as_array().into_iter().flatten().filter_map(point).collect();
    Series { labels: series["metric"].clone(), points }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A path of a drop-in for one of gild's services.
pub(crate) fn drop_in(service: &str) -> String {
    Path::new("/etc/systemd/system").join(format!("{service}.d/10-test.conf")).display().to_string()
}
