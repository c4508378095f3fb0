//! Cleaning, on the seeded fleet.

use serde_json::{Value, json};

use crate::fleet::seeded;
use crate::golden;
use crate::rig::{BUILD, Emulator, REGION};

/// What tests are called in the seeded fleet.
const ARGUMENTS: [&str; 7] =
    ["clean", "--name", "*-test", "--zone", "stg.local", "--zone", "example.com"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&ARGUMENTS[..], more].concat()
}

#[test]
fn the_plan_takes_what_is_called_so_and_not_what_has_the_word_in_its_name() {
    let emulator = Emulator::start(&seeded());
    let said = emulator.run(&ARGUMENTS).well();
    golden::matches("ami/clean.txt", &said.out);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");
    for spared in ["my-testimonials", "db-test-results", "snap-backup"] {
        assert!(!said.out.contains(spared), "{}", said.out);
    }
}

#[test]
fn what_is_applied_is_what_was_planned_and_a_second_plan_is_empty() {
    let emulator = Emulator::start(&seeded());
    let plan = emulator.run(&with(&["--json"])).well().plan();
    let mut expected = emulator.state();
    emulator.run(&with(&["--apply"])).well();
    for step in plan["steps"].as_array().expect("steps") {
        take(&mut expected[BUILD], step);
    }
    // The disk of an instance goes with it.
    let mut after = emulator.state();
    for state in [&mut expected, &mut after] {
        state[BUILD][REGION].as_object_mut().expect("a region").remove("volumes");
    }
    assert_eq!(after, expected);
    let volumes = emulator.state()[BUILD][REGION]["volumes"].clone();
    assert!(volumes.get("vol-00000000000000001").is_none(), "{volumes}");
    assert!(volumes.get("vol-00000000000000003").is_some(), "{volumes}");
    assert_eq!(emulator.run(&with(&["--json"])).well().steps(), 0);
}

/// What a step takes away.
fn take(account: &mut Value, step: &Value) {
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let there = &mut account[REGION];
    match text(&step["do"]).as_str() {
        "terminate-instance" => {
            there["instances"][text(&step["instance"])] = json!("terminated");
        }
        "delete-volume" => {}
        "delete-snapshot" => {
            let snapshots = there["snapshots"].as_object_mut().expect("snapshots");
            assert!(snapshots.remove(&text(&step["snapshot"])).is_some());
        }
        "delete-record" => {
            let zone = text(&step["name"]) + ".";
            let name = text(&step["record"]["name"]) + ". A";
            let records = account["zones"][zone].as_object_mut().expect("a zone");
            assert!(records.remove(&name).is_some(), "{name} of {records:?}");
        }
        other => panic!("nothing here is to {other}"),
    }
}

#[test]
fn a_question_without_an_answer_makes_no_plan() {
    let emulator = Emulator::start(&seeded());
    emulator.fault(&json!(null));
    emulator.run(&ARGUMENTS).well();
    let mut asked: Vec<_> = emulator.calls().iter().map(|call| call["action"].clone()).collect();
    asked.sort_by_key(|action| action.to_string());
    asked.dedup();
    assert!(asked.len() >= 13, "{asked:?}");
    for action in asked.iter().filter(|action| *action != "GetCallerIdentity") {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said = emulator.run(&with(&["--apply", "--json"]));
        assert_eq!(said.status.code(), Some(1), "{action}: {}", said.out);
        let why = said.plan()["refused"].as_str().expect("a reason").to_owned();
        assert!(why.contains(action.as_str().expect("a name")), "{action}: {why}");
        assert_eq!(said.steps(), 0, "{action}");
        assert_eq!(emulator.changes(), 0, "{action}");
    }
}

#[test]
fn a_run_that_was_killed_at_any_call_is_ended_by_the_next() {
    let end = {
        let emulator = Emulator::start(&seeded());
        emulator.run(&with(&["--apply"])).well();
        emulator.state()
    };
    for (nth, how) in [(2, "hang"), (1, "hang-after")] {
        let emulator = Emulator::start(&seeded());
        let arguments = with(&["--apply"]);
        let killed = (0..100).take_while(|_| emulator.kill_at(nth, how, &arguments)).count();
        assert!(killed > 2, "{killed}");
        emulator.run(&arguments).well();
        assert_eq!(emulator.state(), end, "{how}");
    }
}

#[test]
fn a_bare_substring_is_a_mistake_of_the_command_line() {
    let emulator = Emulator::start(&json!({}));
    let said = emulator.run(&["clean", "--name", "*-test*"]);
    assert_eq!(said.status.code(), Some(4));
    assert!(said.err.contains("must begin or end with 3 letters"), "{}", said.err);
    assert_eq!(emulator.calls().len(), 0);
}
