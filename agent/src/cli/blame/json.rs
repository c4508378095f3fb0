//! The times of a boot for programs. The format is stable: what is added leaves what
//! is there as it is.

use serde_json::{Map, Value, json};

use crate::configure::blame::Blame;
use crate::configure::report::{Phase, TaskReport};

/// The version of the format.
const VERSION: u32 = 1;

/// All of one boot.
pub(super) fn boot(number: usize, blame: &Blame<'_>) -> String {
    let mut root = summary(number, blame);
    // What comes after the outcome is no part of the total.
    let within = blame.phases.iter().map(|each| phase(each, true));
    let phases = within.chain(blame.after.iter().map(|each| phase(each, false))).collect();
    root.insert("phases".to_owned(), Value::Array(phases));
    root.insert("tasks".to_owned(), blame.tasks.iter().map(|each| task(each)).collect());
    root.insert("version".to_owned(), VERSION.into());
    text(Value::Object(root))
}

/// A few words of each boot.
pub(super) fn boots(all: &[Blame<'_>]) -> String {
    let boots: Vec<Value> = all
        .iter()
        .enumerate()
        .map(|(number, blame)| {
            let mut root = summary(number, blame);
            let slowest = blame.tasks.first().map(|slowest| task(slowest));
            root.insert("slowest_task".to_owned(), slowest.unwrap_or_default());
            Value::Object(root)
        })
        .collect();
    text(json!({ "version": VERSION, "boots": boots }))
}

fn summary(number: usize, blame: &Blame<'_>) -> Map<String, Value> {
    let report = blame.report;
    let summary = json!({
        "boot": number,
        "instance_id": report.instance_id,
        "boot_id": report.boot_id,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "outcome": report.outcome,
        "step_ran": report.decision.as_ref().map(|decision| decision.run),
        "reason": blame.reason(),
        "total_ms": blame.total_ms,
        "own_ms": blame.own_ms(),
        "engine": report.engine.as_ref().map(|engine| &engine.name),
        "engine_ms": blame.engine_ms,
        "own_per_engine": blame.own_per_engine(),
    });
    match summary {
        Value::Object(summary) => summary,
        _ => Map::new(),
    }
}

fn phase(phase: &Phase, in_total: bool) -> Value {
    json!({
        "name": phase.name,
        "outcome": phase.outcome,
        "duration_ms": phase.duration_ms,
        "in_total": in_total,
    })
}

fn task(task: &TaskReport) -> Value {
    json!({
        "name": task.name,
        "action": task.action,
        "phase": "step",
        "outcome": task.outcome,
        "duration_ms": task.duration_ms,
    })
}

fn text(value: Value) -> String {
    format!("{value:#}\n")
}
