//! What every room stands on. Nothing here knows what gild is for.

/// AWS clients over gild's own HTTP stack.
pub mod aws;
/// The wall clock as text and numbers.
pub mod clock;
/// Names to addresses, for the whole process.
pub mod dns;
/// Errors printed as one chain.
pub mod error;
/// Files that are written whole or not at all.
pub mod fs;
/// Bytes as hexadecimal digits.
pub mod hex;
/// The one HTTP stack: rustls with baked-in roots, names resolved in process.
pub mod http;
/// Log lines for the journal, redacted.
pub mod log;
/// Every absolute path, below one root.
pub mod paths;
/// Whether a process still lives.
pub mod process;
/// Values that must not be seen, taken out of any text.
pub mod redact;
/// When to try again, and how long to wait.
pub mod retry;
/// How a process is asked to stop.
pub mod signals;
/// What systemd is told.
pub mod systemd;
/// Targets that are this host itself or on its link.
pub mod targets;
/// TLS for the whole process.
pub mod tls;
