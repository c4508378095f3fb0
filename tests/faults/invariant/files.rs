//! Every file of gild's state can be read by gild, or is not there, and those for its user alone
//! are for nobody else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use gild::configure::handoff::Handoff;
use gild::configure::report::Report;
use gild::configure::state::{Previous, State};
use gild::metrics::drops::Drops;
use gild::metrics::spool::{Opened, Place, Spool};
use serde_json::Value;

use super::Invariant;
use super::logged::below;
use crate::fakes::imds::Instance;
use crate::life::Stage;

/// Below the root: what its user alone may read.
const OWN: [&str; 2] = ["var/lib/gild/spool", "run/gild/secrets.json"];
const SPOOLS: &str = "var/lib/gild/spool/sinks";

pub(super) struct Files;

impl Invariant for Files {
    fn period(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn look(&mut self, stage: &mut Stage) -> Result<(), String> {
        let root = stage.estate.root();
        for path in below(&root.join("run")).into_iter().chain(below(&root.join("var"))) {
            whole(&path).map_err(|why| format!("{}: {why}", path.display()))?;
            let is_own = OWN.iter().any(|own| path.starts_with(root.join(own)));
            let mode = path.metadata().map_or(0, |about| about.permissions().mode() & 0o777);
            if is_own && mode & 0o077 != 0 {
                return Err(format!("{} has the mode {mode:o}", path.display()));
            }
        }
        // While it writes, a copy could have a part of what it is about to say.
        match stage.lives() {
            true => Ok(()),
            false => spools(&root),
        }
    }

    fn at_end(&mut self, stage: &mut Stage) -> Result<(), String> {
        self.look(stage)?;
        let left: Vec<_> = below(&stage.estate.root().join(SPOOLS))
            .into_iter()
            .filter(|path| path.extension().is_some_and(|suffix| suffix == "ticks"))
            .collect();
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?} were left behind")) }
    }

    fn figure(&self, _: &Stage) -> String {
        "files whole".to_owned()
    }
}

/// Whether a file is one that can be read.
fn whole(path: &Path) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = |error: &dyn std::fmt::Display| error.to_string();
    match &*name {
        "config.json" => Handoff::read(path).map(drop).map_err(|error| text(&error)),
        "report.json" => Report::load(path).map(drop).map_err(|error| text(&error)),
        "state.json" => match State::load(path) {
            Previous::Found(_) | Previous::Absent => Ok(()),
            other => Err(format!("{other:?}")),
        },
        _ if name.starts_with('.') => Ok(()),
        _ if name.ends_with(".json") => match fs::read(path) {
            Ok(bytes) => serde_json::from_slice::<Value>(&bytes).map(drop).map_err(|e| text(&e)),
            Err(_) => Ok(()),
        },
        _ if name.ends_with(".damaged") => Err("a spool was damaged".to_owned()),
        _ => Ok(()),
    }
}

/// Each spool gives back, from a copy, all that it says it has.
fn spools(root: &Path) -> Result<(), String> {
    for sink in fs::read_dir(root.join(SPOOLS)).into_iter().flatten().flatten() {
        let copy = tempfile::tempdir().unwrap();
        for file in below(&sink.path()) {
            fs::copy(&file, copy.path().join(file.file_name().unwrap())).unwrap();
        }
        let place = Place {
            directory: copy.path().to_owned(),
            instance: Instance::default().id,
            bytes: u64::MAX,
            age: Duration::MAX,
        };
        let mut drops = Drops::default();
        let opened = Spool::open(place, &mut drops).map_err(|error| error.to_string())?;
        let Opened::Spool(mut spool) = opened else { return Err("a copy is held".to_owned()) };
        let (says, mut has) = (spool.unread(), 0);
        while spool.next(&mut drops).is_some() {
            has += 1;
        }
        let damaged = below(copy.path())
            .iter()
            .any(|path| path.extension().is_some_and(|it| it == "damaged"));
        if says != has || damaged {
            return Err(format!("{:?} says {says} ticks and has {has}: {drops:?}", sink.path()));
        }
    }
    Ok(())
}
