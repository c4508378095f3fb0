//! A snapshot as text for people: how things stand first, then what is behind
//! it. No colour unless it is asked for.

mod drain;
mod fresh;
mod lifecycle;

use std::fmt::Write;

use super::snapshot::{CollectorStatus, Snapshot, State};
use crate::configure::report::SourceOutcome;

/// The snapshot as text. Everything that came from outside is shown on one line,
/// without control characters, so that it cannot disguise itself.
pub fn render(snapshot: &Snapshot, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write_all(&mut text, snapshot, colour);
    text
}

/// How the instance is and which one it is, as two lines.
pub fn head(snapshot: &Snapshot, colour: bool) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write_head(&mut text, snapshot, colour);
    text
}

/// What the daemon looks after: services, sinks, and collectors that fail.
pub fn work(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    let failing = snapshot.collectors.iter().filter(|(_, collector)| !collector.ok);
    // Writing to a text cannot fail.
    let _ = write_services(&mut text, snapshot);
    let _ = write_sinks(&mut text, snapshot);
    let _ = write_collectors(&mut text, failing);
    let _ = write_agent(&mut text, snapshot);
    text
}

fn write_head(out: &mut String, snapshot: &Snapshot, colour: bool) -> std::fmt::Result {
    writeln!(out, "{} since {}", state(snapshot.state, colour), plain(&snapshot.since))?;
    write_identity(out, snapshot)
}

fn write_all(out: &mut String, snapshot: &Snapshot, colour: bool) -> std::fmt::Result {
    write_head(out, snapshot, colour)?;
    write_image(out, snapshot)?;
    write_configuration(out, snapshot)?;
    fresh::write(out, snapshot)?;
    drain::write(out, snapshot)?;
    lifecycle::write(out, snapshot)?;
    write_sources(out, snapshot)?;
    write_services(out, snapshot)?;
    write_sinks(out, snapshot)?;
    write_notifiers(out, snapshot)?;
    write_collectors(out, &snapshot.collectors)?;
    write_agent(out, snapshot)
}

fn write_agent(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let agent = &snapshot.agent;
    writeln!(
        out,
        "\nagent      gild {}, process {}, up {}, {:.1} MB",
        plain(&agent.version),
        agent.pid,
        humantime::format_duration(std::time::Duration::from_secs(agent.uptime_s)),
        agent.rss_bytes as f64 / 1e6,
    )
}

fn state(state: State, colour: bool) -> String {
    let code = match state {
        State::Ready => "32",
        State::Configuring => "36",
        State::Degraded => "33",
        State::Failed => "31",
    };
    match colour {
        true => format!("\x1b[1;{code}m{}\x1b[0m", state.word()),
        false => state.word().to_owned(),
    }
}

fn write_identity(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let Some(identity) = &snapshot.identity else {
        return writeln!(out, "instance   not known yet");
    };
    let group = identity.autoscaling_group.as_ref().map(|group| format!("group {group}"));
    let account = identity.account.as_ref().map(|account| format!("account {account}"));
    let details = [
        Some(identity.instance_id.clone()),
        identity.instance_type.clone(),
        identity.availability_zone.clone().or(identity.region.clone()),
        account,
        identity.image_id.clone(),
        identity.private_ip.clone(),
        Some(identity.hostname.clone()),
        group,
    ];
    let details: Vec<_> = details.iter().flatten().map(|detail| plain(detail)).collect();
    writeln!(out, "instance   {}", details.join(", "))
}

fn write_image(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let Some(image) = &snapshot.image else { return Ok(()) };
    let part = |word: &str, text: &str| match text {
        "" => String::new(),
        text => format!(", {word} {}", plain(text)),
    };
    writeln!(
        out,
        "image      {}{}{}{}",
        plain(&image.title()),
        part("from", &image.base),
        part("of", &image.revision),
        part("baked at", &image.baked_at)
    )
}

fn write_configuration(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let configuration = &snapshot.configuration;
    let time = match (&configuration.started_at, &configuration.ended_at) {
        (Some(start), Some(end)) => format!("from {} to {}", plain(start), plain(end)),
        (Some(start), None) => format!("since {}", plain(start)),
        (None, _) => "has not begun".to_owned(),
    };
    let digest = configuration.digest.as_deref().map(plain).unwrap_or_default();
    let digest: String = digest.chars().take(12).collect();
    let digest = if digest.is_empty() { digest } else { format!(", digest {digest}") };
    writeln!(out, "configure  {time}{digest}")?;
    if let Some(task) = &configuration.failed_task {
        writeln!(out, "           failed at task \"{}\"", plain(task))?;
    }
    let message = configuration.message.as_ref();
    if let Some(message) = message.filter(|message| !snapshot.problems.contains(message)) {
        writeln!(out, "           {}", plain(message))?;
    }
    for problem in &snapshot.problems {
        writeln!(out, "           problem: {}", plain(problem))?;
    }
    Ok(())
}

fn write_sources(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let mut rows = Vec::new();
    for source in &snapshot.sources {
        rows.push([
            source.layer.to_string(),
            plain(&source.source),
            match &source.copied_at {
                Some(at) => format!("{} of {}", source_word(source.state), plain(at)),
                None => source_word(source.state).to_owned(),
            },
            source.keys.to_string(),
            source.attempts.to_string(),
            format!("{:.0} ms", source.elapsed_ms),
            source.error.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    let head = ["layer", "source", "state", "keys", "tries", "took", "error"];
    table(out, head, &rows)
}

fn source_word(state: SourceOutcome) -> &'static str {
    match state {
        SourceOutcome::Fetched => "fetched",
        SourceOutcome::Unchanged => "unchanged",
        SourceOutcome::Absent => "absent",
        SourceOutcome::Kept => "kept",
        SourceOutcome::LastGood => "last-good",
        SourceOutcome::Failed => "failed",
        SourceOutcome::Bad => "bad",
    }
}

fn write_services(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let mut rows = Vec::new();
    for (name, service) in &snapshot.services {
        let up = match service.up {
            Some(true) => "up",
            Some(false) => "DOWN",
            None => "unknown",
        };
        rows.push([
            plain(name),
            up.to_owned(),
            service.state.as_deref().map_or("-".to_owned(), plain),
            plain(&service.since),
            plain(&service.message),
        ]);
    }
    table(out, ["service", "is", "unit", "since", "message"], &rows)
}

fn write_sinks(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let mut rows = Vec::new();
    for (name, sink) in &snapshot.sinks {
        let dropped: Vec<_> = sink
            .dropped
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(reason, count)| format!("{count} {}", plain(reason)))
            .collect();
        let spool = sink.spool.clone().unwrap_or_default();
        let queued = match spool.ticks {
            0 => sink.queued.to_string(),
            ticks => {
                format!("{} ({ticks} on disk, {} KiB)", sink.queued, spool.bytes.div_ceil(1024))
            }
        };
        let error = sink.last_error.as_deref().or(spool.error.as_deref());
        rows.push([
            plain(name),
            sink.sent.to_string(),
            queued,
            if dropped.is_empty() { "0".to_owned() } else { dropped.join(", ") },
            sink.last_success.as_deref().map_or("never".to_owned(), plain),
            error.map(plain).unwrap_or_default(),
        ]);
    }
    table(out, ["sink", "sent", "queued", "dropped", "last success", "last error"], &rows)?;
    for (name, sink) in &snapshot.sinks {
        if let Some(left_out) = &sink.left_out {
            let (name, text) = (plain(name), plain(&left_out.text()));
            writeln!(out, "{name}: max_metrics leaves out {}: {text}", left_out.count)?;
        }
    }
    Ok(())
}

/// Those who are told, where a message waits or something went wrong.
fn write_notifiers(out: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let mut rows = Vec::new();
    for (name, notifier) in &snapshot.notify {
        if notifier.waiting == 0 && notifier.dropped == 0 && notifier.last_error.is_none() {
            continue;
        }
        rows.push([
            plain(name),
            notifier.waiting.to_string(),
            notifier.delivered.to_string(),
            notifier.dropped.to_string(),
            notifier.last_success.as_deref().map_or("never".to_owned(), plain),
            notifier.last_error.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    table(out, ["notify", "waiting", "delivered", "dropped", "last success", "last error"], &rows)
}

fn write_collectors<'a>(
    out: &mut String,
    collectors: impl IntoIterator<Item = (&'a String, &'a CollectorStatus)>,
) -> std::fmt::Result {
    let mut rows = Vec::new();
    for (name, collector) in collectors {
        rows.push([
            plain(name),
            if collector.ok { "ok" } else { "FAILED" }.to_owned(),
            format!("{:.1} ms", collector.duration_ms),
            collector.error.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    table(out, ["collector", "is", "took", "error"], &rows)
}

/// The widest column. Whatever is longer pushes what follows it on its line
/// aside; a width that formatting cannot take would panic.
const WIDEST: usize = 120;

/// A table with columns as wide as they need to be, after an empty line;
/// nothing where there are no rows.
pub(crate) fn table<const N: usize>(
    out: &mut String,
    head: [&str; N],
    rows: &[[String; N]],
) -> std::fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let head = head.map(str::to_owned);
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0).min(WIDEST)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    writeln!(out)?;
    for row in [&head].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            write!(line, "{cell:width$}  ")?;
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Text without line breaks and control characters: tag values and error
/// messages come from outside, and a terminal obeys escape sequences.
pub(crate) fn plain(text: &str) -> String {
    let spaced = text.split(['\n', '\r', '\t']).map(str::trim).filter(|part| !part.is_empty());
    let line = spaced.collect::<Vec<_>>().join(" ");
    line.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

#[cfg(test)]
mod tests;
