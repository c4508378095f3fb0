//! A message as one receiver reads it: its title, its text and its facts, in
//! gild's words or in the user's.

use std::time::Duration;

use super::message::{Event, Message};
use super::settings::Rules;

/// A message with its words.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    /// What is told.
    pub message: &'a Message,
    /// The title. Never empty.
    pub title: String,
    /// The user's own text, where there is one.
    pub text: Option<String>,
    /// How many messages were held back since the last one.
    pub held_back: u32,
}

impl<'a> Letter<'a> {
    /// The message in the words that the rules ask for.
    pub fn new(message: &'a Message, rules: &Rules, held_back: u32) -> Self {
        let words = rules.template.as_ref();
        let fill = |template: Option<&super::template::Template>| {
            template.map(|template| template.fill(message)).filter(|text| !text.trim().is_empty())
        };
        let title = fill(words.and_then(|words| words.title.as_ref()));
        let text = fill(words.and_then(|words| words.text.as_ref()));
        Self { message, title: title.unwrap_or_else(|| headline(message)), text, held_back }
    }

    /// What is wrong, the task and the message; or what is coming, or was done. `None`
    /// where there is nothing to say, or where the user's own text says it.
    pub fn trouble(&self) -> Option<(String, &str)> {
        let message = self.message;
        let event = message.event;
        if self.text.is_some() || (event.is_of_boot() && !event.is_bad()) {
            return None;
        }
        let place = match (&message.task, event) {
            _ if event.is_notice() => "notice:".to_owned(),
            (_, Event::Fleet) => "done:".to_owned(),
            (Some(task), _) => format!("error in {task}:"),
            (None, Event::Failed | Event::BakeFailed | Event::FleetFailed) => "error:".to_owned(),
            (None, Event::Drained) => "drained:".to_owned(),
            (None, Event::Baked) => "images:".to_owned(),
            (None, _) => "problems:".to_owned(),
        };
        Some((place, message.text.as_deref().unwrap_or("no message")))
    }

    /// What was held back, in words.
    pub fn held_back(&self) -> Option<String> {
        let what = match self.held_back {
            0 => return None,
            1 => "1 earlier message was".to_owned(),
            count => format!("{count} earlier messages were"),
        };
        Some(format!("{what} held back: more than the limit of an hour"))
    }

    /// What is known, each with its name.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let message = self.message;
        let short = |digest: &Option<String>| {
            digest.as_ref().map(|digest| digest.chars().take(12).collect::<String>())
        };
        let image = message.image.as_ref();
        let facts = [
            ("Service", image.and_then(|image| image.service.clone())),
            ("Version", image.and_then(|image| image.version.clone())),
            ("Base", image.and_then(|image| image.base.clone())),
            ("Revision", image.and_then(|image| short(&image.revision))),
            ("Instance", message.instance_id.clone()),
            ("Host", message.hostname.clone()),
            ("Private IP", message.private_ip.clone()),
            ("Public IP", message.public_ip.clone()),
            ("Environment", message.environment.clone()),
            ("Configuration", short(&message.digest)),
            ("Playbook", short(&message.playbook_digest)),
            ("gild", Some(message.version.clone())),
            ("Duration", message.duration_ms.map(duration)),
        ];
        let known = facts.into_iter().filter_map(|(name, fact)| Some((name, fact?)));
        known.filter(|(_, fact)| !fact.trim().is_empty()).collect()
    }
}

/// The title in gild's words.
fn headline(message: &Message) -> String {
    let what = match message.event {
        Event::Failed => "FAILED on",
        Event::Degraded => "DEGRADED on",
        Event::Ready => "READY on",
        Event::Recovered => "READY again on",
        Event::Spot => "SPOT INTERRUPTION of",
        Event::Rebalance => "REBALANCE recommended for",
        Event::Maintenance => "MAINTENANCE planned for",
        Event::Terminating => "TERMINATING",
        Event::Drained => "DRAINED",
        Event::Baked => "NEW IMAGE of",
        Event::BakeFailed => "NO IMAGE of",
        Event::Fleet => "DONE",
        Event::FleetFailed => "NOT DONE",
    };
    let known = |name: &&String| !name.trim().is_empty();
    if message.event.is_of_fleet() {
        let parts = [&message.task, &message.region, &message.account];
        let parts = parts.map(|part| part.as_ref().filter(known).map_or("?", String::as_str));
        let [verb, region, account] = parts;
        return format!("{what}: {verb} in {region} of {account}");
    }
    if let Some(image) = &message.image {
        let service = image.service.as_ref().filter(known).map_or("a service", String::as_str);
        let version = image.version.as_ref().filter(known);
        return version.map_or_else(
            || format!("{what} {service}"),
            |version| format!("{what} {service} {version}"),
        );
    }
    let names = [&message.hostname, &message.instance_id];
    let name = names.into_iter().flatten().find(known);
    let name = name.map_or("an instance", String::as_str);
    match &message.private_ip {
        Some(address) => format!("{what} {name} ({address})"),
        None => format!("{what} {name}"),
    }
}

/// A duration in words: `850ms`, `12.3s`, `4m 5s`.
pub fn duration(ms: f64) -> String {
    let known = if ms.is_nan() { 0.0 } else { ms.clamp(0.0, 1e12) };
    let whole = Duration::from_secs_f64(known / 1e3);
    let seconds = whole.as_secs_f64();
    match seconds {
        _ if seconds < 1.0 => format!("{}ms", whole.as_millis()),
        _ if seconds < 60.0 => format!("{seconds:.1}s"),
        _ => humantime::format_duration(Duration::from_secs(whole.as_secs())).to_string(),
    }
}
