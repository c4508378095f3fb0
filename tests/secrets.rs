//! Secrets of every kind, used by a step that does with them what a careless one
//! does: none is left in any form in what gild writes, says or shows.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use gild::platform::redact::MASK;
use gild::status::client;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::fakes::moto::Moto;
use crate::fakes::place::Place;
use crate::fakes::wait::until;
use crate::host::Running;
use crate::rig::{Rig, below};

const REGION: &str = "eu-west-1";

/// No step and no process of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of each kind, with signs that base64, URLs and JSON write each in another way.
const SECRETS: [&str; 6] = [
    "p@ss/w\u{f6}rd+\"one\\\"%?=&~ \u{1d11e}",
    ">>>??? two/+=&\"\\",
    "three: {\"half\": 'open'}\t\u{e9}nd",
    "four<script>&amp;#x27; ${IFS}`id`",
    "-----BEGIN KEY-----\nMIIEfive/+==\nlast%20line\n-----END KEY-----",
    "the v\u{e4}ult six",
];

const IMAGE: &str = "
[configuration]
exec = ['/bin/step']
vault_password = { file = '/etc/vault' }
[metrics]
interval = '1s'
[sink.log]
type = 'log'
flush = '1s'
[sink.parameter]
type = 'remote_write'
url = 'http://127.0.0.1:1/push'
username = 'web'
password = { ssm = '/pw' }
[sink.field]
type = 'remote_write'
url = 'http://127.0.0.1:1/push'
username = 'web'
password = { secretsmanager = 'object', key = 'field' }
[sink.file]
type = 'remote_write'
url = 'http://127.0.0.1:1/push'
username = 'web'
password = { file = '/etc/key' }
[sink.header]
type = 'otlp'
url = 'http://127.0.0.1:1/v1/metrics'
flush = '1s'
auth = 'basic'
username = 'web'
password = { ssm = '/pw' }
[vars]
plain = 'is shown'
[vars.deep]
parameter = { ssm = '/pw' }
secret = { secretsmanager = 'whole' }
[vars.deep.er]
field = { secretsmanager = 'object', key = 'field' }
other = { secretsmanager = 'object', key = 'other' }
key = { file = '/etc/key' }
";

/// Says its secrets in every form, on both outputs, and fails with one of each.
const SPOILER: &str = r#"#!/usr/bin/env python3
import base64, json, os, sys, time, urllib.parse
with open(os.environ["GILD_VARS"]) as file:
    variables = json.load(file)
def texts(value):
    if isinstance(value, dict):
        for below in value.values():
            yield from texts(below)
    elif isinstance(value, str):
        yield value
secrets = list(texts(variables["deep"]))
assert len(secrets) == 5, len(secrets)
def forms(text):
    raw = text.encode()
    yield text
    yield base64.b64encode(raw).decode()
    yield base64.b64encode(raw).decode().rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode()
    yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
    for safe in ("", "/"):
        yield urllib.parse.quote(text, safe=safe)
        yield urllib.parse.quote_plus(text, safe=safe)
    yield json.dumps(text)
    yield json.dumps(text, ensure_ascii=False)
    yield repr(text)
for text in secrets:
    for form in forms(text):
        for stream in (sys.stdout, sys.stderr):
            print("it is", form, "indeed", file=stream, flush=True)
patience = time.monotonic() + 20
while not os.path.exists("SEEN") and time.monotonic() < patience:
    time.sleep(0.01)
print("fatal:", " | ".join(form.replace("\n", " ") for text in secrets for form in forms(text)))
sys.exit(3)
"#;

#[tokio::test]
async fn no_secret_is_left_in_anything_that_gild_writes_says_or_shows() {
    let moto = Moto::start(&Place::Host);
    moto.put_parameter(REGION, "/pw", "SecureString", SECRETS[0]);
    moto.put_secret(REGION, "whole", SECRETS[1]);
    let object = json!({ "field": SECRETS[2], "other": SECRETS[3], "unused": 1 });
    moto.put_secret(REGION, "object", &object.to_string());
    let rig = Rig::new(IMAGE, &[])
        .with_run_in("/dev/shm")
        .setting("AWS_ENDPOINT_URL", &moto.endpoint())
        .setting("AWS_ACCESS_KEY_ID", "test")
        .setting("AWS_SECRET_ACCESS_KEY", "test")
        .setting("AWS_REGION", REGION)
        .setting("GILD_LOG", "debug");
    rig.write("etc/key", SECRETS[4]);
    rig.write("etc/vault", SECRETS[5]);
    let met = rig.path("met");
    rig.program("bin/step", &SPOILER.replace("SEEN", &met.display().to_string()));

    let mut seen: Vec<(String, Vec<u8>)> = Vec::new();
    let watch = Watch::start(met);
    for format in ["text", "json"] {
        let log = |name: &str| rig.path(&format!("log/{name}-{format}"));
        let daemon = daemon(&rig, format, &log("run"));
        let boot = rig.gild(&["--log-format", format, "configure", "--force"]).output().unwrap();
        assert_eq!(boot.status.code(), Some(1), "{}", String::from_utf8_lossy(&boot.stderr));
        let shown = until("the daemon to know", PATIENCE, || {
            let shown = rig.gild(&["status", "--json"]).output().unwrap();
            let text = String::from_utf8_lossy(&shown.stdout);
            if text.contains("step ended with") { Ok(shown) } else { Err(text.into_owned()) }
        });
        said(&mut seen, format!("configure, {format}"), boot);
        said(&mut seen, "status --json".to_owned(), shown);
        for verb in [
            &["status"][..],
            &["config", "show"],
            &["config", "show", "--json", "--origin"],
            &["config", "show", "vars.deep", "--origin"],
            &["config", "explain", "vars.deep.parameter"],
            &["config", "explain", "vars.deep.er.key"],
            &["config", "diff"],
            &["configure", "--plan"],
        ] {
            let output = rig.gild(&[&["--log-format", format], verb].concat()).output().unwrap();
            said(&mut seen, verb.join(" "), output);
        }
        let socket = ["run/gild/daemon/status.sock", "run/gild/status.sock"];
        let socket = socket.iter().map(|path| rig.path(path)).find(|path| path.exists()).unwrap();
        for page in ["/v1/status", "/v1/config", "/v1/report", "/metrics", "/", "/v1/nothing"] {
            let (_, body) = client::get(&socket, page).await.unwrap();
            seen.push((page.to_owned(), body.to_vec()));
        }
        // The log sink has written by then.
        until("samples in the log", PATIENCE, || {
            let text = fs::read_to_string(log("run")).unwrap();
            if text.contains("node_load1") { Ok(()) } else { Err(text) }
        });
        drop(daemon);
    }
    let processes = watch.finish();
    for directory in ["run", "var", "log"] {
        for file in below(&rig.path(directory)) {
            seen.push((file.display().to_string(), fs::read(&file).unwrap()));
        }
    }
    // The one place where they may be: in memory, and its user's alone.
    let handed = rig.path("run/gild/secrets.json");
    let metadata = fs::metadata(&handed).unwrap();
    let mode = metadata.permissions().mode() & 0o7777;
    assert_eq!((mode, metadata.uid()), (0o400, nix::unistd::geteuid().as_raw()));
    let at = seen.iter().position(|(place, _)| *place == handed.display().to_string());
    let (_, text) = seen.remove(at.expect("it was looked at"));
    let handed: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(handed.as_object().unwrap().len(), 3);

    // It is looked for where it was: the step said it, and something stands in its place.
    let (_, boot) = &seen[1];
    let boot = String::from_utf8_lossy(boot);
    assert!(boot.matches(MASK).count() > 50 && boot.contains("it is"), "{boot}");
    let needles = needles();
    for (place, text) in &seen {
        for (kind, needle) in &needles {
            assert!(!holds(text, needle), "{place} has {kind}: {}", around(text, needle));
        }
    }
    assert!(processes.met, "it never saw the step's process");
    assert_eq!(processes.leaks, Vec::<String>::new());
}

fn said(seen: &mut Vec<(String, Vec<u8>)>, what: String, output: Output) {
    seen.push((what.clone(), output.stdout));
    seen.push((format!("{what}, standard error"), output.stderr));
}

/// A daemon whose output goes to a file.
fn daemon(rig: &Rig, format: &str, log: &std::path::Path) -> Running {
    fs::create_dir_all(log.parent().unwrap()).unwrap();
    let file = fs::File::create(log).unwrap();
    let mut command = rig.gild(&["--log-format", format, "run"]);
    let command = command.stdin(Stdio::null()).stderr(file.try_clone().unwrap()).stdout(file);
    let daemon = Running(command.spawn().unwrap());
    until("the daemon", PATIENCE, || {
        let output = rig.gild(&["status"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.stdout.is_empty() { Err(text) } else { Ok(()) }
    });
    daemon
}

/// The forms in which a copy of a secret would be a copy, and of each of its lines.
fn needles() -> Vec<(String, Vec<u8>)> {
    let mut needles = Vec::new();
    for (number, secret) in SECRETS.iter().enumerate() {
        let lines = secret.lines().filter(|line| !line.starts_with("-----"));
        for part in std::iter::once(*secret).chain(lines) {
            // The last group of base64 depends on what follows, so it is left out.
            let base64 = |text: String| text[..text.len() / 4 * 4 - 4].to_owned();
            let url = utf8_percent_encode(part, NON_ALPHANUMERIC).to_string();
            let json = Value::from(part).to_string();
            let forms = [
                ("as it is", part.to_owned()),
                ("base64", base64(STANDARD.encode(part))),
                ("base64 for URLs", base64(URL_SAFE.encode(part))),
                ("as a URL", url.clone()),
                ("as a form", url.replace("%20", "+")),
                ("as a URL in small letters", url.to_lowercase()),
                ("as JSON", json[1..json.len() - 1].to_owned()),
                ("as ASCII JSON", ascii(&json[1..json.len() - 1])),
            ];
            for (form, text) in forms {
                needles.push((format!("secret {number}, {form}"), text.into_bytes()));
            }
        }
    }
    needles
}

fn ascii(json: &str) -> String {
    let escaped = |letter: char| match letter.is_ascii() {
        true => letter.to_string(),
        false => {
            let units = letter.encode_utf16(&mut [0; 2]).to_vec();
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
    };
    json.chars().map(escaped).collect()
}

fn holds(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|part| part == needle)
}

/// Where in a text it is, for the message.
fn around(text: &[u8], needle: &[u8]) -> String {
    let at = text.windows(needle.len()).position(|part| part == needle).unwrap_or(0);
    let (from, to) = (at.saturating_sub(80), (at + needle.len() + 80).min(text.len()));
    String::from_utf8_lossy(&text[from..to]).into_owned()
}

/// What a watch over all processes saw.
#[derive(Debug, Default)]
struct Processes {
    leaks: Vec<String>,
    met: bool,
    known: HashSet<Vec<u8>>,
}

/// A watch over the arguments and environments of all processes. When it has met
/// the step it says so with a file, for which the step waits.
struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Processes>,
}

impl Watch {
    fn start(met: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut seen, needles) = (Processes::default(), needles());
            while !stopped.load(Ordering::Relaxed) {
                look(&needles, &mut seen);
                if seen.met {
                    fs::write(&met, "").unwrap();
                }
                // How often it looks, not something to wait for.
                std::thread::sleep(Duration::from_millis(5));
            }
            seen
        });
        Self { stop, thread }
    }

    fn finish(self) -> Processes {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn look(needles: &[(String, Vec<u8>)], seen: &mut Processes) {
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let files = processes
        .flat_map(|process: PathBuf| ["cmdline", "environ"].map(|file| process.join(file)));
    for file in files {
        let Ok(content) = fs::read(&file) else { continue };
        // Most say what they said before.
        if !seen.known.insert(content.clone()) {
            continue;
        }
        seen.met |= file.ends_with("cmdline") && holds(&content, b"/bin/step");
        for (kind, needle) in needles {
            if holds(&content, needle) {
                seen.leaks.push(format!("{}: {kind}", file.display()));
            }
        }
    }
}
