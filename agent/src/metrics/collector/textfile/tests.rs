#![allow(clippy::unwrap_used)]
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use nix::sys::stat::Mode;
use tempfile::TempDir;

use super::*;
use crate::metrics::openmetrics;
use crate::platform::error::chain_text;

struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join("text")).unwrap();
        Self(root)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("text").join(name)
    }

    /// Writes a file that is as old as the first second of 2020.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        let changed = SystemTime::UNIX_EPOCH + Duration::from_millis(1_577_836_800_500);
        File::options().write(true).open(self.path(name)).unwrap().set_modified(changed).unwrap();
    }

    fn collect(&self) -> (Vec<String>, Option<String>) {
        let paths = Paths::installed(self.0.path());
        let mut out = Vec::new();
        let mut collector = Textfile::new(Some("/text"), &paths);
        let result = collector.collect(&mut Files::new(&paths), &mut out);
        (out.iter().map(openmetrics::line).collect(), result.err().map(|error| chain_text(&error)))
    }

    /// The samples of files, where all went well.
    fn good(&self) -> Vec<String> {
        let (mut lines, error) = self.collect();
        assert_eq!(error, None);
        lines.retain(|line| !line.contains("textfile"));
        lines
    }
}

fn strings(lines: &[&str]) -> Vec<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn files_are_read_in_the_order_of_their_names() {
    let directory = Directory::new();
    directory.write("b.prom", "# TYPE backup_total counter\nbackup_total{of=\"db\"} 7\n");
    directory.write("a.prom", "a 1\nnode_load1 9\n");
    directory.write("c.prom.tmp", "half");
    let (lines, error) = directory.collect();
    let expected = [
        "a 1",
        "node_textfile_mtime_seconds{file=\"/text/a.prom\"} 1577836800.5",
        "backup_total{of=\"db\"} 7",
        "node_textfile_mtime_seconds{file=\"/text/b.prom\"} 1577836800.5",
        "node_textfile_scrape_error 0",
        "gild_textfile_samples_refused 1",
    ];
    assert_eq!((lines, error), (strings(&expected), None));
}

#[test]
fn a_file_that_is_not_right_takes_nothing_but_its_own() {
    let directory = Directory::new();
    directory.write("a.prom", "a 1\n");
    directory.write("z.prom", "z 1\n");
    for (text, why) in [
        ("b 1\nb 2\n", "failed to read what it holds: line 2 is not one of the text format"),
        ("b 1", "failed to read what it holds: the last line has no end"),
        ("b 1 1577836800500\n", "failed to read what it holds: line 1 is not"),
        ("a 2\n", "another file has a series that it has"),
    ] {
        directory.write("b.prom", text);
        let (lines, error) = directory.collect();
        let of_files = |line: &&String| !line.contains("_textfile_");
        assert_eq!(lines.iter().filter(of_files).collect::<Vec<_>>(), ["a 1", "z 1"], "{text}");
        assert!(lines.contains(&"node_textfile_scrape_error 1".to_owned()), "{text}");
        assert!(!lines.iter().any(|line| line.contains("b.prom")), "{text}");
        let error = error.unwrap();
        assert!(error.starts_with("failed to take metrics from '/text/b.prom': "), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn only_regular_files_are_read_and_none_is_waited_for() {
    let directory = Directory::new();
    directory.write("a.prom", "a 1\n");
    directory.write("elsewhere", "b 1\n");
    let link = directory.path("b.prom");
    symlink(directory.path("elsewhere"), &link).unwrap();
    let refused = || {
        let (lines, error) = directory.collect();
        assert_eq!(lines[0], "a 1");
        error.unwrap()
    };
    let why = "failed to take metrics from '/text/b.prom': it is not a regular file";
    assert_eq!(refused(), why);
    fs::remove_file(&link).unwrap();
    nix::unistd::mkfifo(&link, Mode::S_IRUSR).unwrap();
    assert_eq!(refused(), why);
    fs::remove_file(&link).unwrap();
    fs::create_dir(&link).unwrap();
    assert_eq!(refused(), why);
}

#[test]
fn all_files_together_stay_within_their_caps() {
    let directory = Directory::new();
    let samples = |of: char, count: usize| {
        (0..count).map(|number| format!("{of}{number} 1\n")).collect::<String>()
    };
    directory.write("a.prom", &samples('a', 1500));
    directory.write("b.prom", &samples('b', 1500));
    directory.write("c.prom", &samples('c', 500));
    let (lines, error) = directory.collect();
    assert_eq!(
        lines.iter().filter(|line| line.ends_with(" 1") && !line.contains("text")).count(),
        2000
    );
    assert!(error.unwrap().ends_with("there are more than 500 samples"));

    directory.write("a.prom", &"#\n".repeat(500_001));
    directory.write("b.prom", "b 1\n");
    let (lines, error) = directory.collect();
    assert!(lines.contains(&"b 1".to_owned()), "one that is too large harms no other");
    assert!(error.unwrap().ends_with("it has more than 1000000 bytes"));

    for name in ["a.prom", "b.prom", "c.prom", "d.prom", "e.prom"] {
        directory.write(name, &format!("{}{}0 1\n", "#\n".repeat(450_000), &name[..1]));
    }
    let (lines, error) = directory.collect();
    assert!(lines.contains(&"d0 1".to_owned()) && !lines.contains(&"e0 1".to_owned()));
    assert!(error.unwrap().ends_with("it has more than 399980 bytes"));

    let many = Directory::new();
    for number in 100..201 {
        many.write(&format!("{number}.prom"), &format!("x{number} 1\n"));
    }
    let (lines, error) = many.collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with('x')).count(), 100);
    assert!(error.unwrap().ends_with("there are more than 100 files"));
}

#[test]
fn a_directory_is_a_choice_and_one_that_is_missing_is_an_error() {
    let paths = Paths::installed(Path::new("/nonexistent"));
    let mut out = Vec::new();
    Textfile::new(None, &paths).collect(&mut Files::new(&paths), &mut out).unwrap();
    assert!(out.is_empty());
    let directory = Directory::new();
    assert!(directory.good().is_empty());
    fs::remove_dir(directory.path("")).unwrap();
    let (lines, error) = directory.collect();
    assert_eq!(lines, ["node_textfile_scrape_error 1", "gild_textfile_samples_refused 0"]);
    assert!(error.unwrap().starts_with("failed to read '/text': "));
}
