//! The times of a boot for people: the whole, whose it was, and a line for each part,
//! the longest first. The parts of the step stand below it.

use std::fmt::Write;
use std::time::Duration;

use super::super::paint::Paint;
use crate::configure::blame::Blame;
use crate::configure::report::{Outcome, Phase, PhaseOutcome, Report, TaskOutcome};
use crate::status::render::{plain, table};

/// How many tasks are shown.
const TASKS: usize = 20;

/// How wide a bar is that stands for all of the time.
const BAR: f64 = 20.0;

/// One boot.
pub(super) fn boot(blame: &Blame<'_>, paint: Paint) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write_boot(&mut out, blame, paint);
    out
}

fn write_boot(out: &mut String, blame: &Blame<'_>, paint: Paint) -> std::fmt::Result {
    let report = blame.report;
    let (began, total) = (plain(&report.started_at), time(blame.total_ms));
    let outcome = outcome(report, paint);
    writeln!(out, "{outcome} after {total}, begun at {began}")?;
    if let (Some(engine), Some(share)) = (&report.engine, blame.own_per_engine()) {
        let (name, took, own) = (plain(&engine.name), time(blame.engine_ms), time(blame.own_ms()));
        let share = share * 100.0;
        writeln!(out, "{name} took {took}; gild took {own}, {share:.2} % of that")?;
    }
    let ran = report.decision.as_ref().map(|decision| decision.run);
    let step = match ran {
        Some(true) => "the step ran: ",
        Some(false) => "the step did not run: ",
        None => "",
    };
    writeln!(out, "{step}{}\n", plain(blame.reason()))?;

    for phase in &blame.phases {
        line(out, blame, phase.duration_ms, &paint.bold(&name(phase, paint)))?;
        if phase.name == "step" && report.engine.is_some() {
            write_step(out, blame, paint)?;
        }
    }
    if !blame.after.is_empty() {
        writeln!(out, "\nafter the outcome")?;
    }
    for phase in &blame.after {
        writeln!(out, "{:>10}  {}", time(phase.duration_ms), name(phase, paint))?;
    }
    Ok(())
}

/// The parts of the step: its tasks, what the engine took beside them, and gild.
fn write_step(out: &mut String, blame: &Blame<'_>, paint: Paint) -> std::fmt::Result {
    let engine = blame.report.engine.as_ref().map_or("", |engine| engine.name.as_str());
    let mut parts = vec![
        (blame.between_tasks_ms(), paint.dim(&format!("{} beside its tasks", plain(engine)))),
        (blame.around_engine_ms(), paint.dim("gild, before and after")),
    ];
    for task in blame.tasks.iter().take(TASKS) {
        let (word, bad) = task_word(task.outcome);
        let word = if bad { paint.red(word) } else { paint.dim(word) };
        parts.push((task.duration_ms, format!("{} {word}", plain(&task.name))));
    }
    let rest = blame.tasks.get(TASKS..).unwrap_or_default();
    if !rest.is_empty() {
        let took = rest.iter().map(|task| task.duration_ms).sum();
        parts.push((took, paint.dim(&format!("{} more tasks", rest.len()))));
    }
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (took, what) in parts {
        line(out, blame, took, &format!("  {what}"))?;
    }
    Ok(())
}

/// A time, its share of the whole, a bar, and what it is.
fn line(out: &mut String, blame: &Blame<'_>, took: f64, what: &str) -> std::fmt::Result {
    let share = if blame.total_ms > 0.0 { (took / blame.total_ms).clamp(0.0, 1.0) } else { 0.0 };
    let bar = "█".repeat((share * BAR).round() as usize);
    writeln!(out, "{:>10} {:>5.1} %  {bar:<20}  {what}", time(took), share * 100.0)
}

/// The last boots.
pub(super) fn boots(all: &[Blame<'_>], paint: Paint) -> String {
    let rows: Vec<_> = all
        .iter()
        .enumerate()
        .map(|(number, blame)| {
            let report = blame.report;
            let engine = report.engine.as_ref();
            let slowest = blame.tasks.first();
            let slowest = slowest.map(|task| {
                let name: String = plain(&task.name).chars().take(40).collect();
                format!("{name}, {}", time(task.duration_ms))
            });
            [
                number.to_string(),
                plain(&report.started_at),
                outcome_word(report).to_owned(),
                known(blame.total_ms),
                known(blame.own_ms()),
                engine.map_or("-".to_owned(), |engine| {
                    format!("{} {}", plain(&engine.name), time(engine.duration_ms))
                }),
                slowest.unwrap_or_else(|| "-".to_owned()),
                plain(blame.reason()),
            ]
        })
        .collect();
    if rows.is_empty() {
        return "no boot has left a report yet\n".to_owned();
    }
    let head = ["boot", "begun", "outcome", "total", "gild", "engine", "slowest task", "step"];
    let mut out = String::new();
    let _ = table(&mut out, head, &rows);
    match out.trim_start().split_once('\n') {
        Some((head, rows)) => format!("{}\n{rows}", paint.bold(head)),
        None => out,
    }
}

fn outcome_word(report: &Report) -> &'static str {
    match report.outcome {
        Outcome::Ready => "ready",
        Outcome::Degraded => "degraded",
        Outcome::Failed => "failed",
        Outcome::Running if report.process.is_some_and(|process| process.is_alive()) => "at work",
        Outcome::Running => "broken off",
    }
}

fn outcome(report: &Report, paint: Paint) -> String {
    let word = outcome_word(report);
    match report.outcome {
        Outcome::Ready => paint.green(word),
        Outcome::Degraded => paint.yellow(word),
        Outcome::Failed => paint.red(word),
        Outcome::Running => paint.yellow(word),
    }
}

fn name(phase: &Phase, paint: Paint) -> String {
    let name = plain(&phase.name);
    match phase.outcome {
        PhaseOutcome::Ok => name,
        PhaseOutcome::Skipped => format!("{name} (skipped)"),
        PhaseOutcome::Failed => format!("{name} {}", paint.red("(failed)")),
    }
}

/// What came of a task, and whether that is bad.
fn task_word(outcome: TaskOutcome) -> (&'static str, bool) {
    match outcome {
        TaskOutcome::Ok => ("(ok)", false),
        TaskOutcome::Changed => ("(changed)", false),
        TaskOutcome::Skipped => ("(skipped)", false),
        TaskOutcome::Ignored => ("(failed, ignored)", true),
        TaskOutcome::Failed => ("(failed)", true),
        TaskOutcome::Unreachable => ("(unreachable)", true),
    }
}

/// A time, where it was measured.
fn known(ms: f64) -> String {
    if ms > 0.0 { time(ms) } else { "-".to_owned() }
}

/// A time as short as it can be compared: `0.4 ms`, `12.02 s`, `1h 4m 5s`.
fn time(ms: f64) -> String {
    let ms = if ms.is_nan() { 0.0 } else { ms.clamp(0.0, 1e12) };
    match ms {
        _ if ms < 1e3 => format!("{ms:.1} ms"),
        _ if ms < 6e5 => format!("{:.2} s", ms / 1e3),
        _ => humantime::format_duration(Duration::from_secs((ms / 1e3) as u64)).to_string(),
    }
}
