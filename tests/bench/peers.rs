//! Processes that are measured: the daemon, and those that stand beside it.

use std::fs;
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

    /// Milliseconds of processor time so far, of all its threads. `schedstat` counts
    /// nanoseconds; `stat` counts hundredths of a second.
    pub(crate) fn spent(&self) -> f64 {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let of_thread = |thread: fs::DirEntry| -> f64 {
            let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            text.split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or(0.0)
        };
        threads.flatten().map(of_thread).sum::<f64>() / 1e6
    }

    pub(crate) fn line(&self, name: &str, spent: Option<(f64, f64)>) {
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
pub(crate) fn collectd(scratch: &Path) -> Option<Process> {
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
pub(crate) fn exporter() -> Option<(Process, SocketAddr)> {
    let program = installed("prometheus-node-exporter")?;
    let address = loopback().local_addr().unwrap();
    let mut command = Command::new(program);
    command.arg(format!("--web.listen-address={address}")).stderr(Stdio::null());
    let process = Process::start("node_exporter", command);
    until("node_exporter", START, || TcpStream::connect(address).map_err(|e| e.to_string()));
    Some((process, address))
}

fn installed(program: &'static str) -> Option<PathBuf> {
    let directories = ["/usr/sbin", "/usr/bin"];
    let found = directories.iter().map(|at| Path::new(at).join(program)).find(|at| at.exists());
    if found.is_none() {
        println!("{program} is not installed: nothing stands beside gild for it");
    }
    found
}
