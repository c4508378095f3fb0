//! Where samples go: one destination a file.
//!
//! To add a sink: a file with its `settings!` and its `Sink`, a `mod` line, and
//! one line in `sinks!` below. Queueing, retry and statistics are in the driver.

/// Amazon CloudWatch.
pub mod cloudwatch;
/// Lines in gild's own log.
pub mod log;
/// Prometheus remote write: Mimir, Prometheus, VictoriaMetrics.
pub mod remote_write;

use serde_json::Value;

use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, quoted};

macro_rules! sinks {
    ($( $word:literal => $variant:ident($settings:path), )+) => {
        /// A sink's settings, by its `type`.
        #[derive(Debug, Clone, PartialEq)]
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
        }

        impl Setting for SinkSettings {
            fn shape() -> Shape {
                Shape::Variants { tag: "type", variants: vec![ $( ($word, <$settings>::fields()) ),+ ] }
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
    "cloudwatch" => CloudWatch(cloudwatch::CloudWatchSettings),
    "log" => Log(log::LogSettings),
    "remote_write" => RemoteWrite(remote_write::RemoteWriteSettings),
}
