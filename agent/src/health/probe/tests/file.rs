//! Files that are fresh, old, absent, and on filesystems that hang.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};

use super::*;
use crate::health::probe::file::FileAge;

async fn aged(age: Duration) -> Probed {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("var")).unwrap();
    let file = File::create(root.path().join("var/last")).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
    let probe = probe(serde_json::json!({ "file": "/var/last", "max_age": "26h" }));
    run(&*probe, &means(root.path()), LIMIT).await
}

#[tokio::test]
async fn a_file_is_well_until_it_is_too_old() {
    let hour = Duration::from_secs(3600);
    assert!(aged(hour * 25).await.result.is_ok());
    let said = why(aged(hour * 27).await);
    assert_eq!(said, "'/var/last' was last written 1day 3h ago, and 1day 2h are allowed");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_well_whatever_its_age() {
    for text in [
        serde_json::json!({ "file": "/nonexistent/last", "max_age": "26h" }),
        serde_json::json!({ "file": "/nonexistent/last" }),
    ] {
        let said = why(find(text).await);
        assert!(said.starts_with("failed to look at '/nonexistent/last': No such"), "{said}");
    }
    assert!(find(serde_json::json!({ "file": "/proc/1/stat" })).await.result.is_ok());
}

/// Whether the filesystem hangs, and what is told when it no longer does.
static HANGS: (Mutex<bool>, Condvar) = (Mutex::new(true), Condvar::new());

fn hung(_: &Path) -> io::Result<SystemTime> {
    let (hangs, changed) = &HANGS;
    drop(changed.wait_while(hangs.lock().unwrap(), |hangs| *hangs).unwrap());
    Ok(SystemTime::now())
}

#[tokio::test]
async fn a_filesystem_that_hangs_holds_one_thread_and_no_look() {
    let probe = FileAge::new(PathBuf::from("/srv/last"), None, hung);
    let (means, limit) = (means(Path::new("/")), Duration::from_millis(20));
    let said = why(run(&probe, &means, limit).await);
    assert_eq!(said, "the filesystem of '/srv/last' did not answer within 20ms");
    for _ in 0..3 {
        let said = why(run(&probe, &means, limit).await);
        assert!(said.contains("has not answered an earlier look yet"), "{said}");
    }
    *HANGS.0.lock().unwrap() = false;
    HANGS.1.notify_all();
    // It comes back, and so does the probe.
    let back = async {
        while run(&probe, &means, LIMIT).await.result.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, back).await.unwrap();
}
