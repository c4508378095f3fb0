//! `gild top` against a real daemon, as text and at a terminal.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::fakes::place::loopback;
use crate::host::{Running, wait_for};
use crate::program::gild;

fn up(directory: &Path, service: &str) -> Running {
    let documents = directory.join("documents");
    std::fs::create_dir(&documents).unwrap();
    let text = format!(
        "configuration.run = 'never'\nmetrics.interval = '1s'\nsink.log.type = 'log'\n\
         service.web = {{ tcp = '{service}', interval = '1s' }}\n"
    );
    std::fs::write(documents.join("global.toml"), text).unwrap();
    let mut up = gild();
    up.arg("up").arg("--local").arg(documents).arg("--state").arg(directory.join("state"));
    let running = Running(up.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait_for("the socket", || directory.join("state/run/status.sock").exists());
    running
}

#[test]
fn top_shows_what_the_daemon_measures_and_gives_the_terminal_back() {
    let directory = tempfile::tempdir().unwrap();
    let service = loopback();
    let _up = up(directory.path(), &service.local_addr().unwrap().to_string());
    let socket = directory.path().join("state/run/status.sock");
    let mut top = gild();
    top.arg("--socket").arg(&socket).args(["top", "--interval", "200ms"]);
    let output = top.arg("--once").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for beginning in ["ready since", "cpu ", "memory ", "traffic ", "/ ", "web ", "log ", "agent "]
    {
        assert!(text.lines().any(|line| line.starts_with(beginning)), "{beginning}: {text}");
    }
    assert!(text.contains("network in ") && !text.contains('\u{1b}'), "{text}");

    // A terminal of its own, in which somebody presses a key.
    let line = format!(
        "stty rows 10 cols 60; {} --socket {} top --interval 200ms; echo ended $?; stty -a",
        gild().get_program().display(),
        socket.display()
    );
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = Running(script.spawn().unwrap());
    let mut screen = terminal.0.stdout.take().unwrap();
    let mut shown = String::new();
    let mut piece = [0; 4096];
    while !shown.contains("memory ") {
        let count = screen.read(&mut piece).unwrap();
        assert_ne!(count, 0, "{shown}");
        shown.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
    terminal.0.stdin.as_mut().unwrap().write_all(b"q").unwrap();
    let mut rest = Vec::new();
    screen.read_to_end(&mut rest).unwrap();
    shown.push_str(&String::from_utf8_lossy(&rest));
    let (frames, after) = shown.split_once("ended 0").expect(&shown);
    assert!(frames.starts_with("\u{1b}[?1049h") && frames.trim_end().ends_with("\u{1b}[?1049l"));
    assert!(after.contains(" icanon") && after.contains(" echo "), "{after}");
    // No more lines than there is room for: the tenth ends the screen.
    let frame = frames.split("\u{1b}[H").nth(1).unwrap();
    assert!(frame.lines().count() <= 10, "{frame}");
}

#[test]
fn top_without_a_daemon_says_so_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let mut top = gild();
    let output = top.arg("--root").arg(directory.path()).arg("top").output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no daemon answers"), "{output:?}");
}
