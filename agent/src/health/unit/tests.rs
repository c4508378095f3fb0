//! The meaning of states, one rule a test.

use super::*;

fn state(load: &str, active: &str) -> UnitState {
    UnitState {
        load: load.to_owned(),
        active: active.to_owned(),
        sub: "sub".to_owned(),
        result: Some("success".to_owned()),
        restarts: Some(0),
        kind: Some("simple".to_owned()),
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

#[test]
fn a_oneshot_that_succeeded_is_well_while_it_rests() {
    let rests = UnitState { kind: Some("oneshot".to_owned()), ..state("loaded", "inactive") };
    assert_eq!(judge().see(&rests, Instant::now()).0, Look::Good);
    let failed = UnitState { result: Some("exit-code".to_owned()), ..rests };
    assert_eq!(judge().see(&failed, Instant::now()).0, Look::Bad);
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
        (20, 10, Look::Bad),
        (30, 10, Look::Bad),
        // The restarts leave the window one after the other.
        (319, 10, Look::Good),
        (400, 10, Look::Good),
        (410, 12, Look::Good),
        (420, 13, Look::Bad),
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
