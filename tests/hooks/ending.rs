//! The end of an instance, and its way out of the warm pool, by the functions that the
//! drain and the daemon call.

use std::time::{Duration, Instant};

use gild::configure::report::{Outcome, Report};
use gild::identity::discover;
use gild::lifecycle::hook::keeper::Keeper;
use gild::lifecycle::hook::{Word, complete_terminating, keep_terminating};
use gild::lifecycle::settings::LifecycleSettings;
use gild::scope::resolve::host_alone;

use super::*;
use crate::fakes::fault::Fault;
use crate::scopes::{again_at, context, inside};

const IMDS: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
const HEARTBEAT: &str = "RecordLifecycleActionHeartbeat";

/// Runs this test again where the group is the AWS of the process; true in there.
fn where_group_is(test: &str, host: &Host, group: &AutoScaling) -> bool {
    again_at(&format!("hooks::ending::{test}"), || {
        vec![("AWS_ENDPOINT_URL_AUTO_SCALING", group.endpoint()), (IMDS, host.imds.endpoint())]
    })
}

fn settings(terminate: Option<&str>) -> LifecycleSettings {
    let mut settings = host_alone(&here().paths).unwrap().settings.lifecycle;
    settings.terminate_hook = terminate.map(str::to_owned);
    settings
}

fn here() -> gild::scope::Context {
    context(std::path::Path::new("/nonexistent"), std::env::var(IMDS).ok())
}

/// Tells a group in this state that its instance can go.
fn ended(test: &str, state: &str, prepare: impl FnOnce(&AutoScaling)) -> Option<AutoScaling> {
    if inside() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let begun = Instant::now();
        runtime.block_on(complete_terminating(&here(), &settings(None)));
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        return None;
    }
    let (host, group) = host_in(state, "Terminated", "");
    group.terminate_hook("bye", 60);
    group.launch_hook("ready", 60);
    prepare(&group);
    where_group_is(test, &host, &group);
    Some(group)
}

#[test]
fn a_drained_instance_can_go() {
    let test = "a_drained_instance_can_go";
    if let Some(group) = ended(test, "Terminating:Wait", |_| {}) {
        assert_eq!(words(&group), one("bye", "CONTINUE"));
        assert_eq!(group.state(), "Terminating:Proceed");
    }
}

#[test]
fn a_pooled_instance_can_go_too() {
    let test = "a_pooled_instance_can_go_too";
    if let Some(group) = ended(test, "Warmed:Terminating:Wait", |_| {}) {
        assert_eq!(group.state(), "Warmed:Terminating:Proceed");
    }
}

#[test]
fn an_end_that_nobody_waits_for_is_not_told() {
    let test = "an_end_that_nobody_waits_for_is_not_told";
    if let Some(group) = ended(test, "Terminating:Proceed", |_| {}) {
        assert_eq!(words(&group), []);
    }
}

#[test]
fn a_silent_group_does_not_hold_up_the_end() {
    let test = "a_silent_group_does_not_hold_up_the_end";
    let hang = |group: &AutoScaling| group.faults.always("Complete", Fault::Hang);
    if let Some(group) = ended(test, "Terminating:Wait", hang) {
        assert_eq!(words(&group), one("bye", "CONTINUE"));
    }
}

#[test]
fn a_long_drain_keeps_the_hook_waiting() {
    let test = "a_long_drain_keeps_the_hook_waiting";
    if inside() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let drain = Duration::from_millis(1800);
        let (context, settings) = (here(), settings(None));
        let kept =
            async { tokio::time::timeout(drain, keep_terminating(&context, &settings)).await };
        assert!(runtime.block_on(kept).is_err(), "it ended by itself");
        return;
    }
    let (host, group) = host_in("Terminating:Wait", "Terminated", "");
    group.terminate_hook("bye", 1);
    where_group_is(test, &host, &group);
    let beats = group.called(HEARTBEAT);
    assert!(beats.len() >= 3, "{beats:?}");
    assert!(beats.iter().all(|call| call.field("LifecycleHookName") == "bye"), "{beats:?}");
}

/// The daemon of an instance whose boot came to this is called from the pool.
fn called(test: &str, outcome: Outcome, word: &str) {
    if inside() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (context, settings) = (here(), settings(None));
            let identity = discover(&context.imds, &context.paths).await.unwrap().identity;
            let mut report = Report::started("2026-01-01T00:00:00.000Z");
            let mut keeper = Keeper::default();
            keeper.on_target_state(Some("Warmed:Running"), Some("InService"));
            keeper.look(&context, &settings, &identity, &report, true);
            assert!(keeper.is_idle(), "the boot is not over");
            report.outcome = outcome;
            keeper.look(&context, &settings, &identity, &report, false);
            while !keeper.is_idle() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            keeper.look(&context, &settings, &identity, &report, false);
            assert!(keeper.is_idle(), "it is told once");
        });
        return;
    }
    let (host, group) = host_in("Warmed:Running", "InService", "");
    group.launch_hook("ready", 60);
    // What waits at the group's door is there a moment after the call.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            crate::host::wait_for("look", || !group.calls().is_empty());
            group.now("Pending:Wait");
        });
        where_group_is(test, &host, &group);
    });
    assert_eq!(words(&group), one("ready", word));
    assert_eq!(group.state(), "Pending:Proceed");
}

#[test]
fn an_instance_that_leaves_the_pool_is_told_of_by_its_last_boot() {
    let test = "an_instance_that_leaves_the_pool_is_told_of_by_its_last_boot";
    called(test, Outcome::Degraded, Word::Continue.text());
}

#[test]
fn an_instance_that_failed_in_the_pool_is_abandoned_when_it_leaves() {
    let test = "an_instance_that_failed_in_the_pool_is_abandoned_when_it_leaves";
    called(test, Outcome::Failed, Word::Abandon.text());
}
