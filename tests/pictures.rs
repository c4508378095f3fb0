//! The dashboards and alert rules of `config/dashboards`: every query in them is asked of a
//! real Prometheus that gild has written to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use regex_lite::Regex;
use serde_json::Value;

use crate::fakes::place::loopback;
use crate::fakes::wait::until;
use crate::host::Running;
use crate::program::gild;
use crate::prometheus::Prometheus;

/// Until there is enough for a rate, and a boot's figures.
const DATA: Duration = Duration::from_secs(60);

/// What this host may not have: a query that rests on one of these may come to nothing.
const NOT_EVERYWHERE: &[&str] = &["node_pressure_", "node_nf_conntrack_", "node_disk_"];

/// What happens to no healthy host: nothing is what these must come to.
const NOTHING: &[&str] = &["node_scrape_collector_success{instance=~\".*\"} == 0"];

fn at(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/dashboards").join(name)
}

fn json(name: &str) -> Value {
    serde_json::from_slice(&fs::read(at(name)).unwrap()).unwrap()
}

/// The queries of the Grafana dashboard, as Grafana asks them for all instances.
fn queries() -> Vec<String> {
    let board = json("grafana.json");
    let panels = board["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let fill = |text: &str| text.replace("$__rate_interval", "10s").replace("$instance", ".*");
    let queries: Vec<_> = targets.map(|target| fill(target["expr"].as_str().unwrap())).collect();
    assert!(queries.len() > 30, "{queries:?}");
    assert!(queries.iter().all(|query| !query.contains('$')), "{queries:?}");
    queries
}

/// gild, with a service that is up, writing to `prometheus` each second.
fn writing_to(prometheus: &Prometheus, directory: &Path, service: &str) -> Running {
    let documents = directory.join("documents");
    fs::create_dir(&documents).unwrap();
    let text = format!(
        "configuration.exec = ['/bin/true']\nmetrics.interval = '1s'\n\
         service.web = {{ tcp = '{service}', interval = '1s' }}\n\
         sink.out = {{ type = 'remote_write', url = '{}', flush = '1s' }}\n",
        prometheus.write_url()
    );
    fs::write(documents.join("global.toml"), text).unwrap();
    let mut up = gild();
    up.arg("up").arg("--local").arg(documents).arg("--state").arg(directory.join("state"));
    Running(up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn every_query_of_the_dashboard_and_every_alert_finds_what_gild_wrote() {
    let prometheus = Prometheus::start(&[&at("alerts.yml")]);
    let directory = tempfile::tempdir().unwrap();
    let service = loopback();
    let address = service.local_addr().unwrap().to_string();
    let _gild = writing_to(&prometheus, directory.path(), &address);
    // Restarts are counted of units, and this host may have no systemd.
    let no_unit = |query: &str| query.contains("service_restarts_total");
    let may_be_empty =
        |query: &str| no_unit(query) || NOT_EVERYWHERE.iter().any(|name| query.contains(name));
    for query in queries() {
        until(&query, DATA, || {
            let found = prometheus.query(&query)?;
            let nothing = NOTHING.contains(&query.as_str());
            match found.is_empty() {
                true if !nothing && !may_be_empty(&query) => Err("nothing yet".to_owned()),
                false if nothing => panic!("{query}: {found:?}"),
                _ => Ok(()),
            }
        });
    }
    let rules = prometheus.get("/api/v1/rules").unwrap();
    let rules = rules["data"]["groups"][0]["rules"].as_array().unwrap().clone();
    assert!(rules.len() > 10, "{rules:?}");
    for rule in rules {
        assert_eq!((&rule["health"], &rule["lastError"]), (&"ok".into(), &Value::Null), "{rule:#}");
        assert_ne!(rule["state"], "firing", "{rule:#}");
    }
}

/// The names of metrics in a query: what is neither a function, a label nor a word of PromQL.
fn names(query: &str) -> BTreeSet<String> {
    let name = Regex::new(r"\b(node|service|services|gild)_[A-Za-z0-9_]+").unwrap();
    name.find_iter(query).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn no_query_rests_on_a_metric_that_gild_does_not_have() {
    let golden = include_str!("golden/metrics.txt");
    let known: BTreeSet<_> =
        golden.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let mut asked = names(&fs::read_to_string(at("alerts.yml")).unwrap());
    asked.extend(queries().iter().flat_map(|query| names(query)));
    let unknown: Vec<_> = asked
        .iter()
        .filter(|name| !known.contains(*name) && !name.starts_with("gild_boot_"))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(asked.len() > 30, "{asked:?}");
}

#[test]
fn each_alert_fires_when_it_should_and_not_before() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/alerts.yml");
    let output = Command::new("promtool").args(["test", "rules"]).arg(&tests).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    // Each has its case.
    let cases = fs::read_to_string(&tests).unwrap();
    for line in fs::read_to_string(at("alerts.yml")).unwrap().lines() {
        if let Some(alert) = line.trim().strip_prefix("- alert: ") {
            assert!(cases.contains(&format!("alertname: {alert}\n")), "{alert} has no case");
        }
    }
}

#[test]
fn the_cloudwatch_dashboard_searches_for_what_a_sink_sends_by_default() {
    let sent = include_str!("golden/cloudwatch/cwagent-default.jsonl");
    let sent: Vec<Value> =
        sent.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let board = json("cloudwatch.json");
    let expression = Regex::new("SEARCH\\('\\{([^}]*)\\} MetricName=\"([a-z_]+)\"'").unwrap();
    let mut seen = BTreeSet::new();
    for widget in board["widgets"].as_array().unwrap() {
        let metric = &widget["properties"]["metrics"][0][0]["expression"];
        let Some(text) = metric.as_str() else { continue };
        let found = expression.captures(text).unwrap_or_else(|| panic!("{text}"));
        let mut searched: BTreeSet<&str> = found[1].split(',').collect();
        assert!(searched.remove("CWAgent"), "{text}");
        let datum = sent.iter().find(|datum| datum["MetricName"] == found[2]);
        let datum = datum.unwrap_or_else(|| panic!("{text}: it is not sent"));
        let dimensions = datum["Dimensions"].as_array().unwrap();
        let names: BTreeSet<_> =
            dimensions.iter().map(|dimension| dimension["Name"].as_str().unwrap()).collect();
        assert_eq!(names, searched, "{text}");
        seen.insert(found[2].to_owned());
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}
