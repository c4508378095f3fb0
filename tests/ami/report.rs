//! What came of a verb, as a notifier hears it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::seeded;
use crate::rig::{BUILD, Emulator, REGION};

/// What must not be said anywhere.
const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789";

/// How long a message may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A receiver of JSON, and the document that names it.
struct Hook {
    bodies: Receiver<Value>,
    document: PathBuf,
    _directory: TempDir,
}

impl Hook {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let directory = tempfile::tempdir().expect("a directory");
        let document = directory.path().join("notify.toml");
        let text = format!("[notify.ours]\ntype = 'webhook'\nurl = 'http://{address}/{TOKEN}'\n");
        std::fs::write(&document, text).expect("it is written");
        let (sender, bodies) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let body = body(&mut stream);
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
                if sender.send(body).is_err() {
                    return;
                }
            }
        });
        Self { bodies, document, _directory: directory }
    }

    fn document(&self) -> &str {
        self.document.to_str().expect("UTF-8")
    }

    /// The next message.
    fn told(&self) -> Value {
        self.bodies.recv_timeout(PATIENCE).expect("somebody is told")
    }
}

fn body(stream: &mut impl Read) -> Value {
    let mut bytes = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return serde_json::from_str(body).unwrap_or_default();
            }
        }
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return Value::Null,
            Ok(count) => bytes.extend(&some[..count]),
        }
    }
}

#[test]
fn notifiers_hear_what_was_done_and_where() {
    let (emulator, hook) = (Emulator::start(&seeded()), Hook::start());
    let arguments = ["retain", "--limit", "40", "--apply", "--notify", hook.document()];
    let said = emulator.run(&arguments).well();
    let told = hook.told();
    assert_eq!(told["event"], "fleet", "{told}");
    assert_eq!(told["verb"], "retain", "{told}");
    assert_eq!(told["instance"]["account"], BUILD, "{told}");
    assert_eq!(told["instance"]["region"], REGION, "{told}");
    let count = said.out.lines().last().and_then(|it| it.rsplit(' ').next()).expect("a count");
    let message = told["message"].as_str().expect("a message");
    assert_eq!(message, format!("{count} of {count} steps were done; $6.80 a month less"));
    assert!(!(said.out + &said.err + &told.to_string()).contains(TOKEN));
}

#[test]
fn notifiers_hear_why_it_failed_and_how_far_it_came() {
    let (emulator, hook) = (Emulator::start(&seeded()), Hook::start());
    let arguments = ["retain", "--limit", "40", "--apply", "--notify", hook.document()];
    emulator.fault(&json!({ "changing": true, "nth": 3, "how": "deny" }));
    assert_eq!(emulator.run(&arguments).status.code(), Some(1));
    let told = hook.told();
    assert_eq!(told["event"], "fleet-failed", "{told}");
    let message = told["message"].as_str().expect("a message");
    assert!(message.starts_with("2 of ") && message.contains("UnauthorizedOperation"), "{message}");

    emulator.fault(&json!({ "action": "DescribeImages", "how": "deny" }));
    assert_eq!(emulator.run(&arguments).status.code(), Some(1));
    let told = hook.told();
    let message = told["message"].as_str().expect("a message");
    assert_eq!(told["event"], "fleet-failed", "{told}");
    assert!(message.starts_with("no plan, nothing was done: "), "{message}");
    assert!(message.contains("DescribeImages"), "{message}");
}

#[test]
fn a_document_that_is_wrong_stops_everything_and_a_receiver_that_is_gone_stops_nothing() {
    let (emulator, hook) = (Emulator::start(&seeded()), Hook::start());
    let arguments = ["retain", "--limit", "40", "--apply", "--notify", hook.document()];
    let written = std::fs::read_to_string(&hook.document).expect("the document");
    std::fs::write(&hook.document, written.replace("webhook", "pigeon")).expect("it is written");
    let said = emulator.run(&arguments);
    assert_eq!(said.status.code(), Some(1), "{}", said.out);
    assert!(said.err.contains("notify.ours.type"), "{}", said.err);
    assert_eq!(emulator.changes(), 0);

    // A port at which nobody listens.
    let nobody =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let gone = format!("[notify.ours]\ntype = 'webhook'\nurl = 'http://{nobody}/{TOKEN}'\n");
    std::fs::write(&hook.document, gone).expect("it is written");
    let said = emulator.run(&arguments).well();
    assert!(emulator.changes() > 0);
    assert!(said.err.contains("not everybody was told"), "{}", said.err);
    assert!(!said.err.contains(TOKEN), "{}", said.err);
}
