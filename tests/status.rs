//! The status socket with good, bad and too many clients.
#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use gild::metrics::openmetrics::Format;
use gild::platform::redact::{MASK, Redactor};
use gild::status::client::{self, ClientError};
use gild::status::listener::{self, ListenError};
use gild::status::server::{Answers, Flushing, Limits, serve};
use listenfd::ListenFd;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::{JoinHandle, JoinSet};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "correct horse battery";

#[derive(Default)]
struct Canned {
    refreshed: AtomicUsize,
}

impl Answers for Canned {
    fn status(&self) -> Value {
        json!({ "version": 1, "state": "ready", "note": format!("the word is {SECRET}") })
    }

    fn config(&self) -> Option<Value> {
        Some(json!({ "vars": { "list": [SECRET] } }))
    }

    fn report(&self) -> Option<Value> {
        None
    }

    fn metrics(&self, format: Format) -> String {
        let end = if format == Format::OpenMetrics { "# EOF\n" } else { "" };
        format!("# {SECRET}\nup 1\n{end}")
    }

    fn refresh(&self) {
        self.refreshed.fetch_add(1, Ordering::SeqCst);
    }

    fn flush(&self, _: Duration) -> Flushing {
        Box::pin(std::future::ready(true))
    }
}

/// A daemon's status socket. Ends when dropped.
struct Daemon {
    directory: TempDir,
    answers: Arc<Canned>,
    task: JoinHandle<()>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Daemon {
    async fn start(limits: Limits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = open(&directory.path().join("status.sock")).await.unwrap();
        let redactor = Redactor::default();
        redactor.add(SECRET);
        let answers = Arc::new(Canned::default());
        let given: Arc<dyn Answers> = answers.clone();
        let task = tokio::spawn(serve(listener, given, redactor, limits));
        Self { directory, answers, task }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("status.sock")
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.socket()).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let (status, body) = client::get(&self.socket(), path).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// Sends bytes as they are and returns all that comes back.
    async fn raw(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        // The server may have had enough before it has read everything.
        let _ = stream.write_all(request).await;
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut UnixStream) -> String {
    let mut answer = Vec::new();
    let read = async {
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn code(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["error"]["message"].is_string(), "{body}");
    body["error"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_page_answers_without_secrets() {
    let daemon = Daemon::start(Limits::default()).await;
    let (status, body) = daemon.get("/v1/status").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["state"]), (200, &json!("ready")));
    assert_eq!(body["note"], format!("the word is {MASK}"));
    let (status, body) = daemon.get("/v1/config").await;
    assert_eq!((status, body), (200, format!("{{\"vars\":{{\"list\":[\"{MASK}\"]}}}}\n")));
    let (status, body) = daemon.get("/metrics").await;
    assert_eq!((status, body), (200, format!("# {MASK}\nup 1\n")));
    let (status, body) =
        client::ask(&daemon.socket(), http::Method::POST, "/v1/refresh", PATIENCE).await.unwrap();
    assert_eq!((status, &body[..]), (202, &b"{\"refresh\":\"started\"}\n"[..]));
    assert_eq!(daemon.answers.refreshed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_one_shape() {
    let daemon = Daemon::start(Limits::default()).await;
    for (path, expected) in [("/", "not_found"), ("/v1", "not_found"), ("/v1/report", "no_report")]
    {
        let (status, body) = daemon.get(path).await;
        assert_eq!((status, code(&body).as_str()), (404, expected));
    }
    let (status, body) = daemon.get("/v1/refresh").await;
    assert_eq!((status, code(&body).as_str()), (405, "method_not_allowed"));
    assert_eq!(daemon.answers.refreshed.load(Ordering::SeqCst), 0);
    let answer = daemon.raw(b"DELETE /v1/status HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(answer.contains("allow: GET\r\n"), "{answer}");
}

#[tokio::test]
async fn two_hundred_clients_at_once_are_all_answered() {
    let daemon = Daemon::start(Limits::default()).await;
    let mut clients = JoinSet::new();
    for _ in 0..200 {
        let socket = daemon.socket();
        clients.spawn(async move { client::get(&socket, "/v1/status").await.unwrap() });
    }
    let answers = tokio::time::timeout(PATIENCE, clients.join_all()).await.unwrap();
    let served = answers.iter().filter(|(status, _)| *status == 200).count();
    let refused = answers.iter().filter(|(status, _)| *status == 503).count();
    assert_eq!(served + refused, 200);
    assert!(served >= 32, "{served}");
}

#[tokio::test]
async fn one_client_too_many_is_told_so_and_served_when_there_is_room() {
    let daemon = Daemon::start(Limits { clients: 3, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(daemon.connect().await);
    }
    let (status, body) = daemon.get("/v1/status").await;
    assert_eq!((status, code(&body).as_str()), (503, "too_many_clients"));
    silent.pop();
    let room = async {
        while daemon.get("/v1/status").await.0 != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, room).await.unwrap();
}

#[tokio::test]
async fn a_client_that_stalls_is_let_go_and_delays_nobody() {
    let limits = Limits { headers: Duration::from_millis(200), ..Limits::default() };
    let daemon = Daemon::start(limits).await;
    let mut silent = daemon.connect().await;
    let mut slow = daemon.connect().await;
    slow.write_all(b"GET /v1/status HTTP/1.1\r\nHost:").await.unwrap();
    assert_eq!(daemon.get("/v1/status").await.0, 200);
    // Both end by the server's deadline and not by ours.
    read_all(&mut silent).await;
    let answer = read_all(&mut slow).await;
    assert!(!answer.contains("200 OK"), "{answer}");
}

#[tokio::test]
async fn a_client_that_never_sends_its_body_is_let_go() {
    let limits = Limits { request: Duration::from_millis(200), ..Limits::default() };
    let daemon = Daemon::start(limits).await;
    let request = b"POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc";
    daemon.raw(request).await;
    assert_eq!(daemon.answers.refreshed.load(Ordering::SeqCst), 0);
    assert_eq!(daemon.get("/v1/status").await.0, 200);
}

#[tokio::test]
async fn garbage_is_refused_and_changes_nothing() {
    let daemon = Daemon::start(Limits::default()).await;
    let long_line = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1 << 20));
    let long_header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    let long_body =
        format!("POST /v1/refresh HTTP/1.1\r\nContent-Length: 5000\r\n\r\n{}", "a".repeat(5000));
    let requests: [&[u8]; 8] = [
        b"\x00\x01\x02\xff\xfe\r\n\r\n",
        b"{\"Command\": \"}\"}\r\n\r\n",
        b"GET /v1/status HTTP/9.9\r\n\r\n",
        b"POST /v1/refresh HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        long_line.as_bytes(),
        long_header.as_bytes(),
        many_headers.as_bytes(),
        long_body.as_bytes(),
    ];
    for request in requests {
        let answer = daemon.raw(request).await;
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{answer}");
        assert_eq!(daemon.get("/v1/status").await.0, 200);
    }
    assert_eq!(daemon.answers.refreshed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_client_that_leaves_early_harms_nobody() {
    let daemon = Daemon::start(Limits::default()).await;
    for request in ["", "GET", "GET /v1/status HTTP/1.1\r\n\r\n"] {
        let mut stream = daemon.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    assert_eq!(daemon.get("/v1/status").await.0, 200);
}

#[tokio::test]
async fn curl_can_ask() {
    let daemon = Daemon::start(Limits::default()).await;
    let curl = tokio::process::Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "20", "--unix-socket"])
        .arg(daemon.socket())
        .arg("http://gild/v1/status")
        .stdin(Stdio::null())
        .output()
        .await;
    let Ok(output) = curl else {
        eprintln!("curl is not installed; nothing was tried");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["state"], "ready");
}

async fn open(path: &Path) -> Result<listener::Listener, ListenError> {
    listener::open(ListenFd::empty(), path).await
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn the_socket_is_for_owner_and_group_and_goes_with_the_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("status.sock");
    let listener = open(&path).await.unwrap();
    let found = std::fs::symlink_metadata(&path).unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o7777, 0o660);
    assert_eq!(found.gid(), std::fs::metadata(directory.path()).unwrap().gid());
    assert_eq!(names(&directory), ["status.sock"]);
    drop(listener);
    assert!(names(&directory).is_empty());
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("status.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(matches!(client::get(&path, "/").await, Err(ClientError::NoDaemon { .. })));
    let _listener = open(&path).await.unwrap();
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn a_living_socket_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("status.sock");
    let living = open(&path).await.unwrap();
    assert!(matches!(open(&path).await, Err(ListenError::Taken(_))));
    UnixStream::connect(&path).await.unwrap();
    drop(living);
    open(&path).await.unwrap();
}

#[tokio::test]
async fn a_socket_that_another_daemon_put_in_place_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("status.sock");
    let first = open(&path).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let _second = open(&path).await.unwrap();
    drop(first);
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_never_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("status.sock");
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(open(&path).await, Err(ListenError::NotASocket(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[tokio::test]
async fn no_daemon_and_a_silent_daemon_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("status.sock");
    assert!(matches!(client::get(&path, "/").await, Err(ClientError::NoDaemon { .. })));
    let _silent = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let limit = Duration::from_millis(50);
    let answer = client::ask(&path, http::Method::GET, "/", limit).await;
    assert!(matches!(answer, Err(ClientError::Timeout(_))));
}

#[tokio::test]
async fn a_socket_that_systemd_gives_is_served() {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(root.path().join("run/gild")).unwrap();
    let path = root.path().join("given.sock");
    let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let mut command = crate::program::gild();
    command
        .arg("--root")
        .arg(root.path())
        .arg("run")
        .env("LISTEN_FDS", "1")
        .stderr(Stdio::null())
        .fd_mappings(vec![FdMapping { parent_fd: socket.into(), child_fd: 3 }])
        .unwrap();
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let (status, _) = client::get(&path, "/v1/status").await.unwrap();
    assert_eq!(status, 200);
    assert!(!root.path().join("run/gild/status.sock").exists(), "it made another socket");
    child.kill().await.unwrap();
}
