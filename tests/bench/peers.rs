//! Processes that are measured: the daemon, and those that stand beside it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fakes::place::loopback;
use crate::fakes::wait::until;

const START: Duration = Duration::from_secs(30);

/// A process that is measured; ends when dropped.
pub(crate) struct Process {
    pub(crate) name: &'static str,
    child: Child,
}

impl Process {
    pub(crate) fn start(name: &'static str, mut command: Command) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        Self { name, child }
    }

    /// What it uses now, with all that it has started.
    pub(crate) fn usage(&self) -> Usage {
        let parents = parents();
        let mut usage = Usage::default();
        let mut left = vec![self.child.id()];
        while let Some(id) = left.pop() {
            usage.add(id);
            left.extend(parents.iter().filter(|(_, parent)| *parent == id).map(|(child, _)| child));
        }
        usage
    }
}

/// Every process, and who has started it. Not every kernel lists children.
fn parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let of = |entry: fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // Its name may hold anything, and ends with the last parenthesis.
        let (_, rest) = stat.rsplit_once(')')?;
        Some((id, rest.split_whitespace().nth(1)?.parse().ok()?))
    };
    entries.filter_map(of).collect()
}

/// What a process and its children have used since they began, and have now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    /// Processor time. `schedstat` counts nanoseconds; `stat` counts hundredths of a second.
    pub(crate) cpu_ms: f64,
    /// How often a thread waited, and so was woken up.
    pub(crate) waits: f64,
    /// How often another took its processor.
    pub(crate) preempted: f64,
    pub(crate) rss_kib: f64,
    pub(crate) anonymous_kib: f64,
    pub(crate) threads: f64,
    pub(crate) processes: f64,
}

impl Usage {
    fn add(&mut self, id: u32) {
        let Ok(threads) = fs::read_dir(format!("/proc/{id}/task")) else { return };
        for thread in threads.flatten() {
            let read = |name| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
            let spent: Option<f64> =
                read("schedstat").split(' ').next().and_then(|spent| spent.parse().ok());
            self.cpu_ms += spent.unwrap_or(0.0) / 1e6;
            let status = read("status");
            self.waits += field(&status, "voluntary_ctxt_switches:");
            self.preempted += field(&status, "nonvoluntary_ctxt_switches:");
            self.threads += 1.0;
        }
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        self.rss_kib += field(&status, "VmRSS:");
        self.anonymous_kib += field(&status, "RssAnon:");
        self.processes += 1.0;
    }
}

/// A number of a process's `status`.
fn field(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0)
}

impl Drop for Process {
    fn drop(&mut self) {
        // What watches it may want to write down what it saw.
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// collectd with the plugins that measure what gild does, each second. To files, which costs it
/// least; to somebody, in packets of its own, where their size is wanted.
pub(crate) fn collectd(scratch: &Path, to: Option<SocketAddr>) -> Option<Process> {
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
    let at = scratch.join(if to.is_some() { "collectd-to" } else { "collectd" });
    fs::create_dir(&at).unwrap();
    let here = at.display();
    let output = match to {
        Some(to) => {
            let (ip, port) = (to.ip(), to.port());
            format!("LoadPlugin network\n<Plugin network>\nServer \"{ip}\" \"{port}\"\n</Plugin>\n")
        }
        None => format!("LoadPlugin csv\n<Plugin csv>\nDataDir \"{here}/csv\"\n</Plugin>\n"),
    };
    let mut text = format!(
        "Hostname \"host\"\nBaseDir \"{here}\"\nPIDFile \"{here}/pid\"\nInterval 1\n{output}"
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
pub(crate) fn exporter() -> Option<(Process, SocketAddr)> {
    let program = installed("prometheus-node-exporter")?;
    let address = loopback().local_addr().unwrap();
    let mut command = Command::new(program);
    command.arg(format!("--web.listen-address={address}")).stderr(Stdio::null());
    let process = Process::start("node_exporter", command);
    until("node_exporter", START, || TcpStream::connect(address).map_err(|e| e.to_string()));
    Some((process, address))
}

/// The exporter's page, as a scrape asks for it.
pub(crate) fn page(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").map(|(_, page)| page.to_owned()).unwrap_or_default()
}

/// netdata with its own defaults, each second, to Graphite; without its web server.
pub(crate) fn netdata(scratch: &Path, graphite: SocketAddr) -> Option<Process> {
    let program = installed("netdata")?;
    let at = scratch.join("netdata");
    for directory in ["cache", "lib", "log", "home"] {
        fs::create_dir_all(at.join(directory)).unwrap();
    }
    let here = at.display();
    let settings = format!(
        "[directories]\nconfig = {here}\ncache = {here}/cache\nlib = {here}/lib\n\
         log = {here}/log\nhome = {here}/home\n[global]\nrun as user = root\n\
         [web]\nmode = none\n[statsd]\nenabled = no\n"
    );
    fs::write(at.join("netdata.conf"), settings).unwrap();
    let exporting = format!(
        "[exporting:global]\nenabled = yes\nupdate every = 1\n\
         [graphite:here]\nenabled = yes\ndestination = tcp:{graphite}\nupdate every = 1\n"
    );
    fs::write(at.join("exporting.conf"), exporting).unwrap();
    let mut command = Command::new(program);
    command.arg("-D").arg("-c").arg(at.join("netdata.conf"));
    command.arg("-P").arg(at.join("pid")).stderr(Stdio::null());
    Some(Process::start("netdata", command))
}

/// How much of a disk a package takes, in KiB, as `dpkg` says.
pub(crate) fn installed_kib(package: &str) -> Option<f64> {
    let mut query = Command::new("dpkg-query");
    let output = query.args(["--show", "--showformat", "${Installed-Size}", package]).output();
    String::from_utf8(output.ok()?.stdout).ok()?.trim().parse().ok()
}

/// Where it is, if it is there.
pub(crate) fn installed(program: &'static str) -> Option<PathBuf> {
    let directories = ["/usr/sbin", "/usr/bin"];
    let found = directories.iter().map(|at| Path::new(at).join(program)).find(|at| at.exists());
    if found.is_none() {
        println!("{program} is not installed: nothing stands beside gild for it");
    }
    found
}
