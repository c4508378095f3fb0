//! What is coming for the instance, a line for each; nothing where nothing is
//! known.

use std::fmt::Write;

use super::plain;
use crate::status::snapshot::Snapshot;

/// The lines about what is coming.
pub(super) fn write(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let Some(notices) = &snapshot.lifecycle else { return Ok(()) };
    let mut lines = Vec::new();
    if let Some(state) = &notices.target_state {
        lines.push(format!("target state {}", state.word()));
    }
    if let Some(spot) = &notices.spot {
        lines.push(format!("spot interruption: {} at {}", spot.action, spot.time));
    }
    if let Some(time) = &notices.rebalance {
        lines.push(format!("rebalance recommended at {time}"));
    }
    lines.extend(notices.events.iter().map(ToString::to_string));
    if let Some(error) = &notices.error {
        lines.push(format!("nothing newer is known: {error}"));
    }
    let heads = std::iter::once("lifecycle").chain(std::iter::repeat(""));
    for (head, line) in heads.zip(lines) {
        writeln!(out, "{head:<10} {}", plain(&line))?;
    }
    Ok(())
}
