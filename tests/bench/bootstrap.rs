//! A boot by gild beside the shell script that it replaces, `bootstrap.sh`: the same reads from the
//! same places at the same distance, and the same playbook by the same Ansible.
//!
//! The aws CLI is the one of `GILD_BENCH_AWS`, a virtual environment's `bin`, which `run` makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::boot;
use crate::rows::{Row, median};
use crate::world::World;

const ROUNDS: usize = 5;
/// As far as the remotes of a region are, nearer, and farther.
const ROUND_TRIPS_MS: [u64; 3] = [5, 20, 100];

pub(crate) fn run(gild: &Path) {
    let aws = std::env::var_os("GILD_BENCH_AWS").map(PathBuf::from);
    let aws = aws.expect("tests/bench/run says where the aws CLI is");
    let ansible = std::env::var_os("GILD_TEST_ANSIBLE").map(PathBuf::from);
    let ansible = ansible.expect("GILD_TEST_ANSIBLE names no ansible-playbook");
    println!("{:<44} {:>10} {:<6} {:>19} {:>9}", "", "median", "", "least–greatest", "to gild");
    for round_trip_ms in ROUND_TRIPS_MS {
        let world = World::new(Duration::from_millis(round_trip_ms), false);
        let bench = Bench { gild, aws: &aws, ansible: &ansible, world: &world };
        bench.reads(round_trip_ms);
        if round_trip_ms == 20 {
            bench.boots();
        }
    }
    cold(gild, &aws.join("aws"));
}

struct Bench<'a> {
    gild: &'a Path,
    aws: &'a Path,
    ansible: &'a Path,
    world: &'a World,
}

impl Bench<'_> {
    /// From the start to what is merged.
    fn reads(&self, round_trip_ms: u64) {
        let root = tempfile::tempdir().unwrap();
        self.world.install(root.path());
        let [first, again, script] = in_turn([
            &mut || {
                let _ = fs::remove_dir_all(root.path().join("var/lib/gild/last-good"));
                timed(&mut self.world.configure(self.gild, root.path()))
            },
            &mut || timed(&mut self.world.configure(self.gild, root.path())),
            &mut || timed(&mut self.script(None)),
        ]);
        let base = median(&first);
        let name = |who: &str| format!("start to merged, {round_trip_ms} ms to remotes, {who}");
        row(name("gild, nothing kept"), first, base);
        row(name("gild, again"), again, base);
        row(name("the script"), script, base);
    }

    /// From the start to ready.
    fn boots(&self) {
        let root = tempfile::tempdir().unwrap();
        boot::install(self.world, root.path(), Some(self.ansible));
        let playbook = root.path().join("deployment/playbook");
        let mut number = 0;
        let [first, again, bare, script] = in_turn([
            &mut || {
                number += 1;
                let local = format!("configuration.run = 'on-change'\nvars.n = {number}\n");
                fs::write(root.path().join("etc/gild/config.d/10-local.toml"), local).unwrap();
                timed(&mut self.world.configure(self.gild, root.path()))
            },
            &mut || timed(&mut self.world.configure(self.gild, root.path())),
            &mut || timed(&mut self.bare(&playbook)),
            &mut || timed(&mut self.script(Some(&playbook))),
        ]);
        let (whole, unchanged) = (median(&first), median(&again));
        row("start to ready with the playbook, gild".to_owned(), first, whole);
        row("the playbook alone, ansible-playbook".to_owned(), bare, whole);
        row("start to ready with the playbook, the script".to_owned(), script.clone(), whole);
        row("a reboot without change, gild".to_owned(), again, unchanged);
        row("a reboot without change, the script".to_owned(), script, unchanged);
    }

    fn script(&self, playbook: Option<&Path>) -> Command {
        let here = tempfile::tempdir().unwrap().keep();
        let [global, account, ssm] = self.world.urls();
        let ansible = self.ansible.parent().unwrap().display();
        let mut command = Command::new("sh");
        // What it has written goes with it.
        command
            .args(["-c", "sh \"$0\"; code=$?; rm -r \"$HERE\"; exit $code"])
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/bench/bootstrap.sh"))
            .env_clear()
            .env("PATH", format!("{}:{ansible}:/usr/bin:/bin", self.aws.display()))
            .env("HOME", &here)
            .env("HERE", &here)
            .env("LANG", "C.UTF-8")
            .env("IMDS", self.world.imds.endpoint())
            .env("GLOBAL", global)
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.world.imds.endpoint())
            .env("AWS_DEFAULT_REGION", "eu-west-1")
            .env("AWS_ENDPOINT_URL_S3", account)
            .env("AWS_ENDPOINT_URL_SSM", ssm);
        if let Some(playbook) = playbook {
            command.env("PLAYBOOK", playbook);
        }
        command
    }

    /// Ansible by itself, with the values already there.
    fn bare(&self, playbook: &Path) -> Command {
        let mut command = Command::new(self.ansible);
        command.current_dir(playbook).env("LANG", "C.UTF-8");
        command.args(["--connection=local", "--inventory", "127.0.0.1,"]);
        command.args(["--tags", "configuration", "--extra-vars", "global_1=x global_2=y"]);
        command.arg("main.yml");
        command
    }
}

/// How long a program takes to say its version when none of it is in memory, and when all of it is.
fn cold(gild: &Path, aws: &Path) {
    let run = |program: &Path| timed(Command::new(program).arg("--version"));
    let forgotten = |program: &Path| {
        fs::write("/proc/sys/vm/drop_caches", "3").expect("only root may drop the cache");
        run(program)
    };
    // Before anything is written, all that is dirty is.
    assert!(Command::new("sync").status().unwrap().success());
    let [own_cold, aws_cold, own_warm, aws_warm] =
        in_turn([&mut || forgotten(gild), &mut || forgotten(aws), &mut || run(gild), &mut || {
            run(aws)
        }]);
    let (cold, warm) = (median(&own_cold), median(&own_warm));
    row("--version, cold page cache, gild".to_owned(), own_cold, cold);
    row("--version, cold page cache, aws".to_owned(), aws_cold, cold);
    row("--version, warm, gild".to_owned(), own_warm, warm);
    row("--version, warm, aws".to_owned(), aws_warm, warm);
}

/// Each of them in every round, so that what else the machine does meets all alike. One round more
/// than are counted: the first is to warm up.
fn in_turn<const N: usize>(mut each: [&mut dyn FnMut() -> f64; N]) -> [Vec<f64>; N] {
    let mut found = [(); N].map(|()| Vec::new());
    for round in 0..=ROUNDS {
        for (once, values) in each.iter_mut().zip(&mut found) {
            let took = once();
            if round > 0 {
                values.push(took);
            }
        }
    }
    found
}

/// Milliseconds until it has ended well.
fn timed(command: &mut Command) -> f64 {
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let took = begun.elapsed().as_secs_f64() * 1e3;
    assert!(output.status.success(), "{command:?}: {output:?}");
    took
}

fn row(name: String, values: Vec<f64>, base: f64) {
    Row { benchmark: "bootstrap", name, unit: "ms", values, base: Some(base) }.print();
}
