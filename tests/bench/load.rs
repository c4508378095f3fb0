//! A host that has more to do than it can: what agents cost is not the same on it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Processes that do nothing, and are there to be counted.
const IDLE: usize = 500;
/// Each of them wants a processor of its own, for each that there is.
const BUSY: &str = "while :; do :; done";
/// And one writes.
const WRITES: &str = "while :; do head -c 1048576 /dev/zero >\"$0\"; sync \"$0\"; done";

/// Runs until dropped.
pub(crate) struct Load(Vec<Child>);

impl Load {
    pub(crate) fn start(scratch: &Path) -> Self {
        let processors = std::thread::available_parallelism().unwrap().get();
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).arg(scratch.join("written"));
            command
        };
        let mut idle = Command::new("sleep");
        idle.arg("infinity");
        let mut commands: Vec<Command> = (0..processors).map(|_| shell(BUSY)).collect();
        commands.push(shell(WRITES));
        let mut all = Self(Vec::new());
        for command in &mut commands {
            all.add(command);
        }
        for _ in 0..IDLE {
            all.add(&mut idle);
        }
        all
    }

    fn add(&mut self, command: &mut Command) {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.0.push(command.spawn().unwrap());
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
        }
        for child in &mut self.0 {
            let _ = child.wait();
        }
    }
}
