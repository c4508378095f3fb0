//! Whether the step runs, and why, in words that a person understands.

use super::report::{Decision, Outcome};
use super::settings::RunPolicy;
use super::state::{Previous, State, StepKey};

/// Decides from the policy, the state on disk and what the step would be run
/// with now. `force` is the operator's word, which stands above the policy.
pub fn decide(policy: RunPolicy, force: bool, previous: &Previous, current: &StepKey) -> Decision {
    if force {
        return run("it was asked for by hand");
    }
    if policy == RunPolicy::Never {
        return skip("the policy is \"never\"");
    }
    let state = match previous {
        Previous::Absent => return run("first boot of this instance"),
        Previous::Damaged(why) => {
            return run(format!("the state on disk cannot be read ({why})"));
        }
        Previous::Found(state) => state,
    };
    if state.key.instance_id != current.instance_id {
        return run(format!(
            "first boot of this instance; the state on disk is of {}",
            state.key.instance_id
        ));
    }
    match state.outcome {
        Outcome::Failed => return run(format!("the last run failed ({})", state.at)),
        Outcome::Running => return run(format!("the last run did not end ({})", state.at)),
        Outcome::Ready | Outcome::Degraded => {}
    }
    if policy == RunPolicy::FirstBoot {
        return skip(format!("the first boot of this instance was configured at {}", state.at));
    }
    if let Some(change) = change(state, current) {
        return run(change);
    }
    if policy == RunPolicy::EveryBoot && state.key.boot_id != current.boot_id {
        return run("this boot has not been configured yet");
    }
    match &state.rolled_back {
        None => skip(format!("nothing has changed since {}", state.at)),
        Some(_) => {
            skip(format!("nothing has changed since it failed and was rolled back at {}", state.at))
        }
    }
}

/// Whether what is decided can depend on which playbook it is, so that one from
/// elsewhere has to be fetched.
pub fn needs_playbook(
    policy: RunPolicy,
    force: bool,
    previous: &Previous,
    current: &StepKey,
) -> bool {
    force
        || match policy {
            RunPolicy::Never => false,
            RunPolicy::FirstBoot => decide(policy, force, previous, current).run,
            RunPolicy::EveryBoot | RunPolicy::OnChange => true,
        }
}

/// What is another one than in the last run.
fn change(state: &State, current: &StepKey) -> Option<String> {
    if state.key.digest != current.digest {
        let (old, new) = (short(&state.key.digest), short(&current.digest));
        return Some(format!("the configuration changed (digest {old} → {new})"));
    }
    match (&state.key.playbook_digest, &current.playbook_digest) {
        (Some(old), Some(new)) if old != new => {
            Some(format!("the playbook changed (digest {} → {})", short(old), short(new)))
        }
        (None, Some(_)) => Some("there is a playbook now".to_owned()),
        (Some(_), None) => Some("there is no playbook any more".to_owned()),
        _ => None,
    }
}

fn run(reason: impl Into<String>) -> Decision {
    Decision { run: true, reason: reason.into() }
}

fn skip(reason: impl Into<String>) -> Decision {
    Decision { run: false, reason: reason.into() }
}

/// As much of a digest as a person compares.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

#[cfg(test)]
mod tests {
    use RunPolicy::{EveryBoot, FirstBoot, Never, OnChange};

    use super::*;
    use crate::configure::report::Failure;
    use crate::configure::state::RolledBack;

    fn key(instance: &str, boot: &str, digest: &str, playbook: Option<&str>) -> StepKey {
        StepKey {
            instance_id: instance.to_owned(),
            boot_id: boot.to_owned(),
            digest: digest.to_owned(),
            playbook_digest: playbook.map(str::to_owned),
        }
    }

    fn found(key: StepKey, outcome: Outcome) -> Previous {
        Previous::Found(State { key, outcome, rolled_back: None, at: "T".to_owned() })
    }

    /// The decisions of first-boot, every-boot and on-change.
    fn row(previous: &Previous) -> [(bool, String); 3] {
        let current = key("i-1", "b1", "d1", Some("p1"));
        [FirstBoot, EveryBoot, OnChange].map(|policy| {
            let decision = decide(policy, false, previous, &current);
            (decision.run, decision.reason)
        })
    }

    fn all(run: bool, reason: &str) -> [(bool, String); 3] {
        [(); 3].map(|()| (run, reason.to_owned()))
    }

    #[test]
    fn without_a_state_of_this_instance_every_policy_runs() {
        assert_eq!(row(&Previous::Absent), all(true, "first boot of this instance"));
        assert_eq!(
            row(&Previous::Damaged("cut short".to_owned())),
            all(true, "the state on disk cannot be read (cut short)")
        );
        assert_eq!(
            row(&found(key("i-0", "b1", "d1", Some("p1")), Outcome::Ready)),
            all(true, "first boot of this instance; the state on disk is of i-0")
        );
    }

    #[test]
    fn after_a_run_without_success_every_policy_runs() {
        let same = || key("i-1", "b1", "d1", Some("p1"));
        assert_eq!(row(&found(same(), Outcome::Failed)), all(true, "the last run failed (T)"));
        assert_eq!(
            row(&found(same(), Outcome::Running)),
            all(true, "the last run did not end (T)")
        );
    }

    #[test]
    fn after_a_success_the_policies_differ() {
        let first = (false, "the first boot of this instance was configured at T".to_owned());
        let nothing = (false, "nothing has changed since T".to_owned());
        for (previous, every, change) in [
            (key("i-1", "b1", "d1", Some("p1")), nothing.clone(), nothing.clone()),
            (
                key("i-1", "b0", "d1", Some("p1")),
                (true, "this boot has not been configured yet".to_owned()),
                nothing.clone(),
            ),
            (
                key("i-1", "b1", "d0", Some("p1")),
                (true, "the configuration changed (digest d0 → d1)".to_owned()),
                (true, "the configuration changed (digest d0 → d1)".to_owned()),
            ),
            (
                key("i-1", "b1", "d1", Some("p0")),
                (true, "the playbook changed (digest p0 → p1)".to_owned()),
                (true, "the playbook changed (digest p0 → p1)".to_owned()),
            ),
            (
                key("i-1", "b1", "d1", None),
                (true, "there is a playbook now".to_owned()),
                (true, "there is a playbook now".to_owned()),
            ),
        ] {
            for outcome in [Outcome::Ready, Outcome::Degraded] {
                let row = row(&found(previous.clone(), outcome));
                assert_eq!(row, [first.clone(), every.clone(), change.clone()]);
            }
        }
    }

    #[test]
    fn what_failed_and_was_rolled_back_is_tried_again_when_something_changes() {
        let rolled_back = |key| {
            let failure = Failure::of("no");
            let rolled_back = Some(RolledBack { failure, problem: "no".to_owned() });
            let at = "T".to_owned();
            Previous::Found(State { key, outcome: Outcome::Degraded, rolled_back, at })
        };
        let first = (false, "the first boot of this instance was configured at T".to_owned());
        let nothing =
            (false, "nothing has changed since it failed and was rolled back at T".to_owned());
        let same = rolled_back(key("i-1", "b1", "d1", Some("p1")));
        assert_eq!(row(&same), [first.clone(), nothing.clone(), nothing.clone()]);
        let before = rolled_back(key("i-1", "b0", "d1", Some("p1")));
        let another_boot = (true, "this boot has not been configured yet".to_owned());
        assert_eq!(row(&before), [first, another_boot, nothing]);
        for changed in [key("i-1", "b1", "d0", Some("p1")), key("i-1", "b1", "d1", Some("p0"))] {
            assert!(row(&rolled_back(changed))[2].0);
        }
    }

    #[test]
    fn a_step_that_does_not_run_whatever_the_playbook_needs_none() {
        let current = key("i-1", "b1", "d1", None);
        let done = found(key("i-1", "b0", "d0", Some("p0")), Outcome::Ready);
        let needs = |policy, previous| needs_playbook(policy, false, previous, &current);
        assert!(!needs(Never, &Previous::Absent));
        assert!(!needs(FirstBoot, &done) && needs(FirstBoot, &Previous::Absent));
        assert!(needs(EveryBoot, &done) && needs(OnChange, &done));
        assert!(needs_playbook(Never, true, &done, &current));
    }

    #[test]
    fn never_is_never_and_force_is_always() {
        let current = key("i-1", "b1", "d1", None);
        let same = found(current.clone(), Outcome::Ready);
        for previous in [&Previous::Absent, &same] {
            assert!(!decide(Never, false, previous, &current).run);
            for policy in [Never, FirstBoot, EveryBoot, OnChange] {
                assert!(decide(policy, true, previous, &current).run);
            }
        }
    }
}
