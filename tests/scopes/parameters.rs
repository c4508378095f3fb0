//! Parameters by tens in one question, and one by one where that is not allowed.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use gild::config::SecretRef;
use gild::configure::report::SourceOutcome;
use gild::platform::error::chain_text;
use gild::platform::http::client;
use gild::platform::paths::Paths;
use gild::platform::redact::Redactor;
use gild::scope::secrets::Secrets;
use gild::scope::verdict::Verdict;
use http::Response;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{World, source, value, with_aws};
use crate::fakes::calls::Calls;
use crate::fakes::place::loopback;
use crate::fakes::server::{Asked, text};

/// Systems Manager: a name with "denied" in it may not be read, one with "none" is not
/// there, and every other holds a document that sets the variable of its last segment.
fn answer(asked: &Asked) -> Response<Bytes> {
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    let parameter = |name: &str| {
        let key = name.rsplit('/').next().unwrap();
        json!({ "Name": name, "Type": "String", "Value": format!("vars.{key} = 'x'"), "Version": 3 })
    };
    let refusal = |word: &str| text(400, &json!({ "__type": word, "message": "no" }).to_string());
    let denied = |name: &&str| name.contains("denied");
    let absent = |name: &&str| name.contains("none");
    if let Some(name) = body["Name"].as_str() {
        return match name {
            name if denied(&name) => refusal("AccessDeniedException"),
            name if absent(&name) => refusal("ParameterNotFound"),
            name => text(200, &json!({ "Parameter": parameter(name) }).to_string()),
        };
    }
    let names: Vec<&str> =
        body["Names"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
    if names.iter().any(denied) {
        return refusal("AccessDeniedException");
    }
    // Not in the order of the question, as the service does it.
    let there: Vec<Value> =
        names.iter().rev().filter(|n| !absent(n)).map(|n| parameter(n)).collect();
    let absent: Vec<&&str> = names.iter().filter(|name| absent(name)).collect();
    text(200, &json!({ "Parameters": there, "InvalidParameters": absent }).to_string())
}

/// How many names each question held: 0 for the question for one parameter.
fn sizes(calls: &Calls) -> Vec<usize> {
    let size = |asked: &Asked| {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(
            asked.header("x-amz-target").ends_with("GetParameters"),
            body["Names"].is_array()
        );
        body["Names"].as_array().map_or(0, Vec::len)
    };
    let mut sizes: Vec<usize> = calls.asked().iter().map(size).collect();
    sizes.sort_unstable();
    sizes
}

#[tokio::test]
async fn documents_in_parameters_are_asked_for_by_tens() {
    let test = "parameters::documents_in_parameters_are_asked_for_by_tens";
    let calls = Calls::start(loopback(), answer);
    if !with_aws(test, calls.endpoint(), &[]) {
        // Eleven names: ten together, and the one that is left alone.
        assert_eq!(sizes(&calls), [0, 10]);
        return;
    }
    let names: Vec<String> = (0..10).map(|number| format!("'ssm:/gild/n{number}'")).collect();
    let scope = format!(
        "scope.global.sources = [{}]\n\
         scope.account.sources = ['ssm:/gild/none', {{ url = 'ssm:/gild/n1', into = 'vars.own' }}]\n",
        names.join(", ")
    );
    let resolution = World::new(&[], &scope).resolve().await;
    assert_eq!(resolution.verdict, Verdict::Ready, "{:?}", resolution.sources);
    assert_eq!(value(&resolution, "vars.n9"), "x");
    assert_eq!(value(&resolution, "vars.own.vars.n1"), "x");
    assert_eq!(source(&resolution, "none").state, SourceOutcome::Absent);
    assert_eq!(source(&resolution, "n3").version.as_deref(), Some("3"));
    assert!(resolution.sources.iter().skip(2).all(|report| report.attempts == 1));
}

#[tokio::test]
async fn one_parameter_alone_is_asked_for_as_ever() {
    let test = "parameters::one_parameter_alone_is_asked_for_as_ever";
    let calls = Calls::start(loopback(), answer);
    if !with_aws(test, calls.endpoint(), &[]) {
        assert_eq!(sizes(&calls), [0]);
        return;
    }
    let scope = "scope.global.sources = ['ssm:/gild/a']\n";
    let resolution = World::new(&[], scope).resolve().await;
    assert_eq!(value(&resolution, "vars.a"), "x");
}

#[tokio::test]
async fn a_name_that_may_not_be_read_does_not_take_the_others_with_it() {
    let test = "parameters::a_name_that_may_not_be_read_does_not_take_the_others_with_it";
    let calls = Calls::start(loopback(), answer);
    if !with_aws(test, calls.endpoint(), &[]) {
        assert_eq!(sizes(&calls), [0, 0, 0, 0, 4]);
        return;
    }
    let scope = "scope.global.sources = ['ssm:/gild/a', 'ssm:/gild/{tag:team}', 'ssm:/gild/none',\n\
                 'ssm:/gild/b']\n";
    let resolution = World::new(&[("team", "denied")], scope).resolve().await;
    assert_eq!(value(&resolution, "vars"), json!({ "a": "x", "b": "x" }));
    assert_eq!(source(&resolution, "none").state, SourceOutcome::Absent);
    let denied = source(&resolution, "denied");
    assert_eq!((denied.state, denied.attempts), (SourceOutcome::Failed, 2));
    assert!(denied.error.as_ref().unwrap().contains("GetParameter: the answer was AccessDenied"));
}

#[tokio::test]
async fn a_question_that_is_throttled_is_asked_again_once_for_all() {
    let test = "parameters::a_question_that_is_throttled_is_asked_again_once_for_all";
    let count = AtomicUsize::new(0);
    let calls = Calls::start(loopback(), move |asked| match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => text(400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
        _ => answer(asked),
    });
    if !with_aws(test, calls.endpoint(), &[]) {
        assert_eq!(sizes(&calls), [2, 2, 2]);
        return;
    }
    let scope = "scope.global.sources = ['ssm:/gild/a', 'ssm:/gild/b']\n";
    let resolution = World::new(&[], scope).resolve().await;
    assert_eq!(value(&resolution, "vars"), json!({ "a": "x", "b": "x" }));
    for part in ["/gild/a", "/gild/b"] {
        assert_eq!(source(&resolution, part).attempts, 3);
    }
}

#[tokio::test]
async fn secrets_in_parameters_are_asked_for_together() {
    let test = "parameters::secrets_in_parameters_are_asked_for_together";
    let calls = Calls::start(loopback(), answer);
    if !with_aws(test, calls.endpoint(), &[]) {
        // All at once; then with one that is not there; then with one that is refused.
        assert_eq!(sizes(&calls), [0, 0, 2, 2, 3]);
        for asked in calls.asked() {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!(body["WithDecryption"], true);
        }
        return;
    }
    let redactor = Redactor::default();
    let paths = Paths::installed(Path::new("/nonexistent"));
    let client = client().unwrap();
    let secrets = Secrets::new(&paths, &client, None, &redactor, Duration::from_secs(10));
    let ssm = |names: &[&str]| -> Vec<SecretRef> {
        names.iter().map(|name| SecretRef::Ssm((*name).to_owned())).collect()
    };
    let all = ssm(&["/alpha", "/beta", "/gamma", "/alpha"]);
    let values = secrets.resolve_all(&all).await.unwrap();
    assert_eq!(values.len(), 3);
    for (reference, key) in all.iter().zip(["alpha", "beta", "gamma"]) {
        let expected = format!("vars.{key} = 'x'");
        assert_eq!(values[reference].expose_secret(), expected);
        assert_eq!(redactor.text(&format!("a {expected} b")), "a ‹secret› b");
    }
    for (names, expected) in [
        (
            ["/alpha", "/none"],
            "failed to resolve the secret 'ssm:/none' (1 attempts): there is no such parameter",
        ),
        (
            ["/alpha", "/denied"],
            "failed to resolve the secret 'ssm:/denied' (1 attempts): failed to call GetParameter: \
             the answer was AccessDeniedException (no)",
        ),
    ] {
        let error = secrets.resolve_all(&ssm(&names)).await.unwrap_err();
        assert_eq!(chain_text(&error), expected);
    }
}
