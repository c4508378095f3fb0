//! Every absolute path that gild touches, below one root, so that a test or a
//! baked directory tree can stand for the host.

use std::path::{Path, PathBuf};

/// The roots below which gild's paths lie.
#[derive(Debug, Clone)]
pub struct Paths {
    root: PathBuf,
    run: PathBuf,
    state: PathBuf,
}

impl Paths {
    /// The installed layout below `root`: `/run/gild`, `/var/lib/gild`.
    pub fn installed(root: &Path) -> Self {
        Self { root: root.to_owned(), run: root.join("run/gild"), state: root.join("var/lib/gild") }
    }

    /// A layout in which everything that gild writes lies below `directory`;
    /// the host's own files are still read from `root`.
    pub fn private(root: &Path, directory: &Path) -> Self {
        Self { root: root.to_owned(), run: directory.join("run"), state: directory.join("state") }
    }

    /// An absolute path of the host, below the root.
    pub fn host(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let absolute = absolute.as_ref();
        self.root.join(absolute.strip_prefix("/").unwrap_or(absolute))
    }

    /// The directory that holds the socket and the hand-off files.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The directory that outlives a reboot.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The status socket.
    pub fn socket(&self) -> PathBuf {
        self.run.join("status.sock")
    }

    /// The status socket of a daemon that no socket unit starts: in a directory
    /// of its own, because only root writes to the one above.
    pub fn own_socket(&self) -> PathBuf {
        self.run.join("daemon/status.sock")
    }

    /// There while the daemon asks for a configuration step: a unit of systemd
    /// waits for it.
    pub fn reconfigure(&self) -> PathBuf {
        self.run.join("daemon/reconfigure")
    }

    /// There while the daemon asks for the instance to be drained: a unit of systemd
    /// waits for it.
    pub fn drain_wanted(&self) -> PathBuf {
        self.run.join("daemon/drain")
    }

    /// What came of draining the instance.
    pub fn drained(&self) -> PathBuf {
        self.run.join("drain.json")
    }

    /// Held while the instance is drained.
    pub fn drain_lock(&self) -> PathBuf {
        self.run.join("drain.lock")
    }

    /// The secrets that the daemon needs, for its user alone, in memory-backed
    /// `/run`: the instance's role may no longer be allowed to read them.
    pub fn handed_secrets(&self) -> PathBuf {
        self.run.join("secrets.json")
    }

    /// The resolved configuration, handed from `configure` to the daemon.
    pub fn config(&self) -> PathBuf {
        self.run.join("config.json")
    }

    /// The report of the last configuration step.
    pub fn report(&self) -> PathBuf {
        self.run.join("report.json")
    }

    /// Held while a configuration step runs, at boot or by hand.
    pub fn lock(&self) -> PathBuf {
        self.run.join("configure.lock")
    }

    /// What a running step needs on disk, in memory-backed `/run`.
    pub fn step(&self) -> PathBuf {
        self.run.join("step")
    }

    /// The last valid copy of each remote document.
    pub fn last_good(&self) -> PathBuf {
        self.state.join("last-good")
    }

    /// What the last configuration step was run with.
    pub fn step_state(&self) -> PathBuf {
        self.state.join("state.json")
    }

    /// The configuration of the last step that succeeded.
    pub fn applied(&self) -> PathBuf {
        self.state.join("applied.json")
    }

    /// The reports of the last boots.
    pub fn reports(&self) -> PathBuf {
        self.state.join("reports")
    }

    /// What is to be told about this host. Root writes here; the daemon's group
    /// reads.
    pub fn messages(&self) -> PathBuf {
        self.state.join("notify")
    }

    /// What the daemon has told of it.
    pub fn told(&self) -> PathBuf {
        self.state.join("spool/notify/told.json")
    }

    /// What waits for sinks that cannot be reached, a directory for each.
    pub fn sink_spools(&self) -> PathBuf {
        self.state.join("spool/sinks")
    }

    /// What the daemon itself has to tell of this host.
    pub fn notices(&self) -> PathBuf {
        self.state.join("spool/notify/notices")
    }

    /// What the image says of itself.
    pub fn image_record(&self) -> PathBuf {
        self.host("/usr/lib/gild/image.toml")
    }

    /// There once an image was baked of this host, until it is started anew.
    pub fn baked(&self) -> PathBuf {
        self.run.join("baked")
    }

    /// Baked documents.
    pub fn image_layer(&self) -> PathBuf {
        self.host("/usr/lib/gild/config.d")
    }

    /// The operator's documents.
    pub fn local_layer(&self) -> PathBuf {
        self.host("/etc/gild/config.d")
    }
}
