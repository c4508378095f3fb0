//! Looks, one after the other, without a daemon around them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::config::format::Format;
use crate::config::{Document, Layer, Settings, builtin};
use crate::identity::Identity;

fn merged(text: &str) -> Merged {
    let document = Document::parse(text.as_bytes(), Format::Toml).unwrap();
    let source = "https://h/g.toml".into();
    let layer =
        Layer { name: LayerName::Global, source, version: None, last_good: false, document };
    Merged::fold([&builtin::layer(), &layer])
}

fn identity() -> Identity {
    serde_json::from_value(json!({
        "provenance": "host", "instance_id": "i-1", "instance_type": null, "region": null,
        "availability_zone": null, "account": null, "image_id": null, "private_ip": null,
        "hostname": "h", "autoscaling_group": null, "tags": {}
    }))
    .unwrap()
}

fn handoff(text: &str) -> Handoff {
    let merged = merged(text);
    Handoff {
        version: 1,
        resolved_at: "T0".to_owned(),
        digest: merged.digest(),
        identity: identity(),
        config: merged.root,
        sources: Vec::new(),
    }
}

fn source(state: SourceOutcome) -> SourceReport {
    let ill = matches!(state, SourceOutcome::LastGood | SourceOutcome::Failed);
    let copied_at = (state == SourceOutcome::LastGood).then_some("T0");
    serde_json::from_value(json!({
        "layer": "global", "source": "https://h/g.toml", "state": state, "version": null,
        "keys": 1, "attempts": 1, "elapsed_ms": 1.0, "error": ill.then_some("answered 503"),
        "copied_at": copied_at,
    }))
    .unwrap()
}

/// What a look finds when the one source ends like this.
fn found(text: &str, state: SourceOutcome) -> Looked {
    let merged = merged(text);
    let line = "global layer, 'https://h/g.toml': answered 503".to_owned();
    Ok(Box::new(Resolution {
        identity: Some(identity()),
        settings: Settings::typed(&merged.root).settings.unwrap(),
        digest: merged.digest(),
        merged,
        sources: vec![source(state)],
        unknown: Vec::new(),
        refused: Vec::new(),
        problems: Vec::new(),
        verdict: match state {
            SourceOutcome::LastGood => Verdict::Degraded { reasons: vec![line] },
            SourceOutcome::Failed => Verdict::Failed { reason: line },
            _ => Verdict::Ready,
        },
        phases: Vec::new(),
    }))
}

#[test]
fn a_source_that_fails_is_named_with_the_time_since_when_until_it_answers() {
    let handoff = handoff("vars.a = 1");
    let mut failing = Failing::new();
    let mut look = |state, before: Option<&Look>, now: &str| {
        judge(&found("vars.a = 1", state), &handoff, before, &mut failing, now)
    };
    let well = look(SourceOutcome::Unchanged, None, "T1");
    assert!(well.refresh.ok && well.confirms && well.problems.is_empty(), "{well:?}");
    assert_eq!((well.refresh.since.as_deref(), well.turned.as_str()), (None, "T1"));

    let first = look(SourceOutcome::LastGood, Some(&well), "T2");
    let line = "global layer, 'https://h/g.toml', has failed since T2 and \
                the copy of T0 stands in: answered 503";
    assert_eq!(first.problems, [line]);
    assert_eq!(first.refresh.error.as_deref(), Some(line));
    assert!(!first.refresh.ok && first.confirms, "{first:?}");
    let second = look(SourceOutcome::Failed, Some(&first), "T3");
    assert_eq!(second.refresh.at, "T3");
    assert_eq!(second.refresh.since.as_deref(), Some("T2"));
    assert!(second.problems[0].contains("since T2 and what is in force stays"), "{second:?}");
    assert_eq!((second.turned.as_str(), second.confirms), ("T2", false));

    let again = look(SourceOutcome::Fetched, Some(&second), "T4");
    assert!(again.refresh.ok && again.problems.is_empty(), "{again:?}");
    assert_eq!(again.turned, "T4");
    // Another failure is another time.
    let later = look(SourceOutcome::LastGood, Some(&again), "T5");
    assert_eq!(later.refresh.since.as_deref(), Some("T5"));
    assert!(later.problems[0].contains("since T5"), "{later:?}");
}

#[test]
fn without_an_identity_one_line_says_so() {
    let handoff = handoff("vars.a = 1");
    let mut looked = found("vars.a = 1", SourceOutcome::Failed);
    let resolution = looked.as_mut().unwrap();
    resolution.identity = None;
    resolution.verdict = Verdict::Failed { reason: "nobody answers".to_owned() };
    let look = judge(&looked, &handoff, None, &mut Failing::new(), "T1");
    assert_eq!(look.problems, ["no source has been asked since T1: nobody answers"]);
    assert!(!is_whole(&looked.unwrap()));
}

#[test]
fn a_look_that_broke_off_leaves_the_sources_as_they_were() {
    let handoff = handoff("vars.a = 1");
    let mut failing = Failing::new();
    let looked = found("vars.a = 1", SourceOutcome::Unchanged);
    let before = judge(&looked, &handoff, None, &mut failing, "T1");
    let broken = judge(&Err("too slow".into()), &handoff, Some(&before), &mut failing, "T2");
    assert_eq!(broken.sources, before.sources);
    assert_eq!(broken.problems, ["the sources have not been looked at since T2: too slow"]);
    assert!(!broken.refresh.ok && !broken.confirms);
}

#[test]
fn what_is_wrong_with_what_was_had_is_a_problem_of_a_whole_look() {
    let handoff = handoff("vars.a = 1");
    let mut looked = found("vars.a = 1", SourceOutcome::Fetched);
    let reasons = vec!["left out: tag:gild:x".to_owned()];
    looked.as_mut().unwrap().verdict = Verdict::Degraded { reasons: reasons.clone() };
    let look = judge(&looked, &handoff, None, &mut Failing::new(), "T1");
    assert!(look.refresh.ok);
    assert_eq!(look.problems, reasons);
}

#[test]
fn only_the_daemon_s_own_tables_are_newer_than_the_hand_off() {
    let handoff = handoff("metrics.interval = '10s'\nvars.a = 1\n[sink.old]\ntype = 'log'\n");
    let fresh = merged("metrics.interval = '20s'\nvars.a = 2\n[service.new]\nunit = 'x.service'\n");
    let own = merged("metrics.interval = '20s'\nvars.a = 1\n[service.new]\nunit = 'x.service'\n");
    let over = Overlay::of(fresh.root, "T1").over(&handoff, &[]);
    assert_eq!(over.config.to_value(), own.root.to_value());
    assert_eq!((over.digest, over.resolved_at.as_str()), (own.digest(), "T1"));
    let interval = crate::config::KeyPath::parse("metrics.interval").unwrap();
    let Some(Node::Leaf(leaf)) = over.config.get(&interval) else { panic!() };
    assert_eq!(leaf.origin.layer, LayerName::Global);
    assert_eq!(leaf.overrode[0].value, Value::from("10s"));
}
