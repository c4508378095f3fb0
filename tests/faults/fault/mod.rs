//! What can befall an instance. A new fault is a function and a line in the list: the function
//! begins it, and gives back what it has chosen and how it ends.
//!
//! Each says what it acts on, so that two that would undo each other never meet, and what must not
//! be asked of gild meanwhile: as little as can be.

mod answers;
mod disk;
mod limits;
mod metadata;
mod network;
mod process;
mod socket;

use fastrand::Rng;

pub(crate) use self::disk::FILLER;
use crate::excuse::Excuse::{self, Answer, Disk, End, Tick};
use crate::life::Stage;
use crate::plan::Kind;

/// A fault that goes on.
pub(crate) struct Begun {
    /// What it does, for the log.
    pub(crate) what: String,
    pub(crate) end: Box<dyn FnOnce(&mut Stage)>,
}

impl Begun {
    fn new(what: impl Into<String>, end: impl FnOnce(&mut Stage) + 'static) -> Self {
        Self { what: what.into(), end: Box::new(end) }
    }
}

/// One of them.
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) excuses: &'static [Excuse],
    pub(crate) begin: fn(&mut Stage, &mut Rng) -> Begun,
}

const fn entry(
    (name, acts_on): (&'static str, &'static str),
    lasts_s: (f64, f64),
    excuses: &'static [Excuse],
    begin: fn(&mut Stage, &mut Rng) -> Begun,
) -> Entry {
    Entry { kind: Kind { name, acts_on, lasts_s, heals_s: 0.0 }, excuses, begin }
}

const fn healing(mut entry: Entry, heals_s: f64) -> Entry {
    entry.kind.heals_s = heals_s;
    entry
}

/// All of them.
pub(crate) const ALL: &[Entry] = &[
    entry(("kill", "process"), (0.1, 0.1), &[], process::kill),
    entry(("stop", "process"), (0.5, 8.0), &[Answer, Tick], process::stop),
    entry(("full disk", "disk"), (3.0, 20.0), &[Disk], disk::full),
    entry(("read-only disk", "disk"), (3.0, 20.0), &[Disk], disk::read_only),
    entry(("no file handles", "limits"), (2.0, 10.0), &[Answer, Tick, Disk], limits::handles),
    entry(("no memory", "limits"), (2.0, 10.0), &[Answer, Tick, Disk, End], limits::memory),
    entry(("black hole", "network"), (2.0, 25.0), &[], network::black_hole),
    entry(("connections cut", "network"), (2.0, 25.0), &[], network::cut),
    entry(("packet loss", "network"), (3.0, 15.0), &[], network::loss),
    entry(("no names", "names"), (2.0, 15.0), &[], network::no_names),
    entry(("slow metadata", "metadata"), (3.0, 20.0), &[], metadata::slow),
    entry(("wrong metadata", "metadata"), (3.0, 20.0), &[], metadata::wrong),
    // Refused credentials are asked for anew once a minute.
    healing(
        entry(("expired credentials", "credentials"), (3.0, 20.0), &[], metadata::expired),
        60.0,
    ),
    entry(("receivers that fail", "answers"), (2.0, 20.0), &[], answers::transient),
    entry(("a receiver that says anything", "spoiled"), (2.0, 20.0), &[], answers::any),
    entry(("1,000 clients", "socket"), (2.0, 8.0), &[Answer], socket::crowd),
    entry(("garbage at the socket", "socket"), (2.0, 15.0), &[], socket::garbage),
];
