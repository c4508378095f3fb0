//! Whether Ansible is recent enough. The callback plugin tells the version for
//! nothing; `ansible-playbook --version` costs the start of a Python, so it is
//! asked only of one that failed before the plugin was loaded.

use std::ffi::OsString;
use std::future::pending;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use crate::configure::process::{self, Line, Spec};
use crate::configure::report::Failure;

/// The oldest ansible-core that gild runs, as its two leading numbers. The
/// plugin holds the same.
const OLDEST: (u32, u32) = (2, 14);

/// How long it may take to say the version.
const PATIENCE: Duration = Duration::from_secs(10);

/// The failure of a version that is too old.
pub(super) fn too_old(version: Option<&str>, program: &Path) -> Option<Failure> {
    let version = version.filter(|text| leading(text).is_some_and(|found| found < OLDEST))?;
    let (major, minor) = OLDEST;
    Some(Failure::of(&format!(
        "ansible-core {version} ('{}') is too old: gild needs {major}.{minor} or newer",
        program.display()
    )))
}

/// What `ansible-playbook --version` says, if it says it in time.
pub(super) async fn ask(
    program: &Path,
    environment: Vec<(OsString, OsString)>,
    deadline: Instant,
) -> Option<String> {
    let mut first = None;
    let spec = Spec {
        program: program.to_owned(),
        args: vec!["--version".into()],
        directory: "/".into(),
        environment,
        inherit: Vec::new(),
        events: None,
        deadline: deadline.min(Instant::now() + PATIENCE),
    };
    let ended = process::run(spec, pin!(pending()), &mut |line| {
        if let Line::Output(line) = line {
            first.get_or_insert(line);
        }
    })
    .await;
    ended.ok()?;
    in_text(&first?).map(str::to_owned)
}

/// The version in a line such as `ansible-playbook [core 2.14.18]`.
fn in_text(line: &str) -> Option<&str> {
    let edges = |character: char| "[]()".contains(character);
    let words = line.split_whitespace().map(|word| word.trim_matches(edges));
    words.into_iter().find(|word| leading(word).is_some())
}

/// The two leading numbers of a version.
fn leading(version: &str) -> Option<(u32, u32)> {
    let (major, rest) = version.split_once('.')?;
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..end)?.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_old_and_new_ones_print() {
        for (line, version) in [
            ("ansible-playbook [core 2.19.14]", Some("2.19.14")),
            ("ansible-playbook [core 2.14.0rc1] (stable-2.14 0123abc)", Some("2.14.0rc1")),
            ("ansible-playbook 2.9.27", Some("2.9.27")),
            ("Traceback (most recent call last):", None),
            ("", None),
        ] {
            assert_eq!(in_text(line), version, "{line}");
        }
    }

    #[test]
    fn only_what_is_older_is_too_old() {
        let program = Path::new("/venv/bin/ansible-playbook");
        for (version, old) in [
            ("2.9.27", true),
            ("2.13.13", true),
            ("1.9", true),
            ("2.14.0", false),
            ("2.14.0rc1", false),
            ("2.20", false),
            ("3.0.0", false),
            ("devel", false),
        ] {
            assert_eq!(too_old(Some(version), program).is_some(), old, "{version}");
        }
        assert_eq!(too_old(None, program), None);
        assert_eq!(
            too_old(Some("2.13.1"), program).unwrap().message,
            "ansible-core 2.13.1 ('/venv/bin/ansible-playbook') is too old: gild needs 2.14 or newer"
        );
    }

    #[test]
    fn the_plugin_refuses_the_same() {
        let (major, minor) = OLDEST;
        assert!(super::super::CALLBACK.contains(&format!("\nOLDEST = ({major}, {minor})\n")));
    }
}
