//! Assigning the newest images to launch templates, on the seeded fleet.

use serde_json::{Value, json};

use crate::fleet::{image_id, seeded};
use crate::golden;
use crate::rig::{BUILD, Emulator, REGION};

/// One whose template has an older image, and one whose template has the newest.
const ARGUMENTS: [&str; 5] = ["assign", "--app", "auth", "--app", "cache"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&ARGUMENTS[..], more].concat()
}

#[test]
fn the_newest_image_is_assigned_and_a_second_plan_is_empty() {
    let emulator = Emulator::start(&seeded());
    let said = emulator.run(&ARGUMENTS).well();
    golden::matches("ami/assign.txt", &said.out);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");
    emulator.run(&with(&["--apply"])).well();
    let there = emulator.state()[BUILD][REGION].clone();
    let templates = there["templates"].as_object().expect("templates");
    let auth = templates.values().find(|it| it["versions"]["1"] == image_id(10, 1));
    let auth = auth.expect("a template");
    assert_eq!(auth["versions"]["2"], image_id(10, 4));
    assert_eq!(auth["default"], 1, "the default one is another matter");
    assert_eq!(there["images"][image_id(10, 4)]["tags"]["amm:template_status"], "auth");
    assert_eq!(emulator.run(&with(&["--json"])).well().steps(), 0);

    emulator.run(&with(&["--default", "--apply"])).well();
    let templates = emulator.state()[BUILD][REGION]["templates"].clone();
    let defaults: Vec<_> =
        templates.as_object().expect("templates").values().map(|it| &it["default"]).collect();
    assert!(defaults.contains(&&json!(2)), "{defaults:?}");
    assert_eq!(emulator.run(&with(&["--default", "--json"])).well().steps(), 0);
}

#[test]
fn instances_are_replaced_to_the_end_and_a_refresh_that_fails_is_a_failure() {
    let emulator = Emulator::start(&seeded());
    let all = ["assign", "--app", "auth", "--default", "--refresh", "--poll", "10ms"];
    let apply = [&all[..], &["--apply"]].concat();
    emulator.fault(&json!({ "action": "StartInstanceRefresh", "nth": 1, "how": "fail-refresh" }));
    let said = emulator.run(&apply);
    assert_eq!(said.status.code(), Some(1));
    assert!(said.err.contains("the instance refresh of auth is Failed"), "{}", said.err);

    let emulator = Emulator::start(&seeded());
    emulator.fault(&Value::Null);
    emulator.run(&apply).well();
    let looks =
        emulator.calls().iter().filter(|it| it["action"] == "DescribeInstanceRefreshes").count();
    assert_eq!(looks, 2, "followed to its end");
    let second = emulator.run(&[&all[..], &["--json"]].concat()).well();
    assert_eq!(second.steps(), 0, "{}", second.out);
}

#[test]
fn a_service_that_is_not_there_is_a_failure_and_nothing_is_assigned_to_the_others() {
    let emulator = Emulator::start(&seeded());
    emulator.fault(&Value::Null);
    let said = emulator.run(&with(&["--app", "web", "--apply"]));
    assert_eq!(said.status.code(), Some(1));
    assert!(said.out.contains("web: no launch template has its name"), "{}", said.out);
    assert_eq!(emulator.changes(), 0);
}

#[test]
fn a_run_that_was_killed_at_any_call_is_ended_by_the_next() {
    let all = with(&["--default", "--refresh", "--poll", "10ms", "--apply"]);
    let end = {
        let emulator = Emulator::start(&seeded());
        emulator.run(&all).well();
        emulator.state()
    };
    for (nth, how) in [(2, "hang"), (1, "hang-after")] {
        let emulator = Emulator::start(&seeded());
        let killed = (0..50).take_while(|_| emulator.kill_at(nth, how, &all)).count();
        assert!(killed > 2, "{killed}");
        emulator.run(&all).well();
        assert_eq!(emulator.state(), end, "{how}");
    }
}

#[test]
fn a_question_without_an_answer_assigns_nothing() {
    let emulator = Emulator::start(&seeded());
    for action in [
        "DescribeImages",
        "DescribeInstances",
        "DescribeLaunchTemplates",
        "DescribeLaunchTemplateVersions",
        "DescribeLaunchConfigurations",
        "DescribeAutoScalingGroups",
    ] {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said = emulator.run(&with(&["--apply", "--json"]));
        assert_eq!(said.status.code(), Some(1), "{action}");
        assert!(said.plan()["refused"].to_string().contains(action), "{}", said.out);
        assert_eq!(emulator.changes(), 0, "{action}");
    }
}
