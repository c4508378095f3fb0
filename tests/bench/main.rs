//! The benchmarks: each runs the release binary against fakes at a distance, beside
//! something to compare it with, and prints a table.
//!
//! A new benchmark is one file beside this one with a `run`, and a line in the list.
//!
//!     tests/bench/run [NAME…]
#![allow(clippy::unwrap_used)]

mod boot;
mod daemon;
#[path = "../fakes/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use their own part of the fakes")]
mod fakes;
mod figures;
mod fill;
mod fleet;
mod herd;
mod peers;
mod resolve;
mod world;

use std::path::{Path, PathBuf};

/// A benchmark, with the binary to run.
type Benchmark = fn(&Path);

const ALL: &[(&str, Benchmark)] =
    &[("resolve", resolve::run), ("boot", boot::run), ("herd", herd::run), ("daemon", daemon::run)];

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
    let names: Vec<String> = std::env::args().skip(1).filter(|name| name != "--bench").collect();
    if let Some(odd) = names.iter().find(|name| ALL.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        panic!("there is no benchmark '{odd}'; there are {}", known.join(", "));
    }
    for (name, run) in ALL {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            println!("\n== {name}");
            run(&gild);
        }
    }
}
