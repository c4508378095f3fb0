//! Inventories of two environments of the size that small teams have.

use std::fs;

use serde_json::{Value, json};

use crate::golden;
use crate::rig::{BUILD, Emulator, REGION};

/// A service's instances: how many, of which type, spot or not, and the disk of each in GiB.
type Service = (&'static str, u32, &'static str, bool, u64);

/// 17 servers, 38 vCPU, 43.5 GiB of memory, 573 GiB of disk: all of it spot.
const STAGING: [Service; 6] = [
    ("api", 4, "t4g.small", true, 30),
    ("consul", 1, "t4g.nano", true, 13),
    ("mail", 2, "t4g.micro", true, 20),
    ("mimir", 2, "c6g.xlarge", true, 80),
    ("mysql", 3, "t4g.medium", true, 40),
    ("web", 5, "t4g.micro", true, 24),
];

/// 27 servers, 69 vCPU, 221 GiB of memory, 1542 GiB of disk: what can be lost at any time is spot.
const PRODUCTION: [Service; 9] = [
    ("api", 10, "t4g.small", false, 30),
    ("cache", 3, "r6g.xlarge", false, 40),
    ("consul", 1, "t4g.micro", false, 12),
    ("gateway", 1, "m6g.medium", false, 30),
    ("mail", 5, "t4g.medium", false, 30),
    ("mimir", 1, "m6g.xlarge", false, 350),
    ("mysql", 2, "t4g.large", false, 150),
    ("search", 2, "m6g.xlarge", true, 80),
    ("worker", 2, "c6g.xlarge", true, 60),
];

fn environment(name: &str, services: &[Service]) -> Vec<Value> {
    let of_service = |(app, count, kind, is_spot, gib): &Service| {
        json!({
            "image": "ami-00000000000000aa", "type": kind, "count": count, "spot": is_spot,
            "age_days": 30, "volumes": [{ "size_gib": gib }],
            "tags": { "app": app, "environment": name, "Name": format!("{app}-{name}") },
        })
    };
    services.iter().map(of_service).collect()
}

fn seeded() -> Emulator {
    let image = json!({
        "id": "ami-00000000000000aa", "name": "api-1.0.0", "size_gib": 8,
        "tags": { "app": "api", "version": "1.0.0" },
    });
    let instances = [environment("stg", &STAGING), environment("prod", &PRODUCTION)].concat();
    Emulator::start(&json!({ BUILD: { REGION: { "images": [image], "instances": instances } } }))
}

fn arguments<'a>(environment: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["inventory", "--tag", environment][..], more].concat()
}

#[test]
fn two_environments_are_reported_in_every_format() {
    let emulator = seeded();
    for (name, servers, vcpus, memory, disk) in
        [("stg", 17, 38, 43.5, 573), ("prod", 27, 69, 221.0, 1542)]
    {
        let tag = format!("environment={name}");
        for (format, ending) in
            [("text", "txt"), ("markdown", "md"), ("json", "json"), ("svg", "svg")]
        {
            let said = emulator.run(&arguments(&tag, &["--format", format])).well();
            golden::matches(&format!("ami/inventory-{name}.{ending}"), &said.out);
            if format == "json" {
                let total = &said.plan()["total"];
                assert_eq!(total["servers"], servers);
                assert_eq!(total["vcpus"], vcpus);
                assert_eq!(total["memory_gib"], memory);
                assert_eq!(total["disk_gib"], disk);
            }
        }
    }
    assert_eq!(emulator.changes(), 0);
}

#[test]
fn what_has_changed_since_the_last_run_is_said_and_a_bill_of_metrics_is_counted() {
    let emulator = seeded();
    let last = emulator.directory().join("last.json");
    let last = last.to_str().expect("UTF-8");
    let staging = "environment=stg";
    emulator.run(&arguments(staging, &["--format", "json", "--output", last])).well();
    let same = emulator.run(&arguments(staging, &["--last", last])).well();
    assert!(!same.out.contains("since the last run"), "{}", same.out);

    let bill = emulator.directory().join("bill.json");
    let bill = bill.to_str().expect("UTF-8");
    let write = |hosts: u32| {
        let text = json!({ "hosts": hosts, "now": { "all_hosts": { "usd": 34.0 } } }).to_string();
        fs::write(bill, text).expect("a bill");
    };
    write(17);
    let more = emulator.run(&arguments(staging, &["--last", last, "--metrics", bill])).well();
    assert!(more.out.contains("metrics $34.00"), "{}", more.out);
    assert!(more.out.contains("since the last run: total +0 servers, +$34.00"), "{}", more.out);
    write(5);
    let other = emulator.run(&arguments(staging, &["--metrics", bill])).well();
    assert!(other.out.contains("the bill is for 5 hosts, not 17"), "{}", other.out);
    assert!(other.out.contains("a month: at least $"), "{}", other.out);
}

#[test]
fn a_question_without_an_answer_makes_no_inventory() {
    let emulator = seeded();
    for action in [
        "DescribeInstances",
        "DescribeVolumes",
        "DescribeImages",
        "DescribeSnapshots",
        "DescribeInstanceTypes",
    ] {
        emulator.fault(&json!({ "action": action, "how": "deny" }));
        let said = emulator.run(&["inventory"]);
        assert_eq!(said.status.code(), Some(1), "{action}");
        assert!(said.out.is_empty() && said.err.contains(action), "{}{}", said.out, said.err);
    }
}
