//! Programs that end well, end badly, say much, and do not end.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::*;

fn shell(script: &str) -> serde_json::Value {
    serde_json::json!({ "exec": ["/bin/sh", "-c", script] })
}

#[tokio::test]
async fn the_exit_status_decides_and_the_first_line_is_told() {
    assert!(find(shell("echo all is lost >&2; exit 0")).await.result.is_ok());
    let said = why(find(shell("echo; echo ' no reply '; echo more; exit 3")).await);
    assert_eq!(said, "'/bin/sh' ended with 3: no reply");
    assert_eq!(why(find(shell("exit 1")).await), "'/bin/sh' ended with 1");
    assert_eq!(why(find(shell("kill -9 $$")).await), "'/bin/sh' was killed by signal 9");
}

#[tokio::test]
async fn a_program_that_cannot_be_run_is_named() {
    let said = why(find(serde_json::json!({ "exec": ["/nonexistent/check"] })).await);
    assert!(said.starts_with("failed to run '/nonexistent/check': No such file"), "{said}");
}

#[tokio::test]
async fn there_is_no_shell_and_nothing_of_the_daemon_s_environment() {
    let argv = ["/bin/sh", "-c", "test \"$1\" = '$(id) *' && env", "-", "$(id) *"];
    assert!(find(serde_json::json!({ "exec": argv })).await.result.is_ok());
    let said = why(find(shell("env | sort | tr '\\n' ' '; pwd; exit 1")).await);
    let names: Vec<_> = said.split(' ').filter_map(|word| word.split_once('=')).collect();
    let names: Vec<_> = names.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["LANG", "PATH", "PWD"], "{said}");
    assert!(said.ends_with(" /"), "{said}");
}

#[tokio::test]
async fn much_output_is_read_and_little_of_it_kept() {
    // Ten times what a pipe holds: a program that nobody reads would never end.
    let said = why(find(shell("head -c 700000 /dev/zero | tr '\\0' x; exit 1")).await);
    assert_eq!(said.matches('x').count(), 200, "{said}");
}

/// Waits until a process is gone.
async fn gone(id: i32) {
    let ended = async {
        while kill(Pid::from_raw(id), None) != Err(Errno::ESRCH) && !is_zombie(id) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, ended).await.unwrap();
}

/// Whether a process has ended and nobody has taken note yet.
fn is_zombie(id: i32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")))
}

/// A script that leaves its own number and that of a child, which outlives it.
fn family(directory: &Path, then: &str) -> String {
    let file = directory.join("numbers");
    let file = file.display();
    format!("sleep 600 & echo $$ $! > {file}.new; mv {file}.new {file}; {then}")
}

async fn numbers(directory: &Path) -> Vec<i32> {
    let read = async {
        loop {
            if let Ok(text) = fs::read_to_string(directory.join("numbers")) {
                return text.split_whitespace().map(|id| id.parse().unwrap()).collect();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, read).await.unwrap()
}

#[tokio::test]
async fn at_the_deadline_the_whole_group_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let script = family(directory.path(), "trap '' TERM; wait");
    let mut settings = settings(shell(&script));
    let means = means(Path::new("/"));
    // Until both are there, however slow the host is; then the deadline is near.
    settings.exec_timeout = LIMIT;
    let probe = probes(&settings).remove(0);
    let numbers = {
        let running = run(&*probe, &means, LIMIT);
        tokio::pin!(running);
        tokio::select! {
            _ = &mut running => panic!("it does not end by itself"),
            numbers = numbers(directory.path()) => numbers,
        }
        // What was begun ends with the look, as at the deadline: it is dropped.
    };
    assert_eq!(numbers.len(), 2);
    for id in numbers {
        gone(id).await;
    }

    settings.exec_timeout = Duration::from_millis(100);
    let probe = probes(&settings).remove(0);
    let probed = run(&*probe, &means, LIMIT).await;
    assert_eq!(probed.took, Duration::from_millis(100));
    assert_eq!(why(probed), "'/bin/sh' did not answer within 100ms");
}

#[tokio::test]
async fn what_a_program_leaves_in_the_background_ends_with_it() {
    let directory = tempfile::tempdir().unwrap();
    // The child holds the pipe open, which delays nobody.
    assert!(find(shell(&family(directory.path(), "exit 0"))).await.result.is_ok());
    for id in numbers(directory.path()).await {
        gone(id).await;
    }
}

#[tokio::test]
async fn a_program_that_waits_for_its_turn_has_its_whole_time_left() {
    let means = Arc::new(means(Path::new("/")));
    let all = u32::try_from(means.turns.available_permits()).unwrap();
    let held = means.turns.acquire_many(all).await.unwrap();
    let mut settings = settings(shell("exit 0"));
    settings.exec_timeout = LIMIT;
    let probe = probes(&settings).remove(0);
    let waiting = run(&*probe, &means, LIMIT);
    tokio::pin!(waiting);
    // It waits.
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("there is no turn left"),
        () = tokio::task::yield_now() => {}
    }
    drop(held);
    assert!(waiting.await.result.is_ok());
}
