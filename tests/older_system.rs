//! The older system's inputs, as fleets have them: the example that the
//! repository shows is what runs here, with the real `ansible-playbook`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use gild::config::check;
use gild::config::document::Document;
use gild::config::format::Format;
use serde_json::{Value, json};

use crate::fakes::moto::Moto;
use crate::fakes::place::Place;
use crate::fakes::tool::tool;
use crate::host::Host;

const REGION: &str = "eu-west-1";
const PARAMETER: &str = "UserDataYAMLConfig";

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/examples")
}

fn example(name: &str) -> String {
    fs::read_to_string(examples().join("older-system").join(name)).unwrap()
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A host with the image of the example and these tags.
fn host(tags: &BTreeMap<String, String>) -> Host {
    let tags: Vec<(&str, &str)> =
        tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let host = Host::with_tags("", &tags);
    let image = host.path("usr/lib/gild/config.d/10-older-system.toml");
    fs::write(image, example("image.toml")).unwrap();
    let playbook = examples().join("older-system/playbook");
    for file in files(&playbook) {
        let below = file.strip_prefix(&playbook).unwrap();
        let to = host.path("deployment/playbook").join(below);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
    let baked = host.path("deployment/ansibleenv/bin/ansible-playbook");
    fs::create_dir_all(baked.parent().unwrap()).unwrap();
    let ansible = tool("GILD_TEST_ANSIBLE", "ansible-playbook");
    std::os::unix::fs::symlink(ansible, baked).unwrap();
    host
}

/// Boots, and gives what the playbook has written.
fn boot(host: &Host, moto: &Moto) -> Value {
    let output = gild(host, moto, &["configure"]);
    let report = host.report();
    assert_eq!(report["outcome"], "ready", "{report:#}\n{output:?}");
    let written = fs::read(host.path("deployment/service/service.json")).unwrap();
    serde_json::from_slice(&written).unwrap()
}

fn gild(host: &Host, moto: &Moto, arguments: &[&str]) -> Output {
    host.gild(arguments).env("AWS_ENDPOINT_URL", moto.endpoint()).output().unwrap()
}

#[test]
fn a_fleet_of_the_older_system_moves_over_with_its_parameter_and_its_tags() {
    let moto = Moto::start(&Place::Host);
    let parameter = example("UserDataYAMLConfig.yaml");
    moto.put_parameter(REGION, PARAMETER, "String", &parameter);
    let mut tags: BTreeMap<String, String> = serde_json::from_str(&example("tags.json")).unwrap();
    let hosts = host(&tags);
    assert_eq!(
        boot(&hosts, &moto),
        json!({
            "environment": "acme-stg.local", "playbook": "ansible-web", "name": "web-1",
            "address": "web-1.acme-stg.local", "database": "mysql.acme-stg.local", "workers": 2,
            "topic": "bootstrap-errors", "accounts": ["210987654321", "012345678901"],
        })
    );
    let shown = gild(&hosts, &moto, &["config", "show", "vars.environment_id", "--origin"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let line = parameter.lines().position(|line| line.starts_with("environment_id:")).unwrap() + 1;
    assert_eq!(
        shown.split_whitespace().collect::<Vec<_>>().join(" "),
        format!("vars.environment_id = \"acme-stg.local\" account ssm:{PARAMETER}:{line} (1)")
    );

    // The other environment, and a tag that means harm.
    let production = parameter.replace("acme-stg.local", "acme-prod.local");
    moto.put_parameter(REGION, PARAMETER, "String", &production);
    let hostile = "{{ lookup('pipe', 'touch harm') }} $(touch harm) 'x' \"y\"";
    tags.insert("Name".to_owned(), hostile.to_owned());
    tags.insert("playbook_name".to_owned(), "0123".to_owned());
    let other = host(&tags);
    let written = boot(&other, &moto);
    assert_eq!(written["environment"], "acme-prod.local");
    assert_eq!(written["database"], "mysql.acme-prod.local");
    assert_eq!(written["workers"], 16);
    assert_eq!(written["name"], hostile);
    assert_eq!(written["playbook"], "0123");
    assert!(!other.path("deployment/playbook/harm").exists());
    let sources = other.report()["sources"].clone();
    let named = |source: &&Value| source["source"] == format!("ssm:{PARAMETER}");
    assert_eq!(sources.as_array().unwrap().iter().find(named).unwrap()["version"], "2");
}

/// What people copy from must be right.
#[test]
fn every_example_is_free_of_problems() {
    let mut seen = 0;
    for path in files(&examples()) {
        let bytes = fs::read(&path).unwrap();
        let name = path.display().to_string();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => {
                assert_eq!(check::documents(&[(name, bytes, Format::Toml)]), []);
            }
            // Data of the older system; playbooks end in `.yml`.
            Some("yaml") => {
                let document = Document::parse(&bytes, Format::Yaml);
                assert!(document.is_ok_and(|document| document.keys() > 0), "{name}");
            }
            _ => continue,
        }
        seen += 1;
    }
    assert!(seen >= 2, "only {seen} examples were found");
}
