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
    let now = &bill["now"]["all_hosts"];
    let sink = &now["sinks"][0];
    let by_metric = sink["by_metric"].as_array().unwrap();
    let names: Vec<_> = by_metric.iter().map(|line| line["name"].as_str().unwrap()).collect();
    for name in ["cpu_usage_active", "disk_used_percent", "mem_used_percent", "services_unhealthy"]
    {
        assert!(names.contains(&name), "{names:?}");
    }
    // How many disks this host has, and whether it swaps, is its own.
    let metrics = sink["amounts"]["metrics"].as_f64().unwrap();
    assert!((4.0..=10.0).contains(&metrics), "{sink:#}");
    assert_eq!(sink["amounts"]["requests"], 43_800.0);
    assert_eq!(cents(&now["usd"]), (metrics * 30.0).round() as i64 + 44);
    // One such host is free.
    assert_eq!(cents(&reckoned(&document, &[])["now"]["all_hosts"]["usd"]), 0);
    let fleet = reckoned(&document, &["--no-free-tier", "--hosts", "100", "--churn", "73"]);
    let requests = 43_800.0 * 100.0 / 1000.0;
    let all = (metrics * 30.0 * 110.0 + requests).round() as i64;
    assert_eq!(cents(&fleet["now"]["all_hosts"]["usd"]), all);
    let one = (metrics * 30.0 * 1.1 + 43.8).round() as i64;
    assert_eq!(cents(&fleet["now"]["one_host"]["usd"]), one);
}

#[test]
fn what_if_stands_beside_what_is() {
    let document = "sink.cw = { type = 'cloudwatch', max_metrics = 1000 }";
    let of = |arguments: &[&str]| {
        let bill = reckoned(document, &[arguments, &["--no-free-tier"]].concat());
        (bill["now"]["all_hosts"].clone(), bill["what_if"]["all_hosts"].clone())
    };
    let (now, thrift) = of(&["--flush", "300s"]);
    assert_eq!(cents(&now["usd"]) - cents(&thrift["usd"]), 35, "43,800 calls, or 8,760");
    let (now, mimir) = of(&["--sink", "mimir"]);
    assert!(now["usd"].as_f64() > Some(0.0));
    assert_eq!((&mimir["usd"], &mimir["sinks"][0]["tariff"]), (&0.0.into(), &Value::Null));
    let amounts = &mimir["sinks"][0]["amounts"];
    assert!(amounts["gigabytes"].as_f64() > Some(0.01), "{mimir:#}");
    assert_eq!(amounts["requests"], 262_800.0, "a tick is a request");
    let (_, group) = of(&["--per", "group", "--hosts", "7"]);
    let count = |bill: &Value| bill["sinks"][0]["amounts"]["metrics"].as_f64();
    assert_eq!((&group["sinks"][0]["shared"], count(&group)), (&true.into(), count(&now)));
    let (code, _, stderr) = cost(document, &["--schema", "telegram"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("\"telegraf\""), "{stderr}");
    let (code, stdout, stderr) = cost(document, &["--schema", "telegraf", "--region", "eu-west-1"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("WHAT IF schema = \"telegraf\": "), "{stdout}");
    assert!(stdout.contains("difference") && stdout.contains("NOT VERIFIED"), "{stdout}");
    assert!(stdout.contains("us-east-1 (those of eu-west-1 are not known)"), "{stdout}");
    assert!(stderr.contains("no prices of eu-west-1"), "{stderr}");
}

#[test]
fn what_max_metrics_leaves_out_is_told() {
    let document = "sink.cw = { type = 'cloudwatch', include = ['mem_*'], max_metrics = 2 }";
    let (code, stdout, stderr) = cost(document, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.contains("cw: max_metrics leaves out ") && stdout.contains("mem_"), "{stdout}");
    let bill = reckoned(document, &["--no-free-tier"]);
    assert_eq!(bill["now"]["all_hosts"]["sinks"][0]["amounts"]["metrics"], 2.0);
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
    assert_eq!(cents(&bill["now"]["all_hosts"]["usd"]), 344);
    let (code, _, stderr) = cost(document, &["--prices", "/nowhere"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no file '/nowhere'"), "{stderr}");
}

#[test]
fn a_sink_is_asked_for_by_its_name_its_type_or_its_receiver() {
    let document = "sink.a = { type = 'cloudwatch', include = ['mem_used_percent'] }\n\
        sink.b = { type = 'log' }";
    let only = |word: &str| {
        let bill = reckoned(document, &["--no-free-tier", "--sink", word]);
        let sinks = bill["what_if"]["all_hosts"]["sinks"].as_array().unwrap().clone();
        assert_eq!(sinks.len(), 1, "{word}");
        (sinks[0]["sink"].clone(), sinks[0]["kind"].clone(), sinks[0]["usd"].clone())
    };
    assert_eq!(only("b"), ("b".into(), "log".into(), 0.0.into()));
    assert_eq!(only("remote_write"), ("remote_write".into(), "remote_write".into(), 0.0.into()));
    assert_eq!(only("amp"), ("amp".into(), "remote_write".into(), Value::Null));
    assert_eq!(only("cloudwatch-otlp").1, "otlp");
    assert_eq!((only("cloudwatch-otlp").2, only("collector").2), (Value::Null, 0.0.into()));
    assert!(only("cloudwatch").2.as_f64() > Some(1.0));
    for (arguments, said) in [
        (
            ["--sink", "carrier-pigeon"],
            "there is no sink 'carrier-pigeon'; new ones are \"cloudwatch\"",
        ),
        (["--flush", "an hour"], "sink.a.flush must be"),
        (["--hosts", "0"], "0 is not in 1.."),
    ] {
        let (code, _, stderr) = cost(document, &arguments);
        assert_ne!(code, Some(0));
        assert!(stderr.contains(said), "{stderr}");
    }
    let (code, _, stderr) = cost("sink.b = { type = 'log' }", &["--schema", "native"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("no sink has 'schema'"), "{stderr}");
}

#[test]
fn the_documents_of_a_directory_stand_for_the_configuration_in_force() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[sink.here]\ntype = 'cloudwatch'\ninclude = ['mem_used_percent']\n";
    fs::write(directory.path().join("account.toml"), text).unwrap();
    fs::write(directory.path().join("service.toml"), "sink.there.type = 'log'").unwrap();
    let path = directory.path().to_str().unwrap();
    let bill = reckoned("sink.cw.type = 'log'", &["--no-free-tier", "--local", path]);
    let now = &bill["now"]["all_hosts"];
    assert_eq!((&now["sinks"][0]["sink"], cents(&now["usd"])), (&"here".into(), 74));
    let (_, stdout, stderr) = cost("", &["--local", path]);
    assert!(!stdout.contains("there") && stderr.contains("gild: sink from service "), "{stderr}");
    let (code, _, stderr) = cost("", &["--local", "/nowhere"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot use '/nowhere'"), "{stderr}");
}

#[test]
fn config_check_tells_what_is_dear_and_fails_for_it_only_where_it_is_asked_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trap.toml");
    let text = "[sink.cw]\ntype = 'cloudwatch'\ninclude = ['cpu_*{cpu=*}', 'disk_*']\n\
        high_resolution = ['cpu_*']\nflush = '10s'\nmax_metrics = 500\n";
    fs::write(&path, text).unwrap();
    let check = |arguments: &[&str]| {
        let mut check = crate::program::gild();
        output(check.args(["config", "check"]).arg(&path).args(arguments))
    };
    let (code, stdout, stderr) = check(&[]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stdout.matches(" is dear: ").count(), 5, "{stdout}");
    let place = path.display();
    let flush = format!("{place}:5: sink.cw.flush is dear: a call every 10s");
    assert!(stdout.contains(&flush) && stdout.contains("$2.63 a month"), "{stdout}");
    assert!(stdout.contains("no problem, 5 warnings"), "{stdout}");
    let (code, stdout, _) = check(&["--strict", "--json"]);
    assert_eq!(code, Some(1));
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 5);
    assert!(found.as_array().unwrap().iter().all(|it| it["warning"] == true), "{found:#}");
    fs::write(&path, "[sink.cw]\ntype = 'cloudwatch'\n").unwrap();
    assert_eq!(check(&["--strict"]).0, Some(0), "the lean default is not dear");
}
