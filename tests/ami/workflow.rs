//! The scripts of `.github/workflows/fleet.yml`, run as GitHub runs them: with bash, and with the
//! program where the step before has put it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::fleet::seeded;
use crate::rig::Emulator;

/// The script of a step of the workflow.
fn script(step: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github/workflows/fleet.yml");
    let text = fs::read_to_string(path).expect("the workflow");
    let (_, step) = text.split_once(&format!("      - name: {step}\n")).expect("the step");
    let (_, script) = step.split_once("        run: |\n").expect("its script");
    let lines = script.lines().map_while(|line| line.strip_prefix("          "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Runs a step, and gives what it says, its summary and its outputs.
fn run(emulator: &Emulator, step: &str, arguments: &str) -> (Output, String, String) {
    let place = emulator.directory();
    let bin = place.join("bin");
    fs::create_dir_all(&bin).expect("a directory");
    let program = bin.join("gild-ami");
    if !program.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gild-ami"), &program).expect("a link");
    }
    let (summary, outputs) = (place.join("summary.md"), place.join("outputs"));
    fs::write(&summary, "").expect("a file");
    fs::write(&outputs, "").expect("a file");
    let mut command = Command::new("bash");
    let like = emulator.command(&[]);
    command.args(["-e", "-c", &script(step)]).env_clear();
    command.envs(like.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command
        .env("PATH", "/usr/bin:/bin")
        .env("RUNNER_TEMP", place)
        .env("GITHUB_WORKSPACE", place)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .env("GITHUB_OUTPUT", &outputs)
        .env("VERB", "retain")
        .env("ARGUMENTS", arguments)
        .env("NOTIFY", "");
    let output = command.output().expect("bash runs");
    let read = |path: &Path| fs::read_to_string(path).expect("a file");
    (output, read(&summary), read(&outputs))
}

#[test]
fn the_first_job_shows_the_plan_and_the_second_does_it() {
    let emulator = Emulator::start(&seeded());
    let arguments = "--limit=40\n\n  \n--versions=3\n";
    let (output, summary, outputs) = run(&emulator, "Plan", arguments);
    assert!(output.status.success(), "{output:?}");
    let plan = emulator.run(&["retain", "--limit=40", "--versions=3"]).well().out;
    assert_eq!(summary, format!("```text\n{plan}```\n"));
    let steps: usize =
        outputs.trim().strip_prefix("steps=").and_then(|it| it.parse().ok()).expect("a number");
    assert!(steps > 10, "{outputs}");
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");

    let (output, summary, _) = run(&emulator, "Apply", arguments);
    assert!(output.status.success(), "{output:?}");
    assert!(summary.contains(&format!("  done: {steps} of {steps}\n")), "{summary}");
    let (_, _, outputs) = run(&emulator, "Plan", arguments);
    assert_eq!(outputs, "steps=0\n");
}

#[test]
fn a_job_that_fails_says_why_in_its_summary() {
    let emulator = Emulator::start(&seeded());
    for step in ["Plan", "Apply"] {
        emulator.fault(&json!({ "action": "DescribeImages", "how": "deny" }));
        let (output, summary, outputs) = run(&emulator, step, "--limit=40");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(summary.contains("no plan: failed to call DescribeImages"), "{summary}");
        assert_eq!(outputs, "");
    }
}
