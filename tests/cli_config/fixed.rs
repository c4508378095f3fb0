//! What is said of a host whose configuration was resolved from a fixed set of layers.

use std::path::Path;

use super::*;
use crate::golden;

#[test]
fn explain_says_what_a_key_is_whose_value_it_has_and_who_was_refused() {
    let host = Host::new();
    let keys = [
        "metrics.interval",
        "metrics.collectors",
        "metrics",
        "sink",
        "sink.mimir",
        "sink.mimir.url",
        "sink.mimir.bearer",
        "sink.mimir.flush",
        "sink.other.flush",
        "sink.other.labels",
        "service.web.fail_after",
        "configuration.run",
        "vars.site_name",
    ];
    let mut page = String::new();
    for key in keys {
        let (code, stdout, stderr) = host.config(&["explain", key]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{key}");
        assert!(!stdout.contains('\u{1b}') && !stdout.contains('\u{9b}'), "{stdout:?}");
        page.push_str(&format!("$ gild config explain {key}\n{stdout}\n"));
    }
    golden::matches("explain.txt", &page);
    let (code, stdout, _) = host.config(&["explain", "metrics.interval", "--json"]);
    assert_eq!(code, Some(0));
    golden::matches("explain.json", &stdout);
}

#[test]
fn explain_tells_in_one_command_why_an_instance_differs_from_its_neighbours() {
    let host = Host::new();
    let (_, text, _) = host.config(&["explain", "metrics.interval"]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let chain = format!(
        "set by, the winner first \"7s\" service tag:gild:metrics.interval \"30s\" account \
         ssm:/gild/account, line 4, version 7, last good copy \"20s\" global {GLOBAL}, line 3, \
         version \"9c1b5e\" \"10s\" builtin defaults"
    );
    assert!(text.contains(&chain), "{text}");
    // A tag that is spelled wrong, and the source that did not answer.
    assert!(text.contains("metrics.intervall from service tag:gild:metrics.intervall"), "{text}");
    assert!(
        text.contains("its last good copy is used") && text.contains("Rate exceeded"),
        "{text}"
    );
}

#[test]
fn a_key_that_is_none_is_answered_with_the_nearest_ones() {
    let host = Host::new();
    for (key, code, said) in [
        (
            "interval",
            1,
            "did you mean metrics.interval or lifecycle.interval or service.NAME.interval?",
        ),
        ("metric.interval", 1, "did you mean metrics.interval?"),
        ("web.fail_after", 1, "did you mean service.web.fail_after?"),
        ("bananas", 1, "'bananas' is not a known key\n"),
        ("a..b", 4, "is not a key; a key looks like metrics.interval"),
    ] {
        let (exit, stdout, stderr) = host.config(&["explain", key]);
        assert_eq!((exit, stdout.as_str()), (Some(code), ""), "{key}");
        assert!(stderr.contains(said), "{key}: {stderr}");
    }
    let tag = layer(LayerName::Service, "tag:gild:intervall", None, "intervall = \"7s\"\n");
    host.hand_over(&[builtin::layer(), tag]);
    let (_, _, stderr) = host.config(&["explain", "intervall"]);
    assert!(stderr.contains("set by service tag:gild:intervall"), "{stderr}");
}

#[test]
fn explain_works_before_anything_has_been_resolved() {
    let host = Host { root: TempDir::new().unwrap() };
    host.write("etc/gild/config.d/1.toml", b"metrics.interval = '5s'\n");
    let (code, stdout, stderr) = host.config(&["explain", "metrics.interval"]);
    assert_eq!(code, Some(0));
    assert!(stdout.starts_with("metrics.interval = \"5s\"\n"), "{stdout}");
    assert!(stderr.contains("nothing has been resolved on this host yet"), "{stderr}");
}

#[test]
fn show_lays_values_and_origins_out_in_columns() {
    let host = Host::new();
    let mut page = String::new();
    for arguments in [
        &["show", "metrics"] as &[&str],
        &["show", "--origin"],
        &["show", "sink", "--json"],
        &["show", "metrics", "--origin", "--json"],
    ] {
        let (code, stdout, _) = host.config(arguments);
        assert_eq!(code, Some(0));
        page.push_str(&format!("$ gild config {}\n{stdout}\n", arguments.join(" ")));
    }
    golden::matches("show.txt", &page);
    for (key, said) in [
        (
            "intervall",
            "is not set; did you mean metrics.interval or lifecycle.interval or service.NAME.interval?",
        ),
        ("sink.mimir.flush", "is not set; gild config explain sink.mimir.flush tells its default"),
    ] {
        let (code, stdout, stderr) = host.config(&["show", key]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert!(stderr.contains(said), "{stderr}");
    }
}

#[test]
fn check_gives_programs_the_same_findings() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/check");
    let check = |arguments: &[&str]| {
        output(gild().current_dir(&directory).args(["config", "check"]).args(arguments))
    };
    let (code, stdout, _) = check(&["--json", "global.toml", "missing.toml"]);
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, found.as_array().unwrap().len()), (Some(1), 5), "{stdout}");
    assert_eq!(found[0], json!({ "source": "missing.toml", "message": "there is no such file" }));
    assert_eq!(
        found[2],
        json!({
            "source": "global.toml", "line": 3, "key": "metrics.colectors",
            "message": "is not a known key; did you mean metrics.collectors?",
        })
    );
    assert_eq!(check(&["--json", "../../../config/demo/account.toml"]).1, "[]\n");
}

#[test]
fn diff_compares_with_what_another_host_printed_and_with_a_document() {
    let host = Host::new();
    let neighbour = Host::new();
    let others = layers().into_iter().filter(|layer| !layer.source.contains("metrics.interval"));
    neighbour.hand_over(&others.collect::<Vec<_>>());
    let mut page = String::new();
    for arguments in [&["show", "--json"] as &[&str], &["show", "--origin", "--json"]] {
        let (_, printed, _) = neighbour.config(arguments);
        host.write("neighbour.json", printed.as_bytes());
        let mut diff = |arguments: &[&str]| {
            let mut command = host.gild(&[&["diff", "neighbour.json"], arguments].concat());
            let (code, stdout, stderr) = output(command.current_dir(host.root.path()));
            assert_eq!((code, stderr.as_str()), (Some(1), ""), "{stdout}");
            page.push_str(&format!(
                "$ gild config diff {}\n{stdout}\n",
                [&["neighbour.json"], arguments].concat().join(" ")
            ));
        };
        diff(&[]);
        diff(&["--json"]);
        // The same configuration has no difference, whoever set it.
        let (_, own, _) = host.config(arguments);
        host.write("own.json", own.as_bytes());
        let own = host.path("own.json").display().to_string();
        assert_eq!(
            host.config(&["diff", &own]),
            (Some(0), "no difference\n".into(), String::new())
        );
        assert_eq!(host.config(&["diff", &own, "--json"]).1, "[]\n");
    }
    golden::matches("diff.txt", &page);

    let handoff = neighbour.path("run/gild/config.json").display().to_string();
    let (code, stdout, _) = host.config(&["diff", &handoff]);
    assert_eq!(code, Some(1));
    assert!(stdout.ends_with("1 difference\n"), "{stdout}");
    host.write("a.yaml", b"metrics: {interval: 1m}\n");
    let document = host.path("a.yaml").display().to_string();
    let (code, stdout, _) = host.config(&["diff", &document]);
    assert_eq!(code, Some(1));
    assert!(stdout.contains("+ metrics.interval = \"1m\""), "{stdout}");
    assert!(stdout.contains("- vars.environment_id = \"stg\""), "{stdout}");
}

#[test]
fn what_cannot_be_compared_with_is_trouble() {
    let host = Host::new();
    host.write("broken.toml", b"a = [\n");
    host.write("table.toml", b"metrics = 'on'\n");
    host.write("what", b"a = 1\n");
    host.write(
        "both.json",
        br#"[{"key":"a","value":1,"origin":{"layer":"local","source":"x"}},
        {"key":"a.b","value":1,"origin":{"layer":"local","source":"x"}}]"#,
    );
    for (file, why) in [
        ("nowhere.toml", "failed to read"),
        ("broken.toml", "not valid TOML"),
        ("table.toml", "metrics must be a table"),
        ("what", "must end in .toml"),
        ("both.json", "has a value where it also has a table"),
    ] {
        let path = host.path(file).display().to_string();
        let (code, stdout, stderr) = host.config(&["diff", &path]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{file}");
        assert!(stderr.contains(why), "{file}: {stderr}");
    }
    host.write("run/gild/config.json", b"{");
    assert_eq!(host.config(&["diff"]).0, Some(2));
}
