//! The program under test: the release binary where `GILD_BIN` names it, else
//! the one that was built with the tests.

use std::process::Command;

/// The program, in an environment that tells it nothing about this machine.
pub(crate) fn gild() -> Command {
    let built = env!("CARGO_BIN_EXE_gild").into();
    let mut command = Command::new(std::env::var_os("GILD_BIN").unwrap_or(built));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("AWS_") || name.starts_with("GILD_") || name == "XDG_RUNTIME_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command and gives its exit code and what it says.
pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
