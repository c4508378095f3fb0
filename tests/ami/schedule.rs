//! Groups by the clock: an environment of four groups beside others, and one in which nothing is
//! as it should be.

use serde_json::{Value, json};

use crate::golden;
use crate::rig::{BUILD, Emulator, REGION};

/// Turns the environment's schedule on, by its tag.
const ON: [&str; 8] = [
    "schedule",
    "on",
    "--tag",
    "environment=stg",
    "--time-zone",
    "Europe/Warsaw",
    "--stagger",
    "10m",
];

/// Turns it off.
const OFF: [&str; 4] = ["schedule", "off", "--tag", "environment=stg"];

/// Looks at it.
const STATUS: [&str; 5] = ["schedule", "status", "--tag", "environment=stg", "--json"];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

fn group(name: &str, sizes: [u32; 3], tags: Value) -> Value {
    let [min, desired, max] = sizes;
    json!({ "name": name, "template": "any", "min": min, "desired": desired, "max": max, "tags": tags })
}

/// A fleet of these groups.
fn fleet(groups: Vec<Value>) -> Value {
    let template = json!({ "name": "any", "versions": [{ "image": "ami-00000001" }] });
    let image = json!({ "id": "ami-00000001", "name": "any" });
    json!({ BUILD: { REGION: { "images": [image], "templates": [template], "groups": groups } } })
}

fn calm() -> Value {
    let stg = |app: &str| json!({ "environment": "stg", "app": app });
    let mut database = stg("mysql");
    database["role"] = json!("database");
    let mut proxy = stg("proxy");
    proxy["amm:schedule_order"] = json!("2");
    let mut opted_out = stg("consul");
    opted_out["amm:SkipSchedule"] = json!("true");
    fleet(vec![
        group("stg-web", [1, 2, 4], stg("web")),
        group("stg-mysql", [1, 1, 1], database),
        group("stg-proxy", [2, 2, 3], proxy),
        group("stg-api", [0, 3, 6], stg("api")),
        group("stg-consul", [3, 3, 3], opted_out),
        group("prd-web", [2, 2, 8], json!({ "environment": "prd" })),
        group("stg2-web", [1, 1, 1], json!({ "environment": "stg2" })),
    ])
}

fn odd() -> Value {
    let stg = |more: Value| {
        let mut tags = json!({ "environment": "stg" });
        for (key, value) in more.as_object().expect("tags") {
            tags[key] = value.clone();
        }
        tags
    };
    let mut busy = group("stg-busy", [1, 1, 2], stg(json!({})));
    busy["refresh"] = json!("Baking");
    let mut halted = group("stg-halted", [1, 1, 2], stg(json!({})));
    halted["suspended"] = json!(["AZRebalance", "Launch"]);
    let mut uneven = group("stg-uneven", [1, 1, 2], stg(json!({})));
    uneven["suspended"] = json!(["AZRebalance"]);
    uneven["refresh"] = json!("Successful");
    let mut safe = group("stg-safe", [1, 1, 2], stg(json!({})));
    safe["protected"] = json!(true);
    let mut theirs = group("stg-theirs", [1, 1, 2], stg(json!({})));
    theirs["scheduled"] =
        json!([{ "ScheduledActionName": "nightly", "Recurrence": "0 1 * * *", "MinSize": 1 }]);
    let down = json!({
        "amm:schedule_min": "1", "amm:schedule_desired": "2", "amm:schedule_max": "3"
    });
    let unclear = json!({
        "amm:schedule_min": "1", "amm:schedule_desired": "9", "amm:schedule_max": "3"
    });
    fleet(vec![
        busy,
        halted,
        uneven,
        safe,
        theirs,
        group("stg-down", [0, 0, 0], stg(down)),
        group("stg-unclear", [0, 0, 0], stg(unclear)),
        group("stg-zero", [0, 0, 5], stg(json!({}))),
        group("stg-mysql", [1, 1, 1], stg(json!({ "role": "database" }))),
    ])
}

fn groups(state: &Value) -> &Value {
    &state[BUILD][REGION]["groups"]
}

#[test]
fn the_plan_names_the_hours_and_sizes_of_each_group_of_the_environment() {
    let emulator = Emulator::start(&calm());
    golden::matches("ami/schedule-on.txt", &emulator.run(&ON).well().out);
    golden::matches("ami/schedule-on.json", &emulator.run(&with(&ON, &["--json"])).well().out);
    let named = ["schedule", "on", "--name", "stg-w*", "--time-zone", "UTC", "--json"];
    assert_eq!(emulator.run(&named).well().steps(), 2, "one group: its tags and its actions");
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");
}

#[test]
fn what_hinders_keeps_a_group_and_the_database_that_it_may_need() {
    let emulator = Emulator::start(&odd());
    golden::matches("ami/schedule-odd.txt", &emulator.run(&ON).well().out);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");
}

#[test]
fn groups_go_down_and_come_up_again_as_they_were_and_off_leaves_nothing() {
    let emulator = Emulator::start(&calm());
    let before = emulator.state();
    emulator.run(&with(&ON, &["--apply"])).well();
    let on = emulator.state();
    let of = |state: &Value, name: &str| groups(state)[name].clone();
    assert_eq!(of(&on, "stg-web")["tags"]["amm:schedule_max"], "4");
    assert_eq!(
        of(&on, "stg-web")["scheduled"],
        json!({
            "gild-ami-up": ["40 7 * * 1-5", "Europe/Warsaw", 1, 2, 4],
            "gild-ami-down": ["10 20 * * 1-5", "Europe/Warsaw", 0, 0, 0],
        })
    );
    for name in ["stg-consul", "prd-web", "stg2-web"] {
        assert_eq!(of(&on, name), of(&before, name), "{name}");
    }
    assert_eq!(emulator.run(&with(&ON, &["--json"])).well().steps(), 0);

    emulator.due("gild-ami-down");
    let night = emulator.state();
    assert_eq!(of(&night, "stg-api")["sizes"], json!([0, 0, 0]));
    assert_eq!(emulator.run(&with(&ON, &["--json"])).well().steps(), 0, "at night too");

    emulator.due("gild-ami-up");
    assert_eq!(groups(&emulator.state()), groups(&on), "all three sizes are what they were");

    // At night, so that it has to bring them up.
    emulator.due("gild-ami-down");
    let plan = emulator.run(&OFF).well().out;
    golden::matches("ami/schedule-off.txt", &plan);
    emulator.run(&with(&OFF, &["--apply"])).well();
    assert_eq!(groups(&emulator.state()), groups(&before));
    assert_eq!(emulator.run(&with(&OFF, &["--json"])).well().steps(), 0);
}

#[test]
fn status_says_what_comes_next_and_what_has_changed() {
    let emulator = Emulator::start(&calm());
    let status = |more: &[&str]| emulator.run(&with(&STATUS, more)).well().plan();
    let web = |status: Value| {
        let groups = status["groups"].as_array().expect("groups").clone();
        groups.into_iter().find(|it| it["group"] == "stg-web").expect("the group")
    };
    assert_eq!(web(status(&[]))["drift"], json!(["it has no schedule of gild-ami's"]));
    emulator.run(&with(&ON, &["--apply"])).well();
    let found = web(status(&[]));
    assert_eq!(found["drift"], json!([]), "{found}");
    assert_eq!(found["remembered"], json!({ "min": 1, "desired": 2, "max": 4 }));
    for (key, time) in [("up", " 07:40 CE"), ("down", " 20:10 CE")] {
        let next = found[key].as_str().expect("a time");
        assert!(next.contains(time) && !next.starts_with('S'), "{next}");
    }
    let hours = ["--time-zone", "Europe/Warsaw", "--stagger", "10m"];
    assert_eq!(web(status(&hours))["drift"], json!([]));
    let later = with(&hours, &["--down", "21:00"]);
    let drift = web(status(&later))["drift"].to_string();
    assert!(drift.contains("10 21 * * 1-5") && drift.contains("10 20 * * 1-5"), "{drift}");
    let text = emulator.run(&STATUS[..4]).well().out;
    assert!(text.contains("amm:SkipSchedule") && !text.contains("prd-web"), "{text}");
    assert_eq!(
        emulator.run(&["schedule", "status", "--name", "prd-*", "--json"]).well().plan()["groups"]
            .as_array()
            .expect("groups")
            .len(),
        1
    );
}

#[test]
fn off_takes_nothing_of_others_and_waits_where_it_cannot_restore() {
    let mut fleet = calm();
    let groups_of = fleet[BUILD][REGION]["groups"].as_array_mut().expect("groups");
    let theirs =
        json!({ "ScheduledActionName": "nightly", "Recurrence": "0 1 * * *", "MinSize": 1 });
    let own = json!({ "ScheduledActionName": "gild-ami-up", "Recurrence": "0 7 * * *",
        "MinSize": 1, "MaxSize": 1, "DesiredCapacity": 1 });
    groups_of[0]["scheduled"] = json!([theirs, own]);
    // Down, and nothing but the action knows what it was.
    groups_of[1]["scheduled"] = json!([own]);
    for size in ["min", "desired", "max"] {
        groups_of[1][size] = json!(0);
    }
    let emulator = Emulator::start(&fleet);
    let said = emulator.run(&with(&OFF, &["--apply"])).well().out;
    let state = emulator.state();
    let scheduled =
        |name: &str| groups(&state)[name]["scheduled"].as_object().expect("actions").clone();
    assert_eq!(scheduled("stg-web").keys().collect::<Vec<_>>(), ["nightly"], "{said}");
    assert_eq!(scheduled("stg-mysql").keys().collect::<Vec<_>>(), ["gild-ami-up"], "{said}");
    assert!(said.contains("its sizes are not remembered"), "{said}");
}

#[test]
fn a_question_without_an_answer_makes_no_plan() {
    let emulator = Emulator::start(&calm());
    for arguments in [&ON[..], &OFF[..], &STATUS[..4]] {
        for action in
            ["DescribeAutoScalingGroups", "DescribeScheduledActions", "DescribeInstanceRefreshes"]
        {
            emulator.fault(&json!({ "action": action, "how": "deny" }));
            let said = emulator.run(&with(arguments, &["--apply"]));
            assert_eq!(said.status.code(), Some(1), "{arguments:?} {action}: {}", said.out);
            assert!((said.out + &said.err).contains(action), "{arguments:?} {action}");
            assert_eq!(emulator.changes(), 0, "{arguments:?} {action}");
        }
    }
}

#[test]
fn a_run_that_was_killed_at_any_call_is_ended_by_the_next() {
    let end = {
        let emulator = Emulator::start(&calm());
        emulator.run(&with(&ON, &["--apply"])).well();
        emulator.state()
    };
    for (nth, how) in [(2, "hang"), (1, "hang-after")] {
        let emulator = Emulator::start(&calm());
        let before = emulator.state();
        let mut killed = 0;
        while emulator.kill_at(nth, how, &with(&ON, &["--apply"])) {
            killed += 1;
            assert!(killed < 100, "{how}: it comes no further");
            for (name, group) in groups(&emulator.state()).as_object().expect("groups") {
                let goes_down = group["scheduled"].get("gild-ami-down").is_some();
                let is_remembered = group["tags"].get("amm:schedule_desired").is_some();
                assert!(is_remembered || !goes_down, "{how}: {name} is remembered first");
            }
        }
        assert!(killed >= 7, "{killed}");
        emulator.run(&with(&ON, &["--apply"])).well();
        assert_eq!(groups(&emulator.state()), groups(&end), "{how}");

        emulator.due("gild-ami-down");
        let killed =
            (0..100).take_while(|_| emulator.kill_at(nth, how, &with(&OFF, &["--apply"]))).count();
        assert!(killed >= 10, "{killed}");
        emulator.run(&with(&OFF, &["--apply"])).well();
        assert_eq!(groups(&emulator.state()), groups(&before), "{how}");
    }
}

#[test]
fn what_is_not_written_as_it_should_be_is_refused() {
    let emulator = Emulator::start(&fleet(Vec::new()));
    for wrong in [
        &["--up", "7:30"][..],
        &["--up", "24:00"],
        &["--down", "20.00"],
        &["--days", "monday"],
        &["--days", "mon,mon"],
        &["--time-zone", "Warsaw"],
        &["--time-zone", "europe/warsaw"],
        &["--stagger", "90s"],
        &["--stagger", "2h"],
        &["--tag", "environment"],
        &["--name", "*web*"],
    ] {
        let mut arguments = vec!["schedule", "on"];
        if wrong[0] != "--time-zone" {
            arguments.extend(["--time-zone", "UTC"]);
        }
        if !["--tag", "--name"].contains(&wrong[0]) {
            arguments.extend(["--tag", "environment=stg"]);
        }
        let said = emulator.run(&with(&arguments, wrong));
        assert_eq!(said.status.code(), Some(4), "{wrong:?}: {}{}", said.out, said.err);
    }
    let said = emulator.run(&["schedule", "on", "--time-zone", "UTC"]);
    assert_eq!(said.status.code(), Some(4), "nothing is meant by nothing: {}", said.err);
    let said = emulator.run(&["schedule", "status", "--name", "stg-*", "--up", "08:00"]);
    assert_eq!(said.status.code(), Some(4), "hours without a clock: {}", said.err);
    let said = emulator.run(&ON);
    assert_eq!(said.status.code(), Some(1), "{}", said.out);
    assert!(said.out.contains("there is no such group"), "{}", said.out);
}
