//! What can be configured, and what is said of mistakes.

use super::*;
use crate::config::SecretRef;
use crate::notify::discord::DiscordSettings;
use crate::notify::secret_url::SecretUrl;
use crate::platform::redact::Redactor;

#[test]
fn a_notifier_has_defaults_and_a_type() {
    let NotifySettings { rules, receiver } =
        notifier("[notify.a]\ntype = 'discord'\nurl = { ssm = '/hook' }\n");
    let of_host = [Event::Failed, Event::Degraded, Event::Ready, Event::Spot, Event::Terminating];
    let of_builder = [Event::Baked, Event::BakeFailed, Event::Fleet, Event::FleetFailed];
    let on = [&of_host[..], &of_builder].concat();
    assert_eq!(rules.on, on);
    assert_eq!((rules.most_per_hour, rules.template), (20, None));
    let Receiver::Discord(DiscordSettings { url: Some(url), key, .. }) = receiver else {
        panic!("another receiver")
    };
    assert_eq!(url, SecretUrl::Reference(SecretRef::Ssm("/hook".to_owned())));
    assert_eq!(key, "default");
}

#[test]
fn a_recovery_is_for_those_who_want_ready_too() {
    let rules = |on: &str| notifier(&format!("{SNS}on = {on}\n")).rules;
    for (on, event, wanted) in [
        ("['ready']", Event::Recovered, true),
        ("['recovered']", Event::Recovered, true),
        ("['recovered']", Event::Ready, false),
        ("['failed']", Event::Recovered, false),
    ] {
        assert_eq!(rules(on).want(event), wanted, "{on} {event:?}");
    }
}

#[test]
fn each_word_is_an_event_of_its_own() {
    let words = ["failed", "degraded", "ready", "recovered"];
    for word in words.into_iter().chain(["spot", "rebalance", "maintenance", "terminating"]) {
        let on = notifier(&format!("{SNS}on = ['{word}']\n")).rules.on;
        assert_eq!(serde_json::to_value(&on).unwrap(), serde_json::json!([word]));
    }
}

#[test]
fn mistakes_are_named_with_what_would_be_right() {
    for (text, expected) in [
        ("topic = 'x'", "notify.a.type is missing; it must be \"discord\", \"sns\" or \"webhook\""),
        ("type = 'mail'", "notify.a.type = \"mail\" must be \"discord\", \"sns\" or \"webhook\""),
        ("type = 'discord'", "notify.a.url is missing; there must be 'url' or 'webhooks'"),
        (
            "type = 'discord'\nurl = 'https://x/'\nwebhooks = 'https://y/'",
            "notify.a.url must be left out where 'webhooks' is given",
        ),
        ("type = 'discord'\nwebhooks = '/tmp/webhooks.yml'", "notify.a.webhooks must be a URL"),
        ("type = 'webhook'\nurl = 'hooks.example'", "notify.a.url must be a URL that begins with"),
        ("type = 'webhook'\nurl = 'https://me:hush@x/'", "notify.a.url must be a URL"),
        ("type = 'sns'\ntopic = 'a b'", "notify.a.topic must be the ARN of a topic, or its name"),
        ("type = 'sns'\ntopic = 'arn:aws:sqs:x:1:q'", "must be the ARN of a topic"),
        ("type = 'sns'\ntopic = 'x'\non = ['reboot']", "notify.a.on = \"reboot\" must be one of"),
        ("type = 'sns'\ntopic = 'x'\nmost_per_hour = 0", "a whole number from 1 to 100"),
        (
            "type = 'sns'\ntopic = 'x'\n[notify.a.template]\ntitle = '{hostnam}'",
            "notify.a.template.title = \"{hostnam}\" must not hold {hostnam}; there are",
        ),
        (
            "type = 'webhook'\nurl = 'https://x/'\nheaders = { 'a b' = { ssm = '/x' } }",
            "notify.a.headers must have names of letters",
        ),
        (
            "type = 'webhook'\nurl = 'https://x/'\nheaders = { Authorization = 'Bearer hush' }",
            "notify.a.headers.Authorization must be a reference",
        ),
        ("type = 'sns'\ntopic = 'x'\ntopik = 'y'", "notify.a.topik is not a known key"),
    ] {
        let found = findings(&format!("[notify.a]\n{text}\n"));
        assert!(found.iter().any(|line| line.contains(expected)), "{text}: {found:#?}");
        assert!(!found.iter().any(|line| line.contains("hush")), "{text}: {found:#?}");
    }
}

#[test]
fn a_plain_url_is_a_secret_too() {
    let url = "https://discord.example/api/webhooks/1234/AbCdEfGhIjKlMnOpQrStUvWx";
    let NotifySettings { receiver, .. } =
        notifier(&format!("[notify.a]\ntype = 'discord'\nurl = '{url}'\n"));
    let shown = format!("{receiver:?}");
    assert!(!shown.contains("AbCd"), "{shown}");
    let redactor = Redactor::default();
    receiver.mask(&redactor);
    assert_eq!(redactor.text(&format!("<{url}>")), "<‹secret›>");
    assert_eq!(redactor.text("/webhooks/1234/AbCdEfGhIjKlMnOpQrStUvWx"), "/webhooks/1234/‹secret›");
}

#[test]
fn the_example_is_a_valid_document() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/examples/notify.toml");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(findings(&text), Vec::<String>::new());
    let types: Vec<_> = settings(&text).notify.into_values().map(|one| one.receiver).collect();
    let has = |kind: fn(&Receiver) -> bool| types.iter().any(kind);
    assert!(has(|it| matches!(it, Receiver::Discord(_))));
    assert!(has(|it| matches!(it, Receiver::Sns(_))));
    assert!(has(|it| matches!(it, Receiver::Webhook(_))));
}
