//! Where the programs are that `tests/run` installs.

use std::path::PathBuf;

/// A program that `tests/run` installs: where `variable` says, else where it puts it.
///
/// Panics when there is none: a test that needs it must not pass without it.
pub(crate) fn tool(variable: &str, name: &str) -> PathBuf {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => cache().join("venv/bin").join(name),
    };
    assert!(
        path.is_file(),
        "no {name} at {}: run tests/run once, or set {variable}",
        path.display()
    );
    path
}

/// Where `tests/run` and the boot test keep what is worth keeping between runs.
pub(crate) fn cache() -> PathBuf {
    std::env::var_os("GILD_TEST_CACHE")
        .map_or_else(|| PathBuf::from("/var/cache/gild-tests"), PathBuf::from)
}
