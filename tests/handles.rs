//! A process that may open no more files: what waits on disk stays there, and is not taken for
//! damaged because it cannot be opened for a while.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::Method;

use crate::fakes::fault::Fault;
use crate::fakes::place::loopback;
use crate::fakes::remote_write::RemoteWrite;
use crate::fakes::wait::until;
use crate::host::{Host, Running, wait_for};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_waits_on_disk_outlives_a_want_of_file_handles() {
    let receiver = RemoteWrite::start(loopback());
    let document = format!(
        "configuration.run = 'never'\nmetrics.interval = '1s'\n\
         sink.out = {{ type = 'remote_write', url = '{}', flush = '1s' }}\n",
        receiver.url()
    );
    let host = Host::new(&document);
    assert_eq!(host.configure(&[]).0, Some(0));
    receiver.faults.always("", Fault::Status(503, String::new()));
    let log = host.path("log");
    let mut command = host.gild(&["run"]);
    command.stdout(Stdio::null()).stderr(File::create(&log).unwrap());
    let daemon = Running(command.spawn().unwrap());
    wait_for("the daemon", || host.path("run/gild/status.sock").exists());
    let sink = || host.ask(Method::GET, "/v1/status")["sinks"]["out"].clone();
    until("ticks on disk", PATIENCE, || match sink() {
        sink if sink["spool"]["ticks"].as_u64() >= Some(3) => Ok(()),
        sink => Err(sink.to_string()),
    });

    let process = daemon.0.id();
    limit(process, 0);
    receiver.faults.clear();
    // The first goes out on the connection that is there; the next would have to be read.
    until("what it says", PATIENCE, || match fs::read_to_string(&log).unwrap() {
        text if text.contains("failed to read the spool") => Ok(()),
        text if text.contains("damaged") => panic!("{text}"),
        text => Err(text),
    });
    limit(process, 1024);
    until("an empty spool", PATIENCE, || match sink() {
        sink if sink["spool"]["ticks"] == 0 && sink["spool"]["error"].is_null() => Ok(()),
        sink => Err(sink.to_string()),
    });
    assert_eq!(sink()["dropped"], serde_json::json!({}));
    let spool = host.path("var/lib/gild/spool/sinks/out");
    assert_eq!(damaged(&spool), 0);
    assert!(receiver.refused().is_empty(), "{:?}", receiver.refused());
}

fn limit(process: u32, files: usize) {
    let [process, files] = [format!("--pid={process}"), format!("--nofile={files}:")];
    assert!(Command::new("prlimit").args([process, files]).status().unwrap().success());
}

fn damaged(spool: &Path) -> usize {
    let names = fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".damaged")).count()
}
