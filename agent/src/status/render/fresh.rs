//! The last look at the sources, and what differs, in a few lines: enough to
//! see that something waits, and what. `--json` has all of it.

use std::fmt::Write;

use super::plain;
use crate::config::difference::Side;
use crate::status::fresh::Drifted;
use crate::status::snapshot::Snapshot;

/// How many of the keys that differ are named, and how much of their values.
const NAMED: usize = 8;
const VALUE_CHARS: usize = 40;

/// The lines about the daemon's last look at the sources.
pub(super) fn write(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    if let Some(refresh) = &snapshot.refresh {
        let since = refresh.since.as_deref().filter(|_| !refresh.ok).map(plain);
        let since = since.map(|since| format!(", not complete since {since}"));
        writeln!(out, "refresh    at {}{}", plain(&refresh.at), since.unwrap_or_default())?;
    }
    let Some(drift) = &snapshot.drift else { return Ok(()) };
    let total = drift.keys.len().saturating_add(drift.more);
    let digest: String = plain(&drift.digest).chars().take(12).collect();
    let keys = if total == 1 { "key" } else { "keys" };
    writeln!(out, "drift      since {}, digest {digest}: {total} {keys}", plain(&drift.since))?;
    for Drifted { key, before, after, in_force } in drift.keys.iter().take(NAMED) {
        let (before, after) = (value(before.as_ref()), value(after.as_ref()));
        let then = if *in_force { "in force" } else { "waits for a configuration step" };
        writeln!(out, "           {}: {before} → {after}, {then}", plain(&key.to_string()))?;
    }
    match total.saturating_sub(drift.keys.len().min(NAMED)) {
        0 => Ok(()),
        more => writeln!(out, "           and {more} more"),
    }
}

fn value(side: Option<&Side>) -> String {
    let Some(side) = side else { return "not set".to_owned() };
    let text = plain(&side.value.to_string());
    match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
