//! The meaning of states, one rule a test.
#![allow(clippy::unwrap_used)]

use super::*;

fn state(load: &str, active: &str) -> UnitState {
    UnitState {
        load: load.to_owned(),
        active: active.to_owned(),
        sub: "sub".to_owned(),
        result: Some("success".to_owned()),
        restarts: Some(0),
        kind: Some("simple".to_owned()),
        ..UnitState::default()
    }
}

fn judge() -> Judge {
    Judge::new("web.service", Duration::from_secs(60))
}

fn restarted(active: &str, restarts: u32) -> UnitState {
    UnitState { restarts: Some(restarts), ..state("loaded", active) }
}

#[test]
fn states_mean_what_they_should() {
    for (load, active, expected) in [
        ("loaded", "active", Look::Good),
        ("loaded", "reloading", Look::Good),
        ("loaded", "refreshing", Look::Good),
        ("loaded", "activating", Look::Good),
        ("loaded", "inactive", Look::Bad),
        ("loaded", "deactivating", Look::Bad),
        ("loaded", "maintenance", Look::Bad),
        ("loaded", "failed", Look::Down),
        ("masked", "inactive", Look::Down),
        ("not-found", "inactive", Look::Down),
    ] {
        let (look, why) = judge().see(&state(load, active), Instant::now());
        assert_eq!(look, expected, "{load} {active}");
        assert_eq!(why.is_none(), expected == Look::Good, "{load} {active}");
    }
}

fn rested(result: &str, started: u64, remains: bool) -> UnitState {
    UnitState {
        kind: Some("oneshot".to_owned()),
        result: Some(result.to_owned()),
        started: Some(started),
        remains: Some(remains),
        status: Some(3),
        ..state("loaded", "inactive")
    }
}

#[test]
fn a_oneshot_that_rests_is_well_if_it_ran_and_ended_well() {
    for (result, started, remains, why) in [
        ("success", 5, false, None),
        ("success", 0, false, Some("has not run, as far as")),
        ("exit-code", 5, false, Some("did not end well: its process ended with 3")),
        // It would be active if nobody had stopped it.
        ("success", 5, true, Some("is inactive")),
    ] {
        let (look, said) = judge().see(&rested(result, started, remains), Instant::now());
        assert_eq!(look == Look::Good, why.is_none(), "{result} {started} {remains}");
        let said = said.unwrap_or_default();
        assert!(said.contains(why.unwrap_or_default()), "{said}");
    }
    // What nobody could say is nothing to rely on.
    let unknown = UnitState { started: None, ..rested("success", 5, false) };
    assert_eq!(judge().see(&unknown, Instant::now()).0, Look::Bad);
}

#[test]
fn a_oneshot_may_work_only_as_long_as_a_unit_may_start() {
    let (mut judge, start) = (judge(), Instant::now());
    let works = UnitState { active: "activating".to_owned(), ..rested("success", 5, false) };
    assert_eq!(judge.see(&works, start).0, Look::Good);
    assert_eq!(judge.see(&works, start + Duration::from_secs(61)).0, Look::Bad);
}

#[test]
fn what_failed_is_said_in_words() {
    for (result, expected) in [
        ("exit-code", "web.service has failed: its process ended with 203"),
        ("signal", "web.service has failed: its process was killed by signal 203"),
        ("oom-kill", "web.service has failed: the kernel killed it for want of memory"),
        ("start-limit-hit", "web.service has failed: it was started too often"),
        ("something-new", "web.service has failed: something-new"),
    ] {
        let failed = UnitState {
            result: Some(result.to_owned()),
            status: Some(203),
            ..state("loaded", "failed")
        };
        let (look, why) = judge().see(&failed, Instant::now());
        assert_eq!((look, why.as_deref()), (Look::Down, Some(expected)));
    }
}

#[test]
fn a_unit_that_crashed_and_waits_is_not_well_before_it_is_counted() {
    let waits = UnitState {
        sub: "auto-restart".to_owned(),
        result: Some("signal".to_owned()),
        status: Some(11),
        ..state("loaded", "activating")
    };
    let (look, why) = judge().see(&waits, Instant::now());
    assert_eq!(look, Look::Bad);
    assert!(why.unwrap().contains("killed by signal 11"));
    // One that ends well and is started again has done no wrong.
    let ended = UnitState { result: Some("success".to_owned()), ..waits };
    assert_eq!(judge().see(&ended, Instant::now()).0, Look::Good);
}

#[test]
fn a_crash_loop_is_seen_without_a_count_of_systemd_s() {
    let (mut judge, start) = (judge(), Instant::now());
    for (seconds, started, expected) in [
        (0, 100, Look::Good),
        (10, 100, Look::Good),
        (20, 118, Look::Good),
        (30, 129, Look::Good),
        (40, 139, Look::Down),
        (50, 139, Look::Down),
        // The first of the three has left the window.
        (321, 139, Look::Good),
    ] {
        let old = UnitState { restarts: None, started: Some(started), ..state("loaded", "active") };
        let (look, why) = judge.see(&old, start + Duration::from_secs(seconds));
        assert_eq!(look, expected, "{seconds}: {why:?}");
    }
}

#[test]
fn a_unit_may_start_only_so_long() {
    let (mut judge, start) = (judge(), Instant::now());
    let starting = state("loaded", "activating");
    for (seconds, expected) in [(0, Look::Good), (60, Look::Good), (61, Look::Bad)] {
        let now = start + Duration::from_secs(seconds);
        assert_eq!(judge.see(&starting, now).0, expected, "{seconds}");
    }
    // The next start has its own grace.
    let later = start + Duration::from_secs(100);
    judge.see(&state("loaded", "active"), later);
    assert_eq!(judge.see(&starting, later).0, Look::Good);
}

#[test]
fn a_unit_that_is_restarted_while_it_starts_is_not_well() {
    let (mut judge, now) = (judge(), Instant::now());
    assert_eq!(judge.see(&restarted("activating", 4), now).0, Look::Good);
    assert_eq!(judge.see(&restarted("activating", 5), now).0, Look::Bad);
}

#[test]
fn a_crash_loop_is_seen_through_and_ends() {
    let (mut judge, start) = (judge(), Instant::now());
    let at = |seconds| start + Duration::from_secs(seconds);
    for (seconds, restarts, expected) in [
        (0, 7, Look::Good),
        (10, 8, Look::Good),
        (20, 10, Look::Down),
        (30, 10, Look::Down),
        // The restarts leave the window one after the other.
        (319, 10, Look::Good),
        (400, 10, Look::Good),
        (410, 12, Look::Good),
        (420, 13, Look::Down),
        // Started by hand.
        (430, 0, Look::Good),
    ] {
        let (look, why) = judge.see(&restarted("active", restarts), at(seconds));
        assert_eq!(look, expected, "{seconds}: {why:?}");
    }
}

#[test]
fn codes_are_those_that_alarms_know() {
    let words = ["active", "reloading", "inactive", "failed", "activating", "deactivating"];
    for (code, word) in words.iter().enumerate() {
        assert_eq!(ActiveState::from_word(word).map(|state| usize::from(state.code())), Some(code));
    }
}
