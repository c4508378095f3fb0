//! `BENCHMARKS.md`: made of the rows of `rows.jsonl`, which the last run of each benchmark has left.
//! Nobody writes a figure into it by hand.
//!
//! A new claim is a line in `claims`. One that does not hold is struck.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::claims::CLAIMS;
use crate::growth;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// What the last run of each benchmark has found.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// By the benchmark's name: where and when, and its rows in their order.
    runs: BTreeMap<String, (Value, Vec<Value>)>,
}

impl Results {
    /// Those that are kept.
    pub(crate) fn kept() -> Self {
        let mut results = Self::default();
        results.add(&fs::read_to_string(file("tests/bench/rows.jsonl")).unwrap_or_default());
        results
    }

    /// Takes what another run of some benchmarks has found in the place of what was there.
    pub(crate) fn add(&mut self, lines: &str) {
        for line in lines.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let name = row["benchmark"].as_str().unwrap().to_owned();
            match row.get("about") {
                Some(about) => drop(self.runs.insert(name, (about.clone(), Vec::new()))),
                None => self.runs.entry(name).or_default().1.push(row),
            }
        }
    }

    /// The median of a row.
    pub(crate) fn median(&self, benchmark: &str, name: &str) -> Option<f64> {
        self.of(benchmark, name, "median")
    }

    /// The greatest of a row's rounds.
    pub(crate) fn greatest(&self, benchmark: &str, name: &str) -> Option<f64> {
        self.of(benchmark, name, "max")
    }

    /// The greatest median of the rows whose names begin so.
    pub(crate) fn greatest_of(&self, benchmark: &str, begin: &str) -> Option<f64> {
        let (_, rows) = self.runs.get(benchmark)?;
        let of = |row: &&Value| row["name"].as_str().is_some_and(|name| name.starts_with(begin));
        rows.iter().filter(of).filter_map(|row| row["median"].as_f64()).max_by(f64::total_cmp)
    }

    fn of(&self, benchmark: &str, name: &str, what: &str) -> Option<f64> {
        let (_, rows) = self.runs.get(benchmark)?;
        rows.iter().find(|row| row["name"] == name)?[what].as_f64()
    }

    /// Keeps them, and writes the document.
    pub(crate) fn write(&self, order: &[&str]) {
        let mut lines = String::new();
        for (name, (about, rows)) in &self.runs {
            writeln!(lines, "{}", json!({ "benchmark": name, "about": about })).unwrap();
            for row in rows {
                writeln!(lines, "{row}").unwrap();
            }
        }
        fs::write(file("tests/bench/rows.jsonl"), lines).unwrap();
        fs::write(file("BENCHMARKS.md"), self.document(order)).unwrap();
        for (name, picture) in self.plots() {
            fs::write(file(PLOTS).join(name), picture).unwrap();
        }
    }

    /// Pictures, each with the name of its file.
    fn plots(&self) -> Vec<(String, String)> {
        self.runs.get("growth").map(|(_, rows)| growth::plots(rows)).unwrap_or_default()
    }

    /// The text of the document.
    fn document(&self, order: &[&str]) -> String {
        let mut text = HEAD.to_owned();
        for claim in CLAIMS {
            let line = match (claim.holds)(self) {
                Some((true, figures)) => format!("- {}: {figures}.\n", claim.text),
                Some((false, figures)) => format!("- ~~{}~~: {figures}.\n", claim.text),
                None => format!("- {}: not measured.\n", claim.text),
            };
            text.push_str(&line);
        }
        for name in order {
            let Some((about, rows)) = self.runs.get(*name) else { continue };
            write!(text, "\n## {name}\n\n    tests/bench/run {name}\n\n").unwrap();
            for (what, value) in about.as_object().into_iter().flatten() {
                writeln!(text, "{what}: {}  ", value.as_str().unwrap_or_default()).unwrap();
            }
            text.push_str("\n| | ratio | median | least | greatest | rounds |\n|---|---:|---:|---:|---:|---:|\n");
            for row in rows {
                text.push_str(&line(row));
            }
            if name == &"growth" {
                text.push('\n');
                for (picture, _) in self.plots() {
                    writeln!(text, "![{picture}]({PLOTS}/{picture})").unwrap();
                }
            }
        }
        text
    }
}

/// Where the pictures of `growth` lie.
const PLOTS: &str = "tests/bench/growth";

const HEAD: &str = "# Benchmarks

What stands here was written by `tests/bench/run --write`, which runs all benchmarks one after the other (about 55
minutes) and needs Debian's collectd-core, netdata-core, prometheus-node-exporter and valgrind beside what
`tests/run` installs. With the names of some it runs only these. A ratio is the median divided by that of gild, or of
what the row says; above 1 is more.

## What is claimed

A claim that does not hold is struck.

";

fn line(row: &Value) -> String {
    let number = |what: &str| row[what].as_f64().map(readable).unwrap_or_default();
    let unit = row["unit"].as_str().unwrap_or_default();
    format!(
        "| {} | {} | {} {unit} | {} | {} | {} |\n",
        row["name"].as_str().unwrap_or_default(),
        number("ratio"),
        number("median"),
        number("min"),
        number("max"),
        row["rounds"]
    )
}

/// As many digits as say something, with commas between thousands.
pub(crate) fn readable(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        return format!("{value:.2}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

/// Where and when a benchmark runs, and beside what.
pub(crate) fn about() -> Value {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        let text = output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let model = model.trim_start_matches(['\t', ' ', ':']);
    let packages =
        ["collectd-core", "netdata-core", "prometheus-node-exporter", "valgrind", "curl"];
    let versions = said(
        "dpkg-query",
        &[&["--show", "--showformat", "${Package} ${Version}, "], &packages[..]].concat(),
    );
    json!({
        "date": said("date", &["-u", "+%F"]),
        "machine": format!("{count} × {model}, Linux {}", said("uname", &["-r"])),
        "versions": format!("{}, {}", versions.trim_end_matches([',', ' ']), said("rustc", &["--version"])),
    })
}
