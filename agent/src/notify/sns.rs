//! A message to an SNS topic, for e-mail, queues and functions.

use std::collections::BTreeMap;

use aws_sdk_sns::config::{Builder, Region};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sns::{Client, error::BuildError};
use serde::Serialize;

use super::letter::Letter;
use super::limits::{BYTES, CHARACTERS, cut, line, lines};
use super::message::Message;
use super::{Notifier, SendError, Supplies};
use crate::platform::aws::AwsError;

/// The longest subject: "fewer than 100 characters".
const SUBJECT: usize = 99;

/// The longest text in bytes. A message of SNS may have 256 KB with its
/// attributes.
const TEXT: usize = 200_000;

/// The longest value of an attribute, in bytes: a limit of our own.
const ATTRIBUTE: usize = 256;

crate::settings! {
    /// An SNS topic.
    SnsSettings {
        /// The topic's ARN, or its name in this instance's region and account.
        topic: String;
    }
}

/// What SNS is sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    subject: String,
    message: String,
    attributes: BTreeMap<&'static str, String>,
}

impl Notifier for SnsSettings {
    type Target = ();
    type Payload = Payload;

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let arn = self.topic.starts_with("arn:");
        let fine = match arn {
            true => region(&self.topic).is_some(),
            false => is_name(&self.topic),
        };
        (!fine).then_some(("topic", "must be the ARN of a topic, or its name"))
    }

    async fn resolve(&self, _: &Supplies) -> Result<(), SendError> {
        Ok(())
    }

    fn payload(&self, letter: &Letter<'_>) -> Payload {
        let message = letter.message;
        let mut attributes = BTreeMap::from([("outcome", message.event.outcome().to_owned())]);
        let environment = message.environment.as_deref().map(line).unwrap_or_default();
        if !environment.is_empty() {
            attributes.insert("environment", cut(&environment, ATTRIBUTE, BYTES));
        }
        Payload {
            subject: subject(&letter.title),
            message: cut(&text(letter), TEXT, BYTES),
            attributes,
        }
    }

    async fn send(
        &self,
        (): (),
        payload: &Payload,
        message: &Message,
        supplies: &Supplies,
    ) -> Result<(), SendError> {
        let aws = supplies.aws.get().await.map_err(SendError::Aws)?;
        let here = aws.config.region().map(ToString::to_string).unwrap_or_default();
        let topic = self.arn(&here, message)?;
        let there = region(&topic).unwrap_or(&here).to_owned();
        let config = Builder::from(&aws.config).region(Region::new(there)).build();
        let mut publish = Client::from_conf(config)
            .publish()
            .topic_arn(&topic)
            .subject(&payload.subject)
            .message(&payload.message);
        for (name, value) in &payload.attributes {
            // What is refused here lacks a type, and this has one.
            if let Ok(attribute) = attribute(value) {
                publish = publish.message_attributes(*name, attribute);
            }
        }
        if topic.ends_with(".fifo") {
            let group = message.instance_id.as_deref().unwrap_or("gild");
            publish = publish.message_group_id(group).message_deduplication_id(&message.id);
        }
        let failed = |source: AwsError| SendError::Publish { topic: topic.clone(), source };
        publish.send().await.map_err(|error| failed(error.into()))?;
        Ok(())
    }
}

impl SnsSettings {
    /// The topic's ARN.
    fn arn(&self, region: &str, message: &Message) -> Result<String, SendError> {
        if self.topic.starts_with("arn:") {
            return Ok(self.topic.clone());
        }
        let Some(account) = &message.account else {
            return Err(SendError::Account(self.topic.clone()));
        };
        let partition = match region.split('-').next() {
            Some("cn") => "aws-cn",
            Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Ok(format!("arn:{partition}:sns:{region}:{account}:{}", self.topic))
    }
}

/// The region of a topic's ARN; `None` where the text is none.
fn region(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, name]
            if !region.is_empty() && !account.is_empty() && is_name(name) =>
        {
            Some(region)
        }
        _ => None,
    }
}

/// Whether a topic may have this name.
fn is_name(text: &str) -> bool {
    let name = text.strip_suffix(".fifo").unwrap_or(text);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && text.len() <= 256 && name.bytes().all(legal)
}

fn attribute(value: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(value).build()
}

/// A subject that SNS takes: printable ASCII on one line, never empty.
fn subject(title: &str) -> String {
    let ascii = |letter: char| match letter {
        '…' => '.',
        letter if letter.is_ascii_graphic() || letter == ' ' => letter,
        _ => '?',
    };
    let short = cut(&line(title), SUBJECT, CHARACTERS);
    let subject: String = short.chars().map(ascii).collect();
    if subject.is_empty() { "gild".to_owned() } else { subject }
}

/// The whole message as lines. Never empty: it begins with the title.
fn text(letter: &Letter<'_>) -> String {
    let mut parts = vec![line(&letter.title)];
    parts.extend(letter.text.as_deref().map(lines));
    if let Some((place, message)) = letter.trouble() {
        parts.push(format!("{}\n{}", line(&place), lines(message)));
    }
    let facts = letter.facts().into_iter();
    let facts: Vec<_> = facts.map(|(name, fact)| format!("{name}: {}", line(&fact))).collect();
    parts.push(facts.join("\n"));
    parts.extend(letter.held_back());
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}
