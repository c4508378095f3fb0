//! Log lines on standard error, redacted. Under systemd each line carries the
//! priority prefix that the journal understands and no time of its own.

use std::io::{self, Write};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::clock;
use super::redact::Redactor;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// A line for people and the journal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. `filter` is the text of `GILD_LOG`, such as `debug` or
/// `gild::scope=trace,info`; where there is none, or it cannot be read, it is
/// `usual`.
pub fn start(format: Format, filter: Option<&str>, usual: &str, redactor: &Redactor) {
    let asked = filter.and_then(|text| text.parse::<Targets>().ok());
    let targets = asked.or_else(|| usual.parse().ok()).unwrap_or_default();
    let writer = RedactedStderr(redactor.clone());
    let registry = tracing_subscriber::registry().with(targets);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    // A second start in one process (tests) keeps the first one's settings.
    let _ = match format {
        Format::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        Format::Text => {
            let journal = std::env::var_os("JOURNAL_STREAM").is_some();
            registry.with(layer.event_format(Line { journal })).try_init()
        }
    };
}

/// One line: priority or time, level, message, fields.
struct Line {
    journal: bool,
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let level = *event.metadata().level();
        if self.journal {
            // The syslog priorities of sd-daemon(3).
            let priority = match level {
                Level::ERROR => 3,
                Level::WARN => 4,
                Level::INFO => 6,
                _ => 7,
            };
            write!(writer, "<{priority}>")?;
        } else {
            write!(writer, "{} {level:>5} ", clock::now_text())?;
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

#[derive(Clone)]
struct RedactedStderr(Redactor);

impl<'a> MakeWriter<'a> for RedactedStderr {
    type Writer = RedactedLine;

    fn make_writer(&'a self) -> RedactedLine {
        RedactedLine { redactor: self.0.clone(), line: Vec::new() }
    }
}

/// Collects one event, so that a secret cannot hide across two writes.
struct RedactedLine {
    redactor: Redactor,
    line: Vec<u8>,
}

impl Write for RedactedLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for RedactedLine {
    fn drop(&mut self) {
        let text = self.redactor.text(&String::from_utf8_lossy(&self.line));
        // A closed stderr must not stop the agent.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }
}
