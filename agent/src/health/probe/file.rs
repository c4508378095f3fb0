//! A file that is written again and again, such as the stamp that a backup leaves: it
//! must be there, and not be too old.
//!
//! A dead disk or server answers no call, and none can be interrupted. So each look is
//! a short thread, and there is no other while one hangs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::{Probe, ProbeError, Running, is_fresh};
use crate::health::means::Means;
use crate::health::settings::ServiceSettings;

/// When a file was last written; the real one is stat(2).
type Ask = fn(&Path) -> io::Result<SystemTime>;

pub(super) fn of(service: &ServiceSettings) -> Option<Arc<dyn Probe>> {
    let path = PathBuf::from(service.file.clone()?.0);
    let ask = |path: &Path| std::fs::metadata(path)?.modified();
    Some(Arc::new(FileAge::new(path, service.max_age, ask)))
}

/// A file and how old it may be.
#[derive(Debug)]
pub(super) struct FileAge {
    path: PathBuf,
    limit: Option<Duration>,
    ask: Ask,
    /// The thread that asks, for as long as it does.
    asking: Mutex<Weak<()>>,
}

impl FileAge {
    pub(super) fn new(path: PathBuf, limit: Option<Duration>, ask: Ask) -> Self {
        Self { path, limit, ask, asking: Mutex::default() }
    }

    async fn probe(&self, means: &Means) -> Result<(), ProbeError> {
        let failed = |source| ProbeError::Stat { path: self.path.clone(), source };
        let mark = Arc::new(());
        {
            let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
            if asking.strong_count() > 0 {
                return Err(ProbeError::Stuck(self.path.clone()));
            }
            *asking = Arc::downgrade(&mark);
        }
        let (sender, answer) = oneshot::channel();
        let (path, ask) = (means.paths.host(&self.path), self.ask);
        let thread = std::thread::Builder::new().name("stat".to_owned()).stack_size(64 << 10);
        let run = move || {
            let found = ask(&path);
            drop(mark);
            let _ = sender.send(found);
        };
        thread.spawn(run).map_err(failed)?;
        let gone = |_| Err(io::ErrorKind::BrokenPipe.into());
        let written = answer.await.unwrap_or_else(gone).map_err(failed)?;
        let what = format!("'{}' was last written", self.path.display());
        is_fresh(&what, written, SystemTime::now(), self.limit)
    }
}

impl Probe for FileAge {
    fn label(&self) -> &'static str {
        "file"
    }

    fn target(&self) -> String {
        format!("the filesystem of '{}'", self.path.display())
    }

    fn run<'a>(&'a self, means: &'a Means, _: Duration) -> Running<'a> {
        Box::pin(self.probe(means))
    }
}
