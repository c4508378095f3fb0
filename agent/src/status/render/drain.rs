//! What was done because the instance ends, a line for each step.

use std::fmt::Write;

use super::plain;
use crate::status::snapshot::Snapshot;

/// The lines about draining.
pub(super) fn write(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let Some(drain) = &snapshot.drain else { return Ok(()) };
    let end = drain.ended_at.as_deref().map(|at| format!(", done at {}", plain(at)));
    let (occasion, start) = (plain(&drain.occasion), plain(&drain.started_at));
    writeln!(out, "drain      for {occasion} since {start}{}", end.unwrap_or_default())?;
    for step in &drain.steps {
        let why = step.message.as_deref().map(|why| format!(": {}", plain(why)));
        let (name, word) = (plain(&step.name), step.outcome.word());
        let took = format!("{:.0} ms", step.duration_ms);
        writeln!(out, "           {name} {word}, {took}{}", why.unwrap_or_default())?;
    }
    Ok(())
}
