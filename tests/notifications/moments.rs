//! A boot that is killed at any moment whatever, while a real play runs with secrets: it is told of
//! once, nothing keeps the next one out, and no secret is left.

use std::fs::File;
use std::path::Path;

use base64::Engine;

use super::*;
use crate::rig::below;

const KILLS: usize = 20;
/// Where systemd puts credentials: in memory.
const CREDENTIALS: &str = "run/credentials";
const VAULT: &str = "vault: open sesame, said nobody";

/// What the play and its receiver are given by reference.
const SETTINGS: &str = "[configuration]
vault_password = { file = \"/run/credentials/vault\" }
[notify.deploy]
type = \"discord\"
url = { file = \"/run/credentials/hook\" }
most_per_hour = 100
[vars]
password = { file = \"/run/credentials/password\" }
";

/// It says the secret, and writes down how long it is.
const TASKS: &str = r#"
    - name: say it
      tags: configuration
      ansible.builtin.debug: { msg: "{{ password }}" }
    - name: use it
      tags: configuration
      ansible.builtin.command: { cmd: "wc -c", stdin: "{{ password }}" }
"#;

fn seed() -> u64 {
    let asked = std::env::var("GILD_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = asked.unwrap_or(20);
    println!("GILD_TEST_SEED={seed}");
    seed
}

fn needles() -> Vec<String> {
    let plain = [VAULT, SECRET, TOKEN];
    let coded = plain.map(|text| base64::engine::general_purpose::STANDARD.encode(text));
    // The end of base64 depends on what follows.
    let coded = coded.iter().map(|text| text[..text.len() - 4].to_owned());
    plain.iter().map(|text| (*text).to_owned()).chain(coded).collect()
}

/// The files below a directory that hold a secret, the credentials themselves left out.
fn secrets_below(host: &Host, directory: &str) -> Vec<String> {
    let needles = needles();
    let holds = |path: &Path| {
        let bytes = fs::read(path).unwrap_or_default();
        needles
            .iter()
            .any(|needle| bytes.windows(needle.len()).any(|part| part == needle.as_bytes()))
    };
    let files = below(&host.path(directory)).into_iter();
    let files = files.filter(|path| !path.starts_with(host.path(CREDENTIALS)) && holds(path));
    files.map(|path| path.display().to_string()).collect()
}

/// Ends what a killed boot has started, as systemd does with all that is in the unit's group.
fn end_what_is_left(host: &Host) {
    let root = host.path("").display().to_string();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if String::from_utf8_lossy(&line).contains(&root) {
            let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
        }
    }
}

/// What was told of failures and of anything else.
fn told(chat: &Chat) -> (usize, usize) {
    let posted = chat.posted("deploy");
    let failed = posted.iter().filter(|posted| title(&posted.body).starts_with("FAILED")).count();
    (failed, posted.len() - failed)
}

#[test]
fn a_kill_at_any_moment_of_a_play_is_told_once_and_leaves_no_secret() {
    let chat = Chat::start(loopback());
    let mut host = Host::new("");
    // Where Ansible keeps what it is at work on.
    host.environment = vec![("HOME", host.path("root").display().to_string())];
    fs::create_dir(host.path("root")).unwrap();
    let credentials = [("vault", VAULT), ("password", SECRET), ("hook", &chat.webhook("deploy"))];
    for (name, secret) in credentials {
        let path = host.write(&format!("{CREDENTIALS}/{name}"), secret);
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    playbook(&host, TASKS);
    host.configured(SETTINGS);
    // The first one warms what the others find warm.
    let calm = [0, 1].map(|_| {
        let begun = Instant::now();
        let (code, report) = host.configure(&["--force"]);
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["tasks"].as_array().map(Vec::len), Some(2), "{report:#}");
        begun.elapsed()
    });
    let took = calm[1];
    assert_eq!(told(&chat), (0, 1));

    let mut random = fastrand::Rng::with_seed(seed());
    let mut unfinished = 0;
    for number in 0..KILLS {
        host.configured(&format!("{SETTINGS}number = {number}\n"));
        // As after a reboot: what is in memory is gone.
        fs::remove_dir_all(host.path("run/gild")).unwrap();
        fs::create_dir_all(host.path("run/gild")).unwrap();
        let before = told(&chat);
        let moment = took.mul_f64(random.f64());
        let about = format!("kill {number} after {moment:?}");
        let mut boot = host.started(&["configure"]);
        std::thread::sleep(moment);
        boot.kill();
        let over =
            host.path("run/gild/report.json").exists() && host.report()["outcome"] == "ready";
        unfinished += usize::from(!over);
        // The play goes on where there is no systemd; secrets are in memory, for root alone.
        assert_eq!(secrets_below(&host, "var"), Vec::<String>::new(), "{about}");
        end_what_is_left(&host);

        for _ in 0..2 {
            let (code, log) = stderr(&host, &["notify", "failed-boot"]);
            assert_eq!(code, Some(0), "{about}: {log}");
        }
        let failures = told(&chat).0 - before.0;
        assert_eq!(failures, usize::from(!over), "{about}: {}", host.path("").display());
        if let Ok(lock) = File::open(host.path("run/gild/configure.lock")) {
            assert!(lock.try_lock().is_ok(), "{about}: the lock is held");
        }
        assert_eq!(secrets_below(&host, ""), Vec::<String>::new(), "{about}");

        let (code, report) = host.configure(&[]);
        assert_eq!((code, &report["outcome"]), (Some(0), &"ready".into()), "{about}: {report:#}");
        assert!(over || report["decision"]["run"] == true, "{about}: {report:#}");
        assert_eq!(told(&chat).0 - before.0, failures, "{about}");
        assert_eq!(secrets_below(&host, ""), Vec::<String>::new(), "{about}");
    }
    assert!(unfinished >= KILLS / 2, "only {unfinished} boots were killed before they were over");
}
