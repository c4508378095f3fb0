//! Retention, on the seeded fleet.

use serde_json::json;

use crate::fleet::{image_id, large, seeded};
use crate::golden;
use crate::rig::{BUILD, Emulator, REGION, TARGET, role};

#[test]
fn the_plan_takes_what_is_neither_new_nor_used_nor_shared_beyond_sight() {
    let emulator = Emulator::start(&seeded());
    let said = emulator.run(&["retain", "--limit", "40"]).well();
    golden::matches("ami/retain.txt", &said.out);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");

    let reader = role(TARGET);
    let said = emulator.run(&["retain", "--limit", "40", "--reader", &reader, "--json"]).well();
    golden::matches("ami/retain.json", &said.out);
    let text = said.out;
    assert!(text.contains(&image_id(3, 1)), "shared, and not used there: {text}");
}

#[test]
fn what_is_applied_is_what_was_planned_and_a_second_plan_is_empty() {
    let emulator = Emulator::start(&seeded());
    let reader = role(TARGET);
    let arguments = ["retain", "--limit", "40", "--reader", &reader];
    let plan = emulator.run(&[&arguments[..], &["--json"]].concat()).well().plan();
    let before = emulator.state();
    emulator.run(&[&arguments[..], &["--apply"]].concat()).well();
    let after = emulator.state();

    let mut expected = before.clone();
    let there = &mut expected[BUILD][REGION];
    for step in plan["steps"].as_array().expect("steps") {
        let field = |name: &str| step[name].as_str().expect("a name").to_owned();
        match step["do"].as_str().expect("an action") {
            "deregister-image" => {
                there["images"].as_object_mut().expect("images").remove(&field("image"))
            }
            "delete-snapshot" => {
                there["snapshots"].as_object_mut().expect("snapshots").remove(&field("snapshot"))
            }
            "delete-template-versions" => {
                let template = &mut there["templates"][field("template")];
                for number in step["versions"].as_array().expect("numbers") {
                    let versions = template["versions"].as_object_mut().expect("versions");
                    versions.remove(&number.to_string());
                }
                None
            }
            other => panic!("retention does not {other}"),
        };
    }
    assert_eq!(after, expected);
    assert_ne!(after, before);
    assert_eq!(emulator.run(&[&arguments[..], &["--json"]].concat()).well().steps(), 0);
}

#[test]
fn a_question_without_an_answer_makes_no_plan() {
    let emulator = Emulator::start(&seeded());
    let reader = role(TARGET);
    let arguments = ["retain", "--reader", &reader, "--apply", "--json"];
    emulator.fault(&json!(null));
    emulator.run(&["retain", "--reader", &reader]).well();
    let mut asked: Vec<_> = emulator.calls().iter().map(|call| call["action"].clone()).collect();
    asked.sort_by_key(|action| action.to_string());
    asked.dedup();
    assert!(asked.len() >= 9, "{asked:?}");
    for action in asked.iter().filter(|action| *action != "GetCallerIdentity") {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said = emulator.run(&arguments);
        assert_eq!(said.status.code(), Some(1), "{action}: {}", said.out);
        let why = said.plan()["refused"].as_str().expect("a reason").to_owned();
        assert!(why.contains(action.as_str().expect("a name")), "{why}");
        assert_eq!(said.steps(), 0, "{action}");
        assert_eq!(emulator.changes(), 0, "{action}");
    }
}

#[test]
fn a_question_that_is_throttled_for_too_long_makes_no_plan_and_one_that_is_not_does() {
    let emulator = Emulator::start(&seeded());
    let reader = role(TARGET);
    let arguments = ["retain", "--reader", &reader, "--patience", "300ms", "--apply", "--json"];
    for action in
        ["DescribeImages", "DescribeSnapshots", "DescribeInstances", "DescribeImageAttribute"]
    {
        emulator.fault(&json!({ "action": action, "how": "throttle" }));
        let said = emulator.run(&arguments);
        assert_eq!(said.status.code(), Some(1), "{action}: {}", said.out);
        let why = said.plan()["refused"].to_string();
        assert!(why.contains(action) && why.contains("RequestLimitExceeded"), "{why}");
        assert_eq!(emulator.changes(), 0, "{action}");
    }
    emulator.fault(&json!({ "action": "DescribeImages", "nth": 1, "how": "throttle" }));
    let said = emulator.run(&["retain", "--reader", &reader, "--json"]).well();
    assert!(said.steps() > 0, "asked again, and answered");
}

#[test]
fn a_run_that_was_killed_at_any_call_is_ended_by_the_next() {
    let arguments = ["retain", "--limit", "40", "--apply"];
    let end = {
        let emulator = Emulator::start(&seeded());
        emulator.run(&arguments).well();
        emulator.state()
    };
    // Before the second call, so that each run does one; and after the first.
    for (nth, how) in [(2, "hang"), (1, "hang-after")] {
        let emulator = Emulator::start(&seeded());
        let killed = (0..100).take_while(|_| emulator.kill_at(nth, how, &arguments)).count();
        assert!(killed > 10, "{killed}");
        emulator.run(&arguments).well();
        let state = emulator.state();
        for kind in ["images", "templates"] {
            assert_eq!(state[BUILD][REGION][kind], end[BUILD][REGION][kind], "{how}");
        }
        // Snapshots of an image that went just before the end are what `clean` finds.
        emulator.run(&["clean", "--kind", "orphans", "--limit", "100", "--apply"]).well();
        let known = &end[BUILD][REGION]["snapshots"];
        let left = emulator.state()[BUILD][REGION]["snapshots"].clone();
        for id in left.as_object().expect("snapshots").keys() {
            assert!(known.get(id).is_some(), "{how}: {id} is left");
        }
    }
}

#[test]
fn a_plan_for_five_thousand_images_takes_a_few_dozen_calls() {
    let emulator = Emulator::start(&large());
    emulator.fault(&json!(null));
    let start = std::time::Instant::now();
    let plan = emulator.run(&["retain", "--limit", "10", "--json"]).well().plan();
    let took = start.elapsed();
    let calls = emulator.calls().len();
    println!("{calls} calls, {:.1} s", took.as_secs_f64());
    assert!(calls <= 60, "{calls}");
    let steps = plan["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), 20, "ten images and their snapshots");
    // 100 services keep 3 of 50 versions each; 17 of the instances' images are older.
    let waiting = 100 * 47 - 17 - 10;
    assert_eq!(plan["notes"][0], format!("{waiting} more images wait for another run (--limit)"));
}
