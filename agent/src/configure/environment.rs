//! What the step's process finds in its environment: what it needs to find
//! programs, AWS and a proxy, and nothing else of what gild was started with.
//! No secret travels this way, for every process of the step would show it in
//! /proc.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::platform::paths::Paths;

/// Where programs are where nobody says so.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is handed on, besides the endpoints of AWS.
const HANDED_ON: [&str; 13] = [
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "SSL_CERT_FILE",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "LOGNAME",
    "USER",
];

/// Where a process without a home directory has one.
const HOME: &str = "/root";

/// The home directory that a step is told.
pub(crate) fn home() -> PathBuf {
    env::var_os("HOME").unwrap_or_else(|| HOME.into()).into()
}

/// The environment of a step, from gild's own.
pub(crate) fn base() -> Vec<(OsString, OsString)> {
    let own: Vec<_> = env::vars_os().collect();
    select(&own)
}

fn select(own: &[(OsString, OsString)]) -> Vec<(OsString, OsString)> {
    let get = |name: &str| own.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let mut chosen = vec![
        ("PATH".into(), get("PATH").unwrap_or_else(|| PATH.into())),
        // systemd gives root's services no HOME; Ansible keeps its files there.
        ("HOME".into(), get("HOME").unwrap_or_else(|| HOME.into())),
        ("LANG".into(), "C.UTF-8".into()),
        ("LC_ALL".into(), "C.UTF-8".into()),
    ];
    chosen.extend(own.iter().filter(|(name, _)| is_handed_on(name)).cloned());
    chosen
}

fn is_handed_on(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let upper = name.to_ascii_uppercase();
    name.starts_with("AWS_ENDPOINT_URL")
        || HANDED_ON.contains(&name)
        // Programs disagree about the case of these.
        || (upper.ends_with("_PROXY") && HANDED_ON.contains(&upper.as_str()))
}

/// The file of a program that a setting names: an absolute one lies below the root,
/// one with a slash below `directory`, any other on PATH.
pub(crate) fn program(paths: &Paths, named: &str, directory: &Path) -> Option<PathBuf> {
    let path = Path::new(named);
    let found = if path.is_absolute() {
        Some(paths.host(path))
    } else if named.contains('/') {
        Some(directory.join(path))
    } else {
        find_program(named)
    };
    found.filter(|path| is_program(path))
}

/// The program of this name on PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_else(|| PATH.into());
    env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|candidate| is_program(candidate))
}

/// Whether this is a file that can be run.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_and_proxies_are_handed_on_and_credentials_are_not() {
        let own: Vec<(OsString, OsString)> = [
            ("AWS_ENDPOINT_URL_S3", "http://x"),
            ("https_proxy", "http://p"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_SESSION_TOKEN", "s"),
            ("CREDENTIALS_DIRECTORY", "/run/c"),
            ("LANG", "de_DE"),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        let names: Vec<_> = select(&own).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["PATH", "HOME", "LANG", "LC_ALL", "AWS_ENDPOINT_URL_S3", "https_proxy"]);
    }

    #[test]
    fn programs_are_found_by_name() {
        assert!(find_program("sh").is_some_and(|path| is_program(&path)));
        assert_eq!(find_program("no-such-program-anywhere"), None);
    }
}
