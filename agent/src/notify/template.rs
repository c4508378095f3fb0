//! Texts of the user's own, with placeholders. They are read once, when the
//! configuration is; what a placeholder stands for is put in once and never
//! read again, whatever it holds.

use serde_json::Value;

use super::letter::duration;
use super::message::Message;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape};

/// The placeholders, for messages.
const KNOWN: &str = "{instance_id}, {hostname}, {private_ip}, {public_ip}, {environment}, \
     {outcome}, {task}, {message}, {duration} and {vars.KEY}";

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Fact(Fact),
    Variable(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    InstanceId,
    Hostname,
    PrivateIp,
    PublicIp,
    Environment,
    Outcome,
    Task,
    Message,
    Duration,
}

impl Fact {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "instance_id" => Fact::InstanceId,
            "hostname" => Fact::Hostname,
            "private_ip" => Fact::PrivateIp,
            "public_ip" => Fact::PublicIp,
            "environment" => Fact::Environment,
            "outcome" => Fact::Outcome,
            "task" => Fact::Task,
            "message" => Fact::Message,
            "duration" => Fact::Duration,
            _ => return None,
        })
    }

    fn of(self, message: &Message) -> Option<String> {
        match self {
            Fact::InstanceId => message.instance_id.clone(),
            Fact::Hostname => message.hostname.clone(),
            Fact::PrivateIp => message.private_ip.clone(),
            Fact::PublicIp => message.public_ip.clone(),
            Fact::Environment => message.environment.clone(),
            Fact::Outcome => Some(message.event.outcome().to_owned()),
            Fact::Task => message.task.clone(),
            Fact::Message => message.text.clone(),
            Fact::Duration => message.duration_ms.map(duration),
        }
    }
}

impl Template {
    /// Reads a text, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after
                .split_once('}')
                .ok_or_else(|| "must close its '{'; it opens a placeholder".to_owned())?;
            pieces.push(Piece::Text(before.to_owned()));
            let variable = name.strip_prefix("vars.").filter(|key| !key.is_empty());
            pieces.push(match (Fact::named(name), variable) {
                (Some(fact), _) => Piece::Fact(fact),
                (None, Some(key)) => Piece::Variable(key.to_owned()),
                (None, None) => {
                    return Err(format!("must not hold {{{name}}}; there are {KNOWN}"));
                }
            });
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self(pieces))
    }

    /// The variables that it names.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Variable(key) => Some(key.as_str()),
            _ => None,
        })
    }

    /// The text for this message. What is not known is left empty.
    pub fn fill(&self, message: &Message) -> String {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Fact(fact) => fact.of(message).unwrap_or_default(),
            Piece::Variable(key) => message.vars.get(key).cloned().unwrap_or_default(),
        });
        filled.collect()
    }
}

impl Setting for Template {
    fn shape() -> Shape {
        Shape::Text
    }

    fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
        let text = String::read(node, path, reader)?;
        match Self::parse(&text) {
            Ok(template) => Some(template),
            Err(problem) => {
                reader.problem(node, path, &problem);
                None
            }
        }
    }
}

/// A variable as a text; `None` for what is none.
pub fn variable(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        // References to secrets are tables: no secret comes into a message.
        _ => None,
    }
}
