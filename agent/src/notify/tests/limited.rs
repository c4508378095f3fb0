//! Whatever a message holds, each receiver takes it.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::notify::limits::{UTF16, length};

fn units(value: &Value) -> usize {
    length(value.as_str().unwrap_or_default(), UTF16)
}

/// The rules of Discord's page on embeds.
fn discord_takes(body: &Value) {
    let within = |value: &Value, most: usize| {
        let units = units(value);
        assert!((1..=most).contains(&units), "{units} of {most}: {value}");
        assert!(!value.as_str().unwrap().trim().is_empty());
    };
    within(&body["content"], 2000);
    within(&body["username"], 80);
    assert_eq!(body["allowed_mentions"], serde_json::json!({ "parse": [] }));
    let [embed] = body["embeds"].as_array().unwrap().as_slice() else { panic!("{body}") };
    within(&embed["title"], 256);
    assert!(units(&embed["description"]) <= 4096);
    let fields = embed["fields"].as_array().unwrap();
    assert!(fields.len() <= 25);
    let mut total = units(&embed["title"]) + units(&embed["description"]);
    for field in fields {
        within(&field["name"], 256);
        within(&field["value"], 1024);
        total += units(&field["name"]) + units(&field["value"]);
        let value = field["value"].as_str().unwrap();
        if value.starts_with("```") {
            assert!(value.ends_with("\n```") && value.matches("```").count() == 2, "{value}");
        }
    }
    assert!(total <= 6000, "{total}");
    no_controls(body);
}

/// The rules of SNS.
fn sns_takes(body: &Value) {
    let subject = body["subject"].as_str().unwrap();
    assert!((1..100).contains(&subject.len()), "{subject}");
    assert!(subject.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{subject:?}");
    assert!(!subject.starts_with(' '));
    let message = body["message"].as_str().unwrap();
    assert!((1..=256 << 10).contains(&message.len()));
    for value in body["attributes"].as_object().unwrap().values() {
        assert!(!value.as_str().unwrap().is_empty());
    }
    no_controls(body);
}

/// The rules of Slack's pages on blocks.
fn slack_takes(body: &Value) {
    let [attachment] = body["attachments"].as_array().unwrap().as_slice() else { panic!() };
    assert!((1..=40_000).contains(&units(&body["text"])));
    let blocks = attachment["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    for block in blocks {
        let text = units(&block["text"]["text"]);
        match (block["type"].as_str().unwrap(), block["fields"].as_array()) {
            ("header", None) => assert!((1..=150).contains(&text)),
            (_, None) => assert!((1..=3000).contains(&text), "{text}"),
            (_, Some(fields)) => {
                assert!((1..=10).contains(&fields.len()));
                for field in fields {
                    assert!((1..=2000).contains(&units(&field["text"])));
                }
            }
        }
    }
    // Nothing that was told is a mention or a link; a header's text is plain.
    let marked = serde_json::json!([body["text"], blocks.get(1..)]).to_string();
    assert!(!marked.contains(['<', '>']), "{marked}");
    no_controls(body);
}

fn no_controls(body: &Value) {
    match body {
        Value::String(text) => {
            let harm = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(harm), "{text:?}");
        }
        Value::Array(items) => items.iter().for_each(no_controls),
        Value::Object(entries) => entries.values().for_each(no_controls),
        _ => {}
    }
}

#[test]
fn a_hostile_message_is_within_all_limits() {
    for event in [Event::Failed, Event::Degraded, Event::Ready] {
        for held_back in [0, 1, u32::MAX] {
            discord_takes(&body(DISCORD, &hostile(event), held_back));
            sns_takes(&body(SNS, &hostile(event), held_back));
            slack_takes(&body(SLACK, &hostile(event), held_back));
        }
    }
}

fn texts() -> impl Strategy<Value = Option<String>> {
    // Short and long, plain and full of what Markdown, Slack and terminals read.
    proptest::option::of(prop_oneof![
        "\\PC{0,30}",
        "[`*_<>&@\\\\\n\u{0}\u{1b}\u{202e}🦀é ]{0,60}",
        "[`<&🦀]{0,40}".prop_map(|text| text.repeat(200)),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_message_is_within_all_limits(
        (hostname, instance_id, private_ip, environment) in (texts(), texts(), texts(), texts()),
        (task, text, digest, title, words) in (texts(), texts(), texts(), texts(), texts()),
        bad in any::<bool>(),
        held_back in 0_u32..3,
    ) {
        let event = if bad { Event::Failed } else { Event::Ready };
        let mut vars = BTreeMap::new();
        vars.insert("t".to_owned(), title.clone().unwrap_or_default());
        vars.insert("w".to_owned(), words.clone().unwrap_or_default());
        let message = Message {
            hostname, instance_id, private_ip, environment, task, text, digest, vars,
            ..message(event)
        };
        let template = "[notify.a.template]\ntitle = '{vars.t}'\ntext = '{vars.w}'\n";
        let template = if title.is_some() || words.is_some() { template } else { "" };
        let of = |settings: &str| body(&format!("{settings}{template}"), &message, held_back);
        discord_takes(&of(DISCORD));
        sns_takes(&of(SNS));
        slack_takes(&of(SLACK));
        no_controls(&of(WEBHOOK));
    }
}
