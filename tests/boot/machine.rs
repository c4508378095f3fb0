//! One booted machine: its disk, its systemd, and ways to look into it.
//!
//! A machine lives in a process namespace and a mount namespace whose first process dies with
//! the test's thread, even when that is killed, and takes every process and mount along.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::base;
use crate::cgroup::{control_groups, remove_tree};
use crate::disk::{Disk, lay_out};
use crate::fakes::place::Place;
use crate::fakes::wait::until;
use crate::package;
use crate::start::{PATH, copy, spawn};

const BOOT: Duration = Duration::from_secs(60);

/// A machine; dropping it ends it and removes its disk.
#[derive(Debug)]
pub(crate) struct Machine {
    supervisor: Child,
    leader: Option<u32>,
    name: String,
    groups: Vec<PathBuf>,
    place: Place,
    directory: TempDir,
}

impl Machine {
    /// Boots a machine in the network of `place` and waits for its systemd.
    pub(crate) fn boot(place: &Place, disk: &Disk) -> Self {
        let directory = base::directory();
        package::lay(directory.path());
        lay_out(&directory.path().join("files"), disk);
        Self::start(place, directory, &disk.disable)
    }

    /// Boots a machine without gild, as the images are that others make.
    pub(crate) fn bare(place: &Place, disk: &Disk) -> Self {
        let directory = base::directory();
        copy(&base::image(), directory.path());
        lay_out(&directory.path().join("files"), disk);
        Self::start(place, directory, &disk.disable)
    }

    /// Boots another machine in the same network from a copy of this one's disk as it is at
    /// this moment, as an image is made of a host that runs. This one is ended.
    pub(crate) fn baked(self) -> Self {
        let directory = base::directory();
        // A snapshot is of one moment, and a copy is not: nothing is written meanwhile.
        let freeze = |how| {
            let done = self.exec(&["fsfreeze", how, "/"]);
            assert!(done.status.success(), "{done:?}");
        };
        freeze("--freeze");
        copy(&self.disk(), directory.path());
        freeze("--unfreeze");
        let place = self.place.clone();
        drop(self);
        Self::start(&place, directory, &[])
    }

    fn start(place: &Place, directory: TempDir, disable: &[&str]) -> Self {
        let name = base::name();
        let groups: Vec<_> = control_groups().iter().map(|group| group.join(&name)).collect();
        let supervisor = spawn(place, directory.path(), &name, &groups, disable);
        let place = place.clone();
        let mut machine = Self { supervisor, leader: None, name, groups, place, directory };
        machine.wait_leader();
        machine
    }

    fn wait_leader(&mut self) {
        self.leader = Some(until("process 1 of the machine", BOOT, || self.find_leader()));
    }

    fn find_leader(&mut self) -> Result<u32, String> {
        if let Some(status) = self.supervisor.try_wait().unwrap() {
            panic!("the machine ended with {status}:\n{}", self.console());
        }
        let own = fs::read_to_string("/proc/self/status").unwrap();
        let own = own.lines().find_map(|line| line.strip_prefix("NSpid:"));
        let depth = own.map_or(1, |ids| ids.split_whitespace().count());
        let mut waiting = vec![self.supervisor.id()];
        while let Some(pid) = waiting.pop() {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let inner = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            // The first process of the namespace within the supervisor's namespace. Until it
            // has become systemd it is still a copy of the supervisor.
            let is_one = inner.is_some_and(|ids| {
                let ids: Vec<_> = ids.split_whitespace().collect();
                ids.len() == depth + 2 && ids.last() == Some(&"1")
            });
            if is_one && !command.starts_with(b"systemd-nspawn") && !command.starts_with(b"(") {
                return Ok(pid);
            }
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
            waiting.extend(
                children
                    .unwrap_or_default()
                    .split_whitespace()
                    .filter_map(|p| p.parse::<u32>().ok()),
            );
        }
        Err(self.console())
    }

    /// The host's id of the machine's process 1.
    pub(crate) fn leader(&self) -> u32 {
        self.leader.expect("a booted machine has a leader")
    }

    /// A path inside, as the host sees it.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.leader())).join(path.trim_start_matches('/'))
    }

    /// A file inside.
    pub(crate) fn read(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.path(path)).map_err(|error| format!("{path}: {error}"))
    }

    /// Runs a command inside, as root.
    pub(crate) fn exec(&self, command: &[&str]) -> Output {
        Command::new("nsenter")
            .args(["-t", &self.leader().to_string(), "-a", "--"])
            .args(command)
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", "/root")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::null())
            .output()
            .expect("nsenter starts")
    }

    /// Runs a command inside and returns what it said on standard output, whatever its exit code.
    pub(crate) fn say(&self, command: &[&str]) -> String {
        String::from_utf8_lossy(&self.exec(command).stdout).trim().to_owned()
    }

    /// `systemctl is-active`: active, inactive, failed, activating, …
    pub(crate) fn state_of(&self, unit: &str) -> String {
        self.say(&["systemctl", "is-active", unit])
    }

    /// Waits until a unit is in one of these states, and says in which.
    #[track_caller]
    pub(crate) fn wait_for(&self, unit: &str, states: &[&str], deadline: Duration) -> String {
        until(&format!("{unit} in {states:?}"), deadline, || {
            let state = self.state_of(unit);
            if states.contains(&state.as_str()) {
                Ok(state)
            } else {
                Err(format!("{state}\n{}", self.story()))
            }
        })
    }

    /// Waits until the configuration step has ended, well or badly, and says how.
    #[track_caller]
    pub(crate) fn wait_configured(&self, deadline: Duration) -> String {
        self.wait_for("gild-configure.service", &["active", "failed"], deadline)
    }

    /// What gild wrote to the journal, for the message of a failure.
    pub(crate) fn story(&self) -> String {
        self.say(&["journalctl", "--no-pager", "-o", "short-monotonic", "-n", "80", "-u", "gild*"])
    }

    fn console(&self) -> String {
        fs::read_to_string(self.directory.path().join("console")).unwrap_or_default()
    }

    fn disk(&self) -> PathBuf {
        self.directory.path().join("root.img")
    }

    /// Shuts the machine down in order and returns the path of its disk, which lives as long as `self`.
    pub(crate) fn power_off(&mut self) -> PathBuf {
        self.exec(&["systemctl", "poweroff"]);
        until("end of the machine", BOOT, || match self.supervisor.try_wait() {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        self.leader = None;
        self.disk()
    }

    /// Has the machine start itself anew. Its container ends with a word for that.
    pub(crate) fn reboot(&mut self) {
        self.exec(&["systemctl", "reboot"]);
        until("end of the boot", BOOT, || match self.supervisor.try_wait() {
            Ok(Some(status)) if status.code() == Some(133) => Ok(()),
            other => Err(format!("{other:?}")),
        });
        self.power_on();
    }

    /// Boots a machine that was shut down again, from the disk that it left. All that is in
    /// memory is new.
    pub(crate) fn power_on(&mut self) {
        self.remove_groups();
        self.supervisor = spawn(&self.place, self.directory.path(), &self.name, &self.groups, &[]);
        self.wait_leader();
    }

    fn remove_groups(&self) {
        for group in &self.groups {
            for _ in 0..100 {
                remove_tree(group);
                if !group.exists() {
                    break;
                }
                // Its last processes are still being taken down.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() && self.leader.is_some() {
            eprintln!("the machine's journal:\n{}", self.story());
        }
        // The first process of the outer namespace dies with its parent, and the kernel ends
        // every process of both namespaces with it.
        let _ = self.supervisor.kill();
        let _ = self.supervisor.wait();
        self.remove_groups();
    }
}
