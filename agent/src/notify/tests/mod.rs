//! Tests of notifications, by the part that they are about.
#![allow(clippy::unwrap_used)]

mod bodies;
mod declared;
mod images;
mod limited;
mod spooled;
mod worded;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::letter::Letter;
use super::message::{Event, Message};
use super::{NotifySettings, Receiver};
use crate::config::check::{self, Finding};
use crate::config::format::Format;
use crate::config::merge::Layer;
use crate::config::{Document, LayerName, Merged, Settings, builtin};

/// The settings of a document over the defaults.
pub(super) fn settings(text: &str) -> Settings {
    let document = Document::parse(text.as_bytes(), Format::Toml).unwrap();
    let own = Layer {
        name: LayerName::Local,
        source: Arc::from("local.toml"),
        version: None,
        last_good: false,
        document,
    };
    let typed = Settings::typed(&Merged::fold(&[builtin::layer(), own]).root);
    assert!(typed.problems.is_empty() && typed.unknown.is_empty(), "{typed:?}");
    typed.settings.unwrap()
}

/// The only notifier of a document.
fn notifier(text: &str) -> NotifySettings {
    settings(text).notify.into_values().next().unwrap()
}

fn findings(text: &str) -> Vec<String> {
    let named = ("a.toml".to_owned(), text.as_bytes().to_vec(), Format::Toml);
    check::documents(&[named]).iter().map(Finding::to_string).collect()
}

/// A message of a usual host.
pub(super) fn message(event: Event) -> Message {
    let text = |text: &str| Some(text.to_owned());
    Message {
        id: "8c1f0a5d2b3e4f60".to_owned(),
        event,
        at: "2026-11-22T10:00:12.345Z".to_owned(),
        instance_id: text("i-0123456789abcdef0"),
        hostname: text("ip-10-1-2-3.eu-west-1.compute.internal"),
        private_ip: text("10.1.2.3"),
        public_ip: text("198.51.100.7"),
        region: text("eu-west-1"),
        account: text("123456789012"),
        environment: text("opinion-stg.local"),
        version: "0.1.0".to_owned(),
        boot_id: text("5f0c7e1a-0000-4000-8000-000000000000"),
        digest: text("0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        playbook_digest: text("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
        started_at: "2026-11-22T10:00:00.000Z".to_owned(),
        duration_ms: (!event.is_notice()).then_some(12_345.678),
        task: (event == Event::Failed).then(|| "mysql : start".to_owned()),
        text: match event {
            Event::Failed => text("Unable to start service mysqld: job failed"),
            Event::Degraded => text("ssm:/gild/account: no answer\nvars.x is not a known key"),
            Event::Drained => text("spot: 3 steps, 1 failed\nleave: it ended with exit status: 1"),
            Event::Ready | Event::Recovered | Event::Baked | Event::BakeFailed => None,
            Event::Fleet | Event::FleetFailed => None,
            Event::Spot => text("spot interruption: terminate at 2026-11-22T10:02:00Z"),
            Event::Rebalance => {
                text("an interruption has been more likely than usual since 2026-11-22T10:00:00Z")
            }
            Event::Maintenance => text(
                "system-reboot from 2026-11-25T09:00:43Z to 2026-11-25T09:17:23Z: \
                 scheduled reboot (instance-event-0d59937288b749b32)",
            ),
            Event::Terminating => {
                text("the group ends this instance: its target state is Terminated")
            }
        },
        vars: BTreeMap::new(),
        image: None,
    }
}

/// A message whose every text wants to do harm.
fn hostile(event: Event) -> Message {
    let harm = "```@everyone **x** <!channel> <@1> [a](https://evil.example) \u{202e}\u{0}\u{1b}[31m\\`\r\n";
    // An emoji of two units at every cut.
    let long = Some(format!("{harm}{}", "🦀".repeat(10_000)));
    Message {
        hostname: long.clone(),
        instance_id: Some(harm.to_owned()),
        private_ip: long.clone(),
        public_ip: Some(" \n ".to_owned()),
        environment: long.clone(),
        task: long.clone(),
        text: long,
        ..message(event)
    }
}

const DISCORD: &str = "[notify.a]\ntype = 'discord'\nurl = 'https://discord.example/x'\n\
     username = 'gild'\navatar_url = 'https://example.org/gild.png'\n";
pub(super) const SNS: &str = "[notify.a]\ntype = 'sns'\ntopic = 'boots'\n";
const WEBHOOK: &str = "[notify.a]\ntype = 'webhook'\nurl = 'https://hooks.example/x'\n";
const SLACK: &str =
    "[notify.a]\ntype = 'webhook'\nurl = 'https://hooks.example/x'\nformat = 'slack'\n";

/// What a notifier would send of a message.
fn body(text: &str, message: &Message, held_back: u32) -> serde_json::Value {
    let NotifySettings { rules, receiver } = notifier(text);
    let receiver: Receiver = receiver;
    receiver.preview(&Letter::new(message, &rules, held_back))
}
