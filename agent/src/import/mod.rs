//! gild's configuration out of another agent's, and a list of all that it could not carry.
//!
//! A document becomes a tree (`tree`) in which each value knows what became of it. The readers of
//! `telegraf` and `cloudwatch_agent` take what they know out of it into a draft (`draft`), of which
//! `write` makes text. Then every value is looked at: what nobody took is listed (`rows`).
//!
//! To add an agent: a directory with a function from files to `Import`, and a line in
//! `cli::import`. To add a plugin of telegraf or a part of the CloudWatch agent: a function, and a
//! line in the registry at the head of `telegraf` or `cloudwatch_agent`.

/// Amazon's agent.
pub mod cloudwatch_agent;
mod draft;
mod error;
mod json;
mod read;
mod rows;
mod secret;
/// InfluxData's agent.
pub mod telegraf;
mod toml;
mod tree;
mod write;

pub use self::error::ImportError;
pub use self::rows::Row;

/// The largest file that is read.
pub const MAX_BYTES: usize = 1024 * 1024;

/// What became of another agent's files.
#[derive(Debug, Clone)]
pub struct Import {
    /// gild's configuration, in TOML.
    pub config: String,
    /// What is not in it, or is there in another way.
    pub rows: Vec<Row>,
}

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
#[error("failed to read '{file}'")]
pub struct FileError {
    /// The file.
    pub file: String,
    /// Why.
    #[source]
    pub source: ImportError,
}

/// A file: its name and its bytes.
pub type File = (String, Vec<u8>);

/// Reads a file by the reader of its format.
fn parsed(
    file: &File,
    parse: fn(&str) -> Result<tree::Item, ImportError>,
) -> Result<(String, tree::Item), FileError> {
    let (name, bytes) = file;
    let read = || {
        if bytes.len() > MAX_BYTES {
            return Err(ImportError::TooLarge { limit: MAX_BYTES });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ImportError::NotText)?;
        parse(text.strip_prefix('\u{feff}').unwrap_or(text))
    };
    match read() {
        Ok(root) => Ok((name.clone(), root)),
        Err(source) => Err(FileError { file: name.clone(), source }),
    }
}

#[cfg(test)]
mod tests;
