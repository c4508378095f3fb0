//! What has changed since the last run, by its JSON.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use gild::platform::fs::read_capped;

use super::text::usd;
use super::{Inventory, Sums};

/// No inventory is larger.
const LARGEST: u64 = 16 << 20;

/// A last run that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LastError {
    /// The file cannot be read.
    #[error("failed to read the last run in '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no inventory.
    #[error("failed to understand the last run in '{}', which must be what --format json writes", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Reads the last run.
pub fn last(path: &Path) -> Result<Inventory, LastError> {
    let failed = |source| LastError::Read { path: path.to_owned(), source };
    let bytes = read_capped(path, LARGEST).map_err(failed)?;
    let bytes = bytes.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    serde_json::from_slice(&bytes)
        .map_err(|source| LastError::Parse { path: path.to_owned(), source })
}

/// What has changed of one service, or in total.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Of what.
    pub name: String,
    /// Servers more.
    pub servers: i64,
    /// Dollars a month more.
    pub usd: f64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.usd < 0.0 { '-' } else { '+' };
        let Self { name, servers, .. } = self;
        write!(f, "{name} {servers:+} servers, {sign}${}", usd(self.usd.abs()))
    }
}

/// What has changed, the total at the end. Nothing where all is as it was.
pub fn differences(before: &Inventory, now: &Inventory) -> Vec<Difference> {
    let none = Sums::default();
    let mut names: Vec<_> = before.services.keys().chain(now.services.keys()).collect();
    names.sort();
    names.dedup();
    let of = |name: &str, before: &Sums, now: &Sums| {
        let servers = |sums: &Sums| i64::try_from(sums.servers).unwrap_or(i64::MAX);
        let (servers, usd) = (servers(now) - servers(before), now.usd() - before.usd());
        let is_same = servers == 0 && usd.abs() < 0.005;
        (!is_same).then(|| Difference { name: name.to_owned(), servers, usd })
    };
    let services = names.into_iter().filter_map(|name| {
        let sums =
            |all: &Inventory| all.services.get(name).cloned().unwrap_or_else(|| none.clone());
        of(name, &sums(before), &sums(now))
    });
    services.chain(of("total", &before.total, &now.total)).collect()
}
