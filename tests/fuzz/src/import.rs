//! Other agents' configuration: whatever it is, what is made of it is gild's, and what is said of
//! it is one line each.

use gild::config::check;
use gild::config::format::Format;
use gild::import::{File, FileError, Import, cloudwatch_agent, telegraf};

/// One file, as each agent's.
pub fn both(bytes: &[u8]) {
    for (name, reader) in [
        ("fuzz.conf", telegraf::import as fn(&[File]) -> Result<Import, FileError>),
        ("fuzz.json", cloudwatch_agent::import),
    ] {
        let Ok(import) = reader(&[(name.to_owned(), bytes.to_vec())]) else { continue };
        let document = ("import.toml".to_owned(), import.config.into_bytes(), Format::Toml);
        let findings = check::documents(&[document]);
        assert!(findings.is_empty(), "what is written is configuration: {findings:?}");
        for row in import.rows {
            assert!(row.line > 0, "each setting has a line");
            assert!(!row.to_string().contains(char::is_control), "each setting takes one line");
        }
    }
}
