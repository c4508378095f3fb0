//! What is settled when documents disagree or do not fit.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::config::Document;
use crate::config::format::Format;

fn layer(name: LayerName, body: &str, last_good: bool) -> Layer {
    Layer {
        name,
        source: name.label().into(),
        version: None,
        last_good,
        document: Document::parse(body.as_bytes(), Format::Toml).unwrap(),
    }
}

fn arrived(name: LayerName, body: &str, copy: Option<&str>) -> Arrived {
    let mut arrived = Arrived::nothing(name, name.label());
    arrived.report.state = SourceOutcome::Fetched;
    arrived.layers = vec![layer(name, body, false)];
    arrived.fallback = copy.map(|body| layer(name, body, true)).into_iter().collect();
    arrived
}

fn var(settled: &Settled, key: &str) -> Option<String> {
    let node = settled.merged.root.get(&KeyPath::parse(key).unwrap())?;
    Some(node.to_value().to_string())
}

#[test]
fn a_document_that_does_not_fit_gives_way_to_its_copy() {
    let mut sources = [
        arrived(LayerName::Global, "vars.a = 'g'\nmetrics.interval = '20s'", None),
        arrived(LayerName::Account, "metrics.interval = 5", Some("metrics.interval = '30s'")),
    ];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "metrics.interval").unwrap(), "\"30s\"");
    assert_eq!(sources[1].report.state, SourceOutcome::LastGood);
    assert!(sources[1].report.error.as_ref().unwrap().contains("metrics.interval"));
    assert_eq!(sources[0].report.state, SourceOutcome::Fetched);
}

#[test]
fn without_a_copy_it_is_left_out_and_the_rest_stays() {
    let mut sources = [
        arrived(LayerName::Global, "vars.a = 'g'", None),
        arrived(LayerName::Account, "vars.a.b = 1\nvars.c = 'x'", Some("vars.a = 'copy'")),
        arrived(LayerName::Service, "vars.a = 's'", None),
    ];
    let no_copies = Terms { no_copies: vec![LayerName::Account], ..Terms::default() };
    let settled = settle(&mut sources, &no_copies).unwrap();
    assert_eq!(var(&settled, "vars.a").unwrap(), "\"s\"");
    assert_eq!(var(&settled, "vars.c"), None);
    assert_eq!(sources[1].report.state, SourceOutcome::Bad);
    let error = sources[1].report.error.as_ref().unwrap();
    assert!(error.contains("account") && error.contains("global"), "{error}");
}

#[test]
fn a_copy_that_does_not_fit_either_is_left_out() {
    let wrong = "metrics.interval = 5";
    let mut sources = [arrived(LayerName::Global, wrong, Some(wrong))];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "metrics.interval").unwrap(), "\"10s\"");
    assert_eq!(sources[0].report.state, SourceOutcome::Bad);
}

#[test]
fn a_remote_document_cannot_push_aside_the_operator_s() {
    let mut sources = [
        arrived(LayerName::Account, "vars.a = 'text'", None),
        arrived(LayerName::Local, "vars.a.b = 'mine'", None),
    ];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "vars.a.b").unwrap(), "\"mine\"");
    assert_eq!(sources[0].report.state, SourceOutcome::Bad);
}

#[test]
fn what_a_layer_may_not_set_is_refused_and_the_rest_applies() {
    let body = "vars.a = 's'\nconfiguration.exec = ['sh']";
    let mut sources = [arrived(LayerName::Service, body, None)];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "configuration.exec").unwrap(), "[]");
    assert_eq!(var(&settled, "vars.a").unwrap(), "\"s\"");
    assert_eq!(sources[0].refused[0].key.to_string(), "configuration");
}

#[test]
fn a_refused_key_leaves_no_half_entry_that_fails() {
    let body = "vars.a = 's'\n[sink.mine]\ntype = 'log'\nflush = '10s'";
    let mut sources = [arrived(LayerName::Service, body, None)];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "vars.a").unwrap(), "\"s\"");
    assert!(settled.settings.sink.is_empty());
    assert_eq!(sources[0].report.state, SourceOutcome::Fetched);
}

/// Each of these bodies is a layer by itself, as tags are.
fn tags(bodies: &[(&str, &str)]) -> Arrived {
    let mut arrived = Arrived::nothing(LayerName::Service, "tags:gild:");
    arrived.report.state = SourceOutcome::Fetched;
    arrived.apart = true;
    let layer = |(name, body): &(&str, &str)| Layer {
        source: (*name).into(),
        ..layer(LayerName::Service, body, false)
    };
    arrived.layers = bodies.iter().map(layer).collect();
    arrived
}

#[test]
fn a_tag_that_does_not_fit_is_left_out_alone() {
    let mut sources = [
        arrived(LayerName::Account, "vars.t.x = '1'", None),
        tags(&[
            ("tag:a", "vars.a = '1'"),
            ("tag:b", "metrics.interval = 'soon'"),
            ("tag:c", "vars.a.b = '2'"),
            ("tag:d", "vars.t = 'text'"),
            ("tag:e", "metrics.collectors = ['cpu', 'no', 'nope']"),
            ("tag:f", "service.web.fail_after = 5"),
        ]),
    ];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(settled.settings.service["web"].fail_after, 5);
    assert_eq!(var(&settled, "vars").unwrap(), r#"{"a":"1","t":{"x":"1"}}"#);
    assert_eq!(var(&settled, "metrics.interval").unwrap(), "\"10s\"");
    let [_, tags] = &sources;
    assert_eq!(tags.report.state, SourceOutcome::Fetched);
    let left: Vec<&str> = tags.layers.iter().map(|layer| layer.source.as_ref()).collect();
    assert_eq!(left, ["tag:a", "tag:f"]);
    let mut named: Vec<&str> = tags.problems.iter().map(|found| found.source.as_str()).collect();
    named.dedup();
    assert_eq!(named, ["tag:b", "tag:e", "tag:c", "tag:d"]);
    let error = tags.report.error.as_ref().unwrap();
    assert!(error.starts_with("left out: tag:b:1: metrics.interval = \"soon\""), "{error}");
}

/// What the service layer may not write at once it may not put together either.
#[test]
fn a_reference_to_a_secret_cannot_be_pieced_together() {
    let whole = "vars.x = { ssm = '/p' }";
    let noted = "vars.x = { ssm = '/p', note = 'n' }";
    let manager = "vars.x = { secretsmanager = 'id', key = 'k' }";
    for (lower, service, kept, refused) in [
        ("", "vars.x = { ssm = '/p', junk = '1' }", Some(r#"{"junk":"1","ssm":"/p"}"#), 0),
        (noted, "unset = ['vars.x.note']", Some(r#"{"note":"n","ssm":"/p"}"#), 1),
        (noted, "unset = ['vars.x.note', 'vars.x.ssm']", Some("{}"), 0),
        (
            noted,
            "vars.x.ssm = '/q'\nunset = ['vars.x.note']",
            Some(r#"{"note":"n","ssm":"/p"}"#),
            2,
        ),
        (manager, "vars.x.key = 'other'", Some(r#"{"key":"k","secretsmanager":"id"}"#), 1),
        (manager, "unset = ['vars.x.key']", Some(r#"{"key":"k","secretsmanager":"id"}"#), 1),
        (whole, "vars.x.junk = '1'", Some(r#"{"ssm":"/p"}"#), 1),
        (whole, "unset = ['vars.x']\nvars.x = 'known'", Some(r#"{"ssm":"/p"}"#), 2),
    ] {
        let mut sources =
            [arrived(LayerName::Account, lower, None), arrived(LayerName::Service, service, None)];
        let settled = settle(&mut sources, &Terms::default()).unwrap();
        assert_eq!(var(&settled, "vars.x").as_deref(), kept, "{lower} | {service}");
        assert_eq!(sources[1].refused.len(), refused, "{lower} | {service}");
        assert_eq!(sources[1].report.state, SourceOutcome::Fetched);
    }
}

#[test]
fn a_reference_cannot_be_pieced_together_of_two_documents() {
    let mut sources = [
        arrived(LayerName::Service, "vars.x = { ssm = '/p', junk = '1' }", None),
        arrived(LayerName::Service, "unset = ['vars.x.junk']", None),
        arrived(LayerName::Local, "vars.y = { file = '/k' }", None),
    ];
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "vars.x"), None);
    assert_eq!(var(&settled, "vars.y").unwrap(), r#"{"file":"/k"}"#);
    assert_eq!(sources[0].refused[0].key.to_string(), "vars.x");
    assert!(sources[0].layers[0].document.root.is_empty(), "no half entry is left");
}

/// A slip in a document must not open what it keeps from others.
#[test]
fn what_a_document_made_final_stays_so_when_the_document_is_left_out() {
    let global = "final = ['metrics.interval']\nmetrics.interval = 5";
    for copy in [None, Some("metrics.interval = '20s'")] {
        let mut sources = [
            arrived(LayerName::Global, global, copy),
            tags(&[("tag:a", "metrics.interval = '1s'"), ("tag:b", "vars.b = 'x'")]),
            arrived(LayerName::Local, "vars.c = 'x'", None),
        ];
        let settled = settle(&mut sources, &Terms::default()).unwrap();
        let expected = if copy.is_some() { "\"20s\"" } else { "\"10s\"" };
        assert_eq!(var(&settled, "metrics.interval").unwrap(), expected);
        assert_eq!(var(&settled, "vars").unwrap(), r#"{"b":"x","c":"x"}"#);
        let [refused] = sources[1].refused.as_slice() else { panic!("{:?}", sources[1].refused) };
        assert_eq!(refused.reason, "final since global global:1");
    }
}

#[test]
fn what_is_final_in_a_copy_holds_as_soon_as_the_copy_steps_in() {
    let copy = "final = ['vars.a']\nvars.a = 'copy'";
    let mut sources = [
        arrived(LayerName::Account, "vars.a = 'new'\nmetrics.interval = 5", Some(copy)),
        arrived(LayerName::Service, "vars.a = 's'\nvars.b = 's'", None),
        arrived(LayerName::Local, "vars.b = 'mine'\nunset = ['vars.x']", None),
    ];
    sources[0].copied_at = Some("2026-01-02T03:04:05Z".to_owned());
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "vars").unwrap(), r#"{"a":"copy","b":"mine"}"#);
    assert_eq!(sources[1].refused[0].reason, "final since account account:1 [last good copy]");
    assert_eq!(sources[0].report.copied_at.as_deref(), Some("2026-01-02T03:04:05Z"));
}

#[test]
fn later_sources_of_the_same_scope_may_change_what_is_final() {
    let mut sources = [
        arrived(LayerName::Global, "final = ['vars']\nvars.a = '1'", None),
        arrived(LayerName::Global, "vars.a = '2'", None),
        arrived(LayerName::Local, "vars.a = '3'", None),
    ];
    let settled = settle(&mut sources[..2], &Terms::default()).unwrap();
    assert_eq!(var(&settled, "vars.a").unwrap(), "\"2\"");
    let settled = settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(var(&settled, "vars.a").unwrap(), "\"3\"");
}

#[test]
fn a_copy_that_proves_unfit_has_no_age_in_the_report() {
    let wrong = "metrics.interval = 5";
    let mut sources = [arrived(LayerName::Global, wrong, Some(wrong))];
    sources[0].copied_at = Some("2026-01-02T03:04:05Z".to_owned());
    settle(&mut sources, &Terms::default()).unwrap();
    assert_eq!(sources[0].report.copied_at, None);
}

#[test]
fn what_scopes_say_of_rights_and_copies_holds_for_their_layer() {
    let image = "[scope.service]\nmay_set = ['vars']\n[scope.account]\non_bad = 'fail'\n";
    let base = settle(&mut [arrived(LayerName::Image, image, None)], &Terms::default()).unwrap();
    let terms = Terms::of(&base.settings.scope);
    assert_eq!(terms.no_copies, [LayerName::Account]);
    let mut sources = [tags(&[("tag:a", "metrics.interval = '1s'"), ("tag:b", "vars.b = 'x'")])];
    let settled = settle(&mut sources, &terms).unwrap();
    assert_eq!(var(&settled, "vars").unwrap(), r#"{"b":"x"}"#);
    assert_eq!(sources[0].refused[0].reason, "scope.service.may_set does not allow it");
}

#[test]
fn a_key_and_what_is_below_it_in_two_tags_is_a_conflict_that_names_both() {
    for (lower, higher) in [
        (("tag:gild:vars.a", "vars.a = '1'"), ("tag:gild:vars.a.b", "vars.a.b = '2'")),
        // An import comes before what names its key itself.
        (("tag:Name", "vars.a.b = '1'"), ("tag:gild:vars.a", "vars.a = '2'")),
        // Keys that nothing reads.
        (("tag:gild:a", "a = '1'"), ("tag:gild:a.b", "a.b = '2'")),
    ] {
        let mut sources = [tags(&[lower, higher, ("tag:gild:vars.z", "vars.z = '3'")])];
        let settled = settle(&mut sources, &Terms::default()).unwrap();
        assert_eq!(var(&settled, "vars.z").unwrap(), "\"3\"");
        let error = sources[0].report.error.as_ref().unwrap();
        assert!(error.starts_with(&format!("left out: {}:1: ", higher.0)), "{error}");
        assert!(error.contains(&format!("in service {}:1", lower.0)), "{error}");
        assert_eq!(sources[0].layers.len(), 2);
    }
}
