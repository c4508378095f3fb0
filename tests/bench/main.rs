//! The benchmarks: each runs the release binary against fakes at a distance, beside
//! something to compare it with, and prints a table.
//!
//! A new benchmark is one file beside this one with a `run`, and a line in the list.
//!
//!     tests/bench/run [--write] [NAME…]
#![allow(clippy::unwrap_used)]

mod beside;
mod boot;
mod bootstrap;
mod claims;
mod counts;
mod daemon;
mod document;
#[path = "../fakes/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use their own part of the fakes")]
mod fakes;
mod figures;
mod fill;
mod fleet;
mod growth;
mod herd;
mod load;
mod peers;
mod resolve;
mod rows;
mod service;
mod taken;
mod world;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use self::document::Results;

/// A benchmark, with the binary to run.
type Benchmark = fn(&Path);

const ALL: &[(&str, Benchmark)] = &[
    ("resolve", resolve::run),
    ("boot", boot::run),
    ("bootstrap", bootstrap::run),
    ("herd", herd::run),
    ("beside", beside::run),
    ("daemon", daemon::run),
    ("counts", counts::run),
    ("growth", growth::run),
];

fn main() {
    // The herd is a second run of this program.
    if fleet::member() {
        return;
    }
    let Some(gild) = std::env::var_os("GILD_BIN").map(PathBuf::from) else {
        // Built with the tests, and only they may say so.
        println!("GILD_BIN names no release binary: run tests/bench/run");
        return;
    };
    let (options, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let is_written = options.iter().any(|option| option == "--write");
    let known: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    if let Some(odd) = names.iter().find(|name| !known.contains(&name.as_str())) {
        panic!("there is no benchmark '{odd}'; there are {}", known.join(", "));
    }
    let rows = std::env::var_os("GILD_BENCH_ROWS").map(PathBuf::from);
    for (name, run) in ALL {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            println!("\n== {name}");
            if let Some(rows) = &rows {
                let line = json!({ "benchmark": name, "about": document::about() });
                let mut file = File::options().create(true).append(true).open(rows).unwrap();
                writeln!(file, "{line}").unwrap();
            }
            run(&gild);
        }
    }
    if is_written {
        let rows = rows.expect("tests/bench/run says where rows are kept meanwhile");
        let mut results = Results::kept();
        results.add(&fs::read_to_string(rows).unwrap());
        results.write(&known);
    }
}
