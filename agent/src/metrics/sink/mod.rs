//! Where samples go: one destination a file.
//!
//! To add a sink: a file with its `settings!` and a type that implements
//! `Sink`, a `mod` line, and one line in `sinks!` below. Queueing, retry and
//! statistics are in the driver.

/// Amazon CloudWatch.
pub mod cloudwatch;
/// Why a sink cannot be set up, or could not send.
pub mod error;
/// Lines in gild's own log.
pub mod log;
/// Prometheus remote write: Mimir, Prometheus, VictoriaMetrics.
pub mod remote_write;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::Client;
use secrecy::SecretString;
use serde_json::Value;

pub use self::error::{BuildError, SendError, SetUpError};
use super::driver::{Handle, Retries};
use super::drops::Drops;
use super::sample::Tick;
use crate::config::SecretRef;
use crate::config::node::Node;
use crate::config::path::KeyPath;
use crate::config::schema::{Reader, Setting, Shape, quoted};
use crate::identity::Identity;
use crate::platform::aws::Aws;
use crate::scope::aws::LazyAws;
use crate::scope::secrets::Secrets;

/// What all sinks are set up from.
#[derive(Debug, Clone)]
pub struct Supplies {
    /// The one HTTP client.
    pub client: Client,
    /// The way to AWS.
    pub aws: Arc<LazyAws>,
    /// What resolves secrets.
    pub secrets: Arc<Secrets>,
}

impl Supplies {
    /// What one sink needs of them.
    async fn for_sink(
        &self,
        needs_aws: bool,
        references: &[SecretRef],
    ) -> Result<SinkContext, SetUpError> {
        let mut secrets = HashMap::new();
        for reference in references {
            let secret = self.secrets.resolve(reference).await.map_err(SetUpError::Secret)?;
            secrets.insert(reference.clone(), secret);
        }
        let aws = match needs_aws {
            true => Some(self.aws.get().await.map_err(SetUpError::Aws)?.clone()),
            false => None,
        };
        Ok(SinkContext { client: self.client.clone(), aws, secrets })
    }
}

/// What one sink is set up from.
#[derive(Clone)]
pub struct SinkContext {
    /// The one HTTP client.
    pub client: Client,
    /// How to reach AWS; only needed where a sink says so.
    pub aws: Option<Aws>,
    /// The secrets that sinks refer to.
    pub secrets: HashMap<SecretRef, SecretString>,
}

impl SinkContext {
    /// The secret behind a reference.
    pub fn secret(&self, reference: &SecretRef) -> Result<SecretString, BuildError> {
        let found = self.secrets.get(reference).cloned();
        found.ok_or_else(|| BuildError::Secret(reference.clone()))
    }
}

/// One request, ready to be sent.
#[derive(Debug)]
pub struct Request<P> {
    /// What is sent.
    pub payload: P,
    /// How many measurements it holds.
    pub measurements: usize,
}

/// Where a sink's series are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What tells receivers apart.
    pub receiver: String,
    /// The labels on every series.
    pub labels: Vec<(String, String)>,
}

/// A destination. The driver calls `take` for each tick in order, then `flush`,
/// and sends every request that comes back.
pub trait Sink: Sized + Send + 'static {
    /// What can be configured about it.
    type Settings;
    /// What one request holds.
    type Payload: Send + Sync + 'static;

    /// Whether it needs [`SinkContext::aws`], however it is configured.
    const NEEDS_AWS: bool = false;

    /// Whether it needs [`SinkContext::aws`] as it is configured.
    fn needs_aws(_: &Self::Settings) -> bool {
        Self::NEEDS_AWS
    }

    /// Sets the sink up; sends nothing.
    fn build(
        settings: &Self::Settings,
        identity: &Identity,
        context: &SinkContext,
    ) -> Result<Self, BuildError>;

    /// Takes what only a sink needs that will send: a preview is built without.
    fn connect(self, _: &Self::Settings, _: &SinkContext) -> Result<Self, BuildError> {
        Ok(self)
    }

    /// The secrets that `build` and `connect` ask the context for.
    fn secrets(_: &Self::Settings) -> Vec<SecretRef> {
        Vec::new()
    }

    /// Whether its requests carry secrets, which a receiver may refuse.
    fn has_secrets(&self) -> bool {
        false
    }

    /// Takes over the secrets of a sink that was set up anew.
    fn renew(&mut self, _: Self) {}

    /// Where its series are; nothing for a sink whose series need no end.
    fn place(_: &Self::Settings, _: &Identity) -> Option<Place> {
        None
    }

    /// The time from one flush to the next.
    fn period(&self) -> Duration;

    /// The time from the start to the first flush.
    fn phase(&self) -> Duration {
        Duration::ZERO
    }

    /// How long sending one request may take.
    fn timeout(&self) -> Duration;

    /// Takes a tick in, and gives back what can be sent for it alone.
    fn take(&mut self, tick: &Arc<Tick>, drops: &mut Drops) -> Vec<Request<Self::Payload>>;

    /// Gives back what can be sent now for all ticks taken; `all` that is left where
    /// somebody asks for it, as at the end.
    fn flush(&mut self, _all: bool, _drops: &mut Drops) -> Vec<Request<Self::Payload>> {
        Vec::new()
    }

    /// What is sent last, after all else has been delivered: which series come to an end
    /// with this sink. A sink that takes its place goes on with some of them.
    fn farewell(&mut self, _at: SystemTime, _heir: Option<&Place>) -> Vec<Request<Self::Payload>> {
        Vec::new()
    }

    /// How many measurements it holds between `take` and `flush`. They count as
    /// lost where the sink is ended before it gives them back.
    fn held(&self) -> usize {
        0
    }

    /// Sends one request.
    fn send(
        &mut self,
        payload: &Self::Payload,
    ) -> impl Future<Output = Result<(), SendError>> + Send;

    /// The halves of a request that the receiver refused for what is in it; nothing
    /// where it holds but one thing.
    fn halves(&self, _: &Self::Payload) -> Option<[Request<Self::Payload>; 2]> {
        None
    }

    /// Leaves out for a while what the receiver refused by itself while it took
    /// the rest.
    fn leave_out(&mut self, _: Self::Payload) {}

    /// A request as people read it, without anything secret.
    fn show(&self, payload: &Self::Payload) -> Vec<String>;
}

/// Whether the wall clock was set. A sample from the past may be refused, and
/// one from the future can shut out everything that comes after it.
pub fn plausible(at: SystemTime) -> bool {
    // The start of 2024: gild is younger.
    at >= SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_067_200)
}

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
    let mut handle = Handle::start(name, set_up, Retries::default());
    handle.place = S::place(settings, identity);
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
    "remote_write" => RemoteWrite(remote_write::RemoteWriteSettings, remote_write::RemoteWrite),
}
