//! Where reports are kept: the present one in `/run`, rewritten as the boot goes
//! on, and the last few beside the state, one file for each boot.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::report::Report;
use crate::platform::error::chain_text;
use crate::platform::fs::{Access, create_dir, read_capped, write_atomic};
use crate::platform::paths::Paths;
use crate::platform::redact::Redactor;

/// How many reports of past boots are kept.
const KEPT: usize = 10;

/// No report is larger.
const LARGEST: u64 = 16 << 20;

/// A report cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It cannot be written.
    #[error("failed to write the report '{}'", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be read.
    #[error("failed to read the report '{}'", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is no report.
    #[error("failed to understand the report '{}'", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Report {
    /// Writes the report where the daemon reads it, without any secret.
    pub fn write(&self, paths: &Paths, redactor: &Redactor) -> Result<(), ReportError> {
        self.write_to(&paths.report(), redactor)
    }

    /// Keeps a copy among the reports of the last boots and removes the oldest.
    pub fn keep(&self, paths: &Paths, redactor: &Redactor) -> Result<(), ReportError> {
        let directory = paths.reports();
        // The names sort by time; a colon is trouble in too many tools.
        let name = format!("{}.json", self.started_at.replace(':', "-"));
        self.write_to(&directory.join(name), redactor)?;
        prune(&directory).map_err(|source| ReportError::Write { path: directory, source })
    }

    /// The reports of the last boots, the newest first. One that cannot be read hides
    /// no other; where none can, that is the error.
    pub fn kept(paths: &Paths) -> Result<Vec<Self>, ReportError> {
        let directory = paths.reports();
        let mut files = match files(&directory) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ReportError::Read { path: directory, source }),
        };
        files.sort();
        let (mut reports, mut first) = (Vec::new(), None);
        for path in files.iter().rev() {
            match Self::load(path) {
                Ok(report) => reports.extend(report),
                Err(error) => {
                    tracing::warn!("{}", chain_text(&error));
                    first = first.or(Some(error));
                }
            }
        }
        match first {
            Some(error) if reports.is_empty() => Err(error),
            _ => Ok(reports),
        }
    }

    fn write_to(&self, path: &Path, redactor: &Redactor) -> Result<(), ReportError> {
        let write = || {
            if let Some(parent) = path.parent() {
                create_dir(parent, 0o755)?;
            }
            write_atomic(path, &serde_json::to_vec(&self.redacted(redactor))?, Access::Group)
        };
        write().map_err(|source| ReportError::Write { path: path.to_owned(), source })
    }

    /// Reads a report; `None` where there is none.
    pub fn load(path: &Path) -> Result<Option<Self>, ReportError> {
        let bytes = read_capped(path, LARGEST)
            .map_err(|source| ReportError::Read { path: path.to_owned(), source })?;
        bytes
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|source| ReportError::Parse { path: path.to_owned(), source })
    }
}

/// The reports in a directory. Names that begin with a dot are not finished.
fn files(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let names = fs::read_dir(directory)?.flatten().map(|entry| entry.path());
    Ok(names.filter(|path| !is_unfinished(path) && is_json(path)).collect())
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn prune(directory: &Path) -> io::Result<()> {
    // Each boot writes another name, so what a writer that was killed has left under
    // its own is nobody else's to replace.
    for entry in fs::read_dir(directory)?.flatten() {
        if is_unfinished(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    let mut reports = files(directory)?;
    reports.sort();
    let surplus = reports.len().saturating_sub(KEPT);
    for path in reports.iter().take(surplus) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::configure::report::Failure;

    #[test]
    fn a_report_is_read_as_it_was_written_but_for_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::private(Path::new("/"), directory.path());
        let redactor = Redactor::default();
        // A secret that is also a word of the format must not break it.
        for secret in ["hunter22", "running"] {
            redactor.add(secret);
        }
        assert_eq!(Report::load(&paths.report()).unwrap(), None);
        let mut report = Report::started("2026-11-22T10:00:00.000Z");
        report.failure = Some(Failure::of("hunter22 is wrong"));
        report.write(&paths, &redactor).unwrap();
        let read = Report::load(&paths.report()).unwrap().unwrap();
        assert_eq!(read.outcome, report.outcome);
        assert_eq!(read.failure.unwrap().message, "‹secret› is wrong");
        let mode = fs::metadata(paths.report()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn the_last_ten_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let paths = Paths::private(Path::new("/"), directory.path());
        fs::create_dir_all(paths.reports()).unwrap();
        fs::write(paths.reports().join(".2026-11-22T09-00-00.000Z.json.0123"), "half").unwrap();
        for minute in 0..12 {
            let report = Report::started(&format!("2026-11-22T10:{minute:02}:00.000Z"));
            report.keep(&paths, &Redactor::default()).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(paths.reports())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 10);
        assert_eq!(names.first().unwrap(), "2026-11-22T10-02-00.000Z.json");

        // One that is damaged hides no other, and what is not finished is none.
        fs::write(paths.reports().join("2026-11-22T10-05-00.000Z.json"), "half").unwrap();
        fs::write(paths.reports().join(".2026-11-22T10-13-00.000Z.json.0"), "half").unwrap();
        let kept = Report::kept(&paths).unwrap();
        assert_eq!(kept.len(), 9);
        assert_eq!(kept[0].started_at, "2026-11-22T10:11:00.000Z");
        assert_eq!(kept[8].started_at, "2026-11-22T10:02:00.000Z");
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        fs::write(&path, "{}").unwrap();
        assert!(matches!(Report::load(&path), Err(ReportError::Parse { .. })));
        let paths = Paths::private(Path::new("/"), directory.path());
        assert_eq!(Report::kept(&paths).unwrap(), []);
        fs::create_dir_all(paths.reports()).unwrap();
        fs::write(paths.reports().join("a.json"), "{}").unwrap();
        assert!(matches!(Report::kept(&paths), Err(ReportError::Parse { .. })));
    }
}
