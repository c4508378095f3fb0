//! Sharing, on the seeded fleet.

use serde_json::json;

use crate::fleet::{image_id, seeded};
use crate::golden;
use crate::rig::{BUILD, Emulator, REGION, TARGET};

#[test]
fn the_newest_version_is_shared_and_a_second_plan_is_empty() {
    let emulator = Emulator::start(&seeded());
    // One that is shared with nobody, one that is, and one that is encrypted.
    let arguments =
        ["share", "--app", "mysql", "--app", "mimir", "--app", "api", "--account", TARGET];
    let said = emulator.run(&arguments).well();
    golden::matches("ami/share.txt", &said.out);
    assert_eq!(emulator.changes(), 0, "a plan changes nothing");

    emulator.run(&[&arguments[..], &["--apply"]].concat()).well();
    let there = emulator.state()[BUILD][REGION].clone();
    let image = &there["images"][image_id(2, 4)];
    assert!(image["grants"].to_string().contains(TARGET), "{image}");
    for snapshot in image["snapshots"].as_array().expect("snapshots") {
        let grants = &there["snapshots"][snapshot.as_str().expect("an id")]["grants"];
        assert_eq!(*grants, json!([TARGET]));
    }
    let encrypted = &there["images"][image_id(1, 4)];
    assert_eq!(encrypted["grants"], json!([]));
    let second = emulator.run(&[&arguments[..], &["--json"]].concat()).well();
    assert_eq!(second.steps(), 0, "{}", second.out);
}

#[test]
fn recipients_come_from_the_account_scope_where_none_is_named() {
    let emulator = Emulator::start(&seeded());
    emulator.put_parameter("UserDataYAMLConfig", "share_accounts:\n  - '333333333333'\n");
    let said = emulator
        .run(&["share", "--app", "mimir", "--scope", "UserDataYAMLConfig", "--json"])
        .well();
    assert!(said.out.contains("333333333333 may not start it yet"), "{}", said.out);
    emulator.put_parameter("Empty", "environment_id: stg\n");
    let said = emulator.run(&["share", "--app", "mimir", "--scope", "Empty"]);
    assert_eq!(said.status.code(), Some(1));
    assert!(said.err.contains("nobody is named"), "{}", said.err);
}

#[test]
fn a_question_without_an_answer_shares_nothing() {
    let emulator = Emulator::start(&seeded());
    for action in ["DescribeImages", "DescribeImageAttribute", "DescribeSnapshotAttribute"] {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said =
            emulator.run(&["share", "--app", "mimir", "--account", TARGET, "--apply", "--json"]);
        assert_eq!(said.status.code(), Some(1), "{action}");
        assert!(said.plan()["refused"].to_string().contains(action), "{}", said.out);
        assert_eq!(emulator.changes(), 0, "{action}");
    }
}

#[test]
fn what_is_no_account_is_a_mistake_of_the_command_line() {
    let emulator = Emulator::start(&json!({}));
    let said = emulator.run(&["share", "--app", "web", "--account", "12345"]);
    assert_eq!(said.status.code(), Some(4));
    assert!(said.err.contains("twelve digits"), "{}", said.err);
}
