//! What the daemon costs a host: processor time a tick, and memory, with the default
//! collectors, two sinks and five services. Beside it, in the same minute: collectd and
//! node_exporter, each as Debian packages it.
//!
//! All remotes are asked over TLS. A tick comes each second, so that there are many; whatever comes with a tick on a host
//! (a look at each service, a remote write) or with each sixth (CloudWatch) does so here.
//! All that a tick costs is in it, at ten times the pace of the default.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::fault::Fault;
use crate::fakes::imds::Instance;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;
use crate::world::World;

/// Ticks that are measured.
const TICKS: u32 = 60;
/// Until what happens once has happened.
const WARM: Duration = Duration::from_secs(15);
const ROUND_TRIP: Duration = Duration::from_millis(1);
const TICK: Duration = Duration::from_secs(1);
const START: Duration = Duration::from_secs(30);

pub(crate) fn run(gild: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let receiver = RemoteWrite::start(loopback());
    let cloudwatch = CloudWatch::start(loopback());
    let world = World::new(ROUND_TRIP, true);
    let (_mimir, mimir) = world.link(receiver.address(), ROUND_TRIP);
    let (_aws, aws) = world.link(cloudwatch.address(), ROUND_TRIP);
    let tags = [("gild:metrics.interval".to_owned(), "1s".to_owned())];
    world.imds.describe(&Instance { tags: tags.into(), ..Instance::default() });
    let service = Service::start();
    let root = scratch.path().join("root");
    install(&world, &root, &mimir, service.address());
    assert!(world.configure(gild, &root).status().unwrap().success(), "gild configure failed");

    let mut measured = vec![Process::start("gild", world.daemon(gild, &root, &aws))];
    measured.extend(collectd(scratch.path()));
    let exporter = exporter();
    let page = exporter.as_ref().map(|(_, address)| *address);
    measured.extend(exporter.map(|(process, _)| process));
    until("the first samples and datums", START, || {
        let arrived = !receiver.samples().is_empty() && !cloudwatch.calls().is_empty();
        if arrived { Ok(()) } else { Err("nothing yet".to_owned()) }
    });
    for_each_tick(WARM.as_secs() as u32, page);
    let before: Vec<_> = measured.iter().map(Process::spent).collect();
    for_each_tick(TICKS, page);
    println!(
        "{:<28} {:>14} {:>9} {:>12} {:>12} {:>12}",
        "", "CPU a tick", "to gild", "RSS", "most RSS", "anonymous"
    );
    let spent = |at: usize| (measured[at].spent() - before[at]) / f64::from(TICKS);
    let own = spent(0);
    for (at, process) in measured.iter().enumerate() {
        let spent = spent(at);
        process.line(process.name, Some((spent, spent / own)));
    }
    let samples = receiver.samples().len();
    println!("samples received {samples}, calls of CloudWatch's {}", cloudwatch.calls().len());

    receiver.faults.always("", Fault::Close);
    for_each_tick(TICKS, None);
    measured[0].line("gild, a receiver gone", None);
}

/// Lets so many ticks go by, asking for a page at each as a scrape would.
fn for_each_tick(ticks: u32, page: Option<SocketAddr>) {
    for _ in 0..ticks {
        if let Some(address) = page {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_end(&mut Vec::new()).unwrap();
        }
        std::thread::sleep(TICK);
    }
}

fn install(world: &World, root: &Path, mimir: &str, service: SocketAddr) {
    world.install(root);
    let mut text = format!(
        "[sink.mimir]\ntype = 'remote_write'\nurl = '{mimir}/api/v1/push'\nflush = '1s'\n\
         [sink.cloudwatch]\ntype = 'cloudwatch'\nflush = '6s'\n"
    );
    for name in ["one", "two", "three"] {
        text += &format!("[service.{name}]\nhttp = 'http://{service}/'\ninterval = '1s'\n");
    }
    for name in ["four", "five"] {
        text += &format!("[service.{name}]\ntcp = '{service}'\ninterval = '1s'\n");
    }
    fs::write(root.join("etc/gild/config.d/10-local.toml"), text).unwrap();
}

/// Answers each look with a short page.
struct Service(SocketAddr);

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream);
            }
        });
        Self(address)
    }

    fn address(&self) -> SocketAddr {
        self.0
    }
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    if stream.read(&mut [0; 1024])? > 0 {
        stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")?;
    }
    Ok(())
}

/// A process that is measured; ends when dropped.
struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    fn start(name: &'static str, mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { name, child }
    }

    /// Milliseconds of processor time so far, of all its threads. `schedstat` counts
    /// nanoseconds; `stat` counts hundredths of a second.
    fn spent(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_thread = |thread: fs::DirEntry| -> f64 {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or(0.0)
        };
        threads.flatten().map(of_thread).sum::<f64>() / 1e6
    }

    fn line(&self, name: &str, spent: Option<(f64, f64)>) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(':').trim().trim_end_matches(" kB").to_owned()
        };
        let (spent, ratio) = match spent {
            Some((spent, ratio)) => (format!("{spent:.2} ms"), format!("{ratio:.2}")),
            None => Default::default(),
        };
        let [rss, most, anonymous] =
            ["VmRSS", "VmHWM", "RssAnon"].map(|name| format!("{} KiB", field(name)));
        println!("{name:<28} {spent:>14} {ratio:>9} {rss:>12} {most:>12} {anonymous:>12}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What watches it may want to write down what it saw.
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// collectd with the plugins that measure what gild does, each second, to files.
fn collectd(scratch: &Path) -> Option<Process> {
    let plugins = [
        "cpu",
        "memory",
        "swap",
        "df",
        "disk",
        "interface",
        "load",
        "uptime",
        "processes",
        "vmem",
        "tcpconns",
        "conntrack",
    ];
    let at = scratch.join("collectd");
    fs::create_dir(&at).unwrap();
    let mut text = format!(
        "Hostname \"host\"\nBaseDir \"{0}\"\nPIDFile \"{0}/pid\"\nInterval 1\n\
         LoadPlugin csv\n<Plugin csv>\nDataDir \"{0}/csv\"\n</Plugin>\n",
        at.display()
    );
    for plugin in plugins {
        text += &format!("LoadPlugin {plugin}\n");
    }
    let file = at.join("collectd.conf");
    fs::write(&file, text).unwrap();
    let program = installed("collectd")?;
    let mut command = Command::new(program);
    command.arg("-f").arg("-C").arg(file).stderr(Stdio::null());
    Some(Process::start("collectd", command))
}

/// node_exporter with its own defaults, asked at each tick.
fn exporter() -> Option<(Process, SocketAddr)> {
    let program = installed("prometheus-node-exporter")?;
    let address = loopback().local_addr().unwrap();
    let mut command = Command::new(program);
    command.arg(format!("--web.listen-address={address}")).stderr(Stdio::null());
    let process = Process::start("node_exporter", command);
    until("node_exporter", START, || TcpStream::connect(address).map_err(|e| e.to_string()));
    Some((process, address))
}

fn installed(program: &'static str) -> Option<std::path::PathBuf> {
    let directories = ["/usr/sbin", "/usr/bin"];
    let found = directories.iter().map(|at| Path::new(at).join(program)).find(|at| at.exists());
    if found.is_none() {
        println!("{program} is not installed: nothing stands beside gild for it");
    }
    found
}
