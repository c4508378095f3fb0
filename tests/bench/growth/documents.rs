//! What it costs to come from a start to the merged configuration, as it grows: the processor time
//! of the whole process, and its instructions, which callgrind counts.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

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
    /// The two documents, of which the second says all that the first says, and the tags.
    of: fn(usize) -> (String, Vec<(String, String)>),
}

pub(crate) const PARTS: &[Part] = &[
    Part { name: "keys", counts: &[10, 100, 1_000, 3_000, 10_000], of: keys },
    // An instance has no more.
    Part { name: "tags", counts: &[0, 5, 10, 25, 50], of: tags },
];

/// So many, of which one in ten is a table with the others.
fn keys(count: usize) -> (String, Vec<(String, String)>) {
    let mut text = String::new();
    // The table of all is one of them.
    for number in 1..count {
        match number % TABLE {
            1 => text += &format!("[vars.table_{}]\n", number / TABLE),
            _ => text += &format!("key_{number} = 'value {number}'\n"),
        }
    }
    (text, Vec::new())
}

fn tags(count: usize) -> (String, Vec<(String, String)>) {
    let tag = |number| (format!("gild:vars.key_{number}"), format!("value {number}"));
    (String::new(), (0..count).map(tag).collect())
}

impl Part {
    /// Milliseconds of processor time, and instructions.
    pub(crate) fn measure(&self, program: &Path, count: usize) -> (Vec<f64>, Vec<f64>) {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        let (text, tags) = (self.of)(count);
        fixture(root);
        let head = "scope.local_targets = true\nscope.service.sources = ['tags:gild:']\n";
        let lower = format!("{head}{text}");
        fs::write(root.join("usr/lib/gild/config.d/10-image.toml"), lower).unwrap();
        let upper = text.replace("'value", "'another value");
        fs::write(root.join("etc/gild/config.d/10-local.toml"), upper).unwrap();
        let instance = Instance { tags: tags.into_iter().collect(), ..Instance::default() };
        let imds = Imds::start(loopback(), &instance);
        let show = |command| {
            let mut command = gild(command, root, &imds, &["config", "show"]);
            assert!(command.status().unwrap().success(), "gild config show failed");
        };
        let mut cpu = Vec::new();
        for _ in 0..ROUNDS {
            let before = spent_ms();
            show(Command::new(program));
            cpu.push(spent_ms() - before);
        }
        let counts = root.join("counts");
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--quiet"]);
        valgrind.arg(format!("--callgrind-out-file={}", counts.display())).arg(program);
        show(valgrind);
        (cpu, vec![total(&counts) as f64])
    }
}

/// Processor time of all processes that were started, and have ended.
fn spent_ms() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e3
}
