//! The state, as a table.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::configure::report::Failure;

/// A report with an outcome and nothing else in it.
fn report(outcome: Outcome) -> Report {
    let over = outcome != Outcome::Running;
    Report {
        process: None,
        instance_id: Some("i-1".to_owned()),
        outcome,
        ended_at: over.then(|| "2026-01-01T00:01:00.000Z".to_owned()),
        ..Report::started("2026-01-01T00:00:00.000Z")
    }
}

fn snapshot(report: Option<&Report>, at_work: bool, problems: &[String]) -> Snapshot {
    looked(report, at_work, problems, None)
}

fn looked(
    report: Option<&Report>,
    at_work: bool,
    problems: &[String],
    look: Option<&Look>,
) -> Snapshot {
    Snapshot::new(Facts {
        report,
        at_work,
        problems,
        group_problem: None,
        look,
        drift: None,
        notices: &Notices::default(),
        started_at: "2025-12-31T23:59:59.000Z",
        identity: None,
        image: None,
        drain: None,
        services: BTreeMap::new(),
        sinks: BTreeMap::new(),
        notify: BTreeMap::new(),
        collectors: BTreeMap::new(),
        agent: AgentStatus { version: "0".to_owned(), pid: 1, uptime_s: 0, rss_bytes: 0 },
    })
}

#[test]
fn the_state_follows_from_report_process_and_problems() {
    use Outcome::{Degraded, Failed, Ready, Running};
    for (outcome, held, problems, expected, exit) in [
        (None, false, 0, State::Configuring, 2),
        (None, true, 0, State::Configuring, 2),
        (None, false, 1, State::Configuring, 2),
        (Some(Running), true, 0, State::Configuring, 2),
        (Some(Running), false, 0, State::Failed, 1),
        (Some(Ready), false, 0, State::Ready, 0),
        (Some(Ready), true, 0, State::Ready, 0),
        (Some(Ready), false, 1, State::Degraded, 3),
        (Some(Degraded), false, 0, State::Degraded, 3),
        (Some(Degraded), false, 1, State::Degraded, 3),
        (Some(Failed), false, 0, State::Failed, 1),
        (Some(Failed), false, 1, State::Failed, 1),
    ] {
        let report = outcome.map(report);
        let problems = vec!["a.b must be a text".to_owned(); problems];
        let state = snapshot(report.as_ref(), held, &problems).state;
        assert_eq!(state, expected, "{outcome:?} {held} {problems:?}");
        assert_eq!(state.exit_code(), exit);
    }
}

#[test]
fn a_failure_names_the_task_and_the_message() {
    let mut failed = report(Outcome::Failed);
    failed.failure = Some(Failure {
        task: Some("Start nginx".to_owned()),
        message: "no such unit".to_owned(),
        chain: Vec::new(),
    });
    let shown = snapshot(Some(&failed), false, &[]);
    assert_eq!(shown.configuration.failed_task.as_deref(), Some("Start nginx"));
    assert_eq!(shown.configuration.message.as_deref(), Some("no such unit"));
    assert_eq!(shown.since, "2026-01-01T00:01:00.000Z");
}

#[test]
fn what_was_rolled_back_stays_degraded_and_says_why() {
    let mut degraded = report(Outcome::Degraded);
    degraded.problems = vec!["the step failed and was rolled back".to_owned()];
    degraded.failure = Some(Failure { task: Some("a".to_owned()), ..Failure::of("no") });
    for look in [None, Some(look(&[], true))] {
        let shown = looked(Some(&degraded), false, &[], look.as_ref());
        assert_eq!(shown.state, State::Degraded);
        assert_eq!(shown.problems, degraded.problems);
        assert_eq!(shown.configuration.failed_task.as_deref(), Some("a"));
        assert_eq!(shown.configuration.message.as_ref(), shown.problems.first());
    }
}

#[test]
fn a_step_that_broke_off_says_so() {
    let shown = snapshot(Some(&report(Outcome::Running)), false, &[]);
    assert_eq!(shown.configuration.message.as_deref(), Some(NO_REPORT));
    assert_eq!(shown.since, "2026-01-01T00:00:00.000Z");
}

#[test]
fn problems_of_the_report_and_of_the_daemon_are_shown_once() {
    let mut degraded = report(Outcome::Degraded);
    degraded.problems = vec!["one".to_owned()];
    let own = ["one".to_owned(), "two".to_owned()];
    let shown = snapshot(Some(&degraded), false, &own);
    assert_eq!(shown.problems, ["one", "two"]);
    assert_eq!(shown.configuration.message.as_deref(), Some("one"));
}

/// A look that found problems, or none.
fn look(problems: &[&str], confirms: bool) -> Look {
    let ok = problems.is_empty();
    let at = "2026-01-01T00:09:00.000Z".to_owned();
    Look {
        refresh: Refresh {
            at: at.clone(),
            ok,
            error: (!ok).then(|| problems.join("; ")),
            since: (!ok).then(|| at.clone()),
        },
        sources: Vec::new(),
        problems: problems.iter().map(|problem| (*problem).to_owned()).collect(),
        turned: at,
        confirms,
    }
}

#[test]
fn a_look_with_problems_degrades_what_was_ready_and_nothing_else() {
    use Outcome::{Degraded, Failed, Ready, Running};
    for (outcome, held, look, expected) in [
        (Ready, false, look(&[], true), State::Ready),
        (Ready, false, look(&[], false), State::Ready),
        (Ready, false, look(&["gone"], false), State::Degraded),
        (Ready, false, look(&["gone"], true), State::Degraded),
        // What was missing at the boot is there, and says the same.
        (Degraded, false, look(&[], true), State::Ready),
        (Degraded, false, look(&[], false), State::Degraded),
        (Degraded, false, look(&["gone"], true), State::Degraded),
        (Failed, false, look(&[], true), State::Failed),
        (Failed, false, look(&["gone"], true), State::Failed),
        (Running, true, look(&["gone"], true), State::Configuring),
        (Running, false, look(&[], true), State::Failed),
    ] {
        let state = looked(Some(&report(outcome)), held, &[], Some(&look)).state;
        assert_eq!(state, expected, "{outcome:?} {held} {look:?}");
    }
}

#[test]
fn since_is_the_last_look_s_where_the_state_is() {
    let ready = report(Outcome::Ready);
    let well = looked(Some(&ready), false, &[], Some(&look(&[], true)));
    assert_eq!((well.state, well.since.as_str()), (State::Ready, "2026-01-01T00:01:00.000Z"));
    let ill = looked(Some(&ready), false, &[], Some(&look(&["gone"], true)));
    assert_eq!((ill.state, ill.since.as_str()), (State::Degraded, "2026-01-01T00:09:00.000Z"));
    assert_eq!(ill.problems, ["gone"]);
    assert_eq!(ill.configuration.message.as_deref(), Some("gone"));
}

#[test]
fn a_look_that_confirms_stands_for_what_the_report_says_of_the_configuration() {
    let mut degraded = report(Outcome::Degraded);
    degraded.problems = vec!["the copy of an earlier day is used".to_owned()];
    let problems = |look| looked(Some(&degraded), false, &[], Some(&look)).problems;
    assert_eq!(problems(look(&[], true)), Vec::<String>::new());
    assert_eq!(problems(look(&["still gone"], true)), ["still gone"]);
    let both = problems(look(&["gone"], false));
    assert_eq!(both, ["the copy of an earlier day is used", "gone"]);
}

#[test]
fn a_snapshot_survives_the_way_through_json() {
    let shown = snapshot(Some(&report(Outcome::Ready)), false, &[]);
    let text = serde_json::to_string(&shown).unwrap();
    assert!(text.starts_with(r#"{"version":1,"state":"ready","since":""#), "{text}");
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), shown);
    // A daemon of an earlier version says nothing of looks.
    let mut older: serde_json::Value = serde_json::from_str(&text).unwrap();
    for later in ["refresh", "drift"] {
        assert!(older.as_object_mut().unwrap().remove(later).unwrap().is_null());
    }
    assert_eq!(serde_json::from_value::<Snapshot>(older).unwrap(), shown);
}
