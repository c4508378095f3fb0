//! What if: the configuration with a few keys set otherwise. The settings themselves judge
//! what was asked, so a new schema or sink is known here at once.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::Failure;
use crate::config::node::Node;
use crate::config::schema::quoted;
use crate::identity::Identity;
use crate::metrics::sink::SinkSettings;

#[derive(Debug, Args)]
pub(super) struct Otherwise {
    /// What if CloudWatch sinks had this schema.
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// What if sinks sent every so often.
    #[arg(long, value_name = "DURATION")]
    flush: Option<String>,
    /// What if CloudWatch sinks had metrics of the group, or of each instance.
    #[arg(long, value_name = "WHAT")]
    per: Option<String>,
    /// What if there were only this sink: one of this name, or a new one of this type or for this
    /// receiver, such as mimir.
    #[arg(long, value_name = "SINK")]
    sink: Option<String>,
}

impl Otherwise {
    /// The keys that are set otherwise, in the sinks that have them.
    fn keys(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let keys = [("schema", &self.schema), ("flush", &self.flush), ("per", &self.per)];
        keys.into_iter().filter_map(|(key, value)| Some((key, value.as_ref()?)))
    }
}

/// What is asked, in words.
pub(super) fn words(asked: &Otherwise) -> String {
    let sink = asked.sink.as_ref().map(|sink| format!("only {sink}"));
    let keys = asked.keys().map(|(key, value)| format!("{key} = {value:?}"));
    sink.into_iter().chain(keys).collect::<Vec<_>>().join(", ")
}

/// Who this would be: an instance of some group, for what is reckoned of a group.
pub(super) fn identity(identity: &Identity) -> Identity {
    let mut identity = identity.clone();
    identity.autoscaling_group.get_or_insert_with(|| "group".to_owned());
    identity
}

/// The configuration as it would be otherwise; nothing where nothing is asked.
pub(super) fn config(config: &Node, asked: &Otherwise) -> Result<Option<Node>, Failure> {
    if asked.sink.is_none() && asked.keys().next().is_none() {
        return Ok(None);
    }
    let mut config = config.clone();
    let origin = config.origin().clone();
    let node = |value: &Value| Node::from_value(value, &origin);
    let Node::Table { entries, .. } = &mut config else { return Ok(None) };
    let sinks = entries.entry("sink".to_owned()).or_insert_with(|| node(&json!({})));
    let Node::Table { entries: sinks, .. } = sinks else { return Ok(None) };
    if let Some(wanted) = &asked.sink {
        sinks.retain(|name, _| name == wanted);
        if sinks.is_empty() {
            let Some(made) = SinkSettings::unconfigured(wanted) else {
                let words = quoted(&SinkSettings::words());
                return Err(format!("there is no sink '{wanted}'; new ones are {words}").into());
            };
            sinks.insert(wanted.clone(), node(&made));
        }
    }
    for (key, value) in asked.keys() {
        let mut known = false;
        for sink in sinks.values_mut() {
            let Node::Table { entries, .. } = sink else { continue };
            let kind = entries.get("type").map(Node::to_value);
            let has = kind.as_ref().and_then(Value::as_str).is_some_and(|kind| {
                SinkSettings::fields_of(kind).iter().any(|field| field.key == key)
            });
            if has {
                entries.insert(key.to_owned(), node(&value.as_str().into()));
                known = true;
            }
        }
        if !known {
            return Err(format!("no sink has '{key}'").into());
        }
    }
    Ok(Some(config))
}
