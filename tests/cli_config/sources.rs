//! What is said of a host whose sources say something else by now.

use super::*;

/// A host that has been configured, its metadata service and its web server.
struct World {
    host: Host,
    imds: Imds,
    files: Files,
}

impl World {
    fn new() -> Self {
        Self::with(&[("gild:vars.name", "web")])
    }

    fn with(tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let tags = tags.collect();
        let imds = Imds::start(loopback(), &Instance { tags, ..Instance::default() });
        let world = Self {
            host: Host { root: TempDir::new().unwrap() },
            imds,
            files: Files::start(loopback()),
        };
        let scope = format!(
            "[scope]\nlocal_targets = true\ndeadline = '3s'\nattempt_timeout = '500ms'\n\
             [scope.global]\nsources = ['{}']\n[scope.service]\nsources = ['tags:gild:']\n\
             [configuration]\nrun = 'never'\n",
            world.files.url("/global.toml")
        );
        world.host.write("usr/lib/gild/config.d/10.toml", scope.as_bytes());
        world.files.put("/global.toml", "metrics.interval = '20s'\nvars.a = 1\n");
        let (code, _, stderr) = world.gild(&["configure"]);
        assert_eq!(code, Some(0), "{stderr}");
        world
    }

    fn gild(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command = gild();
        command.arg("--root").arg(self.host.root.path()).args(arguments);
        output(command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.imds.endpoint()))
    }

    fn diff(&self) -> (Option<i32>, String, String) {
        self.gild(&["config", "diff"])
    }

    /// The files of the host with their contents.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut directories = vec![self.host.root.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.push((path, bytes));
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn diff_asks_the_sources_anew_and_changes_nothing_on_disk() {
    let world = World::new();
    let before = world.everything();
    let (code, stdout, _) = world.diff();
    assert_eq!((code, stdout.as_str()), (Some(0), "no difference\n"));

    world.files.put("/global.toml", "metrics.interval = '25s'\nvars.a = 1\n");
    let (code, stdout, _) = world.diff();
    assert_eq!(code, Some(1), "{stdout}");
    let url = world.files.url("/global.toml:1");
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("- metrics.interval = \"20s\""), "{stdout}");
    assert!(stdout.contains("\n+ metrics.interval = \"25s\"") && stdout.contains(&url), "{stdout}");
    assert_eq!(lines.last(), Some(&"1 difference"));
    assert!(world.everything() == before, "something on disk has changed");
}

#[test]
fn a_source_that_fails_is_named_and_its_copy_is_compared_with() {
    let world = World::new();
    world.files.faults.always("/global.toml", Fault::Status(500, "down".into()));
    let (code, stdout, stderr) = world.diff();
    assert_eq!((code, stdout.as_str()), (Some(0), "no difference\n"), "{stderr}");
    assert!(stderr.contains("/global.toml") && stderr.contains("500"), "{stderr}");
    // Without the copy its keys would look as if they were gone.
    fs::remove_dir_all(world.host.path("var/lib/gild/last-good")).unwrap();
    let (code, stdout, stderr) = world.diff();
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains("/global.toml") && stderr.contains("nothing stands in"), "{stderr}");
}

#[test]
fn explain_knows_what_a_boot_refused_and_left_out() {
    let world = World::with(&[
        ("gild:metrics.collectors", "cpu,memory"),
        ("gild:metrics.intervall", "5s"),
        ("gild:fail_after", "9"),
        ("gild:configuration.run", "every-boot"),
        ("gild:service.web.fail_after", "many"),
    ]);
    for (key, said) in [
        ("metrics.collectors", "left out tag:gild:metrics.collectors"),
        ("metrics.interval", "read by nothing metrics.intervall from service tag:gild:"),
        ("configuration.run", "refused configuration from service tag:gild:configuration.run"),
        ("service.web.fail_after", "left out tag:gild:service.web.fail_after"),
        ("service.web.fail_after", "read by nothing fail_after from service tag:gild:fail_after"),
    ] {
        let (code, stdout, stderr) = world.gild(&["config", "explain", key]);
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{key}");
        let text = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(said), "{key}: {stdout}");
    }
    // What is about other keys is not told.
    let (_, stdout, _) = world.gild(&["config", "explain", "configuration.timeout", "--json"]);
    let told: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&told["problems"], &told["unknown"]), (&json!([]), &json!([])), "{stdout}");
    assert_eq!(told["refused"][0]["key"], "configuration");
}
