//! What each receiver is sent, held to golden files.

use std::fs;
use std::path::Path;

use super::*;

/// Holds a body to its golden file; `GILD_REFRESH_GOLDEN=1` writes it anew.
pub(super) fn golden(name: &str, body: &serde_json::Value) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/notify");
    let path = directory.join(format!("{name}.json"));
    let text = format!("{body:#}\n");
    if std::env::var_os("GILD_REFRESH_GOLDEN").is_some() {
        fs::create_dir_all(&directory).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "tests/golden/notify/{name}.json is not what is sent now:\n{text}");
}

#[test]
fn every_receiver_is_sent_every_event_in_its_form() {
    let receivers = [("discord", DISCORD), ("sns", SNS), ("webhook", WEBHOOK), ("slack", SLACK)];
    let events = [
        ("failed", Event::Failed),
        ("degraded", Event::Degraded),
        ("ready", Event::Ready),
        ("recovered", Event::Recovered),
        ("drained", Event::Drained),
        ("spot", Event::Spot),
        ("rebalance", Event::Rebalance),
        ("maintenance", Event::Maintenance),
        ("terminating", Event::Terminating),
    ];
    for (receiver, settings) in receivers {
        for (word, event) in events {
            golden(&format!("{receiver}-{word}"), &body(settings, &message(event), 0));
        }
        golden(&format!("{receiver}-hostile"), &body(settings, &hostile(Event::Failed), 3));
    }
}

#[test]
fn a_boot_that_knows_nothing_of_itself_is_told_of_too() {
    let bare = Message {
        instance_id: None,
        hostname: None,
        private_ip: None,
        public_ip: None,
        region: None,
        account: None,
        environment: None,
        boot_id: None,
        digest: None,
        playbook_digest: None,
        duration_ms: None,
        task: None,
        ..message(Event::Failed)
    };
    for (receiver, settings) in
        [("discord", DISCORD), ("sns", SNS), ("webhook", WEBHOOK), ("slack", SLACK)]
    {
        golden(&format!("{receiver}-bare"), &body(settings, &bare, 0));
    }
}
