//! What `gild configure` costs as there is more to configure, with a step that never runs: from the
//! start of the process to the merged configuration, and what it leaves of that. It is the processor
//! time of the whole process, and its instructions, which callgrind counts.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::Value;

use super::host::gild;
use crate::counts::{fixture, total};
use crate::fakes::imds::{Imds, Instance};
use crate::fakes::place::loopback;

const ROUNDS: usize = 9;
/// Keys that stand in one table.
const TABLE: usize = 10;

/// What a configuration has more or fewer of.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) counts: &'static [usize],
    of: fn(usize) -> Content,
}

/// What two documents of two layers say, each with values of its own, and what the tags do.
#[derive(Default)]
struct Content {
    text: String,
    tags: Vec<(String, String)>,
}

pub(crate) const PARTS: &[Part] = &[
    Part { name: "keys", counts: &[10, 100, 1_000, 3_000, 10_000], of: keys },
    // An instance has no more.
    Part { name: "tags", counts: &[0, 5, 10, 25, 50], of: tags },
];

/// So many, of which one in ten is a table with the others.
fn keys(count: usize) -> Content {
    let mut text = String::new();
    // The table of all is one of them.
    for number in 1..count {
        match number % TABLE {
            1 => text += &format!("[vars.table_{}]\n", number / TABLE),
            _ => text += &format!("key_{number} = 'value {number}'\n"),
        }
    }
    Content { text, ..Content::default() }
}

fn tags(count: usize) -> Content {
    let tag = |number| (format!("gild:vars.key_{number}"), format!("value {number}"));
    Content { tags: (0..count).map(tag).collect(), ..Content::default() }
}

impl Part {
    /// Milliseconds of processor time, and instructions.
    pub(crate) fn measure(&self, program: &Path, count: usize) -> (Vec<f64>, Vec<f64>) {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let Content { text, tags } = (self.of)(count);
        fixture(root);
        let lower = format!(
            "scope.local_targets = true\nscope.service.sources = ['tags:gild:']\n\
             configuration.run = 'never'\nlifecycle.watch = false\n{text}"
        );
        let values = text.matches('=').count() + tags.len();
        fs::write(root.join("usr/lib/gild/config.d/10-image.toml"), lower).unwrap();
        let upper = text.replace("'value", "'another value");
        fs::write(root.join("etc/gild/config.d/10-local.toml"), upper).unwrap();
        let instance = Instance { tags: tags.into_iter().collect(), ..Instance::default() };
        let imds = Imds::start(loopback(), &instance);
        let configure = |command| {
            let status = gild(command, root, &imds, &["configure"]).status();
            assert!(status.unwrap().success(), "gild configure failed");
        };
        configure(Command::new(program));
        let mut show = gild(Command::new(program), root, &imds, &["config", "show", "--json"]);
        let shown = show.stdout(Stdio::piped()).output().unwrap().stdout;
        let shown: Value = serde_json::from_slice(&shown).unwrap();
        assert_eq!(leaves(&shown["vars"]), values, "not all was merged");
        let mut cpu = Vec::new();
        for _ in 0..ROUNDS {
            let before = spent_ms();
            configure(Command::new(program));
            cpu.push(spent_ms() - before);
        }
        let counts = root.join("counts");
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--quiet"]);
        valgrind.arg(format!("--callgrind-out-file={}", counts.display())).arg(program);
        configure(valgrind);
        (cpu, vec![total(&counts) as f64])
    }
}

/// Values in a table, and in the tables below it.
fn leaves(value: &Value) -> usize {
    value
        .as_object()
        .map_or(usize::from(!value.is_null()), |table| table.values().map(leaves).sum())
}

/// Processor time of all processes that were started, and have ended.
fn spent_ms() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e3
}
