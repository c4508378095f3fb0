//! Words: gild's and the user's.

use super::*;
use crate::notify::announce::Audience;
use crate::notify::letter::duration;
use crate::platform::redact::Redactor;

const WORDS: &str = "[notify.a.template]\n\
     title = '{outcome}: {hostname} in {environment}'\n\
     text = '{task} {message} {duration} {instance_id} {vars.owner}'\n";

#[test]
fn a_template_is_filled_once() {
    let mut message = message(Event::Failed);
    message.hostname = Some("{instance_id}".to_owned());
    message.task = Some("{vars.owner}".to_owned());
    message.vars.insert("owner".to_owned(), "{message}".to_owned());
    let body = body(&format!("{WEBHOOK}{WORDS}"), &message, 0);
    assert_eq!(body["title"], "failed: {instance_id} in opinion-stg.local");
    let text = "{vars.owner} Unable to start service mysqld: job failed 12.3s \
                i-0123456789abcdef0 {message}";
    assert_eq!(body["text"], text);
}

#[test]
fn what_a_template_does_not_find_is_empty_and_a_title_never_is() {
    let words = "[notify.a.template]\ntitle = '{task}'\ntext = 'by {vars.owner}!'\n";
    let body = body(&format!("{SNS}{words}"), &message(Event::Ready), 0);
    let host = "ip-10-1-2-3.eu-west-1.compute.internal (10.1.2.3)";
    assert_eq!(body["subject"], format!("READY on {host}"));
    assert!(body["message"].as_str().unwrap().contains("\n\nby !\n\n"), "{body}");
}

#[test]
fn a_reference_to_a_secret_never_becomes_a_word() {
    let text =
        format!("{WEBHOOK}{WORDS}[vars]\nowner = {{ ssm = '/hush' }}\nenvironment_id = 'e'\n");
    let audience = Audience::of(&settings(&text), None, &Redactor::default());
    let shown = format!("{audience:?}");
    assert!(shown.contains("environment: Some(\"e\")") && shown.contains("vars: {}"), "{shown}");
}

#[test]
fn a_secret_is_not_told_even_where_it_was_cut() {
    let redactor = Redactor::default();
    redactor.add("correct horse battery");
    let mut message = message(Event::Failed);
    message.task = Some("login with correct horse battery".to_owned());
    message.text = Some("it said: correct hor […]".to_owned());
    message.vars.insert("owner".to_owned(), "correct horse battery".to_owned());
    let message = message.redacted(&redactor);
    assert_eq!(message.task.as_deref(), Some("login with ‹secret›"));
    assert_eq!(message.text.as_deref(), Some("it said: ‹secret› […]"));
    assert_eq!(message.vars["owner"], "‹secret›");
}

#[test]
fn durations_are_short() {
    let texts = [0.4, 850.0, 12_345.6, 245_000.0].map(duration);
    assert_eq!(texts, ["0ms", "850ms", "12.3s", "4m 5s"]);
    assert_eq!(duration(f64::NAN), "0ms");
}
