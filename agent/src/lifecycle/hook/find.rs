//! Whether a hook waits for this instance, and which: the metadata service says
//! at the price of one question whether there is a group at all, the Auto Scaling
//! API what is going on there.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Side;
use super::api::{Api, Call, Hook, HookError, Place};
use crate::identity::{Identity, ImdsOptions, Provenance};
use crate::lifecycle::settings::LifecycleSettings;

/// How long the metadata service may take.
const METADATA: Duration = Duration::from_secs(5);

/// When an instance is looked at again that is about to be waited for: at first, and
/// at most.
const LOOK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(15));

/// What an instance becomes that enters service.
const IN_SERVICE: &str = "InService";

/// The state of an instance that may not ask for it.
const UNKNOWN: &str = "unknown";

/// Hooks that wait.
#[derive(Debug, Clone)]
pub struct Seat {
    /// Where the instance is.
    pub place: Place,
    /// The hooks of this transition.
    pub hooks: Vec<Hook>,
}

impl Seat {
    /// The names of the hooks, for people.
    pub fn names(&self) -> String {
        let names: Vec<_> = self.hooks.iter().map(|hook| hook.name.as_str()).collect();
        names.join(", ")
    }
}

/// Who is waited for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The HTTP stack.
    pub client: reqwest::Client,
    /// How to reach the metadata service.
    pub imds: ImdsOptions,
    /// The instance.
    pub identity: Identity,
    /// The hook that is named for this side; `None`: it is looked up.
    pub hook: Option<String>,
    /// Which end of its life it is.
    pub side: Side,
}

impl Subject {
    /// An instance at one end of its life; `None` off EC2, where nobody waits.
    pub fn new(
        client: &reqwest::Client,
        imds: &ImdsOptions,
        identity: &Identity,
        settings: &LifecycleSettings,
        side: Side,
    ) -> Option<Self> {
        let hook = match side {
            Side::Launch => settings.launch_hook.clone(),
            Side::Terminate => settings.terminate_hook.clone(),
        };
        let (client, imds, identity) = (client.clone(), imds.clone(), identity.clone());
        let on_ec2 = identity.provenance == Provenance::Imds;
        on_ec2.then_some(Self { client, imds, identity, hook, side })
    }

    /// The hooks that wait; `None` where none does. An instance that is about to be waited
    /// for is looked at until it is, or until `deadline`.
    pub(super) async fn seat(
        &self,
        api: &mut Api,
        deadline: Instant,
    ) -> Result<Option<Seat>, HookError> {
        let target = self.target().await?;
        if !may_wait(self.side, target.as_deref(), self.identity.autoscaling_group.is_some()) {
            return Ok(None);
        }
        let mut known = None;
        let mut pause = LOOK.0;
        loop {
            let Some(place) = self.place(api, deadline).await? else { return Ok(None) };
            let outlook = outlook(self.side, target.as_deref(), &place.state);
            if outlook == Outlook::Never {
                return Ok(None);
            }
            let hooks = match known.take() {
                Some(hooks) => hooks,
                None => self.hooks(api, &place.group, deadline).await?,
            };
            // Without a hook there is nothing to look for.
            if hooks.is_empty() {
                return Ok(None);
            }
            if outlook == Outlook::Waits {
                return Ok(Some(Seat { place, hooks }));
            }
            if Instant::now() + pause >= deadline {
                return Err(HookError::Unsettled { state: place.state });
            }
            known = Some(hooks);
            sleep(pause).await;
            pause = (pause * 2).min(LOOK.1);
        }
    }

    async fn hooks(
        &self,
        api: &mut Api,
        group: &str,
        deadline: Instant,
    ) -> Result<Vec<Hook>, HookError> {
        match &self.hook {
            Some(name) => Ok(vec![Hook { name: name.clone(), heartbeat: None, most: None }]),
            None => Ok(api.ask(Call::Hooks(group, self.side), deadline).await?.hooks),
        }
    }

    /// Where the instance is to be, as the metadata service says.
    pub(super) async fn target(&self) -> Result<Option<String>, HookError> {
        let deadline = Instant::now() + METADATA;
        let mut imds = self.imds.open().map_err(HookError::Metadata)?;
        imds.target_lifecycle_state(deadline).await.map_err(HookError::Metadata)
    }

    /// Where the instance is; `None` where it is in no group.
    async fn place(&self, api: &mut Api, deadline: Instant) -> Result<Option<Place>, HookError> {
        match api.ask(Call::State, deadline).await {
            Ok(answer) => Ok(answer.place),
            Err(error) if error.is_refused() => self.named().map(Some).ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// The place of an instance that may not ask for it, where group and hook are known:
    /// whether the hook waits then shows when it is told something.
    fn named(&self) -> Option<Place> {
        let group = self.hook.as_ref().and(self.identity.autoscaling_group.clone())?;
        Some(Place { group, state: UNKNOWN.to_owned() })
    }
}

/// Whether it is worth asking the API.
fn may_wait(side: Side, target: Option<&str>, in_group: bool) -> bool {
    let Some(target) = target else { return in_group };
    let ends = target.ends_with("Terminated");
    match side {
        Side::Launch => target == IN_SERVICE || (target.starts_with("Warmed:") && !ends),
        Side::Terminate => ends,
    }
}

/// What a state means for a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outlook {
    /// It waits.
    Waits,
    /// It may wait in a moment.
    Soon,
    /// It does not.
    Never,
}

fn outlook(side: Side, target: Option<&str>, state: &str) -> Outlook {
    let pooled = state.strip_prefix("Warmed:");
    let (waits, before) = match side {
        Side::Launch => ("Pending:Wait", "Pending"),
        Side::Terminate => ("Terminating:Wait", "Terminating"),
    };
    match pooled.unwrap_or(state) {
        // What waited at the pool's door is not what waits at the group's.
        own if own == waits || own == UNKNOWN => Outlook::Waits,
        own if own == before => Outlook::Soon,
        // It is called from the pool and has not left it yet.
        "Running" | "Stopped" | "Hibernated"
            if pooled.is_some() && side == Side::Launch && target == Some(IN_SERVICE) =>
        {
            Outlook::Soon
        }
        _ => Outlook::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_instance_on_its_way_is_asked_about() {
        for (target, group, launch, terminate) in [
            (None, false, false, false),
            (None, true, true, true),
            (Some("InService"), false, true, false),
            (Some("Warmed:Running"), false, true, false),
            (Some("Warmed:Stopped"), true, true, false),
            (Some("Warmed:Terminated"), true, false, true),
            (Some("Terminated"), true, false, true),
            (Some("Standby"), true, false, false),
        ] {
            assert_eq!(may_wait(Side::Launch, target, group), launch, "{target:?}");
            assert_eq!(may_wait(Side::Terminate, target, group), terminate, "{target:?}");
        }
    }

    #[test]
    fn a_state_says_whether_a_hook_waits() {
        use Outlook::{Never, Soon, Waits};
        let service = Some("InService");
        for (side, target, state, expected) in [
            (Side::Launch, service, "Pending", Soon),
            (Side::Launch, service, "Pending:Wait", Waits),
            (Side::Launch, service, "Pending:Proceed", Never),
            (Side::Launch, service, "InService", Never),
            (Side::Launch, Some("Warmed:Running"), "Warmed:Pending:Wait", Waits),
            (Side::Launch, Some("Warmed:Running"), "Warmed:Pending", Soon),
            (Side::Launch, Some("Warmed:Running"), "Warmed:Running", Never),
            (Side::Launch, service, "Warmed:Running", Soon),
            (Side::Launch, service, "Warmed:Stopped", Soon),
            (Side::Launch, service, "Terminating:Wait", Never),
            (Side::Terminate, Some("Terminated"), "Terminating:Wait", Waits),
            (Side::Terminate, Some("Terminated"), "Terminating", Soon),
            (Side::Terminate, Some("Warmed:Terminated"), "Warmed:Terminating:Wait", Waits),
            (Side::Terminate, Some("Terminated"), "Terminating:Proceed", Never),
            (Side::Terminate, Some("Terminated"), "Terminated", Never),
        ] {
            assert_eq!(outlook(side, target, state), expected, "{side:?} {target:?} {state}");
        }
    }
}
