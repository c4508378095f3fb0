//! The emulator with a fleet in it, and the program beside it.

mod ask;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tool::tool;

/// The account in which images are built: moto's own, of credentials that are of no other.
pub(crate) const BUILD: &str = "123456789012";

/// The account in which they are used.
pub(crate) const TARGET: &str = "222222222222";

/// The region that most tests are about.
pub(crate) const REGION: &str = "eu-west-1";

/// How long something that comes may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The role by which an account is entered.
pub(crate) fn role(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/gild-ami")
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// To people or programs.
    pub(crate) out: String,
    /// Beside that.
    pub(crate) err: String,
}

impl Said {
    /// Panics where it failed.
    pub(crate) fn well(self) -> Self {
        assert!(self.status.success(), "{}{}", self.out, self.err);
        self
    }

    /// The plan, of a run with `--json`.
    pub(crate) fn plan(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// How many steps the plan has.
    pub(crate) fn steps(&self) -> usize {
        self.plan()["steps"].as_array().expect("steps").len()
    }
}

/// The running emulator, ended when dropped.
#[derive(Debug)]
pub(crate) struct Emulator {
    child: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Emulator {
    /// Starts it with this fleet in it: see `tests/ami/moto/seed.py`.
    pub(crate) fn start(fleet: &Value) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("fleet.json");
        std::fs::write(&file, fleet.to_string()).expect("the fleet is written");
        let python = tool("GILD_TEST_MOTO", "moto_server").with_file_name("python3");
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/ami/moto"))
            .arg(&file)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("AWS_ENDPOINT_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the emulator starts");
        let mut said = String::new();
        let out = child.stdout.take().expect("its output is a pipe");
        BufReader::new(out).read_line(&mut said).expect("it says something");
        let address = said.trim().strip_prefix("Running on http://").and_then(|it| it.parse().ok());
        let Some(address) = address else {
            let _ = child.kill();
            panic!("the emulator did not start: {said}");
        };
        Self { child, address, directory }
    }

    /// The address for `AWS_ENDPOINT_URL`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A directory of the test's own.
    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Asks S3 for something, and panics where it refuses.
    pub(crate) fn s3(&self, method: &str, path: &str, body: &str) -> String {
        let answer = ask::s3(self.address, method, path, body);
        answer.unwrap_or_else(|refused| panic!("{method} {path}: {refused}"))
    }

    /// An object, where there is such a one.
    pub(crate) fn s3_object(&self, path: &str) -> Option<String> {
        ask::s3(self.address, "GET", path, "").ok()
    }

    /// The program with these arguments, in the build account.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gild-ami"));
        command
            .args(arguments)
            .env_clear()
            .env("AWS_ENDPOINT_URL", self.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", REGION)
            .env("HOME", self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Writes an SSM parameter of the build account.
    pub(crate) fn put_parameter(&self, name: &str, value: &str) {
        let body = json!({ "Name": name, "Type": "String", "Value": value });
        ask::aws(self.address, REGION, "ssm", "AmazonSSM.PutParameter", &body.to_string());
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().expect("gild-ami runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Said { status: output.status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Has calls go wrong from now on: see `tests/ami/moto/control.py`. Calls are counted anew.
    pub(crate) fn fault(&self, fault: &Value) {
        ask::post(self.address, "/gild/fault", &fault.to_string());
    }

    /// The calls since the last fault was ordered, by action.
    pub(crate) fn calls(&self) -> Vec<Value> {
        serde_json::from_str(&ask::get(self.address, "/gild/calls")).expect("calls")
    }

    /// How many of them changed something.
    pub(crate) fn changes(&self) -> usize {
        self.calls().iter().filter(|call| call["changing"] == true).count()
    }

    /// The time of all scheduled actions of this name has come.
    pub(crate) fn due(&self, action: &str) {
        ask::post(self.address, "/gild/due", &json!({ "action": action }).to_string());
    }

    /// What there is, by account and region.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&ask::get(self.address, "/gild/state")).expect("a state")
    }

    /// Runs the program and kills it at its `nth` call that changes something, before it is done
    /// or after. `false` where there are not as many.
    pub(crate) fn kill_at(&self, nth: usize, how: &str, arguments: &[&str]) -> bool {
        self.fault(&json!({ "changing": true, "nth": nth, "how": how }));
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
        let end = Instant::now() + PATIENCE;
        loop {
            let ended = child.try_wait().expect("it can be waited for");
            let hung = ask::get(self.address, "/gild/hung") != "0";
            if hung || ended.is_some() {
                // The kernel's own SIGKILL: nothing in the program hears of it.
                let _ = child.kill();
                let _ = child.wait();
                self.fault(&Value::Null);
                return hung;
            }
            assert!(Instant::now() < end, "neither hung nor ended: {arguments:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
