//! How long a boot takes, and what of it is gild's: one that changes nothing, after a
//! reboot, and one whose step runs Ansible. Beside it: Ansible alone, saying its version
//! and running a playbook that is empty.
//!
//! The time is that of the whole process as this program sees it, and next to it what
//! `gild blame` says. `/run` is in memory, as on a host, and empty after a reboot.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::figures::Times;
use crate::world::World;

const ROUNDS: usize = 50;
/// Each of these runs Ansible.
const CHANGED: usize = 3;
const BESIDE: usize = 5;
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Tasks of the kinds that playbooks are made of, and how often they come. What they
/// write is not in the playbook, which would be another one then.
const TASKS: &[&str] = &[
    "ansible.builtin.stat: { path: /etc/hostname }",
    "ansible.builtin.command: { cmd: /bin/true }",
    "ansible.builtin.set_fact: { fact: \"{{ global_1 }}\" }",
    "ansible.builtin.file: { path: \"HERE\", state: directory }",
    "ansible.builtin.copy: { dest: \"HERE/copy\", content: \"{{ global_2 }}\" }",
    "ansible.builtin.lineinfile: { path: \"HERE/line\", line: x, create: true }",
];
const TIMES: usize = 6;

pub(crate) fn run(gild: &Path) {
    let ansible = std::env::var_os("GILD_TEST_ANSIBLE").map(PathBuf::from);
    let world = World::new(ROUND_TRIP, false);
    let root = tempfile::tempdir().unwrap();
    install(&world, root.path(), ansible.as_deref());
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    fs::remove_dir_all(root.path().join("run/gild")).unwrap();
    symlink(memory.path(), root.path().join("run/gild")).unwrap();
    println!(
        "1 ms to the metadata service, a round trip of {} ms to each of three remotes",
        ROUND_TRIP.as_millis()
    );
    println!("{:<44} {:>10} {:>10}", "", "median", "worst");
    unchanged(gild, &world, root.path(), ansible.as_deref());
    match &ansible {
        Some(_) => changed(gild, &world, root.path()),
        None => println!("GILD_TEST_ANSIBLE names no ansible-playbook: nothing was run with it"),
    }
}

/// A host whose step runs Ansible, through a program that notes that it was started.
pub(crate) fn install(world: &World, root: &Path, ansible: Option<&Path>) {
    world.install(root);
    fs::write(root.join("etc/gild/config.d/10-local.toml"), "configuration.run = 'on-change'\n")
        .unwrap();
    let bin = root.join("deployment/ansibleenv/bin");
    let playbook = root.join("deployment/playbook");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&playbook).unwrap();
    let run = ansible.map(|ansible| format!("exec {} \"$@\"\n", ansible.display()));
    let noted = started(root);
    let text = format!("#!/bin/sh\necho $$ >>{}\n{}", noted.display(), run.unwrap_or_default());
    let program = bin.join("ansible-playbook");
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&noted, "").unwrap();
    if let Some(python) = ansible.map(|ansible| ansible.with_file_name("python3")) {
        let settings = format!("[defaults]\ninterpreter_python = {}\n", python.display());
        fs::write(playbook.join("ansible.cfg"), settings).unwrap();
    }
    let tasks = TASKS.repeat(TIMES);
    let here = root.join("made").display().to_string();
    let tasks = tasks.iter().enumerate().map(|(number, task)| {
        let task = task.replace("HERE", &here);
        format!("    - name: task {number}\n      tags: configuration\n      {task}\n")
    });
    let head = "- hosts: all\n  gather_facts: true\n  tasks:\n";
    fs::write(playbook.join("main.yml"), head.to_owned() + &tasks.collect::<String>()).unwrap();
}

fn started(root: &Path) -> PathBuf {
    root.join("started")
}

/// How often Ansible was started.
fn starts(root: &Path) -> usize {
    fs::read_to_string(started(root)).unwrap().lines().count()
}

/// One boot from the start of the process to its end, and what `gild blame` says of it.
fn boot(gild: &Path, world: &World, root: &Path) -> (Duration, Value) {
    for entry in fs::read_dir(root.join("run/gild")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap()
        } else {
            fs::remove_file(path).unwrap()
        }
    }
    let mut command = world.configure(gild, root);
    let begun = Instant::now();
    let output = command.stdout(Stdio::null()).output().unwrap();
    let took = begun.elapsed();
    let mut command = Command::new(gild);
    let blame = command.arg("--root").arg(root).args(["blame", "--json"]).output().unwrap();
    let blame: Value = serde_json::from_slice(&blame.stdout).unwrap();
    assert_eq!(blame["outcome"], "ready", "{blame:#} {output:?}");
    (took, blame)
}

fn unchanged(gild: &Path, world: &World, root: &Path, ansible: Option<&Path>) {
    boot(gild, world, root);
    let before = starts(root);
    let (mut whole, mut total) = (Times::default(), Times::default());
    let mut phases: BTreeMap<String, Times> = BTreeMap::new();
    for _ in 0..ROUNDS {
        let (took, blame) = boot(gild, world, root);
        assert_eq!((&blame["step_ran"], &blame["engine"]), (&false.into(), &Value::Null));
        whole.add(took);
        total.add(ms(&blame["total_ms"]));
        for phase in blame["phases"].as_array().unwrap() {
            let name = phase["name"].as_str().unwrap().to_owned();
            phases.entry(name).or_default().add(ms(&phase["duration_ms"]));
        }
    }
    assert_eq!(starts(root), before, "Ansible was started");
    line(&format!("a reboot that changes nothing, {ROUNDS} rounds"), &whole);
    line("  by gild blame, to the outcome", &total);
    for (name, times) in &phases {
        line(&format!("    {name}"), times);
    }
    let Some(ansible) = ansible else { return };
    let empty = root.join("empty.yml");
    fs::write(&empty, "- hosts: all\n  gather_facts: false\n  tasks: []\n").unwrap();
    let local = ["--connection=local", "--inventory", "127.0.0.1,"];
    for (what, arguments) in [
        ("ansible-playbook --version", vec!["--version".into()]),
        (
            "ansible-playbook, an empty playbook",
            local.iter().map(Into::into).chain([empty.into_os_string()]).collect(),
        ),
    ] {
        let mut times = Times::default();
        for _ in 0..BESIDE {
            let begun = Instant::now();
            let output = Command::new(ansible).args(&arguments).output().unwrap();
            assert!(output.status.success(), "{output:?}");
            times.add(begun.elapsed());
        }
        line(&format!("{what}, {BESIDE} rounds"), &times);
        println!("{:<44} {:>10.1}", "  as many reboots", times.at(0.5) / whole.at(0.5));
    }
}

fn changed(gild: &Path, world: &World, root: &Path) {
    let [mut own, mut engine, mut share] = [(); 3].map(|()| Times::default());
    for round in 0..CHANGED {
        let before = starts(root);
        let local = format!("configuration.run = 'on-change'\nvars.round = {round}\n");
        fs::write(root.join("etc/gild/config.d/10-local.toml"), local).unwrap();
        let (_, blame) = boot(gild, world, root);
        assert!(starts(root) > before && blame["engine"] == "ansible", "{blame:#}");
        own.add(ms(&blame["own_ms"]));
        engine.add(ms(&blame["engine_ms"]));
        share.add(Duration::from_secs_f64(blame["own_per_engine"].as_f64().unwrap() / 1e3));
    }
    let tasks = TASKS.len() * TIMES;
    line(&format!("a changed boot: Ansible, {tasks} tasks, {CHANGED} rounds"), &engine);
    line("  what gild adds", &own);
    let [median, worst] = [0.5, 1.0].map(|at| share.at(at) * 100.0);
    println!("{:<44} {median:>8.2} % {worst:>8.2} %", "  of Ansible's own time");
    println!("{:<44} {:>8.1} s", "  1 % where Ansible takes", own.at(0.5) / 10.0);
}

fn ms(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap() / 1e3)
}

fn line(what: &str, times: &Times) {
    let [median, worst] = [0.5, 1.0].map(|share| times.at(share));
    println!("{what:<44} {median:>7.1} ms {worst:>7.1} ms");
}
