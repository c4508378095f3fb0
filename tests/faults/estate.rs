//! The instance that gild lives on: a root in memory whose state has a small disk of its own, names
//! of its own, a memory limit of its own where the kernel lets one be made, and all that it talks to.
//!
//! The daemon runs in a mount namespace, in which `/etc` is the estate's, for gild takes names from
//! there and nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::fakes::calls::Calls;
use crate::fakes::cloudwatch::CloudWatch;
use crate::fakes::imds::{Instance, access_key};
use crate::fakes::link::Link;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::server::text;
use crate::ledger::Ms;
use crate::line::Line;
use crate::secrets;
use crate::world::World;

const ROUND_TRIP: Duration = Duration::from_millis(1);
/// Two full spools do not fit, and one does.
const DISK: &str = "24m";
/// The name of a receiver.
const NAME: &str = "receiver.gild.test";
/// In every tick, and the host's own time: by it a tick is known.
pub(crate) const TICK: &str = "node_time_seconds";

/// Everything around the daemon.
pub(crate) struct Estate {
    scratch: TempDir,
    pub(crate) world: World,
    /// Asked over TLS, on a line that fails; never refuses what is right.
    pub(crate) kept: RemoteWrite,
    pub(crate) kept_line: Line,
    /// Found by name.
    pub(crate) named: RemoteWrite,
    pub(crate) named_line: Line,
    /// Answers anything.
    pub(crate) spoiled: RemoteWrite,
    pub(crate) cloudwatch: CloudWatch,
    aws: String,
    hook: Calls,
    _links: Vec<Link>,
    /// Takes questions about names, and answers none.
    deaf: UdpSocket,
    /// A control group of version 1, where one could be made.
    pub(crate) group: Option<PathBuf>,
    roles: usize,
}

impl Estate {
    pub(crate) fn new(gild: &Path) -> Self {
        let scratch = tempfile::tempdir_in("/dev/shm").unwrap();
        let receiver = || RemoteWrite::keeping(loopback(), |sample| sample.name == TICK);
        let (kept, named, spoiled) = (receiver(), receiver(), receiver());
        let cloudwatch = CloudWatch::start(loopback());
        let hook = Calls::start(loopback(), |_| text(200, "ok"));
        let world = World::new(ROUND_TRIP, true);
        let (kept_link, kept_url) = world.link(kept.address(), ROUND_TRIP);
        let (aws_link, aws) = world.link(cloudwatch.address(), ROUND_TRIP);
        let kept_line = Line::new(kept_link.address());
        let named_line = Line::new(named.address());
        let scheme = kept_url.split_once("://").map(|(scheme, _)| scheme.to_owned()).unwrap();
        let estate = Self {
            scratch,
            world,
            kept,
            kept_line,
            named,
            named_line,
            spoiled,
            cloudwatch,
            aws,
            hook,
            _links: vec![kept_link, aws_link],
            deaf: deaf(),
            group: group(),
            roles: 0,
        };
        estate.describe();
        estate.install(&scheme);
        let mut configure = estate.world.configure(gild, &estate.root());
        let configured = configure.stderr(estate.open_log()).status().unwrap();
        assert!(configured.success(), "gild configure failed");
        estate
    }

    fn install(&self, scheme: &str) {
        let root = self.root();
        self.world.install(&root);
        fs::create_dir_all(self.path("etc")).unwrap();
        let disk = self.disk();
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={DISK}"), "tmpfs"])
            .arg(disk));
        self.names_known(true);
        secrets::install(&root, &format!("http://{}", self.hook.address()));
        let (kept, named) = (self.kept_line.address(), self.named_line.address().port());
        let text = format!(
            "[metrics]\ninterval = '1s'\n[lifecycle]\ninterval = '1s'\n\
             [sink.kept]\ntype = 'remote_write'\nurl = '{scheme}://{kept}/api/v1/push'\n\
             flush = '1s'\ntimeout = '2s'\nbearer = {{ file = '{bearer}' }}\n\
             [sink.named]\ntype = 'remote_write'\nurl = 'http://{NAME}:{named}/api/v1/push'\n\
             flush = '1s'\ntimeout = '2s'\nusername = 'web'\npassword = {{ file = '{password}' }}\n\
             [sink.spoiled]\ntype = 'remote_write'\nurl = '{spoiled}'\nflush = '1s'\ntimeout = '2s'\n\
             [sink.cloudwatch]\ntype = 'cloudwatch'\nflush = '6s'\n\
             [notify.hook]\ntype = 'webhook'\nurl = {{ file = '{webhook}' }}\n",
            bearer = secrets::BEARER,
            password = secrets::PASSWORD,
            webhook = secrets::WEBHOOK,
            spoiled = self.spoiled.url(),
        );
        fs::write(root.join("etc/gild/config.d/10-local.toml"), text).unwrap();
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.path("root")
    }

    /// What the daemon says.
    pub(crate) fn log(&self) -> PathBuf {
        self.path("log")
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.path("root/var/lib/gild")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("root/run/gild/status.sock")
    }

    fn path(&self, below: &str) -> PathBuf {
        self.scratch.path().join(below)
    }

    /// The daemon, ready to start.
    pub(crate) fn daemon(&self, gild: &Path) -> Command {
        let plain = self.world.daemon(gild, &self.root(), &self.aws);
        let join = match &self.group {
            Some(group) => format!("echo $$ >'{}/cgroup.procs'; ", group.display()),
            None => String::new(),
        };
        let script =
            format!("{join}mount --bind '{}' /etc; exec \"$@\"", self.path("etc").display());
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["--mount", "/bin/sh", "-ec", &script, "sh"]);
        command.arg(plain.get_program()).args(plain.get_args()).env_clear();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("GILD_LOG", "debug").env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(self.open_log());
        command
    }

    fn open_log(&self) -> fs::File {
        fs::File::options().create(true).append(true).open(self.log()).unwrap()
    }

    /// Whether the receiver's name can be found.
    pub(crate) fn names_known(&self, known: bool) {
        let host = if known { format!("127.0.0.1 {NAME}\n") } else { String::new() };
        self.put_names("hosts", &host);
    }

    /// Names are asked of nobody, or of somebody who never answers.
    pub(crate) fn names_asked(&self, deaf: bool) {
        let server = self.deaf.local_addr().unwrap().ip();
        let line = if deaf { format!("nameserver {server}\n") } else { String::new() };
        self.put_names("resolv.conf", &line);
    }

    fn put_names(&self, name: &str, text: &str) {
        let (new, file) = (self.path("names"), self.path("etc").join(name));
        fs::write(&new, text).unwrap();
        fs::rename(new, file).unwrap();
    }

    /// CloudWatch takes the credentials no more that the metadata service gives.
    pub(crate) fn credentials_expire(&self) {
        self.cloudwatch.forget_key(&access_key(&self.role()), "ExpiredToken");
    }

    /// The metadata service gives others.
    pub(crate) fn credentials_renewed(&mut self) {
        self.roles += 1;
        self.describe();
    }

    fn role(&self) -> String {
        format!("gild-instance-{}", self.roles)
    }

    fn describe(&self) {
        let tags = [("Name", "web"), ("gild:metrics.interval", "1s")];
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let tags: BTreeMap<_, _> = tags.collect();
        self.world.imds.describe(&Instance { tags, role: self.role(), ..Instance::default() });
    }

    /// When ticks were measured that have arrived.
    pub(crate) fn arrived(receiver: &RemoteWrite) -> impl Iterator<Item = Ms> {
        receiver.samples().into_iter().map(|sample| (sample.value * 1e3).round() as Ms)
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.disk()).status();
        if let Some(group) = &self.group {
            let _ = fs::remove_dir(group);
        }
    }
}

/// Runs what must not fail.
pub(crate) fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?} failed");
}

fn deaf() -> UdpSocket {
    // Name servers have a port that cannot be chosen, so the address is one's own.
    let [a, b, c, _] = std::process::id().to_le_bytes();
    UdpSocket::bind(SocketAddr::from(([127, 100 | c, b, a.max(2)], 53))).unwrap()
}

fn group() -> Option<PathBuf> {
    let group =
        Path::new("/sys/fs/cgroup/memory").join(format!("gild-faults-{}", std::process::id()));
    fs::create_dir(&group).ok()?;
    Some(group)
}
