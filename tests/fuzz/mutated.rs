//! Each fuzz target for a second or two with no fuzzer at all: the seeds, and what becomes of them when
//! bytes are changed, taken away, doubled and mixed, by a stream of numbers that is always the same.
//! It finds what a fuzzer finds first, needs no other compiler and no other build, and shows that the
//! targets fit the code. A fuzzer that sees which branches it has reached goes on at night.
//!
//! `GILD_FUZZ_SECONDS` says for how long.
//!
//! A new target is a name in `targets.rs`, beside what `src/lib.rs` says.
#![allow(missing_docs, clippy::unwrap_used, clippy::module_inception)]

// What the targets call the crates that they are made of.
extern crate self as gild_fuzz;
extern crate self as libfuzzer_sys;

#[path = "src/lib.rs"]
mod rooms;
mod targets;

// A target that has files of gild built into it expects this beside them.
use gild::platform;

pub use rooms::*;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;

/// No input is larger, as in `run`.
const LONGEST: usize = 4096;
/// Bytes that often mean something.
const SPECIAL: &[u8] = b"\0\n\r\t \"'#$%&*,-./0:;<=>?@[\\]^{|}~\x7f\x80\xff";

/// Makes a function of a target.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:expr) => {
        pub(crate) fn run($input: &[u8]) {
            $body;
        }
    };
    (|$input:ident: &str| $body:expr) => {
        pub(crate) fn run(bytes: &[u8]) {
            if let Ok($input) = std::str::from_utf8(bytes) {
                $body;
            }
        }
    };
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz")
}

/// Gives a target its seeds and what is made of them, until the time is over.
pub(crate) fn mutate(name: &str, target: fn(&[u8])) {
    let files = fs::read_dir(directory().join("corpus").join(name)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(!seeds.is_empty(), "'{name}' has no seeds");
    let seconds = std::env::var("GILD_FUZZ_SECONDS").ok().and_then(|it| it.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(1));
    let mut random = Rng::with_seed(
        name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte)),
    );
    for seed in &seeds {
        held(name, target, seed);
    }
    while Instant::now() < end {
        held(name, target, &mutant(&seeds, &mut random));
    }
}

/// Keeps an input that breaks the target.
fn held(name: &str, target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let kept = directory().join("artifacts").join(name);
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join("mutant"), input).unwrap();
        eprintln!("'{name}' breaks on \"{}\"", input.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

fn mutant(seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = random.choice(seeds).unwrap().clone();
    for _ in 0..random.usize(1..8) {
        let at = random.usize(0..=input.len());
        let end = random.usize(at..=input.len().min(at + 64));
        match random.u8(0..8) {
            0 => drop(input.drain(at..end)),
            1 => input.insert(at, *random.choice(SPECIAL).unwrap()),
            2 => input.insert(at, random.u8(..)),
            3 => drop(input.splice(at..at, input[at..end].to_vec())),
            4 => {
                let other = random.choice(seeds).unwrap();
                let from = random.usize(0..=other.len());
                let to = random.usize(from..=other.len().min(from + 256));
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
            5 => input.truncate(at),
            _ if at < input.len() => match random.bool() {
                true => input[at] ^= 1 << random.u8(0..8),
                false => input[at] = *random.choice(SPECIAL).unwrap(),
            },
            _ => {}
        }
    }
    input.truncate(LONGEST);
    input
}

#[test]
fn every_target_is_here_and_has_its_program() {
    let files = fs::read_dir(directory().join("targets")).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let there: BTreeSet<String> = files.map(|file| stem(file.unwrap().path())).collect();
    let here: BTreeSet<String> = targets::ALL.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(here, there);
    let manifest: toml::Table =
        fs::read_to_string(directory().join("Cargo.toml")).unwrap().parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap().iter();
    let programs: BTreeSet<String> =
        programs.map(|it| it["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(programs, there);
}
