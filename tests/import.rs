//! Other agents' configuration as gild's, by the program itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::golden;
use crate::program::gild;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/import")
}

/// Runs `gild import` beside the fixtures: the code, standard output and standard error.
fn import(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = gild().current_dir(fixtures()).arg("import").args(arguments).output();
    let Output { status, stdout, stderr } = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

#[test]
fn the_configuration_and_the_list_are_what_they_were_and_the_configuration_loads() {
    for (name, arguments) in [
        ("telegraf-default", &["telegraf", "telegraf-default.conf"][..]),
        ("telegraf", &["telegraf", "telegraf.conf", "telegraf.d"]),
        ("cloudwatch-agent", &["cloudwatch-agent", "cloudwatch-agent.json"]),
        ("cloudwatch-agent-heavy", &["cloudwatch-agent", "cloudwatch-agent-heavy.json"]),
    ] {
        let (code, config, list) = import(arguments);
        assert_eq!(code, Some(0), "{list}");
        golden::matches(&format!("import/{name}.toml"), &config);
        golden::matches(&format!("import/{name}.txt"), &list);
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("gild.toml");
        fs::write(&file, config).unwrap();
        let checked = gild().args(["config", "check"]).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert_eq!(checked.status.code(), Some(0), "{said}");
        // What is carried over costs what it cost before, and that is told.
        let (total, dear) = said
            .trim_end()
            .rsplit_once('\n')
            .map_or((said.trim_end(), ""), |(dear, total)| (total, dear));
        assert!(total.starts_with("1 document checked, no problem"), "{said}");
        assert!(dear.lines().all(|line| line.contains(" is dear: ")), "{said}");
    }
}

#[test]
fn as_json_the_list_has_file_line_plugin_key_value_and_advice() {
    let (code, stdout, stderr) = import(&["telegraf", "--json", "telegraf.conf"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert!(report["config"].as_str().unwrap().contains("[sink.mimir]"));
    let rows = report["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["key"] == "tls_ca").unwrap();
    assert_eq!(row["file"], "telegraf.conf");
    assert_eq!((row["line"].as_u64(), row["matters"].as_bool()), (Some(31), Some(true)));
    assert_eq!(
        (&row["plugin"], &row["value"]),
        (&"outputs.http".into(), &"\"/etc/telegraf/ca.pem\"".into())
    );
    assert!(!row["advice"].as_str().unwrap().is_empty());
}

#[test]
fn a_file_is_written_for_its_owner_alone_and_never_replaced() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("gild.toml");
    let path = file.to_str().unwrap();
    let arguments = ["telegraf", "--output", path, "telegraf-default.conf"];
    let (code, stdout, _) = import(&arguments);
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    let (_, config, _) = import(&["telegraf", "telegraf-default.conf"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), config);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&file, "mine").unwrap();
    let (code, _, stderr) = import(&arguments);
    assert_eq!(code, Some(1));
    assert_eq!(stderr, format!("gild: failed to write '{path}': File exists (os error 17)\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_read_is_said_with_its_line() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("broken.conf"), "[agent]\ninterval = \n").unwrap();
    fs::write(path("broken.json"), "{\n\"agent\": }").unwrap();
    fs::write(path("large.conf"), vec![b'#'; 2_000_000]).unwrap();
    for (agent, name, said) in [
        ("telegraf", "broken.conf", "line 2:"),
        ("cloudwatch-agent", "broken.json", "line 2:"),
        ("telegraf", "large.conf", "larger than"),
        ("telegraf", "none.conf", "failed to read"),
    ] {
        let (code, stdout, stderr) = import(&[agent, &path(name)]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{name}");
        assert!(stderr.contains(said) && stderr.contains(name), "{stderr}");
    }
    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let (code, _, stderr) = import(&["telegraf", empty.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("end in .conf"), "{stderr}");
    assert_eq!(import(&["telegraf"]).0, Some(4));
    assert_eq!(import(&["collectd", "x"]).0, Some(4));
}
