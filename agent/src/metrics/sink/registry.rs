//! The types of sinks there are, and what can be done with one whose type is only known from
//! its settings: reading them, setting it up, showing what it would send, reckoning what that
//! comes to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{BuildError, SetUpError, Sink, SinkContext, Supplies};
use super::{cloudwatch, log, otlp, remote_write};
use crate::config::SecretRef;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Field, Reader, Setting, Shape, quoted};
use crate::cost::usage::Usage;
use crate::identity::Identity;
use crate::metrics::driver::{Handle, Retries};
use crate::metrics::drops::Drops;
use crate::metrics::sample::Tick;

/// The requests that a sink would send for these ticks.
fn preview<S: Sink>(mut sink: S, ticks: &[Arc<Tick>]) -> Vec<String> {
    let mut drops = Drops::default();
    let mut requests = Vec::new();
    for tick in ticks {
        requests.extend(sink.take(tick, &mut drops));
    }
    requests.extend(sink.flush(true, &mut drops));
    let mut lines: Vec<_> =
        requests.iter().flat_map(|request| sink.show(&request.payload)).collect();
    for (reason, count) in drops.by_reason() {
        lines.push(format!("# not sent: {count} ({reason})"));
    }
    lines
}

/// What one host sends in the long run, by two of its ticks: rates need both.
fn usage<S: Sink>(mut sink: S, ticks: &[Arc<Tick>], between: Duration) -> Usage {
    let (mut drops, mut requests) = (Drops::default(), Vec::new());
    for tick in ticks {
        // A sink that leaves ticks out gives nothing back for those.
        let taken = sink.take(tick, &mut drops);
        if !taken.is_empty() {
            requests = taken;
        }
    }
    requests.extend(sink.flush(true, &mut drops));
    let left_out = sink.left_out().cloned().unwrap_or_default();
    Usage { left_out, ..sink.usage(&requests, between) }
}

fn start<S>(name: &str, settings: &S::Settings, identity: &Identity, supplies: &Supplies) -> Handle
where
    S: Sink,
    S::Settings: Clone + Send + Sync + 'static,
{
    let made_of = Arc::new((settings.clone(), identity.clone(), supplies.clone()));
    let set_up = move || {
        let made_of = Arc::clone(&made_of);
        async move {
            let (settings, identity, supplies) = &*made_of;
            let secrets = S::secrets(settings);
            let context = supplies.for_sink(S::needs_aws(settings), &secrets).await?;
            let sink = S::build(settings, identity, &context).map_err(SetUpError::Build)?;
            sink.connect(settings, &context).map_err(SetUpError::Build)
        }
    };
    let place = supplies.spool.place(name, identity).filter(|_| S::SPOOLS);
    let mut handle = Handle::spooling(name, set_up, Retries::default(), place);
    handle.destination = S::destination(settings, identity);
    handle
}

macro_rules! sinks {
    ($( $word:literal => $variant:ident($settings:path, $sink:path), )+) => {
        /// A sink's settings, by its `type`.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::large_enum_variant, reason = "there are a few, each in a map")]
        pub enum SinkSettings {
            $( #[doc = concat!("`type = \"", $word, "\"`")] $variant($settings), )+
        }

        impl SinkSettings {
            /// The words that `type` may be.
            pub const TYPES: &'static [&'static str] = &[$($word),+];

            /// The word of this sink's type.
            pub fn type_word(&self) -> &'static str {
                match self { $( SinkSettings::$variant(_) => $word, )+ }
            }

            /// The words of all types, and of the receivers that people know by name.
            pub fn words() -> Vec<&'static str> {
                let mut words = Self::TYPES.to_vec();
                $( words.extend(<$sink>::RECEIVERS.iter().map(|(word, _)| *word)); )+
                words
            }

            /// The keys of a type.
            pub fn fields_of(word: &str) -> Vec<Field> {
                $( if word == $word { return <$settings>::fields(); } )+
                Vec::new()
            }

            /// The table of a sink that nobody configured, of a type or for a receiver.
            pub fn unconfigured(wanted: &str) -> Option<Value> {
                $( {
                    let mut receivers = <$sink>::RECEIVERS.iter();
                    let receiver = match wanted == $word {
                        true => receivers.next(),
                        false => receivers.find(|(word, _)| *word == wanted),
                    };
                    match receiver {
                        Some((_, url)) => return Some(json!({ "type": $word, "url": url })),
                        None if wanted == $word => return Some(json!({ "type": $word })),
                        None => {}
                    }
                } )+
                None
            }

            /// Whether the sink needs AWS.
            pub fn needs_aws(&self) -> bool {
                match self { $( SinkSettings::$variant(settings) => <$sink>::needs_aws(settings), )+ }
            }

            /// The secrets that must be resolved for the sink.
            pub fn secrets(&self) -> Vec<SecretRef> {
                match self { $( SinkSettings::$variant(settings) => <$sink>::secrets(settings), )+ }
            }

            /// Puts the sink to work under a name.
            pub fn start(&self, name: &str, identity: &Identity, supplies: &Supplies) -> Handle {
                match self { $( SinkSettings::$variant(settings) => {
                    start::<$sink>(name, settings, identity, supplies)
                } )+ }
            }

            /// The exact requests that the sink would send for these ticks, as
            /// people read them. Nothing is sent.
            pub fn preview(
                &self,
                identity: &Identity,
                context: &SinkContext,
                ticks: &[Arc<Tick>],
            ) -> Result<Vec<String>, BuildError> {
                match self { $( SinkSettings::$variant(settings) => {
                    Ok(preview(<$sink>::build(settings, identity, context)?, ticks))
                } )+ }
            }

            /// What the sink would send in the long run, by two ticks, where one comes
            /// every `between`. Nothing is sent.
            pub fn usage(
                &self,
                identity: &Identity,
                context: &SinkContext,
                ticks: &[Arc<Tick>],
                between: Duration,
            ) -> Result<Usage, BuildError> {
                match self { $( SinkSettings::$variant(settings) => {
                    Ok(usage(<$sink>::build(settings, identity, context)?, ticks, between))
                } )+ }
            }
        }

        impl Setting for SinkSettings {
            fn shape() -> Shape {
                Shape::Variants {
                    tag: "type",
                    words: Self::TYPES,
                    variants: vec![ $( ($word, <$settings>::fields()) ),+ ],
                }
            }

            fn read(node: &Node, path: &KeyPath, reader: &mut Reader) -> Option<Self> {
                let mut entries = reader.table(node, path, "a table")?.clone();
                let of_type = path.child("type");
                let Some(kind) = entries.remove("type") else {
                    let message = format!("is missing; it must be {}", quoted(Self::TYPES));
                    reader.hidden_problem(node, &of_type, &message);
                    return None;
                };
                let rest = Node::Table { origin: node.origin().clone(), entries };
                match kind.to_value() {
                    $( Value::String(word) if word == $word => {
                        <$settings>::read(&rest, path, reader).map(SinkSettings::$variant)
                    } )+
                    _ => {
                        let message = format!("must be {}", quoted(Self::TYPES));
                        reader.problem(&kind, &of_type, &message);
                        None
                    }
                }
            }
        }
    };
}

// The registry.
sinks! {
    "cloudwatch" => CloudWatch(cloudwatch::CloudWatchSettings, cloudwatch::CloudWatch),
    "log" => Log(log::LogSettings, log::Log),
    "otlp" => Otlp(otlp::OtlpSettings, otlp::Otlp),
    "remote_write" => RemoteWrite(remote_write::RemoteWriteSettings, remote_write::RemoteWrite),
}
