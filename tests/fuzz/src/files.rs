//! What one part of gild wrote and another one reads, damaged on the way.

use std::collections::BTreeMap;
use std::fs;

use gild::config::{LayerName, Settings};
use gild::configure::handoff::Handoff;
use gild::configure::report::Report;
use gild::configure::state::State;
use gild::lifecycle::notice::Notices;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::scope::last_good::{Copies, LastGood, Subject};
use gild::scope::text::{Kind, Text};
use gild::status::render::render;
use gild::status::snapshot::{AgentStatus, Facts, Snapshot};

/// The resolved configuration, as the daemon takes it over.
pub fn handoff(bytes: &[u8]) {
    if let Ok(handoff) = serde_json::from_slice::<Handoff>(bytes) {
        let typed = Settings::typed(&handoff.config);
        assert_eq!(typed.settings.is_some(), typed.problems.is_empty());
        let written = serde_json::to_vec(&handoff).expect("what was read can be written");
        serde_json::from_slice::<Handoff>(&written).expect("and read again");
    }
}

/// The report of a boot, shown to people; and the state, which lies beside it.
pub fn report(bytes: &[u8]) {
    let _ = serde_json::from_slice::<State>(bytes);
    let Ok(report) = serde_json::from_slice::<Report>(bytes) else { return };
    let redactor = Redactor::default();
    redactor.add("hunter22");
    let report = report.redacted(&redactor);
    let written = serde_json::to_vec(&report).expect("what was read can be written");
    serde_json::from_slice::<Report>(&written).expect("and read again");
    let agent =
        AgentStatus { version: "0".to_owned(), pid: 1, uptime_s: u64::MAX, rss_bytes: u64::MAX };
    shown(&Snapshot::new(Facts {
        report: Some(&report),
        at_work: bytes.len().is_multiple_of(2),
        problems: &[],
        group_problem: None,
        look: None,
        drift: None,
        drain: None,
        notices: &Notices::default(),
        started_at: "2026-01-01T00:00:00.000Z",
        identity: None,
        image: None,
        services: BTreeMap::new(),
        sinks: BTreeMap::new(),
        notify: BTreeMap::new(),
        collectors: BTreeMap::new(),
        agent,
    }));
}

/// What the daemon answers, as `gild status` shows it.
pub fn status(bytes: &[u8]) {
    if let Ok(snapshot) = serde_json::from_slice::<Snapshot>(bytes) {
        shown(&snapshot);
    }
}

fn shown(snapshot: &Snapshot) {
    let text = render(snapshot, false);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "a terminal obeys: {text:?}");
}

/// A last valid copy; a damaged one counts as absent.
pub fn last_good(bytes: &[u8]) {
    let root = tempfile::tempdir().expect("a directory");
    let store = LastGood::new(&Paths::installed(root.path()), None, &Copies::Kept);
    let subject = Subject { layer: LayerName::Global, source: "fuzz".to_owned(), instance: None };
    let text = Text {
        name: "fuzz".to_owned(),
        version: None,
        etag: None,
        kind: Kind::Values,
        body: br#"{"vars":{"a":1}}"#.to_vec(),
    };
    // Only the store knows what its file is called: it writes one first.
    let layer = gild::config::Layer {
        name: LayerName::Global,
        source: "fuzz".into(),
        version: None,
        last_good: false,
        document: text.parse(None).expect("a document"),
    };
    store.keep(&subject, &[text], &[layer]).expect("a copy is kept");
    let mut kept = fs::read_dir(Paths::installed(root.path()).last_good()).expect("a directory");
    let file = kept.next().expect("a file").expect("a file").path();
    fs::write(file, bytes).expect("it can be damaged");
    if let Some(copy) = store.load(&subject, None) {
        assert!(copy.texts.iter().all(|text| text.parse(None).is_ok()));
    }
}
