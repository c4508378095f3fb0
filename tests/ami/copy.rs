//! Copies into the account that uses images, from the seeded fleet of the one that builds them.

use serde_json::{Value, json};

use crate::fleet::{image_id, seeded};
use crate::golden;
use crate::rig::{BUILD, Emulator, REGION, TARGET, role};

/// The seeded fleet, with an old copy of an image that was built anew since, in use and not.
pub(crate) fn fleet() -> Value {
    let mut fleet = seeded();
    let old = |id: &str, app: &str, source: &str| {
        json!({
            "id": id, "name": format!("{app}-1.12.0"), "age_days": 50, "encrypted": true,
            "tags": {
                "app": app, "version": "1.12.0", "amm:source_ami": source,
                "amm:source_account": BUILD, "amm:source_region": REGION,
                "amm:source_name": format!("{app}-1.12.0"),
            },
        })
    };
    // The newest of `mysql`.
    let tags = &mut fleet[BUILD][REGION]["images"][19]["tags"];
    tags["team"] = json!("data");
    tags["amm:SkipClean"] = json!("true");
    fleet[TARGET][REGION]["images"] = json!([
        old("ami-0c0c0c0c00000001", "web", "ami-0dead00000000001"),
        old("ami-0c0c0c0c00000002", "mysql", "ami-0dead00000000002"),
        old("ami-0c0c0c0c00000003", "worker", &image_id(6, 4)),
        { "id": "ami-0c0c0c0c00000004", "name": "own", "age_days": 50 },
    ]);
    fleet[TARGET][REGION]["instances"] = json!([{ "image": "ami-0c0c0c0c00000002" }]);
    fleet
}

fn arguments<'a>(role: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let all = ["copy", "--role", role, "--from", BUILD, "--poll", "10ms"];
    [&all[..], more].concat()
}

/// What is in the account that uses images, without what differs between two runs.
fn there(emulator: &Emulator) -> Vec<Value> {
    let state = emulator.state()[TARGET][REGION].clone();
    let images = state["images"].as_object().expect("images").values().map(|image| {
        let snapshots = image["snapshots"].as_array().expect("snapshots").iter();
        let tags =
            snapshots.map(|id| state["snapshots"][id.as_str().expect("an id")]["tags"].clone());
        json!({
            "name": image["name"], "tags": image["tags"], "encrypted": image["encrypted"],
            "state": image["state"], "snapshots": tags.collect::<Vec<_>>(),
        })
    });
    let mut all: Vec<_> = images.collect();
    all.sort_by_key(ToString::to_string);
    let has = state["images"].to_string();
    for snapshot in state["snapshots"].as_object().expect("snapshots").keys() {
        assert!(has.contains(snapshot), "{snapshot} is an orphan");
    }
    all
}

#[test]
fn what_is_shared_is_copied_with_its_tags_and_a_second_plan_is_empty() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    let said = emulator.run(&arguments(&role, &[])).well();
    golden::matches("ami/copy.txt", &said.out);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");

    emulator.run(&arguments(&role, &["--kms-key", "alias/own", "--apply"])).well();
    golden::matches(
        "ami/copy-there.json",
        &(serde_json::to_string_pretty(&there(&emulator)).expect("JSON") + "\n"),
    );
    let second = emulator.run(&arguments(&role, &["--json"])).well();
    assert_eq!(second.steps(), 0, "{}", second.out);
    let kept = emulator.state()[TARGET][REGION]["images"].clone();
    assert!(kept.get("ami-0c0c0c0c00000001").is_none(), "replaced, and gone");
    assert!(kept.get("ami-0c0c0c0c00000002").is_some(), "replaced, and in use");
    assert!(kept.get("ami-0c0c0c0c00000004").is_some(), "no copy");
}

#[test]
fn tags_that_only_the_owner_sees_are_read_by_a_role_of_its_own() {
    let emulator = Emulator::start(&fleet());
    let (role, source) = (role(TARGET), role(BUILD));
    let tags = |more: &[&str]| {
        let said = emulator.run(&arguments(&role, &[more, &["--json"]].concat())).well();
        said.plan()["steps"][0]["tags"].clone()
    };
    assert_eq!(tags(&[])["timestamp"], "20260701120000", "from the description");
    let own = tags(&["--source-role", &source]);
    assert_eq!(own["team"], "data", "a tag that the description does not have: {own}");
    assert_eq!(own.get("amm:SkipClean"), None, "what is said of the source is not said of it");
}

#[test]
fn no_more_than_five_copies_are_under_way_at_once() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    emulator.fault(&Value::Null);
    emulator.run(&arguments(&role, &["--versions", "5", "--apply"])).well();
    let (mut begun, mut most) = (0, 0);
    for call in emulator.calls() {
        if call["action"] == "CopyImage" {
            begun += 1;
        }
        most = most.max(call["pending"].as_u64().expect("a number"));
    }
    assert!(begun > 10, "{begun}");
    assert_eq!(most, 5);
}

#[test]
fn copies_of_a_run_that_died_count_among_the_five() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    let of = |app| arguments(&role, &["--versions", "5", "--app", app, "--apply"]);
    assert!(emulator.kill_at(5, "hang-after", &of("web")), "killed with five under way");
    emulator.fault(&Value::Null);
    let said = emulator.run(&of("mysql")).well();
    let calls = emulator.calls();
    let begun = calls.iter().filter(|call| call["action"] == "CopyImage").count();
    let most = calls.iter().filter_map(|call| call["pending"].as_u64()).max();
    assert_eq!((begun, most), (5, Some(5)));
    assert!(said.err.contains("copies") && said.err.contains("pending=5"), "{}", said.err);
    let again = arguments(&role, &["--versions", "5", "--app", "web", "--json"]);
    let left = emulator.run(&again).plan()["steps"].clone();
    let left: Vec<_> = left.as_array().expect("steps").iter().map(|it| it["do"].clone()).collect();
    assert_eq!(left, ["deregister-image", "delete-snapshot"], "only the old copy is left to go");
}

#[test]
fn copies_that_do_not_end_are_given_up_at_the_deadline() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    let never = arguments(&role, &["--deadline", "0s", "--apply"]);
    let said = emulator.run(&never);
    assert_eq!(said.status.code(), Some(1));
    assert!(said.err.contains("took too long"), "{}", said.err);
    let kept = emulator.state()[TARGET][REGION]["images"].clone();
    assert!(kept.get("ami-0c0c0c0c00000001").is_some(), "the old copy stays: {kept}");
    emulator.run(&arguments(&role, &["--apply"])).well();
    assert_eq!(emulator.run(&arguments(&role, &["--json"])).well().steps(), 0);
}

#[test]
fn a_copy_that_fails_leaves_the_old_one_and_is_made_anew() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    emulator.fault(&json!({ "action": "CopyImage", "nth": 1, "how": "fail-copy" }));
    let said = emulator.run(&arguments(&role, &["--apply"]));
    assert_eq!(said.status.code(), Some(1));
    assert!(said.err.contains("is failed"), "{}", said.err);
    let kept = emulator.state()[TARGET][REGION]["images"].clone();
    assert!(kept.get("ami-0c0c0c0c00000001").is_some(), "{kept}");
    emulator.fault(&Value::Null);
    emulator.run(&arguments(&role, &["--apply"])).well();
    assert_eq!(emulator.run(&arguments(&role, &["--json"])).well().steps(), 0);
    assert!(there(&emulator).iter().all(|image| image["state"] == "available"));
}

#[test]
fn copies_are_made_in_each_region_from_where_the_images_are() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    let regions = ["--from-region", REGION, "--to-region", REGION, "--to-region", "us-east-1"];
    emulator.run(&arguments(&role, &[&regions[..], &["--apply"]].concat())).well();
    let state = emulator.state();
    for (region, count) in [(REGION, 6), ("us-east-1", 6)] {
        let images = state[TARGET][region]["images"].as_object().expect("images");
        let copies = images.values().filter(|it| it["tags"]["amm:source_region"] == REGION);
        let copies: Vec<_> = copies.collect();
        assert!(copies.len() >= count, "{region}: {images:?}");
        assert!(copies.iter().all(|it| it["encrypted"] == true && it["state"] == "available"));
    }
    let second = emulator.run(&arguments(&role, &regions)).well();
    assert_eq!(second.out.matches("  0 to do").count(), 2, "{}", second.out);
}

#[test]
fn an_old_copy_that_came_into_use_while_new_ones_were_made_stays() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    let old = "ami-0c0c0c0c00000001";
    emulator.fault(&json!({ "action": "CopyImage", "nth": 1, "how": format!("use {old}") }));
    let said = emulator.run(&arguments(&role, &["--apply"]));
    assert_eq!(said.status.code(), Some(1));
    assert!(said.err.contains("is in use by now: instance"), "{}", said.err);
    emulator.fault(&Value::Null);
    let second = emulator.run(&arguments(&role, &["--apply"])).well();
    assert!(second.out.contains("in use: instance"), "{}", second.out);
    let kept = emulator.state()[TARGET][REGION]["images"].clone();
    assert!(kept.get(old).is_some(), "{kept}");
}

#[test]
fn a_run_that_was_killed_at_any_call_is_ended_by_the_next() {
    let role = role(TARGET);
    let end = {
        let emulator = Emulator::start(&fleet());
        emulator.run(&arguments(&role, &["--apply"])).well();
        there(&emulator)
    };
    for (nth, how) in [(2, "hang"), (1, "hang-after")] {
        let emulator = Emulator::start(&fleet());
        let all = arguments(&role, &["--apply"]);
        let killed = (0..100).take_while(|_| emulator.kill_at(nth, how, &all)).count();
        assert!(killed > 5, "{killed}");
        emulator.run(&all).well();
        // A run that died between an image and its snapshots has left those.
        emulator
            .run(&["clean", "--role", &role, "--kind", "orphans", "--min-age", "0s", "--apply"])
            .well();
        assert_eq!(there(&emulator), end, "{how}");
    }
}

#[test]
fn a_question_without_an_answer_copies_nothing() {
    let emulator = Emulator::start(&fleet());
    let role = role(TARGET);
    for action in [
        "DescribeImages",
        "DescribeSnapshots",
        "DescribeInstances",
        "DescribeLaunchTemplates",
        "DescribeLaunchConfigurations",
        "DescribeAutoScalingGroups",
    ] {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said = emulator.run(&arguments(&role, &["--apply", "--json"]));
        assert_eq!(said.status.code(), Some(1), "{action}");
        assert!(said.plan()["refused"].to_string().contains(action), "{}", said.out);
        assert_eq!(emulator.changes(), 0, "{action}");
    }
}
