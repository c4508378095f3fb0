//! `gild cost` on a host, by the prices that the program has with it.

use std::fs;

use serde_json::Value;

use crate::fakes::place::loopback;
use crate::host::Host;
use crate::program::output;

fn cost(document: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut host = Host::new(document);
    host.environment.push(("AWS_REGION", "us-east-1".into()));
    output(host.gild(&["cost"]).args(arguments))
}

fn reckoned(document: &str, arguments: &[&str]) -> Value {
    let (code, stdout, stderr) = cost(document, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(0), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn cents(usd: &Value) -> i64 {
    (usd.as_f64().unwrap() * 100.0).round() as i64
}

#[test]
fn the_lean_default_costs_what_its_metrics_and_calls_do_by_hand() {
    let service = loopback();
    let address = service.local_addr().unwrap();
    let document = format!("service.web.tcp = '{address}'\nsink.cw.type = 'cloudwatch'");
    let bill = reckoned(&document, &["--no-free-tier"]);
    let sink = &bill["now"]["sinks"][0];
    let by_metric = sink["by_metric"].as_array().unwrap();
    let names: Vec<_> = by_metric.iter().map(|line| line["name"].as_str().unwrap()).collect();
    for name in ["cpu_usage_active", "disk_used_percent", "mem_used_percent", "services_unhealthy"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    // How many disks this host has, and whether it swaps, is its own.
    let metrics = sink["metrics"].as_f64().unwrap();
    assert!((4.0..=10.0).contains(&metrics), "{sink:#}");
    assert_eq!(sink["requests"], 43_800.0);
    assert_eq!(cents(&bill["now"]["usd"]), (metrics * 30.0).round() as i64 + 44);
    // One such host is free.
    assert_eq!(cents(&reckoned(&document, &[])["now"]["usd"]), 0);
    let fleet = reckoned(&document, &["--no-free-tier", "--hosts", "100", "--churn", "73"]);
    let requests = 43_800.0 * 100.0 / 1000.0;
    assert_eq!(cents(&fleet["now"]["usd"]), (metrics * 30.0 * 110.0 + requests).round() as i64);
}

#[test]
fn what_if_stands_beside_what_is() {
    let document = "sink.cw = { type = 'cloudwatch', max_metrics = 1000 }";
    let of = |arguments: &[&str]| {
        let bill = reckoned(document, &[arguments, &["--no-free-tier"]].concat());
        (bill["now"].clone(), bill["what_if"].clone())
    };
    let (now, thrift) = of(&["--flush", "300s"]);
    assert_eq!(cents(&now["usd"]) - cents(&thrift["usd"]), 35, "43,800 calls, or 8,760");
    let (now, mimir) = of(&["--sink", "mimir"]);
    assert!(now["usd"].as_f64() > Some(0.0));
    assert_eq!((&mimir["usd"], &mimir["sinks"][0]["billed"]), (&0.0.into(), &false.into()));
    assert!(mimir["sinks"][0]["gigabytes"].as_f64() > Some(0.01), "{mimir:#}");
    let (code, _, stderr) = cost(document, &["--schema", "telegram"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("\"telegraf\""), "{stderr}");
    let (code, stdout, stderr) = cost(document, &["--schema", "telegraf", "--region", "eu-west-1"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("what if") && stdout.contains("a month, or "), "{stdout}");
    assert!(stdout.contains("not verified"), "{stdout}");
    assert!(stderr.contains("no prices of eu-west-1"), "{stderr}");
}

#[test]
fn what_max_metrics_leaves_out_is_told() {
    let document = "sink.cw = { type = 'cloudwatch', include = ['mem_*'], max_metrics = 2 }";
    let (code, stdout, stderr) = cost(document, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("more metrics of each host are left out"), "{stdout}");
    let bill = reckoned(document, &["--no-free-tier"]);
    assert_eq!(bill["now"]["sinks"][0]["metrics"], 2.0);
}

#[test]
fn prices_come_from_a_file_where_one_is_given() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("prices.toml");
    let text = include_str!("../config/prices.toml").replace("usd = 0.30", "usd = 3.00");
    fs::write(&path, text).unwrap();
    let document = "sink.cw = { type = 'cloudwatch', include = ['mem_used_percent'] }";
    let file = path.to_str().unwrap();
    let bill = reckoned(document, &["--no-free-tier", "--prices", file]);
    assert_eq!(cents(&bill["now"]["usd"]), 344);
    let (code, _, stderr) = cost(document, &["--prices", "/nowhere"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no file '/nowhere'"), "{stderr}");
}

#[test]
fn config_check_tells_what_is_dear_and_still_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trap.toml");
    let text = "[sink.cw]\ntype = 'cloudwatch'\ninclude = ['cpu_*{cpu=*}', 'disk_*']\n\
        high_resolution = ['cpu_*']\nflush = '10s'\nmax_metrics = 500\n";
    fs::write(&path, text).unwrap();
    let mut check = crate::program::gild();
    let (code, stdout, stderr) = output(check.args(["config", "check"]).arg(&path));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout.matches("dear:").count(), 5, "{stdout}");
    assert!(stdout.contains("about $24.00 a month for each host"), "{stdout}");
    assert!(stdout.contains("no problem"), "{stdout}");
}
