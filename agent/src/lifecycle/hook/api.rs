//! The calls of the Auto Scaling API that are about one instance, in one place:
//! one way in, one list of what can be asked, one list of what comes back.

use std::time::Duration;

use aws_sdk_autoscaling::Client as Sdk;
use tokio::time::{Instant, timeout_at};

use super::{Side, Word};
use crate::identity::Identity;
use crate::identity::error::ImdsError;
use crate::platform::aws::{Aws, AwsError};
use crate::platform::error::chain_text;
use crate::platform::retry::{Backoff, Retryable, Tries, Verdict};
use crate::scope::aws::lacks_credentials;

/// How long one attempt may take, the search for credentials included.
const ATTEMPT: Duration = Duration::from_secs(5);

const BACKOFF: Backoff =
    Backoff { first: Duration::from_millis(500), most: Duration::from_secs(5) };

/// What can be asked about an instance.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// Which group it is in, and in what state.
    State,
    /// The hooks of a group.
    Hooks(&'a str, Side),
    /// A hook of a group is to wait on.
    Heartbeat(&'a str, &'a str),
    /// A hook of a group need not wait any longer.
    Complete(&'a str, &'a str, Word),
    /// The instance is to be replaced.
    Unhealthy,
}

impl Call<'_> {
    /// The API's name for it.
    pub fn operation(&self) -> &'static str {
        match self {
            Call::State => "DescribeAutoScalingInstances",
            Call::Hooks(..) => "DescribeLifecycleHooks",
            Call::Heartbeat(..) => "RecordLifecycleActionHeartbeat",
            Call::Complete(..) => "CompleteLifecycleAction",
            Call::Unhealthy => "SetInstanceHealth",
        }
    }
}

/// Where an instance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its group.
    pub group: String,
    /// Its state there, such as `Pending:Wait`.
    pub state: String,
}

/// A hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// How long it waits for a heartbeat, where that is known.
    pub heartbeat: Option<Duration>,
    /// How long heartbeats can keep it waiting.
    pub most: Option<Duration>,
}

/// What comes back; each call fills its own part.
#[derive(Debug, Default)]
pub struct Answer {
    /// Where the instance is; `None` where it is in no group.
    pub place: Option<Place>,
    /// The hooks of the group.
    pub hooks: Vec<Hook>,
}

/// A group that could not be asked or told.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// The metadata service does not say whether there is a group.
    #[error("failed to learn whether this instance is in an autoscaling group")]
    Metadata(#[source] ImdsError),
    /// A call brought no usable answer.
    #[error("failed to call {operation}")]
    Call {
        /// The API's name for it.
        operation: &'static str,
        /// Why.
        #[source]
        source: AwsError,
    },
    /// A call took too long.
    #[error("{operation} was not answered in time")]
    Late {
        /// The API's name for it.
        operation: &'static str,
    },
    /// The group has not taken the instance to where it can be told.
    #[error("this instance was still '{state}' in its group")]
    Unsettled {
        /// Its state.
        state: String,
    },
}

impl HookError {
    /// Whether the instance may not do this at all, so that asking again is idle.
    pub fn is_refused(&self) -> bool {
        let HookError::Call { source, .. } = self else { return false };
        let denied = source.status() == Some(403)
            || source.code().is_some_and(|code| code.starts_with("AccessDenied"));
        (denied && source.verdict() == Verdict::Permanent) || lacks_credentials(self)
    }

    /// Whether the hook does not wait: not yet, not any more, or there is none.
    pub fn is_idle(&self) -> bool {
        matches!(self, HookError::Call { source, .. } if source.code() == Some("ValidationError"))
    }
}

impl Retryable for HookError {
    fn verdict(&self) -> Verdict {
        match self {
            HookError::Call { source, .. } if !lacks_credentials(self) => source.verdict(),
            HookError::Late { .. } => Verdict::Transient,
            _ => Verdict::Permanent,
        }
    }
}

/// The API, as seen by one instance.
#[derive(Debug)]
pub struct Api {
    client: reqwest::Client,
    region: Option<String>,
    instance: String,
    sdk: Option<Sdk>,
}

impl Api {
    /// Nothing is sent yet.
    pub fn new(client: &reqwest::Client, identity: &Identity) -> Self {
        let (region, instance) = (identity.region.clone(), identity.instance_id.clone());
        Self { client: client.clone(), region, instance, sdk: None }
    }

    /// Forgets the credentials, so that the next call looks for new ones. Until then the
    /// ones of the first call are used for as long as they are valid: the step may give
    /// the instance a role that is allowed less.
    pub fn renew(&mut self) {
        self.sdk = None;
    }

    /// Asks until there is an answer, a refusal, or time is up.
    pub async fn ask(&mut self, call: Call<'_>, deadline: Instant) -> Result<Answer, HookError> {
        let mut tries = Tries::new(deadline, BACKOFF);
        loop {
            let end = deadline.min(Instant::now() + ATTEMPT);
            let late = HookError::Late { operation: call.operation() };
            let answer = timeout_at(end, Box::pin(self.once(call))).await.unwrap_or(Err(late));
            if matches!(&answer, Err(HookError::Call { source, .. }) if source.is_stale()) {
                self.renew();
            }
            match answer {
                Err(error) if tries.again(&error).await => {
                    tracing::debug!("{}", chain_text(&error));
                }
                answer => return answer,
            }
        }
    }

    async fn once(&mut self, call: Call<'_>) -> Result<Answer, HookError> {
        if self.sdk.is_none() {
            let aws = Aws::load(&self.client, self.region.as_deref(), ATTEMPT).await;
            self.sdk = Some(Sdk::new(&aws.config));
        }
        let Some(sdk) = &self.sdk else { return Ok(Answer::default()) };
        let id = self.instance.as_str();
        let done = Answer::default;
        let answer: Result<Answer, AwsError> = match call {
            Call::State => {
                let answer = sdk.describe_auto_scaling_instances().instance_ids(id).send().await;
                answer.map_err(AwsError::from).map(|answer| {
                    let mut found = answer.auto_scaling_instances().iter();
                    let place = found.find(|found| found.instance_id() == Some(id));
                    let place = place.map(|found| Place {
                        group: found.auto_scaling_group_name().unwrap_or_default().to_owned(),
                        state: found.lifecycle_state().unwrap_or_default().to_owned(),
                    });
                    Answer { place, hooks: Vec::new() }
                })
            }
            Call::Hooks(group, side) => {
                let ask = sdk.describe_lifecycle_hooks().auto_scaling_group_name(group);
                ask.send().await.map_err(AwsError::from).map(|answer| {
                    let hooks = answer.lifecycle_hooks().iter();
                    let own =
                        hooks.filter(|hook| hook.lifecycle_transition() == Some(side.transition()));
                    let hooks = own.map(|hook| Hook {
                        name: hook.lifecycle_hook_name().unwrap_or_default().to_owned(),
                        heartbeat: seconds(hook.heartbeat_timeout()),
                        most: seconds(hook.global_timeout()),
                    });
                    Answer { place: None, hooks: hooks.collect() }
                })
            }
            Call::Heartbeat(group, hook) => {
                let tell = sdk.record_lifecycle_action_heartbeat().instance_id(id);
                let tell = tell.auto_scaling_group_name(group).lifecycle_hook_name(hook);
                tell.send().await.map_err(AwsError::from).map(|_| done())
            }
            Call::Complete(group, hook, word) => {
                let tell = sdk.complete_lifecycle_action().instance_id(id);
                let tell = tell.auto_scaling_group_name(group).lifecycle_hook_name(hook);
                let tell = tell.lifecycle_action_result(word.text());
                tell.send().await.map_err(AwsError::from).map(|_| done())
            }
            Call::Unhealthy => {
                let tell = sdk.set_instance_health().instance_id(id).health_status("Unhealthy");
                let tell = tell.should_respect_grace_period(true);
                tell.send().await.map_err(AwsError::from).map(|_| done())
            }
        };
        answer.map_err(|source| HookError::Call { operation: call.operation(), source })
    }
}

/// A number of seconds that is one.
fn seconds(value: Option<i32>) -> Option<Duration> {
    let value = u64::try_from(value?).ok().filter(|value| *value > 0)?;
    Some(Duration::from_secs(value))
}
