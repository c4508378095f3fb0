//! The policies of `ami/iam/`, held against what the program asks for: a verb's policy allows the
//! calls that its runs make, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::fleet::seeded;
use crate::publish;
use crate::rig::{BUILD, Emulator, REGION, TARGET, role};

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// All policies, by name.
fn policies() -> Vec<(String, Value)> {
    let files = fs::read_dir(directory("iam")).expect("the directory");
    let mut policies: Vec<_> = files
        .map(|file| {
            let path = file.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a policy");
            (name, serde_json::from_str(&text).expect("JSON"))
        })
        .collect();
    policies.sort_by_key(|(name, _): &(String, Value)| name.clone());
    policies
}

fn statements(policy: &Value) -> &Vec<Value> {
    policy["Statement"].as_array().expect("statements")
}

/// What one or a list of texts says.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    }
}

fn allowed(name: &str) -> BTreeSet<String> {
    let all = policies();
    let (_, policy) = all.iter().find(|(found, _)| found == name).expect("a policy");
    let actions = statements(policy).iter().flat_map(|it| texts(&it["Action"]));
    actions.map(str::to_owned).collect()
}

/// The actions of the calls since the last fault, as policies name them. Everybody may ask who
/// they are.
fn asked(emulator: &Emulator) -> BTreeSet<String> {
    let calls = emulator.calls();
    let calls = calls.iter().map(|call| {
        let text = |key: &str| call[key].as_str().expect("a text").to_owned();
        match text("action").as_str() {
            "ListObjectsV2" => "s3:ListBucket".to_owned(),
            action => format!("{}:{action}", text("service")),
        }
    });
    calls.filter(|action| action != "sts:GetCallerIdentity").collect()
}

/// Runs each of these on a fleet of its own, and holds the policy to the calls. `besides` is what
/// AWS asks the caller's permission for without a call of the caller's.
fn holds(policy: &str, fleet: &Value, runs: &[&[&str]], besides: &[&str]) {
    let emulator = Emulator::start(fleet);
    for run in runs {
        if let ["due", action] = run {
            emulator.due(action);
        } else {
            emulator.run(run).well();
        }
    }
    let mut asked = asked(&emulator);
    asked.extend(besides.iter().map(|it| (*it).to_owned()));
    assert_eq!(allowed(policy), asked, "the policy, and what is asked for");
}

#[test]
fn policies_name_every_action_and_where_it_may_be_done() {
    let policies = policies();
    assert!(policies.len() >= 12, "{}", policies.len());
    for (name, policy) in &policies {
        assert_eq!(policy["Version"], "2012-10-17", "{name}");
        for statement in statements(policy) {
            assert_eq!(statement["Effect"], "Allow", "{name}");
            let actions = texts(&statement["Action"]);
            assert!(!actions.is_empty(), "{name}");
            assert!(actions.iter().all(|it| !it.contains('*') && it.contains(':')), "{name}");
            if name.starts_with("trust-") {
                assert!(statement["Condition"].is_object(), "{name}: anybody may come");
                continue;
            }
            let only_reads = actions.iter().all(|action| {
                let (_, operation) = action.split_once(':').expect("a service");
                ["Describe", "Get", "List"].iter().any(|verb| operation.starts_with(verb))
            });
            // A role that only plans gets these statements.
            let looks = statement["Sid"].as_str().is_some_and(|it| it.starts_with("Look"));
            assert_eq!(looks, only_reads || actions == ["sts:AssumeRole"], "{name}: {actions:?}");
            let everywhere = texts(&statement["Resource"]).contains(&"*");
            assert!(only_reads || !everywhere, "{name}: {actions:?} on anything");
        }
    }
}

/// Actions that no operation of the program's own names: encrypting a copy is EC2's doing, with
/// the permissions of whoever asked for it; objects are asked for by other operations' names.
const NOT_OPERATIONS: [&str; 7] = [
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "s3:ListBucket",
];

#[test]
fn every_action_is_an_operation_of_the_program() {
    let source = source(&directory("src"));
    for (name, _) in policies() {
        // A policy of a verb, or of what several have in common.
        let is_of_verb = directory("src").join(&name).is_dir() || name == "reader";
        for action in allowed(&name) {
            if is_of_verb && !NOT_OPERATIONS.contains(&action.as_str()) {
                let (_, operation) = action.split_once(':').expect("a service");
                assert!(source.contains(&format!("\"{operation}\"")), "{name}: {action}");
            }
        }
    }
}

fn source(directory: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        text += &match path.is_dir() {
            true => source(&path),
            false => fs::read_to_string(&path).expect("a source"),
        };
    }
    text
}

#[test]
fn retaining_needs_its_policy_and_no_more() {
    let run = ["retain", "--limit", "40", "--reader", &role(TARGET), "--apply"];
    holds("retain", &seeded(), &[&run], &[]);
}

#[test]
fn looking_at_an_account_needs_less_than_retaining() {
    let (reader, retain) = (allowed("reader"), allowed("retain"));
    assert!(reader.is_subset(&retain), "{reader:?}");
    assert!(reader.iter().all(|action| action.contains(":Describe")), "{reader:?}");
}

#[test]
fn cleaning_needs_its_policy_and_no_more() {
    let mut fleet = seeded();
    let images = fleet[BUILD][REGION]["images"].as_array_mut().expect("images");
    images.push(json!({ "id": "ami-0000000000c1ea00", "name": "web-test", "age_days": 90 }));
    let run =
        ["clean", "--name", "*-test", "--zone", "stg.local", "--zone", "example.com", "--apply"];
    holds("clean", &fleet, &[&run], &[]);
}

#[test]
fn scheduling_needs_its_policy_and_no_more() {
    let tags = json!({ "environment": "stg" });
    let group = json!({ "name": "web", "configuration": "any", "tags": tags });
    let configuration = json!({ "name": "any", "image": "ami-00000001" });
    let image = json!({ "id": "ami-00000001", "name": "any" });
    let fleet = json!({ BUILD: { REGION: {
        "images": [image], "configurations": [configuration], "groups": [group],
    } } });
    let tag = ["--tag", "environment=stg"];
    let on = [&["schedule", "on", "--time-zone", "UTC", "--apply"][..], &tag].concat();
    let off = [&["schedule", "off", "--apply"][..], &tag].concat();
    let status = [&["schedule", "status"][..], &tag].concat();
    holds("schedule", &fleet, &[&on, &status, &["due", "gild-ami-down"], &off], &[]);
}

#[test]
fn copying_needs_its_policy_and_no_more() {
    let (own, source) = (role(TARGET), role(BUILD));
    let run = ["copy", "--role", &own, "--from", BUILD, "--poll", "10ms"];
    let run = [&run[..], &["--source-role", &source, "--apply"]].concat();
    // EC2 tags what it copies, and encrypts it with the key, as whoever asked for the copy.
    let keys = NOT_OPERATIONS.iter().filter(|it| it.starts_with("kms:"));
    let besides: Vec<_> = keys.copied().chain(["ec2:CreateTags"]).collect();
    let mut fleet = crate::copy::fleet();
    let version = json!({ "image": "ami-0c0c0c0c00000004" });
    fleet[TARGET][REGION]["templates"] = json!([{ "name": "own", "versions": [version] }]);
    holds("copy", &fleet, &[&run], &besides);
}

#[test]
fn sharing_needs_its_policy_and_no_more() {
    // The policy names a parameter; this run names accounts.
    let apps = ["--app", "mysql", "--app", "mimir", "--app", "api"];
    let run = [&["share", "--account", TARGET, "--apply"][..], &apps].concat();
    holds("share", &seeded(), &[&run], &["ssm:GetParameter"]);
}

#[test]
fn assigning_needs_its_policy_and_no_more() {
    let run = ["assign", "--app", "auth", "--default", "--refresh", "--poll", "10ms", "--apply"];
    // A version that EC2 warns of is taken away again.
    holds("assign", &seeded(), &[&run], &["ec2:DeleteLaunchTemplateVersions"]);
}

#[test]
fn an_inventory_needs_its_policy_and_no_more() {
    holds("inventory", &seeded(), &[&["inventory"]], &[]);
}

#[test]
fn publishing_needs_its_policy_and_no_more() {
    let emulator = publish::started();
    let root = publish::playbook(&emulator);
    let all = publish::arguments(&root, &["--latest", "--apply"]);
    // What it leaves is taken away by the next run, which has other content.
    assert!(emulator.kill_at(2, "hang", &all));
    fs::write(root.join("main.yml"), "- hosts: none\n").expect("a file");
    emulator.fault(&Value::Null);
    emulator.run(&all).well();
    emulator.run(&all).well();
    assert_eq!(allowed("publish"), asked(&emulator));
}
