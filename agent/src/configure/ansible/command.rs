//! The command line and the environment of `ansible-playbook`, as its users run
//! it: one host, the local one, without SSH.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};

use super::AnsibleError;
use crate::configure::environment::{self, find_program, is_program};
use crate::configure::settings::ConfigurationSettings;
use crate::platform::paths::Paths;

/// The program.
const NAME: &str = "ansible-playbook";

/// Where images of golden-image pipelines keep it.
const BAKED: &str = "/deployment/ansibleenv/bin/ansible-playbook";

/// Finds `ansible-playbook`: the one that the setting names, or else the baked
/// one, or else the first on PATH.
pub fn find(paths: &Paths, setting: &str) -> Result<PathBuf, AnsibleError> {
    if setting.is_empty() {
        let baked = paths.host(BAKED);
        return if is_program(&baked) { Some(baked) } else { find_program(NAME) }
            .ok_or_else(|| AnsibleError::NotInstalled { baked: paths.host(BAKED) });
    }
    let named = Path::new(setting);
    let found = if named.is_absolute() {
        let path = paths.host(named);
        let in_environment = path.join("bin").join(NAME);
        Some(if path.is_dir() { in_environment } else { path }).filter(|path| is_program(path))
    } else {
        find_program(setting)
    };
    found.ok_or_else(|| AnsibleError::NotAProgram { setting: setting.to_owned() })
}

/// What a run of `ansible-playbook` is given.
pub(crate) struct Invocation<'a> {
    /// The program.
    pub(crate) program: &'a Path,
    /// Entry and tags.
    pub(crate) settings: &'a ConfigurationSettings,
    /// The file of variables.
    pub(crate) vars: &'a Path,
    /// The directory that holds the callback plugin.
    pub(crate) callbacks: &'a Path,
    /// The inherited pipe on which the plugin writes.
    pub(crate) events: RawFd,
    /// The inherited pipe that holds the vault password.
    pub(crate) vault: Option<RawFd>,
    /// Whether to show what would be done instead of doing it.
    pub(crate) check: bool,
}

impl Invocation<'_> {
    /// The arguments. None of them comes from a tag or another open source
    /// without a flag before it, and no shell sees them.
    pub(crate) fn args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> =
            ["--connection=local", "--inventory", "127.0.0.1,", "--limit", &self.settings.limit]
                .map(OsString::from)
                .into();
        let tags = [("tags", &self.settings.tags), ("skip-tags", &self.settings.skip_tags)];
        for (option, tags) in tags.into_iter().filter(|(_, tags)| !tags.is_empty()) {
            args.push(format!("--{option}={}", tags.join(",")).into());
        }
        if self.settings.verbosity > 0 {
            args.push(format!("-{}", "v".repeat(self.settings.verbosity.into())).into());
        }
        let mut vars = OsString::from("@");
        vars.push(self.vars);
        args.extend(["--extra-vars".into(), vars]);
        if let Some(fd) = self.vault {
            args.extend(["--vault-password-file".into(), format!("/dev/fd/{fd}").into()]);
        }
        if self.check {
            // No --diff: it would show the content of files, and with it secrets.
            args.push("--check".into());
        }
        args.push((&self.settings.entry).into());
        args
    }

    /// The environment.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut variables = environment(self.program);
        let callbacks = self.callbacks.as_os_str().to_owned();
        // What Ansible holds of a task would be on disk for as long as that runs, and for ever
        // should both be killed: the arguments of modules go through a pipe instead, and what
        // is made of templates and vaulted files lies in memory.
        let memory = self.vars.parent().unwrap_or(self.vars).as_os_str().to_owned();
        variables.extend([
            ("ANSIBLE_PIPELINING".into(), "1".into()),
            // Every module would tell the journal what it was invoked with.
            ("ANSIBLE_NO_TARGET_SYSLOG".into(), "1".into()),
            ("ANSIBLE_LOCAL_TEMP".into(), memory),
            ("ANSIBLE_CALLBACK_PLUGINS".into(), callbacks),
            ("GILD_EVENTS_FD".into(), self.events.to_string().into()),
            ("ANSIBLE_RETRY_FILES_ENABLED".into(), "0".into()),
            ("ANSIBLE_DISPLAY_SKIPPED_HOSTS".into(), "0".into()),
        ]);
        if self.check {
            // A look leaves nothing in the playbook either.
            variables.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
        }
        variables
    }
}

/// The environment of all programs of Ansible.
pub(super) fn environment(program: &Path) -> Vec<(OsString, OsString)> {
    let mut variables = environment::base();
    // A virtual environment's own programs come first, as if it were active.
    if let Some(directory) = program.parent() {
        for (_, value) in variables.iter_mut().filter(|(name, _)| name == "PATH") {
            let mut path = directory.as_os_str().to_owned();
            path.push(":");
            path.push(&*value);
            *value = path;
        }
    }
    variables.extend([
        ("ANSIBLE_NOCOLOR".into(), "1".into()),
        // Lines arrive when they are written, not when a buffer is full.
        ("PYTHONUNBUFFERED".into(), "1".into()),
    ]);
    variables
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::origin::{LayerName, Origin};
    use crate::config::schema::{Reader, Setting};
    use crate::config::{KeyPath, Node};

    fn settings() -> ConfigurationSettings {
        let origin = Origin {
            layer: LayerName::Builtin,
            source: "test".into(),
            version: None,
            line: None,
            last_good: false,
        };
        let node = Node::from_value(&serde_json::json!({}), &origin);
        ConfigurationSettings::read(&node, &KeyPath::root(), &mut Reader::default()).unwrap()
    }

    #[test]
    fn ansible_runs_as_its_users_run_it() {
        let settings = settings();
        let invocation = Invocation {
            program: Path::new("/venv/bin/ansible-playbook"),
            settings: &settings,
            vars: Path::new("/run/gild/step/vars.yml"),
            callbacks: Path::new("/run/gild/step/callbacks"),
            events: 7,
            vault: Some(9),
            check: true,
        };
        let args = invocation.args();
        let args: Vec<_> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
        assert_eq!(
            args.join(" "),
            "--connection=local --inventory 127.0.0.1, --limit 127.0.0.1 --tags=configuration \
             --extra-vars @/run/gild/step/vars.yml --vault-password-file /dev/fd/9 \
             --check main.yml"
        );
        let environment = invocation.environment();
        let path = environment.iter().find(|(name, _)| name == "PATH").unwrap();
        assert!(path.1.to_str().unwrap().starts_with("/venv/bin:"));
        for (name, value) in [("ANSIBLE_LOCAL_TEMP", "/run/gild/step"), ("ANSIBLE_PIPELINING", "1")]
        {
            assert!(environment.contains(&(name.into(), value.into())), "{name}");
        }
    }

    #[test]
    fn what_to_leave_out_and_how_much_to_say_are_options_of_their_own() {
        let mut settings = settings();
        settings.skip_tags = vec!["slow".to_owned(), "debug".to_owned()];
        settings.limit = "all".to_owned();
        settings.verbosity = 3;
        let invocation = Invocation {
            program: Path::new("/venv/bin/ansible-playbook"),
            settings: &settings,
            vars: Path::new("/vars.yml"),
            callbacks: Path::new("/callbacks"),
            events: 7,
            vault: None,
            check: false,
        };
        let args = invocation.args();
        let args: Vec<_> = args.iter().map(|arg| arg.to_str().unwrap()).collect();
        assert_eq!(
            args.join(" "),
            "--connection=local --inventory 127.0.0.1, --limit all --tags=configuration \
             --skip-tags=slow,debug -vvv --extra-vars @/vars.yml main.yml"
        );
    }

    #[test]
    fn the_setting_goes_before_the_baked_one() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::installed(root.path());
        for path in [BAKED, "/opt/own"] {
            let path = paths.host(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "#!/bin/sh\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(find(&paths, "").unwrap(), paths.host(BAKED));
        assert_eq!(find(&paths, "/opt/own").unwrap(), paths.host("/opt/own"));
        let whole = find(&paths, "/deployment/ansibleenv").unwrap();
        assert_eq!(whole, paths.host(BAKED));
        assert!(matches!(find(&paths, "/opt/none"), Err(AnsibleError::NotAProgram { .. })));
    }
}
